import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §7.2, item 51, and the rules of §1.10.
@Suite("Epochs: which may be handed on, preferred, and kept")
struct EpochTests {
    private let mesh: TestMesh
    private let device: TestDevice
    private let certificate: DeviceCertificate
    private let issue: LogEntry
    private let membership: Membership

    init() throws {
        var mesh = try TestMesh()
        device = mesh.device()
        certificate = try mesh.certificate(device, by: mesh.root)
        issue = try mesh.root.append(.certIssue([certificate]))
        var membership = try mesh.membership()
        try membership.take(issue)
        self.mesh = mesh
        self.membership = membership
    }

    private func announcement(
        _ membership: Membership, number: UInt32? = nil, rows: [CoveredRow]? = nil, notes: [NoteHash] = []
    ) -> EpochAnnouncement {
        EpochAnnouncement(
            number: number ?? membership.nextEpochNumber, commit: .random(from: mesh.random),
            rows: rows ?? membership.coveredHeads, notes: notes, validFrom: TestMesh.start, graceDays: 30)
    }

    private func member(_ membership: Membership) throws -> VerifiedMember {
        try #require(mesh.admit(certificate, to: membership).member)
    }

    @Test("However many notes are undecided, an epoch is announced: it lists those that would taint it, then what fits")
    func manyNotes() throws {
        let officers = try Officers(seed: 30, KeysetShape(2, of: 3), ofRoot: true)
        let founding = officers.founding
        var membership = founding.membership()
        let root = Authority(founding.root)
        var tainting: [NoteHash] = []
        for (keys, count) in [(0, 256), (1, 10)] {
            for number in 1...count {
                let note = RevokeNote.make(
                    RevokeNote.Content(
                        device: .random(from: officers.random), reason: .lost, suspectSince: officers.now,
                        issued: officers.now, authority: root.keys.authority, number: UInt32(number)),
                    mesh: founding.mesh, keys: [root.keys.current.keys[keys]])
                guard case .accepted = try membership.accept(note: note.signed) else {
                    Issue.record("one key revokes, or suspends")
                    return
                }
                if membership.isRevoked(note.device) { tainting.append(note.hash) }
            }
        }
        #expect(membership.undecidedNotes.count == 266 && tainting.count == 10)
        let entry = try root.announceEpoch(EpochKey(from: officers.random), into: &membership, now: officers.now)
        guard case .epochAnnounce(let announcement) = entry.payload else {
            Issue.record("an epoch was to be announced")
            return
        }
        #expect(announcement.notes.count == 256 && announcement.notes == announcement.notes.sorted())
        #expect(Set(announcement.notes).isSuperset(of: tainting))
        #expect(Set(announcement.notes).isSubset(of: membership.undecidedNotes))
    }

