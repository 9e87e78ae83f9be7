import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@Suite("Nodes that start from one snapshot and hold things in common")
struct CommonsTests {
    private let names = ["ana", "bo", "cy", "di", "eve", "fay"]

    private func started(_ pool: CommonPool) throws -> (TestMesh, [TestMesh.Host]) {
        let mesh = try TestMesh()
        let hosts = try mesh.enrolTogether(names, pool: pool)
        for host in hosts { try mesh.begin(host) }
        try mesh.run(seconds: 40)
        return (mesh, hosts)
    }

    @Test("link, write to each other and read as nodes alone do, checking everything or not", arguments: [true, false])
    func writing(reuses: Bool) throws {
        let pool = CommonPool(reusesChecks: reuses)
        let (mesh, hosts) = try started(pool)
        for (number, host) in hosts.enumerated() {
            mesh.send("from \(host.name)", from: host, to: hosts[(number + 1) % hosts.count])
        }
        #expect(try mesh.run(seconds: 60) { hosts.allSatisfy { $0.delivered.count == 1 } })
        for (number, host) in hosts.enumerated() {
            #expect(host.delivered.map(\.text) == ["from \(hosts[(number + hosts.count - 1) % hosts.count].name)"])
        }
        #expect(pool.counts.envelopes == hosts.count)
        // Every other host took each in, and the one that it came from did not.
        #expect(pool.counts.envelopeHits >= hosts.count * (hosts.count - 1))
        #expect((pool.counts.recognitions > 0) == reuses)
        #expect(pool.counts.agreements == (reuses ? hosts.count : 0))
    }

    @Test("verify a new entry once for all of them, and revoke the same device")
    func revoking() throws {
        let pool = CommonPool()
        let (mesh, hosts) = try started(pool)
        try mesh.revoke(hosts[5], reason: .lost, at: hosts[0])
        try mesh.run(seconds: 30)
        for host in hosts.dropLast() {
            let status = try #require(try mesh.status(of: host))
            #expect(status.notes == 1)
            #expect(status.logEntries == mesh.entries.count)
            #expect(!status.isHolding)
            #expect(!mesh.isLinked(host, hosts[5]))
        }
        // The note and the entry of the new epoch: made by one, found by the four others.
        #expect(pool.counts.rosterSteps >= 2 * 4)
    }

    @Test("come to one state in whatever order the entries of two logs reach them")
    func orders() throws {
        let pool = CommonPool()
        let (mesh, hosts) = try started(pool)
        let made = pool.counts.rostersMade
        var known = mesh.membership
        let checkpoint = try Authority(mesh.founding.root).checkpoint(into: &known, now: mesh.minute)
        mesh.partition([Array(hosts[..<3]), Array(hosts[3...])])
        mesh.command(.logSubmit([checkpoint.signed.bytes], epochKeys: []), at: hosts[0])
        _ = try mesh.announce(at: hosts[3])
        try mesh.run(seconds: 60)
        mesh.partition(nil)
        try mesh.run(seconds: 120)
        for host in hosts {
            #expect(try mesh.status(of: host)?.logEntries == mesh.entries.count + 1)
        }
        // With the one, with the other, and with both.
        #expect(pool.counts.rostersMade - made == 3)
    }

