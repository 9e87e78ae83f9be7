import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

/// protocol.md §1.6, renewal: nobody sits at a desk.
@Suite("Certificates are renewed through the mesh")
struct RenewalTests {
    private static let day: UInt64 = 86_400

    /// A leader with the authority's keys at hand, and others, all enrolled on one day for 90 days.
    private struct Fleet {
        let mesh: TestMesh
        let leader: TestMesh.Host
        let others: [TestMesh.Host]
        private let enrolled: Minute

        init(_ count: Int) throws {
            let mesh = try TestMesh()
            self.mesh = mesh
            leader = try mesh.enrol("leader")
            others = try (1...count).map { try mesh.enrol("device \($0)") }
            leader.desk = MemoryDesk(mesh.authority, signed: mesh.entries)
            enrolled = mesh.minute
        }

        var all: [TestMesh.Host] { [leader] + others }

        /// Of the certificates of the enrolment.
        var end: Minute { enrolled.adding(90 * 1440) }

        /// Every node is stopped until so many days after the enrolment.
        func stayOff(untilDay day: UInt64) {
            for host in all where host.node != nil { mesh.stop(host) }
            let passed = UInt64(mesh.minute.value - enrolled.value) * 60
            mesh.skip(seconds: day * RenewalTests.day - passed)
        }

        func begin(_ hosts: [TestMesh.Host]) throws { for host in hosts { try mesh.begin(host) } }

        /// Days from the enrolment to the end of the certificate of `device`, as `host` knows it.
        func life(of device: TestMesh.Host, at host: TestMesh.Host) throws -> Int {
            guard let node = host.node else { return 0 }
            let expires = try #require(node.certificateExpires(device.identity.id))
            return Int(expires.value - enrolled.value) / 1440
        }

        func waiting(at host: TestMesh.Host) throws -> [DeviceID] {
            mesh.command(.renewals, at: host)
            try mesh.run(seconds: 0)
            guard case .renewals(let list)? = host.replies.last else { return [] }
            return list.map(\.device)
        }

        func ids(_ hosts: [TestMesh.Host]) -> [DeviceID] { hosts.map(\.identity.id).sorted() }
    }

