package import CoveyCore
import CoveyCrypto

/// How many strangers may knock, and how often (protocol.md §2.3). Told the time and the address of each.
///
/// Half-open counts from the accepted connection. A handshake counts as unfinished from the moment message 2 is sent,
/// which shows a certificate, until a valid message 3: so somebody with an old key cannot ask for many, and somebody with
/// none, and no recording of the last two hours, uses up nothing. Programs of one machine share its loopback address, so
/// there the port tells them apart.
package struct HandshakeBudget: Sendable {
    package struct Ticket: Hashable, Sendable { fileprivate let number: UInt64 }

    package enum Refusal: Error, Hashable, Sendable {
        case halfOpenFull
        /// This address has a handshake under way.
        case underWay
        case tooOften
        case unfinishedHere
        case unfinishedEverywhere
    }

    private struct Source: Hashable, Comparable {
        let host: Octets16
        let port: UInt16

        init(_ address: SocketAddress) {
            host = address.host
            port = address.isLoopback ? address.port : 0
        }

        static func < (left: Source, right: Source) -> Bool { (left.host, left.port) < (right.host, right.port) }
    }

    private struct HalfOpen {
        let ticket: Ticket
        let source: Source
        let deadline: UInt64
        var chargedAt: UInt64?
    }

    private struct Turned {
        let ticket: Ticket
        let source: Source
        let chargedAt: UInt64
    }

    private struct Record {
        var starts: [UInt64] = []
        var unfinished: [UInt64] = []
    }

    /// In the order of their deadlines.
    private var halfOpen: [HalfOpen] = []
    private var records: [Source: Record] = [:]
    private var unfinished: [UInt64] = []
    private var vouched: [UInt64] = []
    /// Answers of ours on connections that we dialled ourselves: they are not half open, and count as unfinished all the same.
    private var turned: [Turned] = []
    /// Unfinished ones whose callers showed who they are, and were refused. No more than count as unfinished.
    private var refused: [(device: DeviceID, source: Source, chargedAt: UInt64)] = []
    private var lastNumber: UInt64 = 0

    package init() {}

    package var halfOpenCount: Int { halfOpen.count }

    /// When the oldest half-open handshake is over.
    package var nextDeadline: UInt64? { halfOpen.first?.deadline }

    /// An accepted connection.
    package mutating func begin(from address: SocketAddress, now: UInt64) throws(Refusal) -> Ticket {
        let source = Source(address)
        guard halfOpen.count < LinkBounds.halfOpen else { throw .halfOpenFull }
        guard !halfOpen.contains(where: { $0.source == source }) else { throw .underWay }
        var record = current(source, now)
        guard record.starts.count < LinkBounds.handshakesPerMinute else { throw .tooOften }
        if records[source] == nil, records.count >= LinkBounds.addresses { makeRoom(now) }
        record.starts.append(now)
        records[source] = record
        let ticket = nextTicket()
        halfOpen.append(
            HalfOpen(ticket: ticket, source: source, deadline: now + LinkBounds.handshakeDeadline, chargedAt: nil))
        return ticket
    }

    /// Asked before message 2 is sent.
    package mutating func answer(_ ticket: Ticket, now: UInt64) throws(Refusal) {
        guard let at = halfOpen.firstIndex(where: { $0.ticket == ticket }) else {
            preconditionFailure("a handshake is answered while it is half open")
        }
        precondition(halfOpen[at].chargedAt == nil, "a handshake is answered once")
        try charge(halfOpen[at].source, now)
        halfOpen[at].chargedAt = now
    }

    /// Asked before message 2 is sent on a connection that we dialled, as the other side turned the roles.
    package mutating func answerTurned(to address: SocketAddress, now: UInt64) throws(Refusal) -> Ticket {
        let source = Source(address)
        try charge(source, now)
        let ticket = nextTicket()
        turned.append(Turned(ticket: ticket, source: source, chargedAt: now))
        return ticket
    }

    private mutating func charge(_ source: Source, _ now: UInt64) throws(Refusal) {
        unfinished.removeAll { now - $0 >= LinkBounds.hour }
        guard unfinished.count < LinkBounds.unfinishedPerHour else { throw .unfinishedEverywhere }
        var record = current(source, now)
        guard record.unfinished.count < LinkBounds.unfinishedPerAddressAndHour else { throw .unfinishedHere }
        if records[source] == nil, records.count >= LinkBounds.addresses { makeRoom(now) }
        record.unfinished.append(now)
        records[source] = record
        unfinished.append(now)
    }

    private mutating func nextTicket() -> Ticket {
        lastNumber += 1
        return Ticket(number: lastNumber)
    }

    /// Asked for `FirstAnswer.respondCounted`; true at most four times an hour.
    package mutating func answerVouched(now: UInt64) -> Bool {
        vouched.removeAll { now - $0 >= LinkBounds.hour }
        guard vouched.count < LinkBounds.vouchedAnswersPerHour else { return false }
        vouched.append(now)
        return true
    }

    /// A valid message 3 came.
    package mutating func complete(_ ticket: Ticket) {
        if let (time, source) = charged(ticket) { giveBack(time, source) }
        abandon(ticket)
    }

    /// A message 3 came of a device that our log names, and whose certificate does not count as things stand.
    package mutating func refuse(_ ticket: Ticket, of device: DeviceID, now: UInt64) {
        refused.removeAll { now - $0.chargedAt >= LinkBounds.hour }
        guard let (time, source) = charged(ticket) else { return }
        refused.append((device, source, time))
    }

    /// When and to whom message 2 was sent.
    private func charged(_ ticket: Ticket) -> (UInt64, Source)? {
        if let done = halfOpen.first(where: { $0.ticket == ticket }) { return done.chargedAt.map { ($0, done.source) } }
        return turned.first { $0.ticket == ticket }.map { ($0.chargedAt, $0.source) }
    }

    /// Devices that were refused within the hour, ascending.
    package var refusedDevices: [DeviceID] { Set(refused.map(\.device)).sorted() }

    /// What a device was refused for is over: its handshakes count as finished.
    package mutating func forgive(_ device: DeviceID) {
        for done in refused where done.device == device { giveBack(done.chargedAt, done.source) }
        refused.removeAll { $0.device == device }
    }

    private mutating func giveBack(_ time: UInt64, _ source: Source) {
        if let at = unfinished.firstIndex(of: time) { unfinished.remove(at: at) }
        if let at = records[source]?.unfinished.firstIndex(of: time) { records[source]?.unfinished.remove(at: at) }
    }

    /// The connection closed, was refused, or the roles were turned and this side is no longer waiting.
    package mutating func abandon(_ ticket: Ticket) {
        halfOpen.removeAll { $0.ticket == ticket }
        turned.removeAll { $0.ticket == ticket }
    }

    /// Handshakes whose time is over, oldest first; they are no longer half open.
    package mutating func overdue(now: UInt64) -> [Ticket] {
        let late = halfOpen.prefix { $0.deadline <= now }.map(\.ticket)
        halfOpen.removeFirst(late.count)
        return late
    }

    private func current(_ source: Source, _ now: UInt64) -> Record {
        var record = records[source] ?? Record()
        record.starts.removeAll { now - $0 >= LinkBounds.minute }
        record.unfinished.removeAll { now - $0 >= LinkBounds.hour }
        return record
    }

    /// Forgets addresses that count for nothing any more. If all do, half of those that have shown nothing worse than a
    /// connection go, the ones quiet for longest: a flood of addresses costs a sort now and then, not at each knock.
    private mutating func makeRoom(_ now: UInt64) {
        records = records.filter {
            let record = current($0.key, now)
            return !record.starts.isEmpty || !record.unfinished.isEmpty
        }
        guard records.count >= LinkBounds.addresses else { return }
        let quiet = records.filter { $0.value.unfinished.isEmpty }
            .map { (last: $0.value.starts.last ?? 0, source: $0.key) }
            .sorted { ($0.last, $0.source) < ($1.last, $1.source) }
        precondition(!quiet.isEmpty, "fewer handshakes go unfinished in an hour than addresses are remembered")
        for entry in quiet.prefix((quiet.count + 1) / 2) { records[entry.source] = nil }
    }
}
