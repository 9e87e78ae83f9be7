import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §1.3, §1.8 and §1.9.
@Suite("An authority has the parent that had the right to add it first, whoever else adds it and in whatever order")
struct ParentTests {
    /// A regional authority that enrolled nobody and added a field authority; that one, which enrolled a device, and whose
    /// key was stolen; and another regional authority, which adds it as well.
    private struct World {
        var mesh: TestMesh
        var regional: LogWriter
        var other: LogWriter
        let field: LogWriter
        let fieldKey: SigningPrivateKey
        let device: TestDevice
        let issued: LogEntry
        /// Without the claim of the other authority.
        var entries: [LogEntry]

        /// - Parameter isOtherFirst: whether the id of the other one goes before.
        init(seed: UInt64, isOtherFirst: Bool = true) throws {
            mesh = try TestMesh(seed: seed)
            let random = mesh.random
            var keys = (0..<2).map { _ in SigningPrivateKey(from: random) }
            keys.sort { TestMesh.keyset([$0], 1).authorityID < TestMesh.keyset([$1], 1).authorityID }
            if !isOtherFirst { keys.reverse() }
            fieldKey = SigningPrivateKey(from: mesh.random)
            let (addOther, other) = try mesh.add(keys: [keys[0]], below: &mesh.root)
            var (addRegional, regional) = try mesh.add(keys: [keys[1]], below: &mesh.root)
            var (addField, field) = try mesh.add(keys: [fieldKey], below: &regional) { $0.depthLeft = 0 }
            device = mesh.device()
            issued = try field.append(.certIssue([mesh.certificate(device, by: field)]))
            let checkpoint = Checkpoint(
                children: [CoveredRow(log: field.log, sequence: 1, id: issued.id)],
                merkleRoot: .random(from: mesh.random), count: 1)
            entries = [
                mesh.first, addOther, addRegional, addField, issued, try regional.append(.checkpoint(checkpoint)),
            ]
            (self.regional, self.other, self.field) = (regional, other, field)
        }

        /// The other authority adds the field authority, and whoever has that one's key begins its log anew behind it.
        mutating func claim(at time: Minute? = nil) throws {
            let certificate = try mesh.authority(keys: [fieldKey], by: other) { $0.depthLeft = 0 }
            let claim = try other.append(.authorityAdd(certificate), time: time ?? issued.time.adding(10))
            var anew = field
            (anew.sequence, anew.previous, anew.time) = (0, claim.id, claim.time)
            let group = GroupDefinition(group: .random(from: mesh.random), name: "team")
            entries += [claim, try anew.append(.groupDefinition(group))]
        }

        /// The root lets the other authority keep nothing.
        mutating func dismiss() throws {
            let word = AuthorityRevocation(
                authority: other.log, reason: 3, lastGood: [.init(log: other.log, sequence: 0)])
            entries.append(try mesh.root.append(.authorityRevoke(word)))
        }

        func memberships() throws -> [Membership] {
            let random = SeededRandom(seed: 7)
            return (0..<12).map { round in
                var entries = entries
                if round == 1 { entries.reverse() } else if round > 1 { random.shuffle(&entries) }
                var membership = Membership(genesis: mesh.genesis)
                for _ in 0..<3 { for entry in entries { _ = try? membership.accept(entry.signed) } }
                #expect(membership.count + membership.contestedLogs.count == entries.count)
                return membership
            }
        }
    }

    private func expectRegional(_ world: World) throws {
        let (regional, field) = (world.regional.log, world.field.log)
        let states = try world.memberships()
        for membership in states {
            #expect(membership.isAbove(regional, field) && !membership.isAbove(world.other.log, field))
            #expect(membership.limits(of: field) != nil)
            #expect(membership.grantLimit(of: field) == 1)
            #expect(membership.currentCertificate(world.device.id(in: world.mesh.mesh)) != nil)
            #expect(membership.headsDigest == states[0].headsDigest)
        }
        // And its parent can end it.
        var writer = world.regional
        let word = AuthorityRevocation(authority: field, reason: 3, lastGood: [.init(log: field, sequence: 0)])
        let end = try writer.append(.authorityRevoke(word))
        for var membership in states {
            try membership.take(end)
            #expect(membership.grantLimit(of: field) == 0)
            #expect(membership.currentCertificate(world.device.id(in: world.mesh.mesh)) == nil)
        }
    }

