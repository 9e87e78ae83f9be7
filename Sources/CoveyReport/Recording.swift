/// What a recording may hold at most, so that one page can show it.
package enum RecordingBounds {
    /// Columns of everything over time.
    package static let bins = 240
    /// Rows of the heat map; more hosts share rows.
    package static let heatRows = 200
    /// Contacts drawn.
    package static let contacts = 30_000
    /// Host positions, all frames together.
    package static let positions = 200_000
    /// Component labels, all instants together.
    package static let labels = 250_000
    /// Intervals on the timeline.
    package static let intervals = 2_000
    /// Hosts named by one interval; more are counted.
    package static let intervalHosts = 64
    /// Messages whose path is kept.
    package static let paths = 200
    /// Hops of one message; those that led to its recipient are always among them.
    package static let hops = 400
    /// Points of one delivery curve.
    package static let curvePoints = 200
    /// Frame types shown; the smallest share a row.
    package static let frameTypes = 16
    /// Bytes of a file that is read.
    package static let fileBytes = 256 << 20
}

/// What a run looked like over time: `recording.json`, for people to look at. Never used to judge a run. Its size is
/// bounded whatever the run's: where there was more, every n-th is kept and n stands beside it. All times are
/// microseconds since the world began.
package struct Recording: Codable, Hashable, Sendable {
    package static let schema = 1

    package struct Host: Codable, Hashable, Sendable {
        package var name: String
        package var group: String

        package init(name: String, group: String) {
            self.name = name
            self.group = group
        }
    }

    /// Two hosts could speak, from a time to a time.
    package struct Contact: Codable, Hashable, Sendable {
        package var a: UInt32
        package var b: UInt32
        package var from: UInt64
        package var to: UInt64
        /// Index into `linkKinds`.
        package var kind: Int
    }

    /// Where hosts were at one instant: metres, x and y in turn, host by host.
    package struct Positions: Codable, Hashable, Sendable {
        package var time: UInt64
        package var places: [Float]
    }

    /// Which hosts could reach which at one instant: each host's label is the first host of its component.
    package struct Components: Codable, Hashable, Sendable {
        package var time: UInt64
        package var labels: [UInt32]
    }

    /// Something that lasted, or happened when `from` equals `to`.
    package struct Interval: Codable, Hashable, Sendable {
        /// The lane it stands in, a plural: `partitions`, `crashes`, `revocations`, `bridges`.
        package var lane: String
        package var label: String
        package var from: UInt64
        package var to: UInt64
        package var hosts: [UInt32]
        /// Hosts concerned beyond those named.
        package var furtherHosts: Int
    }

    /// Bytes of one frame type, bin by bin.
    package struct FrameBytes: Codable, Hashable, Sendable {
        package var name: String
        package var bytes: [UInt64]
    }

    /// How full a host's buffer was at most in each bin, in thousandths; the mean of several hosts where they share
    /// the row.
    package struct HeatRow: Codable, Hashable, Sendable {
        package var firstHost: UInt32
        package var hosts: Int
        package var fill: [Int]
    }

    /// A first copy of the message came to a host.
    package struct Hop: Codable, Hashable, Sendable {
        package var time: UInt64
        package var from: UInt32
        package var to: UInt32
    }

    package struct Path: Codable, Hashable, Sendable {
        package var message: String
        package var `class`: String
        package var from: UInt32
        /// Nil for a message to many.
        package var to: UInt32?
        package var bytes: Int
        package var created: UInt64
        package var delivered: UInt64?
        /// When the oracle delivers it.
        package var oracle: UInt64?
        /// By ascending time.
        package var hops: [Hop]
        package var furtherHops: Int
    }

    package var schema = Recording.schema
    package var duration: UInt64
    /// The width of a bin; the last may be cut short by the end.
    package var bin: UInt64
    package var hosts: [Host]
    package var linkKinds: [String]
    /// By ascending `from`. Every `contactStride`-th contact that there was.
    package var contacts: [Contact]
    package var contactStride: Int
    /// By ascending time; empty where hosts have no place.
    package var positions: [Positions]
    package var components: [Components]
    package var intervals: [Interval]
    package var intervalStride: Int
    /// Largest first.
    package var frames: [FrameBytes]
    package var heat: [HeatRow]
    package var curves: [DeliveryCurve]
    /// By creation. Every `pathStride`-th message that there was.
    package var paths: [Path]
    package var pathStride: Int
}

/// Delays in ascending order, thinned to points that are evenly spaced by rank.
package struct DeliveryCurve: Codable, Hashable, Sendable {
    /// `all`, `P1`, ….
    package var name: String
    package var created: Int
    package var delivered: Int
    package var reachable: Int
    /// Microseconds: point i of n stands for rank i (count - 1) / (n - 1), rounded down.
    package var delays: [UInt64]
    package var oracleDelays: [UInt64]

    /// Delays in microseconds, in any order.
    package init(name: String, created: Int, delays: [UInt64], oracle: [UInt64]) {
        self.name = name
        self.created = created
        delivered = delays.count
        reachable = oracle.count
        self.delays = Self.thinned(delays.sorted())
        oracleDelays = Self.thinned(oracle.sorted())
    }

    private static func thinned(_ sorted: [UInt64]) -> [UInt64] {
        let points = RecordingBounds.curvePoints
        guard sorted.count > points else { return sorted }
        return (0..<points).map { sorted[$0 * (sorted.count - 1) / (points - 1)] }
    }
}
