import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// A device that was away while its order spread (docs/decisions, 12).
@Suite("A revoked device that has not answered its wipe order")
struct OrderedPeerTests {
    private let mesh: TestMesh
    private let target: TestMesh.Host
    private let ana: TestMesh.Host
    private let bo: TestMesh.Host

    init() throws {
        mesh = try TestMesh()
        target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target)
        ana = try mesh.add("ana")
        bo = try mesh.add("bo")
        #expect(
            try mesh.run(seconds: 20) {
                mesh.isLinked(ana, bo) && mesh.isLinked(ana, target) && mesh.isLinked(bo, target)
            })
    }

    private func give(
        _ order: Octets16 = Octets16(), to device: TestMesh.Host? = nil, lasting days: Int64 = 20,
        at officer: TestMesh.Host
    ) throws {
        let device = device ?? target
        let certificate = try #require(mesh.membership.currentCertificate(device.identity.id))
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: device.identity.id, reason: .lost, suspectSince: mesh.minute, issued: mesh.minute,
                authority: mesh.authority.keys.authority,
                wipe: WipeOrder(
                    mode: .erase, order: order, serial: certificate.serial, expires: mesh.minute.adding(days * 1440))),
            mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
        try mesh.take(note, at: officer)
        try mesh.run(seconds: 1)
    }

    private func accepted(_ host: TestMesh.Host? = nil) -> Int {
        (host ?? target).observations.count { if case .wipeAccepted = $0 { true } else { false } }
    }

    private func receipts(_ host: TestMesh.Host) -> Int {
        host.observations.count { if case .wipeReceipt = $0 { true } else { false } }
    }

    private func links(_ host: TestMesh.Host, since mark: Int) -> [Bool] {
        host.observations[mark...].compactMap {
            if case .linkUp(target.identity.id, _, let isCatchUp) = $0 { isCatchUp } else { nil }
        }
    }

    @Test("It is told when it comes back, though a clean epoch hides the others, and its receipt spreads")
    func told() throws {
        mesh.partition([[ana, bo], [target]])
        try mesh.run(seconds: 60)
        try give(at: ana)
        _ = try mesh.announce(at: ana)
        try mesh.run(seconds: 600)
        let marks = [ana.observations.count, bo.observations.count]
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 900) { accepted() == 1 && receipts(ana) == 1 && receipts(bo) == 1 })
        try mesh.run(seconds: 60)
        #expect(links(ana, since: marks[0]).allSatisfy { $0 } && links(bo, since: marks[1]).allSatisfy { $0 })
        #expect(!mesh.isLinked(ana, target) && !mesh.isLinked(bo, target))
        // Who has its receipt owes it nothing more.
        let later = [ana.observations.count, bo.observations.count]
        try mesh.run(seconds: 3 * 86_400)
        #expect(links(ana, since: later[0]).isEmpty && links(bo, since: later[1]).isEmpty)
        #expect(!target.linkEnds.contains(.protocolFault) && !ana.linkEnds.contains(.protocolFault))
    }

    @Test("It learns of the log what was so when the order was given, and nothing of what came after")
    func nothingNew() throws {
        mesh.partition([[ana, bo], [target]])
        try mesh.run(seconds: 60)
        let before = try mesh.enrol("before")
        try mesh.begin(before)
        mesh.partition([[ana, bo, before], [target]])
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, before) })
        try give(at: ana)
        try mesh.run(seconds: 120)
        _ = try mesh.announce(at: ana)
        let after = try mesh.enrol("after")
        try mesh.begin(after)
        mesh.partition([[ana, bo, before, after], [target]])
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(ana, after) })
        mesh.stop(after)
        mesh.stop(before)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 900) { accepted() == 1 })
        mesh.command(.contacts, at: target)
        try mesh.run(seconds: 1)
        guard case .contacts(let contacts)? = target.replies.last else {
            Issue.record("contacts are listed")
            return
        }
        #expect(contacts.contains { $0.label == "before" })
        #expect(!contacts.contains { $0.label == "after" })
        let epochs = target.observations.contains { if case .epochLearnt(2) = $0 { true } else { false } }
        #expect(!epochs, "nor the network key that shuts it out")
    }

    @Test("One that does not answer is let in once a day by each, and not at all when the order is over")
    func bounded() throws {
        mesh.stop(target)
        try give(lasting: 3, at: ana)
        mesh.obeysWipeOrders = false
        let marks = [ana.observations.count, bo.observations.count]
        try mesh.begin(target)
        try mesh.run(seconds: 2 * 86_400 - 7200)
        for (host, mark) in zip([ana, bo], marks) {
            let found = links(host, since: mark)
            #expect((1...2).contains(found.count) && found.allSatisfy { $0 }, "\(host.name): \(found)")
        }
        try mesh.run(seconds: 2 * 86_400)
        let late = [ana.observations.count, bo.observations.count]
        try mesh.run(seconds: 2 * 86_400)
        #expect(links(ana, since: late[0]).isEmpty && links(bo, since: late[1]).isEmpty)
        #expect(accepted() == 0)
    }

    @Test("One that is known by its address is dialled once a day while it does not answer")
    func dialled() throws {
        for host in [target, ana, bo] { mesh.stop(host) }
        let peer = NodeConfiguration.StaticPeer(address: target.address, device: target.identity.id)
        try mesh.begin(ana, dialling: [peer])
        try give(lasting: 5, at: ana)
        mesh.obeysWipeOrders = false
        try mesh.begin(target, dialling: [])
        let mark = ana.observations.count
        try mesh.run(seconds: 3 * 86_400 + 7200)
        #expect(links(ana, since: mark) == [true, true, true, true])
    }

    @Test("A device that is revoked without an order is let in by nobody")
    func unordered() throws {
        mesh.stop(target)
        try mesh.revokeAlone(target, at: ana)
        try mesh.run(seconds: 10)
        let marks = [ana.observations.count, bo.observations.count]
        try mesh.begin(target)
        try mesh.run(seconds: 86_400)
        #expect(links(ana, since: marks[0]).isEmpty && links(bo, since: marks[1]).isEmpty)
    }

    @Test("What it sends besides its receipt is passed over: nothing comes in that way, and nothing is answered")
    func deaf() throws {
        mesh.stop(target)
        try give(at: ana)
        mesh.partition([[ana], [bo]])
        try mesh.run(seconds: 5)
        let before = try #require(try mesh.status(of: ana))
        let member = try RawMember(mesh, target, linkedTo: ana)
        try member.sayHeads()
        #expect(try member.heard().map(\.type) == [.notePut], "the order, as it has the log")
        let (entry, _) = try mesh.fork()
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: bo.identity.id, reason: .lost, suspectSince: mesh.minute, issued: mesh.minute,
                authority: mesh.authority.keys.authority),
            mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
        let certificate = try #require(mesh.membership.currentCertificate(bo.identity.id))
        try member.say(Frame.LogPut([entry.signed]))
        try member.say(Frame.NotePut([note.signed]))
        try member.say(Frame.LogGet(log: entry.log, from: 1, most: 2))
        try member.say(Frame.WantCert(Octets32(prefixOf: certificate.hash)))
        try mesh.run(seconds: 1)
        #expect(try member.heard().isEmpty && !member.isClosed)
        let after = try #require(try mesh.status(of: ana))
        #expect(after.logEntries == before.logEntries && after.notes == before.notes)
        #expect(!mesh.membership.isRevoked(bo.identity.id))
        try mesh.run(seconds: 15)
        #expect(member.isClosed)
    }

    @Test("It is told although its certificate has ended since")
    func ended() throws {
        let other = try mesh.enrol("short", days: 10, rights: Grant.member.union(.orgOwned))
        try mesh.begin(other)
        mesh.stop(target)
        #expect(try mesh.run(seconds: 200) { mesh.isLinked(ana, other) && mesh.isLinked(bo, other) })
        for host in [ana, bo, other] { mesh.stop(host) }
        mesh.skip(seconds: 9 * 86_400)
        for host in [ana, bo] { try mesh.begin(host) }
        _ = try mesh.announce(at: ana)
        try mesh.run(seconds: 60)
        try give(to: other, at: ana)
        _ = try mesh.announce(at: ana)
        try mesh.run(seconds: 600)
        mesh.stop(ana)
        mesh.stop(bo)
        mesh.skip(seconds: 4 * 86_400)
        for host in [ana, bo, other] { try mesh.begin(host) }
        #expect(try mesh.run(seconds: 900) { accepted(other) == 1 && receipts(ana) == 1 && receipts(bo) == 1 })
    }

    @Test("A word that nobody heard is said again at the next start")
    func saidAgain() throws {
        mesh.partition([[ana, bo], [target]])
        try give(at: ana)
        // It hears of the order alone, as from a file.
        let note = try #require(
            mesh.hosts.first { $0 === ana }.flatMap { host in host.store.all(.notes).first?.value })
        mesh.command(.logSubmit([note], epochKeys: []), at: target)
        try mesh.run(seconds: 10)
        #expect(accepted() == 1)
        mesh.stop(target)
        // In HOLD the tiny beacons name no port, and those of these hosts are not the usual one.
        try mesh.begin(target, peers: [ana])
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 900) { receipts(ana) == 1 && receipts(bo) == 1 })
    }
}
