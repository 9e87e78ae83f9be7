import CoveyRouting
import Testing

@testable import CoveyContact

/// Random contacts and messages, in whole seconds.
struct Meetings {
    var trace: ContactTrace
    var messages: [PlannedMessage]
    static let second: UInt64 = 1_000_000

    init(seed: UInt64, nodes: Int = 12, contacts: Int = 150, messages count: Int = 25, span: Int = 2_000) {
        var dice = Dice(seed: seed).stream("study")
        var changes: [(change: ContactChange, order: Int)] = []
        for number in 0..<contacts {
            let a = UInt32(dice.below(nodes))
            let b = UInt32(dice.below(nodes))
            guard a != b else { continue }
            let up = UInt64(dice.below(span)) * Self.second
            // Some contacts are over as soon as they begin, and some overlap others of the pair.
            let down = up + UInt64(dice.below(120)) * Self.second
            changes.append((ContactChange(time: up, a: a, b: b, isUp: true), number * 2))
            changes.append((ContactChange(time: down, a: b, b: a, isUp: false), number * 2 + 1))
        }
        changes.sort { ($0.change.time, $0.order) < ($1.change.time, $1.order) }
        trace = ContactTrace(nodes: nodes, changes: changes.map(\.change))
        messages = (0..<count).map { number in
            let from = UInt32(dice.below(nodes))
            let to = (from + 1 + UInt32(dice.below(nodes - 1))) % UInt32(nodes)
            return PlannedMessage(
                name: "M\(number)", time: UInt64(dice.below(span)) * Self.second, from: from, to: to, size: 10_000)
        }.sorted { $0.time < $1.time }
    }

    init(nodes: Int, _ contacts: [(UInt32, UInt32, Double, Double)], _ messages: [(Double, UInt32, UInt32, Int)]) {
        var changes: [ContactChange] = []
        for (a, b, up, down) in contacts {
            changes.append(ContactChange(time: Self.time(up), a: a, b: b, isUp: true))
            changes.append(ContactChange(time: Self.time(down), a: a, b: b, isUp: false))
        }
        trace = ContactTrace(nodes: nodes, changes: changes.sorted { $0.time < $1.time })
        self.messages = messages.enumerated().map {
            PlannedMessage(name: "M\($0)", time: Self.time($1.0), from: $1.1, to: $1.2, size: $1.3)
        }
    }

    static func time(_ seconds: Double) -> UInt64 { UInt64(seconds * 1_000_000) }

    func settings(rate: Int? = nil, buffer: Int = 1 << 40, lifetime: UInt64? = nil, end: UInt64 = 3_000)
        -> ContactSettings
    {
        ContactSettings(nodes: trace.nodes, end: end * Self.second, lifetime: lifetime, buffer: buffer, rate: rate)
    }

    func run(_ router: ContactRouter, _ settings: ContactSettings, outages: [HostOutage] = []) -> ContactResult {
        router.run(trace.reader, messages: messages, settings: settings, outages: outages)
    }
}

struct ContactWorldTests {
    private static let routers: [ContactRouter] = [
        .flood, .direct, .epidemic, .sprayAndWait(copies: 8), .firstContact, .prophet,
    ]

