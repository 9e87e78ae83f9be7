import CoveyCore
import CoveyCrypto
import Testing

/// What two nodes must agree on.
private struct View: Equatable {
    let heads: [CoveredRow]
    let members: [DeviceID]
    let certificates: [CertificateHash?]
    let faults: [Bool]
    let revoked: [DeviceID]
    let preferred: EntryID?
    let next: UInt32
    let policy: Policy?
    let forks: [Set<EntryID>]
    let releases: [EntryID]
    let limits: [AuthorityLimits?]
    let grantLimits: [UInt64]
    let checkpoints: [PlacedCheckpoint?]

    init(_ membership: Membership, _ world: BranchWorld) {
        heads = membership.heads
        members = membership.devices
        certificates = members.map { membership.currentCertificate($0)?.hash }
        faults = world.certificates.map {
            world.mesh.admit($0, to: membership).member == nil
        }
        revoked = world.certificates.map(\.device).filter(membership.isRevoked)
        preferred = membership.select(held: world.commits).preferred?.entry
        next = membership.nextEpochNumber
        policy = membership.policy
        forks = membership.forks.map { Set($0.entries) }
        releases = membership.releases.map(\.entry)
        limits = world.logs.map { membership.limits(of: $0) }
        grantLimits = world.logs.map { membership.grantLimit(of: $0) }
        checkpoints = world.logs.map { membership.checkpoint(of: $0) }
    }
}

/// A field authority's log forks; the root checkpoints, chooses, chooses again, changes its keys, and forks itself.
private struct BranchWorld {
    var mesh: TestMesh
    var entries: [LogEntry] = []
    var notes: [RevokeNote] = []
    var certificates: [DeviceCertificate] = []
    var commits: [EpochCommit] = []
    var logs: [LogID] = []

    private mutating func issue(_ writer: inout LogWriter, _ certificate: DeviceCertificate? = nil) throws {
        let certificate = try certificate ?? mesh.certificate(mesh.device(), by: writer)
        certificates.append(certificate)
        entries.append(try writer.append(.certIssue([certificate])))
    }

    private mutating func announce(_ writer: inout LogWriter) throws {
        var known = Membership(genesis: mesh.genesis)
        for entry in entries { _ = try? known.accept(entry.signed) }
        let commit = EpochCommit.random(from: mesh.random)
        commits.append(commit)
        let announcement = EpochAnnouncement(
            number: known.nextEpochNumber, commit: commit, rows: known.coveredHeads, notes: [],
            validFrom: TestMesh.start,
            graceDays: 30)
        entries.append(try writer.append(.epochAnnounce(announcement)))
    }

