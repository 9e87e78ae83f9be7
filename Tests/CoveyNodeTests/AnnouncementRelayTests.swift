import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import CoveyRouting
import Testing

/// What nodes take in and hand on of announcements that others bring (protocol.md §3.3, §7.2 item 81).
extension AnnouncementMeshTests {
    @Test("81: an emergency of one who may not announce goes no further; it is asked for again once its author may")
    func capability() throws {
        let envelope = try forged("run", by: ana)
        let courier = try say([envelope], as: ana, to: medic)
        #expect(try mesh.status(of: medic)?.held == 0)
        #expect(try mesh.status(of: desk)?.held == 0)
        #expect(try refusals(medic) == 1)
        // Brought again, it is not even opened.
        try courier.say(envelope, tokens: 255)
        #expect(try refusals(medic) == 1)
        #expect(try mesh.status(of: medic)?.ghosts == 1)
        try mesh.renewUntold(ana.identity.id, rights: Grant.member.union(.urgent))
        _ = try courier.heard()
        try tellAll(medic)
        #expect(try courier.heard().contains { $0.type == .digest })
        try courier.say(envelope, tokens: 255)
        try mesh.run(seconds: 5)
        for host in [medic, desk] { #expect(try lines(host).lines.map(\.text) == ["run"]) }
    }

    @Test("81: an emergency of an unknown author goes no further; it is asked for again once its certificate comes")
    func unknownAuthor() throws {
        let courier = try say([], as: ana, to: medic)
        let late = try mesh.enrol("late", rights: Grant.member.union(.urgent))
        let envelope = try forged("hall 3", by: late)
        try courier.say(envelope, tokens: 255)
        try courier.stay(seconds: 60)
        #expect(try mesh.status(of: medic)?.held == 0)
        #expect(try mesh.status(of: desk)?.held == 0)
        _ = try courier.heard()
        try tellAll(medic)
        #expect(try courier.heard().contains { $0.type == .digest })
        try courier.say(envelope, tokens: 255)
        try mesh.run(seconds: 5)
        for host in [medic, desk] { #expect(try lines(host).lines.map(\.text) == ["hall 3"]) }
    }

    /// Its members cannot suspend the desk, which has ANNOUNCE. The medic has URGENT only.
    private func suspendMedic(at host: TestMesh.Host) {
        let asked = [(desk, 10), (ana, 11)].map { signer, minutes in
            Suspend.make(
                of: medic.identity.id, reason: .lost, issued: mesh.minute, until: mesh.minute.adding(minutes),
                mesh: mesh.founding.mesh, key: signer.identity.signing)
        }
        mesh.command(.logSubmit(asked.map(\.signed.bytes), epochKeys: []), at: host)
    }

    @Test("What an author announces while it is suspended is not read, and is when the suspension ends")
    func suspended() throws {
        let courier = try say([], as: desk, to: ana)
        suspendMedic(at: ana)
        #expect(try mesh.run(seconds: 5) { !mesh.isLinked(medic, ana) })
        let envelope = try forged("hall 2", by: medic)
        try courier.say(envelope, tokens: 255)
        try courier.stay(seconds: 60)
        #expect(try lines(ana).lines.isEmpty)
        #expect(try mesh.status(of: ana)?.held == 0)
        try courier.stay(seconds: 660)
        #expect(!courier.isClosed)
        try courier.say(envelope, tokens: 255)
        try mesh.run(seconds: 5)
        #expect(try lines(ana).lines.map(\.text) == ["hall 2"])
    }

    @Test("An emergency that others heard before its author was suspended comes when the suspension ends")
    func heardElsewhere() throws {
        mesh.partition([[desk, medic], [ana]])
        _ = try announce("hall 6", at: medic) { $0.priority = .emergency }
        mesh.stop(medic)
        suspendMedic(at: desk)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(desk, ana) })
        try mesh.run(seconds: 60)
        #expect(try lines(desk).lines.count == 1)
        #expect(try lines(ana).lines.isEmpty)
        #expect(try mesh.status(of: ana)?.ghosts == 1)
        try mesh.run(seconds: 660)
        #expect(try lines(ana).lines.map(\.text) == ["hall 6"])
    }

    @Test("81: a forged emergency is refused for good, whatever entries come")
    func forgedSignature() throws {
        let envelope = try forged("run", by: desk, signer: ana)
        let courier = try say([envelope], as: ana, to: medic)
        #expect(try refusals(medic) == 1)
        _ = try mesh.enrol("late")
        try tellAll(medic)
        try courier.say(envelope, tokens: 255)
        #expect(try refusals(medic) == 1)
        #expect(try mesh.status(of: medic)?.held == 0)
        #expect(try mesh.status(of: medic)?.ghosts == 1)
    }