    @Test("an epidemic whose transfers take no time reaches exactly what earliest arrival reaches, and when")
    func epidemicIsTheOracle() {
        for seed in 0..<40 as Range<UInt64> {
            let study = Meetings(seed: seed)
            var settings = study.settings(lifetime: seed % 2 == 0 ? nil : 600 * Meetings.second)
            settings.boundsHops = false
            let outages =
                seed % 3 == 0
                ? [
                    HostOutage(host: 3, from: 300 * Meetings.second, until: 900 * Meetings.second),
                    HostOutage(host: 5, from: 0, until: 200 * Meetings.second),
                ] : []
            for channel in [ContactSettings.Channel.host, .contact, .direction] {
                settings.channel = channel
                let result = study.run(.epidemic, settings, outages: outages)
                let reachable = Oracle(study.trace.reader, settings: settings, outages: outages).arrivals(
                    study.messages)
                var times = [UInt64?](repeating: nil, count: study.messages.count)
                for delivery in result.deliveries { times[delivery.message] = delivery.time }
                let differing = times.indices.filter { times[$0] != reachable[$0]?.time }
                #expect(
                    differing.isEmpty,
                    "seed \(seed), \(channel): \(differing.map { (study.messages[$0], times[$0], reachable[$0]) })")
            }
        }
    }

    @Test("no policy, rate or buffer reaches what earliest arrival does not, or sooner")
    func subset() {
        var delivered = 0
        for seed in 0..<12 as Range<UInt64> {
            let study = Meetings(seed: seed, contacts: 300)
            for router in Self.routers {
                for dropping in [ContactSettings.Dropping.fair, .oldest] {
                    var settings = study.settings(rate: 2_000, buffer: 60_000, lifetime: 900 * Meetings.second)
                    settings.dropping = dropping
                    settings.order = seed % 2 == 0 ? .ranked : .shuffled
                    settings.channel = seed % 3 == 0 ? .host : .direction
                    let result = study.run(router, settings)
                    let reachable = Oracle(study.trace.reader, settings: settings).arrivals(study.messages)
                    for delivery in result.deliveries {
                        let message = study.messages[delivery.message]
                        #expect(delivery.path.first == message.from && delivery.path.last == message.to)
                        // Where mail that was dropped may come back, a path may run in a ring.
                        #expect(dropping == .oldest || Set(delivery.path).count == delivery.path.count)
                        guard let best = reachable[delivery.message] else {
                            Issue.record("\(router) reached what cannot be reached, seed \(seed)")
                            continue
                        }
                        #expect(delivery.time >= best.time)
                    }
                    #expect(Set(result.deliveries.map(\.message)).count == result.counters.delivered)
                    #expect(result.counters.started >= result.counters.relayed + result.counters.aborted)
                    delivered += result.counters.delivered
                }
            }
        }
        #expect(delivered > 500)
    }
}

struct ContactTransferTests {
    @Test("a transfer takes its bytes' time, begins when both ends are free, and is lost with the contact")
    func transfers() {
        // 10,000 bytes at 2,000 bytes a second take five seconds.
        let study = Meetings(
            nodes: 3, [(0, 1, 10, 20), (1, 2, 15, 26), (0, 1, 30, 34)],
            [(0, 0, 1, 10_000), (0, 0, 2, 10_000), (21, 0, 1, 10_000)])
        let result = study.run(.epidemic, study.settings(rate: 2_000))
        #expect(result.deliveries.map(\.time) == [Meetings.time(15), Meetings.time(25)])
        #expect(result.deliveries.map(\.path) == [[0, 1], [0, 1, 2]])
        // The first message for host 2 as well, from 25 to 26; and the last message from 30 to 34.
        #expect(result.counters.aborted == 2)
        #expect(result.counters.started == 5 && result.counters.relayed == 3)
    }

    @Test("a contact that is over as soon as it begins carries nothing, one that ends with its transfer carries it")
    func edges() {
        let zero = Meetings(nodes: 2, [(0, 1, 5, 5)], [(0, 0, 1, 100)])
        #expect(zero.run(.epidemic, zero.settings()).counters.delivered == 0)
        #expect(Oracle(zero.trace.reader, settings: zero.settings()).arrivals(zero.messages) == [nil])
        let exact = Meetings(nodes: 2, [(0, 1, 5, 10)], [(0, 0, 1, 10_000)])
        #expect(exact.run(.epidemic, exact.settings(rate: 2_000)).deliveries.map(\.time) == [Meetings.time(10)])
        #expect(exact.run(.epidemic, exact.settings(rate: 1_999)).counters.aborted == 1)
    }

