import CoveyCrypto

/// A keyset, and the commitment that whoever follows it has to meet.
struct KeysetStatement: Hashable, Sendable {
    let keyset: Keyset
    /// Nil for the first keyset of an authority below the root: there the AuthorityAdds say it.
    let nextCommit: KeysetCommit?
}

/// An entry beside the path.
struct LogNode: Hashable, Sendable {
    let id: EntryID
    let sequence: UInt64
    /// An entry, an anchor or a graft.
    let previous: EntryID
    let time: Minute
    /// The statement whose keyset signed it.
    let keys: Int
    /// The statement for what follows it.
    let keysAfter: Int
}

/// What the parent says about a log, as its tree holds it. The log's next entry names the parent's entry as its predecessor.
struct Graft: Hashable, Sendable {
    let choice: PlacedChoice
    /// Of the choice's statement; nil when it has none.
    let keys: Int?

    var place: EntryPlace { choice.place }
    var time: Minute { choice.time }
    var branch: EntryID { choice.branch }
    var isCold: Bool { choice.isCold }
}

/// Who decided about the branches of a log: of several the newest counts that stands behind what the cold keys decided.
struct BranchChoice: Hashable, Sendable {
    enum Maker: Hashable, Sendable {
        /// A RecoverFork in the log itself.
        case recovery
        case parent(Graft)
    }

    let entry: EntryID
    let sequence: UInt64
    let time: Minute
    let maker: Maker

    var isCold: Bool {
        switch maker {
        case .recovery: true
        case .parent(let graft): graft.isCold
        }
    }

    func isOlder(than other: BranchChoice) -> Bool {
        (time, sequence, other.entry) < (other.time, other.sequence, entry)
    }
}

/// The entries of one log by their predecessors, and the path through them that counts (protocol.md §1.8).
///
///     anchor ── 1 ── 2 ── 3 ── 4      the path
///                     └── 3'── 4'     beside it
///
/// The path up to where the log is frozen follows from the entries and choices alone, not from their order of arrival;
/// beyond that it goes on as it was met.
struct LogTree: Sendable {
    /// What the first entry names: the mesh for the root, AuthorityAdds for others, the first of them one of the parent.
    private(set) var anchors: [EntryID]
    /// When the AuthorityAdds were written: no first entry is older than the one it names.
    private var anchorTimes: [EntryID: Minute] = [:]
    private var statements: [KeysetStatement]

    /// The path, by sequence from 1.
    private(set) var ids: [EntryID] = []
    private var times: [Minute] = []
    /// From which sequence on another statement signs; ascending, the first is for 1.
    private var signing: [(from: UInt64, keys: Int)] = [(1, 0)]
    /// Predecessors on the path that are not entries of this log, by the sequence of what follows them.
    private var joints: [UInt64: EntryID] = [:]
    /// A graft behind the last entry of the path.
    private(set) var graftAtTip: EntryID?

    private(set) var beside: [UInt64: [LogNode]] = [:]
    private(set) var besideCount = 0
    /// Whose signatures stand under the entries that were not on the path when they came. The keyset that must have signed
    /// one is certain only when all entries before it are here, and two keysets may have keys in common.
    private var signers: [EntryID: [SigningPublicKey]] = [:]
    private(set) var grafts: [EntryID: Graft] = [:]
    private var hadGrafts = false
    /// The sequence of every entry that a graft ever named, nil while it is not here: it is asked for with every entry of a
    /// fork, and a search goes over the whole log. Whoever writes a graft chooses the id, and an EntryID is hashed by its
    /// first word alone.
    private var branches: [Octets32: UInt64?] = [:]
    /// RecoverForks of this log itself, by id.
    private var recoveries: [EntryID: BranchChoice] = [:]
    /// The choice with which the path begins.
    private(set) var chosen: BranchChoice?
    /// The last sequence that counts, while nobody has chosen between branches; nil when there is no such fork.
    private(set) var frozenAt: UInt64?

