package import CoveyCore
package import CoveyCrypto

/// Who a peer says to be, in messages 2 and 3 (protocol.md §2.2, canonical type 0x10).
///
/// On the wire it is padded, so that certificates do not show by their length:
///
///     len u16 | object | zero bytes, 1536 or 512 in all
package struct AuthPayload: Sendable, Equatable {
    /// The authorities between the device and the root.
    package enum Chain: Sendable, Equatable {
        /// Zero to two certificates, the device's issuer first.
        case full([Signed])
        /// A peer that does not know the hash asks by WANT_CERT.
        case byHash(Octets32)
    }

    package var certificate: Signed
    package var chain: Chain
    package var headsDigest: Octets32
    package var rootSequence: UInt64
    /// First 16 bytes of the entry's id.
    package var rootID: Octets16
    /// First 8 bytes of each live epoch's commit, the newest.
    package var epochs: [Octets8]
    package var features: UInt32
    package var time: Minute
    package var timeIsTrusted: Bool
    package var bootSalt: Octets8
    /// For display.
    package var buildHash: Octets32?

    package init(
        certificate: Signed, chain: Chain, headsDigest: Octets32, rootSequence: UInt64, rootID: Octets16,
        epochs: [Octets8], features: UInt32 = 0, time: Minute, timeIsTrusted: Bool, bootSalt: Octets8,
        buildHash: Octets32? = nil
    ) {
        self.certificate = certificate
        self.chain = chain
        self.headsDigest = headsDigest
        self.rootSequence = rootSequence
        self.rootID = rootID
        self.epochs = epochs
        self.features = features
        self.time = time
        self.timeIsTrusted = timeIsTrusted
        self.bootSalt = bootSalt
        self.buildHash = buildHash
    }

    private static let schema = ObjectSchema(
        .authPayload, most: LinkBounds.fullPayload - 2,
        [
            FieldRule(0x01, .bytes(most: LinkBounds.fullPayload)),
            FieldRule(0x02, .list(least: 1, most: 2), required: false),
            FieldRule(0x03, .exact(32), required: false),
            FieldRule(0x04, .exact(32)),
            FieldRule(0x05, .exact(24)),
            FieldRule(0x06, .items(size: 8, least: 1, most: LinkBounds.epochCommits), required: false),
            FieldRule(0x07, .exact(4)),
            FieldRule(0x08, .exact(5)),
            FieldRule(0x09, .exact(8)),
            FieldRule(0x80, .exact(32), required: false),
        ])

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        let object = try CanonicalObject(parsing: bytes, schema: Self.schema)
        certificate = try Signed(parsing: object.bytes(0x01))
        switch (object.has(0x02), object.has(0x03)) {
        case (true, true): throw .value(0x03)
        case (false, true): chain = .byHash(object.octets(0x03))
        case (_, false):
            var authorities: [Signed] = []
            for item in object.list(0x02) { authorities.append(try Signed(parsing: item)) }
            chain = .full(authorities)
        }
        headsDigest = object.octets(0x04)
        let root = object.bytes(0x05)
        rootSequence = root[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        rootID = Octets16(copying: root.span.bytes.extracting(droppingFirst: 8))
        epochs = object.items(0x06)
        features = object.u32(0x07)
        let claim = object.bytes(0x08)
        time = Minute(claim[0..<4].reduce(0) { $0 << 8 | UInt32($1) })
        guard claim[4] <= 1 else { throw .value(0x08) }
        timeIsTrusted = claim[4] == 1
        bootSalt = object.octets(0x09)
        buildHash = object.has(0x80) ? object.octets(0x80) : nil
    }

    package func encode() -> [UInt8] {
        precondition(epochs.count <= LinkBounds.epochCommits, "the newest 16 commits are named")
        var writer = CanonicalWriter(.authPayload)
        writer.field(0x01, bytes: certificate.bytes)
        switch chain {
        case .full(let authorities):
            precondition(authorities.count <= 2, "a chain has at most two authorities below the root")
            writer.field(0x02, list: authorities.map(\.bytes))
        case .byHash(let hash):
            writer.field(0x03, hash)
        }
        writer.field(0x04, headsDigest)
        var root: [UInt8] = []
        root.append(u64: rootSequence)
        root.append(rootID)
        writer.field(0x05, bytes: root)
        writer.field(0x06, items: epochs)
        writer.field(0x07, u32: features)
        var claim: [UInt8] = []
        claim.append(u32: time.value)
        claim.append(timeIsTrusted ? 1 : 0)
        writer.field(0x08, bytes: claim)
        writer.field(0x09, bootSalt)
        if let buildHash { writer.field(0x80, buildHash) }
        return writer.bytes
    }

    /// BLAKE2b-256 of the concatenated certificate hashes, the device's first.
    package static func chainHash(device: Signed, authorities: [Signed]) -> Octets32 {
        var hashes: [UInt8] = []
        for certificate in [device] + authorities {
            hashes.append(Blake2b.hash256(certificate.body.span.bytes, personal: .certificate))
        }
        return Blake2b.hash256(hashes.span.bytes, personal: .certificate)
    }

    /// A chain that does not fit goes by hash.
    private func fitted() throws(LinkFault) -> (payload: AuthPayload, object: [UInt8]) {
        let object = encode()
        if object.count + 2 <= LinkBounds.fullPayload { return (self, object) }
        guard case .full(let authorities) = chain, !authorities.isEmpty else { throw .payloadTooLarge }
        var short = self
        short.chain = .byHash(Self.chainHash(device: certificate, authorities: authorities))
        let fewer = short.encode()
        guard fewer.count + 2 <= LinkBounds.fullPayload else { throw .payloadTooLarge }
        return (short, fewer)
    }

    /// The payload of message 2 (always of full size), or of message 3 (short when its chain goes by hash and it fits).
    func padded(mayBeShort: Bool) throws(LinkFault) -> [UInt8] {
        let (payload, object) = try fitted()
        var size = LinkBounds.fullPayload
        if mayBeShort, case .byHash = payload.chain, object.count + 2 <= LinkBounds.shortPayload {
            size = LinkBounds.shortPayload
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        bytes.append(u16: UInt16(object.count))
        bytes += object
        bytes += repeatElement(0, count: size - bytes.count)
        return bytes
    }

    init(padded bytes: [UInt8]) throws(LinkFault) {
        guard bytes.count >= 2 else { throw .payload(.truncated) }
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        guard size + 2 <= bytes.count else { throw .payload(.truncated) }
        guard bytes[(size + 2)...].allSatisfy({ $0 == 0 }) else { throw .payload(.trailing) }
        do { try self.init(parsing: Array(bytes[2..<size + 2])) } catch { throw .payload(error) }
    }
}

/// What a peer has shown in a handshake. That its certificate holds, is logged, names this static key and is of another
/// device is for the node to judge (protocol.md §2.2).
package struct PeerClaim: Sendable, Equatable {
    package let payload: AuthPayload
    /// The Noise static key the peer proved to hold; it has to be the LNK key of the certificate.
    package let linkKey: AgreementPublicKey
}
