import CoveyContact
package import CoveyCore
import CoveyCrypto
import CoveyNode

/// A mesh of real nodes in one process, on one thread, in time that jumps from event to event.
///
/// ```swift
/// let world = World(seed: 7)
/// let ana = world.addHost("ana")
/// let bo = world.addHost("bo")
/// world.partition([ana], [bo])
/// world.send("are you there?", from: ana, to: bo)
/// world.run(for: .hours(6))
/// world.inbox(of: bo).isEmpty  // true
/// world.heal()
/// world.run(for: .minutes(5))
/// world.inbox(of: bo).map(\.text)  // ["are you there?"]
/// ```
/// The seed decides everything: keys, delays, losses, what nodes choose by chance. The same calls with the same seed give
/// the same `digest` on any machine.
public final class World {
    /// What all chance of this world comes from.
    public let seed: UInt64
    /// As they were at the beginning; they do not change.
    public let options: Options
    /// In the order in which they were added.
    public private(set) var hosts: [Host] = []
    private let origin: (file: String, function: String)

    // Time.
    var now: UInt64 = 0
    var wheel = EventWheel<Occurrence>()
    private var hasBegun = false
    private var hasEnded = false
    var isTurning = false

    // Dice, one stream for each purpose.
    var network: Dice
    var faults: Dice
    private let root: Dice

    // Hosts.
    var machines: [Machine] = []
    var indexOf: [DeviceID: Int] = [:]
    var enrolment: Enrolment
    /// What nodes hold in common: bytes, and what follows from bytes alone.
    let pool: CommonPool

    // The network.
    var links: [Link] = []
    var linkIndex: [UInt64: Int32] = [:]
    var segments: [SegmentState] = []
    var channels: [Channel] = []
    var streams: [Stream] = []
    var freeStreams: [UInt32] = []
    /// Streams whose packets do not get through.
    var stalled: [(index: UInt32, generation: UInt16)] = []
    var payloads = Payloads()
    var cuts: [Cut] = []
    var lastCut = 0
    var holds: [(from: UInt32, to: UInt32)] = []
    var heldDatagrams: [Occurrence] = []
    /// What was sent lately on shared media, the oldest first.
    var onAir: [Transmission] = []
    var lastTransmission: UInt32 = 0
    let dialTimeout: UInt64
    let streamTimeout: UInt64
    private var rules: [(number: Int, rule: Rule)] = []
    private var lastRule = 0

    // What happens besides.
    private var scripts: [Script?] = []
    private var freeScripts: [Int] = []
    var sticks: [Stick?] = []

    // What was seen.
    var messages: [Message] = []
    var sentIndex: [MessageID: Int] = [:]
    var seen: [Seen] = []
    var checkers: [any Checker] = []
    var taps: [any WireTap] = []
    private var violated: [(violation: Violation, count: Int)] = []
    var trace: TraceDigest
    var report: Report
    /// What was sent, by frames.
    var frames = FrameLedger()
    /// Told of the same as it is written.
    package var frameListener: (any FrameListener)?
    var spare = Effects()
    var asked: CommandID?
    var answer: Reply?

    /// - Parameters:
    ///   - file: of the test, for the command that runs it again.
    public init(seed: UInt64, options: Options = Options(), file: String = #fileID, function: String = #function) {
        self.seed = seed
        self.options = options
        origin = (file, function)
        root = Dice(seed: seed)
        network = root.stream("network")
        faults = root.stream("faults")
        enrolment = Enrolment(
            seed: seed, keys: KeysetShape(options.officers.threshold, of: options.officers.keys),
            now: Minute(wall: options.start * 1_000_000))
        pool = CommonPool(reusesChecks: options.sharesChecks)
        dialTimeout = options.dialTimeout.simulated
        streamTimeout = options.streamTimeout.simulated
        trace = TraceDigest(keepsEvents: options.keepsTrace)
        report = Report(seed: seed, kem: SimulatedKEM.name, options: options.description)
        segments = [SegmentState(physics: Physics(options.lan ?? .lan))]
    }

    // MARK: Hosts

