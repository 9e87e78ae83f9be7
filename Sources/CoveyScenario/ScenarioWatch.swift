import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyReport
import CoveySimulator

/// Sees what nodes notice and what goes over the wire, and keeps of it what claims are judged by.
final class ScenarioWatch: Checker, FrameListener {
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
    private(set) var wire: WireBook
    private(set) var differences = 0
    private(set) var duplicates = 0
    /// The last datagram on a shared medium: all who hear it hear the same one.
    private var lastOnAir: (host: Int, time: Duration, link: Int)?
    private var airtime: [(hour: UInt64, seconds: Double)]

    // Heals.
    private var healing: (heal: Evidence.Heal, known: Set<EnvelopeID>)?
    private(set) var endedHeals: [Evidence.Heal] = []

    private(set) var bufferMaxima: [BufferMaximum] = []
    private var sampleNumber = 0

    init(_ expansion: Expansion) {
        self.expansion = expansion
        links = Array(repeating: 0, count: expansion.cast.count)
        sentByHost = Array(repeating: 0, count: expansion.cast.count)
        airtime = Array(repeating: (0, 0), count: expansion.cast.count)
        wire = WireBook(kinds: expansion.scenario.links.count)
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
        case .suspensionLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt: break
        case .handedOn, .started, .heardBeacon, .dialling, .refused, .logAccepted, .epochLearnt, .announced,
            .warning:
            break
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
        wire.end(at: UInt64(world.time.microseconds))
    }

    private func measure(_ host: Int, _ world: World) {
        let held = world.store(of: world.hosts[host]).known().held
        let quota = UInt64(expansion.cast.group(UInt32(host)).store.bytes)
        let now = UInt64(world.time.microseconds)
        var sizes = [UInt64](repeating: 0, count: Priority.allCases.count)
        for record in held { sizes[Int(record.header.priority.rawValue)] += UInt64(record.header.bucket.size) }
        let all = sizes.reduce(0, +)
        note("all", all, quota, host, now)
        for priority in Priority.allCases where sizes[Int(priority.rawValue)] > 0 {
            note(priority.word, sizes[Int(priority.rawValue)], nil, host, now)
        }
        recorder?.fill(UInt32(host), quota > 0 ? Double(all) / Double(quota) : 0, at: now)
    }

    private func note(_ name: String, _ bytes: UInt64, _ quota: UInt64?, _ host: Int, _ time: UInt64) {
        let maximum = BufferMaximum(
            name: name, bytes: bytes, quota: quota, host: expansion.cast.name(UInt32(host)), time: time)
        if let at = bufferMaxima.firstIndex(where: { $0.name == name }) {
            if bytes > bufferMaxima[at].bytes { bufferMaxima[at] = maximum }
        } else {
            bufferMaxima.append(maximum)
        }
    }

    // MARK: The wire

    func reach(_ change: Reach.Change) { wire.reach(change.a, change.b, change.link, at: change.time) }

    /// Datagrams, and pieces of streams as they are written.
    func sent(_ frame: FrameSummary, _ cast: Cast) {
        let now = UInt64(frame.time.microseconds)
        let (from, to) = (UInt32(frame.from.index), UInt32(frame.to.index))
        let kind = wire.kind(from, to)
        if let kind, frame.isDatagram, expansion.scenario.links[kind].isShared {
            if let last = lastOnAir, last == (frame.from.index, frame.time, kind) { return }
            lastOnAir = (frame.from.index, frame.time, kind)
        }
        sentByHost[frame.from.index] += UInt64(frame.size)
        // Frames of a link are told one by one.
        if frame.kind != .transport {
            count(FrameLedger.row(of: frame.kind), count: 1, bytes: frame.size, from, to, now)
        }
        guard let kind else { return }
        let link = expansion.scenario.links[kind]
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

    func wrote(_ row: Int, count: Int, bytes: Int, from: Host, to: Host, at time: Duration) {
        self.count(
            row, count: count, bytes: bytes, UInt32(from.index), UInt32(to.index), UInt64(time.microseconds))
    }

    private func count(_ row: Int, count: Int, bytes: Int, _ from: UInt32, _ to: UInt32, _ now: UInt64) {
        wire.add(row, count: count, bytes: bytes, from, to)
        recorder?.bytes(UInt64(bytes), frame: row, at: now)
    }

    func found(differences count: Int, at host: Host, with peer: Host) { differences += count }

    func gotAgain(at host: Host) { duplicates += 1 }

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
