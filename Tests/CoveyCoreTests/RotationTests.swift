import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §1.3, §1.8, §1.11 and §7.2, items 33 and 34.
@Suite("Authorities change keys, forks are decided, and releases stand in a log of their own")
struct RotationTests {
    private var mesh: TestMesh

    init() throws { mesh = try TestMesh() }

    private func issue(by writer: LogWriter) throws -> LogPayload {
        .certIssue([try mesh.certificate(mesh.device(), by: writer)])
    }

    /// To the keys that the genesis promised.
    private func rootRotation() -> LogPayload {
        .authorityRotate(
            AuthorityRotation(
                authority: mesh.root.log, keyset: TestMesh.keyset(mesh.nextRoots, 2),
                nextCommit: .random(from: mesh.random)))
    }

    private var oldAndNew: [SigningPrivateKey] { Array(mesh.roots[..<2]) + mesh.nextRoots[..<2] }

    // MARK: Rotation

    @Test("34: a rotation needs the old threshold, the new threshold and the promised keyset, and nobody else's hand")
    func rotation() throws {
        let membership = try mesh.membership()
        let root = mesh.root
        let payload = rootRotation()
        let (old, new) = (mesh.roots, mesh.nextRoots)
        #expect(membership.refusal(of: try root.draft(payload, keys: oldAndNew)) == nil)
        let stranger = SigningPrivateKey(from: mesh.random)
        for keys in [
            [old[0]] + new[..<2], Array(old[..<2]) + [new[0]], old, new, oldAndNew + [stranger],
        ] {
            #expect(membership.refusal(of: try root.draft(payload, keys: keys)) == .signatures)
        }
        // Whoever stole the old keys has not the next ones: those they make themselves were not promised.
        let own = (0..<3).map { _ in SigningPrivateKey(from: mesh.random) }
        let theft = AuthorityRotation(
            authority: root.log, keyset: TestMesh.keyset(own, 2), nextCommit: .random(from: mesh.random))
        let signers = Array(old[..<2]) + own[..<2]
        #expect(membership.refusal(of: try root.draft(.authorityRotate(theft), keys: signers)) == .nextCommit)
        // Another threshold is another keyset.
        let lower = AuthorityRotation(
            authority: root.log, keyset: TestMesh.keyset(new, 1), nextCommit: .random(from: mesh.random))
        #expect(membership.refusal(of: try root.draft(.authorityRotate(lower), keys: oldAndNew)) == .nextCommit)
        // A branch is for a parent to name.
        let choosing = AuthorityRotation(
            authority: root.log, keyset: TestMesh.keyset(new, 2), nextCommit: .random(from: mesh.random),
            branch: mesh.first.id)
        #expect(membership.refusal(of: try root.draft(.authorityRotate(choosing), keys: oldAndNew)) == .branch)
    }

    @Test("What was kept is taken back unverified, yet nobody's promise and no named branch go unread")
    func restored() throws {
        var membership = try mesh.membership()
        let own = (0..<3).map { _ in SigningPrivateKey(from: mesh.random) }
        let theft = AuthorityRotation(
            authority: mesh.root.log, keyset: TestMesh.keyset(own, 2), nextCommit: .random(from: mesh.random))
        let stolen = try mesh.root.draft(.authorityRotate(theft), keys: Array(mesh.roots[..<2]) + own[..<2])
        #expect(throws: EntryRefusal.nextCommit) { try membership.restore(stolen.signed) }
        let elsewhere = ForkRecovery(
            log: mesh.root.log, branch: .random(from: mesh.random), recovery: TestMesh.keyset(mesh.recovery, 2))
        let astray = try mesh.root.draft(.recoverFork(elsewhere), keys: mesh.recovery)
        #expect(throws: EntryRefusal.branch) { try membership.restore(astray.signed) }
        let other = ForkRecovery(
            log: mesh.root.log, branch: mesh.first.id, recovery: TestMesh.keyset(mesh.roots, 2))
        let foreign = try mesh.root.draft(.recoverFork(other), keys: mesh.roots)
        #expect(throws: EntryRefusal.recoveryCommit) { try membership.restore(foreign.signed) }
    }

    @Test(
        "An entry signed by keys of the other branch freezes its log until what it stands on is here, and grants nothing after"
    )
    func foreignKeysOnABranch() throws {
        var mesh = mesh
        let (first, second) = (SigningPrivateKey(from: mesh.random), SigningPrivateKey(from: mesh.random))
        let both = TestMesh.keyset([first, second], 1)
        var (add, field) = try mesh.add(keys: [first], below: &mesh.root) { $0.nextCommit = both.commit }
        let before = try field.append(issue(by: field))
        var (left, right) = (field, field)
        let rotation = AuthorityRotation(authority: field.log, keyset: both, nextCommit: .random(from: mesh.random))
        left.keys = [first, second]
        let rotated = try left.append(.authorityRotate(rotation))
        let honest = try left.append(issue(by: left))
        let branch = try right.append(issue(by: right))
        // Only the keyset of the left branch has the second key.
        right.keys = [second]
        let foreign = try mesh.certificate(mesh.device(), by: right)
        let astray = try right.append(.certIssue([foreign]))

        var membership = try mesh.membership()
        try membership.take(add, before, rotated, honest)
        #expect(membership.grantLimit(of: field.log) == .max)
        try membership.take(astray)
        #expect(membership.grantLimit(of: field.log) == 2)
        try membership.take(branch)
        #expect(membership.grantLimit(of: field.log) == 1)
        #expect(membership.forks.map(\.entries) == [[rotated.id, branch.id]])
        #expect(membership.currentCertificate(foreign.device) == nil)
        #expect(mesh.admit(foreign, to: membership).member == nil)
        // Who had its predecessor before does not even take it.
        var other = try mesh.membership()
        try other.take(add, before, rotated, honest, branch)
        #expect(other.refusal(of: astray) == .signatures)
        #expect(other.headsDigest == membership.headsDigest)
        #expect(other.devices == membership.devices)
    }