    @Test("However many logs an authority opens, epochs and Checkpoints name those that count, and the others are void")
    func manyLogs() throws {
        let founding = try Founding.found(
            name: "Island", profile: .expedition, field: .single, random: mesh.random, now: TestMesh.start)
        var membership = founding.membership()
        let root = Authority(founding.root)
        let regional = SigningKeyset(count: 1, threshold: 1, random: mesh.random)
        let next = SigningKeyset(count: 1, threshold: 1, random: mesh.random)
        let delegation = AuthorityCertificate.Content(
            parent: founding.root.authority, serial: 1, keyset: regional.keyset, depthLeft: 1, grantable: [.link],
            mostDays: 90, mostDevices: 100, notBefore: TestMesh.start, notAfter: TestMesh.start.adding(365 * 1440),
            zones: [], label: "regional", nextCommit: next.keyset.commit)
        let add = try root.act(
            .authorityAdd(
                AuthorityCertificate.make(delegation, mesh: founding.mesh, keys: founding.root.current.keys)),
            into: &membership, now: TestMesh.start)
        var thief = LogWriter(
            mesh: founding.mesh, log: regional.keyset.authorityID, keys: regional.keys, after: add.id, time: add.time)
        var opened: [LogID] = []
        for number in 1...(Membership.Bounds.authoritiesBelow + 1) {
            let key = SigningPrivateKey(from: mesh.random)
            var content = delegation
            (content.parent, content.serial, content.keyset) = (thief.log, UInt64(number), TestMesh.keyset([key], 1))
            content.depthLeft = 0
            let certificate = try AuthorityCertificate.make(content, mesh: founding.mesh, keys: thief.keys)
            let claim = try thief.append(.authorityAdd(certificate))
            guard case .accepted(let intake) = try membership.accept(claim.signed) else {
                Issue.record("the entry itself stands")
                return
            }
            let isWithin = number <= Membership.Bounds.authoritiesBelow
            #expect(
                intake.changes
                    == [isWithin ? .authority(certificate.authority) : .void(certificate.hash, .authorityQuota)])
            guard isWithin else { break }
            opened.append(certificate.authority)
            let own = LogWriter(
                mesh: founding.mesh, log: certificate.authority, keys: [key], after: claim.id, time: claim.time)
            try membership.take(own.draft(.certIssue([mesh.certificate(mesh.device(), by: own)])))
        }
        let bound = Membership.Bounds.authoritiesBelow
        #expect(opened.allSatisfy { membership.limits(of: $0) != nil })
        #expect(membership.coveredHeads.count == bound + 2 && membership.coveredHeads == membership.heads)
        _ = try root.announceEpoch(EpochKey(from: mesh.random), into: &membership, now: thief.time)
        // Once the thief is found out, nothing of what it opened is worth a row.
        let revocation = AuthorityRevocation(
            authority: thief.log, reason: 3, lastGood: [.init(log: thief.log, sequence: 0)])
        _ = try root.act(.authorityRevoke(revocation), into: &membership, now: thief.time)
        #expect(membership.heads.count == bound + 2 && membership.coveredHeads.count == 2)
        let entry = try root.announceEpoch(EpochKey(from: mesh.random), into: &membership, now: thief.time)
        #expect(membership.epoch(entry.id).map { $0.rows.count == 2 && !membership.isTainted($0) } == true)
        let checkpoint = try #require(
            PlacedCheckpoint(try root.checkpoint(into: &membership, now: thief.time)))
        #expect(
            checkpoint.checkpoint.children.map(\.log) == [thief.log] && membership.standing(of: checkpoint) == .right)
    }

    @Test("What one entry cannot name is refused in words, and signs nothing")
    func tooManyLogs() throws {
        let founding = try Founding.found(
            name: "Island", profile: .expedition, field: .single, random: mesh.random, now: TestMesh.start)
        var membership = founding.membership()
        let root = Authority(founding.root)
        for number in 1...256 {
            let key = SigningPrivateKey(from: mesh.random)
            let certificate = try AuthorityCertificate.make(
                AuthorityCertificate.Content(
                    parent: root.keys.authority, serial: UInt64(number) + 1, keyset: TestMesh.keyset([key], 1),
                    depthLeft: 1, grantable: [.link], mostDays: 90, mostDevices: 100, notBefore: TestMesh.start,
                    notAfter: TestMesh.start.adding(365 * 1440), zones: [], label: "field",
                    nextCommit: .random(from: mesh.random)),
                mesh: founding.mesh, keys: root.keys.current.keys)
            let add = try root.act(.authorityAdd(certificate), into: &membership, now: TestMesh.start)
            let own = LogWriter(
                mesh: founding.mesh, log: certificate.authority, keys: [key], after: add.id, time: add.time)
            try membership.take(own.draft(.groupDefinition(.init(group: .random(from: mesh.random), name: "x"))))
        }
        let refusal = AuthorityRefusal.logs(here: 257, most: 256)
        #expect(throws: refusal) {
            _ = try root.announceEpoch(EpochKey(from: mesh.random), into: &membership, now: TestMesh.start)
        }
        // The root's own log has no row in its Checkpoint.
        _ = try root.checkpoint(into: &membership, now: TestMesh.start)
        #expect("\(refusal)".contains("257 logs"))
    }

    @Test("Announcements that came before what they cover are told when it is here, each by what it waited for")
    func unresolved() throws {
        var (mesh, membership) = (mesh, membership)
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var whole = membership
        try whole.take(add)
        var (own, others): ([LogEntry], [LogEntry]) = ([], [])
        for _ in 0..<6 {
            let above = try mesh.root.append(.epochAnnounce(announcement(whole)))
            try whole.take(above)
            let below = try field.append(.epochAnnounce(announcement(whole)))
            try whole.take(below)
            own.append(above)
            others.append(below)
        }
        let wrong = try mesh.root.append(.epochAnnounce(announcement(whole, number: 5)))
        // All of the root's first: each covers entries of a log that nothing is held of.
        try membership.take(add)
        for entry in own + [wrong] { try membership.take(entry) }
        #expect(own.map { membership.epoch($0.id)?.number } == [1, nil, nil, nil, nil, nil])
        for (index, entry) in others.reversed().enumerated() {
            guard case .accepted = try membership.accept(entry.signed) else { continue }
            #expect(index == others.count - 1)
        }
        let numbers = (own + others).map { membership.epoch($0.id)?.number }
        #expect(numbers == [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12])
        #expect(membership.epoch(wrong.id) == nil && membership.nextEpochNumber == 13)
    }

    @Test("51: an announcement's number is 1 + the highest it covers, or it is void; nobody captures the selection")
    func numbers() throws {
        var (mesh, membership) = (mesh, membership)
        let first = announcement(membership)
        #expect(first.number == 1)
        let entry = try mesh.root.append(.epochAnnounce(first))
        try membership.take(entry)
        #expect(membership.epoch(entry.id)?.number == 1)
        let pairs: [(UInt32, UInt32)] = [(1, 2), (3, 4), (1025, 1026), (1026, 2), (.max, 2)]
        for (number, following) in pairs {
            var (mesh, membership) = (mesh, membership)
            let wrong = try mesh.root.append(.epochAnnounce(announcement(membership, number: number)))
            try membership.take(wrong)
            #expect(membership.epoch(wrong.id) == nil)
            #expect(membership.select(held: membership.epochs(of: first.commit).map(\.commit)).preferred?.number == 1)
            // The next one goes on from a void announcement too, unless that is too far ahead.
            let next = announcement(membership)
            #expect(next.number == following)
            let good = try mesh.root.append(.epochAnnounce(next))
            try membership.take(good)
            #expect(membership.epoch(good.id)?.number == following)
        }
    }

    @Test("An announcement of what nobody holds ends no numbers, whoever made it, and in whatever order it comes")
    func nowhere() throws {
        var mesh = mesh
        var (add, thief) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let nowhere = CoveredRow(log: mesh.root.log, sequence: 900, id: .random(from: mesh.random))
        var membership = membership
        try membership.take(add)
        let first = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(first)
        let bad = try thief.append(.epochAnnounce(announcement(membership, rows: [nowhere])))
        try membership.take(bad)
        let next = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(next)
        #expect(membership.epoch(next.id)?.number == 3 && membership.epoch(bad.id) == nil)
        // Who never heard of it, or heard of it last, tells the same of all that came before.
        for order in [[add, first, next, bad], [add, bad, next, first]] {
            var other = self.membership
            for entry in order { _ = try other.accept(entry.signed) }
            #expect(other.epoch(next.id)?.number == 3 && other.epoch(first.id)?.number == 1)
            #expect(other.nextEpochNumber == 4)
        }
    }

    @Test("Of an epoch that names a branch which lost, whoever never saw that branch takes the next one")
    func lostBranch() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var membership = membership
        try membership.take(add)
        var other = field
        let lost = try other.append(.groupDefinition(.init(group: .random(from: mesh.random), name: "x")))
        let kept = try field.append(.groupDefinition(.init(group: .random(from: mesh.random), name: "y")))
        var saw = membership
        try saw.take(lost)
        let early = try mesh.root.append(.epochAnnounce(announcement(saw)))
        let choice = try mesh.choose(kept.id, of: field.log, keys: [SigningPrivateKey(from: mesh.random)])
        for entry in [early, kept, choice] { try saw.take(entry) }
        for entry in [early, kept, choice] { try membership.take(entry) }
        let next = try mesh.root.append(.epochAnnounce(announcement(saw)))
        for node in [saw, membership] {
            var node = node
            try node.take(next)
            #expect(node.epoch(next.id)?.number == 2)
        }
        #expect(saw.epoch(early.id)?.number == 1 && membership.epoch(early.id) == nil)
    }

    @Test("51: a key is handed on only by who holds all that its announcement covers, and only to members")
    func handing() throws {
        var (mesh, membership) = (mesh, membership)
        let note = mesh.note(of: mesh.device(), authority: mesh.root.log, number: 1, keys: [mesh.roots[0]])
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let fieldEntry = try field.append(.certIssue([mesh.certificate(mesh.device(), by: field)]))
        var whole = membership
        try whole.take(add, fieldEntry)
        _ = try whole.accept(note: note.signed)
        let entry = try mesh.root.append(.epochAnnounce(announcement(whole, notes: [note.hash])))
        try membership.take(add, entry)
        #expect(membership.epoch(entry.id) == nil)
        try membership.take(fieldEntry)
        #expect(membership.epoch(entry.id) != nil)
        #expect(!membership.mayHand(entry.id, to: try member(membership), at: TestMesh.trusted))
        _ = try membership.accept(note: note.signed)
        let peer = try member(membership)
        #expect(membership.mayHand(entry.id, to: peer, at: TestMesh.trusted))
        let own = mesh.note(of: device, keys: [device.signing])
        _ = try membership.accept(note: own.signed)
        #expect(!membership.mayHand(entry.id, to: peer, at: TestMesh.trusted))
        let epoch = try #require(membership.epoch(entry.id))
        #expect(membership.isKey(epoch.commit, of: entry.id))
        #expect(!membership.isKey(.random(from: mesh.random), of: entry.id))
    }

    @Test(
        "A lost or compromised device, or a wipe order, taints epochs that do not cover the note; other reasons do not",
        arguments: RevocationReason.allCases)
    func taint(reason: RevocationReason) throws {
        var (mesh, membership) = (mesh, membership)
        let first = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(first)
        let note = mesh.note(
            of: device, reason: reason, authority: mesh.root.log, number: 1, keys: [mesh.roots[0]])
        _ = try membership.accept(note: note.signed)
        let taints = reason == .lost || reason == .compromised
        let old = try #require(membership.epoch(first.id))
        #expect(membership.isTainted(old) == taints)
        #expect(membership.select(held: [old.commit]).isHold == taints)
        #expect(membership.select(held: [old.commit]).preferred == old)
        let second = try mesh.root.append(.epochAnnounce(announcement(membership, notes: [note.hash])))
        try membership.take(second)
        let new = try #require(membership.epoch(second.id))
        let selection = membership.select(held: [old.commit, new.commit])
        #expect(selection.preferred == new)
        #expect(selection.clean.count == (taints ? 1 : 2))
        // Once a verdict confirms the note, an epoch covers it by its rows.
        try membership.take(mesh.root.append(.certRevoke([NoteVerdict(note: note.hash, decision: .confirmed)])))
        let third = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(third)
        #expect(membership.select(held: [old.commit, new.commit, announcedCommit(third)]).preferred?.number == 3)
        #expect(!membership.isTainted(try #require(membership.epoch(third.id))))
    }

    private func announcedCommit(_ entry: LogEntry) -> EpochCommit {
        guard case .epochAnnounce(let announcement) = entry.payload else { return EpochCommit() }
        return announcement.commit
    }

    @Test("51: the epoch of a revoked authority is not preferred; neither is one that does not know of the revocation")
    func revokedAuthority() throws {
        var (mesh, membership) = (mesh, membership)
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let issue = try field.append(.certIssue([mesh.certificate(mesh.device(), by: field)]))
        try membership.take(add, issue)
        let first = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(first)
        let second = try field.append(.epochAnnounce(announcement(membership)))
        try membership.take(second)
        let held = [announcedCommit(first), announcedCommit(second)]
        #expect(membership.select(held: held).preferred?.entry == second.id)
        let revocation = AuthorityRevocation(
            authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 1)])
        try membership.take(mesh.root.append(.authorityRevoke(revocation)))
        #expect(membership.select(held: held).isHold)
        let third = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(third)
        let selection = membership.select(held: held + [announcedCommit(third)])
        #expect(selection.preferred?.entry == third.id)
        #expect(selection.clean.count == 1)
    }

    @Test("Of concurrent epochs with one number the smaller commit is preferred, and both are kept")
    func concurrent() throws {
        var (mesh, membership) = (mesh, membership)
        let (add, writer) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var field = writer
        try membership.take(add)
        let heads = membership.heads
        let left = try mesh.root.append(.epochAnnounce(announcement(membership, number: 1, rows: heads)))
        let right = try field.append(.epochAnnounce(announcement(membership, number: 1, rows: heads)))
        try membership.take(left, right)
        let commits = [announcedCommit(left), announcedCommit(right)]
        #expect(membership.select(held: commits).clean.map(\.commit) == commits.sorted())
        var shelf = EpochShelf()
        for commit in commits { shelf.add(commit) }
        #expect(shelf.settle(membership, at: TestMesh.trusted).isEmpty)
    }

    @Test("An epoch is erased its grace after a clean successor came, and not before")
    func grace() throws {
        var (mesh, membership) = (mesh, membership)
        var shelf = EpochShelf()
        let first = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(first)
        shelf.add(announcedCommit(first))
        func time(_ days: Int64) -> TimeView {
            TimeView(now: TestMesh.start.adding(days * 1440), isTrusted: true, floor: TestMesh.start)
        }
        #expect(shelf.settle(membership, at: time(100)).isEmpty)
        let second = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(second)
        shelf.add(announcedCommit(second))
        #expect(shelf.settle(membership, at: time(101)).isEmpty)
        // The shelf survives a restart.
        shelf = EpochShelf(shelf.succeeded)
        #expect(shelf.settle(membership, at: time(131)).isEmpty)
        #expect(shelf.settle(membership, at: time(132)) == [announcedCommit(first)])
        #expect(shelf.commits == [announcedCommit(second)])
    }

    @Test("A key is handed on and taken until its clean held successor was announced its grace ago")
    func handable() throws {
        var (mesh, membership) = (mesh, membership)
        let first = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(first)
        let second = try mesh.root.append(.epochAnnounce(announcement(membership)))
        try membership.take(second)
        let (old, new) = (announcedCommit(first), announcedCommit(second))
        func time(_ minutes: Int64) -> TimeView {
            TimeView(now: second.time.adding(minutes), isTrusted: true, floor: TestMesh.start)
        }
        #expect(membership.handable(of: [old, new], at: time(30 * 1440)) == [old, new])
        #expect(membership.handable(of: [old, new], at: time(30 * 1440 + 1)) == [new])
        // Who has not the new key goes on with the old one.
        #expect(membership.handable(of: [old], at: time(90 * 1440)) == [old])
        // One that slept has the old key for its grace from now on.
        var shelf = EpochShelf()
        for commit in [old, new] { shelf.add(commit) }
        #expect(shelf.settle(membership, at: time(90 * 1440)).isEmpty)
        #expect(shelf.settle(membership, at: time(120 * 1440)).isEmpty)
        #expect(shelf.settle(membership, at: time(120 * 1440 + 1)) == [old])
    }

    @Test("At most 32 epochs are held, the newest")
    func most() throws {
        var (mesh, membership) = (mesh, membership)
        var shelf = EpochShelf()
        var commits: [EpochCommit] = []
        for _ in 0..<34 {
            let entry = try mesh.root.append(.epochAnnounce(announcement(membership)))
            try membership.take(entry)
            commits.append(announcedCommit(entry))
            shelf.add(announcedCommit(entry))
        }
        #expect(shelf.settle(membership, at: TestMesh.trusted) == commits[..<2].sorted())
        #expect(shelf.commits == commits[2...].sorted())
    }

    @Test("The view of the log grows stale by the age of its newest announcement")
    func staleness() throws {
        var (mesh, membership) = (mesh, membership)
        func staleness(_ days: Int64) -> Staleness {
            membership.staleness(
                at: TimeView(now: mesh.root.time.adding(days * 1440), isTrusted: true, floor: TestMesh.start))
        }
        #expect(staleness(0) == .stranded)
        try membership.take(mesh.root.append(.epochAnnounce(announcement(membership))))
        #expect(staleness(7) == .fresh)
        #expect(staleness(8) == .stale)
        #expect(staleness(30) == .stale)
        #expect(staleness(31) == .stranded)
    }

    @Test("An authority without any right keeps nobody's view of the log fresh")
    func rightless() throws {
        var (mesh, membership) = (mesh, membership)
        var (added, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        // Beyond what the field authority may grant.
        let (overreach, rightless) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &field) {
            $0.grantable = .all
            $0.depthLeft = 0
        }
        var writer = rightless
        try membership.take(
            added, mesh.root.append(.epochAnnounce(announcement(membership))), overreach,
            field.append(.checkpoint(nothing)))
        #expect(membership.limits(of: field.log) != nil && membership.limits(of: writer.log) == nil)
        let heard = membership.authorityHeard(at: TestMesh.trusted)
        #expect(heard != nil)
        try membership.take(writer.append(.checkpoint(nothing), time: TestMesh.start.adding(50)))
        #expect(membership.authorityHeard(at: TestMesh.trusted) == heard)
    }

    private var nothing: Checkpoint { Checkpoint(children: [], merkleRoot: Octets32(), count: 0) }
}