    init(_ first: KeysetStatement, anchor: EntryID?) {
        statements = [first]
        anchors = anchor.map { [$0] } ?? []
    }

    // MARK: Looking up

    func statement(_ keys: Int) -> KeysetStatement { statements[keys] }

    /// Every keyset this log ever had on any branch, the newest first. Of what stands on nothing, and of choices that were
    /// not the parent's, the keys are nobody's.
    var keysets: [Keyset] {
        var own = Set(signing.map(\.keys))
        own.insert(0)
        for graft in grafts.values { if let keys = graft.keys { own.insert(keys) } }
        if !begun.isEmpty {
            for node in beside.values.joined() {
                if let keys = begun[node.id], !own.contains(keys), isRooted(node) { own.insert(keys) }
            }
        }
        return own.sorted(by: >).map { statements[$0].keyset }
    }

    func knows(_ keyset: Keyset) -> Bool { keysets.contains(keyset) }

    /// Whether a keyset is the first one, or stands in the path up to a sequence.
    func knows(_ keyset: Keyset, upTo sequence: UInt64) -> Bool {
        let end = min(sequence, UInt64(ids.count))
        var known = signing.filter { $0.from <= end }.map(\.keys) + [0]
        if end > 0 { known.append(keysAfterEntry(at: end)) }
        return known.contains { statements[$0].keyset == keyset }
    }

    /// Whether a path entry may change what counts although it only lengthens the path.
    func isOpen(at sequence: UInt64) -> Bool { frozenAt == nil && beside[sequence] == nil }

    /// Whether there ever was anything to decide about the path.
    var isContested: Bool { besideCount > 0 || hadGrafts || !recoveries.isEmpty }

    var lastTime: Minute { times.last ?? Minute(0) }

    /// The last of the first entries of the path that were made at a time or before: times do not decrease.
    func lastSequence(upTo time: Minute, within most: UInt64) -> UInt64 {
        UInt64(times[..<Int(min(most, UInt64(times.count)))].partitioningIndex { $0 > time })
    }

    /// What an entry behind the path must not be older than.
    var tipTime: Minute { tip.flatMap { standing(after: $0, at: UInt64(ids.count))?.time } ?? lastTime }

    /// What an entry behind the path names as its predecessor; nil when no AuthorityAdd is known.
    var tip: EntryID? { graftAtTip ?? ids.last ?? anchors.first }

    /// Whether an entry that names this predecessor lengthens the path. Any anchor may be named where nothing stands yet.
    func isNext(after previous: EntryID, at sequence: UInt64) -> Bool {
        guard sequence == UInt64(ids.count) + 1 else { return false }
        return previous == tip || (ids.isEmpty && graftAtTip == nil && anchors.contains(previous))
    }

    /// The statement that signs what follows the path.
    var tipKeys: Int { signing[signing.count - 1].keys }

    /// The anchor below the path, or below the graft that it waits behind; nil while there is neither.
    var origin: EntryID? {
        guard let previous = joints[1] ?? graftAtTip else { return nil }
        return grafts[previous]?.branch ?? previous
    }

    /// The AuthorityAdds that first entries name, on whatever branch: whoever holds the first keys wrote those.
    var namedAnchors: [EntryID] {
        var firsts = beside[1, default: []].filter(isRooted)
        if !ids.isEmpty { firsts.append(pathNode(at: 1)) }
        return firsts.map(\.previous).filter(anchors.contains)
    }

    /// Whether a branch was chosen that is not here.
    var hasUnmetGraft: Bool { grafts.values.contains { sequence(of: $0.branch) == nil } }

    func id(at sequence: UInt64) -> EntryID? {
        sequence >= 1 && sequence <= UInt64(ids.count) ? ids[Int(sequence) - 1] : nil
    }

    func isBeside(_ id: EntryID, at sequence: UInt64) -> Bool { beside[sequence]?.contains { $0.id == id } ?? false }

