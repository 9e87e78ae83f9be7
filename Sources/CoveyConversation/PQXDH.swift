import CoveyCore
package import CoveyCrypto

/// Names a session: both devices, the bundle, every public value of the agreement, and proof of its secrets.
package struct SessionID: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// What PQXDH gives both sides (protocol.md §4.2).
package struct SessionKeys: Sendable {
    package let id: SessionID
    /// SK: the ratchet's first root.
    package let root: SymmetricKey
    /// HK of the initiator's first chain.
    package let initiatorHeader: SymmetricKey
    /// NHK of the responder's first chain.
    package let responderNextHeader: SymmetricKey
    /// TAGK of either direction, from the first reply on.
    package let initiatorTag: SymmetricKey
    package let responderTag: SymmetricKey
}

/// What the initiator tells of the agreement, encrypted under the pair's header key.
///
///     suite u8 | spk_id u32 | pq_id u32 | opk_id u32 | bundle_seq u32 | gen u32 | EK 32 | ct 1088        1141 bytes
package struct PrekeyHeader: Sendable, Equatable {
    package static let byteCount = 1141
    static let suite: UInt8 = 1

    package let signedPrekeyID: UInt32
    package let kemPrekeyID: UInt32
    /// 0 when the agreement uses none.
    package let oneTimePrekeyID: UInt32
    package let bundleSequence: UInt32
    package let generation: UInt32
    package let ephemeral: AgreementPublicKey
    package let ciphertext: KEMCiphertext

    init(to bundle: Bundle, generation: UInt32, ephemeral: AgreementPublicKey, ciphertext: KEMCiphertext) {
        signedPrekeyID = bundle.signedPrekeyID
        kemPrekeyID = bundle.kemPrekeyID
        oneTimePrekeyID = 0
        bundleSequence = bundle.sequence
        self.generation = generation
        self.ephemeral = ephemeral
        self.ciphertext = ciphertext
    }

    /// Reads exactly 1141 bytes; nil for another suite or length.
    init?(parsing bytes: RawSpan) {
        var reader = ByteReader(bytes)
        guard bytes.byteCount == Self.byteCount else { return nil }
        do {
            guard try reader.u8() == Self.suite else { return nil }
            signedPrekeyID = try reader.u32()
            kemPrekeyID = try reader.u32()
            oneTimePrekeyID = try reader.u32()
            bundleSequence = try reader.u32()
            generation = try reader.u32()
            ephemeral = try reader.octets()
            guard let ciphertext = KEMCiphertext(try reader.bytes(KEMCiphertext.byteCount)) else { return nil }
            self.ciphertext = ciphertext
        } catch {
            return nil
        }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(Self.suite)
        bytes.append(u32: signedPrekeyID)
        bytes.append(u32: kemPrekeyID)
        bytes.append(u32: oneTimePrekeyID)
        bytes.append(u32: bundleSequence)
        bytes.append(u32: generation)
        bytes.append(ephemeral)
        bytes.append(contentsOf: ciphertext.bytes)
    }
}

