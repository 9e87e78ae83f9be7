package import CoveyCore
package import CoveyCrypto
import CoveyNode
import Glibc

/// The secrets of a device: the master key of its store and its three private keys (protocol.md §1.1).
package struct DeviceKeys: Sendable {
    package let mesh: MeshID
    /// DMK: everything in the store is sealed under keys derived from it.
    package let master: SymmetricKey
    package let signing: SigningPrivateKey
    package let link: AgreementPrivateKey
    package let message: AgreementPrivateKey

    package init(
        mesh: MeshID, master: SymmetricKey, signing: SigningPrivateKey, link: AgreementPrivateKey,
        message: AgreementPrivateKey
    ) {
        self.mesh = mesh
        self.master = master
        self.signing = signing
        self.link = link
        self.message = message
    }

    /// New keys for a device that asks to become a member of `mesh`.
    package init(mesh: MeshID, from source: any RandomSource) {
        self.init(
            mesh: mesh, master: SymmetricKey(from: source), signing: SigningPrivateKey(from: source),
            link: AgreementPrivateKey(from: source), message: AgreementPrivateKey(from: source))
    }

    package var device: DeviceID {
        DeviceHash(mesh: mesh, signing: signing.publicKey, link: link.publicKey, message: message.publicKey).deviceID
    }
}

/// `device.key`, readable by its owner alone.
///
///     magic "COVEYK" | version "01" | mesh 32 | device 16 | master key 32
///     nonce 24 | X(signing seed 32 | link 32 | message 32) | tag 16          AD = the first 56 bytes
///
/// The private keys are sealed under the master key, so that a passphrase has one value to protect (protocol.md §6).
package struct DeviceKeyFile: Sendable {
    /// Why the file cannot be used. Each says what to do next.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case missing(String)
        /// Group or others may read or write it; the mode it has.
        case exposed(String, mode: UInt32)
        case damaged(String)
        case newer(String)
        /// Keys are never overwritten: what was sealed under them would be lost.
        case exists(String)
        case io(String)

        package var description: String {
            switch self {
            case .missing(let path): "\(path) is missing: enrol this device, or name its directory with --home"
            case .exposed(let path, let mode):
                "\(path) is open to others (mode \(String(mode, radix: 8))): chmod 600 \(path)"
            case .damaged(let path): "\(path) is damaged: put back a copy, or enrol this device anew"
            case .newer(let path): "\(path) was written by a newer version: run the newer program"
            case .exists(let path): "\(path) exists: this directory has a device already"
            case .io(let text): text
            }
        }
    }

    private static let magic = Array("COVEYK".utf8)
    private static let version = Array("01".utf8)
    private static let headSize = 8 + 32 + 16
    private static let secretSize = 96
    private static let size = headSize + 32 + 24 + secretSize + 16

    package let path: String

    package init(_ path: String) { self.path = path }

    package func read() throws -> DeviceKeys {
        var bytes: [UInt8]
        do {
            guard access(path, F_OK) == 0 || errno != ENOENT else { throw Failure.missing(path) }
            let file = try File(path, O_RDONLY)
            let mode = try file.status().st_mode & 0o777
            guard mode & 0o077 == 0 else { throw Failure.exposed(path, mode: mode) }
            bytes = try file.read(Self.size + 1, at: 0)
        } catch StoreError.io(let text) {
            throw Failure.io(text)
        }
        defer { bytes.wipe() }
        guard bytes.starts(with: Self.magic), bytes.count >= 8 else { throw Failure.damaged(path) }
        guard bytes[6..<8].elementsEqual(Self.version) else { throw Failure.newer(path) }
        guard bytes.count == Self.size, let mesh = MeshID(bytes[8..<40]) else { throw Failure.damaged(path) }

        let whole = bytes.span.bytes
        let master = SymmetricKey(copying: whole.extracting(Self.headSize..<Self.headSize + 32))
        guard
            let secrets = try? XChaCha20Poly1305.unboxSecret(
                whole.extracting(droppingFirst: Self.headSize + 32), ad: whole.extracting(first: Self.headSize),
                key: master),
            secrets.byteCount == Self.secretSize
        else { throw Failure.damaged(path) }
        let device = secrets.exposing { keys in
            DeviceKeys(
                mesh: mesh, master: master, signing: SigningPrivateKey(copying: keys.extracting(0..<32)),
                link: AgreementPrivateKey(copying: keys.extracting(32..<64)),
                message: AgreementPrivateKey(copying: keys.extracting(64..<96)))
        }
        guard device.device.array.elementsEqual(bytes[40..<56]) else { throw Failure.damaged(path) }
        return device
    }

    /// Writes a new file, whole or not at all.
    package func write(_ keys: DeviceKeys, from random: any RandomSource) throws {
        let head = Self.magic + Self.version + keys.mesh.array + keys.device.array
        var bytes: [UInt8] = []
        // All the room from the start: an array that grows leaves its secrets behind in the old place.
        bytes.reserveCapacity(Self.size)
        defer { bytes.wipe() }
        bytes += head
        keys.master.exposing { bytes.append(copying: $0) }
        SecretBytes(byteCount: Self.secretSize) { secrets in
            secrets.append(keys.signing)
            secrets.append(keys.link)
            secrets.append(keys.message)
        }.exposing {
            XChaCha20Poly1305.box(
                $0, ad: head.span.bytes, key: keys.master, nonce: Nonce24.random(from: random), to: &bytes)
        }

        let draft = path + ".new"
        do {
            _ = unlink(draft)
            let file = try File(draft, O_WRONLY | O_CREAT | O_EXCL)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.synchronize()
            // A link does not replace what is there, a rename would.
            let status = link(draft, path)
            let code = errno
            _ = unlink(draft)
            guard status == 0 else {
                guard code == EEXIST else { throw StoreError(errno: code, "make", path) }
                throw Failure.exists(path)
            }
            let end = path.lastIndex(of: "/")
            try Directory.synchronize(end.map { String(path[...$0]) } ?? ".")
        } catch StoreError.io(let text) {
            throw Failure.io(text)
        } catch StoreError.full {
            throw Failure.io("cannot write \(path): no space left on the device")
        }
    }
}
