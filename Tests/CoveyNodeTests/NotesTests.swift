import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyNode

/// protocol.md §1.6 and §1.9; §7.2, items 33, 35 and 38.
@Suite("Nodes that learn who is kept out")
struct NotesTests {
    private func submit(_ objects: [Signed], at host: TestMesh.Host, in mesh: TestMesh) {
        mesh.command(.logSubmit(objects.map(\.bytes), epochKeys: []), at: host)
    }

    private func inbox(of host: TestMesh.Host, in mesh: TestMesh) throws -> [InboxMessage] {
        try answer(.inbox(after: 0, limit: 10), of: host, in: mesh)
    }

    private func quarantine(of host: TestMesh.Host, in mesh: TestMesh, hidden: Bool = false) throws -> [InboxMessage] {
        try answer(.quarantine(after: 0, limit: 10, hidden: hidden), of: host, in: mesh)
    }

    private func answer(_ command: Command, of host: TestMesh.Host, in mesh: TestMesh) throws -> [InboxMessage] {
        mesh.command(command, at: host)
        try mesh.run(seconds: 0)
        guard case .inbox(let messages)? = host.replies.last else { return [] }
        return messages
    }

    @Test("A node starts though the log no longer bears out a note of its store; what is no note stops it")
    func foreignNote() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        mesh.stop(ana)
        let stranger = SigningPrivateKey(from: SeededRandom(seed: 3))
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: ana.identity.id, reason: .lost, suspectSince: Minute(1), issued: Minute(1),
                authority: mesh.founding.genesis.rootID),
            mesh: mesh.founding.genesis.meshID, keys: [stranger])
        ana.store.put(.notes, note.id.array, note.signed.bytes)
        ana.store.commit()
        try mesh.begin(ana)
        #expect(try mesh.status(of: ana)?.notes == 0)
        mesh.stop(ana)
        ana.store.put(.notes, note.id.array, Array(note.signed.bytes.dropLast()))
        ana.store.commit()
        #expect(throws: StoreError.self) { try mesh.begin(ana) }
    }

    @Test("A device that two members suspend loses its links and its mail waits, until the authority lifts it")
    func suspension() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let lost = try mesh.add("lost")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, lost) })
        mesh.send("before", from: lost, to: bo)
        #expect(try mesh.run(seconds: 10) { bo.delivered.count == 1 })
        let asked = [mesh.suspend(lost, by: ana), mesh.suspend(lost, by: bo)]
        submit([asked[0].signed], at: ana, in: mesh)
        try mesh.run(seconds: 90)
        #expect(mesh.isLinked(ana, lost) && mesh.isLinked(bo, lost))
        submit([asked[1].signed], at: bo, in: mesh)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, lost) && !mesh.isLinked(bo, lost) })
        mesh.send("for later", from: ana, to: lost)
        try mesh.run(seconds: 200)
        guard case .sent(_, .waitingForKeys)? = ana.replies.last else {
            Issue.record("a message to a suspended device waits: \(String(describing: ana.replies.last))")
            return
        }
        #expect(!mesh.isLinked(ana, lost) && !mesh.isLinked(bo, lost) && mesh.isLinked(ana, bo))
        #expect(try mesh.status(of: lost)?.suspends == 2)
        mesh.command(.logExport(after: .suspend(NoteID()), limit: 10), at: ana)
        try mesh.run(seconds: 0)
        guard case .logExport(let exported)? = ana.replies.last else {
            Issue.record("an officer is told what members ask")
            return
        }
        #expect(Set(exported.map(\.bytes)) == Set(asked.map(\.signed.bytes)))
        #expect(exported.map(\.mark.text).allSatisfy { ExportMark(parsing: $0) != nil && $0.hasPrefix("suspend:") })
        let verdict = try mesh.decide(
            asked.map { NoteVerdict(note: NoteHash(prefixOf: $0.hash), decision: .lifted) }, at: ana)
        // The suspended device gets the log on a link for the log alone.
        #expect(try mesh.run(seconds: 400) { mesh.isLinked(ana, lost) && !lost.delivered.isEmpty })
        #expect(lost.delivered.map(\.text) == ["for later"])
        let sequences = lost.observations.compactMap { if case .logAccepted(let head) = $0 { head.id } else { nil } }
        #expect(sequences.contains(verdict.id))
        for host in [ana, bo, lost] { #expect(!host.linkEnds.contains(.protocolFault)) }
    }

    @Test("Suspends are kept over a restart, and reach whoever was away")
    func reconciled() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let lost = try mesh.add("lost")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, lost) })
        mesh.partition([[ana], [bo], [lost]])
        try mesh.run(seconds: 5)
        submit([mesh.suspend(lost, by: ana).signed, mesh.suspend(lost, by: bo).signed], at: ana, in: mesh)
        try mesh.run(seconds: 5)
        mesh.stop(ana)
        try mesh.begin(ana)
        #expect(try mesh.status(of: ana)?.suspends == 2)
        mesh.partition([[ana, bo], [lost]])
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, bo) })
        #expect(try mesh.status(of: bo)?.suspends == 2)
    }

    @Test("35: what a revoked device gave to one neighbour only is carried no further")
    func deposits() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let ferry = try mesh.add("ferry")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, ferry) })
        mesh.partition([[ana], [bo, ferry]])
        mesh.send("Come alone.", from: bo, to: ana)
        try mesh.run(seconds: 30)
        #expect(try mesh.status(of: ferry)?.held == 1)
        mesh.partition([[ana], [bo], [ferry]])
        try mesh.revoke(bo, reason: .lost, at: ana)
        try mesh.run(seconds: 5)
        mesh.partition([[ana, ferry], [bo]])
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, ferry) })
        try mesh.run(seconds: 60)
        #expect(try mesh.status(of: ferry)?.held == 0)
        #expect(try inbox(of: ana, in: mesh).isEmpty)
        #expect(try quarantine(of: ana, in: mesh, hidden: true).isEmpty)
    }

    @Test(
        "35: a late message is in quarantine only, marked or hidden by the reason; one read before stays, marked",
        arguments: [RevocationReason.lost, .compromised])
    func late(reason: RevocationReason) throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let ferry = try mesh.add("ferry")
        let other = try mesh.add("other")
        #expect(
            try mesh.run(seconds: 30) {
                [bo, ferry, other].allSatisfy { mesh.isLinked(ana, $0) } && mesh.isLinked(bo, ferry)
            })
        mesh.send("early", from: bo, to: ana)
        #expect(try mesh.run(seconds: 10) { ana.delivered.count == 1 })
        mesh.partition([[ana], [bo, ferry], [other]])
        mesh.send("late", from: bo, to: ana)
        try mesh.run(seconds: 30)
        mesh.partition([[ana], [bo], [ferry, other]])
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ferry, other) })
        try mesh.run(seconds: 60)
        mesh.partition([[ana], [bo], [ferry], [other]])
        try mesh.revoke(bo, reason: reason, at: ana)
        try mesh.run(seconds: 5)
        // Counted as they come in the one case, and from the store in the other.
        if reason == .lost { #expect(try mesh.status(of: ana)?.quarantined == 0) }
        mesh.partition([[ana, other], [bo], [ferry]])
        #expect(
            try mesh.run(seconds: 120) {
                ana.observations.contains { if case .quarantined = $0 { true } else { false } }
            })
        #expect(ana.delivered.map(\.text) == ["early"])
        let read = try inbox(of: ana, in: mesh)
        #expect(read.map(\.text) == ["early"])
        #expect(read.map(\.standing) == [.sinceRevoked])
        let kept = try quarantine(of: ana, in: mesh)
        #expect(kept.map(\.text) == (reason == .lost ? ["late"] : []))
        let all = try quarantine(of: ana, in: mesh, hidden: true)
        #expect(all.map(\.text) == ["late"])
        #expect(all.map(\.standing) == [reason == .lost ? .quarantined : .hidden])
        let status = try #require(try mesh.status(of: ana))
        #expect(status.inbox == 1)
        #expect(status.quarantined == 1)
    }

    @Test("The log is exported page by page: every entry, then every note, none twice")
    func exported() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        for name in ["bo", "cy", "dee"] { try mesh.revoke(mesh.add(name), reason: .retired, at: ana) }
        try mesh.run(seconds: 5)
        var found: [[UInt8]] = []
        var mark = ExportMark.entry(0)
        while true {
            mesh.command(.logExport(after: mark, limit: 2), at: ana)
            try mesh.run(seconds: 0)
            guard case .logExport(let page)? = ana.replies.last, let last = page.last else { break }
            found += page.map(\.bytes)
            // As it goes over the control socket.
            mark = try #require(ExportMark(parsing: last.mark.text))
        }
        let objects = try found.map { try Signed(parsing: $0) }
        #expect(Set(found).count == found.count)
        let audit = LogAudit(of: mesh.founding.genesis, objects, now: mesh.minute)
        #expect(audit.isSound)
        #expect(audit.notes == 3)
        #expect(UInt64(audit.entries) == UInt64(try #require(mesh.status(of: ana)?.logEntries)))
        for text in ["", "entry", "entry:", "entry:-1", "note:12", "suspend:12", "entry:1:2", "Entry:1"] {
            #expect(ExportMark(parsing: text) == nil)
        }
    }

    @Test("Two officers sign the same alone: nodes that met different copies first end with both, and of one mind")
    func copies() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 3))
        let lost = try mesh.enrol("lost")
        let others = try (0..<5).map { try mesh.enrol("other \($0)") }
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let field = mesh.founding.field
        func note(of host: TestMesh.Host, _ number: UInt32, by key: Int) -> RevokeNote {
            RevokeNote.make(
                RevokeNote.Content(
                    device: host.identity.id, reason: .retired, suspectSince: mesh.minute, issued: mesh.minute,
                    authority: field.authority, number: number),
                mesh: mesh.founding.mesh, keys: [field.current.keys[key]])
        }
        let copies = (0..<2).map { note(of: lost, 6, by: $0) }
        // A stolen key has said enough already for what it says last to suspend only.
        let spent = others.enumerated().map { note(of: $1, UInt32($0 + 1), by: 1) }
        for host in [ana, bo] { try mesh.begin(host) }
        try mesh.run(seconds: 5)
        mesh.partition([[ana], [bo]])
        try mesh.run(seconds: 5)
        submit([copies[0].signed], at: ana, in: mesh)
        submit((spent + [copies[1]]).map(\.signed), at: bo, in: mesh)
        try mesh.run(seconds: 5)
        func isRevoked(by host: TestMesh.Host) -> Bool {
            host.node?.roster.membership.isRevoked(lost.identity.id) ?? false
        }
        #expect(isRevoked(by: ana) && !isRevoked(by: bo))
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 300) { isRevoked(by: bo) })
        try mesh.run(seconds: 60)
        func check() throws {
            #expect(isRevoked(by: ana) && isRevoked(by: bo))
            let rows = [ana, bo].map { Set($0.store.all(.notes).map(\.key)) }
            #expect(rows[0] == Set((spent + copies).map(\.id.array)) && rows[0] == rows[1])
            for host in [ana, bo] {
                #expect(try mesh.status(of: host)?.notes == 7)
                var mark = ExportMark.note(NoteID())
                for _ in 0..<7 {
                    mesh.command(.logExport(after: mark, limit: 1), at: host)
                    try mesh.run(seconds: 0)
                    guard case .logExport(let page)? = host.replies.last, let last = page.last else { break }
                    mark = last.mark
                }
                #expect(mark == (spent + copies).map(\.id).max().map(ExportMark.note))
            }
        }
        try check()
        // Each asked for what only the other had, which is before any HELLO.
        for host in [ana, bo] { #expect(!host.linkEnds.contains(.protocolFault)) }
        for host in [ana, bo] { mesh.stop(host) }
        for host in [ana, bo] { try mesh.begin(host) }
        try check()
    }

    @Test("35: what a message's sender is: the table of the specification")
    func standings() {
        func standing(_ reason: RevocationReason, cameAfter: Bool, sent: UInt32) -> SenderStanding {
            SenderStanding(
                of: Revocation(notes: [], reason: reason, suspectSince: Minute(100)), cameAfter: cameAfter,
                sent: Minute(sent))
        }
        for reason in [RevocationReason.retired, .lost, .superseded, .policy] {
            #expect(standing(reason, cameAfter: false, sent: 200) == .sinceRevoked)
            #expect(standing(reason, cameAfter: true, sent: 50) == .quarantined)
        }
        #expect(standing(.compromised, cameAfter: false, sent: 99) == .sinceRevoked)
        #expect(standing(.compromised, cameAfter: false, sent: 100) == .compromisedThen)
        #expect(standing(.compromised, cameAfter: true, sent: 50) == .hidden)
        #expect(SenderStanding(of: nil, cameAfter: true, sent: Minute(0)) == .fine)
    }

    @Test("35: a device revokes itself, and its neighbours drop it")
    func itself() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: bo.identity.id, reason: .retired, suspectSince: mesh.minute, issued: mesh.minute),
            mesh: mesh.founding.mesh, keys: [bo.identity.signing])
        submit([note.signed], at: bo, in: mesh)
        #expect(try mesh.run(seconds: 10) { !mesh.isLinked(ana, bo) && ana.linkEnds.contains(.revoked) })
        try mesh.run(seconds: 200)
        #expect(!mesh.isLinked(ana, bo))
        mesh.send("still me", from: bo, to: ana)
        try mesh.run(seconds: 5)
        guard case .refused(.policy)? = bo.replies.last else {
            Issue.record("a device that revoked itself writes no more")
            return
        }
    }

    @Test("Notes of a device nobody knew are kept up to the bound once its certificate comes, and over a restart")
    func waited() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let late = try mesh.enrol("late")
        let notes = RevocationReason.allCases.map { reason in
            RevokeNote.make(
                RevokeNote.Content(
                    device: late.identity.id, reason: reason, suspectSince: mesh.minute, issued: mesh.minute),
                mesh: mesh.founding.mesh, keys: [late.identity.signing])
        }
        #expect(notes.count == 5)
        submit(notes.map(\.signed), at: ana, in: mesh)
        submit(mesh.entries.map(\.signed), at: ana, in: mesh)
        #expect(try mesh.status(of: ana)?.notes == 4)
        try mesh.run(seconds: 1)
        #expect(ana.store.all(.notes).count == 4)
        // A store that an earlier version wrote has the fifth as well.
        mesh.stop(ana)
        for note in notes { ana.store.put(.notes, note.hash.array, note.signed.bytes) }
        ana.store.commit()
        try mesh.begin(ana)
        try mesh.run(seconds: 1)
        #expect(try mesh.status(of: ana)?.notes == 4)
        #expect(ana.store.all(.notes).count == 4)
    }

    @Test("A note that earlier programs kept under the hash of its body goes to its id when the node starts")
    func earlierRow() throws {
        let mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let ana = try mesh.add("ana")
        let lost = try mesh.add("lost")
        mesh.stop(ana)
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: lost.identity.id, reason: .lost, suspectSince: mesh.minute, issued: mesh.minute,
                authority: mesh.founding.field.authority, number: 1),
            mesh: mesh.founding.mesh, keys: [mesh.founding.field.current.keys[0]])
        #expect(note.id.array != note.hash.array)
        for _ in 0..<2 {
            ana.store.put(.notes, note.hash.array, note.signed.bytes)
            ana.store.commit()
            try mesh.begin(ana)
            try mesh.run(seconds: 1)
            #expect(try mesh.status(of: ana)?.notes == 1)
            mesh.stop(ana)
            #expect(ana.store.all(.notes).map(\.key) == [note.id.array])
        }
    }

    @Test("What is handed over behind a gap is counted as waiting, and as known once it was taken")
    func behindAGap() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        try mesh.begin(ana, multicast: .off)
        let late = try mesh.enrol("late")
        try mesh.announceEpoch()
        let entries = mesh.entries.suffix(2).map(\.signed)
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: late.identity.id, reason: .retired, suspectSince: mesh.minute, issued: mesh.minute),
            mesh: mesh.founding.mesh, keys: [late.identity.signing])
        func counts(_ objects: [Signed]) throws -> LogSubmission? {
            submit(objects, at: ana, in: mesh)
            try mesh.run(seconds: 0)
            guard case .logSubmitted(let submission)? = ana.replies.last else { return nil }
            return submission
        }
        let held = LogSubmission(accepted: 0, known: 0, waiting: 2, refused: [])
        #expect(try counts([entries[1], note.signed]) == held)
        #expect(try counts([entries[1], note.signed]) == held)
        #expect(try counts([entries[0]]) == LogSubmission(accepted: 1, known: 0, waiting: 0, refused: []))
        let known = LogSubmission(accepted: 0, known: 2, waiting: 0, refused: [])
        #expect(try counts([entries[1], note.signed]) == known)
    }
}