    func holds(_ id: EntryID, at sequence: UInt64) -> Bool {
        self.id(at: sequence) == id || isBeside(id, at: sequence)
    }

    /// The statement that signs the path's entry of a sequence.
    func keys(at sequence: UInt64) -> Int {
        signing.last { $0.from <= sequence }?.keys ?? 0
    }

    func node(_ id: EntryID, at sequence: UInt64) -> LogNode? {
        if self.id(at: sequence) == id { return pathNode(at: sequence) }
        return beside[sequence]?.first { $0.id == id }
    }

    /// `sequence` is one of the path.
    private func pathNode(at sequence: UInt64) -> LogNode {
        LogNode(
            id: ids[Int(sequence) - 1], sequence: sequence, previous: previous(at: sequence),
            time: times[Int(sequence) - 1], keys: keys(at: sequence), keysAfter: keysAfterEntry(at: sequence))
    }

    private func previous(at sequence: UInt64) -> EntryID {
        guard let previous = joints[sequence] ?? id(at: sequence - 1) else {
            preconditionFailure("every entry of a path has a predecessor")
        }
        return previous
    }

    /// After an entry of the path itself, whatever graft stands behind it.
    private func keysAfterEntry(at sequence: UInt64) -> Int {
        begun[ids[Int(sequence) - 1]] ?? keys(at: sequence)
    }

    /// The statement that an entry of this log makes: its rotations and recoveries.
    private var begun: [EntryID: Int] = [:]

    /// Time and statement behind a predecessor; nil while that is unknown.
    func standing(after previous: EntryID, at sequence: UInt64) -> (time: Minute, keys: Int)? {
        if sequence == UInt64(ids.count), graftAtTip == nil, let last = ids.last, last == previous {
            return (lastTime, tipKeys)
        }
        if let standing = standing(behind: previous, at: sequence) { return standing }
        guard let graft = grafts[previous], let below = standing(behind: graft.branch, at: sequence) else { return nil }
        return (max(below.time, graft.time), graft.keys ?? below.keys)
    }

    /// As above, of an entry or an anchor.
    private func standing(behind entry: EntryID, at sequence: UInt64) -> (time: Minute, keys: Int)? {
        if sequence == 0 { return anchors.contains(entry) ? (anchorTime(entry), 0) : nil }
        return node(entry, at: sequence).map { ($0.time, $0.keysAfter) }
    }

    private func anchorTime(_ anchor: EntryID) -> Minute { anchorTimes[anchor] ?? Minute(0) }

    /// The entry of `sequence` on the way from an entry down to the anchor; nil when that way is not whole.
    func ancestor(at sequence: UInt64, of id: EntryID, at start: UInt64) -> EntryID? {
        guard sequence >= 1, sequence <= start else { return nil }
        var id = id
        var at = start
        while true {
            // Whatever is on the path stands on it down to the anchor.
            if self.id(at: at) == id { return self.id(at: sequence) }
            guard let node = beside[at]?.first(where: { $0.id == id }) else { return nil }
            if at == sequence { return isRooted(node) ? id : nil }
            at -= 1
            guard let below = entry(before: node) else { return nil }
            id = below
        }
    }

    /// The entry below a node with a graft between them or none; nil at the anchor, and where there is none.
    private func entry(before node: LogNode) -> EntryID? {
        guard node.sequence > 1, follows(node) else { return nil }
        return grafts[node.previous]?.branch ?? node.previous
    }

    private enum Footing {
        /// It stands on the anchor, over entries each of which is right behind the one before.
        case rooted
        /// Something before it is not here, so its keys are a guess.
        case loose
        /// All before it is here, and it does not follow from that: it is no entry of this log, wherever it came from.
        case void
    }

