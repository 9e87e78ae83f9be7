import CoveyNode
import Glibc

extension StoreError {
    /// What `errno` says after a call on `name`, as the kind of trouble it is.
    init(errno code: Int32, _ action: String, _ name: String) {
        switch code {
        // A file size limit is a full disk to whoever set it.
        case ENOSPC, EDQUOT, EFBIG: self = .full
        case EAGAIN, EBUSY: self = .locked
        case EACCES, EPERM, EROFS:
            self = .permission("cannot \(action) \(name): \(String(cString: strerror(code)))")
        default: self = .io("cannot \(action) \(name): \(String(cString: strerror(code)))")
        }
    }
}