    @Test("A fleet whose certificates end is renewed hop by hop through a leader who is met for minutes")
    func hops() throws {
        let fleet = try Fleet(3)
        let (mesh, leader) = (fleet.mesh, fleet.leader)
        let (a, b, c) = (fleet.others[0], fleet.others[1], fleet.others[2])
        fleet.stayOff(untilDay: 64)
        mesh.partition([[leader], [a, b, c]])
        try fleet.begin(fleet.all)
        try mesh.run(seconds: 120)
        // The leader's own request is answered at its own desk.
        #expect(try fleet.life(of: leader, at: leader) == 154)
        #expect(try fleet.waiting(at: leader) == [])
        for host in [a, b, c] {
            #expect(try fleet.waiting(at: host) == fleet.ids([a, b, c]))
            #expect(try #require(try mesh.status(of: host)).renewalAsked)
        }
        mesh.partition([[leader, a], [b, c]])
        try mesh.run(seconds: 120)
        for host in [a, b, c] { #expect(try fleet.life(of: host, at: a) == 154) }
        #expect(try fleet.life(of: b, at: b) == 90)
        #expect(try fleet.waiting(at: a) == [])
        mesh.partition([[leader], [a, b], [c]])
        try mesh.run(seconds: 120)
        mesh.partition([[leader], [a], [b, c]])
        try mesh.run(seconds: 120)
        for host in [a, b, c] {
            #expect(try fleet.life(of: host, at: host) == 154)
            #expect(try fleet.waiting(at: host) == [])
            #expect(!(try #require(try mesh.status(of: host)).renewalAsked))
        }
    }

    @Test("Nobody is renewed while the leader is away; all say so in time, and all are when it is back")
    func leaderAway() throws {
        let fleet = try Fleet(3)
        let mesh = fleet.mesh
        fleet.stayOff(untilDay: 64)
        try fleet.begin(fleet.others)
        try mesh.run(seconds: 120)
        for host in fleet.others { #expect(host.warnings.isEmpty) }
        fleet.stayOff(untilDay: 80)
        try fleet.begin(fleet.others)
        try mesh.run(seconds: 120)
        for host in fleet.others {
            #expect(try fleet.waiting(at: host) == fleet.ids(fleet.others), "what was asked outlives a restart")
            #expect(host.warnings.count { $0.contains("ends in 10 days") } == 1)
        }
        try mesh.begin(fleet.leader)
        try mesh.run(seconds: 180)
        for host in fleet.all {
            for device in fleet.all { #expect(try fleet.life(of: device, at: host) == 170) }
            #expect(try fleet.waiting(at: host) == [])
        }
    }

    @Test("Who was away when it was renewed, until its old certificate had ended, is let in by the new one")
    func renewedWhileAway() throws {
        let fleet = try Fleet(2)
        let (mesh, leader, a, b) = (fleet.mesh, fleet.leader, fleet.others[0], fleet.others[1])
        fleet.stayOff(untilDay: 64)
        try fleet.begin([a, b])
        try mesh.run(seconds: 120)
        mesh.stop(b)
        try mesh.begin(leader)
        try mesh.run(seconds: 120)
        #expect(try fleet.life(of: b, at: a) == 154)
        fleet.stayOff(untilDay: 95)
        try fleet.begin([a, b])
        #expect(try fleet.life(of: b, at: b) == 90)
        try mesh.run(seconds: 120)
        #expect(try fleet.life(of: b, at: b) == 154)
    }

    @Test("When all certificates have ended, those that an officer renews by name come back by themselves")
    func allEnded() throws {
        let fleet = try Fleet(2)
        let (mesh, leader) = (fleet.mesh, fleet.leader)
        fleet.stayOff(untilDay: 64)
        try fleet.begin(fleet.others)
        try mesh.run(seconds: 120)
        fleet.stayOff(untilDay: 100)
        try fleet.begin(fleet.others)
        try mesh.run(seconds: 120)
        for host in fleet.others {
            #expect(host.warnings.contains { $0.contains("has ended") })
            #expect(try mesh.peers(of: host).isEmpty)
        }
        var log = mesh.membership
        for host in fleet.others {
            let entry = try mesh.authority.renew(host.identity.id, Grant(), into: &log, now: mesh.minute)
            (leader.desk as? MemoryDesk)?.add(entry)
        }
        try mesh.begin(leader)
        try mesh.run(seconds: 180)
        for host in fleet.all {
            for device in fleet.all { #expect(try fleet.life(of: device, at: host) == 190) }
        }
    }

    @Test("A revoked device's request goes everywhere, and none of it is answered or taken again")
    func revoked() throws {
        let fleet = try Fleet(2)
        let (mesh, leader, a, b) = (fleet.mesh, fleet.leader, fleet.others[0], fleet.others[1])
        fleet.stayOff(untilDay: 64)
        try fleet.begin([a, b])
        try mesh.run(seconds: 120)
        #expect(try fleet.waiting(at: a) == fleet.ids([a, b]))
        let request = try #require(Self.requests(of: b, in: a).first)
        try mesh.revokeAlone(b, at: a)
        try mesh.run(seconds: 1)
        #expect(try fleet.waiting(at: a) == [a.identity.id])
        #expect(Self.requests(of: b, in: a).isEmpty)
        try mesh.begin(leader)
        try mesh.run(seconds: 120)
        #expect(try fleet.life(of: a, at: leader) == 154)
        #expect(try fleet.life(of: b, at: leader) == 90)
        mesh.command(.logSubmit([request], epochKeys: []), at: leader)
        try mesh.run(seconds: 120)
        guard case .logSubmitted(let submission)? = leader.replies.last else {
            Issue.record("the request is judged")
            return
        }
        #expect(submission == LogSubmission(accepted: 0, known: 0, waiting: 0, refused: ["\(RenewRefusal.revoked)"]))
        #expect(try fleet.life(of: b, at: leader) == 90)
    }

    @Test("An old request that is played again does nothing")
    func replayed() throws {
        let fleet = try Fleet(1)
        let (mesh, leader, a) = (fleet.mesh, fleet.leader, fleet.others[0])
        fleet.stayOff(untilDay: 64)
        try mesh.begin(a)
        try mesh.run(seconds: 120)
        let request = try #require(Self.requests(of: a, in: a).first)
        try mesh.begin(leader)
        try mesh.run(seconds: 120)
        let entries = try #require(try mesh.status(of: leader)).logEntries
        // Into the last third of the new certificate: the old request asks to follow the one before.
        fleet.stayOff(untilDay: 130)
        try mesh.begin(leader)
        mesh.command(.logSubmit([request], epochKeys: []), at: leader)
        try mesh.run(seconds: 120)
        #expect(
            leader.replies.contains {
                guard case .logSubmitted(let submission) = $0 else { return false }
                return submission.refused == ["\(RenewRefusal.serial)"]
            })
        #expect(try fleet.life(of: a, at: leader) == 154)
        #expect(try #require(try mesh.status(of: leader)).logEntries == entries + 1, "the leader's own renewal")
    }

    @Test("A desk whose node loses the turn gives the same entry again, and its log has no fork")
    func lostTurn() throws {
        let fleet = try Fleet(1)
        let (mesh, leader, a) = (fleet.mesh, fleet.leader, fleet.others[0])
        fleet.stayOff(untilDay: 64)
        try mesh.begin(leader)
        var lost = 0
        mesh.fate = { host in
            guard host === leader, lost == 0, host.node?.certificateExpires(host.identity.id) ?? Minute(0) > fleet.end
            else { return .lives }
            lost += 1
            return .losesTurn(keepingMail: false)
        }
        try mesh.run(seconds: 30)
        #expect(lost == 1)
        #expect(leader.node == nil)
        mesh.fate = { _ in .lives }
        try fleet.begin(fleet.all)
        try mesh.run(seconds: 180)
        for host in fleet.all {
            for device in fleet.all { #expect(try fleet.life(of: device, at: host) == 154) }
            #expect(host.warnings.isEmpty)
        }
        #expect(try fleet.waiting(at: a) == [])
    }

    @Test("An authority of which two must sign answers nobody alone, and shows who waits")
    func threshold() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let leader = try mesh.enrol("leader")
        leader.desk = MemoryDesk(mesh.authority, signed: mesh.entries)
        mesh.skip(seconds: 64 * Self.day)
        try mesh.begin(leader)
        try mesh.run(seconds: 180)
        #expect(try #require(try mesh.status(of: leader)).renewalAsked)
        mesh.command(.renewals, at: leader)
        try mesh.run(seconds: 0)
        guard case .renewals(let waiting)? = leader.replies.last else {
            Issue.record("the list is given")
            return
        }
        #expect(waiting.map(\.label) == ["leader"])
    }

    /// Requests of a device in a store, as they are signed.
    private static func requests(of device: TestMesh.Host, in host: TestMesh.Host) -> [[UInt8]] {
        host.store.all(.notes).map(\.value).filter {
            guard let signed = try? Signed(parsing: $0), let request = try? RenewRequest(parsing: signed) else {
                return false
            }
            return request.device == device.identity.id
        }
    }
}
