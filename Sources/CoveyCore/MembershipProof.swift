import CoveyCrypto

/// Proves to somebody who holds the genesis and no log that a device was in the active set of a Checkpoint
/// (CE 0x0E, protocol.md §1.8).
///
///     01? entries that say whose keys write the Checkpoint's log, a list of 1 to 64 · 02 the Checkpoint, an entry
///     03 body of the device's certificate · 04 its place among the leaves 4 · 05? hashes beside its way up n × 32
///
/// Nobody signs it as a whole: the entries are signed, and the Checkpoint's root holds the hash of the certificate's body.
/// Of a certificate's own signatures it says nothing, so neither of rights that take two of them.
package struct MembershipProof: Sendable, Equatable {
    package enum Bounds {
        /// Entries before the Checkpoint: up to two AuthorityAdds, and what changed keys since the founding.
        package static let entries = 64
        /// Hashes of the path: a Checkpoint counts its leaves in 32 bits.
        package static let path = 32
        /// Bytes of the whole.
        package static let proof = 98_304
        /// Bytes of one field.
        static let field = 65_535
        /// Bytes of the body of a device's certificate.
        static let certificate = 1024
    }

    private static let schema = ObjectSchema(
        .membershipProof, most: Bounds.proof,
        [
            FieldRule(0x01, .list(least: 1, most: Bounds.entries), required: false),
            FieldRule(0x02, .bytes(most: Bounds.field)), FieldRule(0x03, .bytes(most: Bounds.certificate)),
            FieldRule(0x04, .exact(4)),
            FieldRule(0x05, .items(size: MerkleHash.byteCount, least: 1, most: Bounds.path), required: false),
        ])

    /// In an order in which each is signed by keys that those before it name.
    package let entries: [LogEntry]
    package let checkpoint: LogEntry
    /// Without its signatures.
    package let certificate: DeviceCertificate
    package let index: UInt32
    package let path: [MerkleHash]

    package init(
        entries: [LogEntry], checkpoint: LogEntry, certificate: DeviceCertificate, index: UInt32, path: [MerkleHash]
    ) {
        self.entries = entries
        self.checkpoint = checkpoint
        self.certificate = certificate
        self.index = index
        self.path = path
    }

    /// Nothing is verified but the form, of which each proof has one.
    package init(parsing bytes: [UInt8], mesh: MeshID) throws(Malformed) {
        let object = try CanonicalObject(parsing: bytes, schema: Self.schema)
        var entries: [LogEntry] = []
        for item in object.list(0x01) { entries.append(try LogEntry(parsing: Signed(parsing: item), mesh: mesh)) }
        self.entries = entries
        checkpoint = try LogEntry(parsing: Signed(parsing: object.bytes(0x02)), mesh: mesh)
        certificate = try DeviceCertificate(parsing: Signed(body: object.bytes(0x03), attestations: []), mesh: mesh)
        index = object.u32(0x04)
        path = object.items(0x05)
        // Fields that a later version may add are signed elsewhere; here nobody would vouch for them.
        guard self.bytes == bytes else { throw .trailing }
    }

    package var bytes: [UInt8] {
        var writer = CanonicalWriter(.membershipProof)
        writer.field(0x01, list: entries.map(\.signed.bytes))
        writer.field(0x02, bytes: checkpoint.signed.bytes)
        writer.field(0x03, bytes: certificate.signed.body)
        writer.field(0x04, u32: index)
        writer.field(0x05, items: path)
        return writer.bytes
    }

    // MARK: Files

    package func file(of mesh: MeshID) -> CoveyFile { CoveyFile(kind: .proof, mesh: mesh, content: bytes) }

    package static func read(_ file: CoveyFile, of mesh: MeshID) throws(CoveyFileError) -> MembershipProof {
        let content = try file.content(.proof, of: mesh)
        do { return try MembershipProof(parsing: content, mesh: mesh) } catch { throw CoveyFileError(error) }
    }

    // MARK: What it proves

    /// - Parameters:
    ///   - genesis: pinned by whoever asks.
    ///   - now: what Checkpoints from the future are told by.
    package func verified(by genesis: Genesis, now: Minute) throws(ProofFault) -> ProvenMember {
        var entitlement = Entitlement(genesis: genesis)
        for entry in entries { try entitlement.take(entry) }
        let limits = try entitlement.limits(behind: checkpoint)
        guard let placed = PlacedCheckpoint(checkpoint) else { throw .foreignKind(checkpoint.log, checkpoint.sequence) }
        guard placed.time <= now.adding(MeshClock.Bounds.entryAhead) else { throw .time }
        // It covers its own log and those it names, and what it says of others counts nowhere.
        let issuer = certificate.issuer
        guard issuer == placed.log || placed.checkpoint.children.contains(where: { $0.log == issuer }) else {
            throw .issuer
        }
        if let fault = limits.fault(in: certificate.content) { throw .certificate(fault) }
        guard certificate.link.isCanonical, certificate.message.isCanonical else { throw .certificate(.keyEncoding) }
        guard certificate.notAfter >= placed.time else { throw .expired }
        let inclusion = InclusionProof(index: Int(index), count: Int(placed.checkpoint.count), path: path)
        guard placed.checkpoint.includes(certificate.hash, by: inclusion) else { throw .path }
        return ProvenMember(
            device: certificate.device, label: certificate.label, certificate: certificate.hash,
            notAfter: certificate.notAfter, checkpoint: placed, authorities: entitlement.chain(to: placed.log))
    }
}

