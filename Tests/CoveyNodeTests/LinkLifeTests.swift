import CoveyCore
import CoveyNode
import Testing

@Suite("The life of a link")
struct LinkLifeTests {
    @Test("After an hour a link gets new keys: another handshake, no message lost or doubled, and the old link ends")
    func rehandshake() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        for minute in 0..<75 {
            mesh.send(
                "minute \(minute)", from: minute.isMultiple(of: 2) ? ana : bo, to: minute.isMultiple(of: 2) ? bo : ana)
            try mesh.run(seconds: 60)
        }
        #expect(bo.delivered.map(\.text) == stride(from: 0, to: 75, by: 2).map { "minute \($0)" })
        #expect(ana.delivered.map(\.text) == stride(from: 1, to: 75, by: 2).map { "minute \($0)" })
        #expect(ana.linkEnds.contains(.duplicate) || bo.linkEnds.contains(.duplicate))
        #expect(!ana.linkEnds.contains(.rehandshake))
        #expect(try mesh.peers(of: ana).count == 1)
    }

    @Test("After a new epoch every link gets keys under it within a minute, and no message is lost or doubled")
    func newEpoch() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        let before = try #require(try mesh.peers(of: ana).first?.since)
        try mesh.announceEpoch()
        let epoch = try #require(mesh.epochs.last)
        mesh.command(
            .logSubmit(
                mesh.entries.map(\.signed.bytes),
                epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)]), at: ana)
        for round in 0..<20 {
            mesh.send("\(round)", from: ana, to: bo)
            try mesh.run(seconds: 5)
        }
        #expect(try mesh.status(of: bo)?.epoch == 2)
        #expect(bo.delivered.map(\.text) == (0..<20).map { "\($0)" })
        let peers = try mesh.peers(of: ana)
        #expect(peers.count == 1)
        #expect(try #require(peers.first?.since) > before)
        try mesh.run(seconds: 600)
        #expect(try mesh.peers(of: ana).first?.since == peers.first?.since, "it is renewed once")
    }

    @Test("A peer that is gone without a word is noticed, and dialled until it is back")
    func silence() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(bo, peers: [ana], multicast: .off)
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        mesh.hold(bo)
        try mesh.run(seconds: 60)
        #expect(ana.linkEnds.contains(.silent))
        mesh.release(bo)
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(ana, bo) })
    }

    @Test("Ten devices that all hear each other end up with one link for each pair")
    func clique() throws {
        let mesh = try TestMesh()
        var hosts: [TestMesh.Host] = []
        for number in 0..<10 { hosts.append(try mesh.add("device \(number)")) }
        try mesh.run(seconds: 120)
        for host in hosts { #expect(try mesh.peers(of: host).count == 9) }
        mesh.send("All of you carry this.", from: hosts[0], to: hosts[9])
        #expect(try mesh.run(seconds: 10) { !hosts[9].delivered.isEmpty })
        try mesh.run(seconds: 30)
        for host in hosts { #expect(try mesh.status(of: host)?.held == 1) }
    }

    @Test("Two islands that were apart have the same mail soon after they meet, and it is gone after its fortnight")
    func islands() throws {
        let mesh = try TestMesh()
        let north = try (0..<3).map { try mesh.add("north \($0)") }
        let south = try (0..<3).map { try mesh.add("south \($0)") }
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(north[0], south[0]) && mesh.isLinked(north[2], south[2]) })
        try mesh.run(seconds: 60)
        mesh.partition([north, south])
        for round in 0..<20 {
            mesh.send("north \(round)", from: north[round % 3], to: south[(round + 1) % 3])
            mesh.send("south \(round)", from: south[round % 3], to: north[(round + 2) % 3])
            try mesh.run(seconds: 600)
        }
        #expect((north + south).allSatisfy { $0.delivered.isEmpty })
        mesh.partition(nil)
        try mesh.run(seconds: 300)
        #expect(south.flatMap(\.delivered).map(\.text).sorted() == (0..<20).map { "north \($0)" }.sorted())
        #expect(north.flatMap(\.delivered).map(\.text).sorted() == (0..<20).map { "south \($0)" }.sorted())
        for host in north + south { #expect(try mesh.status(of: host)?.held == 40) }
        for host in north + south { mesh.stop(host) }
        mesh.skip(seconds: 16 * 86_400)
        for host in north + south {
            try mesh.begin(host, multicast: .off)
            try mesh.run(seconds: 1)
            #expect(try mesh.status(of: host)?.held == 0)
            #expect(try mesh.status(of: host)?.ghosts == 0)
        }
    }

    @Test("The same seed gives the same run: every observation, in order, of every node")
    func deterministic() throws {
        func story() throws -> [String] {
            let mesh = try TestMesh(seed: 4)
            let hosts = try (0..<5).map { try mesh.add("device \($0)") }
            for round in 0..<20 {
                mesh.send("\(round)", from: hosts[round % 5], to: hosts[(round * 3 + 1) % 5])
                try mesh.run(seconds: 10)
                if round == 7 { mesh.partition([[hosts[0], hosts[1]], [hosts[2], hosts[3], hosts[4]]]) }
                if round == 14 { mesh.partition(nil) }
            }
            return hosts.flatMap { host in host.observations.map { "\(host.name): \($0)" } }
        }
        let first = try story()
        #expect(first.count > 200)
        #expect(try story() == first)
    }
}
