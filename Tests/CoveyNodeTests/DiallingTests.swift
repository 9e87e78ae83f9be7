import CoveyCore
import CoveyNode
import Testing

@Suite("Who dials whom")
struct DiallingTests {
    private func peer(_ host: TestMesh.Host, device: DeviceID? = nil) -> NodeConfiguration.StaticPeer {
        NodeConfiguration.StaticPeer(address: host.address, device: device)
    }

    @Test("Two that list each other by address alone come to one link, and keep it")
    func bothStatic() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(ana, dialling: [peer(bo)])
        try mesh.begin(bo, dialling: [peer(ana)])
        try mesh.run(seconds: 60)
        #expect(mesh.isLinked(ana, bo))
        let ends = ana.linkEnds.count
        try mesh.run(seconds: 600)
        #expect(ana.linkEnds.count == ends)
        #expect(try mesh.peers(of: ana).count == 1)
    }

    @Test("A peer that #device names is dialled again when it is let back in", arguments: [false, true])
    func reinstated(isToldLate: Bool) throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(bo, dialling: [])
        try mesh.begin(ana, dialling: [peer(bo, device: bo.identity.id)])
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        if isToldLate { mesh.stop(bo) }
        let note = try mesh.revokeUntold(bo, reason: .lost)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        try mesh.run(seconds: 600)
        #expect(!mesh.isLinked(ana, bo))
        if isToldLate { try mesh.begin(bo, dialling: []) }
        _ = try mesh.decide([NoteVerdict(note: note.hash, decision: .lifted)], at: ana)
        #expect(try mesh.run(seconds: 150) { mesh.isLinked(ana, bo) })
    }

    @Test("A peer that had dialled us, and forgot our address, is dialled when its link is gone")
    func turnAbout() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(bo, dialling: [peer(ana, device: ana.identity.id)])
        try mesh.begin(ana, dialling: [])
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        // Now ana has bo's address too, and bo has nobody's.
        mesh.stop(ana)
        mesh.stop(bo)
        try mesh.begin(bo, dialling: [peer(ana, device: ana.identity.id)])
        try mesh.run(seconds: 2)
        try mesh.begin(ana, dialling: [peer(bo, device: bo.identity.id)])
        mesh.hold(ana)
        try mesh.run(seconds: 30)
        mesh.release(ana)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        mesh.stop(bo)
        try mesh.begin(bo, dialling: [])
        #expect(try mesh.run(seconds: 150) { mesh.isLinked(ana, bo) })
    }

    @Test("Another device than the one that #device names is not talked to, however often it is dialled")
    func wrongDevice() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let cy = try mesh.enrol("cy")
        try mesh.begin(ana, dialling: [peer(bo, device: cy.identity.id), peer(cy, device: cy.identity.id)])
        try mesh.begin(bo, dialling: [])
        try mesh.begin(cy, dialling: [])
        try mesh.run(seconds: 1200)
        #expect(!mesh.isLinked(ana, bo))
        #expect(mesh.isLinked(ana, cy))
        #expect(bo.linkEnds.isEmpty && ana.linkEnds.isEmpty)
    }

    @Test("However often two dial each other in the same moment, one link is left")
    func crossing() throws {
        for seed in 0..<12 {
            let mesh = try TestMesh(seed: UInt64(seed))
            let ana = try mesh.enrol("ana")
            let bo = try mesh.enrol("bo")
            try mesh.begin(ana, dialling: [peer(bo, device: bo.identity.id)])
            try mesh.begin(bo, dialling: [peer(ana, device: ana.identity.id)])
            try mesh.run(seconds: 3)
            mesh.send("over", from: ana, to: bo)
            #expect(mesh.isLinked(ana, bo))
            #expect(try mesh.peers(of: ana).count == 1)
            #expect(try mesh.peers(of: bo).count == 1)
            mesh.partition([[ana], [bo]])
            mesh.partition(nil)
            #expect(try mesh.run(seconds: 10) { mesh.isLinked(ana, bo) })
            #expect(bo.delivered.map(\.text) == ["over"])
        }
    }

    @Test("A peer that is behind by an epoch, tainted here, comes in and catches up")
    func vouched() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let lost = try mesh.enrol("lost")
        try mesh.begin(ana, dialling: [])
        try mesh.run(seconds: 1)
        try mesh.revoke(lost, reason: .lost, at: ana)
        try mesh.run(seconds: 1)
        try mesh.begin(bo, dialling: [peer(ana)])
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
    }

    @Test("Recorded beacons that are played again and again draw no more dials than the pauses allow")
    func replayedBeacons() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(bo)
        try mesh.run(seconds: 3)
        mesh.stop(bo)
        try mesh.begin(bo)
        try mesh.run(seconds: 3)
        mesh.stop(bo)
        let recorded = mesh.datagrams
        #expect(recorded.count >= 4)
        try mesh.begin(ana)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 10)
        let sent = mesh.datagrams.count
        // First one run's, then the other's: each looks like a device that has just started, and asks for answers.
        for round in 0..<100 {
            let datagram = recorded[round.isMultiple(of: 2) ? 0 : recorded.count - 1]
            mesh.post(.datagram(datagram.bytes, from: datagram.from, interface: 1), to: ana)
            try mesh.run(seconds: 1)
        }
        let dials = ana.observations.count { if case .dialling = $0 { true } else { false } }
        #expect((2...14).contains(dials), "\(dials) dials")
        #expect(mesh.datagrams.count - sent <= 110)
    }

    @Test("Nodes at rest turn a few times a minute; so do those that hear more others than they have places for")
    func rest() throws {
        let mesh = try TestMesh()
        let hosts = try (0..<27).map { try mesh.enrol("device \($0)") }
        for host in hosts { try mesh.begin(host) }
        for host in hosts { mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: host) }
        try mesh.run(seconds: 60)
        for host in hosts { #expect((12...24).contains(try mesh.peers(of: host).count)) }
        let before = mesh.turns
        try mesh.run(seconds: 60)
        // A link has a ping or a digest and its answer each some seconds, and everybody hears everybody's beacons.
        #expect(mesh.turns - before < 27 * 60 * 12, "\(mesh.turns - before) turns")
        mesh.send("across", from: hosts[0], to: hosts[26])
        #expect(try mesh.run(seconds: 20) { hosts[26].delivered.count == 1 })
    }

    @Test("In HOLD, when beacons name nobody, those who knew each other meet again at the ports they had")
    func hold() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let lost = try mesh.enrol("lost")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 60)
        try mesh.revokeAlone(lost, at: ana)
        try mesh.run(seconds: 10)
        for host in [ana, bo] { #expect(try mesh.status(of: host)?.isHolding == true) }
        let before = mesh.datagrams.count
        mesh.partition([[ana], [bo]])
        try mesh.run(seconds: 1800)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(ana, bo) })
        #expect(mesh.datagrams[before...].allSatisfy { $0.bytes.count == 24 })
    }
}
