import CoveyCore
import CoveyCrypto

/// What an authority does with a request (protocol.md §1.6).
struct Enrolment {
    let certificate: DeviceCertificate
    /// New in the log; none when the device was enrolled before, and only its welcome is made again.
    let entries: [LogEntry]
    let epochs: [Welcome.Epoch]
    /// Sealed to the device.
    let welcome: [UInt8]

    /// Verifies, writes what is new to the authority's log, and only then seals the welcome: an entry that left the
    /// house but is not in our log would be a second history the next time we sign.
    static func sign(
        _ request: EnrolmentRequest, _ grant: Grant, in directory: AuthorityDirectory,
        random: any RandomSource, now: Minute
    ) throws -> Enrolment {
        guard let invitation = try directory.invitation(request.invitation) else {
            throw Complaint(
                .failed,
                "the invitation of this request was used, has expired, or is another authority's; make a new one")
        }
        let verified = try invitation.verify(request, now: now)
        var book = directory.book
        let device = verified.deviceHash.deviceID
        guard !book.membership.isRevoked(device) else {
            throw Complaint(
                .failed, "this device was revoked; it needs new keys: make a new request in an empty --home")
        }
        var entries: [LogEntry] = []
        if book.membership.currentCertificate(device) == nil {
            entries.append(try book.issue(verified, grant, now: now, random: random))
        }
        // The first epoch begins with the first device. Later ones begin with a revocation.
        if book.epochs.isEmpty { entries.append(try book.announce(now: now, random: random)) }
        if !entries.isEmpty { try directory.keep(book) }
        let welcome = book.welcome(now: now)
        guard let certificate = book.membership.currentCertificate(device) else {
            preconditionFailure("the certificate that was just issued is in the log")
        }
        return Enrolment(
            certificate: certificate, entries: entries,
            epochs: book.epochs.filter { epoch in entries.contains { $0.id == epoch.entry } },
            welcome: try welcome.sealed(for: verified, random: random))
    }
}