    @Test("turns take both ends for whole multiples, and what was through is not lost with the contact")
    func turns() {
        let study = Meetings(nodes: 2, [(0, 1, 10, 11.5)], [(0, 0, 1, 10_000), (0, 0, 1, 10_000), (0, 0, 1, 10_000)])
        var settings = study.settings(rate: 100_000)
        #expect(study.run(.epidemic, settings).deliveries.map(\.time) == [10.1, 10.2, 10.3].map(Meetings.time))
        settings.turn = Meetings.second
        #expect(study.run(.epidemic, settings).deliveries.map(\.time) == [11, 11.5].map(Meetings.time))
    }

    @Test("a second up of a pair and a second down say nothing: the first down closes")
    func overlaps() {
        let study = Meetings(nodes: 2, [(0, 1, 5, 10), (0, 1, 7, 30)], [(20, 0, 1, 100)])
        #expect(study.run(.epidemic, study.settings()).counters.delivered == 0)
        #expect(Oracle(study.trace.reader, settings: study.settings()).arrivals(study.messages) == [nil])
    }

    @Test("a spray of four leaves three others with a copy, and only the recipient gets more")
    func spray() {
        let meetings = (1..<12 as Range<UInt32>).map { (0 as UInt32, $0, Double($0) * 100, Double($0) * 100 + 50) }
        let study = Meetings(nodes: 12, meetings, [(0, 0, 11, 1_000)])
        var settings = study.settings(rate: 1_000)
        settings.recipientsCarry = false
        let result = study.run(.sprayAndWait(copies: 4), settings)
        // Four tokens: two go, then one of two; the last waits for host 11.
        #expect(result.counters.relayed == 3 && result.held == 3)
        #expect(result.deliveries.map(\.path) == [[0, 11]])
    }

    @Test("first contact leaves nothing behind, and nobody takes the message twice")
    func firstContact() {
        let study = Meetings(
            nodes: 4, [(0, 1, 1, 50), (1, 2, 10, 50), (0, 2, 20, 50), (2, 3, 60, 70)], [(0, 0, 3, 1_000)])
        let result = study.run(.firstContact, study.settings())
        #expect(result.deliveries.map(\.path) == [[0, 1, 2, 3]])
        #expect(result.counters.removed == 3 && result.held == 1)
    }

    @Test("PRoPHET looks at what the neighbour reaches now, through this very contact too")
    func prophetIsCurrent() {
        // Hosts 0 and 1 know host 2 alike, 0 a little better. What 1 hears from 0 makes 1 the likelier of the two.
        let study = Meetings(
            nodes: 3, [(1, 2, 10, 20), (0, 2, 40, 50), (0, 1, 3_050, 3_060), (1, 2, 3_100, 3_110)],
            [(3_000, 0, 2, 1_000)])
        let result = study.run(.prophet, study.settings(end: 4_000))
        #expect(result.deliveries.map(\.path) == [[0, 1, 2]])
    }

