import CoveyCore
import CoveyCrypto
import CoveyNode

/// What an authority does with a request (protocol.md §1.6).
struct Enrolment {
    let certificate: DeviceCertificate
    /// What enrolled it. When that was before, and only the welcome is made again, this may never have left the house.
    let entries: [LogEntry]
    let isNew: Bool
    /// Of the device that was replaced.
    let notes: [RevokeNote]
    let epochs: [Welcome.Epoch]
    /// Sealed to the device.
    let welcome: [UInt8]

    /// Verifies, writes what is new to the authority's log, and only then seals the welcome: an entry that left the
    /// house but is not in our log would be a second history the next time we sign.
    static func sign(
        _ request: EnrolmentRequest, _ grant: Grant, replacing replaced: AuthorityBook.Device? = nil,
        in directory: AuthorityDirectory, random: any RandomSource, now: Minute
    ) throws -> Enrolment {
        let admitted = try admit(request, grant, in: directory, now: now)
        let (verified, grant) = (admitted.request, admitted.grant)
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
        var isNew = !entries.isEmpty
        if let replaced, !book.membership.isRevoked(replaced.id) {
            _ = try book.revoke(replaced, .superseded, since: nil, now: now)
            isNew = true
        }
        if isNew {
            try directory.keep(admitted.invitation)
            try directory.keep(book)
        } else {
            entries = book.enrolment(of: device)
        }
        let welcome = book.welcome(now: now)
        guard let certificate = book.membership.currentCertificate(device) else {
            preconditionFailure("the certificate that was just issued is in the log")
        }
        return Enrolment(
            certificate: certificate, entries: entries, isNew: isNew,
            notes: replaced.map { old in book.notes.filter { $0.device == old.id } } ?? [],
            epochs: book.epochs.filter { epoch in entries.contains { $0.id == epoch.entry } },
            welcome: try welcome.sealed(for: verified, random: random))
    }

    /// The certificate as a draft, where other officers must sign; nil where the desk signs alone, or the device is
    /// enrolled and waits for its welcome only.
    static func draft(
        _ request: EnrolmentRequest, _ grant: Grant, in directory: AuthorityDirectory, random: any RandomSource,
        now: Minute
    ) throws -> Draft? {
        var book = directory.book
        let device = request.deviceHash(in: book.mesh).deviceID
        guard book.membership.currentCertificate(device) == nil,
            !book.authority.signsAlone(granting: grant.capabilities)
        else { return nil }
        guard !book.epochs.isEmpty || book.authority.signsAlone() else {
            throw Complaint(
                .failed,
                "no network key is here to welcome a device with; announce one first, covey authority epoch, or enrol at the desk that did"
            )
        }
        let admitted = try admit(request, grant, in: directory, now: now)
        let draft = try book.draftIssue(admitted.request, admitted.grant, now: now, random: random)
        try directory.keep(admitted.invitation)
        return draft
    }

    /// Whether a device could be enrolled, before a person is asked about it.
    static func check(
        _ request: EnrolmentRequest, _ grant: Grant, in directory: AuthorityDirectory, now: Minute
    ) throws {
        _ = try admit(request, grant, in: directory, now: now)
    }

    /// A device without a key that members take finds nobody who speaks with it.
    static func checkKey(_ book: AuthorityBook, in path: String, now: Minute) throws {
        guard let epoch = book.lackedEpoch(now: now) else { return }
        let elsewhere = book.authority.signsAlone() ? "" : ", or enrol at the desk that has it"
        throw Complaint(
            .failed,
            "nobody can be enrolled here now: the network key of epoch \(epoch), which members go by, is not in \(path); announce a new one first: \(AdvisedCommand.announceEpoch) --authority \(path.word)\(elsewhere)"
        )
    }

    /// Who was invited, with a use of the invitation claimed for the device.
    private static func admit(
        _ request: EnrolmentRequest, _ grant: Grant, in directory: AuthorityDirectory, now: Minute
    ) throws -> (request: VerifiedRequest, grant: Grant, invitation: OpenInvitation) {
        guard var invitation = try directory.invitation(request.invitation) else {
            throw Complaint(
                .failed,
                "the invitation of this request was used, has expired, or is another authority's; make a new one")
        }
        try checkKey(directory.book, in: directory.path, now: now)
        let device = request.deviceHash(in: directory.book.mesh).deviceID
        // Whoever came in time is let in, however long the officers take to sign.
        let isLetIn = invitation.claims.contains(device)
        let verified = try invitation.verify(request, now: isLetIn ? min(now, invitation.invitation.expires) : now)
        guard let number = invitation.claim(device) else {
            throw Complaint(
                .failed, "the invitation of this request was used by \(invitation.uses) devices already; make a new one"
            )
        }
        var grant = grant
        // What was asked for, and agreed to, is granted.
        if invitation.invitation.asksConsent { grant.capabilities.insert(.orgOwned) }
        if number > 1 { grant.label = "\(request.label)-\(number)" }
        return (verified, grant, invitation)
    }

    /// Closes an invitation when nobody can need it any more.
    static func close(_ id: InvitationID, in directory: AuthorityDirectory) throws {
        guard let invitation = try directory.invitation(id), invitation.isSpent,
            invitation.claims.allSatisfy({ directory.book.membership.currentCertificate($0) != nil })
        else { return }
        try directory.discard(id)
    }
}
