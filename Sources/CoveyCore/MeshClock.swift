/// What a node knows of time when it decides (protocol.md §1.5).
package struct TimeView: Hashable, Sendable {
    package let now: Minute
    /// Whether `now` is the machine's clock, and that one is believed.
    package let isTrusted: Bool
    /// No later than the real time, as far as the signed log can tell.
    package let floor: Minute

    package init(now: Minute, isTrusted: Bool, floor: Minute) {
        self.now = now
        self.isTrusted = isTrusted
        self.floor = floor
    }
}

/// Two clocks out of an unreliable one: `update` for certificates and staleness, `mailWall` for mail (protocol.md §1.5).
///
/// Certificates and the log move the floor; what peers say of the hour only ever dates mail.
package struct MeshClock: Sendable {
    package enum Bounds {
        /// Furthest the machine's clock may stand above the floor.
        package static let mostAhead: Int64 = 400 * 86_400_000_000
        /// How far ahead an entry may be dated and still move the floor, or be gone by, on one authority's word; minutes.
        package static let entryAhead: Int64 = 48 * 60
        /// Allowed between the machine's clock and its monotonic one: this, and 1/500 of the time between.
        package static let drift: Int64 = 600_000_000
        /// The floor follows a trusted clock in steps of this, so that it need not be saved each minute.
        package static let step: Int64 = 3_600_000_000
        /// Members whose clocks must agree on the hour before anything is erased by it (sync-routing.md §2.2).
        package static let quorum = 3
        /// Furthest a member's clock may lie from the median of those that date mail, before somebody is told.
        package static let mostSpread: UInt64 = 900_000_000
        /// Minutes that the machine's clock may stand before the floor, before somebody is warned: entries of one minute are
        /// dated one after the other, and clocks that people set differ by as much.
        package static let mostBehind = 15
        /// Peers whose clocks are kept.
        package static let mostPeers = 64
        /// Timekeepers whose last word is kept, and for how many microseconds of uptime.
        package static let mostTimekeepers = 8
        package static let attestationLife: UInt64 = 3_600_000_000
        /// Microseconds that a timekeeper who is alone with its word may differ from our own estimate.
        package static let aloneWithin: Int64 = 600_000_000
    }

    /// Why the machine's clock is not believed.
    package enum Fault: Hashable, Sendable {
        /// It stands before the floor: time has been later already.
        case behind
        /// It stands more than 400 days after the floor.
        case farAhead
        /// It jumped: it and the monotonic clock no longer agree.
        case jumped
        /// Two timekeepers agree on another time.
        case contradicted
    }

    /// What became of a timekeeper's word.
    package enum Attested: Hashable, Sendable {
        /// Two agree: the floor is theirs.
        case agreed
        /// One, near enough to our own estimate.
        case near
        /// Kept until another says the same.
        case alone
        /// Too vague, or too many.
        case unused
    }

    /// Members' clocks that date mail here, and do not agree on the hour (rule 5).
    package struct Spread: Hashable, Sendable {
        package let members: Int
        /// Between the earliest and the latest of them.
        package let minutes: Int
    }

    private struct Reading: Sendable {
        let wall: Int64
        let uptime: UInt64

        func at(_ uptime: UInt64) -> Int64 {
            let elapsed = Int64(clamping: uptime >= self.uptime ? uptime - self.uptime : 0)
            let (sum, overflows) = wall.addingReportingOverflow(elapsed)
            return overflows ? Int64.max : sum
        }
    }

    /// Between which two instants the time was, at one reading of the monotonic clock.
    private struct Span: Sendable {
        let earliest: Reading
        let latest: Reading

        /// Minutes are cut off, not rounded: the last one counts whole.
        init(_ attestation: TimeAttestation, uptime: UInt64) {
            let radius = Int64(attestation.radius)
            earliest = Reading(wall: microseconds(attestation.time.adding(-radius)), uptime: uptime)
            latest = Reading(wall: microseconds(attestation.time.adding(radius + 1)), uptime: uptime)
        }

        /// What both allow, at `uptime`; nil when they contradict each other.
        init?(_ first: Span, _ second: Span, at uptime: UInt64) {
            let earliest = max(first.earliest.at(uptime), second.earliest.at(uptime))
            let latest = min(first.latest.at(uptime), second.latest.at(uptime))
            guard earliest <= latest else { return nil }
            self.earliest = Reading(wall: earliest, uptime: uptime)
            self.latest = Reading(wall: latest, uptime: uptime)
        }

        func contains(_ wall: Int64, within slack: Int64, at uptime: UInt64) -> Bool {
            wall >= earliest.at(uptime) - slack && wall <= latest.at(uptime) + slack
        }
    }

    /// To be saved whenever it has grown, and given to `init` after a restart.
    package private(set) var floor: Minute
    private var floorReading: Reading
    /// The first believable reading of the machine's clock since the start.
    private var reference: Reading?
    /// Newest entry time of each authority but the root that is beyond our own estimate.
    private var words: [LogID: Minute] = [:]
    private var peers: [DeviceID: Reading] = [:]
    /// What no single authority or timekeeper can drag along: the time without the word of one that is alone with it.
    private var ownReading: Reading
    /// That, in steps of an hour: to be saved with the floor.
    package private(set) var own: Minute
    private var timekeepers: [SubjectID: Span] = [:]
    /// What two timekeepers agreed on last, and who they are.
    private var attested: Span?
    private var witnesses: [SubjectID] = []

    /// - Parameter own: as it was saved with the floor; nil where the floor is all there is.
    package init(floor: Minute, own: Minute? = nil, now: Now) {
        self.floor = floor
        self.own = own ?? floor
        floorReading = Reading(wall: Self.microseconds(floor), uptime: now.uptime)
        ownReading = Reading(wall: Self.microseconds(self.own), uptime: now.uptime)
    }

    package mutating func update(now: Now) -> TimeView {
        var view = self.view(now)
        if view.isTrusted {
            ownReading = Reading(wall: now.wall, uptime: now.uptime)
            if now.wall >= Self.microseconds(floor) + Bounds.step { raise(to: view.now, uptime: now.uptime) }
        }
        if !words.isEmpty {
            weighWords(isTrusted: view.isTrusted, uptime: now.uptime)
            view = self.view(now)
        }
        let estimate = ownReading.at(now.uptime)
        if estimate >= Self.microseconds(own) + Bounds.step {
            own = Minute(wall: estimate)
        }
        return TimeView(now: view.now, isTrusted: view.isTrusted, floor: floor)
    }

    /// Takes the time of an accepted entry that counts (rule 3).
    package mutating func observe(entry time: Minute, of log: LogID, isRoot: Bool, now: Now) {
        let view = update(now: now)
        guard !isRoot else { return agree(on: time, uptime: now.uptime) }
        guard Self.microseconds(time) > ownReading.at(now.uptime) else { return raise(to: time, uptime: now.uptime) }
        // What this authority says within two days is taken before what it says beyond.
        if isNear(time, now.uptime) { raise(to: time, uptime: now.uptime) }
        words[log] = max(words[log] ?? time, time)
        weighWords(isTrusted: view.isTrusted, uptime: now.uptime)
    }

    /// Takes the times of many entries of one log, ascending.
    package mutating func observe(entries times: [Minute], of log: LogID, isRoot: Bool, now: Now) {
        guard let last = times.last else { return }
        _ = update(now: now)
        let near = times.partitioningIndex { !isNear($0, now.uptime) }
        if !isRoot, near > 0 { observe(entry: times[near - 1], of: log, isRoot: false, now: now) }
        observe(entry: last, of: log, isRoot: isRoot, now: now)
    }

    /// What entries of a log said counts no more. The floor stays where it is: it never goes back.
    package mutating func disbelieve(entriesOf log: LogID) { words[log] = nil }

    /// Takes the time at which this device was enrolled: whoever did that in person told it the hour as well.
    package mutating func observe(enrolment time: Minute, now: Now) { agree(on: time, uptime: now.uptime) }

    /// One authority alone moves the floor two days beyond our own estimate, whatever it said before; two that agree move
    /// the estimate, while the machine's clock is not believed.
    private mutating func weighWords(isTrusted: Bool, uptime: UInt64) {
        if !isTrusted, words.count >= 2 {
            // The second newest: the newest time that two authorities vouch for.
            agree(on: words.values.sorted()[words.count - 2], uptime: uptime)
        }
        if let near = words.values.filter({ isNear($0, uptime) }).max() { raise(to: near, uptime: uptime) }
        let estimate = ownReading.at(uptime)
        words = words.filter { Self.microseconds($0.value) > estimate }
    }

    /// Whether one authority may say that it is this late.
    private func isNear(_ time: Minute, _ uptime: UInt64) -> Bool {
        time <= Minute(wall: ownReading.at(uptime)).adding(Bounds.entryAhead)
    }

    /// Takes the clock of a member's HELLO, in microseconds since 1970.
    package mutating func hear(wall: Int64, from member: DeviceID, now: Now) {
        guard peers[member] != nil || peers.count < Bounds.mostPeers else { return }
        peers[member] = Reading(wall: wall, uptime: now.uptime)
    }

    /// Takes what a timekeeper signed just now (rule 6): two that agree move the floor; one alone does when it is near
    /// to what we think ourselves. However often it says so, it moves the floor by no more than that.
    ///
    /// - Parameter subject: of the timekeeper's device. Two devices of one person are one timekeeper.
    package mutating func hear(
        _ attestation: TimeAttestation, from member: SubjectID, now: Now
    ) -> Attested {
        guard attestation.radius <= TimeAttestation.Bounds.mostRadius else { return .unused }
        let word = Span(attestation, uptime: now.uptime)
        timekeepers = timekeepers.filter { $0.value.earliest.uptime + Bounds.attestationLife > now.uptime }
        guard timekeepers[member] != nil || timekeepers.count < Bounds.mostTimekeepers else { return .unused }
        timekeepers[member] = word
        // The latest that two allow: what a third says that is wrong does not stand between them.
        let common = timekeepers.filter { $0.key != member }
            .compactMap { other in Span(word, other.value, at: now.uptime).map { (other.key, $0) } }
            .max { ($0.1.earliest.wall, $0.0) < ($1.1.earliest.wall, $1.0) }
        if let (other, common) = common {
            attested = common
            witnesses = [member, other]
            agree(on: Minute(wall: common.earliest.wall), uptime: now.uptime)
            // A clock that was set right since is believed again.
            if common.contains(now.wall, within: Bounds.drift, at: now.uptime), isPlausible(now.wall) {
                reference = Reading(wall: now.wall, uptime: now.uptime)
            }
            return .agreed
        }
        let estimate = isTrusted(now) ? now.wall : ownReading.at(now.uptime)
        guard (Self.microseconds(attestation.time) - estimate).magnitude < UInt64(Bounds.aloneWithin) else {
            return .alone
        }
        raise(to: Minute(wall: word.earliest.wall), uptime: now.uptime)
        return .near
    }

    package mutating func forget(_ member: DeviceID) { peers[member] = nil }

    /// A timekeeper was revoked: its word is void, and so is what another agreed on with it (protocol.md §1.9). The floor
    /// stays where it is: it never goes back.
    package mutating func disbelieve(_ timekeeper: SubjectID) {
        timekeepers[timekeeper] = nil
        guard witnesses.contains(timekeeper) else { return }
        attested = nil
        witnesses = []
    }

    /// What mail is dated and judged by, in microseconds since 1970: the machine's clock when it is trusted, else the
    /// median of the members' clocks, never below the floor (rule 5) nor outside what two timekeepers agree on.
    package func mailWall(now: Now) -> Int64 {
        if isTrusted(now) { return now.wall }
        let clocks = memberClocks(at: now.uptime)
        let median = Self.median(of: clocks) ?? floorReading.at(now.uptime)
        // Two timekeepers that agree count more than any number of HELLOs.
        guard let attested else { return max(median, Self.microseconds(floor)) }
        let bounded = min(max(median, attested.earliest.at(now.uptime)), attested.latest.at(now.uptime))
        return max(bounded, Self.microseconds(floor))
    }

    package func mailNow(now: Now) -> Minute { Minute(wall: mailWall(now: now)) }

    /// How far members' clocks lie apart when mail goes by them and one of them lies far from their median; nil when mail
    /// does not go by them, or they agree.
    package func spread(now: Now) -> Spread? {
        guard !isTrusted(now), attested == nil else { return nil }
        let clocks = memberClocks(at: now.uptime)
        guard let median = Self.median(of: clocks), let first = clocks.first, let last = clocks.last,
            max(Self.distance(first, median), Self.distance(median, last)) > Bounds.mostSpread
        else { return nil }
        return Spread(members: clocks.count, minutes: Int(clamping: Self.distance(first, last) / 60_000_000))
    }

    /// Ascending.
    private func memberClocks(at uptime: UInt64) -> [Int64] { peers.values.map { $0.at(uptime) }.sorted() }

    /// Of ascending clocks; the earlier of two.
    private static func median(of clocks: [Int64]) -> Int64? {
        clocks.isEmpty ? nil : clocks[(clocks.count - 1) / 2]
    }

    /// From an earlier clock to a later one, which may lie further apart than 63 bits count.
    private static func distance(_ earlier: Int64, _ later: Int64) -> UInt64 {
        UInt64(bitPattern: later) &- UInt64(bitPattern: earlier)
    }

    /// What mail and keys are erased by: never what fewer than three members say, else no later than the real time as far
    /// as can be told.
    package func expiryNow(now: Now) -> Minute {
        if isTrusted(now) || attested != nil || peers.count >= Bounds.quorum { return mailNow(now: now) }
        return max(Minute(wall: floorReading.at(now.uptime)), floor)
    }

    private mutating func view(_ now: Now) -> TimeView {
        if reference == nil, isPlausible(now.wall) { reference = Reading(wall: now.wall, uptime: now.uptime) }
        let isTrusted = isTrusted(now)
        let wall = isTrusted ? now.wall : floorReading.at(now.uptime)
        return TimeView(now: max(Minute(wall: wall), floor), isTrusted: isTrusted, floor: floor)
    }

    private func isPlausible(_ wall: Int64) -> Bool {
        let least = Self.microseconds(floor)
        return wall >= least && wall - least <= Bounds.mostAhead
    }

    private func isTrusted(_ now: Now) -> Bool { fault(now: now) == nil }

    /// Why the machine's clock is not believed now; nil when it is (rule 2).
    package func fault(now: Now) -> Fault? {
        guard isPlausible(now.wall) else { return now.wall < Self.microseconds(floor) ? .behind : .farAhead }
        if let attested, !attested.contains(now.wall, within: Bounds.drift, at: now.uptime) { return .contradicted }
        guard let reference, now.uptime >= reference.uptime else { return .jumped }
        let elapsed = Int64(clamping: now.uptime - reference.uptime)
        let isSteady = (now.wall - reference.at(now.uptime)).magnitude <= UInt64(Bounds.drift + elapsed / 500)
        return isSteady ? nil : .jumped
    }

    /// Whole minutes, the begun one counted, that the machine's clock stands before the floor; nil when it does not.
    package func behind(now: Now) -> Int? {
        let floor = Self.microseconds(floor)
        return now.wall < floor ? Int(clamping: (Self.distance(now.wall, floor) + 59_999_999) / 60_000_000) : nil
    }

    private mutating func raise(to time: Minute, uptime: UInt64) {
        guard time > floor else { return }
        floor = time
        // The time since the old floor was learnt is not lost when the new one is below where it had come to.
        let estimate = floorReading.at(uptime)
        floorReading = Reading(wall: max(estimate, Self.microseconds(time)), uptime: uptime)
    }

    /// As `raise`, and our own estimate goes along.
    private mutating func agree(on time: Minute, uptime: UInt64) {
        raise(to: time, uptime: uptime)
        let wall = Self.microseconds(time)
        if wall > ownReading.at(uptime) { ownReading = Reading(wall: wall, uptime: uptime) }
    }

    private static func microseconds(_ minute: Minute) -> Int64 { Int64(minute.value) * 60_000_000 }
}

extension Membership {
    /// Whether an entry tells the time: it counts, and whoever wrote it may act at all.
    package func tellsTime(_ entry: LogEntry) -> Bool {
        counts(EntryPlace(entry)) && (entry.log == releaseLog || limits(of: entry.log) != nil)
    }

    /// When the newest entry of a log was made that tells the time; nil when none does.
    package func timeTold(by log: LogID) -> Minute? {
        guard log == releaseLog || limits(of: log) != nil, let ids = logs[log]?.ids else { return nil }
        let last = min(grantLimit(of: log), UInt64(ids.count))
        guard last > 0 else { return nil }
        return time(of: ids[Int(last) - 1], at: last, in: log)
    }
}
