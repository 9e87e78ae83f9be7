import CoveyCore
import CoveyCrypto
import CoveyLink

/// What a stranger says to get an answer out of a node.
struct Knock {
    let name: String
    let bytes: [UInt8]

    /// What one can try who has a mesh, a device and a certificate of his own, and no key of the node's mesh.
    ///
    /// - Parameter now: as the node has it, so that nothing but the key is wrong.
    static func all(now: Minute, random: any RandomSource) throws -> [Knock] {
        let slot = now.value / 10
        let founding = try Founding.found(name: "elsewhere", profile: .standard, random: random, now: now)
        let device = DeviceIdentity(mesh: founding.mesh, random: random)
        let certificate = try certificate(of: device, by: founding.field, now: now, random: random)
        let epoch = EpochKeys(EpochKey(from: random))
        let context = LinkContext(mesh: founding.mesh, transport: .stream, key: device.link)

        func first(isReverse: Bool) -> [UInt8] {
            var packet: [UInt8] = []
            _ = Initiator(
                context, psk: epoch.psk.key, first: FirstPayload(isAhead: isReverse, slot: slot), isReverse: isReverse,
                random: random, to: &packet)
            return packet
        }
        // The second and third message of a link between two of his own devices, certificate and all.
        let other = LinkContext(
            mesh: founding.mesh, transport: .stream, key: AgreementPrivateKey(from: random))
        let payload = AuthPayload(
            certificate: certificate.signed, chain: .full([]), headsDigest: .random(from: random), rootSequence: 2,
            rootID: .random(from: random), epochs: [Octets8(prefixOf: epoch.commit)], time: now,
            timeIsTrusted: true, bootSalt: .random(from: random))
        var buffer = PacketBuffer()
        var opening: [UInt8] = []
        let initiator = Initiator(
            context, psk: epoch.psk.key, first: FirstPayload(isAhead: false, slot: slot), random: random, to: &opening)
        buffer.append(opening)
        guard let packet = try buffer.next() else { preconditionFailure("a first message is one packet") }
        let held = HeldPSK(epoch: epoch.commit, psk: epoch.psk.key)
        let (second, _) = try FirstMessage.open(packet, context: other, held: [held], expecting: .fresh)
            .respond(payload, random: random)
        buffer.append(second)
        guard let answer = try buffer.next() else { preconditionFailure("a second message is one packet") }
        let third = try initiator.open(answer).finish(payload, now: 0, random: random).packet

        return [
            Knock(name: "the first message of another mesh", bytes: first(isReverse: false)),
            Knock(name: "a first message that turns the roles", bytes: first(isReverse: true)),
            Knock(name: "a whole handshake with a certificate of its own", bytes: opening + third),
            Knock(name: "a second message", bytes: second),
            Knock(name: "the form of a first message, random inside", bytes: [0, 66, 1, 0] + random.bytes(64)),
            Knock(name: "a packet of a link", bytes: [0, 82, 5, 0] + random.bytes(80)),
            Knock(name: "an HTTP request", bytes: Array("GET / HTTP/1.1\r\nHost: node\r\n\r\n".utf8)),
            Knock(name: "a TLS greeting", bytes: [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] + random.bytes(506)),
            Knock(name: "random bytes", bytes: random.bytes(4096)),
            Knock(name: "half a first message", bytes: Array(first(isReverse: false).prefix(40))),
            Knock(name: "nothing", bytes: []),
        ]
    }

    private static func certificate(
        of device: DeviceIdentity, by authority: AuthorityKeys, now: Minute, random: any RandomSource
    ) throws -> DeviceCertificate {
        let content = DeviceCertificate.Content(
            serial: 1, issuer: authority.authority, signing: device.signing.publicKey, link: device.link.publicKey,
            message: device.message.publicKey, subject: .random(from: random), notBefore: now,
            notAfter: now.adding(1440),
            capabilities: [.link, .send, .carry], label: "stranger")
        return try DeviceCertificate.make(content, mesh: device.mesh, keys: authority.current.keys)
    }
}
