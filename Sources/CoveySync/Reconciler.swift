package import CoveyCore
import CoveyCrypto

/// What two clocks make of a session: the same on both sides once HELLOs are exchanged.
package struct SyncClock: Hashable, Sendable {
    /// The hour of the later clock and two more: what expires before takes no part.
    package var floor: Hour
    /// The hour of the earlier clock: where SUMMARY's buckets begin.
    package var origin: Hour

    package init(own: Minute, peer: Minute?) {
        let peer = peer ?? own
        floor = max(own, peer).hour.adding(2)
        origin = min(own, peer).hour
    }
}

package enum SyncStep: Hashable, Sendable {
    case send(SyncFrame)
    /// The peer lacks these, and we hold them. In (slot, id) order.
    case push([ItemID])
    /// The peer has these, and we lack them.
    case want([ShortID])
    case finished(SyncOutcome)
}

package enum SyncOutcome: Hashable, Sendable {
    /// The sets were compared, and are the same.
    case equal
    /// Each has what the other could give; compared without the ghosts that only one knows.
    case complete
    /// All is handed over; the peer compares, and comes back if it finds a difference.
    case unchecked
    /// Not the same after the last round: sets that changed meanwhile, or a peer at fault.
    case different
}

/// The two ends of a link, and its salts: once for all sets.
package final class SyncEnds: Sendable {
    let own: DeviceID
    let peer: DeviceID
    let salts: Salts

    package init(own: DeviceID, peer: DeviceID, salts: Salts) {
        precondition(own != peer, "a link has two ends")
        self.own = own
        self.peer = peer
        self.salts = salts
    }
}

/// Makes one set equal with one peer over one link: finds what each lacks (sync-routing.md §2.3).
///
///     DIGEST  both ways ─ equal: done
///     SUMMARY both ways ─ buckets where one side has nothing: the other pushes, no further byte
///     RECON   the side with fewer items speaks; batches in turn, until one asks nothing more
///     RECON_DONE by who answered last, then by the other, each after its pushes are acked and its wants are in
///     RECON   again under another salt, by who got the second RECON_DONE, when the sets still differ
///
/// Every answer is made from the set as it is, and from nothing else the peer said but counts, which bound what it may
/// cost. A run that breaks off is begun anew. Equal is only ever said of two fingerprints that were compared.
package struct Reconciler: Sendable {
    package let namespace: Namespace
    private let ends: SyncEnds
    private var phase = Phase.idle
    /// Of the last DIGEST exchange; nil before the first.
    private var floor: Hour?
    private var lastFrame: UInt64 = 0
    private var lastSummary: UInt64?
    private var runs: UInt16 = 0

    /// What a run needs lies apart, as most links are at rest.
    private enum Phase {
        case idle
        case digested
        indirect case summarising(Opening)
        indirect case exchanging(Exchange)
        /// Both sides said done. Kept for late WANTs, and for a round that the peer begins.
        indirect case closed(Exchange)
    }

    private struct Opening {
        var ours: Summary?
        var theirs: Summary?
        var isRepeated = false
    }

    package init(_ namespace: Namespace, between ends: SyncEnds) {
        self.namespace = namespace
        self.ends = ends
    }

    package init(namespace: Namespace, own: DeviceID, peer: DeviceID, salts: Salts) {
        self.init(namespace, between: SyncEnds(own: own, peer: peer, salts: salts))
    }

    private var own: DeviceID { ends.own }
    private var peer: DeviceID { ends.peer }
    private var salts: Salts { ends.salts }

    /// Begins a run with a DIGEST, for HELLO or alone. Empty while a run is under way.
    /// - Parameter now: microseconds of uptime.
    package mutating func start(set: inout KnownSet, clock: SyncClock, now: UInt64) -> [SyncStep] {
        precondition(set.namespace == namespace, "the set is the session's")
        if isBusy, now < lastFrame + Limits.silence { return [] }
        phase = .digested
        lastFrame = now
        return [.send(.digest(digest(set, ownFloor(clock))))]
    }

    /// Between a DIGEST and the end of its run.
    package var isBusy: Bool {
        switch phase {
        case .idle, .closed: false
        case .digested, .summarising, .exchanging: true
        }
    }

    /// Whether the run waits for `settled`: for our pushes to be acked, and our wants to come in.
    package var awaitsTransfers: Bool {
        guard case .exchanging(let exchange) = phase else { return false }
        return exchange.mayClose && exchange.hasTransfers
    }

    /// When `due` wants to be called, in microseconds of uptime.
    package var deadline: UInt64? {
        guard case .summarising(let opening) = phase, opening.ours == nil, let lastSummary else { return nil }
        return lastSummary + Limits.summaryInterval
    }

    package mutating func receive(
        _ frame: SyncFrame, set: inout KnownSet, clock: SyncClock, now: UInt64
    ) throws(SyncFault) -> [SyncStep] {
        precondition(set.namespace == namespace, "the set is the session's")
        guard frame.namespace == namespace else { throw .namespace }
        let isQuiet = now >= lastFrame + Limits.silence
        lastFrame = now
        switch frame {
        case .digest(let digest): return receive(digest, &set, clock, now, isQuiet)
        case .summary(let summary): return try receive(summary, &set, clock, now)
        case .recon(let recon): return try receive(recon, &set)
        case .done(let done): return receive(done, &set)
        }
    }

    /// To be called at `deadline`.
    package mutating func due(set: inout KnownSet, clock: SyncClock, now: UInt64) -> [SyncStep] {
        guard case .summarising(var opening) = phase, let floor else { return [] }
        var steps: [SyncStep] = []
        summarise(&opening, &set, floor, clock, now, &steps)
        advance(opening, &set, floor, &steps)
        return steps
    }

    /// All pushes of this run are acked, all wants are in or will not come. Empty when the run does not wait for it.
    package mutating func settled(set: inout KnownSet) -> [SyncStep] {
        guard case .exchanging(var exchange) = phase, exchange.mayClose else { return [] }
        var steps: [SyncStep] = []
        close(&exchange, &set, &steps)
        return steps
    }

    /// The ids behind a WANT; nil for one that was not listed, or is not held any more. Only what was listed is looked at.
    package mutating func resolve(_ wanted: [ShortID], set: inout KnownSet) -> [ItemID?] {
        switch phase {
        case .idle, .digested, .summarising: return wanted.map { _ in nil }
        case .exchanging(var exchange):
            defer { phase = .exchanging(exchange) }
            return exchange.resolve(wanted, &set)
        case .closed(var exchange):
            defer { phase = .closed(exchange) }
            return exchange.resolve(wanted, &set)
        }
    }
}

