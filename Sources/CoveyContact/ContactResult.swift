/// What came of a study of contacts.
package struct ContactResult: Hashable, Sendable {
    package struct Delivery: Hashable, Sendable {
        /// In the list of planned messages.
        package var message: Int
        /// Microseconds.
        package var time: UInt64
        /// From the origin to the recipient, both named.
        package var path: [UInt32]

        package var hops: Int { path.count - 1 }
    }

    package var counters = MessageCounters()
    /// Copies, and own mail, that were not taken in.
    package var refused = 0
    /// First arrivals at the recipient, in their order.
    package var deliveries: [Delivery] = []
    /// Of all transfers, one after the other: two runs with the same are the same.
    package var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Copies held at the end, and the most that ever were.
    package var held = 0
    package var mostHeld = 0

    mutating func deliver(_ delivery: Delivery) {
        deliveries.append(delivery)
        counters.delivered += 1
    }

    /// Seconds, in the order of delivery.
    package func latencies(_ messages: [PlannedMessage]) -> [Double] {
        deliveries.map { Double($0.time - messages[$0.message].time) / 1_000_000 }
    }

    /// Seconds; 0 when nothing was delivered.
    package func meanLatency(_ messages: [PlannedMessage]) -> Double {
        let all = latencies(messages)
        return all.isEmpty ? 0 : all.reduce(0, +) / Double(all.count)
    }

    mutating func mix(_ value: UInt64) { digest = (digest ^ value) &* 0x100_0000_01b3 }
}
