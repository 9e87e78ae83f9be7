package import CoveyCore
package import CoveyReport

/// One message to one host, and what became of it.
package struct Mail: Hashable, Sendable {
    /// In the expansion's letters; copies of a broadcast share it.
    package var letter: Int
    package var from: UInt32
    package var to: UInt32
    package var bytes: Int
    package var priority: Priority
    /// Microseconds.
    package var created: UInt64
    package var expiry: UInt64
    /// First time it came to its recipient.
    package var delivered: UInt64?
    /// The earliest that it could have come; nil when it could not before it expired or the run ended.
    package var oracle: UInt64?
    /// The oracle looked for it; where there are too many, it looks for some of all.
    package var isForeseen = true
    /// There was a way through when it was written.
    package var wasConnected = false
    /// Why it never left; nil when it did.
    package var unsent: String?

    package var className: String { priority.word }

    /// What came after its time does not count.
    package var arrived: UInt64? { delivered.flatMap { $0 < expiry ? $0 : nil } }
}

/// What a run showed, as far as its level shows it: what claims are judged by. Nil: this level does not show it.
package struct Evidence: Sendable {
    package struct Heal: Hashable, Sendable {
        package var at: UInt64
        /// Until no two hosts in contact differed in what there had been; nil: not while it was looked at.
        package var took: UInt64?
        /// How long it was looked at.
        package var watched: UInt64
        /// Two that differed to the last.
        package var differing: (UInt32, UInt32)? {
            get { one.flatMap { one in other.map { (one, $0) } } }
            set { (one, other) = (newValue?.0, newValue?.1) }
        }
        private var one: UInt32?
        private var other: UInt32?

        package init(at: UInt64, watched: UInt64) {
            self.at = at
            self.watched = watched
        }
    }

    package struct RevocationSpread: Hashable, Sendable {
        package var device: UInt32
        package var at: UInt64
        /// When the last honest host that was up had heard; nil: not before the end.
        package var everywhere: UInt64?
        /// Members in the end that could have heard of it before the end, over the contacts there were.
        package var reachable = 0
        /// After how long each of them had heard, ascending.
        package var delays: [UInt64] = []
        /// After how long each could have, ascending.
        package var oracle: [UInt64] = []

        package init(device: UInt32, at: UInt64) {
            self.device = device
            self.at = at
        }

        /// After how long this share of those who could had heard; nil: not before the end.
        package func heard(by share: Double) -> UInt64? { Self.place(share, of: delays, among: reachable) }

        package func foreseen(by share: Double) -> UInt64? { Self.place(share, of: oracle, among: reachable) }

        private static func place(_ share: Double, of delays: [UInt64], among count: Int) -> UInt64? {
            let place = max(0, Int((share * Double(count)).rounded(.up)) - 1)
            return place < delays.count ? delays[place] : nil
        }
    }

    /// The most there was of something, where and when.
    package struct Extreme: Hashable, Sendable {
        package var value: Double
        package var host: UInt32?
        package var time: UInt64
    }

    /// Something that must not happen, looked for.
    package struct Watch: Hashable, Sendable {
        package var count = 0
        package var first: Extreme?
        /// What it was, in a sentence.
        package var text: String?

        package init() {}
    }

    package var level: DetailLevel
    package var duration: UInt64
    package var mails: [Mail] = []
    /// Copies that came to a host.
    package var relayed: Int?
    package var heals: [Heal]?
    package var revocations: [RevocationSpread]?
    /// Bytes each host sent.
    package var sentByHost: [UInt64]?
    package var largestFrame: Extreme?
    /// Links of one host at once.
    package var largestDegree: Extreme?
    /// Share of an hour that a host was on the air over links with a duty cycle, in parts of what it may.
    package var largestDuty: Extreme?
    package var reconciliation: Reconciliation?
    /// What went over which kind of link.
    package var wire: WireBook?
    /// Envelopes that came to hosts which knew them.
    package var duplicates: Int?
    package var bufferMaxima: [BufferMaximum] = []
    package var bytesByFrame: [Tally] = []
    package var interning: [InterningCounter] = []
    /// Which invariants and conditions were looked for, and what was found.
    package var watches: [String: Watch] = [:]
    /// Hosts that crashed and are not up at the end as they should be, with the reason.
    package var notRecovered: [(host: UInt32, reason: String)]?
    package var wallSeconds = 0.0

    package init(level: DetailLevel, duration: UInt64) {
        self.level = level
        self.duration = duration
    }
}