    /// Enrols a device and gives it a node. Before the world has begun all devices are enrolled together; afterwards this
    /// is a late joiner, whose certificate others learn from itself.
    ///
    /// - Parameters:
    ///   - name: 1 to 32 bytes.
    ///   - peers: hosts whose addresses it is told, for networks without multicast.
    ///   - segments: what it is plugged into; nil: the LAN, when the world has one.
    ///   - isStarted: false leaves it switched off until `restart`.
    ///   - certificate: what its certificate says besides its keys.
    @discardableResult
    public func addHost(
        _ name: String, clock: ClockQuality? = nil, disk: DiskQuality? = nil, quota: UInt64? = nil,
        peers: [Host] = [], segments: [Segment]? = nil, isStarted: Bool = true, certificate: Certificate = .member
    ) -> Host {
        precondition(
            options.officers.threshold > 1 || !certificate.roles.needsTwo,
            "keeping time, announcing and ordering wipes take the signatures of two officers")
        let identity = enrolment.enrol(name, certificate.grant, now: minute)
        let host = add(name, identity, clock, disk, segments, isStarted)
        equip(host, identity, peers, quota)
        if hasBegun {
            enrolment.install(on: machines[host.index].store)
            if isStarted { start(machines[host.index]) }
        }
        return host
    }

    /// What a node of this device is told at its start.
    private func equip(_ host: Host, _ identity: DeviceIdentity, _ peers: [Host], _ quota: UInt64?) {
        var configuration = NodeConfiguration(genesis: enrolment.founding.genesis, identity: identity)
        configuration.peers = peers.map {
            NodeConfiguration.StaticPeer(address: machines[$0.index].address, device: machines[$0.index].identity?.id)
        }
        configuration.quota = quota ?? options.quota
        configuration.routing = options.routing.routing
        machines[host.index].configuration = configuration
        indexOf[identity.id] = host.index
    }

    /// Tells two hosts each other's addresses, as a person who sets up both does. Their nodes know it from their next start on.
    public func introduce(_ one: Host, _ other: Host) {
        checkIdle()
        for (host, peer) in [(one, other), (other, one)] {
            let peer = NodeConfiguration.StaticPeer(
                address: machines[peer.index].address, device: machines[peer.index].identity?.id)
            guard let known = machines[host.index].configuration?.peers,
                !known.contains(where: { $0.address == peer.address })
            else { continue }
            machines[host.index].configuration?.peers.append(peer)
        }
    }

    /// A host that has no device yet: it is off until somebody enrols it.
    @discardableResult
    public func reserveHost(
        _ name: String, clock: ClockQuality? = nil, quota: UInt64? = nil, peers: [Host] = [],
        segments: [Segment]? = nil
    ) -> Host {
        let host = add(name, nil, clock, nil, segments, false)
        machines[host.index].reserved = Machine.Reserved(peers: peers, quota: quota)
        return host
    }

    /// Enrols a reserved host now, and starts it. Its officer hands the certificate on.
    public func enrol(_ host: Host, by officer: Host, certificate: Certificate = .member) {
        begin()
        let identity = enrolment.enrol(host.name, certificate.grant, now: minute)
        take(host, identity)
        enrolment.install(on: machines[host.index].store)
        command(enrolment.newest(1), at: officer)
        start(machines[host.index])
    }

    /// A reserved host has a device from now on.
    func take(_ host: Host, _ identity: DeviceIdentity) {
        let machine = machines[host.index]
        guard machine.identity == nil, let reserved = machine.reserved else {
            preconditionFailure("\(host.name) was reserved, and is enrolled once")
        }
        machine.identity = identity
        equip(host, identity, reserved.peers, reserved.quota)
    }

    /// A host on which something else speaks in a node's place: enrolled or a stranger.
    ///
    /// - Parameter make: called at each start. An enrolled one finds its log in its store.
    @discardableResult
    package func addHost(
        _ name: String, isEnrolled: Bool, peers: [Host] = [], segments: [Segment]? = nil,
        certificate: Certificate = .member, resident make: @escaping (World, Host) throws -> any Resident
    ) -> Host {
        if isEnrolled {
            let host = addHost(
                name, peers: peers, segments: segments, isStarted: false, certificate: certificate)
            machines[host.index].makeResident = make
            machines[host.index].isWanted = true
            if hasBegun { start(machines[host.index]) }
            return host
        }
        let host = add(name, nil, nil, nil, segments, true)
        machines[host.index].makeResident = make
        if hasBegun { start(machines[host.index]) }
        return host
    }

