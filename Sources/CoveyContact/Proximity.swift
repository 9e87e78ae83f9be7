/// Contacts of hosts that move on one ground: who is in whose range, looked at once a tick.
///
/// Nobody is moved each tick. Ways are straight, so for two hosts the ticks at which they are in range of each other
/// follow from one quadratic equation, as long as neither goes on to its next leg; the two ticks at its ends are then
/// checked on the positions themselves, so the outcome is that of looking at all pairs at every tick. Which pairs are
/// worth an equation a grid tells: cells are wider than any range, so a pair can only meet while its cells touch, and is
/// looked at when they begin to, and when either of the two takes a new leg.
package struct Proximity: ContactSource, Sendable {
    /// Of two ranges that differ, which one counts. The kind of link is that of the group whose range counts; of two
    /// with the same range, that of the first.
    package enum Reach: Sendable {
        /// Each must hear the other with its own radio.
        case smaller
        /// The better antenna of the two is enough.
        case larger
    }

    package struct Parameters: Sendable {
        /// µs between two looks, a millisecond at least.
        package var tick: UInt64
        package var reach: Reach
        /// No look is after this, µs.
        package var until: UInt64

        package init(tick: UInt64 = 1_000_000, reach: Reach = .smaller, until: UInt64) {
            precondition(tick >= 1_000, "two looks are a millisecond apart at least")
            self.tick = tick
            self.reach = reach
            self.until = until
        }
    }

    /// Something that two hosts will do if neither takes another leg before.
    private struct Meeting: Sendable, BitwiseCopyable {
        var a: UInt32
        var b: UInt32
        /// The low bits of the numbers of their legs.
        var legOfA: UInt16
        var legOfB: UInt16
        var isUp: Bool
    }

    private enum Move: UInt8, Sendable {
        case nextLeg, left, right, down, up
    }

    private struct Step: Sendable, BitwiseCopyable {
        var host: UInt32
        var leg: UInt16
        var move: Move
    }

    private struct HalfContact: Sendable, BitwiseCopyable {
        var peer: UInt32
        var next: Int32
    }

    private let parameters: Parameters
    private var tracks: Tracks
    /// Squares of ranges by pair of groups, m².
    private var squares: [Double] = []
    /// Kinds of link by pair of groups.
    private var links: [UInt16] = []

    /// Metres.
    private let cell: Double
    private let columns: Int
    private let rows: Int
    /// The first host in each cell, and each host's neighbours in the list of its cell; -1 for none.
    private var heads: [Int32]
    private var after: [Int32]
    private var before: [Int32]
    private var cells: [UInt32]

    private var meetings = EventWheel<Meeting>()
    private var steps = EventWheel<Step>()

    /// Whom each host is in contact with: lists in a pool.
    private var firstContact: [Int32]
    private var contacts: [HalfContact] = []
    private var freeContact: Int32 = -1

    /// What changed at the present tick; of it `taken` were handed out.
    private var batch: [ContactChange] = []
    private var taken = 0

    package init(_ tracks: Tracks, _ parameters: Parameters) {
        self.tracks = tracks
        self.parameters = parameters
        for one in tracks.groups.indices {
            for two in tracks.groups.indices {
                let first = tracks.groups[min(one, two)]
                let second = tracks.groups[max(one, two)]
                let isSecond =
                    switch parameters.reach {
                    case .smaller: second.range < first.range
                    case .larger: second.range > first.range
                    }
                let counts = isSecond ? second : first
                squares.append(counts.range * counts.range)
                links.append(counts.link)
            }
        }
        let widest = tracks.groups.map(\.range).max() ?? 1
        // A step into the next cell is told up to 64 µs late: two hosts then are that much nearer to each other.
        let late = 2 * 0.000_128 * (tracks.groups.map(\.motion.fastest).max() ?? 0)
        let area = tracks.ground.width * tracks.ground.height
        // On a ground like a thread the cells are no more than hosts and a million either way.
        let thread = max(tracks.ground.width, tracks.ground.height) / 1_000_000
        cell = max(widest + late + 0.001, (area / Double(max(1, tracks.count))).squareRoot(), thread)
        columns = Int(tracks.ground.width / cell) + 1
        rows = Int(tracks.ground.height / cell) + 1
        heads = Array(repeating: -1, count: columns * rows)
        after = Array(repeating: -1, count: tracks.count)
        before = after
        cells = Array(repeating: 0, count: tracks.count)
        firstContact = after
        for host in 0..<tracks.count {
            let leg = tracks.legs[host]
            let column = min(columns - 1, max(0, Int(max(0, leg.x) / cell)))
            let row = min(rows - 1, max(0, Int(max(0, leg.y) / cell)))
            look(from: host, column: column - 1...column + 1, row: row - 1...row + 1, since: 0)
            enter(host, cell: row * columns + column)
            plan(host, now: 0)
            if leg.until <= parameters.until { steps.push(at: leg.until, step(host, .nextLeg)) }
        }
    }

    package mutating func next() -> ContactChange? {
        while taken == batch.count {
            guard fill() else { return nil }
        }
        taken += 1
        return batch[taken - 1]
    }

    /// Where hosts are, for a report: a copy that goes its own pace.
    package var positions: Tracks { tracks }

    // MARK: Time

    /// Runs on until a tick at which something changed is complete.
    private mutating func fill() -> Bool {
        batch.removeAll(keepingCapacity: true)
        taken = 0
        // Wheels round up, to 64 µs.
        let end = parameters.until + 63
        while true {
            // What the old legs led to comes before a new leg of the same instant.
            let meeting = meetings.nextTime ?? .max
            let step = steps.nextTime ?? .max
            let now = min(meeting, step)
            if let first = batch.first, now > first.time + 63 {
                settle()
                if !batch.isEmpty { return true }
            }
            if now > end { return false }
            if meeting <= step {
                if let (time, meeting) = meetings.pop() { meet(meeting, at: time / parameters.tick * parameters.tick) }
            } else {
                if let (time, step) = steps.pop() { make(step, now: time) }
            }
        }
    }

    /// Changes of one tick by hosts; a pair that parted and met again within it did nothing.
    private mutating func settle() {
        if batch.count == 1 { return }
        let order = batch.indices.sorted {
            (batch[$0].a, batch[$0].b, $0) < (batch[$1].a, batch[$1].b, $1)
        }
        var settled: [ContactChange] = []
        var index = 0
        while index < order.count {
            let change = batch[order[index]]
            var end = index + 1
            while end < order.count, batch[order[end]].a == change.a, batch[order[end]].b == change.b { end += 1 }
            if (end - index) & 1 == 1 { settled.append(change) }
            index = end
        }
        batch = settled
    }

    private mutating func meet(_ meeting: Meeting, at time: UInt64) {
        let a = Int(meeting.a)
        let b = Int(meeting.b)
        guard meeting.legOfA == leg(a), meeting.legOfB == leg(b), meeting.isUp != isInContact(a, b) else { return }
        if meeting.isUp {
            join(a, b)
            join(b, a)
            foreseeParting(a, b, since: time + 1)
        } else {
            part(a, b)
            part(b, a)
            foreseeMeeting(a, b, since: time + 1)
        }
        let one = tracks.hosts[a]
        let two = tracks.hosts[b]
        batch.append(
            ContactChange(
                time: time, a: min(one, two), b: max(one, two), link: links[pair(a, b)], isUp: meeting.isUp))
    }

    private mutating func make(_ step: Step, now: UInt64) {
        let host = Int(step.host)
        guard step.leg == leg(host) else { return }
        let cell = Int(cells[host])
        let column = cell % columns
        let row = cell / columns
        switch step.move {
        case .nextLeg:
            tracks.advance(host)
            let start = tracks.legs[host].start
            var contact = firstContact[host]
            while contact >= 0 {
                let half = contacts[Int(contact)]
                foreseeParting(host, Int(half.peer), since: start)
                contact = half.next
            }
            look(from: host, column: column - 1...column + 1, row: row - 1...row + 1, since: start)
            let until = tracks.legs[host].until
            if until <= parameters.until { steps.push(at: max(now, until), self.step(host, .nextLeg)) }
        case .left:
            change(host, to: cell - 1)
            look(from: host, column: column - 2...column - 2, row: row - 1...row + 1, since: now)
        case .right:
            change(host, to: cell + 1)
            look(from: host, column: column + 2...column + 2, row: row - 1...row + 1, since: now)
        case .up:
            change(host, to: cell - columns)
            look(from: host, column: column - 1...column + 1, row: row - 2...row - 2, since: now)
        case .down:
            change(host, to: cell + columns)
            look(from: host, column: column - 1...column + 1, row: row + 2...row + 2, since: now)
        }
        plan(host, now: now)
    }

    private func leg(_ host: Int) -> UInt16 { UInt16(truncatingIfNeeded: tracks.numbers[host]) }

    private func step(_ host: Int, _ move: Move) -> Step { Step(host: UInt32(host), leg: leg(host), move: move) }

    // MARK: Cells

    /// When this leg takes the host out of its cell, and to which side. At the edge of the ground a cell has no end.
    private mutating func plan(_ host: Int, now: UInt64) {
        let leg = tracks.legs[host]
        let column = Int(cells[host]) % columns
        let row = Int(cells[host]) / columns
        var seconds = Double.infinity
        var move = Move.right
        if leg.vx > 0 && column + 1 < columns {
            seconds = (Double(column + 1) * cell - leg.x) / leg.vx
        } else if leg.vx < 0 && column > 0 {
            seconds = (Double(column) * cell - leg.x) / leg.vx
            move = .left
        }
        var vertical = Double.infinity
        if leg.vy > 0 && row + 1 < rows {
            vertical = (Double(row + 1) * cell - leg.y) / leg.vy
        } else if leg.vy < 0 && row > 0 {
            vertical = (Double(row) * cell - leg.y) / leg.vy
        }
        if vertical < seconds {
            seconds = vertical
            move = leg.vy > 0 ? .down : .up
        }
        let end = min(leg.until, parameters.until)
        guard leg.start < end, seconds * 1e6 < Double(end - leg.start) else { return }
        let time = leg.start + UInt64(max(0, seconds * 1e6))
        steps.push(at: max(now, time), step(host, move))
    }

    private mutating func enter(_ host: Int, cell: Int) {
        let head = heads[cell]
        after[host] = head
        before[host] = -1
        if head >= 0 { before[Int(head)] = Int32(host) }
        heads[cell] = Int32(host)
        cells[host] = UInt32(cell)
    }

    private mutating func change(_ host: Int, to cell: Int) {
        let next = after[host]
        let previous = before[host]
        if next >= 0 { before[Int(next)] = previous }
        if previous >= 0 { after[Int(previous)] = next } else { heads[Int(cells[host])] = next }
        enter(host, cell: cell)
    }

    /// Whom of those cells the host will meet.
    private mutating func look(
        from host: Int, column: ClosedRange<Int>, row: ClosedRange<Int>, since: UInt64
    ) {
        let columns = max(0, column.lowerBound)..<max(0, min(self.columns, column.upperBound + 1))
        let rows = max(0, row.lowerBound)..<max(0, min(self.rows, row.upperBound + 1))
        for row in rows {
            for column in columns {
                var other = heads[row * self.columns + column]
                while other >= 0 {
                    if other != host { foreseeMeeting(host, Int(other), since: since) }
                    other = after[Int(other)]
                }
            }
        }
    }

    // MARK: Pairs

    /// One host as seen from another, at a look.
    private struct Sight {
        /// µs, a whole number of ticks.
        var time: UInt64
        /// The first instant at which one of the two is on another leg, µs.
        var end: UInt64
        /// Metres, and metres a second.
        var dx: Double
        var dy: Double
        var vx: Double
        var vy: Double
        /// The square of the range, m².
        var square: Double
    }

    /// At the first look from `since` on, if both are on their present legs then.
    private func sight(_ a: Int, _ b: Int, since: UInt64) -> Sight? {
        let one = tracks.legs[a]
        let two = tracks.legs[b]
        let end = min(one.until, two.until, parameters.until &+ 1)
        let time = (since + parameters.tick - 1) / parameters.tick * parameters.tick
        // Another leg that begins after `since` is looked at when it begins.
        guard time < end, time >= one.start, time >= two.start else { return nil }
        let here = one.position(at: time)
        let there = two.position(at: time)
        return Sight(
            time: time, end: end, dx: there.x - here.x, dy: there.y - here.y, vx: two.vx - one.vx, vy: two.vy - one.vy,
            square: squares[pair(a, b)])
    }

    /// Where the tables have what holds between the groups of two hosts.
    private func pair(_ a: Int, _ b: Int) -> Int {
        Int(tracks.groupOf[a]) * tracks.groups.count + Int(tracks.groupOf[b])
    }

    private func isInRange(_ a: Int, _ b: Int, at time: UInt64, square: Double) -> Bool {
        let here = tracks.legs[a].position(at: time)
        let there = tracks.legs[b].position(at: time)
        let dx = there.x - here.x
        let dy = there.y - here.y
        return dx * dx + dy * dy <= square
    }

    private mutating func foreseeMeeting(_ a: Int, _ b: Int, since: UInt64) {
        guard let sight = sight(a, b, since: since) else { return }
        let over = sight.dx * sight.dx + sight.dy * sight.dy - sight.square
        if over <= 0 {
            push(a, b, isUp: true, at: sight.time)
            return
        }
        // |d + v t|² = r², the earlier of two solutions, as long as they come nearer at all.
        let nearing = sight.dx * sight.vx + sight.dy * sight.vy
        guard nearing < 0 else { return }
        let speed = sight.vx * sight.vx + sight.vy * sight.vy
        let rest = nearing * nearing - speed * over
        guard rest >= 0 else { return }
        let micros = over / (rest.squareRoot() - nearing) * 1e6
        guard micros < Double(sight.end - sight.time) else { return }
        // The look before that instant, the one after, and one more for what rounding did.
        var time = sight.time + UInt64(micros) / parameters.tick * parameters.tick
        for _ in 0..<3 where time < sight.end {
            if isInRange(a, b, at: time, square: sight.square) {
                push(a, b, isUp: true, at: time)
                return
            }
            time += parameters.tick
        }
    }

    private mutating func foreseeParting(_ a: Int, _ b: Int, since: UInt64) {
        guard let sight = sight(a, b, since: since) else { return }
        let over = sight.dx * sight.dx + sight.dy * sight.dy - sight.square
        if over > 0 {
            push(a, b, isUp: false, at: sight.time)
            return
        }
        // The later of two solutions.
        let speed = sight.vx * sight.vx + sight.vy * sight.vy
        guard speed > 0 else { return }
        let nearing = sight.dx * sight.vx + sight.dy * sight.vy
        let micros = (max(0, nearing * nearing - speed * over).squareRoot() - nearing) / speed * 1e6
        guard micros < Double(sight.end - sight.time) else { return }
        var time = sight.time + UInt64(max(0, micros)) / parameters.tick * parameters.tick
        for _ in 0..<3 where time < sight.end {
            if !isInRange(a, b, at: time, square: sight.square) {
                push(a, b, isUp: false, at: time)
                return
            }
            time += parameters.tick
        }
    }

    private mutating func push(_ a: Int, _ b: Int, isUp: Bool, at time: UInt64) {
        meetings.push(
            at: time, Meeting(a: UInt32(a), b: UInt32(b), legOfA: leg(a), legOfB: leg(b), isUp: isUp))
    }

    // MARK: Contacts

    private func isInContact(_ a: Int, _ b: Int) -> Bool {
        var contact = firstContact[a]
        while contact >= 0 {
            let half = contacts[Int(contact)]
            if half.peer == b { return true }
            contact = half.next
        }
        return false
    }

    private mutating func join(_ host: Int, _ peer: Int) {
        let half = HalfContact(peer: UInt32(peer), next: firstContact[host])
        if freeContact >= 0 {
            firstContact[host] = freeContact
            freeContact = contacts[Int(freeContact)].next
            contacts[Int(firstContact[host])] = half
        } else {
            firstContact[host] = Int32(contacts.count)
            contacts.append(half)
        }
    }

    private mutating func part(_ host: Int, _ peer: Int) {
        var previous: Int32 = -1
        var contact = firstContact[host]
        while contact >= 0, contacts[Int(contact)].peer != peer {
            previous = contact
            contact = contacts[Int(contact)].next
        }
        guard contact >= 0 else { return }
        let next = contacts[Int(contact)].next
        if previous >= 0 { contacts[Int(previous)].next = next } else { firstContact[host] = next }
        contacts[Int(contact)].next = freeContact
        freeContact = contact
    }
}
