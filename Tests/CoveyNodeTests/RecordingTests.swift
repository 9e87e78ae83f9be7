import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// What somebody gets who holds no key, and plays a first message that was recorded (protocol.md §2.1, §2.3).
@Suite("Recorded first messages")
struct RecordingTests {
    private static let hour: Int64 = 3_600_000_000
    private let mesh: TestMesh
    private let ana: TestMesh.Host
    private let bo: TestMesh.Host
    private let psk: SymmetricKey

    init() throws {
        mesh = try TestMesh()
        ana = try mesh.enrol("ana")
        bo = try mesh.enrol("bo")
        psk = EpochKeys(mesh.epochs[0].key).psk.key
    }

    private func key(_ seed: UInt64) -> AgreementPrivateKey { AgreementPrivateKey(from: SeededRandom(seed: seed)) }

    /// A member's first message to a configured peer, taken from the air.
    private func record(at host: TestMesh.Host, slot: BeaconSlot? = nil) throws -> [UInt8] {
        let caller = Caller(mesh, host, link: bo.identity.link)
        let (_, packet) = try caller.knock(psk, slot: slot)
        #expect(packet.count == 68)
        return packet
    }

    /// Bytes that a host sends to whoever plays this.
    private func answer(of host: TestMesh.Host, to packet: [UInt8]) throws -> Int {
        let outsider = Caller(mesh, host, link: key(1))
        try outsider.say(packet)
        try outsider.wait()
        #expect(!outsider.peer.received.isEmpty || outsider.peer.isClosed)
        return outsider.peer.received.count
    }

    private func causes(of host: TestMesh.Host) -> [Refusal] {
        host.observations.compactMap { if case .refused(_, let cause) = $0 { cause } else { nil } }
    }

    @Test("43: within two hours it draws one message 2 of one size at each other node; then none")
    func anotherNode() throws {
        let cy = try mesh.enrol("cy")
        for host in [ana, bo, cy] { try mesh.begin(host, dialling: []) }
        let packet = try record(at: ana)
        #expect(try answer(of: ana, to: packet) == 0)
        #expect(try answer(of: bo, to: packet) == 4 + 1632)
        #expect(try answer(of: bo, to: packet) == 0)
        #expect(causes(of: bo) == [.link(.replayed)])
        try mesh.run(seconds: 2 * 3600 + 1200)
        #expect(try answer(of: cy, to: packet) == 0)
        #expect(causes(of: cy) == [.handshake(.anotherHour)])
        #expect(try answer(of: bo, to: packet) == 0)
    }