    @Test(
        "What an entry's certificates are worth is judged by the keys in force behind what it stands on, whatever came first"
    )
    func certificatesBehindARotation() throws {
        var mesh = mesh
        let random = mesh.random
        let (first, second, third) = (
            SigningPrivateKey(from: random), SigningPrivateKey(from: random), SigningPrivateKey(from: random)
        )
        // One of the old keys is not among the new ones, and one signature does no longer.
        let next = TestMesh.keyset([first, second], 2)
        var (add, field) = try mesh.add(keys: [first, second, third], below: &mesh.root) {
            $0.nextCommit = next.commit
            $0.grantable.insert(.announce)
        }
        let before = try field.append(issue(by: field))
        var (left, right) = (field, field)
        let path = try (0..<4).map { _ in try left.append(issue(by: left)) }
        right.keys = [first, second]
        let rotation = try right.append(
            .authorityRotate(
                AuthorityRotation(authority: field.log, keyset: next, nextCommit: .random(from: random))))
        func announcer(keys: [SigningPrivateKey]) throws -> DeviceCertificate {
            try mesh.certificate(mesh.device(), by: right, keys: keys) { $0.capabilities.insert(.announce) }
        }
        let (old, new) = (try announcer(keys: [first, third]), try announcer(keys: [first, second]))
        let privileged = try right.append(.certIssue([old, new].sorted { $0.hash < $1.hash }))
        var writer = right
        writer.keys = [first]
        let childKey = SigningPrivateKey(from: random)
        let certificate = try mesh.authority(keys: [childKey], by: writer) { $0.depthLeft = 0 }
        let addChild = try right.append(.authorityAdd(certificate))
        let last = try right.append(issue(by: right))
        let choice = try mesh.choose(last.id, of: field.log, keys: [SigningPrivateKey(from: random)])
        let branch = [rotation, privileged, addChild, last]
        let orders = [
            branch, branch.reversed(), [addChild, last, privileged, rotation], [privileged, rotation, last, addChild],
        ]
        for order in orders {
            var membership = try mesh.membership()
            for entry in [add, before] + path + order { try membership.take(entry) }
            try membership.take(choice)
            #expect(membership.entryIDs(of: field.log) == [before.id] + branch.map(\.id))
            #expect(membership.currentCertificate(new.device) == new)
            #expect(membership.currentCertificate(old.device) == nil)
            #expect(membership.limits(of: certificate.authority) == nil)
            #expect(membership.keyset(of: certificate.authority) == nil)
        }
    }

