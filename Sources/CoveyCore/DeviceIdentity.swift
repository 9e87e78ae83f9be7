package import CoveyCrypto

/// A device's three key pairs in its mesh (protocol.md §1.1). Made on the device, never exported, never in a backup.
package struct DeviceIdentity: Sendable {
    package let mesh: MeshID
    package let signing: SigningPrivateKey
    package let link: AgreementPrivateKey
    package let message: AgreementPrivateKey
    package let hash: DeviceHash

    package init(
        mesh: MeshID, signing: SigningPrivateKey, link: AgreementPrivateKey, message: AgreementPrivateKey
    ) {
        self.mesh = mesh
        self.signing = signing
        self.link = link
        self.message = message
        hash = DeviceHash(
            mesh: mesh, signing: signing.publicKey, link: link.publicKey, message: message.publicKey)
    }

    /// New keys.
    package init(mesh: MeshID, random: any RandomSource) {
        self.init(
            mesh: mesh, signing: SigningPrivateKey(from: random), link: AgreementPrivateKey(from: random),
            message: AgreementPrivateKey(from: random))
    }

    package var id: DeviceID { hash.deviceID }

    /// Bytes in a key file: `version 1 | mesh_id 32 | SIG seed 32 | LNK 32 | MSG 32`.
    package static let byteCount = 129
    private static let version: UInt8 = 1

    /// For the key file, mode 0600. Wipe them once they are written.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        // Room from the start: an array that grows leaves its secrets behind in the old place.
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(Self.version)
        bytes.append(mesh)
        signing.exposing { bytes.append(copying: $0) }
        link.exposing { bytes.append(copying: $0) }
        message.exposing { bytes.append(copying: $0) }
        return bytes
    }

    package init(parsing bytes: RawSpan) throws(Malformed) {
        guard bytes.byteCount >= 1 else { throw .truncated }
        let version = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        guard version == Self.version else { throw .unknownVersion(version) }
        guard bytes.byteCount >= Self.byteCount else { throw .truncated }
        guard bytes.byteCount == Self.byteCount else { throw .trailing }
        self.init(
            mesh: MeshID(copying: bytes.extracting(1..<33)),
            signing: SigningPrivateKey(copying: bytes.extracting(33..<65)),
            link: AgreementPrivateKey(copying: bytes.extracting(65..<97)),
            message: AgreementPrivateKey(copying: bytes.extracting(97..<129)))
    }
}
