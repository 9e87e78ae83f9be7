/// Shamir's secret sharing (A. Shamir, "How to share a secret", 1979), byte by byte over GF(2^8) modulo
/// x^8 + x^4 + x^3 + x + 1: of so many shares a threshold gives the secret back, and fewer say nothing about it.
///
/// A share is as long as the secret. Its number is where the polynomial was taken, from 1. No table and no branch
/// depends on a secret byte.
package enum SecretSharing {
    /// Shares number 1, 2, … of a secret.
    package static func split<Key: SecretKey>(
        _ key: Key, threshold: Int, count: Int, random: any RandomSource
    ) -> [Key] {
        precondition((1...255).contains(count) && (1...count).contains(threshold), "1 <= threshold <= count <= 255")
        let size = Key.byteCount
        // The secret is the coefficient of x^0.
        let coefficients = [key.secret] + (1..<threshold).map { _ in Secret(byteCount: size, from: random) }
        return (1...count).map { number in
            let share = Secret(byteCount: size)
            share.withMutablePointer { out in
                for at in 0..<size {
                    var value: UInt8 = 0
                    for coefficient in coefficients.reversed() {
                        value = multiply(value, UInt8(number)) ^ coefficient.pointer[at]
                    }
                    out[at] = value
                }
            }
            withExtendedLifetime(coefficients) {}
            return Key(taking: share)
        }
    }

    /// The secret, from as many shares as the threshold, with different numbers. Other shares give another secret.
    package static func combine<Key: SecretKey>(_ shares: [(number: UInt8, share: Key)]) -> Key {
        precondition(
            !shares.isEmpty && Set(shares.map(\.number)).count == shares.count
                && shares.allSatisfy { $0.number != 0 },
            "shares have different numbers from 1")
        let whole = Secret(byteCount: Key.byteCount)
        whole.withMutablePointer { out in
            for at in 0..<Key.byteCount { out[at] = 0 }
            for (number, share) in shares {
                // Lagrange's polynomial of this share, at 0.
                var weight: UInt8 = 1
                for (other, _) in shares where other != number {
                    weight = multiply(weight, multiply(other, inverse(other ^ number)))
                }
                for at in 0..<Key.byteCount { out[at] ^= multiply(share.secret.pointer[at], weight) }
                withExtendedLifetime(share) {}
            }
        }
        return Key(taking: whole)
    }

    private static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var (a, product) = (a, UInt8(0))
        for bit in UInt8(0)..<8 {
            product ^= a & (0 &- (b >> bit & 1))
            a = (a << 1) ^ (0x1B & (0 &- (a >> 7)))
        }
        return product
    }

    /// a^254: the group has 255 elements.
    private static func inverse(_ a: UInt8) -> UInt8 {
        var (power, result) = (a, UInt8(1))
        for _ in 0..<7 {
            power = multiply(power, power)
            result = multiply(result, power)
        }
        return result
    }
}