    init(seed: UInt64) throws {
        mesh = try TestMesh(seed: seed)
        entries = [mesh.first]
        let random = mesh.random
        var root = mesh.root
        let fieldKeys = (0..<2).map { _ in SigningPrivateKey(from: random) }
        let deepKey = SigningPrivateKey(from: random)
        let lateKey = SigningPrivateKey(from: random)
        // The next keyset may have a key of the first one: then a signature alone does not tell which of them spoke.
        let overlaps = seed % 7 < 3
        let nextKeys = overlaps ? fieldKeys : [fieldKeys[1]]
        var (addField, field) = try mesh.add(keys: [fieldKeys[0]], below: &root) {
            $0.mostDevices = 6
            $0.grantable.insert(.announce)
            $0.nextCommit = TestMesh.keyset(nextKeys, 1).commit
        }
        entries.append(addField)
        var (addDeep, deep) = try mesh.add(keys: [deepKey], below: &field) {
            $0.depthLeft = 0; $0.mostDevices = 4
        }
        entries.append(addDeep)
        logs = [root.log, field.log, deep.log]
        try issue(&root)
        for _ in 0..<2 { try issue(&field) }
        try issue(&deep)
        try announce(&root)
        let rotation = AuthorityRotation(
            authority: field.log, keyset: TestMesh.keyset(nextKeys, 1), nextCommit: .random(from: random))
        if seed.isMultiple(of: 4) {
            // Its own rotation, before everything.
            field.keys = fieldKeys
            entries.append(try field.append(.authorityRotate(rotation)))
            field.keys = [fieldKeys[1]]
        }

        // The fork: one certificate stands on both branches, and the right one adds an authority.
        var (left, right) = (field, field)
        let common = try mesh.certificate(mesh.device(), by: field)
        try issue(&left)
        let leftFirst = left
        try issue(&left, common)
        if overlaps, !seed.isMultiple(of: 4) {
            // Or on one of the branches, where the old key signs on, and the new one too.
            left.keys = fieldKeys
            entries.append(try left.append(.authorityRotate(rotation)))
            left.keys = [fieldKeys[0]]
            try issue(&left)
            left.keys = [fieldKeys[1]]
            try issue(&left)
            left.keys = [fieldKeys[0]]
            // Two signatures, and one of the new key, that the keys of the other branch have not.
            let officer = try mesh.certificate(mesh.device(), by: left, keys: fieldKeys) {
                $0.capabilities.insert(.announce)
            }
            try issue(&left, officer)
            var newer = left
            newer.keys = [fieldKeys[1]]
            let aside = try mesh.authority(keys: [SigningPrivateKey(from: random)], by: newer) { $0.depthLeft = 0 }
            entries.append(try left.append(.authorityAdd(aside)))
            logs.append(aside.authority)
            // These may come while the other branch is longer, and what they stand on is not here.
            for _ in 0..<6 {
                entries.append(
                    try right.append(.groupDefinition(GroupDefinition(group: .random(from: random), name: "team"))))
            }
        }
        try announce(&left)
        try issue(&right)
        try issue(&right, common)
        var (addLate, late) = try mesh.add(keys: [lateKey], below: &right) {
            $0.depthLeft = 0; $0.mostDevices = 4
        }
        entries.append(addLate)
        logs.append(late.log)
        try issue(&late)
        try issue(&deep)
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: certificates[1].device, reason: .lost, suspectSince: TestMesh.start,
                issued: TestMesh.start.adding(30), authority: field.log, number: 1, wipe: nil),
            mesh: mesh.mesh, keys: [fieldKeys[0]])
        notes.append(note)
        entries.append(try left.append(.certRevoke([NoteVerdict(note: note.hash, decision: .confirmed)])))

        if seed.isMultiple(of: 2) {
            let checkpoint = Checkpoint(
                children: [CoveredRow(log: field.log, sequence: leftFirst.sequence, id: leftFirst.previous)],
                merkleRoot: .random(from: random), count: 1)
            entries.append(try root.append(.checkpoint(checkpoint)))
        }
        // Who chooses: nobody, the parent with new keys, the cold keys in the parent's log.
        let newKey = SigningPrivateKey(from: random)
        func choose(_ branch: LogWriter) throws -> LogEntry {
            let rotation = AuthorityRotation(
                authority: field.log, keyset: TestMesh.keyset([newKey], 1), nextCommit: .random(from: random),
                branch: branch.previous)
            let signers = root.keys
            root.keys = signers + [newKey]
            defer { root.keys = signers }
            return try root.append(.authorityRotate(rotation))
        }
        /// A branch that was chosen goes on after the choice.
        func goOn(_ branch: LogWriter, after choice: LogEntry, keys: [SigningPrivateKey], issuing count: Int) throws {
            entries.append(choice)
            var onward = branch
            onward.keys = keys
            onward.previous = choice.id
            onward.time = max(onward.time, choice.time)
            for _ in 0..<count { try issue(&onward) }
        }
        if seed % 3 == 1 {
            try goOn(right, after: choose(right), keys: [newKey], issuing: 2)
        } else if seed % 3 == 2 {
            let signers = root.keys
            root.keys = signers + mesh.recovery[..<2]
            let choice = try root.append(
                .recoverFork(
                    ForkRecovery(
                        log: field.log, branch: right.previous, recovery: TestMesh.keyset(mesh.recovery, 2))))
            root.keys = signers
            try goOn(right, after: choice, keys: right.keys, issuing: 2)
        }
        // Another mind: the newest choice counts.
        if seed.isMultiple(of: 5) { try goOn(left, after: choose(left), keys: [newKey], issuing: 1) }

        let old = root.keys
        root.keys = old + mesh.nextRoots[..<2]
        entries.append(
            try root.append(
                .authorityRotate(
                    AuthorityRotation(
                        authority: root.log, keyset: TestMesh.keyset(mesh.nextRoots, 2),
                        nextCommit: .random(from: random)))))
        root.keys = Array(mesh.nextRoots[..<2])
        try issue(&root)
        try announce(&root)
        if seed % 4 >= 2 {
            var other = root
            try issue(&root)
            try issue(&other)
            if seed % 4 == 3 {
                other.keys = Array(mesh.recovery[1...])
                entries.append(
                    try other.append(
                        .recoverFork(
                            ForkRecovery(
                                log: other.log, branch: other.previous, recovery: TestMesh.keyset(mesh.recovery, 2)))))
                other.keys = root.keys
                try issue(&other)
            }
        }

        let keyset = TestMesh.keyset([mesh.release], 1)
        var releases = LogWriter(
            mesh: mesh.mesh, log: keyset.authorityID, keys: [mesh.release], after: LogEntry.anchor(of: mesh.mesh),
            time: TestMesh.start)
        entries.append(
            try releases.append(
                .authorityRotate(
                    AuthorityRotation(
                        authority: releases.log, keyset: keyset, nextCommit: .random(from: random)))))
        for version in ["1.0", "1.1"] {
            entries.append(
                try releases.append(
                    .releaseManifest(
                        ReleaseManifest(
                            version: version, artefacts: [.init(sha256: .random(from: random), name: "covey.deb")],
                            sourceCommit: [1], recipe: .random(from: random), leastWire: 1,
                            notBefore: TestMesh.start))))
        }
    }
}

@Suite("Nodes that met the same branches, choices and rotations agree, whatever order they met them in")
struct BranchConvergenceTests {
    @Test(
        "Random orders of delivery come to one path, and to one set of members",
        arguments: 1...60 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) throws {
        let world = try BranchWorld(seed: seed)
        let random = SeededRandom(seed: seed, stream: "order")
        var first: View?
        for round in 0..<8 {
            var entries = world.entries
            if round > 0 { random.shuffle(&entries) }
            var membership = Membership(genesis: world.mesh.genesis)
            var kept: [LogEntry] = []
            // A peer offers again what was refused or has not come up yet.
            for pass in 0..<4 {
                for entry in entries {
                    guard let outcome = try? membership.accept(entry.signed) else { continue }
                    if case .accepted(let intake) = outcome { kept += intake.entries }
                }
                if pass == 0 { for note in world.notes { _ = try? membership.accept(note: note.signed) } }
            }
            #expect(kept.count == world.entries.count)
            let view = View(membership, world)
            if let first { #expect(view == first) } else { first = view }
            // What was taken in makes the same again, unverified.
            var restored = Membership(genesis: world.mesh.genesis)
            for entry in kept { _ = try restored.restore(entry.signed) }
            for note in world.notes { _ = try? restored.accept(note: note.signed) }
            #expect(View(restored, world) == view)
        }
    }
}
