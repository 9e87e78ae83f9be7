import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import CoveyRouting
import Testing

struct RoutingTests {
    private func tokens(_ hosts: [TestMesh.Host]) -> [[UInt8]] { hosts.map { $0.store.known().held.map(\.tokens) } }

    private func mesh(_ routing: Routing) throws -> (TestMesh, ana: TestMesh.Host, bo: TestMesh.Host, [TestMesh.Host]) {
        let mesh = try TestMesh(routing: routing)
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let carriers = [try mesh.add("carrier"), try mesh.add("other")]
        let hosts = [ana, bo] + carriers
        #expect(
            try mesh.run(seconds: 60) {
                hosts.allSatisfy { a in hosts.allSatisfy { a === $0 || mesh.isLinked(a, $0) } }
            })
        // Everybody's keys are everywhere by then.
        try mesh.run(seconds: 60)
        return (mesh, ana, bo, carriers)
    }

    @Test(
        "A sprayed message moves half its tokens to a carrier, and each holder keeps its last one until the recipient comes"
    )
    func spray() throws {
        let (mesh, ana, bo, carriers) = try mesh(.sprayAndWait(copies: 2))
        mesh.partition([[ana] + carriers, [bo]])
        mesh.send("Two copies, no more.", from: ana, to: bo)
        try mesh.run(seconds: 120)
        // One of the carriers; the other may have asked for a copy, but for no token.
        let held = tokens([ana] + carriers)
        #expect(held[0] == [1])
        #expect(held.flatMap(\.self).reduce(0) { $0 + Int($1) } == 2)
        let keeper = held[1] == [1] ? carriers[0] : carriers[1]
        mesh.partition([[ana], [keeper, bo]])
        #expect(try mesh.run(seconds: 120) { !bo.delivered.isEmpty })
        #expect(bo.delivered.map(\.text) == ["Two copies, no more."])
        try mesh.run(seconds: 60)
        #expect(tokens([ana, bo] + carriers).flatMap(\.self).reduce(0) { $0 + Int($1) } == 2)
    }

    @Test("Tokens survive a restart: what was handed on is not handed on again")
    func restart() throws {
        let (mesh, ana, bo, carriers) = try mesh(.sprayAndWait(copies: 2))
        mesh.partition([[ana, carriers[0]], [bo], [carriers[1]]])
        mesh.send("Once.", from: ana, to: bo)
        try mesh.run(seconds: 60)
        #expect(tokens([ana, carriers[0]]) == [[1], [1]])
        mesh.stop(ana)
        try mesh.begin(ana)
        mesh.partition([[ana, carriers[1]], [bo], [carriers[0]]])
        try mesh.run(seconds: 120)
        #expect(tokens([ana]) == [[1]])
        #expect(!tokens([carriers[1]]).contains([1]))
    }

    @Test("Direct mail goes to its recipient alone, which finds it among what it is shown")
    func direct() throws {
        let (mesh, ana, bo, carriers) = try mesh(.direct)
        mesh.partition([[ana] + carriers, [bo]])
        mesh.send("By hand.", from: ana, to: bo)
        try mesh.run(seconds: 60)
        #expect(tokens([ana]) == [[1]])
        #expect(!tokens(carriers).flatMap(\.self).contains { $0 > 0 })
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { !bo.delivered.isEmpty })
    }

    @Test("What is shown leaves a burst at a time, however much of it there is")
    func manyShown() throws {
        let mesh = try TestMesh(routing: .direct)
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let random = SeededRandom(seed: 4)
        let expiry = Hour.expiry(of: .twoWeeks, priority: .normal, from: mesh.minute)
        let count = 3 * Limits.burst / Frame.Offer.rowSize
        for _ in 0..<count {
            let header = EnvelopeHeader(
                kind: .pairwise, priority: .normal, ttl: .twoWeeks, bucket: .bytes512, zone: .any, expiry: expiry,
                tag: .random(from: random), purgeCommit: .random(from: random))
            let bytes = header.withSpan { [UInt8](copying: $0) } + [UInt8](repeating: 0, count: header.bucket.bodySize)
            let envelope = try Envelope(parsing: bytes)
            ana.store.insert(
                EnvelopeRecord(
                    id: envelope.id, header: header, tokens: 1, hops: 0, isOwn: true, ingress: ana.identity.id), bytes)
        }
        ana.store.commit()
        try mesh.begin(ana, multicast: .off)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 60)
        #expect(mesh.isLinked(ana, bo))
        #expect(mesh.bytesTo["bo", default: 0] > count * Frame.Offer.rowSize)
        // A burst, and what may be in line behind it.
        #expect(mesh.longestSend < Limits.burst + 64 << 10)
        // Half of the answers ask for a row of 64 that is not their own.
        #expect((1..<count / 8).contains(bo.store.known().held.count))
    }

    @Test("First contact moves its one token, and whoever handed it on does not take it back")
    func firstContact() throws {
        let (mesh, ana, bo, carriers) = try mesh(.firstContact)
        mesh.partition([[ana, carriers[0]], [bo], [carriers[1]]])
        mesh.send("From hand to hand.", from: ana, to: bo)
        #expect(try mesh.run(seconds: 60) { tokens([ana, carriers[0]]) == [[], [1]] })
        try mesh.run(seconds: 120)
        #expect(tokens([ana, carriers[0]]) == [[], [1]])
        mesh.partition([[ana], [carriers[0], bo], [carriers[1]]])
        #expect(try mesh.run(seconds: 120) { bo.delivered.count == 1 })
    }

    @Test("An epidemic is everywhere, every copy with a token of its own")
    func epidemic() throws {
        let (mesh, ana, bo, carriers) = try mesh(.epidemic)
        mesh.send("All over.", from: ana, to: bo)
        #expect(try mesh.run(seconds: 60) { tokens([ana, bo] + carriers) == [[1], [1], [1], [1]] })
        #expect(bo.delivered.count == 1)
    }
}
