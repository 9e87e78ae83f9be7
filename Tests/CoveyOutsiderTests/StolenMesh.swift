import CoveyCore
import CoveyCrypto
import CoveyLink
import Glibc

@testable import CoveyOutsider

/// A mesh with one honest device, and its authority's directory on the disk of a thief.
final class StolenMesh {
    static let now = Minute(29_000_000)

    let random: SeededRandom
    let founding: Founding
    let node: DeviceIdentity
    private(set) var membership: Membership
    private(set) var entries: [LogEntry]
    let epochEntry: LogEntry
    let epochKey: EpochKey
    let directory: String

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed, stream: "stolen")
        founding = try Founding.found(name: "Island", profile: .standard, random: random, now: Self.now)
        membership = founding.membership()
        let invitation = OpenInvitation(
            mesh: founding.mesh, authority: founding.field.authority, label: "ana", now: Self.now,
            expires: Self.now.adding(1440), random: random)
        let pending = try PendingEnrolment(accepting: invitation.invitation, buildHash: Octets32(), random: random)
        node = pending.identity
        let authority = Authority(founding.field)
        let request = try invitation.verify(pending.request, now: Self.now)
        let issued = try authority.issue(request, into: &membership, now: Self.now, random: random)
        epochKey = EpochKey(from: random)
        epochEntry = try authority.announceEpoch(epochKey, into: &membership, now: Self.now)
        entries = founding.entries + [issued, epochEntry]

        var template = Array("/tmp/covey-outsider-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("a test can make a directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        write("mesh", founding.genesis.signed.bytes)
        write("authority.key", founding.field.bytes)
        write("log", CoveyFile.log(entries.map(\.signed), mesh: founding.mesh).bytes)
        write("epochs", epochKey.exposing { epochEntry.id.array + [UInt8](copying: $0) })
    }

    deinit {
        for name in ["mesh", "authority.key", "log", "epochs"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    private func write(_ name: String, _ bytes: [UInt8]) {
        guard let file = fopen(directory + "/" + name, "wb") else { fatalError("a test can write a file") }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    var held: [HeldPSK] { [HeldPSK(epoch: epochKey.commit, psk: EpochKeys(epochKey).psk.key)] }
    var context: LinkContext { LinkContext(mesh: founding.mesh, transport: .stream, key: node.link) }

    /// What the node shows of itself.
    var payload: AuthPayload {
        guard let certificate = membership.currentCertificate(node.id) else { fatalError("ana is enrolled") }
        return AuthPayload(
            certificate: certificate.signed, chain: .full([]), headsDigest: Octets32(), rootSequence: 2,
            rootID: Octets16(), epochs: [], time: Self.now, timeIsTrusted: true, bootSalt: Octets8())
    }

    /// Another device of the mesh, in an entry.
    func enrolAnother() throws -> LogEntry {
        let invitation = OpenInvitation(
            mesh: founding.mesh, authority: founding.field.authority, label: "bo", now: Self.now,
            expires: Self.now.adding(1440), random: random)
        let pending = try PendingEnrolment(accepting: invitation.invitation, buildHash: Octets32(), random: random)
        return try Authority(founding.field).issue(
            invitation.verify(pending.request, now: Self.now), into: &membership, now: Self.now, random: random)
    }
}

/// The node's side of a connection, played on another thread: it answers the handshake, says `frames`, and closes.
final class PlayedNode {
    struct Said: Sendable {
        let type: FrameType
        let body: [UInt8]
    }

    /// - Returns: the socket for the other side.
    static func play(_ mesh: StolenMesh, saying frames: [Said]) -> Int32 {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { fatalError("a test has sockets") }
        let script = Script(
            connection: Connection(adopting: ends[1]), context: mesh.context, held: mesh.held, payload: mesh.payload,
            frames: frames)
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, playNode, Unmanaged.passRetained(script).toOpaque())
        guard status == 0 else { fatalError("a test can start a thread") }
        pthread_detach(thread)
        return ends[0]
    }

    fileprivate final class Script {
        let connection: Connection
        let context: LinkContext
        let held: [HeldPSK]
        let payload: AuthPayload
        let frames: [Said]
        private let random = SeededRandom(seed: 9, stream: "node")
        private var packets = PacketBuffer()

        init(
            connection: Connection, context: LinkContext, held: [HeldPSK], payload: AuthPayload, frames: [Said]
        ) {
            self.connection = connection
            self.context = context
            self.held = held
            self.payload = payload
            self.frames = frames
        }

        func run() throws {
            guard let first = try packet() else { return }
            let (second, responder) = try FirstMessage.open(first, context: context, held: held, expecting: .fresh)
                .respond(payload, random: random)
            guard try connection.send(second), let third = try packet() else { return }
            var transport = try responder.open(third, now: 0, random: random).transport
            for frame in frames { transport.sender.append(frame.type, frame.body.span.bytes) }
            _ = try connection.send(transport.sender.take())
        }

        private func packet() throws -> HandshakePacket? {
            while true {
                if let packet = try packets.next() { return packet }
                guard case .bytes(let bytes) = try connection.receive(within: 5_000) else { return nil }
                packets.append(bytes)
            }
        }
    }
}

/// A thread cannot throw: what goes wrong shows as a connection that ends too early.
private func playNode(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument {
        try? Unmanaged<PlayedNode.Script>.fromOpaque(argument).takeRetainedValue().run()
    }
    return nil
}
