import ArgumentParser
import CoveyCore
import CoveyCrypto

/// The cold keys that are brought to one machine: all that must sign, or some of them.
struct ColdKeys: ParsableArguments {
    @Option(help: "A file of cold keys, as recovery.key; of several, each one's.")
    var key: [String]

    func recovery(of mesh: MeshID) throws -> ColdRecovery {
        let parts = try key.map { (path: $0, keys: try AuthorityDirectory.keyFile($0, of: mesh).current) }
        guard let first = parts.first else { throw Complaint(.usage, "name the cold keys with --key FILE") }
        var held: [SigningPrivateKey] = []
        for part in parts {
            guard part.keys.keyset == first.keys.keyset else {
                throw Complaint(.failed, "\(part.path) is of other keys than \(first.path)")
            }
            for key in part.keys.keys where !held.contains(where: { $0.publicKey == key.publicKey }) {
                held.append(key)
            }
        }
        return ColdRecovery(mesh: mesh, keys: SigningKeyset(first.keys.keyset, holding: held))
    }
}

struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Give an authority new keys by the cold ones, when its own are lost or stolen.",
        discussion: """
            Writes a directory for the authority with new keys. Who has the old ones signs nothing more that counts, as \
            soon as a device has heard of it. When stolen keys have forked the log, --branch names the last entry that \
            is to stand. Where fewer cold keys are here than must sign, it writes a draft: each holder signs it with covey \
            authority cosign --key FILE, and what comes out is imported into the new directory.
            """)

    @Argument(help: "Which authority: root, a label, or at least six digits of its id.")
    var name: String

    @OptionGroup var cold: ColdKeys

    @Option(help: "A folder with the mesh and the newest log: a directory of any authority of the mesh.")
    var from: String

    @OptionGroup var change: KeyChange

    @OptionGroup var act: LoggedAct

    private struct Recovered: Answer {
        let authority: String
        let directory: String
        let shared: Bool
        let handed: HandOver.Outcome

        var text: String {
            """
            \(directory) acts for authority \(LogText.short(authority)) with new keys
            \(handed.text)
            put the cold keys back where they were
            """ + (shared ? "\n" + HandOut.text(directory) : "")
        }
    }

    func run() throws {
        let path = try act.authority.path()
        try AuthorityDirectory.checkFree(path)
        let file = try act.file(otherwise: "recover.log")
        let shape = try change.shape()
        let now = CalendarText.now
        var book = try AuthorityDirectory.read(from, random: SystemRandom())
        let cold = try cold.recovery(of: book.mesh)
        let log = try book.log(named: name)
        let last = try change.last(of: log, in: book)
        let new = try book.newKeys(of: log, shape, random: SystemRandom())
        guard cold.keys.isSufficient else {
            let place = try HandOver.freeDraft(beside: file)
            let draft = try book.cosign(
                book.draftRecovery(log, branch: last, new: new, by: cold, now: now), now: now,
                others: cold.keys.keys + new.current.keys)
            let directory = try AuthorityDirectory.make(path, new, in: book)
            try directory.write(draft, directory.book, to: place).show(asJSON: act.answer.json)
            if new.isShared, !act.answer.json { try Output.line(HandOut.text(path)) }
            return
        }
        let entry = try book.recover(log, branch: last, new: new, by: cold, now: now)
        let directory = try AuthorityDirectory.make(path, new, in: book)
        try act.hand.over([entry.signed], of: directory, file: file, act.answer) {
            Recovered(authority: log.hex, directory: path, shared: new.isShared, handed: $0)
        }
    }
}

struct RecoverForkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover-fork", abstract: "Say by the cold keys which branch of a forked log stands.",
        discussion: """
            The authority keeps its keys: that is right when it forked by mistake, as after putting back an old copy of \
            its directory. Stolen keys are replaced with covey authority recover. Where fewer cold keys are here than must \
            sign, it writes a draft: each holder signs it with covey authority cosign --key FILE.
            """)

    @Argument(help: "Whose log: root, a label, or at least six digits of its id.")
    var name: String

    @Option(help: "The last entry that is to stand, by at least six digits of its id.")
    var branch: String

    @OptionGroup var cold: ColdKeys

    @Flag(help: "Drop what comes after without asking.")
    var yes = false

    @OptionGroup var act: LoggedAct

    private struct Decided: Answer {
        let log: String
        let branch: String
        let handed: HandOver.Outcome

        var text: String {
            "of log \(LogText.short(log)) the branch of entry \(LogText.short(branch)) stands\n\(handed.text)"
        }
    }

    func run() throws {
        let directory = try act.authority.open()
        let file = try act.file(otherwise: "recover-fork.log")
        let book = directory.book
        let log = try book.log(named: name)
        let last = try book.entry(named: branch, of: log)
        if let decided = book.decision(of: log, after: last) {
            throw Complaint(
                .failed,
                "the cold keys said so already, on \(CalendarText.utc(decided.time)), and it stands; what was signed is written with: covey authority log -o FILE"
            )
        }
        let cold = try cold.recovery(of: book.mesh)
        try Confirmation.ask(
            DraftText.lines(dropping: log, after: last, of: book), "Is this what is to stand?", yes: yes)
        try act.perform(
            at: directory, file: file, isAlone: cold.keys.isSufficient, cosigning: cold.keys.keys,
            draft: { book, now in try book.draftRecovery(log, branch: last, new: nil, by: cold, now: now) },
            sign: { book, now in [try book.recover(log, branch: last, new: nil, by: cold, now: now)] },
            said: { Decided(log: log.hex, branch: last.hex, handed: $0.handed) })
    }
}
