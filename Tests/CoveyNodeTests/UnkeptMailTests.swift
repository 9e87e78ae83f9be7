import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import Testing

@testable import CoveyNode

@Suite("Mail for us that we have no room to carry")
struct UnkeptMailTests {
    /// Ana, who has no room for anybody's mail, and bo, who are linked.
    private func linked() throws -> (mesh: TestMesh, ana: TestMesh.Host, bo: TestMesh.Host) {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(ana, multicast: .off, quota: 100)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 5)
        return (mesh, ana, bo)
    }

    @Test("is read once however often it is offered, ten letters of a sender in a minute")
    func perSender() throws {
        let (mesh, ana, bo) = try linked()
        for number in 0..<15 { mesh.send("letter \(number)", from: bo, to: ana) }
        try mesh.run(seconds: 1)
        #expect(ana.delivered.count == 10)
        #expect(ana.store.known().held.isEmpty)
        // Bo finds at each reconciliation that ana does not know them, and offers them again.
        let before = mesh.bytesTo["ana", default: 0]
        try mesh.run(seconds: 3600)
        #expect(mesh.bytesTo["ana", default: 0] - before > 30 * 2048)
        #expect(ana.delivered.count == 15 && Set(ana.delivered.map(\.text)).count == 15)
        #expect(ana.node?.unkeptLetters.isEmpty == true)
    }

    @Test("is read once also when the node starts anew between two offers")
    func restarted() throws {
        let (mesh, ana, bo) = try linked()
        mesh.send("once", from: bo, to: ana)
        try mesh.run(seconds: 1)
        #expect(ana.delivered.count == 1)
        mesh.stop(ana)
        try mesh.begin(ana, multicast: .off, quota: 100)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 1200)
        #expect(ana.delivered.count == 1)
    }

    @Test("is bounded for all senders together in a day, and begins again the next day")
    func ofAll() throws {
        let (mesh, ana, bo) = try linked()
        ana.node?.unkeptLettersOfAll = Rate(3, each: Rate.day)
        for number in 0..<5 { mesh.send("letter \(number)", from: bo, to: ana) }
        try mesh.run(seconds: 6 * 3600)
        #expect(ana.delivered.count == 3)
        try mesh.run(seconds: 19 * 3600)
        #expect(ana.delivered.count == 5)
    }

    @Test("is not read while half of what may be remembered of opened letters is")
    func replays() throws {
        let (mesh, ana, bo) = try linked()
        let sequence = try #require(ana.node?.prekeys.sequence)
        let random = SeededRandom(seed: 3)
        for _ in 0..<Limits.openedWithoutRoom {
            ana.node?.opened.insert(.init(key: AgreementPublicKey.random(from: random), sequence: sequence))
        }
        mesh.send("one too many", from: bo, to: ana)
        try mesh.run(seconds: 60)
        #expect(ana.delivered.isEmpty)
        ana.node?.opened = ReplayCache()
        #expect(try mesh.run(seconds: 1200) { ana.delivered.count == 1 })
    }

    @Test("is tried ten times a minute when what a neighbour brings is forged, and others' letters are read meanwhile")
    func forged() throws {
        let (mesh, ana, bo) = try linked()
        let mallory = try mesh.enrol("mallory")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        mesh.send("seen by mallory", from: bo, to: ana)
        try mesh.run(seconds: 1)
        let seen = try #require(bo.store.known().held.first)
        let bytes = try #require(bo.store.envelope(seen.id))
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open()
        func forge(_ count: Int) throws -> UInt64 {
            for number in 0..<count {
                var copy = bytes
                copy[copy.count - 1 - number] ^= 1
                try member.say(Envelope(parsing: copy))
            }
            let refusals = try mesh.status(of: ana)?.refusals ?? [:]
            return refusals.filter { [.message, .messageAgain].contains($0.key.code) }.values.reduce(0, +)
        }
        #expect(try forge(50) == 10)
        mesh.send("written meanwhile", from: bo, to: ana)
        try mesh.run(seconds: 1)
        #expect(ana.delivered.map(\.text) == ["seen by mallory", "written meanwhile"])
        try member.stay(seconds: 70)
        #expect(try forge(50) == 20)
        #expect(!member.isClosed)
    }
}
