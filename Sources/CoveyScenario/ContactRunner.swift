package import CoveyContact
import CoveyCore
package import CoveyReport
import CoveyRouting

/// Runs a scenario at the level of contacts: policies and buffers of the node over who meets whom.
package struct ContactRunner {
    private let expansion: Expansion
    private let scenario: Scenario
    private let router: ContactRouter

    /// What the level leaves out, for the notes of the result.
    package private(set) var notes: [String] = []

    package init(_ expansion: Expansion, router: ContactRouter = .flood) {
        self.expansion = expansion
        scenario = expansion.scenario
        self.router = router
    }

    /// - Parameter progress: told how far the play is, in simulated microseconds; looking for the best there is goes before.
    package mutating func run(
        recordingInto recorder: inout Recorder?, progress: @escaping (UInt64) -> Void = { _ in }
    ) throws(ScenarioProblems) -> Run {
        let settings = settings()
        let foreseen = try foresee()
        describe()
        notes += foreseen.notes
        let result = router.run(
            ToldContacts(try contacts(), tell: progress), messages: foreseen.messages, settings: settings,
            outages: Self.outages(expansion))

        var evidence = Evidence(level: .contact, duration: settings.end)
        evidence.mails = foreseen.mails
        for delivery in result.deliveries { evidence.mails[delivery.message].delivered = delivery.time }
        evidence.relayed = result.counters.relayed
        if recorder != nil { try record(result, evidence.mails, into: &recorder) }
        return Run(evidence: evidence, counters: Counters(result.counters), digest: Self.hex(result.digest))
    }

    /// All messages, and how early each can come at best.
    package struct Foreseen: Sendable {
        package var mails: [Mail]
        package var messages: [PlannedMessage]
        /// Of each message; nil when it cannot come before it expires, or the end.
        package var arrivals: [Oracle.Arrival?]
        /// What was left out because there is too much of it.
        package var notes: [String] = []
    }

    package func foresee() throws(ScenarioProblems) -> Foreseen {
        var (mails, notes) = played()
        let messages = mails.enumerated().map { index, mail in
            PlannedMessage(
                name: "m\(index)", time: mail.created, from: mail.from, to: mail.to, size: Self.carried(mail.bytes),
                lifetime: mail.expiry - mail.created)
        }
        let foresight = Oracle(try contacts(), settings: settings(), outages: Self.outages(expansion)).foresee(
            messages, steps: ScenarioBounds.oracleSteps)
        var arrivals = foresight.arrivals
        for index in mails.indices { mails[index].isForeseen = foresight.isSought[index] }
        if let note = Self.note(foresight) { notes.append(note) }
        for index in mails.indices {
            guard let arrival = arrivals[index], arrival.time < mails[index].expiry else {
                arrivals[index] = nil
                continue
            }
            mails[index].oracle = arrival.time
            // Less than a second besides what its bytes take on the way.
            mails[index].wasConnected = arrival.time - mails[index].created < 1_000_000
        }
        return Foreseen(mails: mails, messages: messages, arrivals: arrivals, notes: notes)
    }

    /// Nil: the oracle looked for all.
    static func note(_ foresight: Oracle.Foresight) -> String? {
        let sought = foresight.isSought.count { $0 }
        if sought == foresight.isSought.count { return nil }
        return """
            The oracle looked for \(sought) of \(foresight.isSought.count) messages, spread over all of them; delivery is \
            told of these.
            """
    }

    func contacts() throws(ScenarioProblems) -> ReachContacts {
        let layers = LayerContacts(expansion, density: .linked(Self.linksOnLAN))
        return ReachContacts(Reach(expansion, sources: try layers.sources(), partsOneWay: true))
    }

    /// As many others as a node dials on a LAN.
    static let linksOnLAN = 12

    /// All messages; every so many of them where a world of all would be too large.
    private func played() -> (mails: [Mail], notes: [String]) {
        let mails = copies()
        let each = copiesOfEach
        let every = (mails.count * each + ScenarioBounds.copies - 1) / ScenarioBounds.copies
        guard every > 1 else { return (mails, []) }
        let some = mails.indices.filter { $0 % every == 0 }.map { mails[$0] }
        let note = """
            One message in \(every) is played, \(some.count) of \(mails.count): up to \(each) copies of each are more than \
            \(ScenarioBounds.copies). Messages compete less for room and rate than all of them would.
            """
        return (some, [note])
    }

    /// How many hosts hold a message at most.
    private var copiesOfEach: Int {
        switch router {
        case .flood, .epidemic, .prophet: expansion.cast.count
        case .sprayAndWait(let copies): min(expansion.cast.count, Int(copies) + 1)
        case .direct, .firstContact: 1
        }
    }

    /// A letter to everyone is a message to each.
    private func copies() -> [Mail] {
        var mails: [Mail] = []
        for (number, letter) in expansion.letters.enumerated() {
            let recipients = letter.to.map { [$0] } ?? (0..<UInt32(expansion.cast.count)).filter { $0 != letter.from }
            for to in recipients where mails.count < ScenarioBounds.messages {
                mails.append(
                    Mail(
                        letter: number, from: letter.from, to: to, bytes: letter.bytes, priority: letter.priority,
                        created: letter.at, expiry: letter.expiry))
            }
        }
        return mails
    }

    /// Bytes that a text is on the way: an envelope of the next size, some 1,500 of it keys; larger ones as they are.
    static func carried(_ bytes: Int) -> Int { Bucket(holding: bytes + 1500)?.size ?? bytes }

    func settings() -> ContactSettings {
        let buffer = scenario.groups.map(\.store.bytes).min() ?? 0
        var settings = ContactSettings(
            nodes: expansion.cast.count, end: UInt64(scenario.duration.microseconds), buffer: buffer, rate: nil)
        settings.rates = scenario.links.map { link in
            let bits = Double(min(link.up, link.down).bitsPerSecond) * (link.duty ?? 1)
            return max(1, Int(bits / 8))
        }
        if settings.rates.isEmpty { settings.rates = [nil] }
        settings.buffers = (0..<UInt32(expansion.cast.count)).map { expansion.cast.group($0).store.bytes }
        settings.lifetime = expansion.letters.map { $0.expiry - $0.at }.max()
        settings.channel = scenario.links.contains { $0.medium == .radio || $0.isShared } ? .host : .contact
        settings.seed = expansion.seed
        return settings
    }

    private mutating func describe() {
        notes.append(
            "Messages over contacts: no links, no cryptography, no latency, no loss; LANs have \(Self.linksOnLAN) links a host."
        )
        var left: Set<String> = []
        for deed in expansion.deeds {
            switch deed.act {
            case .partition, .heal, .cut, .uncut, .linkDown, .crash, .restart, .kill, .load: break
            case .hold, .release, .setLink, .asymLoss, .join, .revoke, .copyAuthority, .openOffice, .enrol,
                .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork,
                .clockJump, .clockDrift, .sneakernet, .diskFull, .byzantine:
                left.insert(scenario.timeline[deed.entry].word.rawValue)
            }
        }
        if !left.isEmpty { notes.append("Not played at this level: \(left.sorted().joined(separator: ", ")).") }
    }

    /// When hosts are off, from the schedule.
    package static func outages(_ expansion: Expansion) -> [HostOutage] {
        var open: [UInt32: UInt64] = [:]
        var outages: [HostOutage] = []
        func close(_ host: UInt32, at time: UInt64) {
            if let from = open.removeValue(forKey: host) {
                outages.append(HostOutage(host: host, from: from, until: time))
            }
        }
        var moments: [(time: UInt64, hosts: [UInt32], isOff: Bool)] = []
        for deed in expansion.deeds {
            switch deed.act {
            case .crash(let hosts, _, _, _):
                moments.append((deed.at, hosts, true))
                if let until = deed.until { moments.append((until, hosts, false)) }
            case .kill(let hosts): moments.append((deed.at, hosts, true))
            case .restart(let hosts): moments.append((deed.at, hosts, false))
            case .partition, .heal, .cut, .uncut, .hold, .release, .setLink, .linkDown, .asymLoss, .join, .revoke,
                .copyAuthority, .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork,
                .clockJump,
                .clockDrift, .load, .sneakernet, .diskFull, .byzantine:
                break
            }
        }
        for moment in moments.enumerated().sorted(by: { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }) {
            for host in moment.element.hosts {
                if moment.element.isOff {
                    if open[host] == nil { open[host] = moment.element.time }
                } else {
                    close(host, at: moment.element.time)
                }
            }
        }
        for host in open.keys.sorted() { close(host, at: .max) }
        return outages
    }

    // MARK: Recording

    /// The same contacts once more, with what happened in between.
    private func record(
        _ result: ContactResult, _ mails: [Mail], into recorder: inout Recorder?
    ) throws(ScenarioProblems) {
        let layers = LayerContacts(expansion, density: .linked(Self.linksOnLAN))
        var reach = Reach(expansion, sources: try layers.sources(), partsOneWay: true)
        var scribe = Scribe(expansion, layers.movements())
        var change = reach.next()
        let end = UInt64(scenario.duration.microseconds)
        let deliveries = result.deliveries
        var written = 0
        var delivered = 0
        while true {
            let next = min(
                change?.time ?? .max, written < mails.count ? mails[written].created : .max,
                delivered < deliveries.count ? deliveries[delivered].time : .max)
            if next > end { break }
            scribe.advance(to: next, &recorder)
            if let one = change, one.time == next {
                scribe.reach(one, &recorder)
                change = reach.next()
            } else if written < mails.count, mails[written].created == next {
                let mail = mails[written]
                recorder?.created(
                    UInt64(written), name: "m\(written)", class: mail.priority.word, from: mail.from, to: mail.to,
                    bytes: mail.bytes, at: next)
                written += 1
            } else {
                let delivery = deliveries[delivered]
                for (from, to) in zip(delivery.path, delivery.path.dropFirst()) {
                    recorder?.hop(UInt64(delivery.message), from: from, to: to, at: next)
                }
                recorder?.delivered(UInt64(delivery.message), at: next)
                delivered += 1
            }
        }
        scribe.advance(to: end, &recorder)
    }

    static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Counters {
    init(_ counted: MessageCounters) {
        self.init()
        created = counted.created
        started = counted.started
        relayed = counted.relayed
        aborted = counted.aborted
        dropped = counted.dropped
        removed = counted.removed
        delivered = counted.delivered
    }
}

/// What a runner hands over.
package struct Run: Sendable {
    package var evidence: Evidence
    package var counters: Counters
    package var digest: String
}

/// Contacts that say how far they are: every so many of them.
private struct ToldContacts: ContactSource {
    private static let stride = 1024

    private var contacts: ReachContacts
    private let tell: (UInt64) -> Void
    private var taken = 0

    init(_ contacts: ReachContacts, tell: @escaping (UInt64) -> Void) {
        self.contacts = contacts
        self.tell = tell
    }

    mutating func next() -> ContactChange? {
        let change = contacts.next()
        taken += 1
        if taken % Self.stride == 0, let change { tell(change.time) }
        return change
    }
}

/// Reach as contacts: another kind of link is another contact.
struct ReachContacts: ContactSource {
    private var reach: Reach
    private var up: [UInt64: Int] = [:]
    private var waiting: ContactChange?

    init(_ reach: Reach) { self.reach = reach }

    mutating func next() -> ContactChange? {
        if let change = waiting {
            waiting = nil
            return change
        }
        guard let change = reach.next() else { return nil }
        let key = UInt64(change.a) << 32 | UInt64(change.b)
        let before = up[key]
        up[key] = change.link
        let rise = change.link.map {
            ContactChange(time: change.time, a: change.a, b: change.b, link: UInt16($0), isUp: true)
        }
        guard let before else { return rise }
        waiting = rise
        return ContactChange(time: change.time, a: change.a, b: change.b, link: UInt16(before), isUp: false)
    }
}
