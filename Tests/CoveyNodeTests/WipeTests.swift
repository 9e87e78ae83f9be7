import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

/// protocol.md §6 and §7.2, item 82.
@Suite("A node that is ordered to lock or erase itself")
struct WipeTests {
    private func order(
        _ host: TestMesh.Host, in mesh: TestMesh, mode: WipeOrder.Mode = .erase
    ) throws -> RevokeNote {
        let certificate = try #require(mesh.membership.currentCertificate(host.identity.id))
        let wipe = WipeOrder(
            mode: mode, order: Octets16([UInt8](repeating: 7, count: 16)) ?? Octets16(), serial: certificate.serial,
            expires: mesh.minute.adding(20 * 1440))
        return RevokeNote.make(
            RevokeNote.Content(
                device: host.identity.id, reason: .lost, suspectSince: mesh.minute, issued: mesh.minute,
                authority: mesh.authority.keys.authority, wipe: wipe),
            mesh: mesh.founding.mesh, keys: mesh.authority.keys.current.keys)
    }

    private func accepted(_ host: TestMesh.Host) -> Int {
        host.observations.count { if case .wipeAccepted(.erase, _) = $0 { true } else { false } }
    }

    private func receipts(_ host: TestMesh.Host) -> Int {
        host.observations.count { if case .wipeReceipt(_, .erase) = $0 { true } else { false } }
    }

    @Test("It says that it obeys before it does, once, and the word reaches all; a start finds what was left undone")
    func obeys() throws {
        let mesh = try TestMesh()
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target)
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, target) })
        mesh.partition([[ana, target], [bo]])
        let note = try order(target, in: mesh)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 10) { accepted(target) == 1 && receipts(ana) == 1 })
        #expect(try mesh.run(seconds: 10) { !mesh.isLinked(ana, target) })
        #expect(!ana.linkEnds.contains(.protocolFault) && !target.linkEnds.contains(.protocolFault))
        // Whoever was away hears of both.
        mesh.partition([[ana, bo], [target]])
        #expect(try mesh.run(seconds: 120) { receipts(bo) == 1 })
        // Not reported as done: found again at the start; then not any more.
        mesh.stop(target)
        try mesh.begin(target)
        try mesh.run(seconds: 5)
        #expect(accepted(target) == 2)
        mesh.post(.wiped(try #require(note.content.wipe).order), to: target)
        try mesh.run(seconds: 5)
        mesh.stop(target)
        try mesh.begin(target)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: target)
        try mesh.run(seconds: 5)
        #expect(accepted(target) == 2)
    }

    @Test("A node that nobody would wipe takes no order, and does not say that it obeys")
    func notCarriedOut() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        mesh.obeysWipeOrders = false
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target)
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, target) })
        mesh.command(.logSubmit([try order(target, in: mesh).signed.bytes], epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, target) })
        try mesh.run(seconds: 10)
        #expect(accepted(target) == 0 && receipts(ana) == 0)
        #expect(target.observations.contains { if case .wipeRefused(.notCarriedOut) = $0 { true } else { false } })
    }

    @Test("One whose holder never agreed is revoked and obeys nobody")
    func refuses() throws {
        let mesh = try TestMesh()
        let target = try mesh.add("target")
        let ana = try mesh.add("ana")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, target) })
        mesh.command(.logSubmit([try order(target, in: mesh).signed.bytes], epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, target) })
        #expect(accepted(target) == 0)
        #expect(
            target.observations.contains { if case .wipeRefused(.notOrgOwned) = $0 { true } else { false } })
        try mesh.run(seconds: 10)
        #expect(receipts(ana) == 0)
        #expect(!mesh.isLinked(ana, target))
    }
}
