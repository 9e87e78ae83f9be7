import CoveyContact
import CoveyCore
import CoveyNode
package import CoveyReport
package import CoveySimulator
import Glibc

/// Runs a scenario with whole nodes: real encodings, real cryptography, the world's links and disks.
package final class FullRunner {
    private let expansion: Expansion
    private let scenario: Scenario
    private let cast: Cast
    package let world: World
    private let watch: ScenarioWatch
    private var hosts: [Host] = []
    /// As the timeline has changed them.
    private var kinds: [LinkKind]
    /// Pairs in reach, and over which kind.
    private var up: [UInt64: Int] = [:]
    private var losses: [(deed: Deed, from: Set<UInt32>, to: Set<UInt32>, loss: Double)] = []
    /// Directions that lose more than their link does.
    private var lossy: Set<UInt64> = []
    /// Clocks' drift as hosts have it by themselves, parts in a million.
    private var drifts: [Int] = []
    /// Since when a host's device is in wrong hands, and until when it was.
    private var turned: [UInt32: ClosedRange<UInt64>] = [:]
    /// Copies of the authority's key, by the host whose officer has them.
    private var copies: [UInt32: AuthorityCopy] = [:]
    /// Enrolled while the authority's key was in more than one pair of hands: they may be void.
    private var doubtful: Set<UInt32> = []
    private var oneWay: [(deed: Deed, partition: Partition)] = []
    private var mails: [Mail] = []
    private var mailOfLetter: [Int: Range<Int>] = [:]
    private var heals: [Evidence.Heal] = []
    private var revocations: [(spread: Evidence.RevocationSpread, by: UInt32)] = []
    package private(set) var notes: [String] = []

    /// Hosts of the sender's zone that a letter to everyone goes to, one by one, until there are announcements.
    package static let pairwiseBroadcast = 32

    /// - Parameter keepsTrace: a hash of every event, for `World.traceEvents`.
    package init(_ expansion: Expansion, keepsTrace: Bool = false) throws(ScenarioProblems) {
        self.expansion = expansion
        scenario = expansion.scenario
        cast = expansion.cast
        kinds = scenario.links
        var options = World.Options()
        options.lan = nil
        options.keepsSightings = false
        options.keepsTrace = keepsTrace
        if let officers = scenario.officers {
            options.officers = World.Officers(officers.threshold, of: officers.keys)
        }
        // Checkers look at every store at each sample: a run of weeks is looked at less often.
        let sample = max(scenario.report.sampleEvery.microseconds, scenario.duration.microseconds / 720)
        options.sampleEvery = .microseconds(sample)
        let losesWrites = expansion.deeds.contains { deed in
            if case .crash(_, true, _, _) = deed.act { true } else { false }
        }
        // A disk that has nothing under way has nothing to lose.
        if losesWrites { options.disk = DiskQuality(commit: .milliseconds(20)) }
        world = World(seed: expansion.seed, options: options, file: "CoveyScenario", function: scenario.name)
        watch = ScenarioWatch(expansion)
        try addHosts(options)
        world.add(watch)
        world.frameListener = watch
        for checker in InvariantCheckers.needed(by: scenario.claims) { world.add(checker) }
        world.add(
            Rule { [watch, cast] frame in
                watch.sent(frame, cast)
                return .pass
            })
    }

    // MARK: Hosts

    private func addHosts(_ options: World.Options) throws(ScenarioProblems) {
        let peers = try staticPeers()
        var late: Set<UInt32> = []
        var unenrolled: Set<UInt32> = []
        for deed in expansion.deeds {
            if case .join(let hosts) = deed.act { late.formUnion(hosts) }
            if case .enrol(let device, _, _) = deed.act { unenrolled.insert(device) }
        }
        var dice = Dice(seed: expansion.seed).stream("clocks")
        for index in 0..<UInt32(cast.count) {
            let group = cast.group(index)
            let clock = clock(group.clock, options, &dice)
            let (quota, told) = (UInt64(group.store.bytes), peers[Int(index)].map { hosts[Int($0)] })
            if unenrolled.contains(index) {
                hosts.append(world.reserveHost(cast.name(index), clock: clock, quota: quota, peers: told))
            } else {
                hosts.append(
                    world.addHost(
                        cast.name(index), clock: clock, quota: quota, peers: told, isStarted: !late.contains(index),
                        certificate: Self.certificate(group)))
            }
        }
        // The other way too: a node answers under an epoch that it doubts only where it was told the address.
        for (index, told) in peers.enumerated() {
            for peer in told { world.introduce(hosts[index], hosts[Int(peer)]) }
        }
    }

    private func clock(_ clock: HostGroup.Clock, _ options: World.Options, _ dice: inout Dice) -> ClockQuality {
        let radius = (-2 * log(1 - dice.unit())).squareRoot()
        let error = Double(clock.skew.microseconds) * radius * cos(2 * Double.pi * dice.unit())
        let isFast = dice.chance(0.5)
        drifts.append(Int(isFast ? clock.driftPpm : -clock.driftPpm))
        // Without a battery a clock begins with the day its firmware was made.
        let off = clock.shows.map { $0 - options.start } ?? 0
        return ClockQuality(
            skew: .microseconds(Int64(error) + (clock.rtc ? off * 1_000_000 : 0)),
            drift: Int(isFast ? clock.driftPpm : -clock.driftPpm),
            hasRTC: clock.rtc, wake: clock.shows ?? options.start - 180 * 86_400)
    }

    private static func certificate(_ group: HostGroup) -> Certificate {
        var roles: Certificate.Roles = []
        for role in group.roles {
            switch role {
            case .timekeeper: roles.formUnion(.timekeeper)
            case .announcer: roles.formUnion(.announcer)
            case .wipeOfficer: roles.formUnion(.wipeOfficer)
            case .organisationOwned: roles.formUnion(.organisationOwned)
            }
        }
        return Certificate(roles: roles, life: group.certificate.map { .microseconds($0.microseconds) })
    }

    /// Where no beacon goes, hosts are told the addresses of those they will meet: of each pair that who comes first.
    private func staticPeers() throws(ScenarioProblems) -> [[UInt32]] {
        var peers = [Set<UInt32>](repeating: [], count: cast.count)
        guard scenario.links.contains(where: { !$0.hasMulticast }) else { return peers.map { $0.sorted() } }
        for source in try LayerContacts(expansion, density: .all).sources() {
            var source = source
            while let change = source.next() {
                guard change.isUp, !scenario.links[Int(change.link)].hasMulticast else { continue }
                let (low, high) = (min(change.a, change.b), max(change.a, change.b))
                if peers[Int(high)].count < Self.mostPeers { peers[Int(high)].insert(low) }
            }
        }
        return peers.map { $0.sorted() }
    }

    private static let mostPeers = 64

    // MARK: The run

    private enum Action {
        case reach(Reach.Change)
        case begin(Deed)
        case end(Deed)
        case letter(Int)
        case look
    }

    package func run(
        recordingInto recorder: inout Recorder?, progress: (UInt64) -> Void = { _ in }
    ) throws(ScenarioProblems) -> Run {
        let layers = LayerContacts(expansion, density: .all)
        var reach = Reach(expansion, sources: try layers.sources(), partsOneWay: false)
        var scribe = Scribe(expansion, layers.movements())
        watch.recorder = recorder
        let end = UInt64(scenario.duration.microseconds)
        let turns = Self.turns(expansion)
        var turn = 0
        var letter = 0
        var change = reach.next()
        var now: UInt64 = 0
        while true {
            let next = min(
                change?.time ?? .max, turn < turns.count ? turns[turn].time : .max,
                letter < expansion.letters.count ? expansion.letters[letter].at : .max, nextLook(after: now))
            go(to: min(next, end), from: &now)
            scribe.advance(to: now, &watch.recorder)
            progress(now)
            if next > end { break }
            // Changes of reach first: what is written at a moment is written with the links of that moment.
            if let one = change, one.time == next {
                scribe.reach(one, &watch.recorder)
                join(one)
                change = reach.next()
            } else if turn < turns.count, turns[turn].time == next {
                perform(turns[turn], now)
                turn += 1
            } else if letter < expansion.letters.count, expansion.letters[letter].at == next {
                post(letter)
                letter += 1
            } else {
                look(now)
            }
        }
        recorder = watch.recorder
        watch.recorder = nil
        return try collect(end)
    }

    private func go(to time: UInt64, from now: inout UInt64) {
        if time > now { world.run(for: .microseconds(Int64(time - now))) }
        now = time
    }

    private struct Turn {
        var time: UInt64
        var deed: Deed
        var isEnd: Bool
    }

    private static func turns(_ expansion: Expansion) -> [Turn] {
        var turns: [Turn] = []
        for deed in expansion.deeds {
            turns.append(Turn(time: deed.at, deed: deed, isEnd: false))
            if let until = deed.until { turns.append(Turn(time: until, deed: deed, isEnd: true)) }
        }
        return turns.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    // MARK: Links

    private func join(_ change: Reach.Change) {
        let key = UInt64(change.a) << 32 | UInt64(change.b)
        up[key] = change.link
        let (a, b) = (hosts[Int(change.a)], hosts[Int(change.b)])
        if let link = change.link {
            world.connect(a, b, Self.quality(kinds[link]))
            lose(change.a, change.b)
        } else {
            world.disconnect(a, b)
        }
        watch.reach(change)
    }

    /// What the pair's link loses one way, besides its own.
    private func lose(_ a: UInt32, _ b: UInt32) {
        for (from, to) in [(a, b), (b, a)] {
            // Several at once each take their part of what the others leave.
            let kept = losses.reduce(1.0) { $1.from.contains(from) && $1.to.contains(to) ? $0 * (1 - $1.loss) : $0 }
            let key = UInt64(from) << 32 | UInt64(to)
            guard kept < 1 || lossy.contains(key) else { continue }
            if kept < 1 { lossy.insert(key) } else { lossy.remove(key) }
            world.lose(1 - kept, from: hosts[Int(from)], to: hosts[Int(to)])
        }
    }

    package static func quality(_ kind: LinkKind) -> LinkQuality {
        let latency: LinkQuality.Latency =
            switch kind.latency {
            case .constant(let span): .constant(.microseconds(span.microseconds))
            case .uniform(let low, let high):
                .uniform(.microseconds(low.microseconds) ... .microseconds(high.microseconds))
            case .exponential(let mean): .exponential(least: .zero, mean: .microseconds(mean.microseconds))
            case .logNormal(let median, let p99):
                .logNormal(
                    median: .microseconds(median.microseconds),
                    sigma: log(Double(p99.microseconds) / Double(median.microseconds)) / 2.326_347_874_040_841)
            }
        let loss: LinkQuality.Loss =
            switch kind.loss {
            case .bernoulli(let p): p == 0 ? .none : .bernoulli(p)
            case .gilbert(let good, let bad, let goodToBad, let badToGood):
                .gilbert(toBad: goodToBad, toGood: badToGood, whenGood: good, whenBad: bad)
            }
        let mtu = max(kind.mtu ?? 1500, leastMTU)
        return LinkQuality(
            rate: UInt64(min(kind.up, kind.down).bitsPerSecond), latency: latency, loss: loss, reorder: kind.reorder,
            duplicate: kind.duplicate, bitErrors: kind.bitflip / Double(8 * mtu), mtu: mtu,
            queue: kind.queue?.bytes ?? 256 << 10, duty: kind.duty ?? 1, isShared: kind.isShared,
            multicast: kind.hasMulticast)
    }

    /// Bytes: a beacon goes into one packet.
    package static let leastMTU = 256

    // MARK: Deeds

    private func perform(_ turn: Turn, _ now: UInt64) {
        let deed = turn.deed
        switch deed.act {
        case .partition(let sides, let affects, true):
            if turn.isEnd {
                for one in oneWay where one.deed == deed { world.heal(one.partition) }
                oneWay.removeAll { $0.deed == deed }
            } else if sides.count == 2 {
                if affects != nil { note("One-way partitions part over all kinds of link.") }
                let partition = world.partitionOneWay(from: these(sides[0]), to: these(sides[1]))
                oneWay.append((deed, partition))
            }
        // Reach does these.
        case .partition, .cut, .uncut, .linkDown: break
        case .heal:
            for one in oneWay { world.heal(one.partition) }
            oneWay = []
            watch.begin(heal: now, known: known())
        case .hold(let from, let to):
            for a in from {
                for b in to where a != b {
                    if turn.isEnd {
                        world.release(hosts[Int(a)], hosts[Int(b)], oneWay: true)
                    } else {
                        world.hold(hosts[Int(a)], hosts[Int(b)], oneWay: true)
                    }
                }
            }
        case .release: world.releaseAll()
        case .setLink(let link, let change): set(link, turn.isEnd ? nil : change)
        case .asymLoss(let from, let to, let loss):
            if turn.isEnd {
                losses.removeAll { $0.deed == deed }
            } else {
                losses.append((deed, Set(from), Set(to), loss))
            }
            for key in up.keys.sorted() { lose(UInt32(key >> 32), UInt32(truncatingIfNeeded: key)) }
        case .crash(let hosts, let loses, let torn, let corrupt):
            for host in these(hosts) {
                if turn.isEnd {
                    if !watch.killed.contains(UInt32(host.index)) { world.restart(host) }
                } else {
                    world.crash(host, losing: torn ? .tornWrite : loses ? .unsynced : .nothing)
                    if corrupt { world.corruptDisk(of: host) }
                    watch.crashed.insert(UInt32(host.index))
                    if deed.until == nil { watch.down.insert(UInt32(host.index)) }
                }
            }
        case .restart(let hosts):
            for host in these(hosts) {
                watch.down.remove(UInt32(host.index))
                world.restart(host)
            }
        case .kill(let hosts):
            for host in these(hosts) {
                world.crash(host)
                watch.killed.insert(UInt32(host.index))
            }
        case .join(let hosts): for host in these(hosts) { world.restart(host) }
        case .revoke(let device, let by, let wipe):
            let lost = hosts[Int(device)]
            let officer = hosts[Int(by)]
            let isSigned =
                switch (wipe, copies[by]) {
                // Who copied an office's directory signs no orders with it.
                case (_?, _?): false
                case (let mode?, nil): world.orderWipe(lost, erasing: mode == .erase, by: officer)
                case (nil, let copy?): copy.revoke(lost, by: officer)
                case (nil, nil): world.revoke(lost, by: officer)
                }
            guard isSigned else {
                note("Not played: revoke \(cast.name(device)), which this office cannot, or is done already.")
                return
            }
            // Who is out is ordered once more: the first word counts.
            guard watch.revoked[device] == nil else { return }
            revocations.append((Evidence.RevocationSpread(device: device, at: now), by))
            watch.revoked[device] = [by: now]
        case .copyAuthority(let by): copies[by] = world.copyAuthority()
        case .openOffice(let number):
            let host = hosts[Int(number)]
            world.openOffice(at: host)
            // A node is told at its start.
            if world.isUp(host) { world.restart(host) }
        case .enrol(let device, let by, let isSecret):
            let certificate = Self.certificate(cast.group(device))
            if isSecret || !copies.isEmpty { doubtful.insert(device) }
            if isSecret {
                (copies[by] ?? world.copyAuthority()).enrolInSecret(hosts[Int(device)])
                turned[device] = now...UInt64.max
            } else if let copy = copies[by] {
                copy.enrol(hosts[Int(device)], by: hosts[Int(by)], certificate: certificate)
            } else {
                world.enrol(hosts[Int(device)], by: hosts[Int(by)], certificate: certificate)
            }
        case .revokeAuthority(let since, let by):
            if let copy = copies[since] {
                world.revokeAuthority(since: copy, by: hosts[Int(by)])
            } else {
                note("Not played: revokeAuthority since \(cast.name(since)), which has no copy of its key.")
            }
        case .checkpoint(let by): world.checkpoint(by: hosts[Int(by)])
        case .newKeys(let by): world.rotateKeys(by: hosts[Int(by)])
        case .recoverFork(let by): world.recoverFork(by: hosts[Int(by)])
        case .newEpoch(let by):
            if let copy = copies[by] {
                copy.rotateEpoch(by: hosts[Int(by)])
            } else {
                world.rotateEpoch(by: hosts[Int(by)])
            }
        case .clockJump(let hosts, let by):
            for host in these(hosts) { world.clockJump(host, by: .microseconds(by)) }
        case .clockDrift(let hosts, let ppm):
            for host in these(hosts) { world.clockDrift(host, to: turn.isEnd ? drifts[host.index] : Int(ppm)) }
        case .load: break
        case .sneakernet(let from, let to, let capacity, let travel, _):
            world.sneakernet(
                from: hosts[Int(from)], to: hosts[Int(to)], capacity: capacity, travel: .microseconds(Int64(travel)))
        case .diskFull(let hosts): for host in these(hosts) { world.limitDisk(of: host, to: turn.isEnd ? nil : 0) }
        case .byzantine(let hosts, let behaviours):
            let misbehaviours = behaviours.compactMap(Self.misbehaviour)
            let unknown = behaviours.filter { Self.misbehaviour($0) == nil }
            if !unknown.isEmpty {
                note(
                    "Not played: \(unknown.map(\.description).joined(separator: ", ")); no node has what this abuses yet."
                )
            }
            if misbehaviours.isEmpty { return }
            for host in these(hosts) {
                let number = UInt32(host.index)
                if turn.isEnd {
                    world.turnBack(host)
                    turned[number] = (turned[number]?.lowerBound ?? now)...now
                } else {
                    world.turn(host, misbehaviours)
                    turned[number] = (turned[number]?.lowerBound ?? now)...UInt64.max
                }
            }
        }
    }

    /// Nil: it abuses what the node does not have: copies on a budget, predictability, vaccines, chunks asked for.
    package static func misbehaviour(_ behaviour: TimelineEntry.Behaviour) -> Misbehaviour? {
        switch behaviour.kind {
        case .replay: .replay
        case .flood:
            .flood(perSecond: behaviour.rate.map { max(1, Int($0.count * 1e6 / $0.per.microseconds)) } ?? 8)
        case .equivocate: .equivocate
        case .blackhole: .blackhole
        case .greyhole: .greyhole(share: behaviour.chance ?? 0.5)
        case .corruptChunks: .corrupt
        case .sketchGarbage, .summaryLie: .summaryLiar
        case .oldEpochBeacon: .oldBeacons
        case .clockLie: .clockLiar(by: .days(5 * 365))
        case .idCollide: .idCollision
        case .rejoinRevoked: .rejoinRevoked
        case .slowloris: .slowloris
        case .utilityLie, .tokenInflate, .wantFlood, .fakeVaccine: nil
        }
    }

    private func these(_ numbers: [UInt32]) -> [Host] { numbers.map { hosts[Int($0)] } }

    private func note(_ text: String) { if !notes.contains(text) { notes.append(text) } }

    private func set(_ link: Int, _ change: TimelineEntry.LinkChange?) {
        if let change {
            if let multicast = change.hasMulticast { kinds[link].hasMulticast = multicast }
            if let rate = change.rate { (kinds[link].up, kinds[link].down) = (rate, rate) }
            if let latency = change.latency { kinds[link].latency = latency }
            if let loss = change.loss { kinds[link].loss = loss }
        } else {
            kinds[link] = scenario.links[link]
        }
        refresh { $0 == link }
    }

    private func refresh(_ concerns: (Int) -> Bool) {
        for (key, link) in up.sorted(by: { $0.key < $1.key }) where concerns(link) {
            let (a, b) = (UInt32(key >> 32), UInt32(truncatingIfNeeded: key))
            world.connect(hosts[Int(a)], hosts[Int(b)], Self.quality(kinds[link]))
        }
    }

    // MARK: Letters

    private func post(_ number: Int) {
        let letter = expansion.letters[number]
        let first = mails.count
        if let to = letter.to {
            mails.append(send(number, letter, to))
        } else {
            let zone = cast.zone(letter.from).filter { $0 != letter.from }.prefix(Self.pairwiseBroadcast)
            let reached = Set(zone)
            for to in 0..<UInt32(cast.count) where to != letter.from {
                if reached.contains(to) {
                    mails.append(send(number, letter, to))
                } else {
                    var mail = self.mail(number, letter, to)
                    mail.unsent =
                        "announcements are not there yet; one goes to up to \(Self.pairwiseBroadcast) hosts of the zone"
                    mails.append(mail)
                }
            }
        }
        mailOfLetter[number] = first..<mails.count
    }

    private func mail(_ number: Int, _ letter: Letter, _ to: UInt32) -> Mail {
        Mail(
            letter: number, from: letter.from, to: to, bytes: letter.bytes, priority: letter.priority,
            created: letter.at, expiry: letter.expiry)
    }

    private func send(_ number: Int, _ letter: Letter, _ to: UInt32) -> Mail {
        var mail = mail(number, letter, to)
        guard letter.bytes <= Limits.text else {
            mail.unsent = "not sendable yet: a text has at most \(Limits.text) bytes, and attachments are not there"
            return mail
        }
        guard world.hasDevice(hosts[Int(to)]) else {
            mail.unsent = "the recipient was not enrolled yet"
            return mail
        }
        let key = UInt64(mails.count)
        let head = "m\(key) "
        let text = head + String(repeating: "x", count: max(0, letter.bytes - head.utf8.count))
        watch.recorder?.created(
            key, name: "m\(key)", class: letter.priority.word, from: letter.from, to: to, bytes: letter.bytes,
            at: letter.at)
        switch world.send(text, from: hosts[Int(letter.from)], to: hosts[Int(to)]).state {
        case .sealed, .waitingForKeys: break
        case .refused(let why): mail.unsent = why
        case .unasked: mail.unsent = isTurned(letter.from) ? "the sender means harm" : "the sender was off"
        }
        return mail
    }

    private func isTurned(_ host: UInt32) -> Bool {
        turned[host].map { $0.contains(UInt64(world.time.microseconds)) } ?? false
    }

    // MARK: After a heal

    /// Every second as long as a heal is watched.
    private func nextLook(after now: UInt64) -> UInt64 {
        watch.isWatchingHeal ? (now / 1_000_000 + 1) * 1_000_000 : .max
    }

    private func look(_ now: UInt64) {
        let pairs = up.keys.sorted().map { (UInt32($0 >> 32), UInt32(truncatingIfNeeded: $0)) }
        watch.look(now, pairs: pairs, limit: healLimit) { [self] host in
            // Nobody is bound to agree with one that means harm.
            guard world.isUp(hosts[Int(host)]), !isTurned(host) else { return nil }
            return world.store(of: hosts[Int(host)]).known()
        }
    }

    /// How long a heal is watched: three times the longest that a claim allows, a minute at least.
    private var healLimit: UInt64 {
        let claims = scenario.claims.compactMap { claim in
            if case .convergedWithin(let span) = claim.measure { UInt64(span.microseconds) } else { nil }
        }
        return max(60_000_000, 3 * (claims.max() ?? 0))
    }

    /// All envelopes that any host knows.
    private func known() -> Set<EnvelopeID> {
        guard scenario.claims.contains(where: { if case .convergedWithin = $0.measure { true } else { false } }) else {
            return []
        }
        var all: Set<EnvelopeID> = []
        for host in hosts where !isTurned(UInt32(host.index)) {
            let known = world.store(of: host).known()
            for record in known.held { all.insert(record.id) }
            for ghost in known.ghosts { all.insert(ghost.id) }
        }
        return all
    }

    // MARK: In the end

    private func collect(_ end: UInt64) throws(ScenarioProblems) -> Run {
        let report = world.finish()
        let spreads = try spreads(end)
        for (key, time) in watch.deliveries.sorted(by: { $0.key < $1.key }) { mails[key].delivered = time }
        try foresee(end)
        var evidence = Evidence(level: .full, duration: end)
        evidence.mails = mails
        evidence.relayed = watch.relayed
        evidence.heals = watch.endedHeals
        evidence.revocations = spreads
        evidence.sentByHost = watch.sentByHost
        evidence.largestFrame = watch.largestFrame
        evidence.largestDegree = watch.largestDegree ?? Evidence.Extreme(value: 0, host: nil, time: 0)
        evidence.largestDuty = watch.largestDuty ?? Evidence.Extreme(value: 0, host: nil, time: 0)
        evidence.wire = watch.wire
        evidence.duplicates = watch.duplicates
        evidence.reconciliation = Reconciliation(
            bytes: watch.wire.reconciliation, differences: UInt64(watch.differences))
        evidence.bufferMaxima = watch.bufferMaxima
        evidence.bytesByFrame = report.bytesByFrame.map {
            Tally(name: $0.name, count: UInt64($0.count), bytes: UInt64($0.bytes))
        }
        evidence.interning = Self.interning(report.shared)
        evidence.watches = InvariantCheckers.watches(scenario.claims, report.verdicts)
        evidence.notRecovered = watch.crashed.sorted().compactMap { index in
            guard !watch.killed.contains(index), !watch.down.contains(index), !isTurned(index) else { return nil }
            switch world.state(of: hosts[Int(index)]) {
            case .up, .paused: return nil
            case .failed(let reason): return (index, reason)
            case .down:
                let isDue = expansion.deeds.contains { deed in
                    if case .crash(let hosts, _, _, _) = deed.act, let until = deed.until {
                        deed.at <= end && until > end && hosts.contains(index)
                    } else {
                        false
                    }
                }
                return isDue ? nil : (index, "its node does not run")
            }
        }
        describe(report)
        var counters = Counters()
        counters.created = mails.filter { $0.unsent == nil }.count
        counters.relayed = watch.relayed
        counters.delivered = watch.deliveries.count
        counters.expired = watch.expired
        return Run(evidence: evidence, counters: counters, digest: report.digest)
    }

    private func oracle(_ end: UInt64) throws(ScenarioProblems) -> Oracle {
        var settings = ContactSettings(nodes: cast.count, end: end, buffer: .max, rate: nil)
        settings.rates = scenario.links.map { max(1, min($0.up, $0.down).bitsPerSecond / 8) }
        if settings.rates.isEmpty { settings.rates = [nil] }
        let layers = LayerContacts(expansion, density: .all)
        let reach = Reach(expansion, sources: try layers.sources(), partsOneWay: false)
        return Oracle(ReachContacts(reach), settings: settings, outages: ContactRunner.outages(expansion))
    }

    /// What could have arrived, over the contacts that there were.
    private func foresee(_ end: UInt64) throws(ScenarioProblems) {
        let oracle = try oracle(end)
        let sent = mails.indices.filter { mails[$0].unsent == nil }
        let messages = sent.map { index in
            PlannedMessage(
                name: "m\(index)", time: mails[index].created, from: mails[index].from, to: mails[index].to,
                size: ContactRunner.carried(mails[index].bytes),
                lifetime: mails[index].expiry - mails[index].created)
        }
        let foresight = oracle.foresee(messages, steps: ScenarioBounds.oracleSteps)
        ContactRunner.note(foresight).map(note)
        for (place, index) in sent.enumerated() {
            mails[index].isForeseen = foresight.isSought[place]
            let arrival = foresight.arrivals[place]
            guard let arrival, arrival.time < mails[index].expiry else { continue }
            // Nobody reads it there.
            if turned[mails[index].to]?.contains(arrival.time) == true { continue }
            mails[index].oracle = arrival.time
            mails[index].wasConnected = arrival.time - mails[index].created < 1_000_000
        }
    }

    /// What hosts held in common: a thousand of them in one process are not a thousand machines.
    private static func interning(_ shared: CoveySimulator.Report.Shared) -> [InterningCounter] {
        [
            InterningCounter(
                name: "envelopes", kept: UInt64(shared.envelopes), reused: UInt64(shared.envelopeHits),
                bytesSaved: UInt64(shared.envelopeBytesSaved)),
            InterningCounter(
                name: "verified states of the log", kept: UInt64(shared.rosters),
                reused: UInt64(shared.rosterSteps)),
            InterningCounter(
                name: "verified prekey bundles", kept: UInt64(shared.bundles), reused: UInt64(shared.bundleChecks)),
            InterningCounter(
                name: "sets of prekey bundles", kept: UInt64(shared.bundleSets), reused: UInt64(shared.bundlePages)),
            InterningCounter(
                name: "verified beacons", kept: UInt64(shared.beacons), reused: UInt64(shared.beaconChecks)),
            InterningCounter(
                name: "opened bursts of links", kept: UInt64(shared.bursts), reused: UInt64(shared.burstChecks)),
            InterningCounter(
                name: "key agreements", kept: UInt64(shared.agreementsMade), reused: UInt64(shared.agreements)),
        ]
    }

    /// Who heard of each revocation, and who could have.
    private func spreads(_ end: UInt64) throws(ScenarioProblems) -> [Evidence.RevocationSpread] {
        if revocations.isEmpty { return [] }
        let members = (0..<UInt32(cast.count)).filter { number in
            let host = hosts[Int(number)]
            return watch.revoked[number] == nil && !doubtful.contains(number) && world.hasDevice(host)
                && world.isUp(host) && !isTurned(number)
        }
        let oracle = try oracle(end)
        return revocations.map { revocation in
            var spread = revocation.spread
            let learnt = watch.revoked[spread.device] ?? [:]
            let times = members.compactMap { learnt[$0] }
            spread.everywhere = times.count == members.count ? times.max() : nil
            let others = members.filter { $0 != revocation.by && $0 != spread.device }
            let errands = others.map { host in
                PlannedMessage(
                    name: "r\(host)", time: spread.at, from: revocation.by, to: host, size: Self.noteSize,
                    lifetime: end - spread.at)
            }
            let arrivals = oracle.foresee(errands, steps: ScenarioBounds.oracleSteps).arrivals
            let reachable = zip(others, arrivals).filter { $0.1 != nil }
            spread.reachable = reachable.count
            spread.delays = reachable.compactMap { host, _ in learnt[host].map { $0 - spread.at } }.sorted()
            spread.oracle = reachable.compactMap { $0.1.map { $0.time - spread.at } }.sorted()
            return spread
        }
    }

    /// Bytes of a revocation on its way, more or less.
    private static let noteSize = 256

    private func describe(_ report: CoveySimulator.Report) {
        note(
            "All texts go as normal mail of 14 days: the node has no other yet. What comes after a letter's own lifetime does not count."
        )
        let small = scenario.links.filter { ($0.mtu ?? 1500) < Self.leastMTU }
        if !small.isEmpty {
            note(
                "\(small.map(\.name).joined(separator: ", ")): packets of \(Self.leastMTU) bytes, so that a beacon goes into one."
            )
        }
        if scenario.links.contains(where: { $0.up != $0.down }) {
            note("Links have the slower of their two rates both ways.")
        }
        var reasons: [String: Int] = [:]
        for mail in mails { if let why = mail.unsent { reasons[why, default: 0] += 1 } }
        for (why, count) in reasons.sorted(by: { ($0.value, $0.key) > ($1.value, $1.key) }) {
            note("\(count) messages were not sent: \(why).")
        }
    }
}
