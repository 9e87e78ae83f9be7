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
}
