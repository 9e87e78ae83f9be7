import CoveyConversation
import CoveyCore
import CoveyCrypto

/// Objects in canonical encoding. The input is the body; what is signed over it is not looked at when parsing.
enum ObjectEntries {
    private static let mesh = MeshID(prefixOf: Octets32())
    private static let key = SigningPrivateKey(from: SeededRandom(seed: 1))

    /// A body with one signature of no worth.
    private static func unverified(_ body: [UInt8]) -> Signed? {
        guard body.count <= 0xFFFF else { return nil }
        var bytes: [UInt8] = []
        bytes.append(u16: UInt16(body.count))
        bytes += body + [1, 1] + [UInt8](repeating: 0, count: 72)
        guard let signed = try? Signed(parsing: bytes) else { preconditionFailure("one signature is enough") }
        precondition(signed.body == body, "the body is what stands before the signatures")
        return signed
    }

    static func signed(_ input: [UInt8]) {
        guard let signed = try? Signed(parsing: input) else { return }
        var again: [UInt8] = []
        again.append(u16: UInt16(signed.body.count))
        again += signed.body
        again.append(UInt8(signed.attestations.count))
        for attestation in signed.attestations {
            again.append(1)
            again.append(attestation.hint)
            again.append(attestation.signature)
        }
        precondition(again == input && signed.bytes == input, "a signed object has one form")
        precondition(signed.signers(among: [key.publicKey], type: .object(.logEntry), mesh: mesh) == nil)
    }

    /// Certificates of devices and authorities, geneses, suspensions: whichever it is.
    static func certificate(_ input: [UInt8]) {
        guard let signed = unverified(input) else { return }
        if let device = try? DeviceCertificate(parsing: signed, mesh: mesh) {
            let again = try? DeviceCertificate.make(device.content, mesh: mesh, keys: [key])
            precondition(again?.content == device.content, "what a certificate says can be written again")
        }
        if let authority = try? AuthorityCertificate(parsing: signed) {
            let again = try? AuthorityCertificate.make(authority.content, mesh: mesh, keys: [key])
            precondition(again?.content == authority.content, "what a certificate says can be written again")
        }
        if let genesis = try? Genesis(parsing: signed) {
            precondition(!genesis.verify(), "nobody signed it")
        }
        if let suspend = try? Suspend(parsing: signed) { precondition(suspend.issued <= suspend.until) }
    }

    static func entry(_ input: [UInt8]) {
        guard let signed = unverified(input), let entry = try? LogEntry(parsing: signed, mesh: mesh) else { return }
        let again = try? LogEntry.make(
            log: entry.log, sequence: entry.sequence, previous: entry.previous, time: entry.time,
            payload: entry.payload, mesh: mesh, keys: [key])
        precondition(again?.payload == entry.payload, "what an entry says can be written again")
    }

    static func note(_ input: [UInt8]) {
        guard let signed = unverified(input), let note = try? RevokeNote(parsing: signed) else { return }
        let again = RevokeNote.make(note.content, mesh: mesh, keys: [key])
        precondition(again.content == note.content, "what a note says can be written again")
    }

    static func bundle(_ input: [UInt8]) {
        guard input.count <= 0xFFFF else { return }
        let signed = Signed(input, type: .object(.bundle), mesh: mesh, keys: [key])
        guard let bundle = try? Bundle(parsing: signed.bytes) else { return }
        let owner = BundleOwner(device: bundle.device, serial: bundle.serial, signing: key.publicKey)
        for now in [bundle.created, bundle.expires, Minute(0), Minute(.max)] {
            guard let verified = try? bundle.verified(of: owner, mesh: mesh, now: now) else { continue }
            precondition(now < bundle.expires, "a bundle that has expired is not used")
            precondition(verified.standing(beside: verified) == .known)
        }
    }

    static func plaintext(_ input: [UInt8]) {
        guard let (plaintext, purge) = try? Plaintext.parse(input) else { return }
        let bytes = plaintext.encoded(purge: purge)
        guard let again = try? Plaintext.parse(bytes) else { preconditionFailure("what we write, we can read") }
        precondition(again.plaintext == plaintext && again.purge == purge, "a message says the same when written again")
    }

    static func invitation(_ input: [UInt8]) {
        guard let invitation = try? Invitation(parsing: input) else { return }
        let bytes = invitation.bytes
        precondition((try? Invitation(parsing: bytes))?.bytes == bytes, "what we write, we can read")
        precondition(bytes.count <= input.count, "only fields we do not know are left out")
    }

    static func coveyfile(_ input: [UInt8]) {
        guard let file = try? CoveyFile(parsing: input) else { return }
        precondition(file.bytes == input, "a file has one form")
        if let (draft, basis) = try? Draft.read(file, of: file.mesh) {
            precondition(basis.count <= Draft.Bounds.basis, "what travels along is bounded")
            let again = try? Draft(parsing: draft.bytes, mesh: file.mesh)
            precondition(again?.bytes == draft.bytes, "a draft has one form")
        }
        if file.kind == .authorityRequest, let request = try? AuthorityRequest(parsing: file.content) {
            precondition(request.shortString.utf8.count == 29, "there are 25 digits in five groups")
        }
        guard let log = try? file.log(of: file.mesh) else { return }
        precondition(CoveyFile.log(log, mesh: file.mesh) == file, "a log file has one form")
    }

    /// What is kept in files of one's own: a copy may be damaged.
    static func keyfile(_ input: [UInt8]) {
        let span = input.span.bytes
        if let identity = try? DeviceIdentity(parsing: span) { precondition(identity.bytes == input) }
        if let keys = try? AuthorityKeys(parsing: span) { precondition(keys.bytes == input) }
        if let pending = try? PendingEnrolment(parsing: span) { precondition(pending.bytes.count <= input.count) }
        if let open = try? OpenInvitation(parsing: span) { precondition(open.bytes.count <= input.count) }
    }
}
