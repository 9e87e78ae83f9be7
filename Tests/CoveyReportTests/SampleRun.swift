@testable import CoveyReport

/// A small mesh that never was: villages whose people wander, a ferry between them, mail by flooding into short
/// buffers. Enough of everything that a page shows, the same from every machine.
struct SampleRun {
    let result: RunResult
    let recording: Recording

    private struct Copy {
        var message: Int
        var at: UInt64
    }

    private struct Letter {
        var from: Int
        var to: Int
        var created: UInt64
        var bytes: Int
        var `class`: String
        var delivered: UInt64?
        var oracle: UInt64?
        var reachable: Set<Int>
    }

    private struct Chance {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

        mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
    }

    /// - Parameters:
    ///   - village: people in each of three villages.
    ///   - letters: messages in all.
    ///   - placed: whether the recording knows where hosts are.
    init(village: Int = 6, letters letterCount: Int = 60, seed: UInt64 = 7, placed: Bool = true) {
        let second: UInt64 = 1_000_000
        let duration = 6 * 3600 * second
        let step = 45 * second
        let centres = [(x: 100.0, y: 260.0), (x: 340.0, y: 90.0), (x: 560.0, y: 300.0)]
        let names = ["harbour", "mill", "hill"]
        var chance = Chance(state: seed)

        var hosts: [Recording.Host] = []
        var home: [Int] = []
        for (index, name) in names.enumerated() {
            for number in 0..<village {
                hosts.append(Recording.Host(name: "\(name).\(number)", group: name))
                home.append(index)
            }
        }
        let ferry = hosts.count
        hosts.append(Recording.Host(name: "ferry", group: "ferry"))
        let count = hosts.count
        let spread = 200 * Double(village).squareRoot() / 3
        var places = home.map {
            (x: centres[$0].x + (chance.unit() - 0.5) * spread, y: centres[$0].y + (chance.unit() - 0.5) * spread)
        }
        places.append(centres[0])

        let frames = ["DATA", "OFFER", "WANT", "ACK", "DIGEST", "PING"]
        var recorder = Recorder(duration: duration, hosts: hosts, linkKinds: ["wifi", "radio"], frameTypes: frames)
        var letters: [Letter] = []
        var buffers: [[Copy]] = Array(repeating: [], count: count)
        var seen: [Set<Int>] = Array(repeating: [], count: count)
        var open: Set<Int> = []
        var counters = Counters()
        var spent = Array(repeating: Tally(name: "", count: 0, bytes: 0), count: frames.count)
        for index in frames.indices { spent[index].name = frames[index] }
        let quota = 14
        var fullest = BufferMaximum(name: "all", bytes: 0, quota: UInt64(quota) * 1400, host: "", time: 0)

        func isDown(_ host: Int, _ time: UInt64) -> Bool {
            host == 2 && time >= 7200 * second && time < 10_500 * second
                || host == village + 3 && time >= 15_000 * second && time < 16_200 * second
        }
        let stormFrom = 9000 * second
        let stormTo = 14_400 * second
        let storm = recorder.begin("partitions", "storm, no ferry", hosts: [UInt32(ferry)], at: stormFrom)
        let first = recorder.begin("crashes", "\(hosts[2].name) loses power", hosts: [2], at: 7200 * second)
        recorder.end(first, at: 10_500 * second)
        let second_ = recorder.begin(
            "crashes", "\(hosts[village + 3].name) restarts", hosts: [UInt32(village + 3)], at: 15_000 * second)
        recorder.end(second_, at: 16_200 * second)
        recorder.end(storm, at: stormTo)
        recorder.moment(
            "revocations", "\(hosts[2 * village + 1].name) revoked", hosts: [UInt32(2 * village + 1)],
            at: 17_000 * second)
        for from in [3000, 15_600, 19_000] {
            let bridge = recorder.begin("bridges", "boat", hosts: [UInt32(ferry)], at: UInt64(from) * second)
            recorder.end(bridge, at: UInt64(from + 900) * second)
        }

        var time: UInt64 = 0
        while time <= duration {
            // People wander about their village; the ferry goes round in fifty minutes, and rests in the storm.
            for host in 0..<ferry {
                let centre = centres[home[host]]
                places[host].x += (chance.unit() - 0.5) * 30 + (centre.x - places[host].x) * 0.025
                places[host].y += (chance.unit() - 0.5) * 30 + (centre.y - places[host].y) * 0.025
            }
            if time < stormFrom || time >= stormTo {
                let around = Double(time / second % 3000) / 1000
                let leg = Int(around)
                let part = min(1, (around - Double(leg)) * 1.6)
                places[ferry].x = centres[leg].x + (centres[(leg + 1) % 3].x - centres[leg].x) * part
                places[ferry].y = centres[leg].y + (centres[(leg + 1) % 3].y - centres[leg].y) * part
            }
            var near: [(Int, Int)] = []
            for a in 0..<count {
                for b in (a + 1)..<count {
                    let dx = places[a].x - places[b].x
                    let dy = places[a].y - places[b].y
                    let range = b == ferry ? 85.0 : 45.0
                    let isNear = dx * dx + dy * dy < range * range && !isDown(a, time) && !isDown(b, time)
                    if isNear { near.append((a, b)) }
                    let key = a * count + b
                    if isNear, open.insert(key).inserted {
                        recorder.linkUp(UInt32(a), UInt32(b), kind: b == ferry ? 1 : 0, at: time)
                        recorder.bytes(130, frame: 4, at: time)
                        spent[4].count += 2
                        spent[4].bytes += 130
                    } else if !isNear, open.remove(key) != nil {
                        recorder.linkDown(UInt32(a), UInt32(b), kind: b == ferry ? 1 : 0, at: time)
                    }
                }
            }
            while letters.count < letterCount, time * UInt64(letterCount) >= UInt64(letters.count) * duration * 4 / 5 {
                let from = chance.below(ferry)
                let to = (from + 1 + chance.below(ferry - 1)) % ferry
                let bytes = 300 + chance.below(1100)
                let name = letters.count % 4 == 0 ? "P1" : "P2"
                recorder.created(
                    UInt64(letters.count), name: "m\(letters.count)", class: name, from: UInt32(from), to: UInt32(to),
                    bytes: bytes, at: time)
                seen[from].insert(letters.count)
                buffers[from].append(Copy(message: letters.count, at: time))
                letters.append(
                    Letter(from: from, to: to, created: time, bytes: bytes, class: name, reachable: [from]))
            }
            // What could be reached: without buffers and rates a message is at once wherever a contact leads.
            for index in letters.indices where letters[index].oracle == nil {
                var grew = true
                while grew {
                    grew = false
                    for (a, b) in near
                    where letters[index].reachable.contains(a) != letters[index].reachable.contains(b) {
                        letters[index].reachable.formUnion([a, b])
                        grew = true
                    }
                }
                if letters[index].reachable.contains(letters[index].to) { letters[index].oracle = time }
            }
            for host in 0..<count {
                let before = buffers[host].count
                buffers[host].removeAll { time - $0.at > 5400 * second }
                counters.removed += before - buffers[host].count
            }
            for (number, (a, b)) in near.enumerated() {
                for (from, to) in [(a, b), (b, a)] {
                    guard let copy = buffers[from].first(where: { !seen[to].contains($0.message) }) else { continue }
                    counters.started += 1
                    if chance.below(30) == 0 {
                        counters.aborted += 1
                        continue
                    }
                    let at = time + UInt64(number % 200) * 200_000
                    let letter = letters[copy.message]
                    counters.relayed += 1
                    seen[to].insert(copy.message)
                    recorder.hop(UInt64(copy.message), from: UInt32(from), to: UInt32(to), at: at)
                    for (frame, bytes) in [(0, letter.bytes), (1, 40), (2, 36), (3, 24)] {
                        recorder.bytes(UInt64(bytes), frame: frame, at: at)
                        spent[frame].count += 1
                        spent[frame].bytes += UInt64(bytes)
                    }
                    if letter.to == to, letter.delivered == nil {
                        letters[copy.message].delivered = at
                        recorder.delivered(UInt64(copy.message), at: at)
                        continue
                    }
                    buffers[to].append(Copy(message: copy.message, at: at))
                    if buffers[to].count > quota {
                        buffers[to].removeFirst()
                        counters.dropped += 1
                    }
                }
            }
            for host in 0..<count {
                recorder.bytes(12, frame: 5, at: time)
                spent[5].count += 1
                spent[5].bytes += 12
                recorder.fill(UInt32(host), Double(buffers[host].count) / Double(quota), at: time)
                let held = UInt64(buffers[host].reduce(0) { $0 + letters[$1.message].bytes })
                if held > fullest.bytes {
                    fullest.bytes = held
                    fullest.host = hosts[host].name
                    fullest.time = time
                }
            }
            if placed, let due = recorder.nextPlaces, due <= time {
                recorder.places(places.flatMap { [Float($0.x), Float($0.y)] }, at: time)
            }
            time += step
        }

        func row(_ name: String) -> (created: Int, delays: [UInt64], oracle: [UInt64]) {
            let mine = letters.filter { name == "all" || $0.class == name }
            return (
                mine.count, mine.compactMap { letter in letter.delivered.map { $0 - letter.created } },
                mine.compactMap { letter in letter.oracle.map { $0 - letter.created } }
            )
        }
        let rows = ["all", "P1", "P2"].map { ($0, row($0)) }
        recording = recorder.finish(
            at: duration,
            curves: rows.map { DeliveryCurve(name: $0, created: $1.created, delays: $1.delays, oracle: $1.oracle) },
            oracle: { letters[Int($0)].oracle })

        var result = RunResult(
            name: "three-villages", seed: seed, level: .contact,
            scenarioHash: "5f1c0b7ae3d94c2290b7e6f3a1d85c44", traceDigest: "c2a94e07d31b5586fe20914bd6a7730f",
            hosts: count, simulatedSeconds: 21_600)
        result.about = "Three villages on a lake; a ferry carries their mail, and rests while a storm lasts."
        result.build = "sample"
        result.replay = "covey-sim run simulations/three-villages.yaml --seed \(seed) --level contact"
        result.options = [
            NamedText(name: "storm length", text: "1 h 30 min"), NamedText(name: "ferry speed", text: "3.2 m/s"),
        ]
        counters.created = letters.count
        counters.delivered = letters.count { $0.delivered != nil }
        result.counters = counters
        result.delivery = rows.map {
            ClassDelivery(name: $0, created: $1.created, delays: $1.delays, oracle: $1.oracle)
        }
        let all = result.delivery[0]
        result.overhead = Double(counters.relayed - counters.delivered) / Double(max(1, counters.delivered))
        result.bytesByFrame = spent.sorted { $0.bytes > $1.bytes }
        let total = spent.reduce(0) { $0 + $1.bytes }
        result.bytesByLink = [
            Tally(name: "wifi", count: UInt64(counters.started), bytes: total / 10 * 9),
            Tally(name: "radio", count: UInt64(counters.started / 9), bytes: total - total / 10 * 9),
        ]
        result.reconciliation = Reconciliation(bytes: spent[4].bytes, differences: UInt64(counters.relayed))
        result.interning = [
            InterningCounter(
                name: "envelopes", kept: UInt64(letters.count), reused: UInt64(counters.relayed),
                bytesSaved: spent[0].bytes)
        ]
        result.bufferMaxima = [fullest]
        result.fairness = [
            Fairness(
                name: "delivery by sender",
                shares: (0..<ferry).compactMap { host in
                    let mine = letters.filter { $0.from == host && $0.oracle != nil }
                    return mine.isEmpty ? nil : Double(mine.count { $0.delivered != nil }) / Double(mine.count)
                })
        ]
        result.measures = [Measure(name: "longest time alone", quantity: Quantity(5400, .seconds))]
        let share = all.shareOfOracle ?? 0
        let p95 = all.delays?.p95 ?? 0
        let late = letters.first { $0.oracle != nil && $0.delivered == nil }
        result.assertions = [
            AssertionResult(
                name: "deliveryVsOracle", verdict: Verdict(held: share >= 0.99, expected: true),
                measured: Quantity(share, .share), wanted: Wanted(.atLeast, 0.99, .share),
                firstViolation: late.map { Violation(time: $0.oracle ?? 0, host: hosts[$0.to].name) },
                because: "the ferry's buffer was full while it waited for the storm to pass"),
            AssertionResult(
                name: "p95Latency", verdict: Verdict(held: p95 <= 1800, expected: false),
                measured: Quantity(p95, .seconds), wanted: Wanted(.atMost, 1800, .seconds),
                firstViolation: Violation(time: 9_420 * second, host: "ferry"),
                because: "mail waits for the ferry until two ferries are planned"),
            AssertionResult(
                name: "storeWithinQuota", verdict: .passed, measured: Quantity(0, .count),
                wanted: Wanted(.exactly, 0, .count)),
            AssertionResult(
                name: "duplicateToApp", verdict: .passed, measured: Quantity(0, .count),
                wanted: Wanted(.exactly, 0, .count)),
            AssertionResult(
                name: "overheadAtMost", verdict: Verdict(held: true, expected: false),
                measured: Quantity(result.overhead ?? 0, .ratio), wanted: Wanted(.atMost, 40, .ratio)),
            AssertionResult(
                name: "plaintextOnWire", verdict: .notJudged, because: "at contact level nothing is encrypted"),
        ]
        result.notes = ["Hosts and mail of this run are made up: it shows what a page can show."]
        result.cost.cpuSeconds = 0.82
        result.cost.peakBytes = 23_400_000
        self.result = result
    }
}
