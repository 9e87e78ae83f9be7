/// One message at its destination.
package struct OneDelivery: Equatable, Sendable {
    package var name: String
    /// Seconds since the world began.
    package var time: Double
    /// Seconds since it was created.
    package var latency: Double
    /// From the source to the destination, both included.
    package var path: [UInt32]

    package var hops: Int { path.count - 1 }

    package init(name: String, time: Double, latency: Double, path: [UInt32]) {
        self.name = name
        self.time = time
        self.latency = latency
        self.path = path
    }
}

package struct OneResult: Equatable, Sendable {
    package var counters: MessageCounters
    /// In the order of their arrival.
    package var delivered: [OneDelivery]

    package init(counters: MessageCounters, delivered: [OneDelivery]) {
        self.counters = counters
        self.delivered = delivered
    }

    package var deliveryProbability: Double { Double(counters.delivered) / Double(counters.created) }
    package var overheadRatio: Double {
        Double(counters.relayed - counters.delivered) / Double(counters.delivered)
    }
    /// Seconds, summed in the order of arrival; not a number when nothing arrived.
    package var latencyAverage: Double { Self.average(delivered.map(\.latency)) }
    package var latencyMedian: Double { Self.median(delivered.map(\.latency)) }
    package var hopAverage: Double { Self.average(delivered.map { Double($0.hops) }) }
    package var hopMedian: Double { Self.median(delivered.map { Double($0.hops) }) }

    private static func average(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The upper of the two in the middle.
    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
