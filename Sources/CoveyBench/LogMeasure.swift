import CoveyCore
import CoveyCrypto
import CoveyKEM
import CoveyNode
import CoveyStore
import Glibc

/// A mesh of many devices with one field authority of one key, whose log is mostly certificates.
struct BenchLog {
    let founding: Founding
    /// Nanoseconds of processor time it took to issue all certificates.
    let issuing: UInt64
    let membership: Membership
    /// Genesis aside, in order.
    let entries: [Signed]
    /// Of the first devices.
    let identities: [DeviceIdentity]
    let now: Minute

    init(devices: Int) throws {
        let random = SeededRandom(seed: 1, stream: "bench-log")
        let now = Minute(wall: 1_767_225_600_000_000)
        let founding = try Founding.found(
            name: "Bench", profile: .standard, fieldDevices: UInt16(devices), random: random, now: now)
        let authority = Authority(founding.field)
        var requests: [VerifiedRequest] = []
        var identities: [DeviceIdentity] = []
        for number in 0..<devices {
            let invitation = OpenInvitation(
                mesh: founding.mesh, authority: authority.keys.authority, label: "bench-\(number)", manifest: nil,
                now: now, expires: now.adding(60), random: random)
            let pending = try PendingEnrolment(
                accepting: invitation.invitation, buildHash: Octets32(), random: random)
            requests.append(try invitation.verify(pending.request, now: now))
            if number < 4 { identities.append(pending.identity) }
        }
        var membership = founding.membership()
        var entries = founding.entries.map(\.signed)
        let start = Stopwatch.processor
        for request in requests {
            let grant = Grant(zones: [1])
            entries.append(
                try authority.issue(request, grant, into: &membership, now: now, random: random).signed)
        }
        issuing = Stopwatch.processor - start
        self.founding = founding
        self.membership = membership
        self.entries = entries
        self.identities = identities
        self.now = now
    }
}

/// What a log of 10,000 certificates costs: to issue, to verify and apply from nothing, and to take back from a store.
func measureLog() throws {
    let log = try BenchLog(devices: 10_000)
    let mesh = log.founding.mesh
    let fieldKey = log.founding.field.current.keyset.keys[0]

    let signatures = try best {
        for entry in log.entries.dropFirst(2) {
            let message = Signed.message(entry.body.span.bytes, type: .object(.logEntry), mesh: mesh)
            guard fieldKey.verify(entry.attestations[0].signature, over: message.span.bytes) else {
                throw Complaint("an entry of the log is not signed by its authority")
            }
        }
    }
    let applying = try best {
        var membership = Membership(genesis: log.founding.genesis)
        for entry in log.entries { _ = try membership.accept(entry) }
        guard membership.headsDigest == log.membership.headsDigest else {
            throw Complaint("the log came out otherwise")
        }
    }
    let restoring = try best {
        var membership = Membership(genesis: log.founding.genesis)
        for entry in log.entries { _ = try membership.restore(entry) }
    }

    var report = Report("log")
    report.set("entries", log.entries.count)
    report.set("issue_cpu_s", seconds(log.issuing), digits: 3)
    report.set("signatures_cpu_s", seconds(signatures), digits: 3)
    report.set("verify_apply_cpu_s", seconds(applying), digits: 3)
    report.set("ratio", Double(applying) / Double(signatures), digits: 3)
    report.set("restore_cpu_s", seconds(restoring), digits: 3)
    report.print()
}

/// What the roster of 5,000 devices takes in memory: the membership alone, and a whole node that does nothing.
///
/// Four of each are made: the first ones fill what making the log left free, so what the last two add is what one takes.
func measureRoster() throws {
    let devices = 5_000
    let log = try BenchLog(devices: devices)
    let bytes = log.entries.map(\.bytes)
    var rosters: [Membership] = []
    var resident: [Int] = []
    for _ in 0..<4 {
        var membership = Membership(genesis: log.founding.genesis)
        // As from a store: each entry is read, taken, and let go.
        for entry in bytes { _ = try membership.restore(try Signed(parsing: entry)) }
        rosters.append(membership)
        resident.append(try residentKiB())
    }
    try report(of: "roster", (resident[3] - resident[1]) / 2, rosters.map(\.devices.count).min() ?? 0)

    let place = try Place(devices: 1)
    var nodes: [(node: Node, store: DiskStore, home: HomeDirectory)] = []
    resident = []
    for number in 0..<4 {
        let home = try HomeDirectory(place.path + "/\(number)")
        let store = try DiskStore(in: home, key: SymmetricKey(from: SystemRandom()))
        for (number, entry) in bytes.enumerated() { try store.put(.log, UInt64(number) + 1, entry) }
        try store.commit()
        let before = try residentKiB()
        var configuration = NodeConfiguration(genesis: log.founding.genesis, identity: log.identities[number])
        configuration.multicast = .off
        let node = try Node(
            configuration: configuration, store: store, random: SystemRandom(), kem: MLKEM768(),
            now: Now(uptime: 0, wall: Int64(log.now.value) * 60_000_000))
        try store.commit()
        nodes.append((node, store, home))
        resident.append(try residentKiB() - before)
    }
    try report(of: "roster_node", (resident[2] + resident[3]) / 2, devices)
    withExtendedLifetime((rosters, nodes)) {}

    func report(of what: String, _ kibibytes: Int, _ devices: Int) throws {
        let most = 8 << 10
        var report = Report(what)
        report.set("devices", devices)
        report.set("kib", kibibytes)
        report.set("bytes_a_device", kibibytes * 1024 / devices)
        report.set("ceiling_kib", most)
        report.print()
        guard kibibytes <= most else {
            throw Complaint("\(what): a roster of \(devices) devices takes more than 8 MiB")
        }
    }
}

/// Memory of this process that is in use.
private func residentKiB() throws -> Int {
    let file = open("/proc/self/statm", O_RDONLY)
    guard file >= 0 else { throw Complaint("/proc/self/statm cannot be read") }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(file, &buffer, buffer.count)
    let fields = buffer.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
    guard fields.count >= 2, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else {
        throw Complaint("/proc/self/statm reads otherwise than expected")
    }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE))) / 1024
}

/// What an admission check of a known peer takes; it verifies no signature.
func measureAdmission() throws {
    let log = try BenchLog(devices: 5000)
    let membership = log.membership
    let certificates = membership.devices.compactMap { membership.currentCertificate($0) }
    let chains = certificates.map { certificate in
        PresentedChain.certificates((membership.authorityChain(of: certificate.issuer) ?? []).map(\.signed))
    }
    let time = TimeView(now: log.now, isTrusted: true, floor: log.now)
    let rounds = 4
    let cost = try best {
        for _ in 0..<rounds {
            for (certificate, chain) in zip(certificates, chains) {
                let admission = membership.admit(
                    certificate: certificate.signed, chain: chain, linkKey: certificate.link, own: DeviceID(),
                    time: time)
                guard case .member = admission else { throw Complaint("a device of the log is no member") }
            }
        }
    }
    var report = Report("admission")
    report.set("devices", certificates.count)
    report.set("us", Double(cost) / 1000 / Double(rounds * certificates.count), digits: 2)
    report.print()
}

/// Nanoseconds of processor time, the least of three: what others do on the machine only adds.
private func best(_ body: () throws -> Void) throws -> UInt64 {
    var least = UInt64.max
    for _ in 0..<3 {
        let start = Stopwatch.processor
        try body()
        least = min(least, Stopwatch.processor - start)
    }
    return least
}

private func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1_000_000_000 }