    @Test("take one step and not what another of them took after it, however long ago")
    func overwritten() throws {
        let mesh = try TestMesh()
        let hosts = try mesh.enrolTogether(names, pool: CommonPool())
        for host in hosts[..<3] { try mesh.begin(host, multicast: .off) }
        try mesh.run(seconds: 1)
        let base = try #require(try mesh.status(of: hosts[2])).logEntries
        var known = mesh.membership
        let steps = try (0..<2).map { _ in
            try Authority(mesh.founding.root).checkpoint(into: &known, now: mesh.minute).signed.bytes
        }
        mesh.command(.logSubmit([steps[0]], epochKeys: []), at: hosts[0])
        // So many pages that the one after this step is held by nobody else: then it is written over.
        let notes = (0..<300).map { number in
            RevokeNote.make(
                RevokeNote.Content(
                    device: hosts[5].identity.id, reason: .retired, suspectSince: mesh.minute.adding(-number),
                    issued: mesh.minute, authority: mesh.authority.keys.authority),
                mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
        }
        mesh.command(.logSubmit(notes.map(\.signed.bytes), epochKeys: []), at: hosts[1])
        try mesh.run(seconds: 1)
        mesh.command(.logSubmit([steps[1]], epochKeys: []), at: hosts[0])
        mesh.command(.logSubmit([steps[0]], epochKeys: []), at: hosts[2])
        #expect(try mesh.status(of: hosts[0])?.logEntries == base + 2)
        #expect(try mesh.status(of: hosts[2])?.logEntries == base + 1)
    }

    @Test("check everything themselves when they are told to", arguments: [true, false])
    func bundles(reuses: Bool) throws {
        let pool = CommonPool(reusesChecks: reuses)
        let (mesh, hosts) = try started(pool)
        #expect(pool.counts.bundleChecks == 0)
        // Prekeys are renewed after a week.
        try mesh.stayOff(hosts, seconds: 8 * 86_400)
        try mesh.run(seconds: 60)
        #expect((pool.counts.bundleChecks > 0) == reuses)
        // Nobody is written to for the first time while the log is stale.
        _ = try mesh.announce(at: hosts[0])
        mesh.send("after a week", from: hosts[0], to: hosts[3])
        #expect(try mesh.run(seconds: 60) { !hosts[3].delivered.isEmpty })
    }

    @Test("do not leave behind what has ended, week after week")
    func years() throws {
        let pool = CommonPool()
        let (mesh, hosts) = try started(pool)
        var most = 0
        for _ in 0..<8 {
            for (number, host) in hosts.enumerated() {
                mesh.send("this week", from: host, to: hosts[(number + 1) % hosts.count])
            }
            try mesh.run(seconds: 60)
            for host in hosts { mesh.stop(host) }
            mesh.skip(seconds: 7 * 86_400 + 3_600)
            pool.expire(upTo: mesh.minute.hour.adding(-1))
            for host in hosts { try mesh.begin(host) }
            // Without an officer's word the log would strand them after a month.
            _ = try mesh.announce(at: hosts[0])
            try mesh.run(seconds: 60)
            most = max(most, pool.held.bundles)
            // Mail lives for two weeks.
            #expect(pool.held.envelopes <= 2 * hosts.count && pool.held.tags <= 2 * hosts.count)
        }
        #expect(pool.counts.bundlesMade >= 8 * hosts.count)
        // One a week, of which each lives for two.
        #expect(most <= 3 * hosts.count)
        #expect(pool.held.pairs == hosts.count)
        #expect(hosts.allSatisfy { $0.delivered.count == 8 })
    }

    @Test("know whom mail is for as long as any of a pair's mail of that day lives")
    func tags() throws {
        let pool = CommonPool()
        let (mesh, hosts) = try started(pool)
        let (ana, bo) = (hosts[0], hosts[1])
        mesh.partition([[ana], Array(hosts.dropFirst())])
        let first = mesh.minute.hour
        // Four tags a day are drawn from: some are used again.
        for _ in 0..<6 { mesh.send("early", from: ana, to: bo) }
        try mesh.run(seconds: 2 * 3600)
        for _ in 0..<12 { mesh.send("late", from: ana, to: bo) }
        try mesh.run(seconds: 1)
        #expect(pool.held.tags <= 4)
        pool.expire(upTo: first.adding(336))
        mesh.partition(nil)
        try mesh.run(seconds: 120)
        #expect(bo.delivered.count { $0.text == "late" } == 12)
    }

    @Test("find what came after the snapshot in their own store when they start again")
    func restarting() throws {
        let pool = CommonPool()
        let (mesh, hosts) = try started(pool)
        try mesh.revoke(hosts[5], reason: .lost, at: hosts[0])
        mesh.send("before", from: hosts[1], to: hosts[2])
        #expect(try mesh.run(seconds: 60) { !hosts[2].delivered.isEmpty })
        mesh.stop(hosts[2])
        try mesh.begin(hosts[2])
        mesh.send("after", from: hosts[1], to: hosts[2])
        #expect(try mesh.run(seconds: 60) { hosts[2].delivered.map(\.text) == ["before", "after"] })
        let status = try #require(try mesh.status(of: hosts[2]))
        #expect(status.logEntries == mesh.entries.count)
        #expect(status.notes == 1)
        #expect(status.inbox == 2)
        mesh.command(.logList(after: 0, limit: 100), at: hosts[2])
        try mesh.run(seconds: 0)
        guard case .logList(let lines)? = hosts[2].replies.last else {
            Issue.record("the log is listed")
            return
        }
        #expect(lines.map(\.head.id) == mesh.entries.map(\.id))
    }
}
