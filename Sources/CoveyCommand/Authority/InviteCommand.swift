import ArgumentParser
import CoveyCore
import CoveyCrypto

struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Invite a person to enrol one device.")

    @Argument(help: "What the device will be called; every member sees it.")
    var label: String

    @Option(help: "Days that the invitation is open, at most 7.")
    var days: Int = 7

    @OptionGroup var output: ObjectOutput
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Invited: Answer {
        let file: String?
        let image: String?
        let label: String
        let expires: String
        let done: String
        let next: String

        private enum CodingKeys: String, CodingKey { case file, image, label, expires }

        var text: String {
            """
            \(done): give it to \(label) in person, it holds a secret; open until \(expires)
            next, on the device: covey device request \(next) -o \(label).request
            """
        }
    }

    func run() throws {
        let label = try CanonicalName.of(label, "a label", most: Invitation.longestLabel)
        guard (1...7).contains(days) else { throw Complaint(.usage, "--days is \(days); it takes 1 to 7") }
        try output.check(answer)
        let directory = try authority.open()
        let now = CalendarText.now
        let book = directory.book
        guard !book.devices.contains(where: { $0.certificate.label == label && !$0.isRevoked }) else {
            throw Complaint(
                .failed, "there is a device called \(label) already; choose another label, or revoke that one")
        }
        guard try !directory.openInvitations(now: now).contains(where: { $0.label == label }) else {
            throw Complaint(
                .failed, "an invitation for \(label) is open already; choose another label, or wait until it expires")
        }
        let invitation = OpenInvitation(
            mesh: book.mesh, authority: book.id, label: label, now: now,
            expires: now.adding(Int64(days) * 1440), random: SystemRandom())
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
            expires: CalendarText.utc(invitation.invitation.expires), done: output.done,
            next: output.name(otherwise: "IMAGE.png")
        ).show(asJSON: answer.json)
        try output.codes.show(bytes, caption: "invitation of \(label)")
    }
}
