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
}
