import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// protocol.md §1.7: catch-up links, inclusion, provisional admission; §2.2: chains by hash. §7.2, items 31, 44 and 50.
@Suite("Halves of a mesh whose logs parted both ways")
struct DivergedLogTests {
    /// Whose authorities were appointed when the halves had parted already.
    enum Appointed {
        case none, east
        /// By an authority of each half, which had written something else before.
        case both
    }

    /// Two desks have worked for two weeks without hearing of each other: each has enrolled and revoked, and last of all
    /// enrolled one who meets the other side.
    private struct Halves {
        let mesh: TestMesh
        let west: TestMesh.Host
        let east: TestMesh.Host
        let westEntries: [LogEntry]
        let eastEntries: [LogEntry]
        /// Notes that one half signed.
        let notes: Set<NoteHash>

        /// The desk of the east is the one at work in the end.
        ///
        /// - Parameter hasEpochs: both sides have announced epochs of their own.
        init(
            root: KeysetShape = .single, field: KeysetShape = .single, late: Appointed = .none, hasEpochs: Bool = true
        ) throws {
            mesh = try TestMesh(root: root, field: field)
            _ = try mesh.enrol("before")
            let atEast: TestMesh.Desk
            switch late {
            case .none, .east: atEast = try mesh.appoint(field: field, isToldHere: late == .none)
            case .both:
                let regions = (try mesh.appoint(Mandate(depth: 1)), try mesh.appoint(Mandate(depth: 1)))
                atEast = try mesh.appoint(by: regions.0.authority, isToldHere: false, isBehindGap: true)
                let atWest = try mesh.appoint(by: regions.1.authority, isToldHere: false, isBehindGap: true)
                _ = mesh.work(at: atWest)
            }
            (west, westEntries) = try Self.live(mesh, "west", hasEpochs)
            var notes = Set(mesh.notesSoFar.map(\.hash))
            _ = mesh.work(at: atEast)
            (east, eastEntries) = try Self.live(mesh, "east", hasEpochs)
            notes.formUnion(mesh.notesSoFar.map(\.hash))
            self.notes = notes
        }

        private static func live(
            _ mesh: TestMesh, _ side: String, _ hasEpochs: Bool
        ) throws -> (newcomer: TestMesh.Host, entries: [LogEntry]) {
            for number in 0..<3 {
                let host = try mesh.enrol("\(side) \(number)")
                mesh.skip(seconds: 2 * 86_400)
                if number == 0 { try mesh.revokeUntold(host, reason: .retired) }
                if hasEpochs { try mesh.announceEpoch() }
            }
            return (try mesh.enrol("newcomer in the \(side)"), mesh.entries)
        }
    }

    private func log(of host: TestMesh.Host, _ mesh: TestMesh) throws -> Set<EntryID> {
        mesh.command(.logList(after: 0, limit: 500), at: host)
        try mesh.run(seconds: 0)
        guard case .logList(let lines)? = host.replies.last else { return [] }
        return Set(lines.map(\.head.id))
    }

    private func notes(of host: TestMesh.Host) -> Set<NoteHash> {
        Set(host.observations.compactMap { if case .noteLearnt(let hash, _) = $0 { hash } else { nil } })
    }