/// The key agreement that opens a session: three X25519 agreements and ML-KEM-768, hybrid always (protocol.md §4.2).
package enum PQXDH {
    /// Made new for every session; the ephemeral private key does not outlive the call.
    ///
    /// Refuses a bundle whose keys the primitives refuse.
    package static func initiate(
        from own: OwnDevice, to peer: PeerDevice, bundle: VerifiedBundle, generation: UInt32,
        random: any RandomSource, kem: some KEM
    ) throws(CryptoFailure) -> (keys: SessionKeys, header: PrekeyHeader) {
        precondition(bundle.bundle.device == peer.id, "a session with a device is opened by that device's bundle")
        let signedPrekey = bundle.bundle.signedPrekey
        let ephemeral = AgreementPrivateKey(from: random)
        let (ciphertext, shared) = try kem.encapsulate(to: bundle.bundle.kemPrekey, random: random)
        let header = PrekeyHeader(
            to: bundle.bundle, generation: generation, ephemeral: ephemeral.publicKey, ciphertext: ciphertext)
        let transcript = transcript(
            mesh: own.mesh, initiator: own.hash, responder: peer.hash, bundle: bundle.bundle.hash,
            kemPrekey: bundle.kemPrekeyHash, header: header)
        let keys = try derive(
            transcript, own.message.agree(with: signedPrekey), ephemeral.agree(with: peer.message),
            ephemeral.agree(with: signedPrekey), shared)
        return (keys, header)
    }

    /// The same keys, from the private halves of the bundle that the header names.
    package static func respond(
        as own: OwnDevice, to peer: PeerDevice, header: PrekeyHeader, prekey: Prekey, kem: some KEM
    ) throws(CryptoFailure) -> SessionKeys {
        let transcript = transcript(
            mesh: own.mesh, initiator: peer.hash, responder: own.hash, bundle: prekey.bundle,
            kemPrekey: prekey.kemPrekeyHash, header: header)
        return try derive(
            transcript, prekey.agreement.agree(with: peer.message), own.message.agree(with: header.ephemeral),
            prekey.agreement.agree(with: header.ephemeral), kem.decapsulate(header.ciphertext, with: prekey.kem))
    }

    /// T: binds both identities, the bundle, the keys used and the ciphertext to the result.
    ///
    ///     SHA-256("covey1-pqxdh-1" 00 | suite | mesh_id | devhash_A | devhash_B | bundlehash_B
    ///             | opk_flag u8 | OPK_B or 32×00 | SHA-256(ek) | EK_A | SHA-256(ct) | gen u32)
    static func transcript(
        mesh: MeshID, initiator: DeviceHash, responder: DeviceHash, bundle: BundleHash, kemPrekey: Octets32,
        header: PrekeyHeader
    ) -> Octets32 {
        precondition(header.oneTimePrekeyID == 0, "no agreement uses a one-time prekey yet")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(286)
        bytes += "covey1-pqxdh-1".utf8
        bytes.append(0)
        bytes.append(PrekeyHeader.suite)
        bytes.append(mesh)
        bytes.append(initiator)
        bytes.append(responder)
        bytes.append(bundle)
        bytes.append(0)
        bytes.append(Octets32())
        bytes.append(kemPrekey)
        bytes.append(header.ephemeral)
        bytes.append(SHA256.hash(header.ciphertext.bytes.span.bytes))
        bytes.append(u32: header.generation)
        return SHA256.hash(bytes.span.bytes)
    }

    /// `HKDF(32×00, 32×FF | DH1 | DH2 | DH3 | SS, "covey1:pqxdh" | T, 192)`, cut into six keys.
    static func derive(
        _ transcript: Octets32, _ first: SymmetricKey, _ second: SymmetricKey, _ third: SymmetricKey,
        _ shared: SymmetricKey
    ) -> SessionKeys {
        var material = HKDF.Material()
        material.append(separation)
        material.append(first)
        material.append(second)
        material.append(third)
        material.append(shared)
        var info = HKDF.bytes(of: DerivationLabel.pqxdh)
        info.append(transcript)
        let keys = HKDF.expand(HKDF.extract(salt: Octets32(), material: material), info: info, count: 6)
        var named = transcript.array
        keys[5].exposing { named.append(copying: $0) }
        let id: SessionID = Blake2b.hash(named.span.bytes, personal: .sessionID)
        named.wipe()
        return SessionKeys(
            id: id, root: keys[0], initiatorHeader: keys[1], responderNextHeader: keys[2], initiatorTag: keys[3],
            responderTag: keys[4])
    }

    /// Keeps the input of this derivation apart from that of any curve's own use (X3DH §2.2).
    private static let separation = [UInt8](repeating: 0xFF, count: 32)
}
