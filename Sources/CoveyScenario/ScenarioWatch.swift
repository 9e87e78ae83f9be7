import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyReport
import CoveySimulator

/// Sees what nodes notice and what goes over the wire, and keeps of it what claims are judged by.
final class ScenarioWatch: Checker {
    let name = "scenario"
    private let expansion: Expansion
    var recorder: Recorder?

    // Messages, by their number among the mails.
    private(set) var deliveries: [Int: UInt64] = [:]
    private(set) var relayed = 0
    private(set) var expired = 0

    // Hosts.
    var crashed: Set<UInt32> = []
    var killed: Set<UInt32> = []
    /// Crashed, with nobody to start them again yet.
    var down: Set<UInt32> = []
    private var links: [Int]
    private(set) var largestDegree: Evidence.Extreme?
    /// Who knew when of which device's revocation.
    var revoked: [UInt32: [UInt32: UInt64]] = [:]

    // The wire.
    private(set) var sentByHost: [UInt64]
    private(set) var largestFrame: Evidence.Extreme?
    private(set) var largestDuty: Evidence.Extreme?
    var linkKinds: [UInt64: Int] = [:]
    private var airtime: [(hour: UInt64, seconds: Double)]

    // Heals.
    private var healing: (heal: Evidence.Heal, known: Set<EnvelopeID>)?
    private(set) var endedHeals: [Evidence.Heal] = []

    private var sampleNumber = 0

    init(_ expansion: Expansion) {
        self.expansion = expansion
        links = Array(repeating: 0, count: expansion.cast.count)
        sentByHost = Array(repeating: 0, count: expansion.cast.count)
        airtime = Array(repeating: (0, 0), count: expansion.cast.count)
    }

    // MARK: What nodes notice

    func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        let here = UInt32(host.index)
        let now = UInt64(world.time.microseconds)
        switch sighting {
        case .delivered(let message): delivered(message, at: here, now)
        case .stored: relayed += 1
        case .linkUp:
            links[host.index] += 1
            if Double(links[host.index]) > largestDegree?.value ?? 0 {
                largestDegree = Evidence.Extreme(value: Double(links[host.index]), host: here, time: now)
            }
        case .linkDown: links[host.index] = max(0, links[host.index] - 1)
        case .revocationLearnt(let device):
            if let device, revoked[UInt32(device.index)]?[here] == nil { revoked[UInt32(device.index)]?[here] = now }
        case .expired(let count): expired += count
        case .handedOn, .started, .heardBeacon, .dialling, .refused, .logAccepted, .epochLearnt, .warning: break
        }
    }

    func changed(_ host: Host, to state: Host.State, in world: World) {
        switch state {
        case .up, .paused: break
        case .down, .failed: links[host.index] = 0
        }
    }

    private func delivered(_ message: Message, at host: UInt32, _ now: UInt64) {
        // `m17 xxx…`
        guard message.text.first == "m", let number = Int(message.text.dropFirst().prefix { $0 != " " }) else { return }
        guard deliveries[number] == nil else { return }
        deliveries[number] = now
        let from = message.from.map { UInt32($0.index) } ?? host
        recorder?.hop(UInt64(number), from: from, to: host, at: now)
        recorder?.delivered(UInt64(number), at: now)
    }

    // MARK: Samples

    /// How full stores are: of a few hosts each time, so that a sample costs the same however many there are.
    func sampled(in world: World) {
        let count = expansion.cast.count
        for offset in 0..<min(count, Self.perSample) {
            measure((sampleNumber * Self.perSample + offset) % count, world)
        }
        sampleNumber += 1
    }

    private static let perSample = 8

    func ended(in world: World) {
        if let healing { endedHeals.append(healing.heal) }
        healing = nil
    }

    private func measure(_ host: Int, _ world: World) {
        let held = world.store(of: world.hosts[host]).known().held.reduce(0) { $0 + $1.header.bucket.size }
        let quota = expansion.cast.group(UInt32(host)).store.bytes
        let now = UInt64(world.time.microseconds)
        recorder?.fill(UInt32(host), quota > 0 ? Double(held) / Double(quota) : 0, at: now)
    }

    // MARK: The wire

    func sent(_ frame: FrameSummary, _ cast: Cast) {
        let now = UInt64(frame.time.microseconds)
        let from = UInt32(frame.from.index)
        sentByHost[frame.from.index] += UInt64(frame.size)
        recorder?.bytes(UInt64(frame.size), frame: Int(frame.kind.rawValue), at: now)
        let key = UInt64(min(frame.from.index, frame.to.index)) << 32 | UInt64(max(frame.from.index, frame.to.index))
        guard let number = linkKinds[key] else { return }
        let link = expansion.scenario.links[number]
        // A stream's bytes go in packets of the link.
        let piece = frame.isDatagram ? frame.size : min(frame.size, link.mtu ?? 1500)
        if Double(piece) > largestFrame?.value ?? 0 {
            largestFrame = Evidence.Extreme(value: Double(piece), host: from, time: now)
        }
        guard let duty = link.duty else { return }
        let hour = now / 3_600_000_000
        if airtime[frame.from.index].hour != hour { airtime[frame.from.index] = (hour, 0) }
        airtime[frame.from.index].seconds += Double(frame.size * 8) / Double(link.up.bitsPerSecond)
        let share = airtime[frame.from.index].seconds / (3600 * duty)
        if share > largestDuty?.value ?? 0 { largestDuty = Evidence.Extreme(value: share, host: from, time: now) }
    }

    // MARK: Heals

    var isWatchingHeal: Bool { healing != nil }

    /// - Parameter known: what any host has at the heal; later mail is still on its way and says nothing.
    func begin(heal time: UInt64, known: Set<EnvelopeID>) {
        guard !known.isEmpty else { return }
        if let healing { endedHeals.append(healing.heal) }
        healing = (Evidence.Heal(at: time, watched: 0), known)
    }

    /// Whether two that are in contact still differ in what there was at the heal.
    func look(
        _ now: UInt64, pairs: [(UInt32, UInt32)], limit: UInt64,
        known: (UInt32) -> (held: [EnvelopeRecord], ghosts: [Ghost])?
    ) {
        guard let (begun, all) = healing else { return }
        var heal = begun
        var marks: [UInt32: UInt64?] = [:]
        func mark(_ host: UInt32) -> UInt64? {
            if let mark = marks[host] { return mark }
            var sum: UInt64? = nil
            if let (held, ghosts) = known(host) {
                var mixed: UInt64 = 0
                // A sum, so that no order has a say; ids are hashes already.
                for id in held.map(\.id) + ghosts.map(\.id) where all.contains(id) {
                    mixed &+= id.withSpan { $0.unsafeLoad(as: UInt64.self) }
                }
                sum = mixed
            }
            marks[host] = sum
            return sum
        }
        heal.watched = now - heal.at
        heal.differing = pairs.first { pair in
            guard let one = mark(pair.0), let two = mark(pair.1) else { return false }
            return one != two
        }
        if heal.differing == nil {
            heal.took = heal.watched
        }
        healing = (heal, all)
        if heal.took != nil || heal.watched >= limit {
            endedHeals.append(heal)
            healing = nil
        }
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
