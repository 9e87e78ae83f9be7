import ArgumentParser
import CoveyContact
import CoveyCore
import CoveySimulator

/// A mesh that only keeps itself alive: nobody writes, every device asks for its renewal in time, a new epoch is announced
/// each week and a Checkpoint each month.
///
/// Every host meets two others a day for some minutes, and sleeps between meetings. The field authority works beside the
/// first host's node: requests come to it, and answers go back, from one meeting to the next. A device whose certificate
/// ends before its node knows the next one has lapsed: then the run fails.
struct BenchRenewals {
    var hosts: Int
    var days: Int

    private static let meeting = Duration.minutes(4)
    /// Days of the first certificates, so that they end evenly over two months; those that follow are of 90. A device asks when
    /// a third is left, and with 1,000 of them question and answer are under way for up to two weeks.
    private static let lives = 60..<120

    /// A renewal on its way to its device.
    private struct Errand {
        let host: Int
        let issued: Int
        /// In the log of the authority.
        let sequence: UInt64
    }

    func run() throws {
        let start = Usage.processor
        var options = World.Options()
        options.lan = nil
        options.keepsSightings = false
        options.cutClosesStreams = true
        let world = World(seed: 1, options: options)
        let all = (0..<hosts).map { number in
            world.addHost(
                "host \(number)",
                certificate: Certificate(life: .days(Self.lives.lowerBound + number * Self.lives.count / hosts)))
        }
        world.openOffice(at: all[0])
        world.run(for: .seconds(1))
        for host in all { world.pause(host) }
        let enrolled = Usage.processor

        var dice = Dice(seed: 1).stream("bench-renewals")
        var errands: [Errand] = []
        var delays: [Int] = []
        var renewals = 0
        var lapsed = Set<Int>()
        let first = Self.head(of: world)
        var heads = [(read: UInt64, sequence: UInt64)](repeating: (0, first), count: hosts)
        var awake = [Int](repeating: 0, count: hosts)
        var day = 0

        func meet(_ a: Int, _ b: Int, at time: Duration) {
            world.at(time) { world in
                world.connect(all[a], all[b])
                for host in [a, b] {
                    awake[host] += 1
                    if awake[host] == 1 { world.resume(all[host]) }
                }
                if a == 0 || b == 0 { announce() }
            }
            world.at(time + Self.meeting) { $0.disconnect(all[a], all[b]) }
            world.at(time + Self.meeting + .seconds(1)) { world in
                for host in [a, b] {
                    awake[host] -= 1
                    if awake[host] == 0 { world.pause(all[host]) }
                }
            }
        }
        var lastEpoch = 0
        var lastCheckpoint = 0
        func announce() {
            if day - lastEpoch >= 7 {
                world.rotateEpoch(by: all[0])
                lastEpoch = day
            }
            if day - lastCheckpoint >= 30 {
                world.checkpoint(by: all[0])
                lastCheckpoint = day
            }
        }
        /// The last entry of the authority's log that a host holds.
        func head(of host: Int) -> UInt64 {
            let later = world.storedEntries(of: all[host], after: heads[host].read)
            heads[host].read = later.reduce(heads[host].read) { max($0, $1.position) }
            let log = world.founding.field.authority
            heads[host].sequence = later.reduce(heads[host].sequence) { most, stored in
                stored.entry.log == log ? max(most, stored.entry.sequence) : most
            }
            return heads[host].sequence
        }

        let numbers = Dictionary(
            uniqueKeysWithValues: all.indices.compactMap { number in
                world.identity(of: all[number]).map { ($0.id, number) }
            })
        var counted = world.logEntries.count
        /// What the office issued since the last midnight.
        func issuedToday() -> [Errand] {
            defer { counted = world.logEntries.count }
            return world.logEntries[counted...].flatMap { entry -> [Errand] in
                guard case .certIssue(let certificates) = entry.payload else { return [] }
                return certificates.compactMap { certificate in
                    numbers[certificate.device].map {
                        Errand(host: $0, issued: day, sequence: entry.sequence)
                    }
                }
            }
        }

        var progress = ProgressBar("renewals", total: Double(days))
        while day < days {
            let midnight = Duration.days(day) + .seconds(1)
            for _ in 0..<2 {
                var order = Array(0..<hosts)
                for index in order.indices.dropLast() {
                    order.swapAt(index, index + dice.below(order.count - index))
                }
                for pair in stride(from: 0, to: hosts - 1, by: 2) {
                    let minute = 1 + dice.below(24 * 60 - 10)
                    meet(order[pair], order[pair + 1], at: midnight + .minutes(minute))
                }
            }
            for _ in 0..<24 {
                world.run(for: .hours(1))
                for (number, host) in all.enumerated() {
                    guard let ends = world.certificateEnds(of: host, knownAt: host), ends < world.time,
                        lapsed.insert(number).inserted
                    else { continue }
                    StandardError.tell("\(host.name): its certificate ended on day \(day) before it had another")
                }
            }
            let issued = issuedToday()
            renewals += issued.count
            errands += issued
            day += 1
            progress.update(Double(day), "day \(day)")
            errands.removeAll { errand in
                guard head(of: errand.host) >= errand.sequence else { return false }
                delays.append(day - errand.issued)
                return true
            }
        }
        progress.finish()
        let report = world.finish()
        let used = Usage.processor
        delays.sort()
        let entries = world.logEntries
        let last = Self.head(of: world)
        let behind = all.indices.map { last - min(last, head(of: $0)) }

        var figures = Figures("renewals")
        figures.set("hosts", hosts)
        figures.set("simulated_days", days)
        figures.set("cpu_s", used - start)
        figures.set("enrolment_cpu_s", enrolled - start)
        figures.set("log_entries", entries.count)
        figures.set("log_bytes", entries.reduce(0) { $0 + $1.signed.bytes.count })
        figures.set("renewals", renewals)
        figures.set("days_to_device_p50", delays.isEmpty ? 0 : delays[delays.count / 2])
        figures.set("days_to_device_most", delays.last ?? 0)
        figures.set("lapsed", lapsed.count)
        figures.set("entries_behind_p50", behind.sorted()[behind.count / 2])
        figures.set("entries_behind_most", behind.max() ?? 0)
        figures.set("connections", report.connections)
        figures.set("bytes", report.bytes)
        figures.set("bytes_per_host_and_day", report.bytes / max(1, hosts * days))
        for frame in report.bytesByFrame.prefix(6) {
            let name = frame.name.split { !$0.isLetter }.joined(separator: "_")
            figures.set("\(name)_bytes_per_host_and_day", frame.bytes / max(1, hosts * days))
        }
        figures.set("peak_rss_kib", Usage.peakMemory)
        figures.set("digest", report.digest)
        figures.print()
        if !lapsed.isEmpty { throw ExitCode(Complaint.Status.failed) }
    }

    /// The last entry of the field authority's log.
    private static func head(of world: World) -> UInt64 {
        world.logEntries.last { $0.log == world.founding.field.authority }?.sequence ?? 0
    }
}
