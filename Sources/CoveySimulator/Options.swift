extension World {
    /// What a world is like besides its seed.
    public struct Options: Hashable, Sendable, CustomStringConvertible {
        /// The segment all hosts are on unless told otherwise; nil: hosts reach each other only where they are connected.
        public var lan: LinkQuality? = .lan
        /// What a connection without a quality of its own is like.
        public var link: LinkQuality = .lan
        /// Of hosts that are added without a clock of their own.
        public var clock = ClockQuality.exact
        /// Of hosts that are added without a disk of their own.
        public var disk = DiskQuality.sound
        /// Seconds since 1970 at which the world begins; 2026-01-01.
        public var start: Int64 = 1_767_225_600
        /// Who signs for the mesh: the root's and the field authority's keys alike.
        public var officers = Officers.one
        /// Bytes of mail a node holds.
        public var quota: UInt64 = 1 << 30
        /// Who is given what.
        public var routing = RoutingPolicy.flood
        /// Hosts that are there when the world begins know each other's prekeys, as those of a mesh that has been up for a
        /// while do; else each makes its own at its start, and messages wait for them.
        public var startsWithKeys = true
        /// What one node has verified, a node that gets the same bytes need not verify; the report counts how often. Off:
        /// every node verifies everything.
        public var sharesChecks = true
        /// How long a dial waits for an answer.
        public var dialTimeout = Duration.seconds(10)
        /// How long a stream waits for its packets to get through before both ends give up.
        public var streamTimeout = Duration.minutes(2)
        /// Bytes a system takes from a stream's writer before the writer has to wait.
        public var socketBuffer = 64 << 10
        /// Whether streams end at once when their link is cut, as when an interface vanishes; else they go silent.
        public var cutClosesStreams = false
        /// How often checkers are asked for a sample.
        public var sampleEvery = Duration.seconds(60)
        /// Keeps all sightings for `World.sightings`.
        public var keepsSightings = true
        /// Keeps a hash of every event, to find the first one in which two runs differ.
        public var keepsTrace = false

        /// As usual: a LAN, exact clocks, sound disks, one officer, mail for everybody.
        public init() {}

        /// What is not as usual.
        public var description: String {
            let usual = Options()
            var parts: [String] = []
            func say(_ name: String, _ isUsual: Bool, _ value: Any) {
                if !isUsual { parts.append("\(name) = \(value)") }
            }
            say("lan", lan == usual.lan, lan.map { "\($0)" } ?? "none")
            say("link", link == usual.link, link)
            say("clock", clock == usual.clock, clock)
            say("disk", disk == usual.disk, disk)
            say("officers", officers == usual.officers, officers)
            say("start", start == usual.start, start)
            say("quota", quota == usual.quota, quota)
            say("routing", routing == usual.routing, routing)
            say("startsWithKeys", startsWithKeys == usual.startsWithKeys, startsWithKeys)
            say("sharesChecks", sharesChecks == usual.sharesChecks, sharesChecks)
            say("dialTimeout", dialTimeout == usual.dialTimeout, dialTimeout)
            say("streamTimeout", streamTimeout == usual.streamTimeout, streamTimeout)
            say("socketBuffer", socketBuffer == usual.socketBuffer, socketBuffer)
            say("cutClosesStreams", cutClosesStreams == usual.cutClosesStreams, cutClosesStreams)
            return parts.isEmpty ? "as usual" : parts.joined(separator: ", ")
        }
    }
}
