import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@Suite("Logs of so many authorities that their heads fit no frame")
struct HeadsTests {
    private let mesh: TestMesh
    private let ana: TestMesh.Host
    private let bo: TestMesh.Host
    /// What their authority signs with: its log comes after a full frame of others.
    private var field: AuthorityKeys { mesh.founding.field }

    init() throws {
        mesh = try TestMesh(seed: 3)
        ana = try mesh.enrol("ana")
        bo = try mesh.enrol("bo")
    }

    /// The root adds as many authorities with smaller ids as fit a frame, and each writes something.
    private func crowd() throws -> [LogEntry] {
        let random = SeededRandom(seed: 12)
        let (root, mesh) = (mesh.founding.root, mesh.founding.mesh)
        var last = try #require(self.mesh.membership.entryIDs(of: root.authority).last)
        var sequence = UInt64(self.mesh.membership.entryIDs(of: root.authority).count)
        var entries: [LogEntry] = []
        while entries.count < 2 * Frame.LogHeads.mostRows {
            let keys = SigningKeyset(count: 1, threshold: 1, random: random)
            guard keys.keyset.authorityID < field.authority else { continue }
            let minute = self.mesh.minute
            let certificate = try AuthorityCertificate.make(
                AuthorityCertificate.Content(
                    parent: root.authority, serial: 1, keyset: keys.keyset, depthLeft: 0, grantable: Grant.member,
                    mostDays: 30, mostDevices: 5, notBefore: minute, notAfter: minute.adding(1440), zones: [],
                    label: "unit", nextCommit: keys.keyset.commit),
                mesh: mesh, keys: root.current.keys)
            sequence += 1
            let add = try LogEntry.make(
                log: root.authority, sequence: sequence, previous: last, time: minute,
                payload: .authorityAdd(certificate), mesh: mesh, keys: root.current.keys)
            last = add.id
            let group = GroupDefinition(group: .random(from: random), name: "team")
            let own = try LogEntry.make(
                log: keys.keyset.authorityID, sequence: 1, previous: add.id, time: minute,
                payload: .groupDefinition(group), mesh: mesh, keys: keys.keys)
            entries += [add, own]
        }
        return entries
    }

    @Test("Two become members to each other, whatever the id of their authority's log")
    func meeting() throws {
        try mesh.begin(ana, multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        mesh.learn(try crowd(), at: ana)
        let heads = mesh.membership.heads.map(\.log)
        #expect(try #require(heads.firstIndex(of: field.authority)) >= Frame.LogHeads.mostRows)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        mesh.send("from beyond the frame", from: ana, to: bo)
        #expect(try mesh.run(seconds: 120) { bo.delivered.count == 1 })
        for host in [ana, bo] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("A list goes on in the frame after a full one, and is answered when it is whole")
    func continued() throws {
        try mesh.begin(ana, multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        let member = try RawMember(mesh, bo, linkedTo: ana)
        _ = try member.heard()
        let random = SeededRandom(seed: 4)
        var heads = mesh.membership.heads
        while heads.count < Frame.LogHeads.mostRows {
            heads.append(CoveredRow(log: .random(from: random), sequence: 1, id: .random(from: random)))
        }
        let frames = Frame.LogHeads.list(heads.sorted { $0.log < $1.log })
        #expect(frames.map(\.rows.count) == [Frame.LogHeads.mostRows, 0])
        try member.say(frames[0])
        #expect(try member.heard().isEmpty)
        try member.say(frames[1])
        let answer = try member.heard().map(\.type)
        #expect(answer.contains(.digest) && !answer.contains(.logPut))
        // What names a log twice, or goes back, is no list.
        try member.say(Frame.LogHeads(frames[0].rows.reversed()))
        #expect(member.isClosed && ana.linkEnds == [.protocolFault])
    }
}
