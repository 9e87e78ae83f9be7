import ArgumentParser
import CoveyCore
import CoveyCrypto

struct InvitationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invitations", abstract: "Show the open invitations of this desk, or withdraw one.",
        discussion: """
            An invitation that is withdrawn enrols nobody any more, nor does it give a device another welcome that has used \
            it. Whoever was enrolled with it stays a member.
            """)

    @Option(help: "Withdraw the invitation of this label.")
    var withdraw: String?

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Open: Encodable {
        let label: String
        let id: String
        let expires: String
        let uses: Int
        /// Devices that asked with it.
        let devices: [String]

        init(_ kept: OpenInvitation) {
            label = kept.invitation.label
            id = kept.id.hex
            expires = CalendarText.utc(kept.invitation.expires)
            uses = kept.uses
            devices = kept.claims.map(\.hex)
        }
    }

    private struct Listed: Answer {
        let invitations: [Open]

        var text: String {
            guard !invitations.isEmpty else { return "no invitation is open" }
            return Columns.text(
                invitations.map { [$0.label, "until \($0.expires)", "\($0.devices.count) of \($0.uses) used"] })
        }
    }

    private struct Withdrawn: Answer {
        let withdrawn: Open

        var text: String { "withdrew the invitation of \(withdrawn.label)" }
    }

    func run() throws {
        let directory = try authority.open(isSigning: false)
        let open = try directory.openInvitations(now: CalendarText.now).compactMap { try directory.invitation($0.id) }
        guard let withdraw else {
            return try Listed(invitations: open.map(Open.init)).show(asJSON: answer.json)
        }
        guard let kept = open.first(where: { $0.invitation.label == withdraw }) else {
            throw Complaint(
                .failed, "no invitation of \(withdraw) is open; covey authority invitations shows those that are")
        }
        try directory.discard(kept.id)
        try Withdrawn(withdrawn: Open(kept)).show(asJSON: answer.json)
    }
}
