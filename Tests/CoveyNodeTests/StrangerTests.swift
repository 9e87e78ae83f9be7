import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@Suite("Those who are no members")
struct StrangerTests {
    private func world() throws -> (mesh: TestMesh, ana: TestMesh.Host, bo: TestMesh.Host, psk: SymmetricKey) {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        return (mesh, ana, bo, EpochKeys(mesh.epochs[0].key).psk.key)
    }

    private func key(_ seed: UInt64) -> AgreementPrivateKey { AgreementPrivateKey(from: SeededRandom(seed: seed)) }

    @Test("42: somebody without an epoch key gets not one byte, whatever they send")
    func outsider() throws {
        let (mesh, ana, _, _) = try world()
        let random = SeededRandom(seed: 5)
        let wrong = Caller(mesh, ana, link: key(1))
        _ = try wrong.knock(SymmetricKey(from: random))
        #expect(wrong.peer.received.isEmpty && wrong.peer.isClosed)
        for size in [0, 1, 3, 4, 68, 500, 70_000] {
            let caller = Caller(mesh, ana, link: key(2))
            try caller.say(random.bytes(size))
            try mesh.run(seconds: 61)
            #expect(caller.peer.received.isEmpty, "\(size) random bytes")
            #expect(caller.peer.isClosed, "\(size) random bytes")
        }
    }

    @Test("Somebody who connects and says nothing is closed after ten seconds")
    func silent() throws {
        let (mesh, ana, _, _) = try world()
        let caller = Caller(mesh, ana, link: key(1))
        try mesh.run(seconds: 9)
        #expect(!caller.peer.isClosed)
        try mesh.run(seconds: 2)
        #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
    }

    @Test("42: a first message that answers another's beacon, or none where it has to, draws no answer")
    func beacons() throws {
        let (mesh, ana, _, psk) = try world()
        let recorded = Caller(mesh, ana, link: key(1))
        _ = try recorded.knock(psk, answered: Octets8.random(from: SeededRandom(seed: 9)))
        #expect(recorded.peer.received.isEmpty && recorded.peer.isClosed)
        let unasked = Caller(mesh, ana, link: key(1), isStatic: false)
        _ = try unasked.knock(psk)
        #expect(unasked.peer.received.isEmpty && unasked.peer.isClosed)
    }

    @Test("43: a first message that is played again draws no second answer")
    func replay() throws {
        let (mesh, ana, _, psk) = try world()
        let first = Caller(mesh, ana, link: key(1))
        let (_, packet) = try first.knock(psk)
        #expect(!first.peer.received.isEmpty)
        let second = Caller(mesh, ana, link: key(1))
        try second.say(packet)
        try second.wait()
        #expect(second.peer.received.isEmpty && second.peer.isClosed)
    }

    @Test("42, 47: a first message with altered flags or versions, a second or third message first: silence")
    func altered() throws {
        let (mesh, ana, _, psk) = try world()
        for offset in [2, 3, 4, 40] {
            let spare = Caller(mesh, ana, link: key(1))
            var packet: [UInt8] = []
            _ = Initiator(
                spare.context, psk: psk,
                first: FirstPayload(isAhead: false, slot: BeaconSlot(of: mesh.minute).value, answered: Octets8()),
                random: SeededRandom(seed: UInt64(offset)), to: &packet)
            packet[offset] ^= 1
            try spare.say(packet)
            try spare.wait()
            #expect(spare.peer.received.isEmpty && spare.peer.isClosed, "byte \(offset)")
        }
    }

    @Test("31: a device signed but not in the log sees log frames only: no envelope, no epoch key, and ten seconds")
    func unlogged() throws {
        let (mesh, ana, bo, psk) = try world()
        let stealth = try mesh.enrol("stealth", isLogged: false)
        let certificate = try #require(mesh.unlogged?.signed)
        let field = try #require(mesh.fieldCertificate?.signed)
        let caller = Caller(mesh, ana, link: stealth.identity.link)
        let (initiator, _) = try caller.knock(psk)
        var transport = try caller.link(initiator, showing: certificate, [field])
        mesh.send("Not for strangers.", from: ana, to: bo)
        mesh.send("Nor this.", from: bo, to: ana)
        try mesh.run(seconds: 9)
        #expect(!caller.peer.isClosed)
        var seen: Set<FrameType> = []
        try transport.receiver.receive(adopting: caller.peer.received) { type, _ in seen.insert(type) }
        caller.peer.received = []
        #expect(seen.contains(.logHeads))
        #expect(seen.isSubset(of: [.logHeads, .logGet, .logPut, .notePut, .wantCert, .cert, .ping, .pong, .bye]))
        try mesh.run(seconds: 2)
        #expect(caller.peer.isClosed)
        #expect(ana.linkEnds.contains(.catchUpTimeout))
    }