    @Test("A dismissed authority takes no child from another one")
    func dismissedBefore() throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            var world = try World(seed: seed)
            try world.dismiss()
            try world.claim()
            try expectRegional(world)
        }
    }

    @Test("Nor does one with rights that adds it later")
    func later() throws {
        var world = try World(seed: 4)
        try world.claim()
        try expectRegional(world)
    }

    @Test("One that dated its AuthorityAdd back loses the child when it is dismissed")
    func backdated() throws {
        var world = try World(seed: 5)
        try world.claim(at: TestMesh.start.adding(2))
        for membership in try world.memberships() { #expect(membership.isAbove(world.other.log, world.field.log)) }
        try world.dismiss()
        try expectRegional(world)
    }

    @Test("A note of an authority that no longer stands above the device stays in the set, and does nothing")
    func noteOfAnotherChain() throws {
        var world = try World(seed: 6, isOtherFirst: false)
        try world.claim()
        let note = world.mesh.note(of: world.device, authority: world.other.log, keys: world.other.keys)
        let device = world.device.id(in: world.mesh.mesh)
        // As if the other one alone had added it.
        var membership = Membership(genesis: world.mesh.genesis)
        var kept: [Signed] = []
        func take(_ entries: some Sequence<LogEntry>) throws {
            for entry in entries {
                if case .accepted(let intake) = try membership.accept(entry.signed) {
                    kept += intake.entries.map(\.signed)
                }
            }
        }
        let (addRegional, addField) = (world.entries[2], world.entries[3])
        var anew = world.field
        (anew.sequence, anew.previous, anew.time) = (1, world.entries[7].id, world.entries[7].time)
        let renewed = try anew.append(
            .certIssue([try world.mesh.certificate(world.device, serial: 2, by: anew)]))
        try take([world.mesh.first, world.entries[1], world.entries[6], world.entries[7], renewed])
        _ = try membership.accept(note: note.signed)
        #expect(membership.isRevoked(device))
        try take([addRegional, addField] + world.entries[4...5])
        #expect(!membership.isRevoked(device))
        // What was kept is taken back.
        var restored = Membership(genesis: world.mesh.genesis)
        for signed in kept { _ = try restored.restore(signed) }
        _ = try restored.accept(note: note.signed)
        #expect(restored.notes == membership.notes && restored.notes == [note.hash])
        #expect(!restored.isRevoked(device))
        #expect(restored.headsDigest == membership.headsDigest)
    }

    @Test(
        "Keys that an authority beside it gave it revoke nobody once its parent is known, also not with keys of its own",
        arguments: [false, true])
    func foreignKeys(hasOwn: Bool) throws {
        var world = try World(seed: 8)
        let stolen = (hasOwn ? [world.fieldKey] : []) + [SigningPrivateKey(from: world.mesh.random)]
        let keyset = TestMesh.keyset(stolen, stolen.count)
        try world.claim()
        let (claim, anew) = (world.entries[6], world.entries[7])
        var writer = world.other
        writer.keys += stolen
        let choice = try writer.append(
            .authorityRotate(
                AuthorityRotation(
                    authority: world.field.log, keyset: keyset, nextCommit: .random(from: world.mesh.random),
                    branch: anew.id)))
        let note = world.mesh.note(of: world.device, authority: world.field.log, keys: stolen)
        var early = Membership(genesis: world.mesh.genesis)
        var late = early
        let device = world.device.id(in: world.mesh.mesh)
        let certified = try {
            var onward = world.field
            (onward.sequence, onward.previous, onward.keys) = (1, choice.id, stolen)
            onward.time = choice.time
            return try onward.append(.certIssue([world.mesh.certificate(world.device, serial: 2, by: onward)]))
        }()
        try early.take(world.mesh.first, world.entries[1], claim, anew, choice, certified)
        _ = try early.accept(note: note.signed)
        #expect(early.isRevoked(device))
        var gone: [NoteID] = []
        for entry in world.entries[2...5] {
            if case .accepted(let intake) = try early.accept(entry.signed) { gone += intake.notesGone }
        }
        #expect(early.isAbove(world.regional.log, world.field.log))
        #expect(gone == [note.id] && early.notes.isEmpty)
        #expect(!early.isRevoked(device))
        for entry in world.entries { try late.take(entry) }
        try late.take(choice)
        #expect(late.refusal(of: note) == .signatures)
        #expect(!late.isRevoked(device))
    }

    @Test("Nobody is told of a dismissal by an authority that does not stand above; it counts once that one does")
    func dismissalFromBeside() throws {
        let world = try World(seed: 9)
        func dismissal(by writer: inout LogWriter) throws -> LogEntry {
            try writer.append(
                .authorityRevoke(
                    AuthorityRevocation(
                        authority: world.field.log, reason: 3, lastGood: [.init(log: world.field.log, sequence: 0)])))
        }
        var (other, root) = (world.other, world.mesh.root)
        let (beside, above) = (try dismissal(by: &other), try dismissal(by: &root))
        var membership = Membership(genesis: world.mesh.genesis)
        func isTold(_ entry: LogEntry) throws -> Bool {
            guard case .accepted(let intake) = try membership.accept(entry.signed) else { return false }
            return intake.changes.contains(.authorityRevoked(world.field.log))
        }
        for entry in world.entries { try membership.take(entry) }
        #expect(try !isTold(beside))
        #expect(membership.grantLimit(of: world.field.log) == .max)
        #expect(try isTold(above))
        #expect(membership.grantLimit(of: world.field.log) == 0)
        // The root's word may come before anybody has heard of the one it is about.
        membership = Membership(genesis: world.mesh.genesis)
        for entry in [world.entries[0], world.entries[1], world.entries[2], above] + world.entries[3...] {
            try membership.take(entry)
        }
        #expect(membership.grantLimit(of: world.field.log) == 0)
        #expect(membership.currentCertificate(world.device.id(in: world.mesh.mesh)) == nil)
    }
}
