import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@Suite("Members that mean harm")
struct HostileMemberTests {
    private func world() throws -> (mesh: TestMesh, ana: TestMesh.Host, mallory: TestMesh.Host) {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let mallory = try mesh.enrol("mallory")
        try mesh.begin(ana, multicast: .off)
        try mesh.run(seconds: 1)
        return (mesh, ana, mallory)
    }

    /// Ana learns of mallory from the entries that a third member brings: enrolled before, she has not heard of it.
    private func introduced() throws -> (mesh: TestMesh, ana: TestMesh.Host, mallory: TestMesh.Host) {
        let (mesh, ana, mallory) = try world()
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 1)
        return (mesh, ana, mallory)
    }

    @Test("Any time may stand in HELLO's clock", arguments: [Frame.Hello.mostClock, 0])
    func clock(_ clock: UInt64) throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open(clock: clock)
        try mesh.run(seconds: 10)
        #expect(try mesh.peers(of: ana).count == 1)
    }

    @Test("A peer that says again and again that it knows nothing is given the log once")
    func heads() throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        _ = try member.heard()
        try member.say(Frame.LogHeads([]), times: 200)
        let entries = try member.heard().filter { $0.type == .logPut }
            .flatMap { try Frame.LogPut(parsing: $0.body.span.bytes).items }
        #expect(entries.count == mesh.entries.count)
    }

    @Test("Entries that are asked for without end are given a burst at a time, bundles four a minute")
    func requests() throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open()
        let root = try #require(mesh.membership.heads.first)
        try member.say(Frame.LogGet(log: root.log, from: 1, most: .max), times: 1000)
        #expect(try member.heard().reduce(0) { $0 + $1.body.count } < 512 << 10)
        try member.say(
            Frame.BundleGet([Frame.BundleGet.Row](repeating: .init(device: ana.identity.id, have: 0), count: 800)))
        try member.say(Frame.BundleGet([.init(device: ana.identity.id, have: 0)]), times: 100)
        let bundles = try member.heard().filter { $0.type == .bundlePut }
            .flatMap { try Frame.BundlePut(parsing: $0.body.span.bytes).items }
        #expect(bundles.count == 4)
        try member.stay(seconds: 70)
        _ = try member.heard()
        try member.say(Frame.BundleGet([.init(device: ana.identity.id, have: 0)]))
        #expect(try member.heard().count { $0.type == .bundlePut } == 1)
        #expect(!member.isClosed)
    }

    @Test("LOG_GET of any range is answered with what there is")
    func ranges() throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open()
        let root = try #require(mesh.membership.heads.first)
        for (from, most) in [(UInt64.max, UInt16.max), (.max, 1), (.max, 0), (0, 0), (0, .max), (1, 0)] {
            try member.say(Frame.LogGet(log: root.log, from: from, most: most))
            #expect(try member.heard().allSatisfy { $0.type != .logPut })
        }
        try member.say(Frame.LogGet(log: LogID(), from: 1, most: 1))
        #expect(try member.heard().isEmpty)
    }

    @Test(
        "50: mail before both HELLOs, or with unequal notes, ends the link, and nothing of it is kept",
        arguments: [false, true])
    func early(saysHello: Bool) throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.sayHeads()
        var digest = try #require(try member.heard().last { $0.type == .digest }).body
        if saysHello {
            digest[digest.count - 1] ^= 1
            try member.say(.digest, digest)
            try member.say(RawMember.hello(clock: UInt64(mesh.minute.value) * 60_000))
            #expect(try !member.heard().contains { $0.type == .hello })
        } else {
            try member.say(.digest, digest)
            #expect(try member.heard().contains { $0.type == .hello })
        }
        #expect(!member.isClosed)
        let keys = EpochKeys(try #require(mesh.epochs.last).key)
        let content = Announcement.Content(
            author: mallory.identity.id, sequence: 1, issued: mesh.minute,
            expires: Hour.expiry(of: .day, priority: .normal, from: mesh.minute), severity: .alarm, text: "early")
        try member.say(
            Announcement.make(content, mesh: mesh.founding.mesh, key: mallory.identity.signing).seal(
                priority: .normal, ttl: .day, key: keys.announcement, random: SeededRandom(seed: 1)))
        #expect(member.isClosed && ana.linkEnds == [.protocolFault])
        #expect(try mesh.status(of: ana)?.held == 0)
    }

    @Test("Numbers of strangers make no end of causes")
    func causes() throws {
        let (mesh, ana, _) = try world()
        for size in 0..<600 {
            let peer = mesh.connect(to: ana)
            mesh.post(.received(peer.connection, [UInt8(size >> 8), UInt8(size & 0xFF), 1, 0]), to: ana)
            try mesh.run(seconds: 1)
        }
        let refusals = try #require(try mesh.status(of: ana)?.refusals)
        #expect(refusals.count <= 257)
        #expect(refusals.values.reduce(0, +) == 600)
    }

    @Test("One device has a few links at once, and all together have as many as there are places")
    func places() throws {
        let (mesh, ana, mallory) = try introduced()
        var links: [RawMember] = []
        for _ in 0..<3 { links.append(try RawMember(mesh, mallory, linkedTo: ana)) }
        let fourth = try RawMember(mesh, mallory, linkedTo: ana)
        #expect(fourth.isClosed)
        #expect(links.allSatisfy { !$0.isClosed })
        let crowd = try (0..<21).map { try mesh.enrol("member \($0)") }
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        for device in crowd { links.append(try RawMember(mesh, device, linkedTo: ana)) }
        #expect(links.allSatisfy { !$0.isClosed })
        #expect(try mesh.peers(of: ana).count == 24)
        let late = mesh.connect(to: ana)
        try mesh.run(seconds: 0)
        #expect(late.isClosed)
        // Places are free again once the ten seconds for getting open are over.
        try mesh.run(seconds: 11)
        #expect(try mesh.peers(of: ana).isEmpty)
    }

    @Test("A run of the notes that is begun again at once goes on after the pause between SUMMARYs")
    func notesAgain() throws {
        let (mesh, ana, mallory) = try introduced()
        let member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.sayHeads()
        var digest = try #require(try member.heard().last { $0.type == .digest }).body
        digest[digest.count - 1] ^= 1
        try member.say(.digest, digest)
        var summary = try #require(try member.heard().last { $0.type == .summary }).body
        // `ns 1 | T0 3 | count 1 | fp 8 ...`: no notes on either side, and a fingerprint that is not that of none.
        summary[5] ^= 1
        try member.say(.summary, summary)
        // As if our set had changed meanwhile: begun anew, less than two seconds after the first SUMMARY.
        try member.say(.digest, digest)
        #expect(try !member.heard().contains { $0.type == .summary })
        try mesh.run(seconds: 3)
        #expect(try member.heard().contains { $0.type == .summary })
    }

    @Test("Who brings the keys a message waited for is not to blame when our own store has no room for it")
    func noRoom() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        let cy = try mesh.enrol("cy")
        try mesh.begin(ana, multicast: .off, quota: 8192)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        for number in 0..<3 { mesh.send("for bo, \(number)", from: ana, to: bo) }
        mesh.send("for cy", from: ana, to: cy)
        try mesh.run(seconds: 5)
        #expect(ana.replies.contains { if case .sent(_, .waitingForKeys) = $0 { true } else { false } })
        #expect(bo.delivered.count == 2, "half of 8 KiB is room for two of 2 KiB")
        try mesh.begin(cy, peers: [ana], multicast: .off)
        try mesh.run(seconds: 30)
        #expect(mesh.isLinked(ana, bo) && mesh.isLinked(ana, cy))
        #expect(ana.linkEnds.isEmpty)
        #expect(try mesh.status(of: ana)?.waiting == 1)
    }

    @Test("The keys of a revoked device are given up, and links fall quiet although some never had them")
    func quiet() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let lost = try mesh.add("lost")
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, lost) })
        try mesh.run(seconds: 10)
        try mesh.revoke(lost, reason: .lost, at: ana)
        try mesh.run(seconds: 10)
        mesh.stop(lost)
        let late = try mesh.add("late")
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, late) })
        try mesh.run(seconds: 1200)
        let before = mesh.bytesTo["late", default: 0]
        try mesh.run(seconds: 1200)
        // Pings each 15 s, and some digests.
        #expect(mesh.bytesTo["late", default: 0] - before < 20_000)
    }
}