    private func add(
        _ name: String, _ identity: DeviceIdentity?, _ clock: ClockQuality?, _ disk: DiskQuality?,
        _ segments: [Segment]?, _ isStarted: Bool
    ) -> Host {
        checkIdle()
        precondition(machines.count < 1 << 24 - 2, "a world has at most 16 million hosts")
        let host = Host(index: machines.count, name: name)
        let machine = Machine(
            host: host, address: Self.address(of: host.index), identity: identity, quality: disk ?? options.disk,
            clock: HostClock(clock ?? options.clock, origin: options.start * 1_000_000),
            dice: root.stream("host", UInt64(host.index)))
        machine.isWanted = isStarted
        machines.append(machine)
        hosts.append(host)
        for segment in segments ?? (options.lan == nil ? [] : [.lan]) { plug(machine, into: segment) }
        return host
    }

    /// A late joiner whose certificate is handed to a node besides, as `covey authority sign --node` does.
    @discardableResult
    public func join(_ name: String, by officer: Host) -> Host {
        begin()
        let host = addHost(name)
        command(enrolment.newest(1), at: officer)
        return host
    }

    /// The host of a name; nil when there is none, the first when there are several.
    public func host(named name: String) -> Host? { hosts.first { $0.name == name } }

    package func host(of device: DeviceID) -> Host? { indexOf[device].map { hosts[$0] } }

    // MARK: Time

    /// Since the world began.
    public var time: Duration { Duration(simulated: now) }

    /// The hour as a right clock shows it.
    package var minute: Minute { Minute(wall: options.start * 1_000_000 + Int64(now)) }

    /// Starts what waits for the beginning. The first call that lets time pass, or asks a node, does this.
    package func begin() {
        if hasBegun { return }
        hasBegun = true
        enrolment.begin(
            machines.compactMap { machine in machine.identity.map { ($0, machine.store) } },
            withKeys: options.startsWithKeys, now: minute)
        wheel.push(at: now + 3_600_000_000, Occurrence(kind: .hour))
        for machine in machines where machine.isWanted { start(machine) }
        if !checkers.isEmpty { pushSample() }
    }

    /// Lets so much time pass, with all that happens in it, up to and at its end.
    public func run(for duration: Duration) {
        checkIdle()
        begin()
        run(to: now + duration.simulated, until: nil)
    }

    /// Until the condition holds, looked at whenever time is about to go on; false when it did not within the limit.
    @discardableResult
    public func run(until condition: () -> Bool, within limit: Duration) -> Bool {
        checkIdle()
        begin()
        return withoutActuallyEscaping(condition) { run(to: now + limit.simulated, until: $0) }
    }

    @discardableResult
    private func run(to end: UInt64, until condition: (() -> Bool)?) -> Bool {
        while let time = wheel.nextTime, time <= end {
            if time > now {
                if let condition, condition() { return true }
                now = time
            }
            guard let next = wheel.pop(upTo: end) else { break }
            happen(next.payload, at: next.time)
        }
        if let condition, condition() { return true }
        now = max(now, end)
        return false
    }

    private func happen(_ occurrence: Occurrence, at time: UInt64) {
        switch occurrence.kind {
        case .deadline: deadline(machines[Int(occurrence.host)], occurrence)
        case .dial, .syn, .synAck, .ack, .data, .fin, .reset, .dialTimeout, .drained, .retry, .streamTimeout:
            happen(occurrence)
        case .datagram: datagramArrived(occurrence)
        case .committed: committed(machines[Int(occurrence.host)], start: occurrence.subject)
        case .hour:
            pool.expire(upTo: minute.hour.adding(-1))
            wheel.push(at: now + 3_600_000_000, Occurrence(kind: .hour))
        case .script: perform(script: Int(occurrence.subject))
        case .stick: stickArrived(occurrence.subject)
        case .sample:
            for checker in checkers { checker.sampled(in: self) }
            pushSample()
        }
    }

    private func pushSample() { wheel.push(at: now + options.sampleEvery.simulated, Occurrence(kind: .sample)) }

    // MARK: Scripts

    struct Script {
        let interval: UInt64?
        let body: (World) -> Void
    }

    /// Does something at a time of the world, which has not passed.
    public func at(_ time: Duration, _ body: @escaping (World) -> Void) {
        precondition(time.simulated >= now, "what is to be done is still to come")
        add(Script(interval: nil, body: body), at: time.simulated)
    }

    /// Does something again and again, for the first time after one interval.
    public func every(_ interval: Duration, _ body: @escaping (World) -> Void) {
        precondition(interval.simulated > 0, "time passes between two times")
        add(Script(interval: interval.simulated, body: body), at: now + interval.simulated)
    }

    private func add(_ script: Script, at time: UInt64) {
        let index = freeScripts.popLast() ?? scripts.count
        if index == scripts.count { scripts.append(script) } else { scripts[index] = script }
        wheel.push(at: time, Occurrence(kind: .script, subject: UInt32(index)))
    }

