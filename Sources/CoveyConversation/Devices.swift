package import CoveyCore
package import CoveyCrypto

/// What conversations need of our own device (protocol.md §1.1).
package struct OwnDevice: Sendable {
    package let mesh: MeshID
    package let hash: DeviceHash
    /// MSG: never used in links, never for signatures.
    package let message: AgreementPrivateKey

    package var id: DeviceID { hash.deviceID }

    package init(mesh: MeshID, hash: DeviceHash, message: AgreementPrivateKey) {
        self.mesh = mesh
        self.hash = hash
        self.message = message
    }
}

/// What conversations need of a contact: its identity, and the keys that only the two devices can compute.
///
/// Making one costs a Diffie–Hellman agreement; keep it while the device is in the log.
package struct PeerDevice: Sendable {
    package let hash: DeviceHash
    package let message: AgreementPublicKey
    package let pair: PairKeys

    package var id: DeviceID { hash.deviceID }

    /// Refuses a MSG key of small order.
    package init(hash: DeviceHash, message: AgreementPublicKey, of own: OwnDevice) throws(CryptoFailure) {
        self.hash = hash
        self.message = message
        pair = try PairKeys(of: own, with: message, id: hash.deviceID)
    }

    /// With keys that were computed before.
    package init(hash: DeviceHash, message: AgreementPublicKey, pair: PairKeys) {
        self.hash = hash
        self.message = message
        self.pair = pair
    }

    /// The device of a certificate in the log. A renewed certificate names the same keys: the pair stays as it is.
    package init(_ certificate: DeviceCertificate, of own: OwnDevice) throws(CryptoFailure) {
        try self.init(hash: certificate.deviceHash, message: certificate.message, of: own)
    }
}

/// `K_tag` and `K_hdr` of a pair of devices, one of each for either direction (protocol.md §3.2).
///
///     K_tag | K_hdr = HKDF(mesh_id, X25519(MSG_A, MSG_B), "covey1:pair" | id_sender | id_recipient, 64)
package struct PairKeys: Sendable {
    package struct Direction: Sendable {
        /// Names the recipient of an envelope that has a prekey header.
        package let tag: SymmetricKey
        /// Encrypts the prekey header.
        package let header: SymmetricKey
    }

    package let outgoing: Direction
    package let incoming: Direction

    private init(outgoing: Direction, incoming: Direction) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// The same keys as the other device sees them.
    package var reversed: PairKeys { PairKeys(outgoing: incoming, incoming: outgoing) }

    package init(of own: OwnDevice, with peer: AgreementPublicKey, id: DeviceID) throws(CryptoFailure) {
        var material = HKDF.Material()
        material.append(try own.message.agree(with: peer))
        let key = HKDF.extract(salt: own.mesh, material: material)
        outgoing = Self.direction(key, from: own.id, to: id)
        incoming = Self.direction(key, from: id, to: own.id)
    }

    private static func direction(_ key: SymmetricKey, from sender: DeviceID, to recipient: DeviceID) -> Direction {
        var info = HKDF.bytes(of: DerivationLabel.pair)
        info.append(sender)
        info.append(recipient)
        let keys = HKDF.expand(key, info: info, count: 2)
        return Direction(tag: keys[0], header: keys[1])
    }
}
