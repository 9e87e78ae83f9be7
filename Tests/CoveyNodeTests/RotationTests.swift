import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

/// protocol.md §7.2, items 33 and 34, on nodes that talk.
@Suite("Nodes live through forks that are decided, and through keys that change")
struct RotationTests {
    private func entries(of host: TestMesh.Host, in mesh: TestMesh) throws -> Set<EntryID> {
        mesh.command(.logList(after: 0, limit: 100), at: host)
        try mesh.run(seconds: 0)
        guard case .logList(let lines)? = host.replies.last else { return [] }
        return Set(lines.map(\.head.id))
    }

    private func refused(_ entry: LogEntry, at host: TestMesh.Host, in mesh: TestMesh) throws -> [String] {
        mesh.command(.logSubmit([entry.signed.bytes], epochKeys: []), at: host)
        try mesh.run(seconds: 0)
        guard case .logSubmitted(let outcome)? = host.replies.last else { return [] }
        return outcome.refused
    }

    @Test("33: a fork heals when the cold keys name a branch: who is enrolled behind it is everybody's member")
    func healing() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        let (one, other) = try mesh.fork()
        mesh.partition([[ana], [bo]])
        mesh.learn([other], at: bo)
        mesh.learn([one], at: ana)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 5)
        for host in [ana, bo] { #expect(try entries(of: host, in: mesh).isSuperset(of: [one.id, other.id])) }
        // Frozen: nobody can be enrolled that would count.
        #expect(mesh.membership.grantLimit(of: one.log) == one.sequence - 1)
        #expect(throws: AuthorityRefusal.self) { try mesh.enrol("early") }

        let choice = try mesh.recover(branch: one.id, at: bo)
        let cy = try mesh.add("cy")
        #expect(try mesh.run(seconds: 120) { mesh.areLinked(ana, bo, cy) })
        try mesh.run(seconds: 5)
        for host in [ana, bo, cy] { #expect(try entries(of: host, in: mesh).contains(choice.id)) }
        mesh.send("all one again", from: cy, to: bo)
        #expect(try mesh.run(seconds: 20) { bo.delivered.count == 1 })
        // What was kept tells the same.
        mesh.stop(bo)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 120) { mesh.areLinked(ana, bo, cy) })
        for host in [ana, bo, cy] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("34: who slept for a month while the keys changed comes back in, even by meeting a newcomer first")
    func asleep() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let cy = try mesh.add("cy")
        #expect(try mesh.run(seconds: 30) { mesh.areLinked(ana, bo, cy) })
        mesh.stop(cy)
        try mesh.rotate(at: ana)
        _ = try mesh.announce(at: ana)
        let dan = try mesh.add("dan")
        #expect(try mesh.run(seconds: 60) { mesh.areLinked(ana, bo, dan) })
        for host in [ana, bo, dan] { mesh.stop(host) }
        mesh.skip(seconds: 29 * 86_400)
        try mesh.begin(dan)
        try mesh.begin(cy)
        #expect(try mesh.run(seconds: 600) { mesh.isLinked(dan, cy) })
        // After a month without word from an authority nobody writes to somebody for the first time.
        _ = try mesh.announce(at: dan)
        try mesh.run(seconds: 10)
        mesh.send("good morning", from: dan, to: cy)
        #expect(try mesh.run(seconds: 60) { cy.delivered.count == 1 })
        try mesh.begin(ana)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 600) { mesh.isLinked(ana, cy) && mesh.isLinked(bo, cy) })
        for host in [ana, bo, cy, dan] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("34: no node takes a rotation without the old threshold, without the new one, or to keys nobody promised")
    func refusals() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 3))
        let ana = try mesh.add("ana")
        try mesh.run(seconds: 1)
        let random = SeededRandom(seed: 7)
        for keys in [mesh.founding.root, mesh.authority.keys] {
            let (old, new) = (keys.current, keys.next)
            let last = try #require(mesh.entries.last { $0.log == keys.authority })
            func rotation(to keyset: Keyset, by signers: [SigningPrivateKey]) throws -> LogEntry {
                let payload = LogPayload.authorityRotate(
                    AuthorityRotation(authority: keys.authority, keyset: keyset, nextCommit: .random(from: random)))
                return try LogEntry.make(
                    log: keys.authority, sequence: last.sequence + 1, previous: last.id, time: mesh.minute,
                    payload: payload, mesh: mesh.founding.mesh, keys: signers)
            }
            // One short of either threshold, and all of one side alone.
            let few = [
                Array(old.keys.prefix(old.threshold - 1)) + new.keys, old.keys + new.keys.prefix(new.threshold - 1),
            ]
            let own = SigningKeyset(count: old.keys.count, threshold: old.threshold, random: random)
            var wrong = try few.map { try rotation(to: new.keyset, by: $0) }
            wrong.append(try rotation(to: own.keyset, by: old.keys + own.keys))
            for entry in wrong {
                let reasons = try refused(entry, at: ana, in: mesh)
                // Below the root, a parent that we have not heard of could still make it right: it waits, and counts for nothing.
                if keys.authority == mesh.founding.genesis.rootID { #expect(reasons.count == 1) }
                #expect(try !entries(of: ana, in: mesh).contains(entry.id))
            }
            // And takes the right one.
            let sound = try rotation(to: new.keyset, by: old.keys + new.keys)
            #expect(try refused(sound, at: ana, in: mesh).isEmpty)
            #expect(try entries(of: ana, in: mesh).contains(sound.id))
        }
    }
}