    /// - Parameter known: of nodes below, as far as that was found out before.
    private func footing(of node: LogNode, _ known: [EntryID: Footing] = [:]) -> Footing {
        var node = node
        var isBroken = false
        while id(at: node.sequence) != node.id {
            guard standing(after: node.previous, at: node.sequence - 1) != nil else { return .loose }
            if !follows(node) { isBroken = true }
            guard node.sequence > 1 else { break }
            let below = grafts[node.previous]?.branch ?? node.previous
            if let found = known[below] { return found == .rooted && isBroken ? .void : found }
            guard let next = self.node(below, at: node.sequence - 1) else { return .loose }
            node = next
        }
        return isBroken ? .void : .rooted
    }

    /// Of all nodes beside the path.
    private func footings() -> [EntryID: Footing] {
        var found: [EntryID: Footing] = [:]
        for sequence in beside.keys.sorted() {
            for node in beside[sequence, default: []] { found[node.id] = footing(of: node, found) }
        }
        return found
    }

    private func isRooted(_ node: LogNode) -> Bool { footing(of: node) == .rooted }

    /// Whether what an entry takes away is honoured: it stands on the path, or beside it where nobody has chosen yet. Of
    /// what hangs in the air above a choice nobody can tell, and taking away is the safe side.
    func isHonoured(_ id: EntryID, at sequence: UInt64) -> Bool {
        if self.id(at: sequence) == id { return true }
        guard let node = node(id, at: sequence) else { return false }
        switch footing(of: node) {
        case .void: return false
        case .loose: return chosen.map { sequence > $0.sequence } ?? true
        case .rooted: return chosen.map { leads(id, at: sequence, over: $0) } ?? true
        }
    }

    /// Whether an entry, and the way to it, stands behind what was chosen.
    private func leads(_ id: EntryID, at sequence: UInt64, over choice: BranchChoice) -> Bool {
        switch choice.maker {
        case .recovery: return ancestor(at: choice.sequence, of: id, at: sequence) == choice.entry
        case .parent(let graft):
            guard choice.sequence == 0 || ancestor(at: choice.sequence, of: id, at: sequence) == graft.branch,
                let behind = ancestor(at: choice.sequence + 1, of: id, at: sequence)
            else { return false }
            return node(behind, at: choice.sequence + 1)?.previous == choice.entry
        }
    }

    /// Whether all entries before an entry of this predecessor are here.
    func isWhole(before previous: EntryID, at sequence: UInt64) -> Bool {
        let below = grafts[previous]?.branch ?? previous
        guard sequence > 1 else { return anchors.contains(below) }
        return node(below, at: sequence - 1).map { isRooted($0) } ?? false
    }

    /// Entries that have one sequence, the path's first, wherever there are several. Void ones are none; of one whose
    /// predecessor is not here its signature must tell.
    func rivals() -> [(sequence: UInt64, entries: [EntryID])] {
        let footings = footings()
        return beside.keys.sorted().compactMap { sequence in
            guard let main = id(at: sequence) else { return nil }
            let keyset = statements[keys(at: sequence)].keyset
            let others = beside[sequence, default: []].filter { node in
                switch footings[node.id] {
                case .rooted: true
                case .loose: isSigned(node, by: keyset)
                case .void, nil: false
                }
            }
            return others.isEmpty ? nil : (sequence, [main] + others.map(\.id))
        }
    }

    /// Whether enough of a keyset's keys signed a node, and nobody else did. Asked of those that came beside the path.
    private func isSigned(_ node: LogNode, by keyset: Keyset) -> Bool {
        guard let signers = signers[node.id] else { return statements[node.keys].keyset == keyset }
        return signers.count >= keyset.threshold && signers.allSatisfy(keyset.keys.contains)
    }

    /// Whether a node's keys and time are right behind what it names. One that came before its predecessor was taken
    /// without asking.
    private func follows(_ node: LogNode) -> Bool {
        guard let before = standing(after: node.previous, at: node.sequence - 1) else { return false }
        return before.keys == node.keys && before.time <= node.time
    }

