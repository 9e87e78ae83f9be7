import CoveyContact
package import CoveyCore
package import CoveyReport
import CoveySimulator

/// What went over each kind of link, and what reconciliation cost in each window.
///
/// A window is a time in which two hosts reach each other that began or ended during the run. What always stood is none.
package struct WireBook: Sendable {
    /// The most that one window's reconciliation took.
    package struct Window: Hashable, Sendable {
        package var bytes: UInt64
        package var a: UInt32
        package var b: UInt32
        /// Microseconds.
        package var from: UInt64
        package var to: UInt64
    }

    private struct Contact {
        var kind: Int
        var from: UInt64
        var bytes: UInt64 = 0
    }

    /// By kind of link; the last is for what was written while there was none any more.
    private var ledgers: [FrameLedger]
    /// By kind of link.
    private var windows: [Window?]
    private var open: [UInt64: Contact] = [:]

    init(kinds: Int) {
        ledgers = Array(repeating: FrameLedger(), count: kinds + 1)
        windows = Array(repeating: nil, count: kinds)
    }

    private static func key(_ a: UInt32, _ b: UInt32) -> UInt64 { UInt64(min(a, b)) << 32 | UInt64(max(a, b)) }

    // MARK: Writing

    /// The kind of link that two hosts now have, nil for none.
    mutating func reach(_ a: UInt32, _ b: UInt32, _ kind: Int?, at time: UInt64) {
        let key = Self.key(a, b)
        if let before = open[key], before.kind != kind { close(before, key, at: time, isEnd: false) }
        guard let kind, open[key]?.kind != kind else { return }
        open[key] = Contact(kind: kind, from: time)
    }

    mutating func kind(_ a: UInt32, _ b: UInt32) -> Int? { open[Self.key(a, b)]?.kind }

    mutating func add(_ row: Int, count: Int, bytes: Int, _ a: UInt32, _ b: UInt32) {
        let key = Self.key(a, b)
        ledgers[open[key]?.kind ?? windows.count].add(row, count: count, bytes: bytes)
        if FrameLedger.reconciliation.contains(row) { open[key]?.bytes += UInt64(bytes) }
    }

    mutating func end(at time: UInt64) {
        for (key, contact) in open.sorted(by: { $0.key < $1.key }) { close(contact, key, at: time, isEnd: true) }
    }

    private mutating func close(_ contact: Contact, _ key: UInt64, at time: UInt64, isEnd: Bool) {
        open[key] = nil
        // It stood before the run and after it.
        if isEnd, contact.from == 0 { return }
        let most = windows[contact.kind]
        if most == nil || contact.bytes > most?.bytes ?? 0 {
            windows[contact.kind] = Window(
                bytes: contact.bytes, a: UInt32(truncatingIfNeeded: key >> 32), b: UInt32(truncatingIfNeeded: key),
                from: contact.from, to: time)
        }
    }

    // MARK: Reading

    /// - Parameter kind: nil: all kinds of link together.
    private func bytes(_ kind: Int?, _ isCounted: (Int) -> Bool) -> UInt64 {
        let ledgers = kind.map { [self.ledgers[$0]] } ?? self.ledgers
        return ledgers.reduce(0) { sum, ledger in
            sum + ledger.bytes.enumerated().reduce(0) { isCounted($1.offset) ? $0 + UInt64($1.element) : $0 }
        }
    }

    package func all(over kind: Int?) -> UInt64 { bytes(kind) { _ in true } }

    /// DATA frames of a priority.
    package func mail(_ priority: Priority, over kind: Int?) -> UInt64 {
        let row = FrameLedger.mail.lowerBound + Int(priority.rawValue)
        return bytes(kind) { $0 == row }
    }

    /// All that is no DATA frame: other frames, handshakes, beacons, and what seals frames, those of mail too.
    package func control(over kind: Int?) -> UInt64 { bytes(kind) { !FrameLedger.isMail($0) } }

    package var reconciliation: UInt64 { bytes(nil, FrameLedger.reconciliation.contains) }

    /// The window that took most; nil when there was none.
    package func mostReconciliation(over kind: Int?) -> Window? {
        let some = kind.map { [windows[$0]] } ?? windows
        return some.compactMap(\.self).max { $0.bytes < $1.bytes }
    }

    package func bytesByLink(_ names: [String]) -> [Tally] {
        zip(names + ["no link any more"], ledgers).filter { $1.total > 0 }.map { name, ledger in
            Tally(name: name, count: UInt64(ledger.counts.reduce(0, +)), bytes: UInt64(ledger.total))
        }
    }
}