    @Test("mail expires where it lies, and is not delivered at its expiry or after it")
    func expiry() {
        let study = Meetings(nodes: 3, [(0, 1, 10, 20), (1, 2, 100, 200)], [(0, 0, 2, 100), (40, 1, 2, 100)])
        let result = study.run(.epidemic, study.settings(lifetime: 100 * Meetings.second))
        #expect(result.deliveries.map(\.message) == [1])
        #expect(result.counters.dropped == 4 && result.held == 0)
        #expect(
            Oracle(study.trace.reader, settings: study.settings(lifetime: 100 * Meetings.second))
                .arrivals(study.messages).map { $0 != nil } == [false, true])
    }

    @Test("a buffer under pressure keeps own mail, and takes no more of a neighbour than its share")
    func fairBuffers() {
        let study = Meetings(
            nodes: 3, [(0, 1, 10, 90), (1, 2, 100, 200)],
            [(0, 1, 2, 300), (1, 0, 2, 300), (2, 0, 2, 300), (3, 0, 2, 300)])
        let result = study.run(.epidemic, study.settings(buffer: 1_000))
        // Host 1 takes two of three; host 0, full of its own, takes nothing.
        #expect(result.refused > 0 && result.counters.dropped == 0)
        #expect(result.held == result.counters.created + result.counters.relayed - result.refused)
        #expect(result.counters.delivered == 3 && result.deliveries.contains { $0.message == 0 })
    }

    @Test("where the oldest goes, writing what has no room costs the first message, own or not")
    func oldestBuffers() {
        let study = Meetings(
            nodes: 3, [(0, 1, 10, 90), (1, 2, 100, 200)], [(0, 0, 2, 400), (1, 0, 2, 400), (2, 0, 2, 400)])
        var settings = study.settings(buffer: 1_000)
        settings.dropping = .oldest
        let result = study.run(.epidemic, settings)
        #expect(result.deliveries.map(\.message).sorted() == [1, 2])
        #expect(result.counters.dropped == 1 && result.refused == 0)
    }

    @Test("a host that is off meets nobody, keeps its mail, and goes on where its contacts last")
    func outage() {
        let study = Meetings(nodes: 2, [(0, 1, 10, 100)], [(0, 0, 1, 10_000)])
        let off = [HostOutage(host: 1, from: Meetings.time(12), until: Meetings.time(40))]
        let result = study.run(.direct, study.settings(rate: 2_000), outages: off)
        #expect(result.counters.aborted == 1)
        #expect(result.deliveries.map(\.time) == [Meetings.time(45)])
    }

    @Test("the same seed gives the same transfers, another seed others")
    func determinism() {
        let study = Meetings(seed: 4, nodes: 20, contacts: 400, messages: 80)
        var settings = study.settings(rate: 5_000, buffer: 200_000)
        settings.order = .shuffled
        let first = study.run(.sprayAndWait(copies: 8), settings)
        #expect(first == study.run(.sprayAndWait(copies: 8), settings))
        #expect(first.digest == 14_829_160_619_472_197_910)
        settings.seed = 2
        #expect(first.digest != study.run(.sprayAndWait(copies: 8), settings).digest)
    }

    @Test("a recipient that carries on cannot be told from a relay by what it does")
    func recipientsCarry() {
        let study = Meetings(nodes: 3, [(0, 1, 1, 10), (1, 2, 20, 30)], [(0, 0, 1, 100)])
        var settings = study.settings()
        #expect(study.run(.epidemic, settings).counters.relayed == 2)
        settings.recipientsCarry = false
        #expect(study.run(.epidemic, settings).counters.relayed == 1)
    }
}

struct OracleTests {
    @Test("the earliest path is found, with the time that its bytes take on each kind of link")
    func path() {
        let study = Meetings(
            nodes: 4, [(0, 1, 10, 20), (1, 2, 12, 30), (2, 3, 5, 14), (0, 3, 50, 60)], [(0, 0, 3, 1_000)])
        var settings = study.settings(rate: 1_000)
        let slow = Oracle(study.trace.reader, settings: settings)
        #expect(slow.arrivals(study.messages) == [Oracle.Arrival(time: Meetings.time(14), path: [0, 1, 2, 3])])
        #expect(slow.arrivals(study.messages, isSizeless: true).map { $0?.time } == [Meetings.time(12)])
        settings.rates = [400]
        let slower = Oracle(study.trace.reader, settings: settings)
        #expect(slower.arrivals(study.messages) == [Oracle.Arrival(time: Meetings.time(52.5), path: [0, 3])])
    }

    @Test("all destinations at once are those of each alone")
    func everywhere() {
        for seed in 0..<6 as Range<UInt64> {
            let study = Meetings(seed: seed)
            let oracle = Oracle(study.trace.reader, settings: study.settings())
            let reach = oracle.reach(from: 2, at: 100 * Meetings.second)
            for host in 0..<UInt32(study.trace.nodes) where host != 2 {
                let message = PlannedMessage(name: "M", time: 100 * Meetings.second, from: 2, to: host, size: 0)
                #expect(oracle.arrivals([message])[0]?.time == reach[Int(host)])
            }
            #expect(reach[2] == 100 * Meetings.second)
        }
    }

