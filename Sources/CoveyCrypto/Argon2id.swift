internal import CSodium

/// What a person types to open the key file, in guarded memory.
package struct Passphrase: Sendable {
    let secret: Secret

    /// Copies the bytes (UTF-8, as typed) and wipes `typed`. Nil when it is empty or longer than the bound.
    package init?(taking typed: inout [UInt8]) {
        defer { typed.wipe() }
        guard (1...Argon2id.Bounds.passphraseBytes).contains(typed.count) else { return nil }
        secret = Secret(copying: typed.span.bytes)
    }
}

/// Argon2id v1.3 with one lane (RFC 9106; protocol.md §6): a key from a passphrase, at a cost.
package enum Argon2id {
    /// protocol.md §6. A file that asks for less is not protected, one that asks for more may mean harm.
    package enum Bounds {
        /// Passes over the memory.
        package static let passes = 2...10
        /// Memory, in KiB: 64 MiB to 1 GiB.
        package static let kibibytes = 64 * 1024...1024 * 1024
        /// Length of a passphrase, in bytes.
        package static let passphraseBytes = 1024
    }

    /// A cost inside the bounds.
    package struct Cost: Hashable, Sendable {
        package let passes: Int
        package let kibibytes: Int

        /// Nil outside the bounds.
        package init?(passes: Int, kibibytes: Int) {
            guard Bounds.passes.contains(passes), Bounds.kibibytes.contains(kibibytes) else { return nil }
            self.init(checkedPasses: passes, kibibytes: kibibytes)
        }

        private init(checkedPasses passes: Int, kibibytes: Int) {
            self.passes = passes
            self.kibibytes = kibibytes
        }

        /// 256 MiB, 3 passes: about half a second.
        package static let standard = Cost(checkedPasses: 3, kibibytes: 256 * 1024)
        /// 64 MiB, 2 passes, for machines with little memory.
        package static let least = Cost(
            checkedPasses: Bounds.passes.lowerBound, kibibytes: Bounds.kibibytes.lowerBound)
    }

    /// Takes the whole time and memory of `cost` on the calling thread.
    package static func key(
        from passphrase: Passphrase, salt: Octets16, cost: Cost
    ) throws(CryptoFailure) -> SymmetricKey {
        let key = Secret(byteCount: SymmetricKey.byteCount)
        let good = key.withMutablePointer { out in
            passphrase.secret.withSpan {
                hash($0, salt: salt, passes: cost.passes, kibibytes: cost.kibibytes, into: out, key.byteCount)
            }
        }
        guard good else { throw .outOfMemory }
        return SymmetricKey(taking: key)
    }

    /// Every parameter of the primitive, below the bounds too, for the outside suites.
    package static func hash(
        _ password: [UInt8], salt: Octets16, passes: Int, kibibytes: Int, outputSize: Int
    ) throws(CryptoFailure) -> [UInt8] {
        Sodium.start()
        guard !password.isEmpty, outputSize >= 16, passes >= 1, kibibytes >= 8 else { throw .length }
        var good = false
        let output = [UInt8](unsafeUninitializedCapacity: outputSize) { out, count in
            good = hash(
                password.span.bytes, salt: salt, passes: passes, kibibytes: kibibytes, into: out.baseAddress!,
                outputSize)
            count = good ? outputSize : 0
        }
        guard good else { throw .outOfMemory }
        return output
    }

    private static func hash(
        _ password: RawSpan, salt: Octets16, passes: Int, kibibytes: Int, into out: UnsafeMutablePointer<UInt8>,
        _ outputSize: Int
    ) -> Bool {
        password.withUnsafeBytes { password in
            withUnsafeBytes(of: salt) { salt in
                crypto_pwhash(
                    out, UInt64(outputSize), password.baseAddress!.assumingMemoryBound(to: CChar.self),
                    UInt64(password.count), salt.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt64(passes),
                    kibibytes * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0
            }
        }
    }
}