/// What a proof comes to: a device was in an active set then. Whether it was revoked since stands in the log alone; so does
/// whether the authority was, or had lost the keys it signed with.
package struct ProvenMember: Sendable, Equatable {
    package let device: DeviceID
    package let label: String
    package let certificate: CertificateHash
    package let notAfter: Minute
    package let checkpoint: PlacedCheckpoint
    /// From the one below the root to the Checkpoint's author; empty when that is the root.
    package let authorities: [AuthorityCertificate]
}

/// Why a proof proves nothing.
package enum ProofFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// An entry of a log that none before it names.
    case unknownAuthority(LogID)
    /// Sequences of a log ascend, and times do not decrease.
    case order(LogID, UInt64)
    case foreignKind(LogID, UInt64)
    case signatures(LogID, UInt64)
    /// Keys that nobody promised, or a choice of branch where none may stand.
    case keys(LogID, UInt64)
    /// It, or one above it, may grant nothing.
    case authority(LogID)
    /// The Checkpoint is dated days ahead.
    case time
    /// The Checkpoint does not cover the log of the certificate's issuer.
    case issuer
    case certificate(CertificateFault)
    /// The certificate was over when the Checkpoint was made.
    case expired
    /// The certificate is not at that place below the Checkpoint's root.
    case path

    package var description: String {
        switch self {
        case .unknownAuthority(let log): "nothing in it says who authority \(log.hex.prefix(8)) is"
        case .order(let log, let sequence):
            "entry \(sequence) of authority \(log.hex.prefix(8)) does not follow the one before it"
        case .foreignKind(let log, let sequence):
            "entry \(sequence) of authority \(log.hex.prefix(8)) is of a kind that does not belong in it"
        case .signatures(let log, let sequence):
            "entry \(sequence) of authority \(log.hex.prefix(8)) is not signed by who must sign it"
        case .keys(let log, let sequence):
            "entry \(sequence) of authority \(log.hex.prefix(8)) brings keys that nobody promised"
        case .authority(let log): "authority \(log.hex.prefix(8)) may not grant what it would have to"
        case .time: "its checkpoint is dated days from now"
        case .issuer: "the checkpoint does not cover the authority that issued the certificate"
        case .certificate(let fault): "the checkpoint's authority could not grant the certificate: \(fault.words)"
        case .expired: "the certificate was over when the checkpoint was made"
        case .path: "the certificate is not in the set that the checkpoint names"
        }
    }
}