    // MARK: Growing

    mutating func add(anchor: EntryID, time: Minute) {
        guard !anchors.contains(anchor) else { return }
        anchors.append(anchor)
        anchorTimes[anchor] = time
    }

    /// Lets whoever writes the first entry name this anchor.
    mutating func begin(at anchor: EntryID) {
        anchors.removeAll { $0 == anchor }
        anchors.insert(anchor, at: 0)
    }

    /// The index of a statement, which is a new one or not.
    mutating func intern(_ statement: KeysetStatement) -> Int {
        if let known = statements.firstIndex(of: statement) { return known }
        statements.append(statement)
        return statements.count - 1
    }

    /// Takes an entry that is not held. True when it lengthens the path.
    ///
    /// - Parameters:
    ///   - keys: the statement that signed it.
    ///   - statement: what it says about the keys from there on.
    mutating func insert(_ entry: LogEntry, keys: Int, statement: KeysetStatement?) -> Bool {
        let keysAfter = statement.map { intern($0) }
        if let keysAfter { begun[entry.id] = keysAfter }
        if case .recoverFork(let recovery) = entry.payload, recovery.log == entry.log {
            recoveries[entry.id] = BranchChoice(
                entry: entry.id, sequence: entry.sequence, time: entry.time, maker: .recovery)
        }
        let node = LogNode(
            id: entry.id, sequence: entry.sequence, previous: entry.previous, time: entry.time, keys: keys,
            keysAfter: keysAfter ?? keys)
        let key = Octets32(prefixOf: entry.id)
        if branches.keys.contains(key) { branches.updateValue(entry.sequence, forKey: key) }
        guard isNext(after: entry.previous, at: entry.sequence) else {
            beside[entry.sequence, default: []].append(node)
            besideCount += 1
            let hints = entry.signed.attestations.map(\.hint)
            signers[entry.id] = statements[keys].keyset.keys.filter { hints.contains(KeyHint(of: $0)) }
            adopt(behind: entry.id, at: entry.sequence)
            return false
        }
        append(node)
        if besideCount > 0 { adopt(behind: entry.id, at: entry.sequence) }
        return true
    }

    /// Tells the entries that came before their predecessor which statement they stand under, if its keyset signed them.
    private mutating func adopt(behind entry: EntryID, at sequence: UInt64) {
        var waiting = [(entry, sequence)]
        for graft in grafts.values where graft.branch == entry { waiting.append((graft.place.entry, sequence)) }
        while let (previous, sequence) = waiting.popLast() {
            guard let nodes = beside[sequence + 1], let keys = standing(after: previous, at: sequence)?.keys else {
                continue
            }
            for (index, node) in nodes.enumerated() where node.previous == previous {
                guard node.keys != keys, isSigned(node, by: statements[keys].keyset) else { continue }
                beside[sequence + 1]?[index] = LogNode(
                    id: node.id, sequence: node.sequence, previous: previous, time: node.time, keys: keys,
                    keysAfter: begun[node.id] ?? keys)
                waiting.append((node.id, sequence + 1))
                for graft in grafts.values where graft.branch == node.id {
                    waiting.append((graft.place.entry, sequence + 1))
                }
            }
        }
    }

    private mutating func append(_ node: LogNode) {
        if id(at: node.sequence - 1) != node.previous { joints[node.sequence] = node.previous }
        if tipKeys != node.keys { signing.append((node.sequence, node.keys)) }
        graftAtTip = nil
        ids.append(node.id)
        times.append(node.time)
        if node.keysAfter != node.keys { signing.append((node.sequence + 1, node.keysAfter)) }
    }

    mutating func add(_ choice: PlacedChoice) {
        let graft = Graft(choice: choice, keys: choice.statement.map { intern($0) })
        grafts[graft.place.entry] = graft
        hadGrafts = true
        let key = Octets32(prefixOf: graft.branch)
        if !branches.keys.contains(key) { branches.updateValue(find(graft.branch), forKey: key) }
        for sequence in beside.keys.sorted() where sequence > 0 { adopt(behind: graft.place.entry, at: sequence - 1) }
    }

