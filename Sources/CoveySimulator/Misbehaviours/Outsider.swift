import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode

/// Somebody without a key of this mesh, who hears everything and says what might draw an answer: one host a second.
final class Outsider: Resident, WireTap {
    /// Bytes of what is kept of a stream's beginning.
    private static let recordedBytes = 4_096
    /// Microseconds a connection is kept to wait for an answer.
    private static let patience: UInt64 = 12_000_000

    private struct Call {
        let bytes: [UInt8]
        let deadline: UInt64
    }

    private unowned let world: World
    private let host: Host
    private let random: SeededRandom
    /// Of the mesh of its own making: the first message of a link, its third with the certificate, and a REVERSE.
    private let opening: [UInt8]
    private let third: [UInt8]
    private let reverse: [UInt8]
    private var firsts = Recording<[UInt8]>()
    private var pieces = Recording<[UInt8]>()
    private var datagrams = Recording<[UInt8]>()
    private var calls: [(connection: ConnectionID, call: Call)] = []
    private var lastConnection: UInt32 = 0
    private var ticks = 0
    private var nextTick: UInt64 = 0
    /// Bytes that came back on its connections.
    private(set) var bytesHeard = 0
    /// Connections that came up, and on which it said its piece.
    private(set) var knocks = 0

    init(in world: World, on host: Host) {
        self.world = world
        self.host = host
        random = SeededRandom(seed: world.seed, stream: "outsider \(host.index) at \(world.time.simulated)")
        var elsewhere = Enrolment(seed: random.nextWord(), keys: .single, now: world.minute)
        let devices = ["stranger", "friend"].map { elsewhere.enrol($0, Grant(), now: world.minute) }
        do {
            (opening, third, reverse) = try Self.handshake(devices, elsewhere, world.minute, random)
        } catch { preconditionFailure("a handshake in a mesh of one's own is sound: \(error)") }
    }

    private static func handshake(
        _ devices: [DeviceIdentity], _ mesh: Enrolment, _ now: Minute, _ random: SeededRandom
    ) throws -> (opening: [UInt8], third: [UInt8], reverse: [UInt8]) {
        let keys = EpochKeys(mesh.epochs[0].key)
        func context(_ device: DeviceIdentity) -> LinkContext {
            LinkContext(mesh: mesh.founding.mesh, transport: .stream, key: device.link)
        }
        func payload(_ device: DeviceIdentity) -> AuthPayload {
            guard let certificate = mesh.membership.currentCertificate(device.id),
                let authorities = mesh.membership.authorityChain(of: certificate.issuer)
            else { preconditionFailure("a device is enrolled in its own mesh") }
            return AuthPayload(
                certificate: certificate.signed, chain: .full(authorities.map(\.signed)), headsDigest: Octets32(),
                rootSequence: 0, rootID: Octets16(), epochs: [], time: now, timeIsTrusted: true, bootSalt: Octets8())
        }
        let slot = BeaconSlot(of: now).value
        func packet(_ bytes: [UInt8]) throws -> HandshakePacket? {
            var buffer = PacketBuffer()
            buffer.append(bytes)
            return try buffer.next()
        }
        var opening: [UInt8] = []
        let initiator = Initiator(
            context(devices[0]), psk: keys.psk.key, first: FirstPayload(isAhead: false, slot: slot), random: random,
            to: &opening)
        var reverse: [UInt8] = []
        _ = Initiator(
            context(devices[0]), psk: keys.psk.key, first: FirstPayload(isAhead: true, slot: slot), isReverse: true,
            random: random, to: &reverse)
        let held = [HeldPSK(epoch: keys.commit, psk: keys.psk.key)]
        guard let first = try packet(opening) else { preconditionFailure("a first message is one packet") }
        let (second, _) = try FirstMessage.open(first, context: context(devices[1]), held: held, expecting: .fresh)
            .respond(payload(devices[1]), random: random)
        guard let answer = try packet(second) else { preconditionFailure("a second message is one packet") }
        return (
            opening, try initiator.open(answer).finish(payload(devices[0]), now: 0, random: random).packet, reverse
        )
    }

    // MARK: Hearing

    func heard(datagram: [UInt8], from host: Host, in world: World) {
        if host != self.host { datagrams.add(datagram) }
    }

    func heard(stream: [UInt8], from host: Host, to other: Host, in world: World) {
        guard host != self.host else { return }
        let piece = Array(stream.prefix(Self.recordedBytes))
        switch FrameSummary.Kind(stream: stream) {
        case .handshakeFirst: firsts.add(piece)
        case .handshakeSecond, .handshakeThird, .transport, .beacon, .tinyBeacon, .other: pieces.add(piece)
        }
    }

    // MARK: Speaking

    var nextDeadline: UInt64? { nextTick }

    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) {
        switch event {
        case .deadline: if now.uptime >= nextTick { tick(now, &effects) }
        case .connected(let connection):
            guard let call = calls.first(where: { $0.connection == connection })?.call else { return }
            knocks += 1
            if !call.bytes.isEmpty { effects.append(.send(connection, call.bytes)) }
        case .received(_, let bytes): bytesHeard += bytes.count
        case .dialFailed(let connection, _), .closed(let connection): calls.removeAll { $0.connection == connection }
        case .accepted(let connection, _, _): effects.append(.abort(connection))
        case .endpoints, .drained, .datagram, .command, .wiped: break
        }
    }

    private func tick(_ now: Now, _ effects: inout Effects) {
        nextTick = now.uptime + 1_000_000
        ticks += 1
        for (connection, call) in calls where now.uptime >= call.deadline { effects.append(.abort(connection)) }
        calls.removeAll { now.uptime >= $0.call.deadline }
        if let old = datagrams.any(random) { effects.append(.multicast(old)) }
        effects.append(.multicast(random.bytes(ticks % 2 == 0 ? 220 : 24)))
        let reach = world.hosts.filter { world.isHonest($0) && world.reaches(host, $0) }
        guard !reach.isEmpty else { return }
        lastConnection += 1
        let connection = ConnectionID.dialled(lastConnection)
        calls.append((connection, Call(bytes: words, deadline: now.uptime + Self.patience)))
        effects.append(.dial(connection, world.address(of: reach[ticks % reach.count])))
    }

    /// What is said next.
    private var words: [UInt8] {
        switch random.uniform(8) {
        case 0: opening
        case 1: opening + third
        case 2: reverse
        case 3: firsts.any(random) ?? []
        case 4: (firsts.any(random) ?? []) + (pieces.any(random) ?? [])
        case 5: pieces.any(random) ?? []
        case 6: [0, 66, 1, 0] + random.bytes(64)
        default: random.bytes(random.uniform(1...4_096))
        }
    }
}
