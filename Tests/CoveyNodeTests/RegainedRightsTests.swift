import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@Suite("Devices whose certificates count later, or again")
struct RegainedRightsTests {
    private let mesh: TestMesh
    private let ana: TestMesh.Host
    private let bo: TestMesh.Host

    init() throws {
        mesh = try TestMesh()
        ana = try mesh.add("ana")
        bo = try mesh.add("bo")
        let (mesh, ana, bo) = (mesh, ana, bo)
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
    }

    private func tell(_ entries: [LogEntry], _ host: TestMesh.Host) throws {
        mesh.command(.logSubmit(entries.map(\.signed.bytes), epochKeys: []), at: host)
        try mesh.run(seconds: 5)
    }

    @Test("Mail of a device that its authority could enrol only since it was renewed is read, whichever came first")
    func renewedAuthority() throws {
        let desk = try mesh.appoint(Mandate(mostDays: 30))
        _ = mesh.work(at: desk)
        try tell(mesh.entries, ana)
        let renewal = try mesh.renew(desk.authority.keys.authority) { $0.mostDays = 90 }
        let late = try mesh.enrol("late", days: 60)
        try tell([#require(mesh.entries.last)], ana)
        #expect(ana.node?.certificateExpires(late.identity.id) == nil)
        try tell([renewal], ana)
        #expect(ana.node?.certificateExpires(late.identity.id) != nil)
        try mesh.begin(late)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, late) })
        mesh.send("new here", from: late, to: ana)
        #expect(try mesh.run(seconds: 60) { !ana.delivered.isEmpty })
        #expect(ana.delivered.map(\.text) == ["new here"])
    }

    @Test("A device that was revoked by mistake has prekeys again as soon as it is let back in")
    func lifted() throws {
        let note = try mesh.revokeUntold(bo, reason: .lost)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        try mesh.run(seconds: 3 * 3600)
        #expect(!mesh.isLinked(ana, bo))
        #expect(ana.store.all(.bundles).count == 1)
        _ = try mesh.decide([NoteVerdict(note: note.hash, decision: .lifted)], at: ana)
        #expect(try mesh.run(seconds: 400) { mesh.isLinked(ana, bo) })
        mesh.send("welcome back", from: ana, to: bo)
        #expect(try mesh.run(seconds: 60) { !bo.delivered.isEmpty })
        #expect(ana.store.all(.bundles).count == 2)
    }

    @Test("A revoked device makes no prekeys, however long it runs")
    func outForGood() throws {
        let note = try mesh.revokeUntold(bo, reason: .lost)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: bo)
        try mesh.run(seconds: 10)
        let made = bo.store.all(.prekeys).count
        try mesh.run(seconds: 9 * 86_400)
        #expect(bo.store.all(.prekeys).count == made)
    }

    @Test("The devices of an authority whose log was forked have prekeys again as soon as the fork is decided")
    func recovered() throws {
        let (one, other) = try mesh.fork()
        mesh.learn([one], at: ana)
        let late = try mesh.add("late")
        let issue = try #require(mesh.entries.last)
        try tell([issue], ana)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, late) && mesh.isLinked(bo, late) })
        mesh.learn([other], at: ana)
        try mesh.run(seconds: 3 * 3600)
        #expect(!mesh.isLinked(ana, late))
        for host in [ana, late] { #expect(host.store.get(.bundles, late.identity.id.array) == nil) }
        // Its own log says that it is nobody: it hears of this from those who know better.
        _ = try mesh.recover(branch: issue.id, at: ana)
        #expect(try mesh.run(seconds: 400) { mesh.isLinked(ana, late) })
        mesh.send("all is well", from: ana, to: late)
        #expect(try mesh.run(seconds: 60) { !late.delivered.isEmpty })
    }

    @Test("A device of an authority that was added behind the fork of the one above hears how that was decided")
    func recoveredAbove() throws {
        _ = mesh.work(at: try mesh.appoint(Mandate(depth: 1)))
        let regional = mesh.authority
        try tell(mesh.entries, ana)
        let (one, other) = try mesh.fork()
        mesh.learn([one], at: ana)
        _ = mesh.work(at: try mesh.appoint(by: regional))
        let late = try mesh.add("late")
        let district = mesh.entries
        try tell(district, ana)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, late) })
        mesh.learn([other], at: ana)
        try mesh.run(seconds: 600)
        #expect(!mesh.isLinked(ana, late))
        let cold = ColdRecovery(mesh: mesh.founding.mesh, keys: mesh.founding.recovery)
        var membership = mesh.membership
        let branch = try #require(district.last { $0.log == one.log })
        let decision = try cold.recover(one.log, branch: branch.id, new: nil, into: &membership, now: mesh.minute)
        try tell([decision], ana)
        #expect(try mesh.run(seconds: 400) { mesh.isLinked(ana, late) })
    }

    @Test("Two of a forked log that list each other are linked soon after both hear how that was decided")
    func listed() throws {
        let (one, other) = try mesh.fork()
        mesh.learn([one], at: ana)
        let (west, east) = (try mesh.enrol("west"), try mesh.enrol("east"))
        let issue = try #require(mesh.entries.last)
        try mesh.begin(west, peers: [east], multicast: .off)
        try tell(mesh.entries, west)
        try mesh.begin(east, peers: [west], multicast: .off)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(west, east) })
        for host in [west, east] { try tell([other], host) }
        try mesh.run(seconds: 3 * 3600)
        #expect(!mesh.isLinked(west, east))
        let decision = try mesh.recover(branch: issue.id, at: ana)
        for host in [west, east] { try tell([decision], host) }
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(west, east) })
    }
}
