import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@Suite("What a node finds that somebody should look after")
struct DiagnosisTests {
    private func findings(_ mesh: TestMesh, _ host: TestMesh.Host) throws -> [Finding] {
        let before = host.replies.count
        mesh.command(.examine, at: host)
        try mesh.run(seconds: 1)
        guard host.replies.count > before, case .examined(let findings)? = host.replies.last else { return [] }
        return findings
    }

    private func kinds(_ mesh: TestMesh, _ host: TestMesh.Host) throws -> [Finding.Kind] {
        try findings(mesh, host).map(\.kind)
    }

    @Test("A new mesh has nothing to look after")
    func sound() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        try mesh.run(seconds: 5)
        #expect(try findings(mesh, ana).isEmpty)
    }

    @Test("A certificate that ends is named in time, one's own as urgent")
    func certificates() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana", days: 30)
        let bo = try mesh.enrol("bo", days: 400)
        mesh.skip(seconds: 25 * 86_400)
        try mesh.announceEpoch()
        try mesh.begin(ana)
        try mesh.begin(bo)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: bo)
        try mesh.run(seconds: 5)
        let own = try #require(try findings(mesh, ana).first)
        #expect(own.kind == .certificate && own.isUrgent && own.text.contains("in 5 days"))
        let others = try #require(try findings(mesh, bo).first)
        #expect(others.kind == .device && !others.isUrgent && others.text.contains("ana"))
    }

    @Test("A key that a former member has, a fork, an old log and a wrong clock are urgent, and stand first")
    func urgent() throws {
        let mesh = try TestMesh()
        let hosts = try ["ana", "bo", "cy"].map { try mesh.add($0) }
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(hosts[0], hosts[1]) && mesh.isLinked(hosts[0], hosts[2]) })
        try mesh.revokeAlone(hosts[2], at: hosts[0])
        try mesh.run(seconds: 5)
        #expect(try kinds(mesh, hosts[1]) == [.rekey])
        let (one, other) = try mesh.fork()
        mesh.command(.logSubmit([one.signed.bytes, other.signed.bytes], epochKeys: []), at: hosts[0])
        try mesh.run(seconds: 30)
        #expect(try kinds(mesh, hosts[1]).contains(.fork))
        hosts[1].clockOffset = -20 * 365 * 86_400_000_000
        #expect(try kinds(mesh, hosts[1]).first == .clock)
        for host in hosts { mesh.stop(host) }
        hosts[1].clockOffset = 0
        mesh.skip(seconds: 31 * 86_400)
        try mesh.begin(hosts[1])
        #expect(try kinds(mesh, hosts[1]).contains(.staleness))
        #expect(try findings(mesh, hosts[1]).allSatisfy { !$0.advice.isEmpty && !$0.text.isEmpty })
    }

    @Test("Messages that wait for their recipient's keys are named, until the keys come")
    func waiting() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.enrol("bo")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        for text in ["one", "two"] { mesh.send(text, from: ana, to: bo) }
        try mesh.run(seconds: 5)
        let found = try #require(try findings(mesh, ana).first)
        #expect(found.kind == .waiting && !found.isUrgent && found.text.hasPrefix("2 messages"))
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 60) { bo.delivered.count == 2 })
        #expect(try findings(mesh, ana).isEmpty)
    }

    @Test("Who is kept out, who asks for it, and one's own revocation are named, with what to do")
    func exclusions() throws {
        let mesh = try TestMesh()
        let hosts = try ["ana", "bo", "cy"].map { try mesh.add($0) }
        let (ana, bo, cy) = (hosts[0], hosts[1], hosts[2])
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) && mesh.isLinked(ana, cy) && mesh.isLinked(bo, cy) })
        mesh.command(.suspend(device: "cy", reason: .lost, days: 7), at: ana)
        try mesh.run(seconds: 5)
        guard case .suspended(let alone)? = ana.replies.last else {
            Issue.record("\(String(describing: ana.replies.last))")
            return
        }
        #expect(alone.missing == 1 && alone.suspendedUntil == nil)
        let asked = try #require(try findings(mesh, bo).first)
        #expect(asked.kind == .suspension && asked.text.contains("ana asks that cy be kept out"))
        mesh.command(.suspend(device: "cy", reason: .lost, days: 7), at: ana)
        mesh.command(.suspend(device: "ana", reason: .lost, days: 7), at: ana)
        mesh.command(.suspend(device: "cy", reason: .lost, days: 8), at: bo)
        try mesh.run(seconds: 1)
        guard case .refused(.policy(let twice))? = ana.replies.dropLast().last,
            case .refused(.policy)? = ana.replies.last, case .refused(.bounds)? = bo.replies.last
        else {
            Issue.record("\(ana.replies.suffix(2)) \(String(describing: bo.replies.last))")
            return
        }
        #expect(twice.contains("one at a time") && twice.contains("days"))
        mesh.command(.suspend(device: "cy", reason: .lost, days: 7), at: bo)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, cy) && !mesh.isLinked(bo, cy) })
        #expect(try findings(mesh, bo).contains { $0.kind == .suspension && $0.text.contains("cy is suspended for") })
        #expect(try mesh.status(of: bo)?.suspended == 1)
        // Bo leaves by its own key: ana learns it, and bo is told that it is no member.
        mesh.command(.revokeSelf(.retired, since: nil), at: bo)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, bo) })
        #expect(bo.replies.contains { if case .revokedSelf(told: 1) = $0 { true } else { false } })
        let own = try #require(try findings(mesh, bo).first)
        #expect(own.kind == .revocation && own.isUrgent && own.text.contains("retired"))
        #expect(try mesh.status(of: bo)?.revoked == .retired)
        #expect(try kinds(mesh, ana).contains(.rekey) == false, "who retires taints no key")
    }

    @Test("A command that is advised names a device by its id where the label would not do")
    func names() throws {
        let mesh = try TestMesh()
        let labels = ["--help", "twin", "twin", "the old phone"]
        let hosts = try labels.map { try mesh.enrol($0, days: 30) }
        let bo = try mesh.enrol("bo", days: 400)
        mesh.skip(seconds: 25 * 86_400)
        try mesh.announceEpoch()
        try mesh.begin(bo)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: bo)
        try mesh.run(seconds: 5)
        let advised = Set(try findings(mesh, bo).filter { $0.kind == .device }.map(\.advice))
        var names = hosts.dropLast().map(\.identity.id.hex)
        names.append("'the old phone'")
        #expect(advised == Set(names.map { "renew it: covey authority renew \($0)" }))
    }
}
