import CoveyCore
import CoveyLink

/// How far a peer says that its logs go. The list may take several LOG_HEADS; it is asked when it is whole.
struct PeerHeads {
    /// Ascending by log. Of a list beyond `Limits.heads` those of our own logs only: of others there is nothing to send.
    private(set) var rows: [Frame.LogHeads.Row] = []
    private var last: LogID?
    private(set) var isWhole = false

    mutating func take(_ frame: Frame.LogHeads, knows: (LogID) -> Bool) throws(LinkRefusal) {
        for row in frame.rows {
            guard last.map({ $0 < row.log }) ?? true else { throw .headsDescend }
            last = row.log
            if rows.count < Limits.heads || knows(row.log) { rows.append(row) }
        }
        isWhole = !frame.isContinued
    }

    /// 0 of a log that the peer does not name.
    func sequence(of log: LogID) -> UInt64 {
        let at = rows.partitioningIndex { $0.log >= log }
        return at < rows.count && rows[at].log == log ? rows[at].sequence : 0
    }
}
