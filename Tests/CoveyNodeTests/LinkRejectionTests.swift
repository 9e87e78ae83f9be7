import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

@testable import CoveyLink

/// What nobody may say in a handshake or on a link, said to a real node (protocol.md §7.2).
@Suite("Handshakes and frames that a node does not take")
struct LinkRejectionTests {
    private let mesh: TestMesh
    private let ana: TestMesh.Host
    /// A member whose part the test plays.
    private let bo: TestMesh.Host
    private let psk: SymmetricKey
    private let random = SeededRandom(seed: 42)

    init() throws {
        mesh = try TestMesh()
        ana = try mesh.enrol("ana")
        bo = try mesh.enrol("bo")
        psk = EpochKeys(mesh.epochs[0].key).psk.key
        mesh.listen(at: bo.address)
        try mesh.begin(ana, dialling: [NodeConfiguration.StaticPeer(address: bo.address, device: bo.identity.id)])
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        try mesh.run(seconds: 0)
    }

    private var certificate: Signed {
        get throws { try #require(mesh.membership.currentCertificate(bo.identity.id)).signed }
    }

    private func payload(_ caller: Caller) throws -> AuthPayload {
        caller.payload(showing: try certificate, [try #require(mesh.fieldCertificate).signed])
    }

    private func caller() -> Caller { Caller(mesh, ana, link: bo.identity.link) }

    /// Whether whoever said that is turned away without another byte.
    private func isRefused(_ peer: TestMesh.RawPeer, _ bytes: [UInt8]) throws -> Bool {
        peer.received = []
        mesh.post(.received(peer.connection, bytes), to: ana)
        try mesh.run(seconds: 1)
        return peer.received.isEmpty && peer.isClosed
    }

    /// A first message of bo's, made by hand: the machine would not write each of these.
    private func first(isReverse: Bool, isAhead: Bool = true, answering ephemeral: Octets8) throws -> [UInt8] {
        let context = LinkContext(mesh: mesh.founding.mesh, transport: .stream, key: bo.identity.link)
        var noise = context.noise(.initiator, psk: psk, isReverse: isReverse)
        let payload = FirstPayload(isAhead: isAhead, slot: BeaconSlot(of: mesh.minute).value, answered: ephemeral)
        var message: [UInt8] = []
        try noise.writeMessage(payload.encode().span.bytes, random: random, to: &message)
        return HandshakePacket(kind: .first, isReverse: isReverse, bytes: message).encode()
    }

    /// Ana dials bo, and has said her first message; the beginning of its key names it.
    private func dialled() throws -> (peer: TestMesh.RawPeer, ephemeral: Octets8) {
        let before = mesh.reached.count
        #expect(try mesh.run(seconds: 600) { mesh.reached.count > before && !mesh.reached[before].received.isEmpty })
        let peer = mesh.reached[before]
        #expect(Array(peer.received[2..<4]) == [PacketKind.first.rawValue, 0])
        return (peer, try #require(Octets8(peer.received[4..<12])))
    }

    @Test("42: REVERSE to a node that sent no first message, without AHEAD, or for another's, is no answer")
    func wrongReversals() throws {
        #expect(try isRefused(caller().peer, try first(isReverse: true, answering: Octets8())))
        for wrong in 0..<3 {
            let (peer, ephemeral) = try dialled()
            let answer =
                switch wrong {
                case 0: try first(isReverse: true, isAhead: false, answering: ephemeral)
                case 1: try first(isReverse: true, answering: Octets8.random(from: random))
                default: try first(isReverse: false, answering: ephemeral)
                }
            #expect(try isRefused(peer, answer), "\(wrong)")
        }
        // The right one is answered with a second message, and is not taken again.
        let (peer, ephemeral) = try dialled()
        let right = try first(isReverse: true, answering: ephemeral)
        #expect(try !isRefused(peer, right))
        #expect(peer.received[2] == PacketKind.second.rawValue && !peer.isClosed)
        #expect(try isRefused(peer, right))
        #expect(try mesh.peers(of: ana).isEmpty)
    }

    @Test("42: a REVERSE is never answered by another")
    func reversedTwice() throws {
        // Under an epoch that is no longer preferred ana turns the roles.
        try mesh.announceEpoch()
        let last = try #require(mesh.epochs.last)
        mesh.command(
            .logSubmit(
                mesh.entries.map(\.signed.bytes), epochKeys: [EpochKeySubmission(entry: last.entry, key: last.key)]),
            at: ana)
        try mesh.run(seconds: 1)
        let late = caller()
        _ = try late.knock(psk)
        #expect(Array(late.peer.received[2..<4]) == [PacketKind.first.rawValue, 1])
        let ephemeral = try #require(Octets8(late.peer.received[4..<12]))
        #expect(try isRefused(late.peer, try first(isReverse: true, answering: ephemeral)))
    }

    @Test("47: a first message repeated, cut off, or of another length than it has, draws nothing")
    func firstMessages() throws {
        let repeated = caller()
        let (_, packet) = try repeated.knock(psk)
        #expect(!repeated.peer.received.isEmpty)
        #expect(try isRefused(repeated.peer, packet))
        let cut = caller()
        try cut.say(Array(try first(isReverse: false, answering: Octets8()).dropLast()))
        try mesh.run(seconds: 9)
        #expect(cut.peer.received.isEmpty && !cut.peer.isClosed)
        try mesh.run(seconds: 2)
        #expect(cut.peer.received.isEmpty && cut.peer.isClosed)
        for head: [UInt8] in [[0xFF, 0xFF, 1, 0], [0, 67, 1, 0], [0, 65, 1, 0], [0, 0, 1, 0]] {
            #expect(try isRefused(caller().peer, head), "\(head)")
        }
        #expect(ana.linkEnds.isEmpty)
    }

    @Test("47: a third message cut off makes no link, and one that comes twice ends the link")
    func thirdMessages() throws {
        let cut = caller()
        let (initiator, _) = try cut.knock(psk)
        let third = try cut.third(initiator, showing: try payload(cut)).packet
        try cut.say(Array(third.dropLast()))
        try mesh.run(seconds: 11)
        #expect(cut.peer.received.isEmpty && cut.peer.isClosed && ana.linkEnds.isEmpty)

        let twice = caller()
        let (again, _) = try twice.knock(psk)
        let whole = try twice.third(again, showing: try payload(twice)).packet
        try twice.say(whole)
        #expect(try mesh.peers(of: ana).count == 1 && !twice.peer.isClosed)
        try twice.say(whole)
        #expect(twice.peer.isClosed && ana.linkEnds == [.protocolFault])
    }

    /// A link whose messages are sealed by hand, for frames that a sender would not write.
    private func link() throws -> (caller: Caller, cipher: CipherState) {
        let caller = caller()
        var noise = caller.context.noise(.initiator, psk: psk, isReverse: false)
        let payload = FirstPayload(isAhead: false, slot: BeaconSlot(of: mesh.minute).value)
        var message: [UInt8] = []
        try noise.writeMessage(payload.encode().span.bytes, random: random, to: &message)
        try caller.say(HandshakePacket(kind: .first, bytes: message).encode())
        var packets = PacketBuffer()
        packets.append(caller.peer.received)
        caller.peer.received = []
        let answer = try #require(try packets.next()).bytes
        _ = try noise.readMessage(answer.span.bytes)
        message = []
        let shown = try self.payload(caller).padded(mayBeShort: true)
        try noise.writeMessage(shown.span.bytes, random: random, to: &message)
        try caller.say(HandshakePacket(kind: .third, bytes: message).encode())
        #expect(try mesh.peers(of: ana).count == 1)
        return (caller, noise.split().initiator)
    }

    private func seal(_ plaintext: [UInt8], _ cipher: inout CipherState) throws -> [UInt8] {
        var message: [UInt8] = []
        try cipher.encrypt(plaintext.span.bytes, ad: RawSpan(), to: &message)
        var packet: [UInt8] = []
        packet.append(u16: UInt16(message.count + 2))
        return packet + [PacketKind.transport.rawValue, 0] + message
    }

    @Test("50: a frame that has to be understood and is unknown, and one over the limit, end the link; others do not")
    func frames() throws {
        let unknown = try #require((UInt8(1)..<0x80).first { FrameType(rawValue: $0) == nil })
        let tooLong: [UInt8] = [FrameType.ping.rawValue] + [UInt8](repeating: 0xFF, count: 9) + [1]
        let largest = LinkBounds.plaintext + LinkBounds.packetHead + 100
        for wrong: [UInt8]? in [[unknown, 2, 7, 7], tooLong, nil] {
            var (caller, cipher) = try link()
            try caller.say(try seal([0x90, 2, 7, 7], &cipher))
            #expect(!caller.peer.isClosed, "an unknown frame from 80 on is passed over")
            // Without a frame: the head of a packet that is larger than any.
            let bytes = try wrong.map { try seal($0, &cipher) } ?? [UInt8(largest >> 8), UInt8(largest & 0xFF), 5, 0]
            try caller.say(bytes)
            #expect(caller.peer.isClosed, "\(wrong ?? [])")
        }
        #expect(ana.linkEnds == [.protocolFault, .protocolFault, .protocolFault])
    }

    @Test("52: whoever stole a node's own link key cannot pose as another member to it")
    func keyCompromise() throws {
        let thief = ana.identity.link
        // The transcript by hand, as the machine would not write another's key.
        func transcript(_ proof: (AgreementPublicKey, AgreementPrivateKey) throws -> SymmetricKey) throws -> Caller {
            let caller = Caller(mesh, ana, link: thief)
            let e = AgreementPrivateKey(from: caller.random)
            var symmetric = SymmetricState(protocolName: HandshakeState.protocolName(.xxpsk0))
            symmetric.mixHash(caller.context.prologue(isReverse: false).span.bytes)
            symmetric.mixKeyAndHash(psk)
            var message = e.publicKey.array
            symmetric.mixHash(e.publicKey)
            symmetric.mixKey(e.publicKey)
            let first = FirstPayload(isAhead: false, slot: BeaconSlot(of: mesh.minute).value).encode()
            try symmetric.encryptAndHash(first.span.bytes, to: &message)
            try caller.say(HandshakePacket(kind: .first, bytes: message).encode())
            var packets = PacketBuffer()
            packets.append(caller.peer.received)
            caller.peer.received = []
            let second = try #require(try packets.next()).bytes
            let theirs = try #require(AgreementPublicKey(second[..<32]))
            symmetric.mixHash(theirs)
            symmetric.mixKey(theirs)
            symmetric.mixKey(try e.agree(with: theirs))
            let shown = try symmetric.decryptAndHash(Array(second[32..<80]).span.bytes)
            symmetric.mixKey(try e.agree(with: try #require(AgreementPublicKey(shown))))
            _ = try symmetric.decryptAndHash(Array(second[80...]).span.bytes)
            message = []
            try symmetric.encryptAndHash(bo.identity.link.publicKey.array.span.bytes, to: &message)
            symmetric.mixKey(try proof(theirs, e))
            let claim = try payload(caller).padded(mayBeShort: true)
            try symmetric.encryptAndHash(claim.span.bytes, to: &message)
            try caller.say(HandshakePacket(kind: .third, bytes: message).encode())
            try caller.wait()
            return caller
        }
        // `se` is bo's key with ana's ephemeral one: the thief has ana's key, and neither of those.
        for caller in [
            try transcript { theirs, e in try e.agree(with: theirs) },
            try transcript { theirs, _ in try thief.agree(with: theirs) },
        ] {
            #expect(caller.peer.isClosed && caller.peer.received.isEmpty)
        }
        #expect(try mesh.peers(of: ana).isEmpty)
        // For want of that, and of nothing else.
        let right = try transcript { theirs, _ in try bo.identity.link.agree(with: theirs) }
        #expect(try !right.peer.isClosed && mesh.peers(of: ana).map(\.device) == [bo.identity.id])
    }
}
