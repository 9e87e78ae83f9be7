import CoveyCore
import CoveyCrypto

/// One round of RECON: what was asked, answered, pushed and wanted, and how much more it may cost.
struct Exchange: Sendable {
    enum Turn: Sendable { case undecided, closesFirst, closesSecond }

    var session: SessionID
    /// The session's number is agreed: we spoke first, or the peer did.
    var isSpoken = false
    let view: RangePlan.View
    var turn = Turn.undecided
    var hasClosed = false
    /// The fingerprint of the peer's RECON_DONE.
    var theirEnd: Octets8?
    /// Our answer to the batch that is coming in.
    var answer = RangePlan()
    private(set) var pushes = 0
    private(set) var wants = 0
    /// Ghosts the peer lacks: known here, not to be had here.
    private var withheld: Set<ItemID> = []
    private(set) var sentBytes = 0
    /// Where the peer's batch stands.
    private var cursor = Bound.start
    private var batches = 0
    private var receivedBytes = 0
    private var asked = 0
    private var listed: [Range<Bound>] = []
    private var index: [ShortID: ItemID]?
    private let theirs: Int
    private let itemBudget: Int

    init(session: SessionID, view: RangePlan.View, ours: Int, theirs: Int) {
        self.session = session
        self.view = view
        self.theirs = min(theirs, Limits.claimedItems)
        itemBudget = max(ours, self.theirs)
    }

    func next(_ session: SessionID, _ view: RangePlan.View, _ ours: Int) -> Exchange {
        Exchange(session: session, view: view, ours: ours, theirs: theirs)
    }

    /// Twice the bytes of the longer list, and a little.
    var byteBudget: Int { 2 * (view.isWide ? 16 : 8) * itemBudget + Limits.roundBytes }

    var hasTransfers: Bool { pushes > 0 || wants > 0 || asked > 0 }

    /// It is for us to say done.
    var mayClose: Bool {
        switch turn {
        case .undecided: false
        case .closesFirst: !hasClosed
        case .closesSecond: !hasClosed && theirEnd != nil
        }
    }

    /// Of what both sides can have when all is handed over: our set without the ghosts that the peer lacks.
    func fingerprint(_ set: KnownSet) -> Octets8 {
        var aggregate = set.aggregate(floor: view.floor)
        // A sum: the order of the ghosts does not show.
        for id in withheld where set.contains(id) { aggregate.subtract(id.number(view.half)) }
        return view.salt.fingerprint(of: aggregate)
    }

    mutating func send(_ plan: RangePlan, _ namespace: Namespace, _ steps: inout [SyncStep]) {
        var plan = plan
        plan.skip(to: .end)
        isSpoken = true
        listed += plan.listed
        index = nil
        for frame in Recon.frames(namespace: namespace, session: session, parts: plan.parts) {
            sentBytes += frame.parts.reduce(0) { $0 + $1.byteCount }
            steps.append(.send(.recon(frame)))
        }
    }

    /// Takes in a frame of the peer's batch; true when the batch is whole.
    mutating func receive(
        _ parts: [Recon.Part], _ set: inout KnownSet, _ steps: inout [SyncStep]
    ) throws(SyncFault) -> Bool {
        if cursor == .start {
            batches += 1
            guard batches <= Limits.batches else { throw .excess }
        }
        for part in parts {
            guard part.upper > cursor else { throw .order }
            receivedBytes += part.byteCount
            try take(part.mode, cursor..<part.upper, &set, &steps)
            guard wants <= theirs + Limits.growth, pushes <= itemBudget + Limits.growth,
                receivedBytes <= 2 * byteBudget
            else { throw .excess }
            cursor = part.upper
        }
        guard cursor == .end else { return false }
        cursor = .start
        return true
    }

    private mutating func take(
        _ mode: Recon.Mode, _ range: Range<Bound>, _ set: inout KnownSet, _ steps: inout [SyncStep]
    ) throws(SyncFault) {
        switch mode {
        case .skip: break
        case .fingerprint(let fingerprint):
            if view.salt.fingerprint(of: set.aggregate(in: range, floor: view.floor)) != fingerprint {
                answer.divide(range, of: &set, view)
            }
        case .all:
            push(range, &set, &steps)
        case .list(let ids):
            let missing = difference(ids, in: range, &set, &steps) { [salt = view.salt] in salt.shortID(of: $0) }
            guard !missing.isEmpty else { break }
            wants += missing.count
            steps.append(.want(missing))
        case .wideList(let ids):
            // A WANT names eight bytes, so nothing can be asked for by these: the whole range is.
            let missing = difference(ids, in: range, &set, &steps) { [view] in view.wideID(of: $0) }
            guard !missing.isEmpty else { break }
            asked += missing.count
            answer.all(range)
        }
    }

    /// Pushes what is not in the list, and returns what is in the list only, in its order.
    private mutating func difference<ID: FixedOctets>(
        _ ids: [ID], in range: Range<Bound>, _ set: inout KnownSet, _ steps: inout [SyncStep],
        _ shorten: (ItemID) -> ID
    ) -> [ID] {
        var mine: [(id: ItemID, isHeld: Bool, isThere: Bool)] = []
        var places: [ID: Int] = [:]
        set.forEach(in: range, floor: view.floor) { row in
            places[shorten(row.id)] = mine.count
            mine.append((row.id, row.mark.isHeld, false))
        }
        var missing: [ID] = []
        for id in ids {
            if let place = places[id] { mine[place].isThere = true } else { missing.append(id) }
        }
        var lacking: [ItemID] = []
        for one in mine where !one.isThere {
            if one.isHeld { lacking.append(one.id) } else { withheld.insert(one.id) }
        }
        push(lacking, &steps)
        return missing
    }

    /// Everything of a range that the peer has nothing of.
    mutating func push(_ range: Range<Bound>, _ set: inout KnownSet, _ steps: inout [SyncStep]) {
        var lacking: [ItemID] = []
        set.forEach(in: range, floor: view.floor) { row in
            if row.mark.isHeld { lacking.append(row.id) } else { withheld.insert(row.id) }
        }
        push(lacking, &steps)
    }

    private mutating func push(_ ids: [ItemID], _ steps: inout [SyncStep]) {
        guard !ids.isEmpty else { return }
        pushes += ids.count
        steps.append(.push(ids))
    }

    /// Ids of the ranges we listed, by their short form. Made at the first question, over those ranges only.
    mutating func resolve(_ wanted: [ShortID], _ set: inout KnownSet) -> [ItemID?] {
        if index == nil {
            var made: [ShortID: ItemID] = [:]
            for range in listed {
                set.forEach(in: range, floor: view.floor) { made[view.salt.shortID(of: $0.id)] = $0.id }
            }
            index = made
        }
        return wanted.map { short in
            guard let id = index?[short], let state = set.state(of: id) else { return nil }
            guard state == .held else {
                withheld.insert(id)
                return nil
            }
            return id
        }
    }
}