    /// Lets these choices count and no others. The path is cut where it stood on one of the others, for `settle` to find it
    /// again.
    mutating func replaceGrafts(by choices: [PlacedChoice]) {
        if !grafts.isEmpty {
            let held = anchors + choices.map(\.place.entry)
            let cut = joints.filter { !held.contains($0.value) }.keys.min() ?? UInt64(ids.count) + 1
            var way = Way(self)
            way.nodes = (1..<cut).map { pathNode(at: $0) }
            if cut > UInt64(ids.count), let graftAtTip, held.contains(graftAtTip) { way.graft = graftAtTip }
            follow(way)
            grafts = [:]
        }
        for choice in choices { add(choice) }
    }

    // MARK: The path

    /// Finds the path that counts.
    ///
    /// - Parameters:
    ///   - grafts: those of the parent that count.
    ///   - checkpointed: the head in the parent's newest Checkpoint.
    /// - Returns: whether the path, or where it is frozen, is another one now.
    mutating func settle(grafts: [Graft], checkpointed: CoveredRow?) -> Bool {
        var choices = recoveries.values.filter { ancestor(at: 1, of: $0.entry, at: $0.sequence) != nil }
        for graft in grafts {
            guard let sequence = sequence(of: graft.branch) else { continue }
            choices.append(
                BranchChoice(
                    entry: graft.place.entry, sequence: sequence, time: graft.time, maker: .parent(graft)))
        }
        // Any date can be written: no parent outbids the cold keys, it only decides about what came after them.
        let cold = choices.filter(\.isCold).max { $0.isOlder(than: $1) }
        let behind = choices.filter { choice in
            guard let cold, case .parent(let graft) = choice.maker, !graft.isCold else { return !choice.isCold }
            return leads(graft.branch, at: choice.sequence, over: cold)
        }
        let newest = behind.max { $0.isOlder(than: $1) } ?? cold
        var way = Way(self)
        if let newest { way.begin(newest) }
        chosen = newest
        let frozen = way.extend(checkpointed: checkpointed)
        let isOther = way.nodes.map(\.id) != ids || way.graft != graftAtTip
        if isOther { follow(way) }
        defer { frozenAt = frozen }
        return isOther || frozen != frozenAt
    }

    /// Of an entry that stands on a whole way, or 0 for an anchor.
    private func sequence(of id: EntryID) -> UInt64? {
        if anchors.contains(id) { return 0 }
        guard let sequence = branches[Octets32(prefixOf: id)] ?? find(id), let node = node(id, at: sequence) else {
            return nil
        }
        return isRooted(node) ? sequence : nil
    }

    /// Where an entry stands, if it is here.
    private func find(_ id: EntryID) -> UInt64? {
        if let index = ids.lastIndex(of: id) { return UInt64(index) + 1 }
        return beside.first { $0.value.contains { $0.id == id } }?.key
    }

    /// Where an entry or an anchor stands on a whole way, and when it was written; a graft behind the path too.
    func standing(afterEntry id: EntryID) -> (sequence: UInt64, time: Minute)? {
        if id == graftAtTip { return (UInt64(ids.count), tipTime) }
        guard let sequence = sequence(of: id) else { return nil }
        return (sequence, node(id, at: sequence)?.time ?? anchorTime(id))
    }