    @Test("43: after a restart it draws none once its two hours are over, and none twenty days later")
    func restarted() throws {
        try mesh.begin(ana, dialling: [])
        let packet = try record(at: ana)
        for seconds: UInt64 in [2 * 3600 + 1200, 20 * 86_400] {
            try mesh.stayOff([ana], seconds: seconds)
            for _ in 0..<3 { #expect(try answer(of: ana, to: packet) == 0) }
        }
        #expect(causes(of: ana) == Array(repeating: .handshake(.anotherHour), count: 6))
        // A member who calls now is heard.
        let live = Caller(mesh, ana, link: bo.identity.link)
        _ = try live.knock(psk)
        #expect(live.peer.received.count == 4 + 1632)
    }

    @Test("43: more recorded slots than pages draw nothing, and keep nobody out", arguments: [true, false])
    func manySlots(isTrusted: Bool) throws {
        if !isTrusted { ana.clockOffset = -56 * 365 * 24 * Self.hour }
        try mesh.begin(ana, dialling: [])
        let now = BeaconSlot(of: mesh.minute).value
        var played = 0
        for age in 1...UInt32(2 * LinkBounds.replayPages) {
            let caller = Caller(mesh, ana, link: key(UInt64(age)))
            let slot = BeaconSlot(now - LinkBounds.firstSlots - age)
            let (_, packet) = try caller.knock(psk, slot: slot)
            // Who knows no hour judges none: it answers each of them once.
            #expect(caller.peer.received.isEmpty == isTrusted || played >= LinkBounds.unfinishedPerHour)
            if !isTrusted { #expect(try answer(of: ana, to: packet) == 0) }
            played += 1
        }
        try mesh.run(seconds: 3700)
        let live = Caller(mesh, ana, link: bo.identity.link)
        _ = try live.knock(psk)
        #expect(live.peer.received.count == 4 + 1632)
    }

    @Test("A member that is hours off and believes its clock is met over configured peers, whichever side calls")
    func skewed() throws {
        // Hours back there was the mesh already: a clock that says so is believed.
        mesh.skip(seconds: 12 * 3600)
        for (offset, patience): (Int64, UInt64) in [(-5, 900), (5, 60)] {
            bo.clockOffset = offset * Self.hour
            for (caller, listener) in [(bo, ana), (ana, bo)] {
                try mesh.begin(listener, dialling: [])
                try mesh.begin(
                    caller,
                    dialling: [
                        NodeConfiguration.StaticPeer(address: listener.address, device: listener.identity.id)
                    ])
                #expect(try mesh.status(of: bo)?.timeIsTrusted == true)
                #expect(try mesh.run(seconds: patience) { mesh.isLinked(ana, bo) }, "\(offset) \(caller.name)")
                for host in [ana, bo] { mesh.stop(host) }
                mesh.skip(seconds: 3600)
            }
        }
    }

    @Test("A device without a clock that has only configured peers guesses its way back to the hour")
    func lost() throws {
        try mesh.begin(ana, dialling: [])
        let peer = NodeConfiguration.StaticPeer(address: ana.address, device: ana.identity.id)
        try mesh.begin(bo, dialling: [peer])
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        // Older epochs are called under as well, and cost no more than every other call.
        for _ in 0..<2 {
            _ = try mesh.announce(at: ana)
            try mesh.run(seconds: 60)
        }
        for (off, patience): (UInt64, UInt64) in [(3600, 60), (10 * 3600, 1200), (20 * 86_400, 10 * 3600)] {
            for host in [ana, bo] { mesh.stop(host) }
            mesh.skip(seconds: off)
            bo.clockOffset = -56 * 365 * 24 * Self.hour
            try mesh.begin(ana, dialling: [])
            try mesh.begin(bo, dialling: [peer])
            #expect(try mesh.run(seconds: patience) { mesh.isLinked(ana, bo) }, "\(off)")
            #expect(try mesh.status(of: bo)?.timeIsTrusted == false)
            mesh.send("what time is it", from: bo, to: ana)
            try mesh.run(seconds: 10)
        }
        #expect(ana.delivered.count == 3)
        // Called by the other side, it judges no hour itself, and is in at once.
        for host in [ana, bo] { mesh.stop(host) }
        mesh.skip(seconds: 2 * 86_400)
        try mesh.begin(bo, dialling: [])
        try mesh.begin(
            ana, dialling: [NodeConfiguration.StaticPeer(address: bo.address, device: bo.identity.id)])
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
    }

    @Test("Where the other side turns the roles, our certificate is shown six times an hour without a message 3")
    func turned() throws {
        mesh.listen(at: bo.address)
        try mesh.begin(ana, dialling: [NodeConfiguration.StaticPeer(address: bo.address, device: bo.identity.id)])
        let random = SeededRandom(seed: 6)
        let context = LinkContext(mesh: mesh.founding.mesh, transport: .stream, key: bo.identity.link)
        var shown = 0
        for number in 0..<LinkBounds.unfinishedPerAddressAndHour + 2 {
            #expect(
                try mesh.run(seconds: 300) { mesh.reached.count > number && !mesh.reached[number].received.isEmpty })
            let peer = mesh.reached[number]
            let ephemeral = try #require(Octets8(peer.received[4..<12]))
            peer.received = []
            var packet: [UInt8] = []
            _ = Initiator(
                context, psk: psk,
                first: FirstPayload(isAhead: true, slot: BeaconSlot(of: mesh.minute).value, answered: ephemeral),
                isReverse: true, random: random, to: &packet)
            mesh.post(.received(peer.connection, packet), to: ana)
            try mesh.run(seconds: 1)
            if !peer.received.isEmpty { shown += 1 }
            // Nothing more is said: the handshake ends by its deadline.
            #expect(try mesh.run(seconds: 11) { peer.isClosed })
        }
        #expect(shown == LinkBounds.unfinishedPerAddressAndHour)
        #expect(causes(of: ana).suffix(1) == [.budget(.unfinishedHere)])
        // The hour is over.
        try mesh.run(seconds: 3700)
        let last = try #require(mesh.reached.last)
        #expect(!last.received.isEmpty)
    }
}
