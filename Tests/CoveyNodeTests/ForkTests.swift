import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@Suite("An authority that signs two logs")
struct ForkTests {
    private func lines(of host: TestMesh.Host, in mesh: TestMesh) throws -> [LogLine] {
        mesh.command(.logList(after: 0, limit: 100), at: host)
        try mesh.run(seconds: 0)
        guard case .logList(let lines)? = host.replies.last else { return [] }
        return lines
    }

    private func entries(of host: TestMesh.Host, in mesh: TestMesh) throws -> Set<EntryID> {
        Set(try lines(of: host, in: mesh).map(\.head.id))
    }

    @Test("Two that were told different entries find it out when they meet, and so does a third that was told one")
    func meeting() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let cy = try mesh.enrol("cy")
        let (one, other) = try mesh.fork()
        for (host, entry) in [(ana, one), (bo, other), (cy, one)] {
            try mesh.begin(host)
            mesh.command(.logSubmit((mesh.entries + [entry]).map(\.signed.bytes), epochKeys: []), at: host)
        }
        mesh.partition([[ana, bo], [cy]])
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 5)
        for host in [ana, bo] {
            let marked = try lines(of: host, in: mesh).filter { $0.mark == .forked }
            #expect(Set(marked.map(\.head.id)) == [one.id, other.id])
        }
        #expect(try lines(of: cy, in: mesh).allSatisfy { $0.mark == nil })
        #expect(try !entries(of: cy, in: mesh).contains(other.id))
        // From a node that knows of both to one that knows of one, and after a restart.
        mesh.stop(ana)
        try mesh.begin(ana)
        mesh.partition([[bo], [ana, cy]])
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, cy) })
        try mesh.run(seconds: 5)
        #expect(try entries(of: cy, in: mesh).isSuperset(of: [one.id, other.id]))
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(bo, cy) && mesh.isLinked(ana, bo) })
        mesh.send("still here", from: bo, to: cy)
        #expect(try mesh.run(seconds: 20) { cy.delivered.count == 1 })
        for host in [ana, bo, cy] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("What looked like a fork until the parent's choice came is none after it, and keeps no two nodes apart")
    func forkThatVanishes() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let (one, _) = try mesh.fork()
        let root = mesh.founding.genesis.rootID
        let ids = mesh.membership.entryIDs(of: root)
        let new = SigningKeyset(count: 1, threshold: 1, random: SeededRandom(seed: 7))
        let choice = try LogEntry.make(
            log: root, sequence: UInt64(ids.count) + 1, previous: #require(ids.last), time: one.time,
            payload: .authorityRotate(
                AuthorityRotation(
                    authority: one.log, keyset: new.keyset, nextCommit: new.keyset.commit, branch: one.previous)),
            mesh: mesh.founding.mesh, keys: mesh.founding.root.current.keys + new.keys)
        // Who has the choice knows that the old keys do not write behind it.
        let astray = try LogEntry.make(
            log: one.log, sequence: one.sequence, previous: choice.id, time: one.time, payload: one.payload,
            mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
        for (host, entries) in [(ana, [one, astray, choice]), (bo, [one, choice, astray])] {
            try mesh.begin(host)
            mesh.command(.logSubmit((mesh.entries + entries).map(\.signed.bytes), epochKeys: []), at: host)
        }
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        mesh.send("no fork", from: ana, to: bo)
        #expect(try mesh.run(seconds: 30) { bo.delivered.count == 1 })
        for host in [ana, bo] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("The branch that lost is shown to nobody once the cold keys have decided; until then both are")
    func decided() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let mallory = try mesh.enrol("mallory")
        let (one, other) = try mesh.fork()
        try mesh.begin(ana, multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        func shown() throws -> Set<EntryID> {
            let member = try RawMember(mesh, mallory, linkedTo: ana)
            try member.sayHeads()
            let puts = try member.heard().filter { $0.type == .logPut }
            let signed = try puts.flatMap { try Frame.LogPut(parsing: $0.body.span.bytes).items }
            return Set(try signed.map { try LogEntry(parsing: $0, mesh: mesh.founding.mesh).id })
        }
        #expect(try shown().isDisjoint(with: [one.id, other.id]))
        mesh.command(.logSubmit([one, other].map(\.signed.bytes), epochKeys: []), at: ana)
        #expect(try shown().isSuperset(of: [one.id, other.id]))
        mesh.learn([one, other], at: ana)
        _ = try mesh.recover(branch: one.id, at: ana)
        #expect(try !shown().contains(other.id))
    }

    @Test("A device of the branch that lost, revoked since, keeps nobody apart who never saw that branch")
    func notesOfTheLost() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let (one, other) = try mesh.fork()
        let keys = mesh.authority.keys.current.keys
        let random = SeededRandom(seed: 8)
        let spy = DeviceIdentity(mesh: mesh.founding.mesh, random: random)
        let certificate = try DeviceCertificate.make(
            DeviceCertificate.Content(
                serial: 1000, issuer: other.log, signing: spy.signing.publicKey, link: spy.link.publicKey,
                message: spy.message.publicKey, subject: .random(from: random), notBefore: mesh.minute,
                notAfter: mesh.minute.adding(1440), capabilities: Grant.member, zones: [], label: "spy"),
            mesh: mesh.founding.mesh, keys: keys)
        let issue = try LogEntry.make(
            log: other.log, sequence: other.sequence + 1, previous: other.id, time: other.time,
            payload: .certIssue([certificate]), mesh: mesh.founding.mesh, keys: keys)
        try mesh.begin(ana)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        mesh.learn([one, other, issue], at: ana)
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: spy.id, reason: .retired, suspectSince: mesh.minute, issued: mesh.minute,
                authority: other.log),
            mesh: mesh.founding.mesh, keys: keys)
        try mesh.take(note, at: ana)
        _ = try mesh.recover(branch: one.id, at: ana)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        mesh.send("together", from: ana, to: bo)
        #expect(try mesh.run(seconds: 30) { bo.delivered.count == 1 })
        for host in [ana, bo] { #expect(!host.linkEnds.contains(.catchUpTimeout)) }
    }

    @Test("A store in which something stands before what it stands on is taken back whole, and passed on")
    func olderOrder() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        for name in ["cy", "dan"] { _ = try mesh.enrol(name) }
        let (keys, random) = (mesh.authority.keys, SeededRandom(seed: 9))
        let ids = mesh.membership.entryIDs(of: keys.authority)
        func branch(_ sequence: UInt64, after previous: EntryID, _ payload: LogPayload) throws -> LogEntry {
            try LogEntry.make(
                log: keys.authority, sequence: sequence, previous: previous, time: mesh.minute, payload: payload,
                mesh: mesh.founding.mesh, keys: keys.current.keys)
        }
        let group = GroupDefinition(group: .random(from: random), name: "team")
        let count = UInt64(ids.count)
        let other = try branch(count - 1, after: ids[ids.count - 3], .groupDefinition(group))
        let child = SigningKeyset(count: 1, threshold: 1, random: random)
        let added = try AuthorityCertificate.make(
            AuthorityCertificate.Content(
                parent: keys.authority, serial: 1, keyset: child.keyset, depthLeft: 0, grantable: Grant.member,
                mostDays: 30, mostDevices: 5, notBefore: mesh.minute, notAfter: mesh.minute.adding(1440), zones: [],
                label: "unit", nextCommit: child.keyset.commit),
            mesh: mesh.founding.mesh, keys: keys.current.keys)
        let add = try branch(count, after: other.id, .authorityAdd(added))
        // As programs took them that judged an AuthorityAdd behind a gap.
        let last = UInt64(ana.store.records(.log, after: 0, limit: .max).count)
        let missing = Array(mesh.entries.dropFirst(Int(last)))
        for (number, entry) in (missing + [add, other]).enumerated() {
            ana.store.put(.log, last + 1 + UInt64(number), entry.signed.bytes)
        }
        ana.store.commit()
        try mesh.begin(ana)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 5)
        let held = ana.store.records(.log, after: 0, limit: .max).count
        #expect(try entries(of: ana, in: mesh).isSuperset(of: [other.id, add.id]))
        #expect(try entries(of: bo, in: mesh).isSuperset(of: [other.id, add.id]))
        try mesh.announceEpoch()
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 1)
        #expect(ana.store.records(.log, after: 0, limit: .max).count == held + 1)
    }
}
