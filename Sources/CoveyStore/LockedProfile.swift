package import CoveyCore
package import CoveyCrypto
import CoveyNode
import Glibc

/// What a directory is, by the files that stand in it.
package enum ProfileState: Sendable {
    case empty
    case device
    /// Locked by order: nothing in it opens without the organisation.
    case locked
    /// Was locked, and given back for reading. It is a member no more.
    case reading
    /// An erase by order was begun, and is finished by whoever finds it.
    case erasing

    package init(of path: String) {
        func exists(_ name: ProfileFile) -> Bool { access(name.path(in: path), F_OK) == 0 }
        // Each is written whole before what it replaces is destroyed.
        if exists(.erasing) {
            self = .erasing
        } else if exists(.reading) {
            self = .reading
        } else if exists(.locked) {
            self = .locked
        } else {
            self = exists(.deviceKey) ? .device : .empty
        }
    }
}

/// Files of a home that come and go with an order.
enum ProfileFile: String {
    case deviceKey = "device.key"
    case pending
    case locked = "device.locked"
    case reading = "device.reading"
    case erasing

    func path(in home: String) -> String { home + "/" + rawValue }
}

/// `device.locked`: the store's key, sealed under an unlock key, and the record that says who can give that back.
///
///     magic "COVEYL" | version "01" | nonce 24 | X(sealing key; master key 32) | tag 16 | LockRecord, Signed, to the end
///                                                                               AD = the Signed bytes
///
/// SIG, LNK and MSG are not kept: they were good for a membership that has ended.
package struct LockedProfile: Sendable {
    private static let head = Array("COVEYL01".utf8)
    private static let sealedSize = 24 + 32 + 16

    package let record: LockRecord
    private let sealed: [UInt8]

    /// - Throws: `StoreError.damaged` for what is not such a file.
    package init(in home: String) throws {
        let path = ProfileFile.locked.path(in: home)
        let bytes = try File(path, O_RDONLY).read(Self.head.count + Self.sealedSize + 8192, at: 0)
        guard bytes.starts(with: Self.head), bytes.count > Self.head.count + Self.sealedSize,
            let record = try? LockRecord(parsing: Array(bytes[(Self.head.count + Self.sealedSize)...]))
        else { throw StoreError.damaged("\(path) is damaged: put back a copy, or erase the directory") }
        self.record = record
        sealed = Array(bytes[Self.head.count..<Self.head.count + Self.sealedSize])
    }

    /// Locks a home: the sealed key is there whole before the open ones are destroyed. What a crash cut off is finished by
    /// `finish`.
    package static func lock(
        _ home: HomeDirectory, _ record: LockRecord, under key: UnlockKey, master: SymmetricKey,
        random: any RandomSource
    ) throws {
        var bytes = head
        master.exposing {
            XChaCha20Poly1305.box(
                $0, ad: record.signed.bytes.span.bytes, key: record.sealingKey(key), nonce: .random(from: random),
                to: &bytes)
        }
        bytes += record.signed.bytes
        try Destruction.replace(ProfileFile.locked.path(in: home.path), bytes)
        try finish(home)
    }

    /// Destroys the keys of a home that is locked.
    package static func finish(_ home: HomeDirectory) throws {
        try Destruction.destroy([.deviceKey, .pending], in: home)
    }

    /// The store's key; nil when this is not the key it was sealed under.
    package func open(_ key: UnlockKey) -> SymmetricKey? {
        guard
            let opened = try? XChaCha20Poly1305.unboxSecret(
                sealed.span.bytes, ad: record.signed.bytes.span.bytes, key: record.sealingKey(key)),
            opened.byteCount == SymmetricKey.byteCount
        else { return nil }
        return opened.exposing { SymmetricKey(copying: $0) }
    }
}

/// `device.reading`: the store's key of a device that was locked, given back for reading.
///
///     magic "COVEYR" | version "01" | mesh 32 | device 16 | order 16 | master key 32
package struct ReadingKeyFile: Sendable {
    private static let head = Array("COVEYR01".utf8)
    private static let size = 8 + 32 + 16 + 16 + 32

    package let mesh: MeshID
    package let device: DeviceID
    package let order: Octets16
    package let master: SymmetricKey

    package init(in home: String) throws {
        let path = ProfileFile.reading.path(in: home)
        var bytes = try File(path, O_RDONLY).read(Self.size + 1, at: 0)
        defer { bytes.wipe() }
        guard bytes.starts(with: Self.head), bytes.count == Self.size else {
            throw StoreError.damaged("\(path) is damaged: put back a copy")
        }
        let whole = bytes.span.bytes
        mesh = MeshID(copying: whole.extracting(8..<40))
        device = DeviceID(copying: whole.extracting(40..<56))
        order = Octets16(copying: whole.extracting(56..<72))
        master = SymmetricKey(copying: whole.extracting(72..<104))
    }

    /// Gives a locked home back for reading.
    package static func write(
        in home: HomeDirectory, _ record: LockRecord, mesh: MeshID, master: SymmetricKey
    ) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        bytes += head
        bytes.append(mesh)
        bytes.append(record.device)
        bytes.append(record.order)
        master.exposing { bytes.append(copying: $0) }
        defer { bytes.wipe() }
        try Destruction.replace(ProfileFile.reading.path(in: home.path), bytes)
        try Destruction.remove(ProfileFile.locked.path(in: home.path))
        try Directory.synchronize(home.path)
    }
}
