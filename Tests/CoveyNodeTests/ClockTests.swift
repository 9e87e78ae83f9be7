import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@Suite("Clocks that are wrong")
struct ClockTests {
    private static let year: Int64 = 365 * 86_400_000_000

    private func three() throws -> (mesh: TestMesh, hosts: [TestMesh.Host]) {
        let mesh = try TestMesh()
        let hosts = try ["ana", "bo", "cy"].map { try mesh.add($0) }
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(hosts[0], hosts[1]) && mesh.isLinked(hosts[1], hosts[2]) })
        try mesh.run(seconds: 30)
        return (mesh, hosts)
    }

    @Test("A clock that jumps fifty years, and back, while the node runs: nothing is lost, and mail goes on")
    func jumps() throws {
        for years in [Int64(50), -50] {
            let (mesh, hosts) = try three()
            mesh.send("before", from: hosts[0], to: hosts[1])
            try mesh.run(seconds: 10)
            hosts[1].clockOffset = years * Self.year
            try mesh.run(seconds: 600)
            #expect(try mesh.status(of: hosts[1])?.held == 1)
            #expect(try mesh.status(of: hosts[1])?.timeIsTrusted == false)
            mesh.send("to the one in another year", from: hosts[0], to: hosts[1])
            mesh.send("from the one in another year", from: hosts[1], to: hosts[2])
            #expect(try mesh.run(seconds: 30) { hosts[1].delivered.count == 2 && hosts[2].delivered.count == 1 })
            hosts[1].clockOffset = 0
            try mesh.run(seconds: 600)
            #expect(try mesh.status(of: hosts[1])?.timeIsTrusted == true)
            for host in hosts { #expect(try mesh.status(of: host)?.held == 3) }
            #expect(hosts.allSatisfy { !$0.linkEnds.contains(.protocolFault) })
        }
    }

    @Test("A node that starts in 1970 takes its hour from the others, and from the log without them")
    func epochStart() throws {
        let (mesh, hosts) = try three()
        mesh.stop(hosts[1])
        hosts[1].clockOffset = -56 * Self.year
        try mesh.begin(hosts[1])
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(hosts[0], hosts[1]) })
        mesh.send("hello 1970", from: hosts[0], to: hosts[1])
        mesh.send("hello all", from: hosts[1], to: hosts[2])
        #expect(try mesh.run(seconds: 30) { !hosts[1].delivered.isEmpty && !hosts[2].delivered.isEmpty })
        #expect(try mesh.status(of: hosts[1])?.timeIsTrusted == false)
    }

    @Test("39: one member that says it is the year 2100 makes a node without a clock erase nothing")
    func liar() throws {
        let (mesh, hosts) = try three()
        let mallory = try mesh.enrol("mallory")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: hosts[1])
        mesh.send("keep this", from: hosts[0], to: hosts[2])
        try mesh.run(seconds: 10)
        mesh.partition([[hosts[1]], [hosts[0], hosts[2]]])
        hosts[1].clockOffset = -20 * Self.year
        try mesh.run(seconds: 60)
        let member = try RawMember(mesh, mallory, linkedTo: hosts[1])
        try member.open(clock: 4_102_444_800_000)
        for _ in 0..<20 {
            try mesh.run(seconds: 10)
            try member.say(Frame.Ping(time: 0))
        }
        #expect(try mesh.peers(of: hosts[1]).count == 1)
        #expect(try mesh.status(of: hosts[1])?.held == 1)
        // Its keys are still there too: mail that was sealed to them before is opened.
        mesh.send("and open this", from: hosts[0], to: hosts[1])
        try mesh.run(seconds: 10)
        hosts[1].clockOffset = 0
        try member.say(Frame.Bye(.shutdown))
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { hosts[1].delivered.map(\.text) == ["and open this"] })
    }

    @Test("Two timekeepers give a machine without a clock its time back, and say when a clock is wrong")
    func timekeepers() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let hosts = try ["gps", "tide", "ana"].map {
            try mesh.enrol($0, rights: $0 == "ana" ? Grant.member : Grant.member.union(.timekeeper))
        }
        let (gps, tide, ana) = (hosts[0], hosts[1], hosts[2])
        for host in hosts { try mesh.begin(host) }
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, gps) && mesh.isLinked(ana, tide) })
        for host in hosts { mesh.stop(host) }
        // Off for sixty days, and without a battery: what it knows of the time is two months old.
        mesh.skip(seconds: 60 * 86_400)
        ana.clockOffset = -56 * Self.year
        try mesh.begin(gps)
        try mesh.begin(tide)
        // Others have heard of the authority meanwhile; an entry of one authority does not move the time of ana.
        _ = try mesh.announce(at: gps)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(gps, tide) })
        mesh.hold(tide)
        try mesh.begin(ana)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, gps) })
        try mesh.run(seconds: 60)
        let lost = try #require(try mesh.status(of: ana))
        #expect(lost.clockFault == .behind && lost.now < mesh.minute.adding(-59 * 1440))
        mesh.release(tide)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, tide) })
        try mesh.run(seconds: 2)
        let found = try #require(try mesh.status(of: ana))
        #expect(found.clockFault == .behind)
        #expect((mesh.minute.adding(-4)...mesh.minute.adding(1)).contains(found.now))
        // A week ahead is plausible; two that keep time know better.
        mesh.stop(ana)
        ana.clockOffset = 7 * 86_400_000_000
        try mesh.begin(ana)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, tide) && mesh.isLinked(ana, gps) })
        try mesh.run(seconds: 2)
        #expect(try mesh.status(of: ana)?.clockFault == .contradicted)
        #expect(ana.warnings.contains { $0.contains("clock is wrong") })
        // Nobody asks those who do not keep time, and their own clocks stay theirs.
        #expect(try mesh.status(of: gps)?.clockFault == nil)
    }

    @Test("An answer to another link's challenge, from one who keeps no time, or without a question, ends the link")
    func forgedTime() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let ana = try mesh.add("ana")
        let keeper = try mesh.enrol("keeper", rights: Grant.member.union(.timekeeper))
        let mallory = try mesh.enrol("mallory")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 1)
        let floor = try #require(try mesh.status(of: ana)).now
        for liar in [mallory, keeper] {
            let member = try RawMember(mesh, liar, linkedTo: ana)
            let asked = try member.open().compactMap {
                $0.type == .timeRequest ? try Frame.TimeRequest(parsing: $0.body.span.bytes).nonce : nil
            }
            #expect(asked.count == (liar === keeper ? 1 : 0))
            let attestation = TimeAttestation(
                time: mesh.minute.adding(9), radius: 0, nonce: asked.first ?? Octets16())
            // Signed for another link.
            let signature = attestation.sign(
                with: liar.identity.signing, link: Octets32(), mesh: mesh.founding.mesh)
            try member.say(Frame.TimeResponse(attestation, signature: signature))
            try mesh.run(seconds: 1)
            #expect(member.isClosed)
        }
        #expect(try #require(try mesh.status(of: ana)).now <= floor.adding(2))
    }

    @Test("When a certificate ends, so do the links of its device")
    func certificateEnds() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo", days: 1)
        try mesh.begin(ana)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        // A day, and the day of grace, less an hour.
        try mesh.stayOff([ana, bo], seconds: 47 * 3600)
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 3700)
        #expect(!mesh.isLinked(ana, bo))
        #expect(ana.linkEnds.contains(.notAdmitted))
    }
}