    @Test(
        "Two newcomers of either half, alone: neither is in the other's log, and soon both have all of both and write",
        arguments: [Appointed.none, .east, .both])
    func newcomers(late: Appointed) throws {
        let halves = try Halves(late: late)
        let (mesh, west, east) = (halves.mesh, halves.west, halves.east)
        // By beacons alone, although neither can tell whose the other's are.
        try mesh.begin(west)
        try mesh.begin(east)
        #expect(try mesh.run(seconds: 600) { mesh.isLinked(west, east) })
        for host in [west, east] {
            let ways = host.observations.compactMap {
                if case .linkUp(_, _, let isCatchUp) = $0 { isCatchUp } else { nil }
            }
            #expect(ways == [true], "it was let in provisionally, and the link became a member's")
            #expect(host.linkEnds.isEmpty)
        }
        let all = Set((halves.westEntries + halves.eastEntries).map(\.id))
        #expect(try log(of: west, mesh) == all && log(of: east, mesh) == all)
        #expect(notes(of: west).isSuperset(of: halves.notes.subtracting(notes(of: east))))
        mesh.send("we are one again", from: west, to: east)
        #expect(try mesh.run(seconds: 30) { east.delivered.map(\.text) == ["we are one again"] })
        // Both hold the epochs of both halves.
        for host in [west, east] { #expect(host.store.all(.epochs).count == 7) }
    }

    @Test("Of beacons of devices that no entry names, four a minute are answered, at the address they came from only")
    func beacons() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        try mesh.begin(ana, multicast: .on)
        try mesh.run(seconds: 60)
        let epoch = EpochKeys(try #require(mesh.epochs.last).key)
        let random = SeededRandom(seed: 3)
        func beacon(listing listed: SocketAddress, from source: SocketAddress) {
            let beacon = LANBeacon(
                flags: [], epoch: epoch.prefix, wallTime: mesh.minute, device: DeviceID.random(from: random),
                instance: Octets8(), sequence: 1, tcpPort: listed.port, addresses: [listed], degree: 0, freeSlots: 24,
                controlDigest: Octets8(), meshDigest: Octets8())
            let bytes = beacon.sealed(
                key: epoch.beacon, nonce: Nonce24.random(from: random), signer: SigningPrivateKey(from: random),
                mesh: mesh.founding.mesh)
            mesh.post(.datagram(bytes, from: source, interface: 1), to: ana)
        }
        func dialled() -> Set<SocketAddress> {
            Set(ana.observations.compactMap { if case .dialling(let address) = $0 { address } else { nil } })
        }
        let victim = SocketAddress(v4: 10, 7, 7, 7, port: 80)
        beacon(listing: victim, from: SocketAddress(v4: 10, 6, 0, 1, port: 5000))
        try mesh.run(seconds: 30)
        #expect(dialled().isEmpty)
        for number in 1...50 as ClosedRange<UInt8> {
            let address = SocketAddress(v4: 10, 6, 0, number, port: 5000)
            beacon(listing: address, from: address)
        }
        try mesh.run(seconds: 30)
        #expect(dialled().count == 4)
        // A former member may hold a tainted key, and say what it likes.
        let lost = try mesh.enrol("lost")
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.revoke(lost, reason: .lost, at: ana)
        try mesh.run(seconds: 90)
        let late = SocketAddress(v4: 10, 6, 1, 1, port: 5000)
        beacon(listing: late, from: late)
        try mesh.run(seconds: 30)
        #expect(!dialled().contains(late))
    }

    /// A device of the east that says what the test wants, and a node of the west that has never heard of it.
    private func strangers(
        showingHash: Bool = false, late: Appointed = .none
    ) throws -> (halves: Halves, member: RawMember) {
        let halves = try Halves(late: late, hasEpochs: false)
        try halves.mesh.begin(halves.west, multicast: .off)
        return (
            halves, try RawMember(halves.mesh, halves.east, linkedTo: halves.west, showingHash: showingHash)
        )
    }

    private func entries(in frames: [(type: FrameType, body: [UInt8])]) throws -> [Signed] {
        try frames.filter { $0.type == .logPut }.flatMap { try Frame.LogPut(parsing: $0.body.span.bytes).items }
    }

    /// How the east's newcomer came to be a member.
    private func inclusion(of halves: Halves) throws -> [Signed] {
        let authority = halves.mesh.authority.keys.authority
        let issue = try #require(halves.eastEntries.last)
        let addition = try #require(
            halves.eastEntries.first {
                guard case .authorityAdd(let certificate) = $0.payload else { return false }
                return certificate.authority == authority
            })
        return [addition.signed, issue.signed]
    }

    @Test("Until the other has shown how it became a member it gets heads and our own inclusion, no roster, no note")
    func noRoster() throws {
        let (halves, member) = try strangers()
        var frames = try member.heard()
        #expect(frames.map(\.type) == [.logHeads])
        try member.sayHeads()
        frames = try member.heard()
        #expect(Set(frames.map(\.type)) == [.logPut])
        let shown = try entries(in: frames)
        #expect(shown.count == 2 && shown.last?.bytes == halves.westEntries.last?.signed.bytes)
        // Again and again, it is the same: said once.
        for _ in 0..<20 { try member.sayHeads() }
        try member.say(Frame.LogGet(log: halves.mesh.founding.genesis.rootID, from: 1, most: 64))
        #expect(try member.heard().isEmpty)
        try halves.mesh.run(seconds: 11)
        #expect(member.isClosed && halves.west.linkEnds == [.catchUpTimeout])
    }

