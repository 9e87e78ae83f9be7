import CoveyCore
import CoveyCrypto
import CoveyLink
import Testing

@Suite("Budget of handshakes")
struct HandshakeBudgetTests {
    typealias Refusal = HandshakeBudget.Refusal

    private func address(_ number: Int, port: UInt16 = 1000) -> SocketAddress {
        SocketAddress(v4: 10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255), port: port)
    }

    @Test("thirty-two handshakes are half open at most, each for ten seconds")
    func halfOpen() throws {
        var budget = HandshakeBudget()
        for number in 0..<LinkBounds.halfOpen { _ = try budget.begin(from: address(number), now: UInt64(number)) }
        #expect(throws: Refusal.halfOpenFull) { try budget.begin(from: address(99), now: 50) }
        #expect(budget.nextDeadline == LinkBounds.handshakeDeadline)
        let early = budget.overdue(now: LinkBounds.handshakeDeadline - 1)
        #expect(early.isEmpty)
        let late = budget.overdue(now: LinkBounds.handshakeDeadline + 3)
        #expect(late.count == 4)
        #expect(budget.halfOpenCount == LinkBounds.halfOpen - 4)
        _ = try budget.begin(from: address(99), now: LinkBounds.handshakeDeadline + 3)
    }

    @Test("an address has one handshake under way and begins ten a minute, whatever its ports")
    func perAddress() throws {
        var budget = HandshakeBudget()
        let first = try budget.begin(from: address(1), now: 0)
        #expect(throws: Refusal.underWay) { try budget.begin(from: address(1, port: 2000), now: 1) }
        budget.abandon(first)
        for turn in 1..<LinkBounds.handshakesPerMinute {
            budget.abandon(try budget.begin(from: address(1, port: UInt16(turn)), now: UInt64(turn)))
        }
        #expect(throws: Refusal.tooOften) { try budget.begin(from: address(1), now: 20) }
        _ = try budget.begin(from: address(2), now: 20)
        _ = try budget.begin(from: address(1), now: LinkBounds.minute)
    }

    @Test("programs of one machine are told apart by their ports")
    func loopback() throws {
        var budget = HandshakeBudget()
        _ = try budget.begin(from: SocketAddress(v4: 127, 0, 0, 1, port: 1), now: 0)
        _ = try budget.begin(from: SocketAddress(v4: 127, 0, 0, 1, port: 2), now: 0)
        #expect(budget.halfOpenCount == 2)
    }

    @Test("six answers without a valid message 3 close an address for an hour; valid ones are given back")
    func unfinished() throws {
        var budget = HandshakeBudget()
        var now: UInt64 = 0
        for _ in 0..<20 {
            let ticket = try budget.begin(from: address(1), now: now)
            try budget.answer(ticket, now: now)
            budget.complete(ticket)
            now += LinkBounds.minute
        }
        for _ in 0..<LinkBounds.unfinishedPerAddressAndHour {
            let ticket = try budget.begin(from: address(1), now: now)
            try budget.answer(ticket, now: now)
            budget.abandon(ticket)
            now += LinkBounds.minute
        }
        let seventh = try budget.begin(from: address(1), now: now)
        #expect(throws: Refusal.unfinishedHere) { try budget.answer(seventh, now: now) }
        budget.abandon(seventh)
        let other = try budget.begin(from: address(2), now: now)
        try budget.answer(other, now: now)
        now += LinkBounds.hour
        let later = try budget.begin(from: address(1), now: now)
        try budget.answer(later, now: now)
    }

    @Test("what a device used up that was refused is given back when it is forgiven, and nobody else's")
    func forgiven() throws {
        let random = SeededRandom(seed: 5)
        let (known, other) = (DeviceID.random(from: random), DeviceID.random(from: random))
        var budget = HandshakeBudget()
        var now: UInt64 = 0
        func isAnswered(refusing device: DeviceID? = nil) throws -> Bool {
            now += LinkBounds.minute / 4
            let ticket = try budget.begin(from: address(1), now: now)
            defer { budget.abandon(ticket) }
            do { try budget.answer(ticket, now: now) } catch { return false }
            if let device { budget.refuse(ticket, of: device, now: now) }
            return true
        }
        for device in [known, other, nil, known, other, known] { #expect(try isAnswered(refusing: device)) }
        #expect(budget.refusedDevices == [known, other].sorted())
        #expect(try !isAnswered())
        budget.forgive(known)
        #expect(budget.refusedDevices == [other])
        for _ in 0..<3 { #expect(try isAnswered()) }
        #expect(try !isAnswered())
        // Nothing is given back twice.
        budget.forgive(other)
        budget.forgive(other)
        for _ in 0..<2 { #expect(try isAnswered()) }
        #expect(try !isAnswered())
    }

    @Test("sixty answers an hour in all go without a valid message 3")
    func everywhere() throws {
        var budget = HandshakeBudget()
        for number in 0..<LinkBounds.unfinishedPerHour {
            let ticket = try budget.begin(from: address(number), now: UInt64(number))
            try budget.answer(ticket, now: UInt64(number))
            budget.abandon(ticket)
        }
        let ticket = try budget.begin(from: address(1000), now: 100)
        #expect(throws: Refusal.unfinishedEverywhere) { try budget.answer(ticket, now: 100) }
    }

    @Test("connections that authenticate nothing use up no answers")
    func strangers() throws {
        var budget = HandshakeBudget()
        for number in 0..<200 { budget.abandon(try budget.begin(from: address(number), now: UInt64(number))) }
        let ticket = try budget.begin(from: address(1000), now: 300)
        try budget.answer(ticket, now: 300)
    }

    @Test("answers after turned roles count with the others, are given back, and keep no place of half-open ones")
    func turned() throws {
        var budget = HandshakeBudget()
        for number in 0..<LinkBounds.unfinishedPerAddressAndHour {
            // A dial of ours does not stand in the way of who dials us.
            let ticket = try budget.answerTurned(to: address(1), now: UInt64(number))
            #expect(budget.halfOpenCount == 0)
            budget.abandon(ticket)
        }
        #expect(throws: Refusal.unfinishedHere) { try budget.answerTurned(to: address(1, port: 7), now: 10) }
        let knock = try budget.begin(from: address(1), now: 10)
        #expect(throws: Refusal.unfinishedHere) { try budget.answer(knock, now: 10) }
        var rest = LinkBounds.unfinishedPerHour - LinkBounds.unfinishedPerAddressAndHour
        let member = DeviceID.random(from: SeededRandom(seed: 1))
        let refused = try budget.answerTurned(to: address(2), now: 11)
        budget.refuse(refused, of: member, now: 11)
        budget.abandon(refused)
        rest -= 1
        for number in 0..<rest {
            let finished = try budget.answerTurned(to: address(3), now: 12)
            budget.complete(finished)
            budget.abandon(try budget.answerTurned(to: address(100 + number), now: 12))
        }
        #expect(throws: Refusal.unfinishedEverywhere) { try budget.answerTurned(to: address(4), now: 13) }
        budget.forgive(member)
        budget.abandon(try budget.answerTurned(to: address(4), now: 13))
        #expect(throws: Refusal.unfinishedEverywhere) { try budget.answerTurned(to: address(5), now: 13) }
        _ = try budget.answerTurned(to: address(1), now: LinkBounds.hour)
    }

    @Test("answers under a tainted epoch are four an hour")
    func vouched() {
        var budget = HandshakeBudget()
        let times: [UInt64] = [0, 1, 2, 3, 10, LinkBounds.hour, LinkBounds.hour]
        let answers = times.map { budget.answerVouched(now: $0) }
        #expect(answers == [true, true, true, true, false, true, false])
    }

    @Test("a flood of addresses is remembered in bounds, and pushes out none that owes an answer")
    func flood() throws {
        var budget = HandshakeBudget()
        for turn in 0..<LinkBounds.unfinishedPerAddressAndHour {
            let ticket = try budget.begin(from: address(1), now: UInt64(turn))
            try budget.answer(ticket, now: UInt64(turn))
            budget.abandon(ticket)
        }
        for number in 0..<3 * LinkBounds.addresses {
            budget.abandon(try budget.begin(from: address(10_000 + number), now: 100))
        }
        let ticket = try budget.begin(from: address(1), now: 200)
        #expect(throws: Refusal.unfinishedHere) { try budget.answer(ticket, now: 200) }
    }
}
