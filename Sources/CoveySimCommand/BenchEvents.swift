import CoveyContact

/// The event core alone: messages flood a random graph. A node that hears a message for the first time sends it to all
/// its neighbours, each of which hears it 50 to 100 ms later. An event is one hearing.
struct BenchEvents {
    var nodes: Int
    var events = 20_000_000

    private struct Hearing: BitwiseCopyable {
        var node: UInt32
        var from: UInt32
        /// Counted from 1; 0 starts the next message.
        var message: UInt32
        var hops: UInt32
    }

    private static let degree = 8
    /// Messages a node remembers, the newest. A flood is over long before so many have begun.
    private static let remembered = 16

    func run() {
        var dice = Dice(seed: 1).stream("bench-events")
        let neighbours = (0..<nodes * Self.degree).map { _ in UInt32(dice.below(nodes)) }
        var seen = [UInt32](repeating: 0, count: nodes * Self.remembered)
        var wheel = EventWheel<Hearing>()
        var message: UInt32 = 0
        var checksum: UInt64 = 0
        var left = events
        var last: UInt64 = 0
        var mostPending = 0
        wheel.push(at: 0, Hearing(node: 0, from: 0, message: 0, hops: 0))

        let start = Usage.processor
        while left > 0, let (now, heard) = wheel.pop() {
            left -= 1
            last = now
            var heard = heard
            if heard.message == 0 {
                wheel.push(at: now + 100_000, heard)
                message += 1
                heard.message = message
                heard.node = UInt32(dice.below(nodes))
            }
            let slot = Int(heard.node) * Self.remembered + Int(heard.message) % Self.remembered
            if seen[slot] >= heard.message { continue }
            seen[slot] = heard.message
            checksum = (checksum ^ UInt64(heard.node) ^ now) &* 0x100_0000_01b3
            let first = Int(heard.node) * Self.degree
            for neighbour in neighbours[first..<first + Self.degree] {
                let delay = 50_000 + dice.below(50_000 as UInt64)
                wheel.push(
                    at: now + delay,
                    Hearing(node: neighbour, from: heard.node, message: heard.message, hops: heard.hops + 1))
            }
            mostPending = max(mostPending, wheel.count)
        }
        let used = Usage.processor - start

        var figures = Figures("events")
        figures.set("nodes", nodes)
        figures.set("events", events - left)
        figures.set("simulated_s", Double(last) / 1_000_000)
        figures.set("most_pending", mostPending)
        figures.set("cpu_s", used)
        figures.set("million_events_a_cpu_s", Double(events - left) / used / 1_000_000)
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.set("checksum", checksum)
        figures.print()
    }
}