    @Test("When it has, it gets notes and log and nothing else; when the gap is closed it is a member")
    func provisional() throws {
        let (halves, member) = try strangers()
        try member.sayHeads()
        _ = try member.heard()
        try member.say(Frame.LogPut(inclusion(of: halves)))
        var frames = try member.heard()
        #expect(frames.map(\.type).prefix(2) == [.notePut, .logPut], "notes go before entries")
        #expect(Set(frames.map(\.type)) == [.notePut, .logPut])
        let west = Set(halves.westEntries.map(\.id))
        let known = Set(halves.eastEntries.map(\.id))
        let given = try Set(entries(in: frames).map { try LogEntry(parsing: $0, mesh: halves.mesh.founding.mesh).id })
        #expect(given == west.subtracting(known))
        try member.say(Frame.LogGet(log: halves.mesh.founding.genesis.rootID, from: 1, most: 64))
        #expect(try entries(in: member.heard()).count == 3)
        #expect(try halves.mesh.peers(of: halves.west).map(\.isCatchUp) == [true])
        // The gap is closed.
        try member.say(Frame.LogPut(halves.eastEntries.map(\.signed)))
        try member.say(
            Frame.LogHeads(
                try bothHeads(of: halves).map {
                    Frame.LogHeads.Row(log: $0.log, sequence: $0.sequence, id: Octets16(prefixOf: $0.id))
                }))
        frames = try member.heard()
        #expect(frames.contains { $0.type == .digest } && !frames.contains { $0.type == .epochKey })
        try halves.mesh.run(seconds: 5)
        #expect(!member.isClosed)
    }

    private func bothHeads(of halves: Halves) throws -> [CoveredRow] {
        var both = halves.mesh.membership
        for entry in halves.westEntries { _ = try both.accept(entry.signed) }
        return both.heads
    }

    @Test(
        "50: a provisional peer that says anything beside log, notes and certificates is closed",
        arguments: [FrameType.hello, .epochKey, .digest, .want, .bundleGet, .data, .timeRequest])
    func beyond(type: FrameType) throws {
        let (halves, member) = try strangers()
        try member.sayHeads()
        try member.say(Frame.LogPut(inclusion(of: halves)))
        #expect(try member.heard().contains { $0.type == .notePut })
        try member.say(type, [0])
        #expect(member.isClosed && halves.west.linkEnds == [.protocolFault])
        #expect(try halves.mesh.status(of: halves.west)?.held == 0)
    }

    @Test("What an authority signed after the root dismissed it admits nobody, not even provisionally")
    func dismissed() throws {
        let (halves, member) = try strangers()
        let authority = halves.mesh.authority.keys.authority
        let entry = try halves.mesh.dismiss(authority, lastGood: 2)
        halves.mesh.command(.logSubmit([entry.signed.bytes], epochKeys: []), at: halves.west)
        try member.sayHeads()
        _ = try member.heard()
        try member.say(Frame.LogPut(inclusion(of: halves)))
        let frames = try member.heard()
        #expect(!frames.contains { $0.type == .notePut })
        try halves.mesh.run(seconds: 11)
        #expect(member.isClosed)
    }

    @Test("Of entries behind a gap 256 wait, the nearest; the whole log is accepted when it comes from its beginning")
    func gap() throws {
        let (halves, member) = try strangers()
        let mesh = halves.mesh
        let device = halves.east.identity.id
        for _ in 0..<300 { try mesh.renewUntold(device) }
        try member.sayHeads()
        let theirs = mesh.entries.filter { $0.log == mesh.authority.keys.authority }
        for start in stride(from: 20, to: theirs.count, by: 20) {
            try member.say(Frame.LogPut(theirs[start..<min(start + 20, theirs.count)].map(\.signed)))
        }
        #expect(!member.isClosed)
        let refusals = try #require(try mesh.status(of: halves.west)?.refusals)
        #expect(refusals[.logEntry(.tooManyHeld)] == UInt64(theirs.count - 20 - 256))
        for start in stride(from: 0, to: theirs.count, by: 20) {
            try member.say(Frame.LogPut(theirs[start..<min(start + 20, theirs.count)].map(\.signed)))
        }
        #expect(try log(of: halves.west, mesh).isSuperset(of: theirs.map(\.id)))
        #expect(!member.isClosed)
    }

