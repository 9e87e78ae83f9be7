import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import Testing

/// An enrolled device whose link the test speaks itself, frame by frame: a member that may do anything.
final class RawMember {
    let mesh: TestMesh
    let caller: Caller
    private var transport: Transport

    /// The certificates of its chain, the device's first.
    let chain: [Signed]

    /// Comes as far as a link of which nothing was said yet.
    init(
        _ mesh: TestMesh, _ device: TestMesh.Host, linkedTo host: TestMesh.Host, showingHash isByHash: Bool = false
    ) throws {
        self.mesh = mesh
        caller = Caller(mesh, host, link: device.identity.link)
        let certificate = try #require(mesh.membership.currentCertificate(device.identity.id))
        let authorities = try #require(mesh.membership.authorityChain(of: certificate.issuer)).map(\.signed)
        let epoch = try #require(mesh.epochs.last)
        let (initiator, _) = try caller.knock(EpochKeys(epoch.key).psk.key)
        chain = [certificate.signed] + authorities
        transport = try caller.link(initiator, showing: certificate.signed, authorities, isByHash: isByHash)
    }

    var isClosed: Bool { caller.peer.isClosed }

    func say(_ frame: some FrameBody, times: Int = 1) throws {
        for _ in 0..<times { transport.sender.append(frame) }
        try caller.say(transport.sender.take())
    }

    func say(_ type: FrameType, _ body: [UInt8]) throws {
        transport.sender.append(type, body.span.bytes)
        try caller.say(transport.sender.take())
    }

    /// Pushes an envelope whole.
    func say(_ envelope: Envelope, tokens: UInt8 = 1) throws {
        transport.sender.append(
            Frame.DataHeader(id: envelope.id, tokens: tokens, hops: 1, total: envelope.bytes.count),
            envelope.bytes.span.bytes)
        try caller.say(transport.sender.take())
    }

    /// Time passes, and the link stands: whoever says nothing for long is taken for gone.
    func stay(seconds: UInt64) throws {
        for _ in 0..<seconds / 10 {
            try say(Frame.Ping(time: 0))
            try mesh.run(seconds: 10)
        }
    }

    /// What the host said since the last time.
    func heard() throws -> [(type: FrameType, body: [UInt8])] {
        var frames: [(type: FrameType, body: [UInt8])] = []
        try transport.receiver.receive(adopting: caller.peer.received) { type, body in
            frames.append((type, [UInt8](copying: body)))
        }
        caller.peer.received = []
        return frames
    }

    func sayHeads() throws {
        try say(
            Frame.LogHeads(
                mesh.membership.heads.map {
                    Frame.LogHeads.Row(log: $0.log, sequence: $0.sequence, id: Octets16(prefixOf: $0.id))
                }))
    }

    static func hello(clock: UInt64) -> Frame.Hello {
        Frame.Hello(
            instance: Octets8(), clock: clock, timeIsTrusted: true, epoch: EpochPrefix(),
            credits: .init(repeating: 1 << 20))
    }

    /// Goes on until mail may flow, repeating the host's digest of the notes as its own; what the host said to HELLO.
    @discardableResult
    func open(clock: UInt64? = nil) throws -> [(type: FrameType, body: [UInt8])] {
        try sayHeads()
        let digest = try #require(try heard().last { $0.type == .digest })
        try say(.digest, digest.body)
        try say(Self.hello(clock: clock ?? UInt64(mesh.minute.value) * 60_000))
        let frames = try heard()
        #expect(frames.contains { $0.type == .hello })
        return frames
    }
}
