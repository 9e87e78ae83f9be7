import ArgumentParser
import CoveyCore

/// New keys for an authority from above it, and where its log ends for them.
struct KeyChange: ParsableArguments {
    @Option(help: "The last entry that is to stand, by at least six digits of its id; the end of the log without it.")
    var branch: String?

    @Option(help: "New keys, as 2of3: two of three must sign; as many as before without it.")
    var keys: String?

    @Flag(help: "With --branch: drop what comes after without asking.")
    var yes = false

    func shape() throws -> KeysetShape? {
        try keys.map { try FoundingKeys.shape($0, "--keys", mayBeKeptTogether: true) }
    }

    /// The entry that --branch names, once a person has seen what is dropped.
    func last(of log: LogID, in book: AuthorityBook) throws -> EntryID? {
        guard let branch else { return nil }
        let last = try book.entry(named: branch, of: log)
        try Confirmation.ask(
            DraftText.lines(dropping: log, after: last, of: book), "Is this what is to stand?", yes: yes)
        return last
    }
}
