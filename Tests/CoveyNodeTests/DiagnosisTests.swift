import CoveyCore
import CoveyCrypto
import CoveyLink
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

    @Test("A device that is revoked is told that first, before what its revocation means for the others")
    func ownRevocation() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        try mesh.revokeAlone(ana, at: ana)
        try mesh.run(seconds: 5)
        #expect(try kinds(mesh, ana).prefix(2) == [.revocation, .rekey])
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

    @Test("Where no clock is believed, members that do not agree on the hour, and one's own certificate, are named")
    func clocks() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let members = try ["bo", "cy", "dee"].map { try mesh.enrol($0) }
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 1)
        #expect(try mesh.status(of: ana)?.certificateValidity == .surelyValid)
        ana.clockOffset = -20 * 365 * 86_400_000_000
        let late: Int64 = 5 * 3_600_000 + 300_000
        var open: [RawMember] = []
        for (device, ahead) in zip(members, [0, 0, late]) {
            #expect(try findings(mesh, ana).filter { $0.text.contains("apart") }.isEmpty)
            let member = try RawMember(mesh, device, linkedTo: ana)
            try member.open(clock: UInt64(Int64(mesh.minute.value) * 60_000 + ahead))
            open.append(member)
        }
        let found = try findings(mesh, ana)
        let apart = try #require(found.first { $0.text.contains("3 members") && $0.text.contains("5 hours apart") })
        #expect(apart.kind == .clock && apart.isUrgent && apart.advice.contains("timekeepers"))
        let certificate = try #require(found.first { $0.kind == .certificate })
        #expect(!certificate.isUrgent && certificate.text.contains("cannot be told"))
        let status = try #require(try mesh.status(of: ana))
        #expect(status.clockSpread?.members == 3 && status.certificateValidity == .unknown)
        ana.clockOffset = 0
        #expect(try findings(mesh, ana).isEmpty)
        #expect(try mesh.status(of: ana)?.clockSpread == nil)
    }

    @Test("A clock that is behind is told by how much, of which time and whose, and is not urgent by some minutes")
    func behindClock() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        try mesh.run(seconds: 5)
        ana.clockOffset = -5 * 60_000_000
        let small = try #require(try findings(mesh, ana).first { $0.kind == .clock })
        #expect(!small.isUrgent && small.text.hasSuffix("minutes behind what the log has seen:"))
        #expect(small.at == mesh.entries.map(\.time).max())
        let minutes = try #require(try mesh.status(of: ana)?.clockBehind)
        #expect((1...5).contains(minutes))
        ana.clockOffset = 0
        try mesh.run(seconds: 3 * 3_600)
        #expect(try mesh.status(of: ana)?.clockBehind == nil)
        ana.clockOffset = -6 * 3_600_000_000
        let large = try #require(try findings(mesh, ana).first { $0.kind == .clock })
        #expect(large.isUrgent && large.text.contains("hours behind what it showed itself before"))
        #expect(large.advice.contains("nothing takes that back"))
    }

    @Test("How long no authority was heard is told in whole days that have passed, and until when that is well")
    func heard() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        try mesh.run(seconds: 5)
        let before = try #require(try mesh.status(of: ana))
        #expect(before.gradeEnds == before.authorityHeard?.adding(7 * 1440))
        mesh.stop(ana)
        mesh.skip(seconds: 8 * 86_400 + 5 * 3_600)
        try mesh.begin(ana)
        let stale = try #require(try findings(mesh, ana).first { $0.kind == .staleness })
        #expect(stale.text.contains("heard of for 8 days:"))
        #expect(try mesh.status(of: ana)?.gradeEnds == before.authorityHeard?.adding(30 * 1440))
    }

    @Test("Linked members whose log is behind, and those heard near by with an older network key, are named")
    func behind() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.enrol("bo")
        let cy = try mesh.enrol("cy")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        let member = try RawMember(mesh, bo, linkedTo: ana)
        #expect(try findings(mesh, ana).isEmpty, "it has not said yet how far its log goes")
        let heads = mesh.membership.heads.filter { $0.log == mesh.founding.genesis.rootID }
        try member.say(
            Frame.LogHeads(
                heads.map { Frame.LogHeads.Row(log: $0.log, sequence: $0.sequence, id: Octets16(prefixOf: $0.id)) }))
        let lacking = mesh.membership.heads.map(\.sequence).reduce(0, +) - heads.map(\.sequence).reduce(0, +)
        let late = try #require(try findings(mesh, ana).first)
        #expect(late.kind == .behind && !late.isUrgent && late.text.contains("up to \(lacking) entries"))
        #expect(late.text.hasSuffix(": bo"))
        try member.sayHeads()
        #expect(try findings(mesh, ana).isEmpty)

        // Cy says where it is under the old key, and no connection comes of it.
        mesh.partition([[ana], [cy]])
        try mesh.begin(cy)
        let before = mesh.datagrams.count
        #expect(try mesh.run(seconds: 60) { mesh.datagrams[before...].contains { $0.from == cy.address } })
        let beacon = try #require(mesh.datagrams.last { $0.from == cy.address })
        mesh.post(.datagram(beacon.bytes, from: beacon.from, interface: 1), to: ana)
        #expect(try findings(mesh, ana).filter { $0.text.contains("cy") }.isEmpty)
        _ = try mesh.announce(at: ana)
        let old = try #require(try findings(mesh, ana).first { $0.text.contains("cy") })
        #expect(old.kind == .behind && old.text.contains("older network key than epoch 2"))
        try mesh.run(seconds: 700)
        #expect(try !kinds(mesh, ana).contains(.behind), "it was heard too long ago")
    }

    @Test("Members of whom nothing has come for longer than keys are renewed are named, those that were heard are not")
    func silent() throws {
        let mesh = try TestMesh()
        let hosts = try ["ana", "bo", "cy"].map { try mesh.add($0) }
        let (ana, bo, cy) = (hosts[0], hosts[1], hosts[2])
        #expect(try mesh.run(seconds: 60) { mesh.areLinked(ana, bo) && mesh.areLinked(ana, cy) })
        try mesh.run(seconds: 60)
        for host in hosts { mesh.stop(host) }
        mesh.skip(seconds: 13 * 86_400)
        try mesh.begin(ana)
        try mesh.run(seconds: 5)
        #expect(try !kinds(mesh, ana).contains(.silent))
        mesh.stop(ana)
        mesh.skip(seconds: 2 * 86_400)
        try mesh.begin(ana)
        let both = try #require(try findings(mesh, ana).first { $0.kind == .silent })
        #expect(!both.isUrgent && both.text == "nothing has come of 2 members for more than 14 days: bo, cy")
        #expect(both.advice.contains("covey suspend NAME"))
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 60) { mesh.areLinked(ana, bo) })
        let one = try #require(try findings(mesh, ana).first { $0.kind == .silent })
        #expect(one.text == "nothing has come of a member for more than 14 days: cy")
        // What it signed lately counts as well as the link.
        try mesh.run(seconds: 60)
        mesh.stop(bo)
        mesh.stop(ana)
        try mesh.begin(ana)
        #expect(try findings(mesh, ana).first { $0.kind == .silent }?.text == one.text)
    }

    @Test("A configured peer of which no link comes is told of once a cause, and named until it is linked")
    func configuredPeers() throws {
        let mesh = try TestMesh()
        let bo = try mesh.enrol("bo")
        let ana = try mesh.enrol("ana")
        let wall = SocketAddress(v4: 10, 9, 9, 9, port: 7)
        mesh.listen(at: wall)
        try mesh.begin(
            ana,
            dialling: [
                NodeConfiguration.StaticPeer(address: bo.address, name: "bo.example:26117"),
                NodeConfiguration.StaticPeer(address: wall, name: "10.9.9.9:7"),
            ])
        try mesh.run(seconds: 600)
        #expect(ana.warnings.count == 2)
        #expect(ana.warnings.contains("peer bo.example:26117: connection refused; it is tried again"))
        #expect(ana.warnings.contains { $0.hasPrefix("peer 10.9.9.9:7: it does not answer this device") })
        let found = try findings(mesh, ana).filter { $0.kind == .peer }
        #expect(
            found.first?.text == "the configured peer bo.example:26117 is not linked: connection refused"
                && found.count == 2 && found.allSatisfy { !$0.isUrgent })
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(ana, bo) })
        #expect(try findings(mesh, ana).filter { $0.kind == .peer }.map { $0.text.contains("10.9.9.9:7") } == [true])
        mesh.stop(bo)
        try mesh.run(seconds: 300)
        #expect(ana.warnings.count == 3, "it was linked since, so it is told of again")
    }

    @Test("A node beside which an authority works reminds of the weekly network key, the day before")
    func epochDue() throws {
        let mesh = try TestMesh()
        let leader = try mesh.enrol("leader")
        let ana = try mesh.enrol("ana")
        leader.desk = MemoryDesk(mesh.authority, signed: mesh.entries)
        for (days, urgent) in [(UInt64(5), nil), (1, false), (2, true)] as [(UInt64, Bool?)] {
            mesh.skip(seconds: days * 86_400)
            for host in [leader, ana] { try mesh.begin(host) }
            try mesh.run(seconds: 60)
            let due = try findings(mesh, leader).first { $0.kind == .epoch }
            #expect(due?.isUrgent == urgent)
            if let due { #expect(due.advice.contains("covey authority epoch")) }
            #expect(try !kinds(mesh, ana).contains(.epoch))
            if urgent != true { for host in [leader, ana] { mesh.stop(host) } }
        }
        _ = try mesh.announce(at: leader)
        try mesh.run(seconds: 5)
        #expect(try findings(mesh, leader).isEmpty)
    }
    /// One that answers nobody while it is stuck.
    private final class StuckDesk: AuthorityDesk {
        struct Stuck: Error, CustomStringConvertible { var description: String { "the drawer is locked" } }

        let desk: MemoryDesk
        var isStuck = true

        init(_ desk: MemoryDesk) { self.desk = desk }

        var authority: AuthorityID { desk.authority }

        func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle? {
            desk.obstacle(to: device, membership, at: time)
        }

        func renew(_ devices: [DeviceID], _ membership: Membership, at time: TimeView) throws -> [LogEntry] {
            guard !isStuck else { throw Stuck() }
            return try desk.renew(devices, membership, at: time)
        }
    }

    @Test("An authority beside the node that cannot answer requests is urgent until it can, and why is said")
    func stuck() throws {
        let mesh = try TestMesh()
        let leader = try mesh.enrol("leader")
        let desk = StuckDesk(MemoryDesk(mesh.authority, signed: mesh.entries))
        leader.desk = desk
        mesh.skip(seconds: 64 * 86_400)
        try mesh.begin(leader)
        try mesh.run(seconds: 120)
        let found = try #require(try findings(mesh, leader).first { $0.kind == .authority })
        #expect(found.isUrgent && found.text.contains("cannot answer requests for renewal: the drawer is locked"))
        desk.isStuck = false
        try mesh.run(seconds: 7_200)
        #expect(try !kinds(mesh, leader).contains(.authority))
    }
}
