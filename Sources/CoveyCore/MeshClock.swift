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
        /// How far ahead of `now` an entry may be dated and still move the floor alone, in minutes.
        package static let entryAhead: Int64 = 48 * 60
        /// Allowed between the machine's clock and its monotonic one: this, and 1/500 of the time between.
        package static let drift: Int64 = 600_000_000
        /// The floor follows a trusted clock in steps of this, so that it need not be saved each minute.
        package static let step: Int64 = 3_600_000_000
        /// Members whose clocks must agree on the hour before anything is erased by it (sync-routing.md §2.2).
        package static let quorum = 3
        /// Peers whose clocks are kept.
        package static let mostPeers = 64
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

    /// To be saved whenever it has grown, and given to `init` after a restart.
    package private(set) var floor: Minute
    private var floorReading: Reading
    /// The first believable reading of the machine's clock since the start.
    private var reference: Reading?
    /// Newest entry time of an authority that is too far ahead to be believed alone.
    private var ahead: [LogID: Minute] = [:]
    private var peers: [DeviceID: Reading] = [:]

    package init(floor: Minute, now: Now) {
        self.floor = floor
        floorReading = Reading(wall: Self.microseconds(floor), uptime: now.uptime)
    }

    package mutating func update(now: Now) -> TimeView {
        let view = self.view(now)
        // Not before `now` itself has come near do such entries count like others.
        let arrived = ahead.values.filter { $0 <= view.now.adding(Bounds.entryAhead) }.max()
        if let arrived {
            ahead = ahead.filter { $0.value > arrived }
            raise(to: arrived, uptime: now.uptime)
            return self.view(now)
        }
        if view.isTrusted {
            let step = Self.microseconds(floor).addingReportingOverflow(Bounds.step)
            if now.wall >= step.partialValue { raise(to: view.now, uptime: now.uptime) }
        }
        return TimeView(now: view.now, isTrusted: view.isTrusted, floor: floor)
    }

    /// Takes the time of an accepted entry (rule 3).
    package mutating func observe(entry time: Minute, of log: LogID, isRoot: Bool, now: Now) {
        let view = update(now: now)
        if isRoot || time <= view.now.adding(Bounds.entryAhead) {
            raise(to: time, uptime: now.uptime)
            return
        }
        ahead[log] = max(ahead[log] ?? time, time)
        guard !view.isTrusted, ahead.count >= 2 else { return }
        // The second newest: the newest time that two authorities vouch for.
        let supported = ahead.values.sorted()[ahead.count - 2]
        raise(to: supported, uptime: now.uptime)
        ahead = ahead.filter { $0.value > supported }
    }

    /// Takes the clock of a member's HELLO, in microseconds since 1970.
    package mutating func hear(wall: Int64, from member: DeviceID, now: Now) {
        guard peers[member] != nil || peers.count < Bounds.mostPeers else { return }
        peers[member] = Reading(wall: wall, uptime: now.uptime)
    }

    package mutating func forget(_ member: DeviceID) { peers[member] = nil }

    /// What mail is dated and judged by, in microseconds since 1970: the machine's clock when it is trusted, else the
    /// median of the members' clocks, never below the floor (rule 5).
    package func mailWall(now: Now) -> Int64 {
        if isTrusted(now) { return now.wall }
        let clocks = peers.values.map { $0.at(now.uptime) }.sorted()
        let median = clocks.isEmpty ? floorReading.at(now.uptime) : clocks[(clocks.count - 1) / 2]
        return max(median, Self.microseconds(floor))
    }

    package func mailNow(now: Now) -> Minute { Minute(wall: mailWall(now: now)) }

    /// What mail and keys are erased by: never what fewer than three members say, else no later than the real time as far
    /// as can be told.
    package func expiryNow(now: Now) -> Minute {
        if isTrusted(now) || peers.count >= Bounds.quorum { return mailNow(now: now) }
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

    private func isTrusted(_ now: Now) -> Bool {
        guard isPlausible(now.wall), let reference, now.uptime >= reference.uptime else { return false }
        let elapsed = Int64(clamping: now.uptime - reference.uptime)
        return (now.wall - reference.at(now.uptime)).magnitude <= UInt64(Bounds.drift + elapsed / 500)
    }

    private mutating func raise(to time: Minute, uptime: UInt64) {
        guard time > floor else { return }
        floor = time
        // The time since the old floor was learnt is not lost when the new one is below where it had come to.
        let estimate = floorReading.at(uptime)
        floorReading = Reading(wall: max(estimate, Self.microseconds(time)), uptime: uptime)
    }

    private static func microseconds(_ minute: Minute) -> Int64 { Int64(minute.value) * 60_000_000 }
}
