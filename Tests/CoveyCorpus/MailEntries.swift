import CoveyCore
import CoveyCrypto

enum MailEntries {
    private static let mesh = MeshID(prefixOf: Octets32())
    private static let signer = SigningPrivateKey(from: SeededRandom(seed: 1))
    private static let key = EpochKeys(EpochKey(from: SeededRandom(seed: 2))).beacon

    /// An envelope, and the row that purges it.
    static func envelope(_ input: [UInt8]) {
        if let envelope = try? Envelope(parsing: input) {
            let header = envelope.header
            precondition(header.octets.array == Array(input.prefix(EnvelopeHeader.byteCount)))
            precondition(header.bucket.size == input.count, "an envelope has the size of its bucket")
            precondition(EnvelopeID(header: header, body: envelope.bodyHash) == envelope.id)
            // What a stranger may write, we would: all but a zone hint where none belongs.
            if header.zone.isAny || header.kind == .pairwise || header.kind == .chunk {
                let again = EnvelopeHeader(
                    kind: header.kind, priority: header.priority, ttl: header.ttl, bucket: header.bucket,
                    zone: header.zone, expiry: header.expiry, tag: header.tag, purgeCommit: header.purgeCommit)
                precondition(again == header, "a header has one form")
            }
            for hour in [Hour(0), header.expiry, header.slot, Hour(.max)] { _ = try? header.check(now: hour) }
        }
        if let row = try? PurgeRow(parsing: input.span.bytes) {
            var bytes: [UInt8] = []
            row.append(to: &bytes)
            precondition(bytes == input, "a row has one form")
        }
    }

    /// The first 116 bytes are what a member signs and seals; 24 bytes are heard as they are too.
    static func beacon(_ input: [UInt8]) {
        _ = try? UnverifiedBeacon(opening: input.span.bytes, key: key)
        if let tiny = TinyBeacon(parsing: input.span.bytes) {
            precondition(tiny.bytes == input, "a beacon has one form")
            for slot in [0, 1, 100, UInt32.max - 1, .max] {
                _ = tiny.recognised(by: key, around: BeaconSlot(slot), clock: .untrusted)
            }
        }
        guard let beacon = opened(input.sized(LANBeacon.byteCount)) else { return }
        precondition(beacon.addresses.count <= LANBeacon.mostAddresses)
        precondition(opened(beacon.bytes) == beacon, "what a beacon says can be written again")
    }

    private static func opened(_ head: [UInt8]) -> LANBeacon? {
        let datagram = sealed(head, signer: signer, mesh: mesh, key: key)
        guard let opened = try? UnverifiedBeacon(opening: datagram.span.bytes, key: key) else { return nil }
        guard let verified = opened.verified(by: signer.publicKey, mesh: mesh) else {
            preconditionFailure("the signature is over the bytes as they came")
        }
        return verified.beacon
    }

    /// A datagram around 116 bytes that need not be a beacon.
    static func sealed(_ head: [UInt8], signer: SigningPrivateKey, mesh: MeshID, key: BeaconKey) -> [UInt8] {
        var plaintext = head
        let message = Signed.message(head.span.bytes, type: .lanBeacon, mesh: mesh)
        plaintext.append(signer.sign(message.span.bytes))
        var datagram: [UInt8] = []
        XChaCha20Poly1305.box(plaintext.span.bytes, ad: RawSpan(), key: key.key, nonce: Nonce24(), to: &datagram)
        return datagram
    }
}
