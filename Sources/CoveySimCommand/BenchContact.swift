import CoveyContact

/// A day of 10,000 hosts that meet 1,000,000 times, and of 100,000 messages under SprayAndWait(8).
///
/// A host meets those of its own group of 50 nine times in ten, and anybody else the tenth time, for one to nine minutes.
/// Contacts are made as they are asked for.
struct BenchContact {
    var nodes = 10_000
    var contacts = 1_000_000
    var messages = 100_000

    private static let second: UInt64 = 1_000_000
    private static let day = 86_400 * second

    /// By ascending time, with those that end in between.
    private struct Meetings: ContactSource {
        private struct Ending: BitwiseCopyable {
            var a: UInt32
            var b: UInt32
        }

        private var dice = Dice(seed: 1).stream("bench-contact")
        private let nodes: Int
        private let count: Int
        private var begun = 0
        private var start: UInt64 = 0
        private var endings = EventWheel<Ending>()

        init(nodes: Int, count: Int) {
            self.nodes = nodes
            self.count = count
        }

        mutating func next() -> ContactChange? {
            let isMore = begun < count
            if let ending = endings.pop(upTo: isMore ? start : .max) {
                return ContactChange(time: ending.time, a: ending.payload.a, b: ending.payload.b, isUp: false)
            }
            guard isMore else { return nil }
            begun += 1
            let now = start
            start = UInt64(begun) * (BenchContact.day / UInt64(count)) & ~63
            let a = dice.below(nodes)
            var b = a
            while b == a {
                b = dice.chance(0.9) ? a / 50 * 50 + dice.below(min(50, nodes - a / 50 * 50)) : dice.below(nodes)
            }
            endings.push(
                at: now + (60 + dice.below(480 as UInt64)) * BenchContact.second, Ending(a: UInt32(a), b: UInt32(b)))
            return ContactChange(time: now, a: UInt32(a), b: UInt32(b), isUp: true)
        }
    }

    func run() {
        var dice = Dice(seed: 1).stream("bench-messages")
        let planned = (0..<messages).map { number in
            let from = UInt32(dice.below(nodes))
            let to = (from + 1 + UInt32(dice.below(nodes - 1))) % UInt32(nodes)
            return PlannedMessage(
                name: "", time: UInt64(number) * (Self.day / UInt64(messages)), from: from, to: to, size: 10_000)
        }
        var settings = ContactSettings(
            nodes: nodes, end: Self.day, lifetime: Self.day, buffer: 50_000_000, rate: 250_000)
        settings.order = .ranked

        let memory = Usage.peakMemory
        let start = Usage.processor
        let result = ContactRouter.sprayAndWait(copies: 8).run(
            Meetings(nodes: nodes, count: contacts), messages: planned, settings: settings)
        let used = Usage.processor - start

        var figures = Figures("contact")
        figures.set("nodes", nodes)
        figures.set("contacts", contacts)
        figures.set("messages", messages)
        figures.set("relayed", result.counters.relayed)
        figures.set("delivered", result.counters.delivered)
        figures.set("mean_latency_s", result.meanLatency(planned))
        figures.set("most_copies_held", result.mostHeld)
        figures.set("cpu_s", used)
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.set("run_rss_bytes_a_copy", Double(Usage.peakMemory - memory) * 1024 / Double(max(1, result.mostHeld)))
        figures.set("digest", result.digest)
        figures.print()
    }
}
