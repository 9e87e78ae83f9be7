import ArgumentParser
import CoveyCore
import CoveyCrypto

struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Invite a person to enrol one device, or a counted number of them.")

    @Argument(help: "What the device will be called; every member sees it.")
    var label: String

    @Option(help: "Days that the invitation is open, at most 7.")
    var days: Int = 7

    @Option(help: "How many devices may enrol with it, 1 to 64; the second is called LABEL-2, and so on.")
    var uses: Int = 1

    @Option(help: "The device that the new one replaces, by label or id; it may have the same name.")
    var replaces: String?

    @Flag(
        help:
            "The device is the organisation's: its holder is asked to agree that it may be locked or erased from afar.")
    var orgOwned = false

    @OptionGroup var output: ObjectOutput
    @OptionGroup var nearby: NearbyOptions
    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Invited: Answer {
        let file: String?
        let image: String?
        let label: String
        let expires: String
        /// Where a desk waits for the device.
        let waiting: [String]?
        let uses: Int
        let done: String
        let next: String

        private enum CodingKeys: String, CodingKey { case file, image, label, expires, waiting, uses }

        var text: String {
            // Many devices of one name would write over each other's files on the way.
            let request = uses == 1 ? "\(label.fileName).request" : "\(label.fileName)-N.request"
            let way = waiting.map { "--nearby \($0.first ?? "HOST:PORT")" } ?? "-o \(request)"
            let each = uses == 1 ? "the device" : "each of \(uses) devices, with a number of its own for N"
            return """
                \(done): give it to \(label) in person, it holds a secret; open until \(expires)
                next, on \(each): covey device request \(next.word) \(way)
                """
        }
    }

    private struct Waiting: Answer {
        let label: String
        let waiting: [String]

        var text: String { "waiting for \(label) at \(waiting.joined(separator: ", "))" }
    }

    func run() throws {
        let label = try CanonicalName.of(label, "a label", most: Invitation.longestLabel)
        guard (1...7).contains(days) else { throw Complaint(.usage, "--days is \(days); it takes 1 to 7") }
        guard (1...OpenInvitation.mostUses).contains(uses) else {
            throw Complaint(.usage, "--uses is \(uses); it takes 1 to \(OpenInvitation.mostUses)")
        }
        guard uses == 1 || label.utf8.count <= Invitation.longestLabel - 3 else {
            throw Complaint(
                .usage, "the label of a counted invitation has at most 29 bytes, as a number is put behind it")
        }
        let desk = try nearby.place().map { try NearbyDesk(at: $0, interfaces: nearby.interfaces) }
        if desk != nil, let file = output.file { try hand.check(HandOver.free(HandOver.file(beside: file))) }
        let (invitation, known) = try open(label, desk)
        guard let desk else { return }
        try Waiting(label: label, waiting: desk.addresses).show(asJSON: answer.json)
        let log = HandOver.file(beside: output.file ?? LogText.short(invitation.id.hex))
        try desk.serve(
            invitation, replacing: replaces, knowing: known, authority: authority, hand: hand, log: log,
            asks: !nearby.yes,
            json: answer.json)
    }

    /// The directory is open in here only: other commands may work in it while a desk waits.
    private func open(_ label: String, _ desk: NearbyDesk?) throws -> (OpenInvitation, Membership) {
        let now = CalendarText.now
        // A desk may wait again for somebody who has the invitation already.
        if desk != nil, output.file == nil, !output.codes.areAsked {
            let directory = try authority.open()
            try checkAlone(directory.book)
            try hand.update(directory)
            let known = try directory.openInvitations(now: now).first { $0.label == label }
            if let known, let kept = try directory.invitation(known.id) {
                try checkLabel(label, kept.claims, directory.book)
                try directory.book.check(now)
                try Enrolment.checkKey(directory.book, in: directory.path, now: now)
                return (kept, directory.book.membership)
            }
        }
        try output.check(answer)
        let directory = try authority.open()
        if desk != nil {
            try checkAlone(directory.book)
            try hand.update(directory)
            try directory.book.check(now)
            try Enrolment.checkKey(directory.book, in: directory.path, now: now)
        }
        let book = directory.book
        // Else the device would ask in vain.
        try book.checkClock(now)
        try book.checkRight()
        try checkLabel(label, [], book)
        guard try !directory.openInvitations(now: now).contains(where: { $0.label == label }) else {
            throw Complaint(
                .failed,
                "an invitation for \(label) is open already; choose another label, or withdraw that one: covey authority invitations --withdraw \(label.word)"
            )
        }
        let invitation = OpenInvitation(
            mesh: book.mesh, authority: book.id, label: label,
            manifest: book.membership.releases.last.map { Octets32(copying: $0.entry.array.span.bytes) }, now: now,
            expires: now.adding(Int64(days) * 1440), uses: uses, asksConsent: orgOwned, random: SystemRandom())
        var content = invitation.invitation.bytes
        var bytes = CoveyFile(kind: .invitation, mesh: book.mesh, content: content).bytes
        defer {
            content.wipe()
            bytes.wipe()
        }
        try directory.keep(invitation)
        do {
            try output.write(bytes)
        } catch {
            try directory.discard(invitation.id)
            throw error
        }
        try Invited(
            file: output.file, image: output.codes.png, label: label,
            expires: CalendarText.utc(invitation.invitation.expires), waiting: desk?.addresses, uses: uses,
            done: output.done,
            next: output.name(otherwise: "IMAGE.png")
        ).show(asJSON: answer.json)
        try output.codes.show(bytes, caption: "invitation of \(label)")
        return (invitation, book.membership)
    }

    /// Two living devices of one label would come of it, unless the new one takes the other's place.
    ///
    /// - Parameter claims: devices that the invitation has let in: the label may be theirs.
    private func checkLabel(_ label: String, _ claims: [DeviceID], _ book: AuthorityBook) throws {
        let named = book.devices.filter { $0.certificate.label == label && !$0.isRevoked && !claims.contains($0.id) }
        if let replaces, claims.isEmpty || !named.isEmpty {
            let old = try book.device(named: replaces).id
            guard named.allSatisfy({ $0.id == old }) else {
                throw Complaint(
                    .failed,
                    "there is another device called \(label) besides \(replaces); choose another label, or revoke that one first"
                )
            }
            return
        }
        if let device = book.devices.first(where: { label.count >= 6 && $0.id.hex.hasPrefix(label.lowercased()) }) {
            throw Complaint(
                .failed,
                "\(label) is how the id of \(device.certificate.label) begins; choose another label, so that nobody takes one for the other"
            )
        }
        guard named.isEmpty else {
            throw Complaint(
                .failed,
                "there is a device called \(label) already; choose another label, revoke that one, or let the new one take its place: --replaces \(label.word)"
            )
        }
    }

    private func checkAlone(_ book: AuthorityBook) throws {
        guard book.authority.signsAlone() else {
            throw Complaint(
                .usage,
                "--nearby is for a desk that signs alone, and here other officers must sign; invite with -o FILE, and draft with covey authority sign"
            )
        }
    }
}