// MARK: DIGEST and SUMMARY

extension Reconciler {
    /// Notes and bundles are compared whole.
    private func ownFloor(_ clock: SyncClock) -> Hour {
        namespace == .notes || namespace == .bundles ? Hour(0) : clock.floor
    }

    private func digest(_ set: KnownSet, _ floor: Hour) -> Digest {
        let aggregate = set.aggregate(floor: floor)
        return Digest(
            namespace: namespace, floor: floor, count: aggregate.count,
            fingerprint: salts.first.fingerprint(of: aggregate))
    }

    private mutating func receive(
        _ theirs: Digest, _ set: inout KnownSet, _ clock: SyncClock, _ now: UInt64, _ isQuiet: Bool
    ) -> [SyncStep] {
        var steps: [SyncStep] = []
        let ownFloor = ownFloor(clock)
        switch phase {
        case .digested: break
        // It crossed ours, or is said twice. Answering each would never end; a run that hangs is answered.
        case .summarising where !isQuiet: return []
        case .idle, .summarising, .exchanging, .closed: steps.append(.send(.digest(digest(set, ownFloor))))
        }
        let floor = max(ownFloor, theirs.floor)
        self.floor = floor
        // Sets that are equal above a lower floor are equal above the higher one too.
        if digest(set, theirs.floor) == theirs {
            phase = .idle
            steps.append(.finished(.equal))
            return steps
        }
        var opening = Opening()
        summarise(&opening, &set, floor, clock, now, &steps)
        phase = .summarising(opening)
        return steps
    }

    private mutating func summarise(
        _ opening: inout Opening, _ set: inout KnownSet, _ floor: Hour, _ clock: SyncClock, _ now: UInt64,
        _ steps: inout [SyncStep]
    ) {
        guard opening.ours == nil else { return }
        if let lastSummary, now < lastSummary + Limits.summaryInterval { return }
        lastSummary = now
        let origin = min(clock.origin, opening.theirs?.origin ?? clock.origin)
        let summary = Summary(of: &set, origin: origin, floor: floor, salt: salts.first)
        opening.ours = summary
        steps.append(.send(.summary(summary)))
    }

