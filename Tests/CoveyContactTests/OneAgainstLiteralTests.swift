import CoveyContact
import Glibc
import Testing

/// A made-up study: few nodes that meet all the time, with everything that is awkward in it.
private struct Study {
    var settings: OneSettings
    var trace: ContactTrace
    var workload: [PlannedMessage]

    init(seed: UInt64, router: OneSettings.Router) {
        var dice = Dice(seed: seed)
        // At most twelve hosts meet, so that they meet often; sometimes they are among more than a word has bits.
        let meeting = 2 + dice.below(11)
        let spacing = dice.chance(0.15) ? 7 + dice.below(7) : 1
        let nodes = meeting * spacing
        func host(_ number: Int) -> UInt32 { UInt32(number % meeting * spacing) }
        let end = 60 + dice.below(500)
        // Whole seconds, halves, tenths or microseconds: events on ticks, between them, and on half seconds.
        let grain = [1_000_000, 500_000, 100_000, 1][dice.below(4)]
        let steps = end * 1_000_000 / grain
        func times(_ count: Int) -> [UInt64] { (0..<count).map { _ in UInt64(dice.below(steps) * grain) }.sorted() }
        let crowding = 1 + dice.below(6)
        let changes = times(20 + dice.below(60 * crowding)).map { time in
            let a = dice.below(meeting)
            let b = a + 1 + dice.below(meeting - 1)
            return ContactChange(time: time, a: host(a), b: host(b), isUp: dice.chance(0.6))
        }
        let largest = [1, 10, 2_000, 20_000][dice.below(4)]
        let isOneSize = dice.chance(0.4)
        let named = dice.chance(0.3) ? "message-" : "M"
        workload = times(1 + dice.below(dice.chance(0.1) ? 150 : 60)).enumerated().map { number, time in
            PlannedMessage(
                name: "\(named)\(number)", time: time, from: host(dice.below(meeting)), to: host(dice.below(meeting)),
                size: isOneSize ? largest : dice.below(largest + 1))
        }
        trace = ContactTrace(nodes: nodes, changes: changes)
        settings = OneSettings(
            nodes: nodes, end: Double(end), tick: [0.1, 0.5, 1, 1, 1, 7.3][dice.below(6)], router: router,
            queue: dice.chance(0.5) ? .random : .fifo, ttl: [nil, 0, 1, 2, 3, 5][dice.below(6)],
            buffer: dice.chance(0.4) ? 1 << 20 : max(1, largest * (1 + dice.below(5)) - dice.below(2)),
            speed: [1, 100, 1_000, 250_000][dice.below(4)], shufflesNodes: dice.chance(0.9))
    }
}

@Suite("The engine against the rules word by word")
struct OneAgainstLiteralTests {
    static let routers: [OneSettings.Router] = [
        .epidemic, .sprayAndWait(copies: 8), .sprayAndWait(copies: 3), .directDelivery, .firstContact,
        .prophet(OneProphet()),
    ]

    @Test("Every counter and every delivery is the same, whatever is run", arguments: routers.indices)
    func agrees(router: Int) throws {
        var seen = MessageCounters()
        for seed in UInt64(0)..<LiteralStudies.count {
            let study = Study(seed: seed &* 6 &+ UInt64(router), router: Self.routers[router])
            let literal = LiteralOne.run(study.settings, study.trace, study.workload)
            let ours = try OneEngine.run(study.settings, trace: study.trace, workload: study.workload)
            guard ours == literal else {
                Issue.record(
                    """
                    seed \(seed) of \(Self.routers[router]) with \(study.settings): \
                    \(ours.counters) instead of \(literal.counters)
                    """)
                return
            }
            seen.started += ours.counters.started
            seen.aborted += ours.counters.aborted
            seen.dropped += ours.counters.dropped
            seen.delivered += ours.counters.delivered
        }
        // The studies are about something.
        #expect(min(seen.started, seen.aborted, seen.dropped, seen.delivered) > 10)
    }
}

/// How many studies of each router: `COVEY_STUDIES`, or what takes a few seconds.
private enum LiteralStudies {
    static let count: UInt64 = getenv("COVEY_STUDIES").flatMap { UInt64(String(cString: $0)) } ?? 14
}
