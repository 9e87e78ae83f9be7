import CoveyContact
import Testing

/// A made-up study: hosts that walk about, or members of a community, an hour of them, and letters between any two.
private struct Study {
    enum Kind: CaseIterable, Sendable {
        case walkers
        case members
    }

    static let nodes = 24
    static let span: UInt64 = 5_400_000_000
    static let second: UInt64 = 1_000_000

    var trace: ContactTrace
    var messages: [PlannedMessage]

    init(_ kind: Kind, seed: UInt64) {
        let dice = Dice(seed: seed).stream("fidelity")
        let hosts = (0..<UInt32(Self.nodes)).map { $0 }
        switch kind {
        case .walkers:
            let ground = Ground(width: 600, height: 600)
            let motion = Motion.waypoint(
                RandomWaypoint(ground: ground, speed: 0.5...1.5, pause: 0...120 * Self.second))
            let tracks = Tracks(
                ground: ground, groups: [Tracks.Group(motion, hosts: hosts, range: 30)], dice: dice)
            trace = ContactTrace(
                Proximity(tracks, Proximity.Parameters(until: Self.span)), nodes: Self.nodes)
        case .members:
            let meetings = Community.Parameters(
                members: hosts, meets: 8, contact: 60 * Self.second, until: Self.span)
            trace = ContactTrace(Community(meetings, dice: dice), nodes: Self.nodes)
        }
        // The ONE's clock knows whole ticks.
        for at in trace.changes.indices {
            trace.changes[at].time = (trace.changes[at].time + Self.second - 1) / Self.second * Self.second
        }
        var letters = dice.stream("letters")
        messages = (0..<60).map { number in
            let from = UInt32(letters.below(Self.nodes))
            let to = (from + 1 + UInt32(letters.below(Self.nodes - 1))) % UInt32(Self.nodes)
            return PlannedMessage(
                name: "M\(number)", time: UInt64(number) * 60 * Self.second, from: from, to: to, size: 10_000)
        }
    }
}

@Suite("Our own semantics beside The ONE's")
struct OwnFidelityTests {
    static let routers: [OneSettings.Router] = [
        .epidemic, .sprayAndWait(copies: 8), .firstContact, .prophet(OneProphet()),
    ]

    @Test(
        "Over many made-up studies as much is delivered, within 2 %, and as soon, within 3 %",
        arguments: routers.indices, Study.Kind.allCases)
    private func agrees(router: Int, kind: Study.Kind) throws {
        var ours = (delivered: 0, latency: 0.0, relayed: 0)
        var theirs = ours
        for seed in 1...12 as ClosedRange<UInt64> {
            let study = Study(kind, seed: seed)
            let one = OneSettings(
                nodes: Study.nodes, end: Double(Study.span / Study.second), router: Self.routers[router],
                queue: seed % 2 == 0 ? .random : .fifo)
            let result = try OneEngine.run(one, trace: study.trace, workload: study.messages)
            theirs.delivered += result.counters.delivered
            theirs.relayed += result.counters.relayed
            theirs.latency += result.delivered.reduce(0) { $0 + $1.latency }
            let (settings, policy) = one.own
            let own = policy.run(study.trace.reader, messages: study.messages, settings: settings)
            ours.delivered += own.counters.delivered
            ours.relayed += own.counters.relayed
            ours.latency += own.latencies(study.messages).reduce(0, +)
        }
        let delivery = Double(ours.delivered) / Double(theirs.delivered)
        let latency = ours.latency / Double(ours.delivered) / (theirs.latency / Double(theirs.delivered))
        let cost = Double(ours.relayed) / Double(theirs.relayed)
        #expect(theirs.delivered > 200)
        #expect(abs(delivery - 1) <= 0.02, "delivered \(ours.delivered), The ONE \(theirs.delivered)")
        #expect(abs(latency - 1) <= 0.03, "mean latency is \(latency) of The ONE's")
        #expect(abs(cost - 1) <= 0.03, "relayed \(ours.relayed), The ONE \(theirs.relayed)")
    }
}
