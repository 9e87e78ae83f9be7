package import CoveyCrypto

/// The founding object of a mesh (0x00), pinned in person at enrolment (protocol.md §1.4).
///
///     01 name · 02 created 4 · 03 root keyset n×33 · 04 threshold 1 · 05 next_commit 32 · 06 recovery_commit 32 ·
///     07 policy hash 32 · 08 release_commit 32
package struct Genesis: Sendable, Equatable {
    private static let schema = ObjectSchema(
        .genesis,
        [
            FieldRule(0x01, .text(most: 64)), FieldRule(0x02, .exact(4)), Keyset.rule(0x03),
            FieldRule(0x04, .exact(1)), FieldRule(0x05, .exact(32)), FieldRule(0x06, .exact(32)),
            FieldRule(0x07, .exact(32)), FieldRule(0x08, .exact(32)),
        ])

    package let signed: Signed
    package let meshID: MeshID
    package let name: String
    package let created: Minute
    package let root: Keyset
    package let rootID: AuthorityID
    package let nextCommit: KeysetCommit
    package let recoveryCommit: KeysetCommit
    package let policyHash: PolicyHash
    package let releaseCommit: KeysetCommit

    package init(parsing signed: Signed) throws(Malformed) {
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        root = try Keyset(
            parsing: object.bytes(0x03)[...], threshold: object.u8(0x04), tags: (keys: 0x03, threshold: 0x04))
        name = object.text(0x01)
        created = Minute(object.u32(0x02))
        nextCommit = object.octets(0x05)
        recoveryCommit = object.octets(0x06)
        policyHash = object.octets(0x07)
        releaseCommit = object.octets(0x08)
        rootID = root.authorityID
        meshID = Self.meshID(of: signed.body)
        self.signed = signed
    }

    /// Whether every root key signed, and nobody else.
    package func verify() -> Bool {
        signed.signers(among: root.keys, type: .object(.genesis), mesh: meshID)?.count == root.keys.count
    }

    package static func meshID(of body: [UInt8]) -> MeshID { Blake2b.hash(body.span.bytes, personal: .genesis) }

    /// `keys`: all root keys, in the order of the keyset.
    package static func make(
        name: String, created: Minute, threshold: Int, nextCommit: KeysetCommit, recoveryCommit: KeysetCommit,
        policyHash: PolicyHash, releaseCommit: KeysetCommit, keys: [SigningPrivateKey]
    ) -> Genesis {
        let root = Keyset(keys: keys.map(\.publicKey), threshold: threshold)
        var writer = CanonicalWriter(.genesis)
        writer.field(0x01, text: name)
        writer.field(0x02, u32: created.value)
        writer.field(0x03, bytes: root.bytes)
        writer.field(0x04, u8: UInt8(threshold))
        writer.field(0x05, nextCommit)
        writer.field(0x06, recoveryCommit)
        writer.field(0x07, policyHash)
        writer.field(0x08, releaseCommit)
        let mesh = meshID(of: writer.bytes)
        let signed = Signed(writer.bytes, type: .object(.genesis), mesh: mesh, keys: keys)
        guard let genesis = try? Genesis(parsing: signed) else {
            preconditionFailure("the name of a mesh is canonical text of 1 to 64 bytes")
        }
        return genesis
    }
}

extension Genesis {
    /// Whether these keys write the log of releases, under whatever threshold: a log has its id from them alone.
    func isReleaseKeyset(_ keyset: Keyset) -> Bool {
        (1...keyset.keys.count).contains { Keyset(keys: keyset.keys, threshold: $0).commit == releaseCommit }
    }
}
