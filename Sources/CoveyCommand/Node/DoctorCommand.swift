import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "What is about to go wrong, and what to do about it.",
        discussion: """
            The exit status is 1 when something is urgent. With --authority it looks at a desk too, and needs no node.
            """)

    @Option(help: "An authority's directory: what waits there for other officers, or for the node.")
    var authority: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        var result: FindingsResult
        do {
            let client = try node.connect()
            result = try client.call(NodeExamine())
            result.findings += try NodeProgram(of: client).findings
            if let authority {
                let directory = try AuthorityDirectory(authority)
                let status = try client.call(NodeStatus())
                guard status.mesh.bytes == directory.book.mesh.array else {
                    throw Complaint(.usage, "the node is of another mesh than \(authority); name a node of the same")
                }
                result.findings += try Self.desk(directory) + (try Self.handover(directory, status, client))
                // A node beside which the authority works has said so itself.
                if !result.findings.contains(where: { $0.kind == Finding.Kind.epoch.rawValue }) {
                    result.findings += Self.epochDue(directory.book, held: status.epoch ?? 0)
                }
            }
        } catch let error as ControlClientError {
            guard case .noNode = error, let authority else { throw error }
            Output.note("no node answers: this is of the authority's directory alone")
            let directory = try AuthorityDirectory(authority)
            result = FindingsResult(findings: try Self.log(of: directory.book) + Self.desk(directory))
        }
        result.findings = result.findings.filter(\.isUrgent) + result.findings.filter { !$0.isUrgent }
        try NodeAnswer(result, Self.text).show(asJSON: output.json)
        let urgent = result.findings.count { $0.isUrgent }
        if urgent > 0 {
            throw Complaint(.failed, "\(urgent.counting("of these is", "of these are")) urgent; begin with the first")
        }
    }

    /// What a node would find in the same log.
    private static func log(of book: AuthorityBook) -> [FindingEntry] {
        let membership = book.membership
        let names = CommandNames(of: membership)
        let forks = book.openForks.map { Finding(of: $0, in: membership, names) }
        let undecided = Set(membership.undecidedNotes)
        let notes = book.notes.filter { $0.content.number > 0 && undecided.contains($0.hash) }
            .sorted { $0.hash < $1.hash }.map { Finding(undecided: $0, in: membership, names) }
        return AuthorityOptions.expiries(book, now: CalendarText.now) + epochDue(book, held: 0)
            + (forks + notes).map(FindingEntry.init)
    }

    /// - Parameter held: the epoch of the node that was asked, which may know of a newer one.
    private static func epochDue(_ book: AuthorityBook, held: UInt32) -> [FindingEntry] {
        let membership = book.membership
        // Releases have a log of their own, in which no key is announced.
        guard book.id != membership.releaseLog else { return [] }
        let newest = membership.select(held: membership.epochCommits).preferred?.number ?? 0
        guard held <= newest else { return [] }
        return [Finding(epochDueIn: membership, now: CalendarText.now)].compactMap { $0.map(FindingEntry.init) }
    }

    /// What only a desk knows: what was signed here and waits for other officers, and which keys it lacks.
    private static func desk(_ directory: AuthorityDirectory) throws -> [FindingEntry] {
        let book = directory.book
        var found: [FindingEntry] = []
        let dismissal = book.membership.dismissal(of: book.id)
        // Of an authority below one that was dismissed, what appointed it may not count any more.
        if !book.hasRight, dismissal == nil {
            found.append(
                FindingEntry(
                    // Who has asked waits for an answer.
                    kind: "authority", isUrgent: try AuthorityDirectory.asked(in: directory.path) == nil,
                    text: "\(directory.path) is no authority in the log that it holds: it can sign nothing",
                    advice: AuthorityBook.unknownAdvice))
        }
        if let dismissal {
            found.append(
                FindingEntry(
                    kind: "authority", isUrgent: true,
                    text: book.text(of: dismissal),
                    advice: AuthorityBook.dismissedAdvice))
        }
        if directory.lacksFollowingKeys {
            found.append(
                FindingEntry(
                    kind: "keys", isUrgent: true,
                    text:
                        "the authority has changed its keys, and the following ones are not here: this desk signs nothing",
                    advice: directory.followingKeysAdvice))
        } else if book.areKeysReplaced {
            found.append(
                FindingEntry(
                    kind: "keys", isUrgent: true,
                    text: "the keys in \(directory.path) were replaced: nobody takes what they sign",
                    advice: "work in the directory of the new ones, and destroy this one"))
        }
        if book.authority.signsAlone(), let epoch = book.lackedEpoch(now: CalendarText.now) {
            found.append(
                FindingEntry(
                    kind: "keys", isUrgent: false,
                    text: "the network key of epoch \(epoch), which members go by, is not in \(directory.path): "
                        + "nobody can be enrolled there",
                    advice: "announce a new one: \(AdvisedCommand.announceEpoch) --authority \(directory.path.word)"))
        }
        if let open = book.record.open(in: book.id) {
            found.append(
                FindingEntry(
                    kind: "draft", isUrgent: false,
                    text:
                        "a draft for place \(open.sequence) of the log, signed on \(CalendarText.utc(open.signed)), is "
                        + "not finished: nothing else can be signed there",
                    advice: "if it is complete elsewhere, import its log: covey authority import FILE --authority "
                        + "\(directory.path.word); else the other officers sign it (\(AdvisedCommand.cosign)), or, when "
                        + "nobody completed it and every copy is destroyed, \(AdvisedCommand.withdraw) --authority "
                        + "\(directory.path.word) --node SOCKET"))
        }
        let now = CalendarText.now
        return found + quotas(of: book, now) + (try invitations(at: directory, now))
    }

    /// Of this authority and of those below it.
    private static func quotas(of book: AuthorityBook, _ now: Minute) -> [FindingEntry] {
        let own = Set(book.membership.authoritiesUnder(book.id))
        return book.membership.authorityStandings(at: now).compactMap { standing in
            guard own.contains(standing.authority), [.live, .rotated].contains(standing.state),
                let most = standing.mostDevices, standing.liveDevices * 10 >= most * 9
            else { return nil }
            let label = standing.certificate?.content.label ?? ""
            return FindingEntry(
                kind: "quota", isUrgent: false,
                text: "authority \(label) has \(standing.liveDevices) of the \(most) devices that it may have"
                    + (standing.liveDevices < most ? "" : ", and can enrol no other"),
                advice: "revoke those that are not needed, or let the authority above add another one; "
                    + "covey authority list shows them all")
        }
    }

    /// Those that somebody may still wait with, and cannot much longer.
    private static func invitations(at directory: AuthorityDirectory, _ now: Minute) throws -> [FindingEntry] {
        try directory.openInvitations(now: now).compactMap { try directory.invitation($0.id) }.compactMap { open in
            let (label, expires) = (open.invitation.label, open.invitation.expires)
            let used = "\(open.claims.count) of \(open.uses) devices have used it"
            if open.isSpent, open.uses > 1 {
                return FindingEntry(
                    kind: "invitation", isUrgent: false,
                    text: "the invitation of \(label) is counted out: \(used), and not all are enrolled",
                    advice: "enrol those that asked; for others invite again: "
                        + "covey authority invite \(label.word) -o FILE")
            }
            guard !open.isSpent, expires <= now.adding(endsSoon) else { return nil }
            return FindingEntry(
                kind: "invitation", isUrgent: false,
                text: "the invitation of \(label) ends on \(CalendarText.utc(expires)): \(used)",
                advice: "let it be used before, or withdraw it and invite again: "
                    + "covey authority invitations --withdraw \(label.word)")
        }
    }

    /// Minutes before the end of an invitation from which it is said.
    private static let endsSoon: Int64 = 2 * 1440

    /// What one of them has of the authority's log, and the other has not.
    private static func handover(
        _ directory: AuthorityDirectory, _ status: StatusResult, _ client: ControlClient
    ) throws -> [FindingEntry] {
        let book = directory.book
        var found: [FindingEntry] = []
        let copy = try NodeCopy(at: client, beside: book)
        if copy.isAhead(of: book) {
            found.append(
                FindingEntry(
                    kind: "handover", isUrgent: book.authority.signsAlone(),
                    text: "\(directory.path) \(HandOver.lag(of: book)): the node has entries of this authority's own "
                        + "log that are not in it, and what it signs without them would be a second history",
                    advice: "sign nothing in it before it is up to date: \(HandOver.catchUp(directory.path))"))
        } else {
            let lead = copy.lead(over: book)
            if !lead.isEmpty {
                // A network key that does not cover a revocation is no new one, and one at a forked log is void.
                found.append(
                    FindingEntry(
                        kind: "handover", isUrgent: !lead.notes.isEmpty || copy.knowsFork(of: book),
                        text: "\(directory.path) lacks \(lead.text) that the node has",
                        advice: "commands with --node take them in; or: \(HandOver.importing(directory.path))"))
            }
        }
        let missing = copy.missing(of: book)
        func finding(_ count: Int, _ one: String, _ many: String, isUrgent: Bool) -> [FindingEntry] {
            guard count > 0 else { return [] }
            return [
                FindingEntry(
                    kind: "handover", isUrgent: isUrgent,
                    text: "the node lacks \(count.counting(one, many)) of the authority's log",
                    advice: "\(AdvisedCommand.writeLog), and \(AdvisedCommand.importLogWithKeys)")
            ]
        }
        let held = status.epoch ?? 0
        let best = book.membership.select(held: book.epochs.map(\.key.commit)).clean.first
        // Until a node has a revocation, the mesh takes the device for a member; until it has a key, nobody has.
        return found + finding(missing.notes.count, "revocation", "revocations", isUrgent: true)
            + finding(missing.entries.count, "entry", "entries", isUrgent: false)
            + (best.map(\.number).flatMap { $0 > held ? [key($0)] : nil } ?? [])
    }

    private static func key(_ epoch: UInt32) -> FindingEntry {
        FindingEntry(
            kind: "handover", isUrgent: true,
            text: "the node lacks the network key of epoch \(epoch), which is in the authority's directory",
            advice: "\(AdvisedCommand.writeLog), and \(AdvisedCommand.importLogWithKeys)")
    }

    private static func text(_ result: FindingsResult) -> String {
        guard !result.findings.isEmpty else { return "nothing needs looking after" }
        return result.findings.map { finding in
            "\(finding.isUrgent ? "urgent" : "soon  ")  \(Output.harmless(finding.text))\n"
                + "        \(Output.harmless(finding.advice))"
        }.joined(separator: "\n")
    }
}
