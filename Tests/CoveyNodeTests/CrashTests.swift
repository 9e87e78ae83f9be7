import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

/// A mesh to which everything happens that may: a seed chooses who writes, who is cut off and who loses power when.
private final class Weather {
    let mesh: TestMesh
    let dice: SeededRandom
    var hosts: [TestMesh.Host] = []
    /// Texts by recipient that a sender was told are taken.
    private(set) var promised: [String: Set<String>] = [:]
    /// Every text that was tried, by recipient: none may come twice, whatever its sender was told.
    private(set) var tried: [String: Set<String>] = [:]
    private(set) var crashes = 0
    private var restartAt: [String: UInt64] = [:]
    private var counted: [String: Int] = [:]
    private var open: [String: [(text: String, to: String)]] = [:]
    private var seconds: UInt64 = 0
    private var written = 0

    init(seed: UInt64, count: Int) throws {
        mesh = try TestMesh(seed: seed)
        dice = SeededRandom(seed: seed, stream: "weather")
        for number in 0..<count { hosts.append(try mesh.enrol("device \(number)")) }
        for host in hosts { try mesh.begin(host) }
        for host in hosts { mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: host) }
        try mesh.run(seconds: 30)
        for host in hosts { counted[host.name] = host.replies.count }
    }

    func chance(_ one: UInt64, in many: UInt64) -> Bool { dice.uniform(many) < one }

    /// One step of a few seconds: some of everything.
    func blow(crashing: Bool) throws {
        mesh.fate = { [unowned self] host in
            guard crashing, self.chance(1, in: 60) else { return .lives }
            self.crashes += 1
            self.restartAt[host.name] = self.seconds + 1 + self.dice.uniform(30)
            return self.chance(1, in: 2)
                ? .losesTurn(keepingMail: self.chance(1, in: 2)) : .losesEffects(after: Int(self.dice.uniform(4)))
        }
        for _ in 0..<dice.uniform(4) { write() }
        if chance(1, in: 8) {
            let cut = 1 + Int(dice.uniform(UInt64(hosts.count - 1)))
            mesh.partition([Array(hosts[..<cut]), Array(hosts[cut...])])
        } else if chance(1, in: 6) {
            mesh.partition(nil)
        }
        let step = 1 + dice.uniform(8)
        try mesh.run(seconds: step)
        seconds += step
        settle()
        for host in hosts where host.node == nil && restartAt[host.name, default: 0] <= seconds {
            try restart(host)
        }
    }

    private func write() {
        let from = hosts[Int(dice.uniform(UInt64(hosts.count)))]
        let to = hosts[Int(dice.uniform(UInt64(hosts.count)))]
        guard from !== to, from.node != nil else { return }
        written += 1
        let text = "message \(written)"
        tried[to.name, default: []].insert(text)
        open[from.name, default: []].append((text, to.name))
        mesh.send(text, from: from, to: to)
    }

    /// What was replied since. A reply lost in a crash promised nothing.
    private func settle() {
        for host in hosts {
            let replies = host.replies.dropFirst(counted[host.name] ?? 0)
            let asked = open.removeValue(forKey: host.name) ?? []
            counted[host.name] = host.replies.count
            // Commands are answered in order; those behind the first lost answer are lost too.
            for (reply, question) in zip(replies, asked) {
                if case .sent = reply { promised[question.to, default: []].insert(question.text) }
            }
        }
    }

    private func restart(_ host: TestMesh.Host) throws {
        try mesh.begin(host)
    }

    /// Calm: everybody is up and reaches everybody.
    func calm(seconds: UInt64) throws {
        mesh.fate = { _ in .lives }
        mesh.partition(nil)
        for host in hosts where host.node == nil { try restart(host) }
        try mesh.run(seconds: seconds)
    }

    func inbox(of host: TestMesh.Host) throws -> [String] {
        mesh.command(.inbox(after: 0, limit: 500), at: host)
        try mesh.run(seconds: 0)
        guard case .inbox(let messages)? = host.replies.last else { return [] }
        return messages.map(\.text)
    }

    func check() throws {
        var held: Set<Int> = []
        for host in hosts {
            let texts = try inbox(of: host)
            #expect(texts.count == Set(texts).count, "\(host.name) has a message twice")
            #expect(Set(texts).isSuperset(of: promised[host.name] ?? []), "\(host.name) lacks a message")
            #expect(Set(texts).isSubset(of: tried[host.name] ?? []), "\(host.name) has what nobody wrote to it")
            let status = try #require(try mesh.status(of: host))
            held.insert(status.held)
            #expect(status.heldBytes <= 1 << 30)
            #expect(status.links == hosts.count - 1)
            #expect(status.waiting == 0)
            // Nothing that honest nodes do is a fault of a link.
            #expect(!host.linkEnds.contains(.protocolFault), "\(host.name) closed a link of an honest peer")
        }
        #expect(held.count == 1, "all hold the same number of envelopes")
    }
}

@Suite("Partitions and crashes at any turn")
struct CrashTests {
    @Test("What was promised arrives, once, whatever crashes when", arguments: 1...4 as ClosedRange<UInt64>)
    func crashes(seed: UInt64) throws {
        let weather = try Weather(seed: seed, count: 5 + Int(seed % 4))
        for _ in 0..<60 { try weather.blow(crashing: true) }
        try weather.calm(seconds: 300)
        #expect(weather.crashes > 5)
        #expect(weather.promised.values.reduce(0) { $0 + $1.count } > 10)
        try weather.check()
    }

    @Test("Partitions alone, of many shapes: all hold the same in the end", arguments: 11...12 as ClosedRange<UInt64>)
    func partitions(seed: UInt64) throws {
        let weather = try Weather(seed: seed, count: 6)
        for _ in 0..<80 { try weather.blow(crashing: false) }
        try weather.calm(seconds: 300)
        try weather.check()
    }

    @Test("A seed decides everything: crashes and all, two runs notice the same")
    func deterministic() throws {
        func story() throws -> [String] {
            let weather = try Weather(seed: 21, count: 5)
            for _ in 0..<30 { try weather.blow(crashing: true) }
            try weather.calm(seconds: 60)
            return weather.hosts.flatMap { host in host.observations.map { "\(host.name): \($0)" } }
        }
        let first = try story()
        #expect(first.count > 200)
        #expect(try story() == first)
    }
}
