import CoveyCrypto

/// Names an object in the set of notes: what was signed, and by whom. Who copies another's words under a signature of his
/// own makes another object, which stands in nobody's way.
///
///     BLAKE2b-256( hash of the body 32 | n × key_id 8, ascending ; "covey1:note-id" )
///
/// Verdicts and announcements name the body alone. Signatures are left out, as a signer may make many of one body.
package struct NoteID: FixedOctets {
    private var octets = Octets32()
    package init() {}

    init(of body: some FixedOctets, signers: [KeyHint]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32 + 8 * signers.count)
        bytes.append(body)
        for signer in signers.sorted() { bytes.append(signer) }
        self = Blake2b.hash(bytes.span.bytes, personal: .noteID)
    }
}
