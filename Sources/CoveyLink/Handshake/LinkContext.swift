package import CoveyCore
package import CoveyCrypto

/// How packets travel. Bound into the handshake, so that a recording cannot be moved to another carrier.
package enum TransportClass: UInt8, Sendable {
    case stream = 1
    case datagram = 2
    case radio = 3
}

/// What this side brings to every handshake.
package struct LinkContext: Sendable {
    package static let wireVersion: UInt8 = 1
    package static let suite: UInt8 = 1

    package let mesh: MeshID
    package let transport: TransportClass
    /// The device's LNK key, used in Noise only (protocol.md §1.1).
    package let key: AgreementPrivateKey

    package init(mesh: MeshID, transport: TransportClass, key: AgreementPrivateKey) {
        self.mesh = mesh
        self.transport = transport
        self.key = key
    }

    /// `"covey1-link" 00 | wire_major u8 | suite u8 | mesh_id[32] | transport_class u8 | flags of the msg1 packet u8`.
    func prologue(isReverse: Bool) -> [UInt8] {
        var prologue = Array("covey1-link".utf8)
        prologue.append(0)
        prologue.append(Self.wireVersion)
        prologue.append(Self.suite)
        prologue.append(mesh)
        prologue.append(transport.rawValue)
        prologue.append(isReverse ? HandshakePacket.reverseFlag : 0)
        return prologue
    }

    func noise(_ role: HandshakeState.Role, psk: SymmetricKey, isReverse: Bool) -> HandshakeState {
        HandshakeState(
            pattern: .xxpsk0, role: role, prologue: prologue(isReverse: isReverse).span.bytes, ownStatic: key,
            psks: [psk])
    }
}

/// An epoch's link key (protocol.md §1.10).
package struct HeldPSK: Sendable {
    package let epoch: EpochCommit
    package let psk: SymmetricKey

    package init(epoch: EpochCommit, psk: SymmetricKey) {
        self.epoch = epoch
        self.psk = psk
    }
}
