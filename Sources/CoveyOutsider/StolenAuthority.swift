import CoveyCore
import CoveyCrypto
import Glibc

/// Everything an authority's directory holds, in the hands of a thief: its signing keys, the log and the network keys.
///
///     mesh            genesis, a Signed
///     authority.key   keys
///     log             a log file: entries and notes
///     epochs          ( entry id 32 | K_e 32 )*
struct StolenAuthority {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private enum Bounds {
        /// Bytes of a file.
        static let file = 64 << 20
        static let epoch = 64
    }

    let keys: AuthorityKeys
    /// Of the authority and those above it but the root, the issuer of devices first.
    let chain: [AuthorityCertificate]
    let entries: [LogEntry]
    /// The key of the epoch announced last.
    let epoch: EpochKey

    var mesh: MeshID { keys.mesh }

    init(directory: String) throws {
        let genesis = try Genesis(parsing: Signed(parsing: Self.read(directory + "/mesh")))
        var secret = try Self.read(directory + "/authority.key")
        defer { secret.wipe() }
        keys = try AuthorityKeys(parsing: secret.span.bytes)
        let mesh = genesis.meshID
        guard keys.mesh == mesh else { throw Failure(description: "\(directory) holds keys of another mesh") }
        let log = try CoveyFile(parsing: Self.read(directory + "/log")).log(of: mesh)
        // Notes stand in the file too; they are of no use to a thief.
        entries = log.compactMap { try? LogEntry(parsing: $0, mesh: mesh) }

        let added = entries.compactMap { entry -> AuthorityCertificate? in
            if case .authorityAdd(let certificate) = entry.payload { certificate } else { nil }
        }
        var chain: [AuthorityCertificate] = []
        var above: AuthorityID? = keys.authority
        while let wanted = above, let found = added.first(where: { $0.authority == wanted }), chain.count < 2 {
            chain.append(found)
            above = found.content.parent
        }
        guard !chain.isEmpty else { throw Failure(description: "the log of \(directory) does not hold the authority") }
        self.chain = chain

        var epochs = try Self.read(directory + "/epochs")
        defer { epochs.wipe() }
        guard epochs.count >= Bounds.epoch, epochs.count.isMultiple(of: Bounds.epoch) else {
            throw Failure(description: "\(directory)/epochs holds no network key")
        }
        epoch = EpochKey(copying: epochs.span.bytes.extracting(last: EpochKey.byteCount))
    }

    /// A certificate that is good in every way but one: no log entry holds it.
    func certify(_ device: DeviceIdentity, label: String, now: Minute, random: any RandomSource) throws
        -> DeviceCertificate
    {
        let day: Int64 = 24 * 60
        let content = DeviceCertificate.Content(
            serial: 1 << 32, issuer: keys.authority, signing: device.signing.publicKey, link: device.link.publicKey,
            message: device.message.publicKey, subject: .random(from: random), notBefore: now,
            notAfter: now.adding(30 * day), capabilities: [.link, .send, .carry],
            label: label)
        return try DeviceCertificate.make(content, mesh: mesh, keys: keys.current.keys)
    }

    /// The newest entry of a log.
    func head(of log: LogID) -> LogEntry? { entries.last { $0.log == log } }

    /// The root's log: the one that begins at the mesh.
    var root: LogID? { entries.first { $0.previous == LogEntry.anchor(of: mesh) }?.log }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else {
            throw Failure(description: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        defer { piece.wipe() }
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { return bytes }
            guard bytes.count + count <= Bounds.file else { throw Failure(description: "\(path) is too large") }
            bytes += piece[..<count]
        }
    }
}