    private func perform(script index: Int) {
        guard let script = scripts[index] else { return }
        if let interval = script.interval {
            wheel.push(at: now + interval, Occurrence(kind: .script, subject: UInt32(index)))
        } else {
            scripts[index] = nil
            freeScripts.append(index)
        }
        script.body(self)
    }

    // MARK: Rules

    /// Somebody in the middle of every wire. Rules are asked in the order in which they were added.
    @discardableResult
    public func add(_ rule: Rule) -> RuleID {
        lastRule += 1
        rules.append((lastRule, rule))
        return RuleID(number: lastRule)
    }

    /// Takes a rule away; one that is gone already is nothing.
    public func remove(_ rule: RuleID) { rules.removeAll { $0.number == rule.number } }

    func judge(_ kind: FrameSummary.Kind, from: UInt32, to: UInt32, size: Int) -> Rule.Verdict {
        if rules.isEmpty { return .pass }
        let summary = FrameSummary(time: time, from: hosts[Int(from)], to: hosts[Int(to)], kind: kind, size: size)
        for (_, rule) in rules {
            let verdict = rule.judge(summary)
            if verdict != .pass { return verdict }
        }
        return .pass
    }

    // MARK: Checkers

    /// From now on the checker looks. A world keeps it, and asks checkers in the order in which they were added.
    public func add(_ checker: some Checker) {
        checkers.append(checker)
        checker.begin(in: self)
        if hasBegun, checkers.count == 1 { pushSample() }
    }

    /// Says that something happened that must not. The run goes on; the first of each checker is kept whole.
    public func violate(_ checker: String, _ text: String, at host: Host? = nil) {
        if let at = violated.firstIndex(where: { $0.violation.checker == checker }) {
            violated[at].count += 1
            return
        }
        violated.append((Violation(checker: checker, time: time, host: host, text: text), 1))
    }

    /// Holds what a test expects against what is. Returns the condition; what failed stands in the report.
    @discardableResult
    public func expect(_ condition: Bool, _ text: String) -> Bool {
        if !condition { violate("expectation", text) }
        return condition
    }

    /// The first violation of each checker so far, and of what was expected.
    public var violations: [Violation] { violated.map(\.violation) }

    /// Asks checkers for their last look, once, and says what the run came to.
    @discardableResult
    public func finish() -> Report {
        if !hasEnded {
            hasEnded = true
            for checker in checkers { checker.ended(in: self) }
        }
        return currentReport
    }

    /// What the run came to so far.
    public var currentReport: Report {
        var whole = report
        whole.hosts = hosts.count
        whole.time = time
        whole.digest = digest
        whole.events = trace.count
        whole.shared = Report.Shared(pool.counts)
        whole.bytesByFrame = frames.traffic
        let names = checkers.map(\.name)
        whole.verdicts = names.map { name in
            let found = violated.first { $0.violation.checker == name }
            return Report.Verdict(checker: name, violation: found?.violation, violations: found?.count ?? 0)
        }
        for (violation, count) in violated where !names.contains(violation.checker) {
            whole.verdicts.append(
                Report.Verdict(checker: violation.checker, violation: violation, violations: count))
        }
        return whole
    }

    /// Of all that went into the nodes and came out of them so far. Equal for equal seeds and equal calls.
    public var digest: String { trace.value }

    /// With `Options.keepsTrace`: every event, to find the first in which two runs differ.
    public var traceEvents: [TraceEvent] { trace.events }

    /// What to know of a run that failed: violations, the seed, what the options chose, and the command that runs it again.
    public var failureNote: String {
        var lines = violations.map(\.description)
        lines.append("seed \(seed), at \(time), options: \(options)")
        lines.append("again: \(replayCommand)")
        return lines.joined(separator: "\n")
    }

    private var replayCommand: String {
        let module = origin.file.prefix { $0 != "/" }
        let name = origin.function.prefix { $0 != "(" }
        return "COVEY_SEED=\(seed) swift test --filter '\(module)\\..*\(name)'"
    }

    // MARK: Bounds of what may be called when

    func checkIdle() { precondition(!isTurning, "the world is changed between turns, not within one") }

    func note(_ kind: TraceDigest.Kind, number: UInt64, host: UInt32 = .max) {
        trace.add(kind, time: now, host: host, number: number)
    }
}

extension World: CustomStringConvertible {
    /// `failureNote`: `#expect(…, "\(world)")` says all that is needed.
    public var description: String { failureNote }
}
