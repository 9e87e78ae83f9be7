/// Where hosts were at certain times; in between they went straight.
package struct RecordedMovement: Sendable {
    package struct Sighting: Sendable, BitwiseCopyable {
        /// µs since the world began.
        package var time: UInt64
        /// Metres.
        package var x: Double
        package var y: Double

        package init(time: UInt64, x: Double, y: Double) {
            self.time = time
            self.x = x
            self.y = y
        }
    }

    /// Host after host, each by ascending time.
    private var sightings: [Sighting] = []
    /// Where each host's sightings begin, and one more for the end.
    private var starts = [0]
    package private(set) var ground: Ground
    package private(set) var fastest = 0.0

    /// - Parameter hosts: for each host what was seen of it, at least once, by ascending time, no two at one time.
    package init(hosts: [[Sighting]]) {
        var width = 1.0
        var height = 1.0
        for host in hosts {
            precondition(!host.isEmpty, "every host was seen")
            for (one, two) in zip(host, host.dropFirst()) {
                precondition(one.time < two.time, "sightings of a host ascend")
                let leg = Leg(fromX: one.x, y: one.y, toX: two.x, y: two.y, from: one.time, until: two.time)
                fastest = max(fastest, (leg.vx * leg.vx + leg.vy * leg.vy).squareRoot())
            }
            for sighting in host {
                width = max(width, sighting.x)
                height = max(height, sighting.y)
            }
            sightings += host
            starts.append(sightings.count)
        }
        ground = Ground(width: min(width, Ground.maxSide), height: min(height, Ground.maxSide))
    }

    package var hosts: Int { starts.count - 1 }

    /// Before its first sighting a host is there already, after its last it stays.
    func leg(of host: UInt32, number: UInt32) -> Leg {
        let first = starts[Int(host)]
        let end = starts[Int(host) + 1]
        let start = sightings[first]
        // A wait for the first sighting counts as a leg when there is one.
        let isLate = start.time > 0
        if isLate && number == 0 { return Leg(restingAt: start.x, start.y, from: 0, until: start.time) }
        let index = first + Int(number) - (isLate ? 1 : 0)
        let here = sightings[index]
        if index + 1 == end { return Leg(restingAt: here.x, here.y, from: here.time, until: .max) }
        let there = sightings[index + 1]
        return Leg(fromX: here.x, y: here.y, toX: there.x, y: there.y, from: here.time, until: there.time)
    }
}
