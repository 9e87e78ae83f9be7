import CoveyCore
import CoveyCrypto
import Testing

/// What two nodes must agree on.
private struct View: Equatable {
    let heads: [CoveredRow]
    let members: [DeviceID]
    let certificates: [CertificateHash?]
    let revoked: [DeviceID]
    let suspended: [DeviceID]
    let notes: [NoteHash]
    let preferred: EntryID?
    let policy: Policy?
    let forks: [Set<EntryID>]

    init(_ membership: Membership, commits: [EpochCommit]) {
        heads = membership.heads
        members = membership.devices
        certificates = members.map { membership.currentCertificate($0)?.hash }
        revoked = members.filter(membership.isRevoked)
        suspended = members.filter { membership.isSuspended($0, at: TestMesh.trusted) }
        notes = membership.notes
        preferred = membership.select(held: commits).preferred?.entry
        policy = membership.policy
        forks = membership.forks.map { Set($0.entries) }
    }
}

@Suite("Nodes that met the same entries and notes agree, whatever order they met them in")
struct MembershipConvergenceTests {
    private enum Item {
        case entry(LogEntry)
        case note(RevokeNote)
    }

    /// Three authorities, renewals, quotas, contested keys, verdicts, epochs, an authority revoked, and a fork.
    private struct World {
        var items: [Item]
        var commits: [EpochCommit]
        let genesis: Genesis

        init(seed: UInt64) throws {
            var mesh = try TestMesh(seed: seed)
            genesis = mesh.genesis
            items = [.entry(mesh.first)]
            commits = []
            let random = mesh.random
            let fieldKeys = (0..<3).map { _ in SigningPrivateKey(from: random) }
            let otherKeys = [SigningPrivateKey(from: random)]
            var (add1, field) = try mesh.add(keys: fieldKeys, threshold: 2, below: &mesh.root) {
                $0.mostDevices = 6
            }
            var (add2, other) = try mesh.add(keys: otherKeys, below: &field) {
                $0.depthLeft = 0
                $0.mostDevices = 4
            }
            items += [.entry(add1), .entry(add2)]
            let maker = mesh
            var root = mesh.root
            let devices = (0..<14).map { _ in maker.device() }
            var serials = [UInt64](repeating: 0, count: devices.count)
            func issue(_ index: Int, _ writer: inout LogWriter) throws {
                serials[index] += 1
                // Of devices 12 and 13 the second claims the first one's link key.
                let link = index == 13 ? devices[12].link.publicKey : devices[index].link.publicKey
                let certificate = try maker.certificate(devices[index], serial: serials[index], by: writer) {
                    $0.link = link
                }
                items.append(.entry(try writer.append(.certIssue([certificate]))))
            }
            for index in 0..<5 { try issue(index, &root) }
            for index in 4..<11 { try issue(index, &field) }
            for index in 10..<14 { try issue(index, &other) }
            var notes: [RevokeNote] = []
            for index in 0..<7 {
                notes.append(
                    maker.note(
                        of: devices[index], authority: root.log, number: UInt32(index + 1), keys: [maker.roots[2]]))
            }
            notes.append(maker.note(of: devices[8], authority: field.log, keys: Array(fieldKeys[1...])))
            notes.append(maker.note(of: devices[9], reason: .retired, keys: [devices[9].signing]))
            notes.append(maker.note(of: devices[11], authority: field.log, number: 1, keys: [fieldKeys[0]]))
            items += notes.map(Item.note)
            var known = Membership(genesis: genesis)
            for case .entry(let entry) in items { _ = try known.accept(entry.signed) }
            for round in 0..<3 {
                let commit = EpochCommit.random(from: random)
                commits.append(commit)
                let announcement = EpochAnnouncement(
                    number: known.nextEpochNumber, commit: commit, rows: known.coveredHeads,
                    notes: round == 1 ? notes.map(\.hash) : [], validFrom: TestMesh.start, graceDays: 30)
                let entry =
                    round == 2
                    ? try field.append(.epochAnnounce(announcement))
                    : try root.append(.epochAnnounce(announcement))
                items.append(.entry(entry))
                _ = try known.accept(entry.signed)
            }
            let verdicts = [
                NoteVerdict(note: notes[0].hash, decision: .lifted),
                NoteVerdict(note: notes[1].hash, decision: .confirmed),
            ]
            items.append(.entry(try root.append(.certRevoke(verdicts))))
            items.append(
                .entry(
                    try field.append(.certRevoke([NoteVerdict(note: notes[9].hash, decision: .lifted)]))))
            if seed.isMultiple(of: 2) {
                let revocation = AuthorityRevocation(
                    authority: other.log, reason: 3, lastGood: [.init(log: other.log, sequence: 2)])
                items.append(.entry(try root.append(.authorityRevoke(revocation))))
            }
            if seed.isMultiple(of: 3) {
                let certificate = try maker.certificate(maker.device(), by: other)
                items.append(.entry(try LogWriter.fork(of: other, .certIssue([certificate]))))
                items.append(.entry(try other.append(.certIssue([certificate]))))
            }
        }
    }

    @Test("Random orders of delivery give one membership", arguments: 1...12 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) throws {
        let world = try World(seed: seed)
        let random = SeededRandom(seed: seed, stream: "order")
        var views: [View] = []
        for round in 0..<8 {
            var items = world.items
            if round > 0 { random.shuffle(&items) }
            var membership = Membership(genesis: world.genesis)
            // A peer offers again what was refused or has not come up yet; twice is enough.
            for _ in 0..<2 {
                for item in items {
                    switch item {
                    case .entry(let entry): _ = try? membership.accept(entry.signed)
                    case .note(let note): _ = try? membership.accept(note: note.signed)
                    }
                }
            }
            views.append(View(membership, commits: world.commits))
        }
        #expect(views[0].members.count >= 8)
        #expect(views[0].revoked.count >= 5)
        #expect(views[0].heads.count == 3)
        #expect(views[0].forks.count == (seed.isMultiple(of: 3) ? 1 : 0))
        for view in views[1...] { #expect(view == views[0]) }
    }
}
