import CoveyConversation
package import CoveyCore
package import CoveyCrypto
import CoveyLink
import CoveyRouting
import CoveySync

/// One node: events and time in, effects out.
///
/// `handle` is the only door. A turn changes memory and store together; its effects are performed after the commit. A
/// `StoreError` ends the run: this object is then of no more use, a new one is made from the store.
///
/// What belongs together stands in one file: `Handshakes`, `MembershipExchange`, `MailExchange`, `Delivery`, `Sending`,
/// `Announcements`, `Beacons`, `Timekeeping`, `Renewing`, `Excluding`, `Wiping`, `WipeOrders`, `Diagnosis`,
/// `Lagging`, `Commands`.
package final class Node {
    let configuration: NodeConfiguration
    let own: OwnDevice
    let random: any RandomSource
    let kem: any KEM
    let context: LinkContext
    /// What is held in common with other nodes of this process; nil for a node alone.
    let commons: (any Commons)?
    /// An authority that works beside this node and answers requests for renewal; nil on nearly all devices.
    let authority: (any AuthorityDesk)?
    /// Nil in a daemon. Links that are there when it is set are not counted.
    package var traffic: (any TrafficObserver)?
    /// Drawn at each start: tells this run's beacons and payloads from those of others.
    let instance: Octets8

    // Membership.
    var roster: Roster
    var clock: MeshClock { didSet { mailMoment = nil } }
    /// What the clock for mail came to at a moment: it is asked many times in a turn.
    private var mailMoment: (now: Now, minute: Minute)?
    var epochs = EpochRing()

    // Connections.
    var pending: [ConnectionID: PendingHandshake] = [:]
    /// In the order in which they were set up.
    var links: [PeerLink] = []
    var budget = HandshakeBudget()
    var seenFirsts = CoveyLink.ReplayCache()
    var dialer = Dialer()
    var lastDial: UInt32 = 0

    // Discovery.
    var endpoints: [LocalEndpoint] = []
    var nonces = OwnNonces()
    var sightings = Sightings()
    var schedule: BeaconSchedule
    var beaconSequence: UInt32 = 0
    var beaconSentAt: UInt64?
    /// Beacons of devices that no entry names.
    var strangersHeard = Rate(Limits.strangers, each: Rate.minute)

    // Mail.
    let shelf: Shelf
    var bundles: BundleBook
    var prekeys: Prekeys
    var opened: CoveyConversation.ReplayCache
    var contacts: Contacts
    var inboxSequence: UInt64
    /// Messages that came after their sender's revocation, by sender; nil until somebody asks.
    var lateMessages: [DeviceID: UInt64]?
    var outboxSequence: UInt64
    /// Messages that wait for their recipient's keys, by outbox sequence.
    var waiting: [UInt64: WaitingMessage] = [:]
    var policy: Routing
    /// Where the policy follows how well neighbours reach zones.
    var reach: ZoneReach?
    var recent = RecentMail()
    /// Tokens sent and not acknowledged: they are ours until then, and nobody else's to get.
    var promised: [EnvelopeID: UInt8] = [:]
    /// What each neighbour may send us in each class.
    var allowances: [DeviceID: PerPriority<Allowance>] = [:]
    /// What each sender may still have us read that we had no room to carry.
    var unkeptLetters: [DeviceID: Rate] = [:]
    /// And all of them together.
    var unkeptLettersOfAll = Rate(Limits.unkeptLettersOfAll, each: Rate.day)

    // What is known of time without an authority, and of orders to this device.
    /// Of our log, as it was last looked at.
    var grade = Staleness.fresh
    /// Devices written to or heard from.
    var met: Set<DeviceID> = []
    /// Suspended senders of held mail.
    var heldSenders: Set<DeviceID> = []
    /// Devices of the log that announced something while they were suspended, or outside the time of their certificate.
    var heldAuthors: Set<DeviceID> = []
    var wipes: [TakenWipe] = []
    /// Taken in this turn.
    var wipesDue: [TakenWipe] = []
    var receipts: [NoteHash: WipeReceipt] = [:]
    /// When the device it names was last told of an order on a link of its own, in microseconds of uptime.
    var ordersGiven: [NoteHash: UInt64] = [:]

    /// What was said last of our certificate's end, and of the authority at hand.
    var renewalWarned: RenewalWarning?
    var authorityComplaint: String?
    var announcements = AnnouncementBook()
    var announcementTags = AnnouncementTags()
    /// Authors of some of which it cannot be told yet whether they count.
    var undecidedAuthors: Set<DeviceID> = []
    /// Emergencies that were not taken in, the newest last: ghosts of the shelf only.
    var turnedAway: [TurnedAway] = []

    /// What was noticed before the first event.
    private var early = Effects()
    /// The hour up to which delivered ids were forgotten.
    private var forgottenUpTo = Hour(0)
    private var savedFloor: Minute?
    private var savedOwnTime: Minute?
    var deadlines = Deadlines()
    var refusals: [Refusal: UInt64] = [:]
    /// Held mail may be readable now, or count: a certificate or a key came in this turn, or a suspension ended.
    var isRescanDue = false
    /// Certificates were issued since the links were looked at, and entries came since the grade was.
    var areLinksInDoubt = false
    var isGradeInDoubt = false
    /// In this turn it changed whose certificates count.
    var areCertificatesInDoubt = false
    /// Keys, entries or notes came in this turn: peers may be handed epoch keys that they could not be before.
    var areEpochsToHand = false
    /// Links that were written to in this turn.
    var touched: [PeerLink] = []

    /// Loads what the store knows, and looks at all held mail: what a crash cut off between mail and inbox is found here.
    ///
    /// - Parameters:
    ///   - snapshot: where many nodes begin together; the store then has only what came later.
    ///   - commons: what nodes of one process hold together; nil for a node alone.
    ///   - authority: answers requests for renewal; nil on nearly all devices.
    package init(
        configuration: NodeConfiguration, store: any Store, random: any RandomSource, kem: any KEM, now: Now,
        snapshot: RosterSnapshot? = nil, commons: (any Commons)? = nil, authority: (any AuthorityDesk)? = nil
    ) throws {
        self.configuration = configuration
        policy = configuration.routing
        self.random = random
        self.kem = kem
        self.commons = commons
        self.authority = authority
        let identity = configuration.identity
        own = OwnDevice(mesh: configuration.genesis.meshID, hash: identity.hash, message: identity.message)
        context = LinkContext(mesh: configuration.genesis.meshID, transport: .stream, key: identity.link)
        instance = Octets8.random(from: random)
        schedule = BeaconSchedule(at: now.uptime)

        let floor = try State.floor.minute(in: store)
        clock = MeshClock(
            floor: floor ?? configuration.genesis.created, own: try State.ownTime.minute(in: store), now: now)
        roster = try Roster(
            loading: store, genesis: configuration.genesis, snapshot: snapshot, commons: commons,
            seed: random.nextWord(), clock: &clock, now: now)
        if floor == nil, let enrolled = roster.enrolment(of: own.id) { clock.observe(enrolment: enrolled, now: now) }
        bundles = BundleBook(snapshot?.bundles ?? BundlePage(seed: random.nextWord()), commons: commons)
        contacts = Contacts(of: own, commons: commons)

        let known = try store.known()
        let zones = roster.membership.currentCertificate(own.id)?.zones ?? []
        shelf = Shelf(
            held: known.held, ghosts: known.ghosts, quota: Quota(store: Int(clamping: configuration.quota), log: 0),
            zones: ZoneSet(zones.map { ZoneHint($0) }), random: random)
        reach = policy.tellsReach ? ZoneReach(own: shelf.zones, now: now) : nil
        prekeys = try Prekeys(
            records: try store.all(.prekeys),
            sequence: try State.bundleSequence.number(in: store).map { UInt32($0) } ?? 0)
        opened = try CoveyConversation.ReplayCache(records: try store.all(.firstMessages))
        inboxSequence = try State.inbox.number(in: store) ?? 0
        outboxSequence = try State.outbox.number(in: store) ?? 0

        try epochs.load(store, snapshot)
        for record in try store.all(.bundles) where !loadBundle(record.value, now: now) {
            try store.delete(.bundles, record.key)
        }
        try loadWaiting(store)
        try announcements.load(store)
        for peer in configuration.peers {
            dialer.add(static: peer.address, device: peer.device, name: peer.name, at: now.uptime)
        }
        reviewCertificates(now)

        met = Set(try store.all(.peers).compactMap { DeviceID($0.key) })
        wipes = try TakenWipe.load(store)
        wipesDue = wipes.filter { !$0.isDone }
        try loadReceipts(store)
        grade = roster.membership.staleness(at: clock.update(now: now))
        if grade != .fresh { early.append(.observe(.staleness(grade))) }
        isRescanDue = false
        try rescan(now, store, &early)
        announceWipes(&early)
        deadlines.set(.expiry, at: now.uptime)
        deadlines.set(.prekeys, at: now.uptime)
        deadlines.set(.dial, at: now.uptime)
        if let reach { deadlines.set(.reach, at: reach.due) }
        switch configuration.multicast {
        case .on: deadlines.set(.beacon, at: now.uptime)
        case .listen, .off: break
        }
    }

    /// Microseconds of uptime; after each turn the driver arms one timer here.
    package var nextDeadline: UInt64? { deadlines.next }

    package var device: DeviceID { own.id }

    package func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws {
        if !early.list.isEmpty { for effect in early.take() { effects.append(effect) } }
        switch event {
        case .endpoints(let list):
            endpoints = list.sorted { ($0.address, $0.interface) < ($1.address, $1.interface) }
            dialer.reset(at: now.uptime)
            deadlines.set(.dial, at: now.uptime)
            if case .on = configuration.multicast {
                schedule.restart(at: now.uptime)
                deadlines.set(.beacon, at: now.uptime)
            }
        case .deadline:
            for name in deadlines.takeDue(now.uptime) { try fire(name, now, store, &effects) }
        case .accepted(let connection, let address, let isStatic):
            accept(connection, from: address, isStatic: isStatic, now, &effects)
        case .connected(let connection):
            try connected(connection, now, &effects)
        case .dialFailed(let connection, let cause):
            pending[connection] = nil
            deadlines.clear(.link(connection))
            redial(after: connection, .unreachable, because: cause, now, &effects)
        case .received(let connection, let bytes):
            try received(bytes, on: connection, now, store, &effects)
        case .drained(let connection):
            guard let link = link(of: connection) else { return }
            link.awaitsDrain = false
            touch(link)
        case .closed(let connection):
            if let link = link(of: connection) {
                forget(link, .closedByPeer, now, &effects)
            } else {
                drop(connection, cause: nil, now, &effects)
            }
        case .datagram(let bytes, let source, let interface):
            hear(bytes, from: source, interface: interface, now, &effects)
        case .command(let id, let command):
            try perform(command, id, now, store, &effects)
        case .wiped(let order):
            try wiped(order, store)
        }
        try settleMembership(now, store, &effects)
        if areEpochsToHand { handEpochs(now) }
        if areCertificatesInDoubt { reviewCertificates(now) }
        if isRescanDue {
            isRescanDue = false
            try rescan(now, store, &effects)
        }
        try flush(now, store, &effects)
        if !wipesDue.isEmpty { announceWipes(&effects) }
    }

    private func fire(
        _ name: Deadlines.Name, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        switch name {
        case .beacon: sendBeacon(now, &effects)
        case .beaconAnswer: answerBeacon(now, &effects)
        case .dial: dial(now, &effects)
        case .expiry: try expire(now, store, &effects)
        case .prekeys: try renewPrekeys(now, store, &effects)
        case .renewals: try answerRenewals(now, store, &effects)
        case .reach: tellReach(now)
        case .link(let connection): try linkDeadline(connection, now, store, &effects)
        }
    }

    // MARK: Time

    /// The clock for certificates; persists the floor when it rose.
    func time(_ now: Now) -> TimeView { clock.update(now: now) }

    /// The clock for mail.
    func mailNow(_ now: Now) -> Minute {
        if let mailMoment, mailMoment.now == now { return mailMoment.minute }
        let minute = clock.mailNow(now: now)
        mailMoment = (now, minute)
        return minute
    }

    private func expire(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        let view = time(now)
        let hour = clock.expiryNow(now: now).hour
        let gone = shelf.expire(upTo: hour)
        // On the disk they stay until they end, 65 bytes each.
        shelf.dropGhosts(above: Limits.ghosts(quota: configuration.quota))
        try store.expire(upTo: hour)
        if gone > 0 { effects.append(.observe(.expired(gone))) }
        if hour > forgottenUpTo {
            try forgetDelivered(upTo: hour, store)
            try announcements.forget(upTo: hour, store)
            try dropBundles(now, store)
            try sealWaiting(for: nil, now, store, &effects)
            unkeptLetters = unkeptLetters.filter { !$0.value.isOver(at: now.uptime) }
            forgottenUpTo = hour
        }
        for link in links { askTime(link, now) }
        forgetGivenOrders(now)
        try regrade(now, store, &effects)
        releaseHeldSenders(now)
        try askRenewal(now, store, &effects)
        try answerRenewals(now, store, &effects)
        // Certificates end while links stand, and suspensions begin and end.
        try recheckLinks(now, store, &effects)
        if view.floor != savedFloor {
            try State.floor.put(UInt64(view.floor.value), in: store)
            savedFloor = view.floor
        }
        if clock.own != savedOwnTime {
            try State.ownTime.put(UInt64(clock.own.value), in: store)
            savedOwnTime = clock.own
        }
        try sendWaitingAnnouncements(now, store)
        for commit in try epochs.settle(roster.membership, at: view, store) { seenFirsts.forget(commit) }
        deadlines.set(.expiry, at: now.uptime + 60_000_000)
    }

    // MARK: Links by name

    func link(of connection: ConnectionID) -> PeerLink? { links.first { $0.connection == connection } }

    /// Whether mail flows to a device now.
    package func isOpen(to device: DeviceID) -> Bool { links.contains { $0.device == device && $0.isOpen } }

    /// Whether anything is under way towards a device: no need to dial it.
    func isLinked(to device: DeviceID) -> Bool { links.contains { $0.device == device && !$0.isBeingReplaced } }

    func touch(_ link: PeerLink) {
        if !touched.contains(where: { $0 === link }) { touched.append(link) }
    }

    /// Counts a refusal by its cause. The cause is for us, nobody else is told.
    func refuse(_ address: SocketAddress, _ cause: Refusal, _ effects: inout Effects) {
        count(refusal: cause)
        effects.append(.observe(.refused(address, cause)))
    }

    /// Some causes name a number of the stranger's choice.
    func count(refusal cause: Refusal) {
        let isKept = refusals[cause] != nil || refusals.count < Limits.causes
        refusals[isKept ? cause : .other, default: 0] += 1
    }

    /// What this turn wrote to links: acknowledgements, mail, frames; one buffer a link.
    func flush(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        while !touched.isEmpty {
            let batch = touched
            touched.removeAll(keepingCapacity: true)
            for link in batch where links.contains(where: { $0 === link }) {
                try pump(link, now, store, &effects)
            }
        }
    }
}

/// Single values of the table `state`, by name.
enum State: String {
    case floor
    case ownTime
    case bundleSequence
    case inbox
    case outbox
    case announcement
    case log
    case boots

    private var key: [UInt8] { Array(rawValue.utf8) }

    func number(in store: any Store) throws -> UInt64? {
        guard let value = try store.get(.state, key) else { return nil }
        guard value.count == 8 else { throw StoreError.damaged("the record \(rawValue) has \(value.count) bytes") }
        return value.reduce(0) { $0 << 8 | UInt64($1) }
    }

    func minute(in store: any Store) throws -> Minute? { try number(in: store).map { Minute(UInt32(clamping: $0)) } }

    func put(_ number: UInt64, in store: any Store) throws {
        var value: [UInt8] = []
        value.append(u64: number)
        try store.put(.state, key, value)
    }
}
