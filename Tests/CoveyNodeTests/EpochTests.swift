import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// protocol.md §1.10 and §7.2, items 42 and 51.
@Suite("Network epochs among nodes")
struct EpochMeshTests {
    /// How many network keys a host holds.
    private func held(_ host: TestMesh.Host) -> Int { host.store.all(.epochs).count }

    private func pair() throws -> (mesh: TestMesh, ana: TestMesh.Host, bo: TestMesh.Host) {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        return (mesh, ana, bo)
    }

    @Test("51: a key that no announcement commits to, or another's, is not taken")
    func otherKey() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let mallory = try mesh.enrol("mallory")
        try mesh.begin(ana, multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open()
        let announced = try #require(mesh.epochs.last)
        let random = SeededRandom(seed: 4)
        for entry in [announced.entry, EntryID.random(from: random)] {
            try member.say(Frame.EpochKey(entry: entry, key: EpochKey(from: random)))
        }
        #expect(held(ana) == 1)
        #expect(try mesh.status(of: ana)?.refusals[.epochKey] == 2)
        #expect(!member.isClosed)
    }

    @Test("51: who lacks a note that an announcement covers hands its key to nobody, and to everybody once it has it")
    func covered() throws {
        let (mesh, ana, bo) = try pair()
        let lost = try mesh.enrol("lost")
        let note = try mesh.revokeUntold(lost, reason: .lost)
        try mesh.announceEpoch()
        let epoch = try #require(mesh.epochs.last)
        mesh.command(
            .logSubmit(
                mesh.entries.map(\.signed.bytes), epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)]),
            at: ana)
        try mesh.run(seconds: 120)
        #expect(held(ana) == 2 && held(bo) == 1)
        #expect(mesh.isLinked(ana, bo))
        mesh.command(.logSubmit([note.signed.bytes], epochKeys: []), at: ana)
        try mesh.run(seconds: 2)
        #expect(held(bo) == 2)
    }

    @Test("51: a device whose revocation was just learnt is shown the door, not the key that shuts it out")
    func revoked() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let gone = try mesh.enrol("gone")
        try mesh.begin(ana, multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        let member = try RawMember(mesh, gone, linkedTo: ana)
        try member.open()
        try mesh.revoke(gone, reason: .compromised, at: ana)
        try mesh.run(seconds: 60)
        #expect(member.isClosed && held(ana) == 2)
        #expect(try !member.heard().contains { $0.type == .epochKey })
        // Nor does it get in again under the key that it has.
        let again = Caller(mesh, ana, link: gone.identity.link)
        _ = try again.knock(EpochKeys(mesh.epochs[0].key).psk.key, isAhead: true)
        #expect(again.peer.received.isEmpty && again.peer.isClosed)
    }

    @Test("42: thirty days after its successor came a key is erased, and whoever knocks with it draws no answer")
    func grace() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        try mesh.begin(ana, multicast: .off)
        let old = EpochKeys(mesh.epochs[0].key).psk.key
        _ = try mesh.announce(at: ana)
        try mesh.run(seconds: 29 * 86_400)
        #expect(held(ana) == 2)
        let key = AgreementPrivateKey(from: SeededRandom(seed: 1))
        let late = Caller(mesh, ana, link: key)
        _ = try late.knock(old)
        #expect(Array(late.peer.received.prefix(4)) == [0, 66, PacketKind.first.rawValue, 1], "the roles turn")
        try mesh.run(seconds: 2 * 86_400)
        #expect(held(ana) == 1)
        let tooLate = Caller(mesh, ana, link: key)
        _ = try tooLate.knock(old)
        #expect(tooLate.peer.received.isEmpty && tooLate.peer.isClosed)
        // Erased for good.
        mesh.stop(ana)
        try mesh.begin(ana, multicast: .off)
        try mesh.run(seconds: 60)
        #expect(held(ana) == 1)
    }

    @Test("42: a peer that heard of the successor a day later does not bring an erased key back")
    func erasedTogether() throws {
        let (mesh, ana, bo) = try pair()
        func stayOff(days: Double) throws {
            try mesh.run(seconds: 60)
            try mesh.stayOff([ana, bo], seconds: UInt64(days * 86_400))
            try mesh.run(seconds: 600)
        }
        mesh.partition([[ana], [bo]])
        _ = try mesh.announce(at: ana)
        try stayOff(days: 1)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 1200) { held(bo) == 2 })
        try stayOff(days: 14)
        _ = try mesh.announce(at: ana)
        // On the thirty-first day the one has erased the first key, the other not yet, and they are linked.
        try stayOff(days: 15.5)
        #expect(mesh.isLinked(ana, bo) && held(ana) == 2 && held(bo) == 3)
        try stayOff(days: 1)
        #expect(held(ana) == 2 && held(bo) == 2)
        for days in [18, 20] as [Double] {
            _ = try mesh.announce(at: ana)
            try stayOff(days: days)
        }
        let live = Set(mesh.epochs.suffix(2).map { $0.key.commit.array })
        for host in [ana, bo] { #expect(Set(host.store.all(.epochs).map(\.key)) == live) }
    }

    @Test("Thirty-two keys are held at most: of forty the newest, whatever their grace")
    func many() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        try mesh.begin(ana, multicast: .off)
        for _ in 0..<39 { _ = try mesh.announce(at: ana) }
        try mesh.run(seconds: 120)
        #expect(held(ana) == 32)
        let kept = Set(ana.store.all(.epochs).map(\.key))
        #expect(kept == Set(mesh.epochs.suffix(32).map { $0.key.commit.array }))
        #expect(try mesh.status(of: ana)?.epoch == 40)
    }

    @Test("Two partitions that each announced an epoch meet, hold both, and go on under the same one")
    func concurrent() throws {
        let (mesh, ana, bo) = try pair()
        let other = try mesh.appoint()
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 5)
        mesh.partition([[ana], [bo]])
        let west = try mesh.announce(at: ana)
        let keys = mesh.epochs
        _ = mesh.work(at: other)
        let east = try mesh.announce(at: bo)
        #expect(west.number == east.number && west.commit != east.commit)
        try mesh.run(seconds: 600)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 1800) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 200)
        for host in [ana, bo] {
            #expect(held(host) == 3)
            #expect(try mesh.status(of: host)?.isHolding == false)
        }
        let preferred = min(west.commit, east.commit)
        let key = EpochKeys(try #require((keys + mesh.epochs).first { $0.key.commit == preferred }).key)
        // Beacons are sent under it by both: whoever holds it opens them.
        let start = mesh.datagrams.count
        try mesh.run(seconds: 900)
        let opened = mesh.datagrams[start...].filter {
            (try? UnverifiedBeacon(opening: $0.bytes.span.bytes, key: key.beacon)) != nil
        }
        #expect(Set(opened.map(\.from)) == [ana.address, bo.address])
    }

    @Test("In HOLD beacons are of 24 bytes, two minutes apart, without end, until the note is lifted")
    func hold() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let lost = try mesh.enrol("lost")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 60)
        #expect(mesh.datagrams.last?.bytes.count == 220)
        try mesh.revokeAlone(lost, at: ana)
        try mesh.run(seconds: 10)
        #expect(try mesh.status(of: ana)?.isHolding == true)
        for _ in 0..<3 {
            let start = mesh.datagrams.count
            try mesh.run(seconds: 6 * 3600)
            let sent = mesh.datagrams[start...]
            #expect(sent.allSatisfy { $0.bytes.count == 24 })
            #expect((90...180).contains(sent.count))
        }
        let note = try #require(mesh.notesSoFar.last).hash
        _ = try mesh.decide([NoteVerdict(note: note, decision: .lifted)], at: ana)
        try mesh.run(seconds: 600)
        #expect(try mesh.status(of: ana)?.isHolding == false)
        #expect(mesh.datagrams.last?.bytes.count == 220)
    }

    @Test("In HOLD links go on, new ones come up, and mail is written and read; a clean epoch ends it for all")
    func emergency() throws {
        let (mesh, ana, bo) = try pair()
        let lost = try mesh.enrol("lost")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 5)
        try mesh.revokeAlone(lost, at: ana)
        try mesh.run(seconds: 5)
        for host in [ana, bo] { #expect(try mesh.status(of: host)?.isHolding == true) }
        mesh.partition([[ana], [bo]])
        try mesh.run(seconds: 60)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 600) { mesh.isLinked(ana, bo) })
        mesh.send("go on", from: ana, to: bo)
        #expect(try mesh.run(seconds: 30) { bo.delivered.map(\.text) == ["go on"] })
        _ = try mesh.announce(at: bo)
        try mesh.run(seconds: 5)
        for host in [ana, bo] {
            #expect(try mesh.status(of: host)?.isHolding == false)
            #expect(held(host) == 2)
        }
    }
}
