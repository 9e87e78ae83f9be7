import ArgumentParser
import CoveyCore
import CoveyCrypto

struct RevokeAuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke-authority",
        abstract: "Take an authority below this one its rights, from an entry of its log on.",
        discussion: """
            What it granted up to that entry stays valid until it expires; its devices need no new keys. What it granted \
            later is void, here and in the logs below it. Without --last-good and --since everything that is known here \
            counts. A thief can date entries back: where it matters, give the number of the last entry that is surely its \
            own, from a copy of the log that is older than the theft. A new network key is announced with it; hand it to \
            your own node with covey log import FILE --authority DIR, or let another authority announce one.
            """)

    @Argument(help: "The authority, by label or by what begins its id.")
    var name: String

    @Option(help: "Why: \(Reason.words).")
    var reason: String

    @Option(help: "The number of the last entry of its log that counts; 0 voids all it granted.")
    var lastGood: UInt64?

    @Option(help: "What it and those below granted from then on is void, as 2026-11-21 or 2026-11-21T22:53:00Z.")
    var since: String?

    @Flag(help: "Sign it without asking.")
    var yes = false

    @OptionGroup var act: LoggedAct

    func run() throws {
        let reason = try Reason.parse(reason)
        let since = try since.map(Reason.since)
        guard lastGood == nil || since == nil else {
            throw Complaint(.usage, "--last-good and --since exclude each other; give one of them")
        }
        try act.run("revoke-authority.log", isTainting: true) { book, _ in
            let target = try book.authorityBelow(named: name) { book.membership.isAbove(book.id, $0) }
            if let lastGood {
                let known = book.entries.last { $0.log == target }?.sequence ?? 0
                guard lastGood <= known else {
                    throw Complaint(
                        .failed,
                        "--last-good is \(lastGood), and \(known) entries of its log are known here; import its log first: covey authority import FILE"
                    )
                }
            }
            let rows = book.membership.authoritiesUnder(target).map { log in
                let known = book.entries.filter { $0.log == log }
                let last = known.last { entry in since.map { entry.time < $0 } ?? true }?.sequence ?? 0
                return AuthorityRevocation.LastGood(log: log, sequence: log == target ? lastGood ?? last : last)
            }
            let payload = LogPayload.authorityRevoke(
                AuthorityRevocation(authority: target, reason: reason.rawValue, lastGood: rows))
            if book.authority.signsAlone() {
                try Confirmation.ask(DraftText.lines(payload, of: book.id, in: book.membership), "Sign this?", yes: yes)
            }
            return payload
        }
    }
}
