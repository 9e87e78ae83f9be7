import CoveyNode

/// What a run came to.
public struct Report: Hashable, Sendable {
    /// What one checker found.
    public struct Verdict: Hashable, Sendable {
        /// Its `Checker.name`.
        public let checker: String
        /// The first; nil when all was well.
        public let violation: Violation?
        /// How many there were.
        public let violations: Int
    }

    /// What went over all wires of one kind.
    public struct Traffic: Hashable, Sendable {
        /// Datagrams, once for each receiver, and writes to streams.
        public internal(set) var count = 0
        /// Without the heads of IP, TCP and UDP.
        public internal(set) var bytes = 0
    }

    /// Frames of one type, or something else that goes over a wire.
    public struct FrameTraffic: Hashable, Sendable {
        /// `logPut`, `data normal`, `beacon`; what seals the frames of a link is `packet heads, padding and tags`.
        public let name: String
        /// How many there were.
        public let count: Int
        /// Bytes of all of them.
        public let bytes: Int
    }

    /// How often nodes found something that another one had, instead of keeping or verifying it once more.
    public struct Shared: Hashable, Sendable {
        /// Envelopes kept once for all, and how often one of them came again.
        public internal(set) var envelopes = 0
        /// Second and later comings of those.
        public internal(set) var envelopeHits = 0
        /// What copies of those would have taken.
        public internal(set) var envelopeBytesSaved = 0
        /// States of the log that were made, and log entries and revocations that were not verified again as one of these
        /// was what they led to.
        public internal(set) var rosters = 0
        /// Entries and revocations that were not verified again.
        public internal(set) var rosterSteps = 0
        /// Prekey bundles that were verified, and how often one was not verified again.
        public internal(set) var bundles = 0
        /// Verifications of bundles that were saved.
        public internal(set) var bundleChecks = 0
        /// Sets of them that were made, and how often one was not kept again.
        public internal(set) var bundleSets = 0
        /// Sets that were not kept again.
        public internal(set) var bundlePages = 0
        /// Beacons that were signed here or opened and verified, and how often one was not opened again.
        public internal(set) var beacons = 0
        /// Beacons that were not opened again.
        public internal(set) var beaconChecks = 0
        /// Bursts of links whose sealing was done, and those that their recipient did not open again.
        public internal(set) var bursts = 0
        /// Bursts that their recipient did not open.
        public internal(set) var burstChecks = 0
        /// Key agreements that were made, and those that the other device of the pair had made.
        public internal(set) var agreementsMade = 0
        /// Agreements that were not made again.
        public internal(set) var agreements = 0

        init() {}

        init(_ counts: CommonPool.Counts) {
            envelopes = counts.envelopes
            envelopeHits = counts.envelopeHits
            envelopeBytesSaved = counts.envelopeBytesSaved
            rosters = counts.rostersMade
            rosterSteps = counts.rosterSteps
            bundles = counts.bundlesMade
            bundleChecks = counts.bundleChecks
            bundleSets = counts.bundlePagesMade
            bundlePages = counts.bundlePages
            beacons = counts.beaconsMade
            beaconChecks = counts.beaconChecks
            bursts = counts.burstsKept
            burstChecks = counts.burstsOpened
            agreementsMade = counts.agreementsMade
            agreements = counts.agreements
        }
    }

    /// The world's.
    public internal(set) var seed: UInt64
    /// "full": whole nodes, real encodings.
    public internal(set) var level = "full"
    /// "simulated": a deterministic stand-in for ML-KEM, of the same sizes.
    public internal(set) var kem: String
    /// What of the world's options was not as usual, in words.
    public internal(set) var options: String
    /// Hosts that were ever added.
    public internal(set) var hosts = 0
    /// Since the world began.
    public internal(set) var time = Duration.zero
    /// `World.digest`, 64 hexadecimal digits.
    public internal(set) var digest = ""
    /// Events in and out of nodes.
    public internal(set) var events = 0
    /// Turns of nodes; each has one event.
    public internal(set) var turns = 0
    /// Messages that a node took from its user.
    public internal(set) var sent = 0
    /// Those that came to their recipients.
    public internal(set) var delivered = 0
    /// Starts of nodes.
    public internal(set) var starts = 0
    /// Losses of power, and killed processes.
    public internal(set) var crashes = 0
    /// Dials, whether they were answered or not.
    public internal(set) var connections = 0
    /// What was sent, by `FrameSummary.Kind.rawValue`, once for each receiver.
    public internal(set) var traffic: [Traffic]
    /// The same by what nodes said, the largest first. What a node wrote in the turn in which its power went is counted
    /// here and not in `traffic`.
    public internal(set) var bytesByFrame: [FrameTraffic] = []
    /// Items that reconciliation found one of two nodes to lack.
    public internal(set) var differences = 0
    /// Envelopes that came to nodes which knew them.
    public internal(set) var duplicates = 0
    /// Datagrams that did not arrive: lost, dropped by a full queue, cut off.
    public internal(set) var lost = 0
    /// Segments of streams that had to be sent again.
    public internal(set) var retransmissions = 0
    /// Transmissions on a shared medium that met another one.
    public internal(set) var collisions = 0
    /// What nodes had in common; less without `Options.sharesChecks`.
    public internal(set) var shared = Shared()
    /// One a checker, and one for each other name that `World.violate` was given.
    public internal(set) var verdicts: [Verdict] = []

    init(seed: UInt64, kem: String, options: String) {
        self.seed = seed
        self.kem = kem
        self.options = options
        traffic = Array(repeating: Traffic(), count: FrameSummary.Kind.allCases.count)
    }

    /// The traffic of one kind.
    public subscript(kind: FrameSummary.Kind) -> Traffic { traffic[Int(kind.rawValue)] }

    /// Bytes of all kinds.
    public var bytes: Int { traffic.reduce(0) { $0 + $1.bytes } }
    /// No checker found anything.
    public var isSound: Bool { verdicts.allSatisfy { $0.violation == nil } }
}
