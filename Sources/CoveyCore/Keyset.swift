package import CoveyCrypto

/// BLAKE2b-256 of `threshold u8 | keyset`: what a keyset published before it is used (protocol.md §1.4).
package struct KeysetCommit: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// The keys of an authority and how many of them must sign (protocol.md §1.3).
///
///     keyset = ( alg u8 = 0x01 | pk[32] ) × 1…7
package struct Keyset: Hashable, Sendable {
    package static let mostKeys = 7
    package static let itemSize = 33
    private static let ed25519: UInt8 = 0x01

    package let keys: [SigningPublicKey]
    package let threshold: Int
    /// Of the keys, in their order.
    fileprivate let hints: [KeyHint]

    package init(keys: [SigningPublicKey], threshold: Int) {
        precondition((1...Self.mostKeys).contains(keys.count), "a keyset has 1 to 7 keys")
        precondition((1...keys.count).contains(threshold), "a threshold is at least 1 and at most the number of keys")
        precondition(Set(keys).count == keys.count, "a keyset names each key once")
        self.keys = keys
        self.threshold = threshold
        hints = keys.map { KeyHint(of: $0) }
    }

    /// `tags`: of the two fields, for the error. Other algorithms, repeated keys and impossible thresholds are refused.
    package init(
        parsing bytes: ArraySlice<UInt8>, threshold: UInt8, tags: (keys: UInt8, threshold: UInt8)
    ) throws(Malformed) {
        guard bytes.count.isMultiple(of: Self.itemSize), (1...Self.mostKeys).contains(bytes.count / Self.itemSize)
        else { throw .width(tags.keys) }
        var keys: [SigningPublicKey] = []
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: Self.itemSize) {
            guard bytes[start] == Self.ed25519, let key = SigningPublicKey(bytes[start + 1..<start + Self.itemSize]),
                !keys.contains(key)
            else { throw .value(tags.keys) }
            keys.append(key)
        }
        guard (1...keys.count).contains(Int(threshold)) else { throw .value(tags.threshold) }
        self.keys = keys
        self.threshold = Int(threshold)
        hints = keys.map { KeyHint(of: $0) }
    }

    package static func rule(_ tag: UInt8, required: Bool = true) -> FieldRule {
        FieldRule(tag, .items(size: itemSize, least: 1, most: mostKeys), required: required)
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for key in keys {
            bytes.append(Self.ed25519)
            bytes.append(key)
        }
        return bytes
    }

    /// The id of the authority whose first keyset this is.
    package var authorityID: AuthorityID {
        AuthorityID(prefixOf: Blake2b.hash256(bytes.span.bytes, personal: .keyID))
    }

    package var commit: KeysetCommit {
        Blake2b.hash(([UInt8(threshold)] + bytes).span.bytes, personal: .keyset)
    }

    /// Whether all signatures are of this keyset and at least `threshold` of its keys signed.
    package func approves(_ signed: Signed, as type: ObjectType, in mesh: MeshID) -> Bool {
        guard signed.signatureCount >= threshold,
            let signers = signed.signers(among: keys, hinted: hints, type: .object(type), mesh: mesh)
        else { return false }
        return signers.count >= threshold
    }
}

extension Signed {
    /// Whether each of several keysets signed with its threshold, and nobody else did. A key may count for more than one.
    func isApproved(byAll keysets: [Keyset], as type: ObjectType, in mesh: MeshID) -> Bool {
        guard let signers = signers(among: keysets.flatMap(\.keys), type: .object(type), mesh: mesh) else {
            return false
        }
        return keysets.allSatisfy { keyset in signers.count(where: keyset.keys.contains) >= keyset.threshold }
    }
}