    // MARK: Chains by hash

    @Test("A chain that goes by its hash is asked for, shown and verified, and then all goes on as ever")
    func chainByHash() throws {
        let (halves, member) = try strangers(showingHash: true, late: .east)
        var frames = try member.heard()
        #expect(Set(frames.map(\.type)) == [.logHeads, .wantCert])
        let asked = try #require(frames.first { $0.type == .wantCert })
        let hash = try Frame.WantCert(parsing: asked.body.span.bytes).hash
        #expect(hash == AuthPayload.chainHash(device: member.chain[0], authorities: Array(member.chain.dropFirst())))
        // It may be anybody's: it is not even shown how we became a member.
        try member.sayHeads()
        #expect(try member.heard().isEmpty)
        try member.say(Frame.Cert(member.chain))
        frames = try member.heard()
        #expect(Set(frames.map(\.type)) == [.logPut])
        try member.say(Frame.LogPut(inclusion(of: halves)))
        #expect(try Set(member.heard().map(\.type)) == [.notePut, .logPut, .logHeads])
        // It is answered in turn.
        let west = try #require(halves.westEntries.last)
        guard case .certIssue(let certificates) = west.payload else { return }
        let issuer = try #require(halves.mesh.membership.authority(certificates[0].issuer)).signed
        try member.say(
            Frame.WantCert(AuthPayload.chainHash(device: certificates[0].signed, authorities: [issuer])))
        let answer = try #require(try member.heard().first { $0.type == .cert })
        #expect(
            try Frame.Cert(parsing: answer.body.span.bytes).items.map(\.bytes) == [
                certificates[0].signed.bytes, issuer.bytes,
            ])
        // What nobody asked for changes nothing.
        try member.say(Frame.Cert([issuer]))
        #expect(try member.heard().isEmpty && !member.isClosed)
    }

    @Test("Another chain than the one that was asked for, or none within ten seconds, ends the link")
    func wrongChain() throws {
        let (halves, member) = try strangers(showingHash: true, late: .east)
        try member.say(Frame.Cert(member.chain.reversed()))
        #expect(member.isClosed && halves.west.linkEnds == [.protocolFault])
        let silent = try RawMember(halves.mesh, halves.east, linkedTo: halves.west, showingHash: true)
        try halves.mesh.run(seconds: 11)
        #expect(silent.isClosed && halves.west.linkEnds.last == .catchUpTimeout)
    }

    @Test("31: a chain by hash that the root never signed is refused when it is shown")
    func forgedChain() throws {
        let halves = try Halves(hasEpochs: false)
        try halves.mesh.begin(halves.west, multicast: .off)
        // Somebody else's mesh, with the same name and other keys.
        let other = try TestMesh(seed: 2)
        let stranger = try other.enrol("stranger")
        let certificate = try #require(other.membership.currentCertificate(stranger.identity.id)).signed
        let issuer = try #require(other.fieldCertificate).signed
        let caller = Caller(halves.mesh, halves.west, link: stranger.identity.link)
        let (initiator, _) = try caller.knock(EpochKeys(try #require(halves.mesh.epochs.last).key).psk.key)
        var transport = try caller.link(initiator, showing: certificate, [issuer], isByHash: true)
        transport.sender.append(Frame.Cert([certificate, issuer]))
        try caller.say(transport.sender.take())
        try caller.wait()
        #expect(caller.peer.isClosed)
        #expect(halves.west.linkEnds.contains(.notAdmitted))
        #expect(try halves.mesh.status(of: halves.west)?.logEntries == halves.westEntries.count)
    }

    @Test("Chains of seven signatures fit no handshake: two real nodes ask each other and get on")
    func large() throws {
        let halves = try Halves(root: KeysetShape(7, of: 7), field: KeysetShape(5, of: 7), late: .east)
        let (mesh, west, east) = (halves.mesh, halves.west, halves.east)
        try mesh.begin(west)
        try mesh.begin(east, peers: [west])
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(west, east) })
        mesh.send("by hash", from: east, to: west)
        #expect(try mesh.run(seconds: 30) { west.delivered.count == 1 })
        for host in [west, east] { #expect(host.linkEnds.isEmpty) }
    }
}
