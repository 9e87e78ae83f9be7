package import CoveyCrypto
import Crypto

package struct MLKEM768 {
    package init() {}
}
