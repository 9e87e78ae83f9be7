import CoveyConversation
import CoveyCore
import CoveyNode
import Testing

@Suite("What the policy of a mesh says, nodes do")
struct PolicyTests {
    /// What a neighbour holds of a message for somebody of zone 5 who is away, and how long its keys live, in days.
    private func run(_ changes: [Policy.Key: UInt32]) throws -> (zone: ZoneHint?, bundleDays: [Int64]) {
        let mesh = try TestMesh()
        if !changes.isEmpty { try mesh.amend(changes) }
        let ana = try mesh.enrol("ana")
        let ferry = try mesh.enrol("ferry")
        let bo = try mesh.enrol("bo", zones: [5])
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        for host in [ana, ferry, bo] { try mesh.begin(host) }
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, ferry) })
        try mesh.run(seconds: 30)
        mesh.partition([[ana, ferry], [bo]])
        mesh.send("Fuel at the north quay.", from: ana, to: bo)
        try mesh.run(seconds: 30)
        let held = ferry.store.known().held.first
        let lives = try ana.store.all(.bundles).map { record in
            let bundle = try Bundle(Signed(parsing: record.value))
            return Int64(bundle.expires.value - bundle.created.value) / 1440
        }
        return (held?.header.zone, lives)
    }

    @Test("A mesh may forbid that mail names the zone of its recipient")
    func zone() throws {
        #expect(try run([:]).zone == ZoneHint(5))
        #expect(try run([.zone255Forced: 1]).zone == .any)
    }

    @Test("Bundles of prekeys live as long as the policy says, 30 days at most")
    func bundles() throws {
        #expect(try run([:]).bundleDays == [14, 14, 14])
        #expect(try run([.bundleLifeDays: 30]).bundleDays == [30, 30, 30])
        #expect(try run([.bundleLifeDays: 90]).bundleDays == [30, 30, 30])
        #expect(try run([.bundleLifeDays: 3]).bundleDays == [14, 14, 14])
    }

    /// Days, of the bundles that a host keeps.
    private func lives(at host: TestMesh.Host) throws -> [UInt32] {
        try host.store.all(.bundles).map { record in
            let bundle = try Bundle(Signed(parsing: record.value))
            return (bundle.expires.value - bundle.created.value) / 1440
        }
    }

    @Test("When the policy makes bundles live shorter, those that live longer go everywhere, also before a restart")
    func shorter() throws {
        let mesh = try TestMesh()
        try mesh.amend([.bundleLifeDays: 30])
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        for host in [ana, bo] { try mesh.begin(host) }
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 120)
        for host in [ana, bo] { #expect(try lives(at: host) == [30, 30]) }
        let lowered = try mesh.amend([.bundleLifeDays: 14])
        mesh.command(.logSubmit([lowered.signed.bytes], epochKeys: []), at: ana)
        try mesh.run(seconds: 2 * 3600)
        for host in [ana, bo] { #expect(try lives(at: host) == [14, 14]) }
        mesh.stop(bo)
        try mesh.begin(bo)
        try mesh.run(seconds: 120)
        for host in [ana, bo] { #expect(try lives(at: host) == [14, 14]) }
    }

    @Test("A device that is switched off when bundles are made to live shorter makes itself a new one when it starts")
    func shorterWhileAway() throws {
        let mesh = try TestMesh()
        try mesh.amend([.bundleLifeDays: 30])
        let ana = try mesh.enrol("ana")
        try mesh.begin(ana)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 120)
        let lowered = try mesh.amend([.bundleLifeDays: 14])
        mesh.command(.logSubmit([lowered.signed.bytes], epochKeys: []), at: ana)
        try mesh.run(seconds: 1)
        mesh.stop(ana)
        try mesh.begin(ana)
        try mesh.run(seconds: 1)
        #expect(try lives(at: ana) == [14])
    }
}
