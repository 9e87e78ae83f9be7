package import CoveyCrypto

/// A keyset, and those of its private halves that are at hand: all, some, or none (protocol.md §1.3).
package struct SigningKeyset: Sendable {
    package let keyset: Keyset
    /// In the order of the keyset.
    package let keys: [SigningPrivateKey]

    package var threshold: Int { keyset.threshold }

    /// All keys at hand.
    package init(keys: [SigningPrivateKey], threshold: Int) {
        keyset = Keyset(keys: keys.map(\.publicKey), threshold: threshold)
        self.keys = keys
    }

    /// Some keys at hand, in any order, each of them of the keyset.
    package init(_ keyset: Keyset, holding keys: [SigningPrivateKey]) {
        self.keyset = keyset
        self.keys = keyset.keys.compactMap { key in keys.first { $0.publicKey == key } }
        precondition(self.keys.count == keys.count, "a key at hand is a key of the keyset, named once")
    }

    package init(count: Int, threshold: Int, random: any RandomSource) {
        self.init(keys: (0..<count).map { _ in SigningPrivateKey(from: random) }, threshold: threshold)
    }

    package var isWhole: Bool { keys.count == keyset.keys.count }

    /// Whether the keys at hand are enough to sign alone.
    package var isSufficient: Bool { keys.count >= threshold }

    /// Numbers of the keys at hand, from 1: their places in the keyset.
    package var numbers: [Int] {
        keys.compactMap { key in keyset.keys.firstIndex(of: key.publicKey).map { $0 + 1 } }
    }

    /// One officer's part: the whole public keyset, and the private half of the key with this number, where it is here.
    package func part(_ number: Int) -> SigningKeyset {
        precondition((1...keyset.keys.count).contains(number), "keys are numbered from 1 in the order of the keyset")
        return SigningKeyset(keyset, holding: keys.filter { $0.publicKey == keyset.keys[number - 1] })
    }

    /// `threshold u8 | n u8 | n × seed 32`: every key is at hand.
    private func appendWhole(to bytes: inout [UInt8]) {
        bytes.append(UInt8(threshold))
        bytes.append(UInt8(keys.count))
        for key in keys { key.exposing { bytes.append(copying: $0) } }
    }

    /// `threshold u8 | n u8 | n × pk 32 | held u8 | seed 32 for each bit of held, the lowest bit first`.
    private func appendPart(to bytes: inout [UInt8]) {
        bytes.append(UInt8(threshold))
        bytes.append(UInt8(keyset.keys.count))
        for key in keyset.keys { bytes.append(key) }
        bytes.append(numbers.reduce(UInt8(0)) { $0 | 1 << UInt8($1 - 1) })
        for key in keys { key.exposing { bytes.append(copying: $0) } }
    }

    fileprivate func append(to bytes: inout [UInt8], _ form: AuthorityKeys.Form) {
        switch form {
        case .whole: appendWhole(to: &bytes)
        case .part: appendPart(to: &bytes)
        }
    }

    fileprivate static let mostBytes = 3 + 64 * Keyset.mostKeys

    private static func shape(from reader: inout ByteReader) throws(Malformed) -> (threshold: Int, count: Int) {
        let threshold = Int(try reader.u8())
        let count = Int(try reader.u8())
        guard (1...Keyset.mostKeys).contains(count), (1...count).contains(threshold) else { throw .value(0) }
        return (threshold, count)
    }

    fileprivate init(from reader: inout ByteReader, _ form: AuthorityKeys.Form) throws(Malformed) {
        let shape = try Self.shape(from: &reader)
        switch form {
        case .whole:
            var keys: [SigningPrivateKey] = []
            for _ in 0..<shape.count { keys.append(SigningPrivateKey(copying: try reader.span(32))) }
            guard Set(keys.map(\.publicKey)).count == shape.count else { throw .value(0) }
            self.init(keys: keys, threshold: shape.threshold)
        case .part:
            var publicKeys: [SigningPublicKey] = []
            for _ in 0..<shape.count { publicKeys.append(try reader.octets()) }
            guard Set(publicKeys).count == shape.count else { throw .value(0) }
            let held = try reader.u8()
            guard Int(held) < 1 << shape.count else { throw .value(0) }
            var keys: [SigningPrivateKey] = []
            for index in 0..<shape.count where held & (1 << UInt8(index)) != 0 {
                let key = SigningPrivateKey(copying: try reader.span(32))
                // The halves of two different keys would sign what nobody can verify.
                guard key.publicKey == publicKeys[index] else { throw .value(0) }
                keys.append(key)
            }
            self.init(Keyset(keys: publicKeys, threshold: shape.threshold), holding: keys)
        }
    }
}

/// What an authority's directory keeps secret: its keys, and those it has promised to rotate to (protocol.md §1.3).
/// Where a keyset is shared among officers, each has the whole of its public half and a private key of its own.
///
///     version 1 | mesh_id 32 | authority_id 16 | current keyset | next keyset        all private keys
///     version 2 | mesh_id 32 | authority_id 16 | current keyset | next keyset        some of them
package struct AuthorityKeys: Sendable {
    fileprivate enum Form: UInt8 {
        case whole = 1
        case part = 2
    }

    package let mesh: MeshID
    package let authority: AuthorityID
    package let current: SigningKeyset
    package let next: SigningKeyset

    package init(mesh: MeshID, authority: AuthorityID, current: SigningKeyset, next: SigningKeyset) {
        self.mesh = mesh
        self.authority = authority
        self.current = current
        self.next = next
    }

    /// The keys of one officer, of both keysets. A keyset that has fewer keys gives none.
    package func part(_ number: Int) -> AuthorityKeys {
        func part(of keyset: SigningKeyset) -> SigningKeyset {
            number <= keyset.keyset.keys.count ? keyset.part(number) : SigningKeyset(keyset.keyset, holding: [])
        }
        return AuthorityKeys(
            mesh: mesh, authority: authority, current: part(of: current), next: part(of: next))
    }

    /// For the key file, mode 0600. Wipe them once they are written.
    package var bytes: [UInt8] {
        let form: Form = current.isWhole && next.isWhole ? .whole : .part
        var bytes: [UInt8] = []
        bytes.reserveCapacity(49 + 2 * SigningKeyset.mostBytes)
        bytes.append(form.rawValue)
        bytes.append(mesh)
        bytes.append(authority)
        current.append(to: &bytes, form)
        next.append(to: &bytes, form)
        return bytes
    }

    package init(parsing bytes: RawSpan) throws(Malformed) {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        guard let form = Form(rawValue: version) else { throw .unknownVersion(version) }
        mesh = try reader.octets()
        authority = try reader.octets()
        current = try SigningKeyset(from: &reader, form)
        next = try SigningKeyset(from: &reader, form)
        try reader.end()
        // One form for one content.
        guard form == .whole || !current.isWhole || !next.isWhole else { throw .value(0) }
    }
}