    @Test("Certificates that nobody we know signed earn two links, and on them our heads and nothing else")
    func madeUp() throws {
        let (mesh, ana, _, psk) = try world()
        let field = try #require(mesh.fieldCertificate)
        let logged = try #require(mesh.membership.currentCertificate(ana.identity.id))
        let random = SeededRandom(seed: 31)
        for number in 0..<3 {
            let link = AgreementPrivateKey(from: random)
            var content = logged.content
            content.serial += 100
            content.signing = SigningPrivateKey(from: random).publicKey
            content.link = link.publicKey
            content.message = AgreementPrivateKey(from: random).publicKey
            let certificate = try DeviceCertificate.make(
                content, mesh: mesh.founding.mesh, keys: [SigningPrivateKey(from: random)])
            let caller = Caller(mesh, ana, link: link)
            let (initiator, _) = try caller.knock(psk)
            var transport = try caller.link(initiator, showing: certificate.signed, [field.signed])
            guard number < Limits.unprovenLinks else {
                #expect(caller.peer.isClosed && caller.peer.received.isEmpty)
                continue
            }
            transport.sender.append(Frame.LogHeads([]))
            try caller.say(transport.sender.take())
            var seen: [FrameType] = []
            try transport.receiver.receive(adopting: caller.peer.received) { type, _ in seen.append(type) }
            #expect(!caller.peer.isClosed && seen == [.logHeads])
        }
    }

    @Test("50: mail on a catch-up link closes it, and nothing of it is kept")
    func mailTooEarly() throws {
        let (mesh, ana, bo, psk) = try world()
        mesh.send("A message to copy.", from: bo, to: ana)
        try mesh.run(seconds: 5)
        let held = try #require(try mesh.status(of: ana)?.held)
        let stealth = try mesh.enrol("stealth", isLogged: false)
        let caller = Caller(mesh, ana, link: stealth.identity.link)
        let (initiator, _) = try caller.knock(psk)
        var transport = try caller.link(
            initiator, showing: try #require(mesh.unlogged?.signed), [try #require(mesh.fieldCertificate?.signed)])
        let body = [UInt8](repeating: 1, count: 512)
        transport.sender.append(
            Frame.DataHeader(id: EnvelopeID.random(from: caller.random), tokens: 0, hops: 0, total: 512),
            body.span.bytes)
        try caller.say(transport.sender.take())
        #expect(caller.peer.isClosed)
        #expect(ana.linkEnds.contains(.protocolFault))
        #expect(try mesh.status(of: ana)?.held == held)
    }

    @Test(
        "48: frames before message 3 is through, or a message 3 of noise, end it without a word", arguments: [3, 5])
    func tooEarly(kind: UInt8) throws {
        let (mesh, ana, _, psk) = try world()
        let caller = Caller(mesh, ana, link: key(4))
        _ = try caller.knock(psk)
        #expect(!caller.peer.received.isEmpty)
        caller.peer.received = []
        let body = caller.random.bytes(kind == 3 ? 1600 : 80)
        let count = UInt16(body.count)
        try caller.say([UInt8(count >> 8), UInt8(count & 0xFF), kind, 0] + body)
        try caller.wait()
        #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
        #expect(ana.linkEnds.isEmpty)
    }

    @Test("44: a member's certificate shown by somebody with another link key is of no use")
    func stolenCertificate() throws {
        let (mesh, ana, bo, psk) = try world()
        let certificate = try #require(mesh.membership.currentCertificate(bo.identity.id)?.signed)
        let caller = Caller(mesh, ana, link: key(3))
        let (initiator, _) = try caller.knock(psk)
        _ = try caller.link(initiator, showing: certificate, [try #require(mesh.fieldCertificate?.signed)])
        #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
    }

    @Test("45: our own certificate and link key, coming back to us, are a reflection")
    func reflection() throws {
        let (mesh, ana, _, psk) = try world()
        let certificate = try #require(mesh.membership.currentCertificate(ana.identity.id)?.signed)
        let caller = Caller(mesh, ana, link: ana.identity.link)
        let (initiator, _) = try caller.knock(psk)
        // Its key is ours, so the answer cannot even be opened as another's.
        #expect(throws: LinkFault.reflection) {
            _ = try caller.link(initiator, showing: certificate, [])
        }
    }

    @Test("42: under an epoch that is no longer preferred a node turns the roles, and shows itself last")
    func olderEpoch() throws {
        let (mesh, ana, bo, psk) = try world()
        try mesh.revoke(bo, reason: .lost, at: ana)
        try mesh.run(seconds: 20)
        let late = Caller(mesh, ana, link: bo.identity.link)
        _ = try late.knock(psk)
        #expect(Array(late.peer.received.prefix(4)) == [0, 66, PacketKind.first.rawValue, 1])
        // A revoked device that claims to be ahead, from nowhere that a beacon or the configuration names: nothing.
        let liar = Caller(mesh, ana, link: bo.identity.link)
        _ = try liar.knock(psk, isAhead: true)
        #expect(liar.peer.received.isEmpty && liar.peer.isClosed)
    }
}
