import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

/// protocol.md §6 and §7.2, item 82.
@Suite("A node that is ordered to lock or erase itself")
struct WipeTests {
    private func order(
        _ host: TestMesh.Host, in mesh: TestMesh, mode: WipeOrder.Mode = .erase, number: UInt8 = 7
    ) throws -> RevokeNote {
        let certificate = try #require(mesh.membership.currentCertificate(host.identity.id))
        let wipe = WipeOrder(
            mode: mode, order: Octets16([UInt8](repeating: number, count: 16)) ?? Octets16(),
            serial: certificate.serial, expires: mesh.minute.adding(20 * 1440))
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

    @Test("A receipt is exported, and a node that is handed it by file knows that the order was obeyed")
    func byFile() throws {
        let mesh = try TestMesh()
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target)
        let ana = try mesh.add("ana")
        let away = try mesh.add("away")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, target) })
        mesh.partition([[ana, target], [away]])
        let note = try order(target, in: mesh)
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 10) { receipts(ana) == 1 })
        mesh.command(.logExport(after: .receipt(NoteHash()), limit: 10), at: ana)
        try mesh.run(seconds: 0)
        guard case .logExport(let exported)? = ana.replies.last else {
            Issue.record("a node says what it has receipts of")
            return
        }
        #expect(exported.map(\.mark) == [.receipt(note.hash)])
        #expect(ExportMark(parsing: "receipt:\(note.hash.hex)") == .receipt(note.hash))
        mesh.command(.logExport(after: .receipt(note.hash), limit: 10), at: ana)
        try mesh.run(seconds: 0)
        #expect(ana.replies.last.map { "\($0)" } == "\(Reply.logExport([]))")

        let receipt = exported[0].bytes
        func hand(_ objects: [[UInt8]]) throws -> LogSubmission? {
            mesh.command(.logSubmit(objects, epochKeys: []), at: away)
            try mesh.run(seconds: 0)
            guard case .logSubmitted(let submission)? = away.replies.last else { return nil }
            return submission
        }
        let early = try #require(try hand([receipt]))
        #expect(early.accepted == 0 && early.refused == ["\(ReceiptRefusal.order)"])
        let both = try #require(try hand([note.signed.bytes, receipt]))
        #expect(both.accepted == 2 && both.refused.isEmpty)
        #expect(try hand([receipt])?.known == 1)
        #expect(receipts(away) == 1)
        mesh.command(.wipes, at: away)
        try mesh.run(seconds: 0)
        guard case .wipes(let lines)? = away.replies.last else {
            Issue.record("a node lists the orders that it knows")
            return
        }
        #expect(lines.map(\.state) == [.carriedOut])
    }

    @Test("Of orders that were taken only those are forgotten that are over: one that may still run is not taken again")
    func remembered() throws {
        let mesh = try TestMesh()
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target, multicast: .off)
        func give(_ number: UInt8) throws -> Octets16 {
            let note = try order(target, in: mesh, number: number)
            let objects = mesh.entries.map(\.signed) + [note.signed]
            mesh.command(.logSubmit(objects.map(\.bytes), epochKeys: []), at: target)
            try mesh.run(seconds: 1)
            return try #require(note.content.wipe).order
        }
        let first = try give(1)
        mesh.stop(target)
        // Sixty-three others came after it, of years ago.
        let random = SeededRandom(seed: 3)
        let key = Array("wipes".utf8)
        func record(_ order: Octets16) -> [UInt8] { order.array + [WipeOrder.Mode.erase.rawValue, 1] }
        target.store.put(
            .state, key, record(first) + (1...63).flatMap { _ in record(Octets16.random(from: random)) })
        target.store.commit()
        try mesh.begin(target, multicast: .off)
        let second = try give(2)
        let kept = try #require(target.store.get(.state, key))
        #expect(kept == record(first) + second.array + [WipeOrder.Mode.erase.rawValue, 0])
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

    // MARK: §7.2, item 82, one by one

    private func note(
        _ host: TestMesh.Host, in mesh: TestMesh, number: UInt8 = 7, serial offset: UInt64 = 0, issued ago: Int64 = 0,
        days: Int64 = 20, by keys: [SigningPrivateKey]? = nil, authority: AuthorityID? = nil
    ) throws -> RevokeNote {
        let certificate = try #require(mesh.membership.currentCertificate(host.identity.id))
        let issued = mesh.minute.adding(-ago)
        let wipe = WipeOrder(
            mode: .erase, order: Octets16([UInt8](repeating: number, count: 16)) ?? Octets16(),
            serial: certificate.serial + offset, expires: issued.adding(days * 1440))
        return RevokeNote.make(
            RevokeNote.Content(
                device: host.identity.id, reason: .lost, suspectSince: issued, issued: issued,
                authority: authority ?? mesh.authority.keys.authority, wipe: wipe),
            mesh: mesh.founding.mesh, keys: keys ?? mesh.authority.keys.current.keys)
    }

    private func refusals(_ host: TestMesh.Host) -> [WipeRefusal] {
        host.observations.compactMap { if case .wipeRefused(let refusal) = $0 { refusal } else { nil } }
    }

    private func submission(_ note: RevokeNote, at host: TestMesh.Host, in mesh: TestMesh) throws -> LogSubmission? {
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: host)
        try mesh.run(seconds: 5)
        guard case .logSubmitted(let outcome)? = host.replies.last else { return nil }
        return outcome
    }

    @Test("One signature: neither one officer nor one key of several gives an order; two officers do")
    func signatures() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let officers = try ["ana", "bo"].map { try mesh.enrol($0, rights: Grant.member.union(.wipeOfficer)) }
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        for host in officers + [target] { try mesh.begin(host) }
        #expect(
            try mesh.run(seconds: 60) { mesh.isLinked(officers[0], target) && mesh.isLinked(officers[0], officers[1]) })
        let keys = officers.map(\.identity.signing)
        // The second of them may be of an officer whose entry is not here yet: it waits, and counts for nothing.
        let mixed = [target.identity.signing, keys[0]]
        let refused = LogSubmission(accepted: 0, known: 0, waiting: 0, refused: ["\(NoteRefusal.wipeOrder)"])
        let waits = LogSubmission(accepted: 0, known: 0, waiting: 1, refused: [])
        for (alone, wanted) in [
            (try note(target, in: mesh, number: 1, by: [keys[0]], authority: AuthorityID()), refused),
            (try note(target, in: mesh, number: 2, by: mixed, authority: AuthorityID()), waits),
            (try note(target, in: mesh, number: 3, by: [mesh.authority.keys.current.keys[0]]), refused),
        ] {
            #expect(try submission(alone, at: officers[0], in: mesh) == wanted)
            #expect(mesh.isLinked(officers[0], target))
        }
        #expect(accepted(target) == 0 && refusals(target).isEmpty)
        let both = try note(target, in: mesh, by: keys, authority: AuthorityID())
        #expect(try #require(try submission(both, at: officers[0], in: mesh)).accepted == 1)
        #expect(try mesh.run(seconds: 10) { accepted(target) == 1 && receipts(officers[1]) == 1 })
    }

    @Test("Wrong serial, expired, good for too long: revoked, and no more")
    func form() throws {
        let cases: [(serial: UInt64, ago: Int64, days: Int64, wanted: WipeRefusal)] = [
            (1, 0, 20, .serial), (0, 3 * 1440, 2, .expired), (0, 0, 31, .lifeTooLong),
        ]
        for (serial, ago, days, wanted) in cases {
            let mesh = try TestMesh()
            let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
            try mesh.begin(target)
            let ana = try mesh.add("ana")
            #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, target) })
            let order = try note(target, in: mesh, serial: serial, issued: ago, days: days)
            _ = try submission(order, at: target, in: mesh)
            #expect(refusals(target) == [wanted])
            #expect(try mesh.run(seconds: 30) { !mesh.isLinked(ana, target) })
            try mesh.run(seconds: 10)
            #expect(accepted(target) == 0 && receipts(ana) == 0)
        }
    }

    @Test("An id that was obeyed is not obeyed again, in whatever note it stands")
    func replayed() throws {
        let mesh = try TestMesh()
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        try mesh.begin(target)
        _ = try submission(note(target, in: mesh), at: target, in: mesh)
        #expect(accepted(target) == 1)
        _ = try submission(note(target, in: mesh, issued: 5), at: target, in: mesh)
        #expect(accepted(target) == 1)
        _ = try submission(note(target, in: mesh, number: 8), at: target, in: mesh)
        #expect(accepted(target) == 2, "another one is")
    }

    @Test("Who has not heard of an authority for too long obeys nobody")
    func stale() throws {
        let mesh = try TestMesh()
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        mesh.skip(seconds: 8 * 86_400)
        try mesh.begin(target)
        _ = try submission(note(target, in: mesh), at: target, in: mesh)
        #expect(refusals(target) == [.staleLog])
        #expect(accepted(target) == 0)
    }

    @Test("Two officers give an order through their own nodes: the first drafts, the second signs")
    func officers() throws {
        let mesh = try TestMesh(field: KeysetShape(1, of: 2))
        let ana = try mesh.enrol("ana", rights: Grant.member.union(.wipeOfficer))
        let bo = try mesh.enrol("bo", rights: Grant.member.union(.wipeOfficer))
        let spare = try mesh.enrol(
            "spare", rights: Grant.member.union(.wipeOfficer),
            of: mesh.membership.currentCertificate(ana.identity.id)?.subject)
        let target = try mesh.enrol("target", rights: Grant.member.union(.orgOwned))
        for host in [ana, bo, spare, target] { try mesh.begin(host) }
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(bo, target) && mesh.isLinked(bo, ana) })
        func order(_ command: Command, at host: TestMesh.Host) throws -> SignedOrder? {
            mesh.command(command, at: host)
            try mesh.run(seconds: 5)
            guard case .wipeSigned(let order)? = host.replies.last else { return nil }
            return order
        }
        let wish = WipeDraft(device: "target", mode: .erase, reason: .lost, days: 20)
        let draft = try #require(try order(.draftWipe(wish), at: ana))
        #expect(draft.officers == ["ana"] && !draft.isInForce)
        for refused in [
            try order(.draftWipe(wish), at: target), try order(.signWipe(draft.note), at: target),
            try order(.signWipe(draft.note), at: ana), try order(.signWipe([1, 2, 3]), at: bo),
            try order(.draftWipe(WipeDraft(device: "bo", mode: .lock, reason: .lost, days: 20)), at: ana),
        ] { #expect(refused == nil) }
        #expect(accepted(target) == 0)
        let parsed = try RevokeNote(parsing: Signed(parsing: draft.note))
        let strangers = (0..<Signed.mostSignatures).map { SigningPrivateKey(from: SeededRandom(seed: UInt64($0))) }
        let crowded = RevokeNote.make(parsed.content, mesh: mesh.founding.mesh, keys: strangers)
        #expect(try order(.signWipe(crowded.signed.bytes), at: bo) == nil)
        #expect(try order(.signWipe(draft.note), at: spare) == nil)
        func refusal(_ host: TestMesh.Host) -> String? {
            if case .refused(.policy(let line))? = host.replies.last { line } else { nil }
        }
        #expect(refusal(bo) == "a signature on the order is wrong, or not of a wipe officer")
        #expect(
            refusal(spare)
                == "ana, which signed it, is another device of the same person: a second officer has to sign")
        let whole = try #require(try order(.signWipe(draft.note), at: bo))
        #expect(whole.officers.sorted() == ["ana", "bo"] && whole.isInForce)
        #expect(try mesh.run(seconds: 10) { accepted(target) == 1 && receipts(ana) == 1 })
        mesh.command(.wipes, at: ana)
        try mesh.run(seconds: 1)
        guard case .wipes(let lines)? = ana.replies.last, let line = lines.first else {
            Issue.record("orders are listed")
            return
        }
        #expect(line.state == .carriedOut && line.label == "target" && line.mode == .erase && line.done != nil)
        #expect(line.by == "ana, bo" || line.by == "bo, ana")
    }
}
