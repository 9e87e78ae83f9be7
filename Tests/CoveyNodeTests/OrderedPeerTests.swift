import CoveyCore
import CoveyCrypto
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

    private func give(_ order: Octets16 = Octets16(), lasting days: Int64 = 20, at officer: TestMesh.Host) throws {
        let certificate = try #require(mesh.membership.currentCertificate(target.identity.id))
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: target.identity.id, reason: .lost, suspectSince: mesh.minute, issued: mesh.minute,
                authority: mesh.authority.keys.authority,
                wipe: WipeOrder(
                    mode: .erase, order: order, serial: certificate.serial, expires: mesh.minute.adding(days * 1440))),
            mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
        try mesh.take(note, at: officer)
        try mesh.run(seconds: 1)
    }

    private func accepted() -> Int {
        target.observations.count { if case .wipeAccepted = $0 { true } else { false } }
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

    @Test("What it sends besides its receipt is passed over: mail it has does not come in that way")
    func deaf() throws {
        mesh.partition([[ana, bo], [target]])
        try give(at: ana)
        mesh.send("let me in", from: target, to: bo)
        try mesh.run(seconds: 30)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 900) { accepted() == 1 && receipts(bo) == 1 })
        try mesh.run(seconds: 600)
        #expect(bo.delivered.isEmpty)
        let held = try #require(try mesh.status(of: bo)).held
        #expect(held == 0)
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