    private mutating func receive(
        _ theirs: Summary, _ set: inout KnownSet, _ clock: SyncClock, _ now: UInt64
    ) throws(SyncFault) -> [SyncStep] {
        guard let floor else { throw .order }
        var steps: [SyncStep] = []
        var opening: Opening
        switch phase {
        // The peer found a difference where we found none; a DIGEST of ours on its way it will not answer now.
        case .idle, .digested: opening = Opening()
        case .summarising(let begun): opening = begun
        // Of a run that has got further.
        case .exchanging, .closed: return []
        }
        if let ours = opening.ours, theirs.origin < ours.origin {
            // The earlier clock counts; a peer may correct us once.
            guard !opening.isRepeated else { throw .order }
            opening.isRepeated = true
            let summary = Summary(of: &set, origin: theirs.origin, floor: floor, salt: salts.first)
            opening.ours = summary
            steps.append(.send(.summary(summary)))
        }
        opening.theirs = theirs
        summarise(&opening, &set, floor, clock, now, &steps)
        advance(opening, &set, floor, &steps)
        return steps
    }

    /// With both SUMMARYs over the same hours, both sides know the same, and who speaks.
    private mutating func advance(
        _ opening: Opening, _ set: inout KnownSet, _ floor: Hour, _ steps: inout [SyncStep]
    ) {
        guard let ours = opening.ours, let theirs = opening.theirs, ours.origin == theirs.origin else {
            phase = .summarising(opening)
            return
        }
        let unequal = (0..<Summary.buckets).reversed().filter { ours.buckets[$0] != theirs.buckets[$0] }
        guard !unequal.isEmpty else {
            phase = .idle
            steps.append(.finished(.equal))
            return
        }
        runs = (runs + 1) & 0x3FFF
        var exchange = Exchange(
            session: SessionID(run: runs, round: 0), view: view(round: 0, floor), ours: set.count,
            theirs: theirs.buckets.reduce(0) { $0 + Int($1.count) })
        var both: [Int] = []
        for bucket in unequal {
            let range = Summary.range(bucket, origin: ours.origin)
            if theirs.buckets[bucket].count == 0 {
                exchange.push(range, &set, &steps)
            } else if ours.buckets[bucket].count > 0, !range.isEmpty {
                both.append(bucket)
            }
        }
        guard !both.isEmpty else {
            exchange.turn = own < peer ? .closesFirst : .closesSecond
            conclude(exchange, &set, &steps)
            return
        }
        let mine = both.reduce(0) { $0 + Int(ours.buckets[$1].count) }
        let other = both.reduce(0) { $0 + Int(theirs.buckets[$1].count) }
        guard mine != other ? mine < other : own < peer else {
            phase = .exchanging(exchange)
            return
        }
        let least = both.reduce(0) {
            $0 + Int(ours.buckets[$1].count.distance(to: theirs.buckets[$1].count).magnitude)
        }
        let distance = max(least, ours.tugOfWar.distance(to: theirs.tugOfWar))
        let listed = Self.listed(both, ours, theirs, distance: distance)
        var plan = RangePlan()
        for bucket in both {
            let range = Summary.range(bucket, origin: ours.origin)
            if ours.buckets[bucket].count <= Limits.leaf || listed.contains(bucket) {
                plan.list(range, of: &set, exchange.view)
            } else if theirs.buckets[bucket].count <= Limits.leaf {
                plan.fingerprint(range, ours.buckets[bucket].fingerprint)
            } else {
                plan.divide(range, of: &set, exchange.view)
            }
        }
        exchange.send(plan, namespace, &steps)
        phase = .exchanging(exchange)
    }

    /// The buckets worth listing whole, when the sets differ by about `distance` items.
    ///
    /// New buckets that could differ in everything are listed: that is what a split leaves behind, and costs little where it
    /// is wrong. The rest is listed when splitting would cost more. Splitting scattered differences costs about 140 bytes each
    /// for a factor of 16 between items and differences; a third of it when old buckets are equal, for then they lie together.
    private static func listed(_ buckets: [Int], _ ours: Summary, _ theirs: Summary, distance: Int) -> [Int] {
        var listed: [Int] = []
        var left = max(1, distance)
        var rest = buckets
        while let bucket = rest.last {
            let items = Int(ours.buckets[bucket].count) + Int(theirs.buckets[bucket].count)
            guard items * 2 <= left * 3 else { break }
            left = max(1, left - items)
            listed.append(rest.removeLast())
        }
        let items = rest.reduce(0) { $0 + Int(ours.buckets[$1].count) }
        let oldest = (0..<Summary.buckets).last { ours.buckets[$0].count > 0 }
        let price = rest.first == oldest ? 35 : 12
        let doublings = max(2, (items / left + 1).leadingPosition)
        if items * 8 <= left * price * doublings + 200 {
            listed += rest.filter { theirs.buckets[$0].count > Limits.leaf }
        }
        return listed
    }

    private func view(round: UInt8, _ floor: Hour) -> RangePlan.View {
        RangePlan.View(
            floor: floor, salt: round == 0 ? salts.first : salts.second, isWide: round == Limits.lastRound,
            half: namespace.summedHalf)
    }
}