    @Test("81: what is sealed again for longer than it lives by its own words is refused, or carried and never read")
    func longerLife() throws {
        let courier = try say([try forged("run", by: desk, sealedFor: .week)], as: ana, to: medic)
        #expect(try refusals(medic) == 1)
        #expect(try mesh.status(of: medic)?.held == 0)
        try courier.say(
            try forged("news", by: desk, number: 2, priority: .normal, sealedFor: .week, seed: 2), tokens: 255)
        try mesh.run(seconds: 5)
        for host in [medic, desk] {
            #expect(try mesh.status(of: host)?.held == 1)
            #expect(try lines(host).lines.isEmpty)
        }
    }

    @Test("81: emergencies that could not be opened are checked when their key comes", arguments: [false, true])
    func openedLater(isForged: Bool) throws {
        let courier = try say([], as: ana, to: medic)
        try mesh.announceEpoch()
        let envelope = try forged("hall 4", by: desk, signer: isForged ? ana : nil)
        try courier.say(envelope, tokens: 255)
        try courier.stay(seconds: 10)
        #expect(try mesh.status(of: medic)?.held == 1)
        let (entry, last) = (try #require(mesh.entries.last), try #require(mesh.epochs.last))
        mesh.command(
            .logSubmit([entry.signed.bytes], epochKeys: [EpochKeySubmission(entry: last.entry, key: last.key)]),
            at: medic)
        try mesh.run(seconds: 5)
        #expect(try lines(medic).lines.count == (isForged ? 0 : 1))
        #expect(try mesh.status(of: medic)?.held == (isForged ? 0 : 1))
        #expect(try refusals(medic) == (isForged ? 1 : 0))
    }

    @Test(
        "81: an emergency for others is handed on once for each number, not shown, and no gap",
        arguments: [Announcement.Scope.zone(4), .group(Octets16())])
    func scope(_ scope: Announcement.Scope) throws {
        let four = try mesh.enrol("four", zones: [4])
        let five = try mesh.enrol("five", zones: [5])
        for host in [four, five] { try mesh.begin(host) }
        try tellAll(desk)
        #expect(try mesh.run(seconds: 60) { mesh.areLinked(desk, four, five) })
        _ = try announce("one", at: desk)
        let sealed = try (1...3).map { try forged("of others", by: desk, number: 2, scope: scope, seed: $0) }
        _ = try say(sealed, as: ana, to: five)
        _ = try announce("three", at: desk)
        #expect(try mesh.status(of: five)?.held == 3)
        #expect(try lines(five).lines.map(\.text) == ["three", "one"])
        #expect(try lines(five).gaps.isEmpty)
        #expect(try lines(four).lines.contains { $0.text == "of others" } == (scope == .zone(4)))
        // Its number is used, for whomever it was.
        #expect(desk.warnings.contains { $0.contains("rolled back") })
        #expect(try lines(desk).lines.map(\.sequence) == [3, 2, 1])
    }

    @Test("What an announcement replaces stays current for those whom the new one is not for")
    func supersededForOthers() throws {
        let four = try mesh.enrol("four", zones: [4])
        try mesh.begin(four)
        try tellAll(desk)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(desk, four) })
        _ = try announce("meet at noon", at: desk)
        _ = try announce("meet at one", at: desk) {
            $0.scope = .zone(4)
            $0.supersedes = 1
        }
        #expect(try lines(four).lines.map(\.state) == [.current, .superseded])
        #expect(try lines(medic).lines.map(\.state) == [.current])
    }

    @Test("An announcement that has ended before it comes is neither kept nor shown")
    func ended() throws {
        let envelope = try forged("too late", by: desk, ttl: .hour)
        try mesh.run(seconds: 7200)
        let courier = try say([envelope], as: ana, to: medic)
        #expect(try mesh.status(of: medic)?.refusals[.envelope(.expired)] == 1)
        #expect(try mesh.status(of: medic)?.held == 0)
        #expect(try lines(medic).lines.isEmpty)
        #expect(!courier.isClosed)
    }

    @Test("An announcement that there is no room for is read all the same", arguments: [Priority.emergency, .normal])
    func noRoom(_ priority: Priority) throws {
        mesh.stop(ana)
        try mesh.begin(ana, quota: 100)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, desk) })
        _ = try announce("hall 5", at: desk) { $0.priority = priority }
        #expect(try lines(ana).lines.map(\.text) == ["hall 5"])
        #expect(try mesh.status(of: ana)?.held == 0)
    }

    @Test("An emergency that there was no room for is carried and handed on when there is, also after a restart")
    func roomLater() throws {
        mesh.stop(medic)
        try mesh.begin(medic, quota: 100)
        let (envelope, again) = (try forged("run", by: desk), try forged("run", by: desk, seed: 2))
        let first = try say([envelope], as: ana, to: medic)
        #expect(try lines(medic).lines.map(\.text) == ["run"])
        #expect(try mesh.status(of: medic)?.held == 0)
        #expect(try mesh.status(of: medic)?.ghosts == 0)
        #expect(!first.isClosed)
        mesh.stop(medic)
        try mesh.begin(medic)
        // Another envelope of what is carried, or was, is not needed, before a restart and after it.
        let second = try say([envelope, again], as: ana, to: medic)
        #expect(try mesh.status(of: medic)?.held == 1)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(desk, medic) })
        #expect(try lines(desk).lines.map(\.state) == [.current])
        #expect(!second.isClosed)
        mesh.stop(medic)
        try mesh.begin(medic)
        _ = try say([again], as: ana, to: medic)
        #expect(try mesh.status(of: medic)?.held == 1)
    }

    @Test("An emergency that a member sealed anew as less goes on all the same", arguments: [Priority.bulk, .normal])
    func demoted(to priority: Priority) throws {
        let copy = try forged("run", by: desk, priority: priority, ttl: .week, seed: 2)
        let envelope = try forged("run", by: desk, ttl: .week, endingAs: priority)
        _ = try say([copy, envelope], as: ana, to: medic)
        try mesh.run(seconds: 5)
        for host in [medic, desk] {
            #expect(try mesh.status(of: host)?.held == 2)
            #expect(try lines(host).lines.map(\.priority) == [.emergency])
        }
        // It is said again, now that it is known to be one; not once for each copy.
        let said = medic.observations.compactMap { if case .announced(let line) = $0 { line.priority } else { nil } }
        #expect(said == [priority, .emergency])
        for host in [medic, desk] { mesh.stop(host) }
        for host in [medic, desk] { try mesh.begin(host) }
        #expect(try lines(medic).lines.map(\.priority) == [.emergency])
    }

    @Test("An emergency that a member sealed anew comes from others when that copy goes with its bringer's membership")
    func sealedAnewByOneRevoked() throws {
        let copy = try forged("run", by: desk, seed: 2)
        let envelope = try forged("run", by: desk)
        mesh.stop(desk)
        _ = try say([copy, envelope], as: ana, to: medic)
        #expect(medic.store.known().held.map(\.id) == [copy.id])
        #expect(try mesh.status(of: medic)?.ghosts == 1)
        try mesh.revoke(ana, reason: .lost, at: medic)
        try mesh.run(seconds: 5)
        #expect(try mesh.status(of: medic)?.held == 0)
        _ = try say([copy, envelope], as: desk, to: medic)
        #expect(medic.store.known().held.map(\.id) == [envelope.id])
        #expect(try lines(medic).lines.map(\.text) == ["run"])
    }

    @Test("Forged emergencies leave nothing on the disk, and no more in memory than their neighbour may bring")
    func manyForged() throws {
        let courier = try say([], as: ana, to: medic)
        let most = Int(Allowance.burstEnvelopes)
        for seed in 1...UInt64(most + 20) {
            try courier.say(forged("run", by: desk, signer: ana, seed: seed), tokens: 255)
        }
        #expect(medic.store.known().ghosts.count == 0)
        #expect(try mesh.status(of: medic)?.ghosts == most)
        #expect(!courier.isClosed)
        // Nor does what it brings keep out what another would.
        mesh.stop(medic)
        try mesh.begin(medic)
        #expect(try mesh.status(of: medic)?.ghosts == 0)
    }

    @Test("Of ghosts only so many are known as there may be mail: those that end first go")
    func manyGhosts() throws {
        mesh.stop(medic)
        let known = (1...100).map { number in
            Ghost(
                id: EnvelopeID.random(from: SeededRandom(seed: UInt64(number))),
                expiry: mesh.minute.hour.adding(Int64(number + 10)), ttlHours: 6, priority: .normal, reason: .evicted)
        }
        for ghost in known { medic.store.insert(ghost) }
        medic.store.commit()
        try mesh.begin(medic, quota: 64 << 7)
        try mesh.run(seconds: 120)
        #expect(try mesh.status(of: medic)?.ghosts == 64)
    }

    @Test("What was refused is not looked at again whenever certificates come; what was read is not either")
    func onceOnly() throws {
        let envelopes = [
            try forged("forged", by: desk, priority: .normal, signer: ana),
            try forged("no right", by: ana, priority: .normal),
        ]
        _ = try say(envelopes, as: ana, to: medic)
        #expect(try mesh.status(of: medic)?.held == 2)
        #expect(try refusals(medic) == 2)
        for name in ["late", "later"] {
            _ = try mesh.enrol(name)
            try tellAll(medic)
        }
        #expect(try refusals(medic) == 2)
        // What lacked a right was carried all the same, and is read when its author gets it.
        try mesh.renewUntold(ana.identity.id, rights: Grant.member.union(.announce))
        try tellAll(medic)
        #expect(try lines(medic).lines.map(\.text) == ["no right"])
    }
}