    @Test("After a rotation only the new keys write on; what the old ones granted stays, and may be shown")
    func afterRotation() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let before = try mesh.certificate(mesh.device(), by: mesh.root)
        try membership.take(mesh.root.append(.certIssue([before])))
        mesh.root.keys = oldAndNew
        let entry = try mesh.root.append(rootRotation())
        guard case .accepted(let intake) = try membership.accept(entry.signed) else {
            Issue.record("a sound rotation is accepted")
            return
        }
        #expect(intake.changes == [.rotated(mesh.root.log)])
        let payload = try issue(by: mesh.root)
        #expect(membership.refusal(of: try mesh.root.draft(payload, keys: mesh.roots)) == .signatures)
        mesh.root.keys = Array(mesh.nextRoots[1...])
        let after = try mesh.certificate(mesh.device(), by: mesh.root)
        try membership.take(mesh.root.append(.certIssue([after])))
        #expect(membership.devices == [before.device, after.device].sorted())
        #expect(mesh.admit(before, to: membership).member != nil)
        #expect(mesh.admit(after, to: membership).member != nil)
        // The next rotation is bound by what this one promised.
        let again = try mesh.root.draft(rootRotation(), keys: oldAndNew)
        #expect(membership.refusal(of: again) == .nextCommit)
    }

    @Test("Who slept through a rotation may link to compare logs, and then takes entries in any order")
    func sleeper() throws {
        var mesh = mesh
        let asleep = try mesh.membership()
        mesh.root.keys = oldAndNew
        let rotation = try mesh.root.append(rootRotation())
        mesh.root.keys = Array(mesh.nextRoots[..<2])
        let certificate = try mesh.certificate(mesh.device(), by: mesh.root)
        let issue = try mesh.root.append(.certIssue([certificate]))
        let further = try mesh.root.append(try self.issue(by: mesh.root))
        #expect(mesh.admit(certificate, to: asleep).catchUp == .unproven)
        for order in [[rotation, issue, further], [issue, rotation, further], [further, issue, rotation]] {
            var membership = asleep
            for entry in order { try membership.take(entry) }
            #expect(membership.entryIDs(of: mesh.root.log) == [mesh.first, rotation, issue, further].map(\.id))
            #expect(mesh.admit(certificate, to: membership).member != nil)
        }
    }

    @Test("A field authority rotates to the keys its certificate promised, and a renewal of that certificate counts on")
    func fieldRotation() throws {
        var mesh = mesh
        let old = SigningPrivateKey(from: mesh.random)
        let new = SigningPrivateKey(from: mesh.random)
        var (add, field) = try mesh.add(keys: [old], below: &mesh.root) {
            $0.nextCommit = TestMesh.keyset([new], 1).commit
        }
        var membership = try mesh.membership()
        let rotation = LogPayload.authorityRotate(
            AuthorityRotation(
                authority: field.log, keyset: TestMesh.keyset([new], 1), nextCommit: .random(from: mesh.random)))
        try membership.take(add, field.append(issue(by: field)))
        #expect(membership.refusal(of: try field.draft(rotation, keys: [old])) == .signatures)
        field.keys = [old, new]
        try membership.take(field.append(rotation))
        field.keys = [new]
        try membership.take(field.append(issue(by: field)))
        #expect(membership.devices.count == 2)
        #expect(membership.refusal(of: try field.draft(issue(by: field), keys: [old])) == .signatures)
    }

    // MARK: Forks

    private struct Fork {
        let add: LogEntry
        let before: LogEntry
        var left: LogWriter
        var right: LogWriter
        let leftEntry: LogEntry
        let rightEntry: LogEntry
        /// Issued before the fork, on the left, and on the right.
        let certificates: [DeviceCertificate]

        var all: [LogEntry] { [add, before, leftEntry, rightEntry] }
    }

    private func fork(_ mesh: inout TestMesh) throws -> Fork {
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let maker = mesh
        let certificates = try (0..<3).map { _ in try maker.certificate(maker.device(), by: field) }
        let before = try field.append(.certIssue([certificates[0]]))
        var (left, right) = (field, field)
        let leftEntry = try left.append(.certIssue([certificates[1]]))
        let rightEntry = try right.append(.certIssue([certificates[2]]))
        return Fork(
            add: add, before: before, left: left, right: right, leftEntry: leftEntry, rightEntry: rightEntry,
            certificates: certificates)
    }

    @Test("A parent's AuthorityRotate names the branch that counts, and the keys that write on behind it")
    func parentChooses() throws {
        var mesh = mesh
        let fork = try fork(&mesh)
        let new = SigningPrivateKey(from: mesh.random)
        let choice = try mesh.choose(fork.rightEntry.id, of: fork.left.log, keys: [new])
        var field = fork.right
        field.keys = [new]
        field.previous = choice.id
        field.time = choice.time
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let next = try field.append(.certIssue([certificate]))
        let orders = [
            fork.all + [choice, next],
            [fork.add, choice, next, fork.before, fork.rightEntry, fork.leftEntry],
            [fork.add, fork.before, fork.leftEntry, next, choice, fork.rightEntry],
        ]
        for order in orders {
            var membership = try mesh.membership()
            for _ in 0..<2 { for entry in order { _ = try? membership.accept(entry.signed) } }
            let expected = [fork.certificates[0], fork.certificates[2], certificate].map(\.device).sorted()
            #expect(membership.devices == expected)
            #expect(membership.entryIDs(of: field.log) == [fork.before, fork.rightEntry, next].map(\.id))
            #expect(membership.forks.first?.entries == [fork.rightEntry.id, fork.leftEntry.id])
            #expect(mesh.admit(fork.certificates[1], to: membership).member == nil)
        }
    }

    @Test("A sibling that adds an authority of others speaks for it in no order of arrival")
    func siblings() throws {
        var mesh = mesh
        let (spy, stolen) = (SigningPrivateKey(from: mesh.random), SigningPrivateKey(from: mesh.random))
        let fieldKey = SigningPrivateKey(from: mesh.random)
        var (addSpy, hostile) = try mesh.add(keys: [spy], below: &mesh.root)
        var (addField, field) = try mesh.add(keys: [fieldKey], below: &mesh.root)
        let device = mesh.device()
        let issued = try field.append(.certIssue([mesh.certificate(device, by: field)]))
        let claim = try hostile.append(
            .authorityAdd(
                mesh.authority(keys: [fieldKey], by: hostile) {
                    $0.depthLeft = 0; $0.nextCommit = TestMesh.keyset([stolen], 1).commit
                }))
        func choose(_ branch: EntryID) throws -> LogEntry {
            hostile.keys = [spy, stolen]
            defer { hostile.keys = [spy] }
            return try hostile.append(
                .authorityRotate(
                    AuthorityRotation(
                        authority: field.log, keyset: TestMesh.keyset([stolen], 1),
                        nextCommit: .random(from: mesh.random), branch: branch)))
        }
        let choices = try [choose(issued.id), choose(claim.id), choose(.random(from: mesh.random))]
        var foreign: [LogEntry] = []
        for (choice, sequence) in zip(choices, [UInt64(1), 0]) {
            var writer = field
            (writer.keys, writer.previous, writer.sequence) = ([stolen], choice.id, sequence)
            writer.time = choice.time
            foreign.append(try writer.append(issue(by: writer)))
            foreign.append(try writer.append(issue(by: writer)))
        }
        // The promise of an authority beside it binds nobody.
        let taken = AuthorityRotation(
            authority: field.log, keyset: TestMesh.keyset([stolen], 1), nextCommit: .random(from: mesh.random))
        foreign.append(try field.draft(.authorityRotate(taken), keys: [fieldKey, stolen]))
        let note = mesh.note(of: device, authority: field.log, number: 1, keys: [stolen])
        let further = try field.append(issue(by: field))

        let honest = [addSpy, addField, issued, further]
        let orders = [
            honest + [claim] + choices + foreign,
            [addSpy, claim] + choices + foreign + [addField, issued, further],
            [addSpy, claim] + choices + foreign + [addField, further, issued],
            foreign.reversed() + choices.reversed() + [claim, addSpy] + honest.reversed(),
        ]
        for order in orders {
            var membership = try mesh.membership()
            for pass in 0..<3 {
                for entry in order { _ = try? membership.accept(entry.signed) }
                if pass == 0 { _ = try? membership.accept(note: note.signed) }
            }
            #expect(membership.entryIDs(of: field.log) == [issued.id, further.id])
            #expect(membership.devices.count == 2)
            #expect(membership.grantLimit(of: field.log) == .max)
            #expect(membership.forks.isEmpty)
            #expect(membership.isAbove(mesh.root.log, field.log) && !membership.isAbove(hostile.log, field.log))
            #expect(membership.refusal(of: note) == .signatures)
            #expect(!membership.isRevoked(device.id(in: mesh.mesh)))
        }
    }

    @Test("An authority begins its log behind the AuthorityAdd of its parent, and not before that was written")
    func beginning() throws {
        var mesh = mesh
        let keys = SigningKeyset(count: 1, threshold: 1, random: mesh.random)
        let next = SigningKeyset(count: 1, threshold: 1, random: mesh.random)
        var (addSpy, hostile) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let claim = try hostile.append(
            .authorityAdd(mesh.authority(keys: keys.keys, by: hostile) { $0.depthLeft = 0 }))
        let (add, field) = try mesh.add(keys: keys.keys, below: &mesh.root)
        var membership = try mesh.membership()
        try membership.take(addSpy, claim, add)
        #expect(membership.refusal(of: try field.draft(issue(by: field), time: add.time.adding(-1))) == .timeDecreases)
        let authority = Authority(
            AuthorityKeys(mesh: mesh.mesh, authority: field.log, current: keys, next: next))
        let first = try authority.announceEpoch(
            EpochKey(from: mesh.random), into: &membership, now: TestMesh.start.adding(-10))
        #expect(first.previous == add.id && first.time == add.time)
    }

    @Test("A parent may replace the keys of an authority that has written nothing, whoever else adds it")
    func replacedBeforeTheFirstEntry() throws {
        var mesh = mesh
        let (spy, lost) = (SigningPrivateKey(from: mesh.random), SigningPrivateKey(from: mesh.random))
        let new = SigningPrivateKey(from: mesh.random)
        var (addSpy, hostile) = try mesh.add(keys: [spy], below: &mesh.root)
        var (add, field) = try mesh.add(keys: [lost], below: &mesh.root)
        let claim = try hostile.append(
            .authorityAdd(mesh.authority(keys: [lost], by: hostile) { $0.depthLeft = 0 }))
        let choice = try mesh.choose(add.id, of: field.log, keys: [new])
        (field.keys, field.previous, field.time) = ([new], choice.id, choice.time)
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let issued = try field.append(.certIssue([certificate]))
        for order in [[addSpy, add, claim, choice, issued], [addSpy, claim, add, choice, issued]] {
            var membership = try mesh.membership()
            for entry in order { try membership.take(entry) }
            #expect(membership.devices == [certificate.device])
            #expect(membership.isAbove(mesh.root.log, field.log) && !membership.isAbove(hostile.log, field.log))
        }
    }

    @Test("Old keys fill no log with first entries once the parent gave it others before it began")
    func manyFirstEntries() throws {
        var mesh = mesh
        let new = SigningPrivateKey(from: mesh.random)
        let (add, lost) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let choice = try mesh.choose(add.id, of: lost.log, keys: [new])
        var membership = try mesh.membership()
        try membership.take(add, choice)
        func draft(_ number: Int64) throws -> LogEntry {
            let group = GroupDefinition(group: .random(from: mesh.random), name: "team")
            return try lost.draft(.groupDefinition(group), time: add.time.adding(number))
        }
        for number in 1...Int64(Membership.Bounds.branchEntries) { try membership.take(draft(number)) }
        let more = try draft(1000)
        #expect(membership.refusal(of: more) == .tooManyBranches)
        var field = lost
        (field.keys, field.previous, field.time) = ([new], choice.id, choice.time)
        let first = try field.append(issue(by: field))
        try membership.take(first)
        #expect(membership.entryIDs(of: field.log) == [first.id])
    }

    @Test("A RecoverFork in a forked root log chooses its branch; nothing but the cold keys may")
    func rootRecovery() throws {
        let certificates = try (0..<2).map { _ in try mesh.certificate(mesh.device(), by: mesh.root) }
        var (left, right) = (mesh.root, mesh.root)
        let leftEntry = try left.append(.certIssue([certificates[0]]))
        let rightEntry = try right.append(.certIssue([certificates[1]]))
        let cold = TestMesh.keyset(mesh.recovery, 2)
        let recovery = LogPayload.recoverFork(
            ForkRecovery(log: right.log, branch: rightEntry.id, recovery: cold))
        var membership = try mesh.membership()
        try membership.take(leftEntry, rightEntry)
        #expect(membership.devices.isEmpty)
        #expect(membership.grantLimit(of: right.log) == 1)
        for keys in [[mesh.recovery[0]], mesh.roots, [mesh.recovery[0], mesh.roots[0]]] {
            #expect(membership.refusal(of: try right.draft(recovery, keys: keys)) == .signatures)
        }
        let other = LogPayload.recoverFork(
            ForkRecovery(log: right.log, branch: rightEntry.id, recovery: TestMesh.keyset(mesh.roots, 2)))
        #expect(membership.refusal(of: try right.draft(other, keys: mesh.roots)) == .recoveryCommit)
        let elsewhere = LogPayload.recoverFork(ForkRecovery(log: right.log, branch: leftEntry.id, recovery: cold))
        #expect(membership.refusal(of: try right.draft(elsewhere, keys: mesh.recovery)) == .branch)

        let entry = try right.draft(recovery, keys: Array(mesh.recovery[1...]))
        guard case .accepted(let intake) = try membership.accept(entry.signed) else {
            Issue.record("a sound recovery is accepted")
            return
        }
        #expect(intake.changes.contains(.recovered(right.log)))
        #expect(membership.devices == [certificates[1].device])
        #expect(membership.grantLimit(of: right.log) == .max)
        #expect(membership.heads == [CoveredRow(log: right.log, sequence: 3, id: entry.id)])
        #expect(mesh.admit(certificates[0], to: membership).member == nil)
        // The other way round it comes to the same.
        var turned = try mesh.membership()
        try turned.take(rightEntry, entry, leftEntry)
        #expect(turned.headsDigest == membership.headsDigest)
        #expect(turned.devices == membership.devices)
    }

    @Test("A branch longer than is kept beside a path, taken as the cold keys chose it, comes back after a restart")
    func longBranch() throws {
        let mesh = mesh
        var (left, right) = (mesh.root, mesh.root)
        let leftEntry = try left.append(issue(by: left))
        let branch = try (0..<300).map { _ in
            try right.append(.certRevoke([NoteVerdict(note: .random(from: mesh.random), decision: .lifted)]))
        }
        let recovery = LogPayload.recoverFork(
            ForkRecovery(
                log: right.log, branch: try #require(branch.last).id, recovery: TestMesh.keyset(mesh.recovery, 2)))
        let choice = try right.draft(recovery, keys: Array(mesh.recovery[1...]))
        var membership = Membership(genesis: mesh.genesis)
        var kept: [LogEntry] = []
        for entry in [mesh.first, leftEntry, choice] + branch {
            if case .accepted(let intake) = try membership.accept(entry.signed) { kept += intake.entries }
        }
        #expect(membership.entryIDs(of: right.log).last == choice.id)
        #expect(kept.count == 303)
        var restored = Membership(genesis: mesh.genesis)
        for entry in kept { _ = try restored.restore(entry.signed) }
        #expect(restored.headsDigest == membership.headsDigest)
        #expect(restored.entries(beside: right.log).map(\.id) == [leftEntry.id])
    }

    @Test("Lost keys are replaced by the cold ones: the new keys sign with them, and write on")
    func lostKeys() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let new = (0..<2).map { _ in SigningPrivateKey(from: mesh.random) }
        let recovery = LogPayload.recoverFork(
            ForkRecovery(
                log: mesh.root.log, branch: mesh.first.id,
                newKeys: .init(keyset: TestMesh.keyset(new, 2), nextCommit: .random(from: mesh.random)),
                recovery: TestMesh.keyset(mesh.recovery, 2)))
        #expect(membership.refusal(of: try mesh.root.draft(recovery, keys: mesh.recovery)) == .signatures)
        mesh.root.keys = Array(mesh.recovery[..<2]) + new
        try membership.take(mesh.root.append(recovery))
        #expect(membership.refusal(of: try mesh.root.draft(issue(by: mesh.root), keys: mesh.roots)) == .signatures)
        mesh.root.keys = new
        try membership.take(mesh.root.append(issue(by: mesh.root)))
        #expect(membership.devices.count == 1)
    }

    /// A far date outbids no cold key.
    @Test("A parent decides about what comes behind the cold keys' choice, and never against it")
    func coldChoiceStands() throws {
        var mesh = mesh
        let fork = try fork(&mesh)
        let cold = TestMesh.keyset(mesh.recovery, 2)
        let recovery = try fork.left.draft(
            .recoverFork(ForkRecovery(log: fork.left.log, branch: fork.leftEntry.id, recovery: cold)),
            keys: mesh.recovery)
        var onward = fork.left
        (onward.sequence, onward.previous, onward.time) = (3, recovery.id, recovery.time)
        let new = SigningPrivateKey(from: mesh.random)
        let makers = mesh.roots[..<2] + [new]
        let random = mesh.random
        func choose(_ branch: LogEntry, by root: inout LogWriter, time: Minute) throws -> LogEntry {
            root.keys = Array(makers)
            return try root.append(
                .authorityRotate(
                    AuthorityRotation(
                        authority: branch.log, keyset: TestMesh.keyset([new], 1), nextCommit: .random(from: random),
                        branch: branch.id)), time: time)
        }
        var root = mesh.root
        let against = try choose(fork.rightEntry, by: &root, time: recovery.time.adding(1_000_000))
        let one = try onward.draft(issue(by: onward))
        let other = try onward.draft(issue(by: onward))
        for order in [fork.all + [recovery, against], [fork.add, against] + fork.all + [recovery]] {
            var membership = try mesh.membership()
            for entry in order { try membership.take(entry) }
            let path = [fork.before, fork.leftEntry, recovery].map(\.id)
            #expect(membership.entryIDs(of: fork.left.log) == path)
            try membership.take(one, other)
            #expect(membership.isFrozen(fork.left.log))
            var later = root
            let choice = try choose(other, by: &later, time: root.time)
            try membership.take(choice)
            #expect(membership.entryIDs(of: fork.left.log) == path + [other.id])
            #expect(!membership.isFrozen(fork.left.log))
        }
    }

    @Test("An AuthorityRevoke counts on both branches until somebody chooses, and then on the one that stands")
    func revokedOnABranch() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let issued = try field.append(.certIssue([certificate]))
        let revocation = LogPayload.authorityRevoke(
            AuthorityRevocation(authority: field.log, reason: 3, lastGood: [.init(log: mesh.root.log, sequence: 1)]))
        var (left, right) = (mesh.root, mesh.root)
        let revoked = try left.append(revocation)
        let other = try right.append(issue(by: right))
        func recovery(_ writer: inout LogWriter) throws -> LogEntry {
            let keys = writer.keys
            writer.keys = Array(mesh.recovery[..<2])
            defer { writer.keys = keys }
            return try writer.append(
                .recoverFork(
                    ForkRecovery(
                        log: writer.log, branch: writer.previous, recovery: TestMesh.keyset(mesh.recovery, 2))))
        }
        let choice = try recovery(&right)
        var whole = try mesh.membership()
        try whole.take(add, other, choice)
        let announcement = EpochAnnouncement(
            number: 1, commit: .random(from: mesh.random), rows: whole.heads, notes: [], validFrom: TestMesh.start,
            graceDays: 30)
        let announced = try right.append(.epochAnnounce(announcement))
        let entries = [add, issued, revoked, other]
        for order in [entries + [choice, announced], [add, other, choice, announced, revoked, issued]] {
            var membership = try mesh.membership()
            for entry in order {
                try membership.take(entry)
                let isForked = membership.isFrozen(right.log)
                if isForked { #expect(membership.currentCertificate(certificate.device) == nil) }
            }
            #expect(membership.currentCertificate(certificate.device) == certificate)
            #expect(!membership.isTainted(try #require(membership.epoch(announced.id))))
            // Behind the choice it begins anew.
            var (one, another) = (right, right)
            try membership.take(one.append(issue(by: one)), another.append(revocation))
            #expect(membership.currentCertificate(certificate.device) == nil)
        }
        // The other branch may be the one that stands.
        var membership = try mesh.membership()
        let chosen = try recovery(&left)
        for entry in entries + [chosen] { try membership.take(entry) }
        #expect(membership.currentCertificate(certificate.device) == nil)
    }

    @Test("What was honoured in the air, and turns out to stand on the branch that lost, leaves nothing behind")
    func looseRevocation() throws {
        var mesh = mesh
        let fieldKey = SigningPrivateKey(from: mesh.random)
        var (add, field) = try mesh.add(keys: [fieldKey], below: &mesh.root)
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let issued = try field.append(.certIssue([certificate]))
        var (left, right) = (mesh.root, mesh.root)
        func group() -> LogPayload {
            .groupDefinition(GroupDefinition(group: .random(from: mesh.random), name: "team"))
        }
        var lost = try (0..<2).map { _ in try left.append(group()) }
        lost.append(
            try left.append(
                .authorityRevoke(
                    AuthorityRevocation(
                        authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 0)]))))
        let first = try right.append(group())
        var long = right
        let further = try (0..<3).map { _ in try long.append(group()) }
        right.keys = Array(mesh.recovery[..<2])
        let choice = try right.append(
            .recoverFork(
                ForkRecovery(log: right.log, branch: right.previous, recovery: TestMesh.keyset(mesh.recovery, 2))))
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: certificate.device, reason: .lost, suspectSince: TestMesh.start,
                issued: TestMesh.start.adding(30), authority: field.log, number: 0, wipe: nil),
            mesh: mesh.mesh, keys: [fieldKey])
        var membership = try mesh.membership()
        for entry in [add, issued, first] + further + [lost[0], lost[2], choice] { try membership.take(entry) }
        _ = try membership.accept(note: note.signed)
        #expect(membership.grantLimit(of: field.log) == 0)
        #expect(!membership.isRevoked(certificate.device))
        guard case .accepted(let intake) = try membership.accept(lost[1].signed) else {
            Issue.record("the entry that closes the gap is taken")
            return
        }
        #expect(membership.grantLimit(of: field.log) == .max)
        #expect(membership.isRevoked(certificate.device))
        #expect(intake.changes.contains(.authority(field.log)))
    }

    @Test("33: revocations of the branch that lost still count")
    func revocationsOfBoth() throws {
        var mesh = mesh
        var fork = try fork(&mesh)
        let device = fork.certificates[0].device
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: device, reason: .lost, suspectSince: TestMesh.start, issued: TestMesh.start.adding(30),
                authority: mesh.root.log, number: 1, wipe: nil),
            mesh: mesh.mesh, keys: [mesh.roots[0]])
        let confirmed = try fork.left.append(.certRevoke([NoteVerdict(note: note.hash, decision: .confirmed)]))
        let choice = try mesh.choose(fork.rightEntry.id, of: fork.left.log, keys: fork.left.keys)
        var membership = try mesh.membership()
        for entry in fork.all + [confirmed, choice] { try membership.take(entry) }
        _ = try membership.accept(note: note.signed)
        #expect(membership.isRevoked(device))
        #expect(membership.currentCertificate(fork.certificates[1].device) == nil)
    }

    @Test("33: a confirmation on the branch that lost still counts, and yields to what the branch that stands decides")
    func verdictsOfBoth() throws {
        var mesh = mesh
        var fork = try fork(&mesh)
        let device = fork.certificates[0].device
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: device, reason: .lost, suspectSince: TestMesh.start, issued: TestMesh.start.adding(30),
                authority: fork.left.log),
            mesh: mesh.mesh, keys: fork.left.keys)
        func verdict(_ decision: NoteVerdict.Decision) -> LogPayload {
            .certRevoke([NoteVerdict(note: note.hash, decision: decision)])
        }
        let lifted = try fork.right.append(verdict(.lifted))
        let other = try fork.left.append(.certIssue([fork.certificates[1]]))
        let confirmed = try fork.left.append(verdict(.confirmed))
        let choice = try mesh.choose(lifted.id, of: fork.left.log, keys: fork.left.keys)
        let branches = [lifted, other, confirmed]
        for order in [branches + [choice], [choice] + branches.reversed(), [confirmed, other, choice, lifted]] {
            var membership = try mesh.membership()
            for entry in fork.all + order { try membership.take(entry) }
            _ = try membership.accept(note: note.signed)
            #expect(!membership.isRevoked(device))
            #expect(membership.undecidedNotes.isEmpty)
        }
        var membership = try mesh.membership()
        for entry in fork.all + branches { try membership.take(entry) }
        _ = try membership.accept(note: note.signed)
        #expect(membership.isRevoked(device))
        try membership.take(choice)
        #expect(!membership.isRevoked(device))
        // Without the lift, the word of the branch that lost is all there is.
        var unlifted = try mesh.membership()
        for entry in fork.all + [other, confirmed, choice] { try unlifted.take(entry) }
        _ = try unlifted.accept(note: note.signed)
        #expect(unlifted.isRevoked(device) && unlifted.undecidedNotes.isEmpty)
    }

    // MARK: Releases

    private func manifest(_ version: String) -> LogPayload {
        .releaseManifest(
            ReleaseManifest(
                version: version, artefacts: [.init(sha256: .random(from: mesh.random), name: "covey.deb")],
                sourceCommit: [1, 2, 3], recipe: .random(from: mesh.random), leastWire: 1, notBefore: TestMesh.start))
    }

    private func releaseWriter(_ key: SigningPrivateKey) throws -> (LogWriter, LogEntry) {
        let keyset = TestMesh.keyset([key], 1)
        var writer = LogWriter(
            mesh: mesh.mesh, log: keyset.authorityID, keys: [key], after: LogEntry.anchor(of: mesh.mesh),
            time: TestMesh.start)
        let opening = AuthorityRotation(
            authority: writer.log, keyset: keyset, nextCommit: TestMesh.keyset([mesh.roots[2]], 1).commit)
        let entry = try writer.append(.authorityRotate(opening))
        return (writer, entry)
    }

    @Test("Releases are listed from the log of the keyset that the genesis promised, after three days")
    func releases() throws {
        var (writer, opening) = try releaseWriter(mesh.release)
        let manifests = try ["1.0", "1.1"].map { try writer.append(manifest($0)) }
        for order in [[opening] + manifests, [manifests[1], opening, manifests[0]]] {
            var membership = try mesh.membership()
            for entry in order { try membership.take(entry) }
            #expect(membership.releases.map(\.manifest.version) == ["1.0", "1.1"])
            #expect(membership.releases.map(\.entry) == manifests.map(\.id))
            #expect(membership.releases[0].soaked == manifests[0].time.adding(72 * 60))
            #expect(membership.heads.count == 2)
        }
    }

    @Test("Of a release log with two branches nothing beyond the fork is listed, however far one of them goes on")
    func forkedReleases() throws {
        var (writer, opening) = try releaseWriter(mesh.release)
        let first = try writer.append(manifest("1.0"))
        let other = try writer.draft(manifest("1.1, another"))
        let beyond = try ["1.1", "1.2"].map { try writer.append(manifest($0)) }
        for order in [[first] + beyond + [other], [first, other] + beyond] {
            var membership = try mesh.membership()
            for entry in [opening] + order { try membership.take(entry) }
            #expect(membership.isFrozen(writer.log))
            #expect(membership.releases.map(\.manifest.version) == ["1.0"])
            #expect(membership.heads.first { $0.log == writer.log }?.id == first.id)
        }
    }

    @Test("No authority takes the log of releases by adding its keys as an authority's, under whatever threshold")
    func stolenReleases() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var (writer, opening) = try releaseWriter(mesh.release)
        let release = try writer.append(manifest("1.0"))
        let claim = try field.append(
            .authorityAdd(mesh.authority(keys: [mesh.release], by: field) { $0.depthLeft = 0 }))
        for order in [[add, claim, opening, release], [opening, add, claim, release]] {
            var membership = try mesh.membership()
            for entry in order { try membership.take(entry) }
            #expect(membership.releases.map(\.manifest.version) == ["1.0"])
            #expect(membership.limits(of: writer.log) == nil)
        }
        // The id of a log does not tell the threshold.
        let two = [mesh.release, SigningPrivateKey(from: mesh.random)]
        let genesis = Genesis.make(
            name: "Two", created: TestMesh.start, threshold: 2, nextCommit: mesh.genesis.nextCommit,
            recoveryCommit: mesh.genesis.recoveryCommit, policyHash: mesh.policy.hash,
            releaseCommit: TestMesh.keyset(two, 2).commit, keys: mesh.roots)
        var root = LogWriter(
            mesh: genesis.meshID, log: genesis.rootID, keys: Array(mesh.roots[..<2]),
            after: LogEntry.anchor(of: genesis.meshID), time: TestMesh.start)
        var membership = Membership(genesis: genesis)
        try membership.take(root.append(.policySet(mesh.policy)))
        let certificate = try AuthorityCertificate.make(
            AuthorityCertificate.Content(
                parent: root.log, serial: 1, keyset: TestMesh.keyset(two, 1), depthLeft: 0, grantable: [.link],
                mostDays: 90, mostDevices: 100, notBefore: TestMesh.start, notAfter: TestMesh.start.adding(1440),
                zones: [], label: "thief", nextCommit: .random(from: mesh.random)),
            mesh: genesis.meshID, keys: root.keys)
        guard case .accepted(let intake) = try membership.accept(root.append(.authorityAdd(certificate)).signed) else {
            Issue.record("the entry itself stands")
            return
        }
        #expect(intake.changes == [.void(certificate.hash, .issuer)])
    }

    @Test("Another keyset opens no release log, an unsigned entry neither, and membership has no place in it")
    func releaseRefusals() throws {
        var membership = try mesh.membership()
        let (_, strange) = try releaseWriter(SigningPrivateKey(from: mesh.random))
        try membership.take(strange)
        #expect(membership.releases.isEmpty && membership.heads.count == 1)

        let (writer, opening) = try releaseWriter(mesh.release)
        let unsigned = try LogEntry.make(
            log: opening.log, sequence: 1, previous: opening.previous, time: opening.time, payload: opening.payload,
            mesh: mesh.mesh, keys: [mesh.roots[0]])
        #expect(membership.refusal(of: unsigned) == .signatures)
        try membership.take(opening)
        let (add, _) = try {
            var copy = mesh; return try copy.add(keys: [mesh.release], below: &copy.root)
        }()
        for payload in [LogPayload.policySet(mesh.policy), add.payload, try issue(by: writer)] {
            #expect(membership.refusal(of: try writer.draft(payload)) == .foreignKind)
        }
        #expect(membership.refusal(of: try writer.draft(manifest("2.0"), keys: mesh.roots)) == .signatures)
        #expect(membership.refusal(of: try writer.draft(manifest("2.0"))) == nil)
        // Nor do its keys speak of devices.
        let note = mesh.note(of: mesh.device(), authority: writer.log, keys: [mesh.release])
        #expect(membership.refusal(of: note) == .outsideChain)
    }
}
