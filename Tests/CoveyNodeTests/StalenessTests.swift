import CoveyCore
import CoveyNode
import Testing

/// protocol.md §1.9.
@Suite("Nodes that have heard nothing of an authority for long")
struct StalenessTests {
    private static let day: UInt64 = 86_400

    private func grades(of host: TestMesh.Host) -> [Staleness] {
        host.observations.compactMap { if case .staleness(let grade) = $0 { grade } else { nil } }
    }

    @Test("Stale: old contacts write to each other, nobody writes to a new one")
    func stale() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let cy = try mesh.add("cy")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) && mesh.isLinked(ana, cy) })
        mesh.send("one", from: ana, to: bo)
        #expect(try mesh.run(seconds: 10) { bo.delivered.count == 1 })
        #expect(grades(of: ana).isEmpty)
        try mesh.stayOff([ana, bo, cy], seconds: 8 * Self.day)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) && mesh.isLinked(ana, cy) })
        #expect(grades(of: ana) == [.stale])
        #expect(try mesh.status(of: ana)?.staleness == .stale)
        // Whoever was heard from is no new contact either.
        mesh.send("two", from: bo, to: ana)
        #expect(try mesh.run(seconds: 10) { ana.delivered.count == 1 })
        mesh.send("who are you?", from: ana, to: cy)
        try mesh.run(seconds: 5)
        guard case .refused(.policy)? = ana.replies.last else {
            Issue.record("a first contact under a stale log: \(String(describing: ana.replies.last))")
            return
        }
        let epoch = try mesh.announce(at: ana)
        #expect(try mesh.run(seconds: 20) { grades(of: cy) == [.stale, .fresh] })
        #expect(grades(of: ana) == [.stale, .fresh])
        #expect(epoch.number == 2)
        mesh.send("who are you?", from: ana, to: cy)
        #expect(try mesh.run(seconds: 20) { cy.delivered.count == 1 })
    }

    @Test("Stranded: no mail moves, what was read can be read, what is written waits, until an authority is heard")
    func stranded() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        mesh.send("one", from: ana, to: bo)
        #expect(try mesh.run(seconds: 10) { bo.delivered.count == 1 })
        try mesh.stayOff([ana, bo], seconds: 31 * Self.day)
        try mesh.run(seconds: 120)
        #expect(!mesh.isLinked(ana, bo))
        #expect(grades(of: ana) == [.stranded])
        mesh.command(.inbox(after: 0, limit: 10), at: bo)
        try mesh.run(seconds: 0)
        guard case .inbox(let messages)? = bo.replies.last else { return }
        #expect(messages.map(\.text) == ["one"])
        mesh.send("two", from: ana, to: bo)
        try mesh.run(seconds: 60)
        guard case .sent(_, .waitingForKeys)? = ana.replies.last else {
            Issue.record("what is written waits: \(String(describing: ana.replies.last))")
            return
        }
        // One of them hears of the authority; the other from it.
        _ = try mesh.announce(at: bo)
        #expect(try mesh.run(seconds: 400) { bo.delivered.count == 2 })
        #expect(grades(of: ana) == [.stranded, .fresh])
        #expect(bo.delivered.last?.text == "two")
    }
}
