import CoveyCore
import CoveyLink

/// Two entries of one sequence in the log of an authority whose key was stolen: neighbours are told one or the other.
final class Equivocation: Conduct {
    private let entries: (one: LogEntry, other: LogEntry)

    init(_ entries: (one: LogEntry, other: LogEntry)) { self.entries = entries }

    func opened(_ link: InsiderLink, of insider: Insider) {
        let entry = link.host.index % 2 == 0 ? entries.one : entries.other
        link.transport.sender.append(all: Frame.LogPut([entry.signed]))
    }
}