    @Test("it is what is left when every contact has been tried until nothing comes earlier")
    func everyContact() {
        for seed in 0..<30 as Range<UInt64> {
            var study = Meetings(seed: seed, nodes: 9, contacts: 220, messages: 40)
            // Some share their origin, moment and size, and some have a lifetime of their own.
            for number in study.messages.indices where number % 3 == 1 {
                study.messages[number].from = study.messages[number - 1].from
                study.messages[number].time = study.messages[number - 1].time
                if number % 2 == 0 { study.messages[number].lifetime = 200 * Meetings.second }
            }
            let settings = study.settings(rate: 700)
            let intervals = ContactIntervals(study.trace.reader, nodes: 9, end: settings.end, outages: []).list
            let found = Oracle(study.trace.reader, settings: settings).arrivals(study.messages)
            for (message, arrival) in zip(study.messages, found) {
                let limit = min(settings.end, message.lifetime.map { message.time + $0 - 1 } ?? .max)
                var times = [UInt64?](repeating: nil, count: 9)
                times[Int(message.from)] = message.time
                var isMoving = true
                while isMoving {
                    isMoving = false
                    for interval in intervals {
                        for (from, to) in [(interval.a, interval.b), (interval.b, interval.a)] {
                            guard let here = times[Int(from)], here < interval.down else { continue }
                            let time = max(here, interval.up) + settings.duration(message.size, kind: 0)
                            guard time <= min(limit, interval.down), time < times[Int(to)] ?? .max else { continue }
                            times[Int(to)] = time
                            isMoving = true
                        }
                    }
                }
                #expect(arrival?.time == times[Int(message.to)], "seed \(seed), \(message)")
            }
        }
    }

    @Test("when its steps are used up, some messages all over are left out, and the others are as they would be")
    func bounded() {
        let study = Meetings(seed: 7, contacts: 300, messages: 200)
        let oracle = Oracle(study.trace.reader, settings: study.settings())
        let all = oracle.arrivals(study.messages)
        let some = oracle.foresee(study.messages, steps: 2_000)
        let sought = some.isSought.indices.filter { some.isSought[$0] }
        #expect((10..<190).contains(sought.count))
        #expect(sought.allSatisfy { some.arrivals[$0] == all[$0] })
        // Neither only the first nor only the last ones.
        let early = sought.count { $0 < 100 }
        #expect(early > sought.count / 3 && early < sought.count * 2 / 3)
        #expect(some.arrivals.indices.allSatisfy { some.isSought[$0] || some.arrivals[$0] == nil })
    }
}

struct OwnMeasureTests {
    @Test("a message with a lifetime of its own expires by it, the others by the study's")
    func lifetime() {
        var study = Meetings(nodes: 2, [(0, 1, 100, 200)], [(0, 0, 1, 100), (0, 0, 1, 100)])
        study.messages[1].lifetime = 300 * Meetings.second
        let settings = study.settings(lifetime: 50 * Meetings.second)
        #expect(study.run(.epidemic, settings).deliveries.map(\.message) == [1])
        let foreseen = Oracle(study.trace.reader, settings: settings).arrivals(study.messages)
        #expect(foreseen.map { $0 != nil } == [false, true])
    }

    @Test("hosts may hold different amounts of mail")
    func buffers() {
        let study = Meetings(
            nodes: 4, [(0, 1, 10, 20), (0, 2, 30, 40), (1, 3, 100, 110)], [(0, 0, 3, 400), (1, 0, 3, 400)])
        var settings = study.settings(buffer: 1_000)
        settings.dropping = .oldest
        #expect(study.run(.epidemic, settings).counters.delivered == 2)
        settings.buffers = [1_000, 500, 1_000, 1_000]
        #expect(study.run(.epidemic, settings).deliveries.map(\.message) == [1])
    }
}