    private mutating func follow(_ way: Way) {
        let old = ids.indices.map { pathNode(at: UInt64($0) + 1) }
        let kept = Set(way.nodes.map(\.id))
        for node in old where !kept.contains(node.id) {
            beside[node.sequence, default: []].append(node)
            besideCount += 1
        }
        ids.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        signing = [(1, 0)]
        joints = [:]
        for node in way.nodes {
            if let at = beside[node.sequence]?.firstIndex(where: { $0.id == node.id }) {
                beside[node.sequence]?.remove(at: at)
                besideCount -= 1
                if beside[node.sequence]?.isEmpty ?? false { beside[node.sequence] = nil }
            }
            append(node)
        }
        graftAtTip = way.graft
        if let graft = way.graft, let keys = grafts[graft]?.keys, keys != tipKeys {
            signing.append((UInt64(ids.count) + 1, keys))
        }
    }

    /// A path in the making.
    private struct Way {
        let tree: LogTree
        var nodes: [LogNode] = []
        /// Behind the last node.
        var graft: EntryID?

        /// Nil until the way leads past an entry beside the path: most never do.
        private var footings: [EntryID: Footing]?

        init(_ tree: LogTree) { self.tree = tree }

        mutating func begin(_ choice: BranchChoice) {
            switch choice.maker {
            case .recovery: nodes = lineage(of: choice.entry, at: choice.sequence)
            case .parent(let chosen):
                nodes = lineage(of: chosen.branch, at: choice.sequence)
                graft = choice.entry
            }
        }

        /// From sequence 1 up to an entry whose way is whole.
        private func lineage(of id: EntryID, at sequence: UInt64) -> [LogNode] {
            var line: [LogNode] = []
            line.reserveCapacity(Int(sequence))
            var id = id
            for at in stride(from: sequence, to: 0, by: -1) {
                guard let node = tree.node(id, at: at) else { return [] }
                line.append(node)
                if at > 1 {
                    guard let below = tree.entry(before: node) else { return [] }
                    id = below
                }
            }
            return line.reversed()
        }

        /// What may follow the last node, the path's own first.
        private func followers() -> [LogNode] {
            let sequence = UInt64(nodes.count) + 1
            let before: [EntryID]
            if let tip = graft ?? nodes.last?.id { before = [tip] } else { before = tree.anchors }
            return candidates(at: sequence).filter {
                before.contains($0.previous) && tree.follows($0)
            }
        }

        private func candidates(at sequence: UInt64) -> [LogNode] {
            var found = tree.beside[sequence, default: []].sorted { $0.id < $1.id }
            if tree.id(at: sequence) != nil { found.insert(tree.pathNode(at: sequence), at: 0) }
            return found
        }

        /// Entries signed by those who sign here, whose predecessors are unknown: they show a fork as well.
        private mutating func strangers(keys: Int) -> [LogNode] {
            guard let nodes = tree.beside[UInt64(nodes.count) + 1] else { return [] }
            let found = footings ?? tree.footings()
            footings = found
            let keyset = tree.statements[keys].keyset
            return nodes.filter { found[$0.id] == .loose && tree.isSigned($0, by: keyset) }
        }

        private mutating func append(_ node: LogNode) {
            graft = nil
            nodes.append(node)
        }

        /// Goes on while there is one way only; gives where it is frozen, if it is.
        mutating func extend(checkpointed: CoveredRow?) -> UInt64? {
            var frozen: UInt64?
            while true {
                let next = followers()
                guard let first = next.first else { return frozen }
                if frozen == nil, next.count + strangers(keys: first.keys).count > 1 {
                    frozen = UInt64(nodes.count)
                    if let checkpointed, let line = line(upTo: checkpointed) {
                        nodes = line
                        graft = nil
                        frozen = checkpointed.sequence
                        continue
                    }
                }
                append(first)
            }
        }

        /// The way to a head beyond the last node, if it leads over that node.
        private func line(upTo row: CoveredRow) -> [LogNode]? {
            guard row.sequence > UInt64(nodes.count), tree.holds(row.id, at: row.sequence) else { return nil }
            let line = lineage(of: row.id, at: row.sequence)
            guard UInt64(line.count) == row.sequence, line.starts(with: nodes) else { return nil }
            if let graft, line[nodes.count].previous != graft { return nil }
            return line
        }
    }
}
