import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@Suite("Announcements between nodes")
struct AnnouncementMeshTests {
    let mesh: TestMesh
    let hosts: [TestMesh.Host]
    var desk: TestMesh.Host { hosts[0] }
    var medic: TestMesh.Host { hosts[1] }
    var ana: TestMesh.Host { hosts[2] }

    /// The desk may announce, the medic in an emergency only, ana not at all.
    init() throws {
        mesh = try TestMesh(field: KeysetShape(2, of: 2))
        let rights: [(String, Capabilities)] = [("desk", [.announce]), ("medic", [.urgent]), ("ana", [])]
        var made: [TestMesh.Host] = []
        for (name, more) in rights { made.append(try mesh.enrol(name, rights: Grant.member.union(more))) }
        hosts = made
        for host in hosts { try mesh.begin(host) }
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: desk)
        #expect(try mesh.run(seconds: 60) { mesh.areLinked(hosts[0], hosts[1], hosts[2]) })
    }

    func announce(
        _ text: String, at host: TestMesh.Host, _ change: (inout AnnouncementDraft) -> Void = { _ in }
    )
        throws -> Reply
    {
        var draft = AnnouncementDraft(text: text)
        change(&draft)
        return try ask(.announce(draft), host)
    }

    func ask(_ command: Command, _ host: TestMesh.Host) throws -> Reply {
        let before = host.replies.count
        mesh.command(command, at: host)
        try mesh.run(seconds: 5)
        return try #require(host.replies.count > before ? host.replies.last : nil)
    }

    func lines(_ host: TestMesh.Host) throws -> (lines: [AnnouncementLine], gaps: [AnnouncementGap]) {
        guard case .announcements(let lines, let gaps) = try ask(.announcements, host) else { return ([], []) }
        return (lines, gaps)
    }

    /// An announcement that no node of ours made, signed by its author's keys or by another's. One that is sealed with
    /// another seed is another envelope, and one that ends as another priority's would can be sealed with that too.
    func forged(
        _ text: String, by author: TestMesh.Host, number: UInt64 = 1, priority: Priority = .emergency,
        ttl: TTL = .day, endingAs other: Priority? = nil, sealedFor life: TTL? = nil, scope: Announcement.Scope = .all,
        signer: TestMesh.Host? = nil, seed: UInt64 = 1
    ) throws -> Envelope {
        let content = Announcement.Content(
            author: author.identity.id, scope: scope, sequence: number, issued: mesh.minute,
            expires: Hour.expiry(of: ttl, priority: other ?? priority, from: mesh.minute), severity: .alarm, text: text)
        let signing = (signer ?? author).identity.signing
        let announcement = try Announcement.make(content, mesh: mesh.founding.mesh, key: signing)
        let key = EpochKeys(try #require(mesh.epochs.last).key).announcement
        let random = SeededRandom(seed: seed)
        let envelope = try announcement.seal(priority: priority, ttl: ttl, key: key, random: random)
        guard let life else { return envelope }
        // Whoever holds the epoch's key puts the same words under a header of another life.
        let expiry = Hour.expiry(of: life, priority: priority, from: mesh.minute)
        let header = EnvelopeHeader(
            kind: .announcement, priority: priority, ttl: life, bucket: envelope.header.bucket, zone: .any,
            expiry: expiry, tag: RecipientTag(day: ExpiryDay(of: expiry), key: key.key, random: random),
            purgeCommit: envelope.header.purgeCommit)
        var padded = announcement.signed.bytes
        Padding.pad(&padded, to: header.bucket.size - EnvelopeHeader.byteCount - Nonce24.byteCount - 16)
        var bytes = header.withSpan { [UInt8](copying: $0) }
        header.withSpan {
            XChaCha20Poly1305.box(
                padded.span.bytes, ad: $0, key: key.key, nonce: Nonce24.random(from: random), to: &bytes)
        }
        return try Envelope(parsing: bytes)
    }

    /// What brings them to a neighbour, in the place of a host's node.
    func say(_ envelopes: [Envelope], as host: TestMesh.Host, to neighbour: TestMesh.Host) throws -> RawMember {
        mesh.stop(host)
        try mesh.run(seconds: 60)
        let member = try RawMember(mesh, host, linkedTo: neighbour)
        try member.open()
        for envelope in envelopes { try member.say(envelope, tokens: 255) }
        try member.stay(seconds: 60)
        return member
    }

    /// A host's node learns all that the authority signed.
    func tellAll(_ host: TestMesh.Host) throws {
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: host)
        try mesh.run(seconds: 5)
    }

    func refusals(_ host: TestMesh.Host) throws -> UInt64 {
        try #require(try mesh.status(of: host)).refusals.filter { $0.key.code == .announcement }.values.reduce(0, +)
    }

    @Test("Everybody reads what the desk announces, and which of its announcements counts now")
    func everybody() throws {
        guard case .announced(let first) = try announce("meet at noon", at: desk, { $0.severity = .advice }) else {
            Issue.record("the desk may announce")
            return
        }
        #expect(first.sequence == 1)
        _ = try announce("meet at one", at: desk) { $0.supersedes = 1 }
        for host in hosts {
            let read = try lines(host).lines
            #expect(read.map(\.text) == ["meet at one", "meet at noon"])
            #expect(read.map(\.state) == [.current, .superseded])
            #expect(read.allSatisfy { $0.label == "desk" && !$0.isReadByFormerMembers })
        }
    }

    @Test("Who may not announce is told so; who may in an emergency only, too")
    func rights() throws {
        guard case .refused(.policy) = try announce("hello", at: ana),
            case .refused(.policy) = try announce("hello", at: medic),
            case .refused(.policy) = try announce("hello", at: ana, { $0.priority = .emergency }),
            case .announced = try announce("cardiac arrest, hall 2", at: medic, { $0.priority = .emergency })
        else {
            Issue.record("ANNOUNCE for any, URGENT for emergencies")
            return
        }
        #expect(try lines(desk).lines.map(\.text) == ["cardiac arrest, hall 2"])
    }

    @Test("A number that did not come is shown as missing, until it comes")
    func gaps() throws {
        _ = try announce("one", at: desk)
        mesh.partition([[desk, medic], [ana]])
        _ = try announce("two", at: desk) {
            $0.ttl = .hour; $0.priority = .emergency
        }
        try mesh.run(seconds: 2 * 3600)
        _ = try announce("three", at: desk)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 120) { mesh.isLinked(ana, desk) })
        try mesh.run(seconds: 30)
        let read = try lines(ana)
        #expect(read.lines.map(\.text) == ["three", "one"])
        #expect(read.gaps.map(\.missing) == [[2]])
        #expect(try lines(medic).gaps.isEmpty)
        #expect(try lines(medic).lines.map(\.state) == [.current, .expired, .current])
    }

    @Test("Announcements are there after a restart, and numbers go on")
    func restart() throws {
        _ = try announce("one", at: desk)
        mesh.stop(desk)
        try mesh.begin(desk)
        #expect(try lines(desk).lines.map(\.text) == ["one"])
        guard case .announced(let second) = try announce("two", at: desk) else {
            Issue.record("announcing goes on")
            return
        }
        #expect(second.sequence == 2)
    }

    @Test("35: what a revoked device announced before stays, marked, the suspect apart; what it says after is void")
    func revoked() throws {
        _ = try announce("before", at: desk)
        try mesh.run(seconds: 600)
        let since = mesh.minute
        try mesh.run(seconds: 600)
        _ = try announce("suspect", at: desk)
        mesh.partition([[desk], [medic, ana]])
        try mesh.revoke(desk, reason: .compromised, since: since, at: medic)
        try mesh.run(seconds: 5)
        _ = try announce("after", at: desk)
        mesh.partition(nil)
        try mesh.run(seconds: 120)
        for host in [medic, ana] {
            #expect(try lines(host).lines.map(\.text) == ["suspect", "before"])
            #expect(try lines(host).lines.map(\.state) == [.authorCompromised, .authorRevoked])
        }
    }

    @Test("While a former member holds the network key emergencies go out when their author says so; others wait")
    func hold() throws {
        try mesh.revokeAlone(ana, at: medic)
        try mesh.run(seconds: 30)
        guard case .announced(let waiting) = try announce("wait", at: desk),
            case .announced = try announce(
                "too short", at: desk,
                {
                    $0.ttl = .hour; $0.priority = .bulk
                }),
            case .refused(.policy) = try announce("fire", at: desk, { $0.priority = .emergency }),
            case .announced(let line) = try announce(
                "fire", at: desk,
                {
                    $0.priority = .emergency
                    $0.isForFormerMembersToo = true
                })
        else {
            Issue.record("held back until it is confirmed")
            return
        }
        #expect(line.isReadByFormerMembers)
        #expect(waiting.state == .waiting && !waiting.isReadByFormerMembers)
        #expect(try lines(medic).lines.map(\.isReadByFormerMembers) == [true])
        // A day later, and after a restart, it still waits; then an authority announces.
        mesh.stop(desk)
        try mesh.begin(desk)
        try mesh.run(seconds: 86_400)
        #expect(try lines(medic).lines.map(\.text) == ["fire"])
        #expect(try lines(desk).lines.map(\.state) == [.current, .expired, .waiting])
        // The first number of another author is nothing to ours.
        guard
            case .announced = try announce(
                "smoke", at: medic,
                {
                    $0.priority = .emergency
                    $0.isForFormerMembersToo = true
                })
        else {
            Issue.record("the medic says so too")
            return
        }
        #expect(try lines(desk).lines.map(\.state) == [.current, .current, .expired, .waiting])
        _ = try mesh.announce(at: medic)
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(desk, medic) })
        try mesh.run(seconds: 60)
        let read = try lines(medic).lines
        #expect(read.map(\.text) == ["smoke", "fire", "wait"])
        #expect(read.map(\.isReadByFormerMembers) == [true, true, false])
        #expect(try lines(desk).lines.map(\.state) == [.current, .current, .expired, .current])
    }

    @Test("A former member is said to read what it can, also when its key is erased here", arguments: [false, true])
    func erased(isRevoked: Bool) throws {
        _ = try announce("one", at: desk)
        if isRevoked { try mesh.revokeAlone(ana, at: medic) }
        _ = try mesh.announce(at: medic)
        try mesh.run(seconds: 120)
        for host in hosts { mesh.stop(host) }
        mesh.skip(seconds: 31 * 86_400)
        for host in [desk, medic] { try mesh.begin(host) }
        try mesh.run(seconds: 120)
        #expect(medic.store.all(.epochs).count == 1)
        let read = try #require(try lines(medic).lines.first)
        #expect(read.state == .expired && read.isReadByFormerMembers == isRevoked)
    }

    @Test("Two texts under one number are shown as a contradiction, whichever came first")
    func equivocation() throws {
        let texts = try ["go left", "go right"].map { try forged($0, by: desk) }
        _ = try say(texts, as: desk, to: medic)
        for host in [medic, ana] {
            #expect(try lines(host).lines.map(\.state) == [.contradicted])
            #expect(host.warnings.contains { $0.contains("two announcements") })
        }
    }

    @Test("A contradiction that was proved while an announcement waited is shown when it has left")
    func contradictedWhileWaiting() throws {
        try mesh.revokeAlone(ana, at: medic)
        try mesh.run(seconds: 30)
        guard case .announced(let waiting) = try announce("wait", at: desk) else {
            Issue.record("it waits for the next network key")
            return
        }
        #expect(waiting.state == .waiting)
        _ = try say([forged("something else", by: desk, number: waiting.sequence)], as: medic, to: desk)
        #expect(try lines(desk).lines.map(\.state) == [.contradicted])
        try mesh.begin(medic)
        _ = try mesh.announce(at: desk)
        #expect(try mesh.run(seconds: 300) { mesh.isLinked(desk, medic) })
        try mesh.run(seconds: 60)
        #expect(try lines(medic).lines.map(\.text) == ["wait"])
        #expect(try lines(desk).lines.map(\.state) == [.contradicted])
    }

    @Test("A number that uses up all numbers is no trap: nothing more can be announced")
    func lastNumber() throws {
        let last = try forged("a copy of the key said this", by: desk, number: .max, priority: .normal)
        _ = try say([last], as: ana, to: desk)
        #expect(desk.warnings.contains { $0.contains("rolled back") })
        guard case .refused(.policy) = try announce("more", at: desk) else {
            Issue.record("the numbers are used up")
            return
        }
        #expect(try lines(desk).gaps.isEmpty)
    }
}