// MARK: RECON and RECON_DONE

extension Reconciler {
    private mutating func receive(_ recon: Recon, _ set: inout KnownSet) throws(SyncFault) -> [SyncStep] {
        var exchange: Exchange
        switch phase {
        case .idle, .digested, .summarising: return []
        case .exchanging(let current):
            exchange = current
            // A frame of a run that this one replaced.
            guard recon.session.round == exchange.session.round else { return [] }
        case .closed(let last):
            guard last.turn == .closesSecond, recon.session.run == last.session.run,
                recon.session.round == last.session.round + 1
            else { return [] }
            exchange = last.next(recon.session, view(round: recon.session.round, last.view.floor), set.count)
        }
        if exchange.isSpoken {
            guard recon.session == exchange.session else { return [] }
        } else {
            exchange.session = recon.session
            exchange.isSpoken = true
        }
        var steps: [SyncStep] = []
        let isWhole = try exchange.receive(recon.parts, &set, &steps)
        guard isWhole else {
            phase = .exchanging(exchange)
            return steps
        }
        let plan = exchange.answer
        exchange.answer = RangePlan()
        if plan.asks {
            exchange.send(plan, namespace, &steps)
            guard exchange.sentBytes <= exchange.byteBudget else { throw .excess }
            phase = .exchanging(exchange)
        } else {
            exchange.turn = .closesFirst
            conclude(exchange, &set, &steps)
        }
        return steps
    }

    /// The ranges are settled; whoever has nothing to hand over, and has the turn, says done at once.
    private mutating func conclude(_ exchange: Exchange, _ set: inout KnownSet, _ steps: inout [SyncStep]) {
        var exchange = exchange
        if exchange.mayClose, !exchange.hasTransfers {
            close(&exchange, &set, &steps)
        } else {
            phase = .exchanging(exchange)
        }
    }

    private mutating func close(_ exchange: inout Exchange, _ set: inout KnownSet, _ steps: inout [SyncStep]) {
        let fingerprint = exchange.fingerprint(set)
        exchange.hasClosed = true
        steps.append(
            .send(
                .done(
                    ReconDone(
                        namespace: namespace, session: exchange.session, wanted: UInt32(clamping: exchange.wants),
                        pushed: UInt32(clamping: exchange.pushes), fingerprint: fingerprint))))
        switch exchange.turn {
        case .undecided: preconditionFailure("who closes has the turn")
        case .closesFirst: phase = .exchanging(exchange)
        case .closesSecond:
            phase = .closed(exchange)
            steps.append(.finished(exchange.theirEnd == fingerprint ? .complete : .unchecked))
        }
    }

    private mutating func receive(_ done: ReconDone, _ set: inout KnownSet) -> [SyncStep] {
        guard case .exchanging(var exchange) = phase, done.session.round == exchange.session.round,
            !exchange.isSpoken || done.session == exchange.session, exchange.theirEnd == nil
        else { return [] }
        var steps: [SyncStep] = []
        exchange.theirEnd = done.fingerprint
        if !exchange.isSpoken { exchange.session = done.session }
        switch exchange.turn {
        case .undecided, .closesSecond:
            // The peer answered last, so it closes first, and nothing of ours is open any more.
            exchange.turn = .closesSecond
            conclude(exchange, &set, &steps)
        case .closesFirst:
            // Without our own end said, the peer is ahead of its turn: it is told when we are ready.
            guard exchange.hasClosed else {
                exchange.turn = .closesSecond
                conclude(exchange, &set, &steps)
                break
            }
            let isEqual = exchange.fingerprint(set) == done.fingerprint
            if !isEqual, exchange.session.round < Limits.lastRound {
                retry(exchange, &set, &steps)
            } else {
                phase = .closed(exchange)
                steps.append(.finished(isEqual ? .complete : .different))
            }
        }
        return steps
    }

    /// The whole key space again, under the other salt: short ids that met by chance do not meet twice.
    private mutating func retry(_ exchange: Exchange, _ set: inout KnownSet, _ steps: inout [SyncStep]) {
        let session = SessionID(run: exchange.session.run, round: exchange.session.round + 1)
        var next = exchange.next(session, view(round: session.round, exchange.view.floor), set.count)
        next.isSpoken = true
        var plan = RangePlan()
        plan.divide(.start ..< .end, of: &set, next.view)
        next.send(plan, namespace, &steps)
        phase = .exchanging(next)
    }
}

extension Int {
    /// Doublings from 1.
    fileprivate var leadingPosition: Int { Int.bitWidth - 1 - leadingZeroBitCount }
}
