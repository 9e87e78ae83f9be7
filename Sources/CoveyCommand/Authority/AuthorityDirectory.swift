import CoveyCore
import CoveyCrypto
import Glibc

/// An authority's directory, held by this process alone.
///
///     DIR/ 0700
///       authority.key   0600   the keys that sign every day
///       mesh                   genesis, a Signed
///       log                    a log file: all entries in order, then the notes
///       epochs          0600   ( entry id 32 | K_e 32 )*
///       invitations/    0700   one file for each open invitation, 0600
///       cold/           0700   root.key, recovery.key, release.key: not needed every day
///       lock
final class AuthorityDirectory {
    let path: String
    private(set) var book: AuthorityBook
    private let lock: Int32

    private static let epochSize = 64

    // MARK: Opening

    init(_ path: String) throws {
        let marker = path + "/authority.key"
        guard Disk.exists(marker) else {
            throw Complaint(
                .failed,
                "there is no authority in \(path); found a mesh with: covey authority init NAME --authority \(path)")
        }
        lock = try Self.lock(path)
        self.path = path
        do {
            book = try Self.load(path)
        } catch {
            close(lock)
            throw error
        }
    }

    deinit { close(lock) }

    private static func lock(_ path: String) throws -> Int32 {
        let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Disk.cannot("create", path + "/lock", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Complaint(.tryAgain, "another covey works in \(path); try again when it has ended")
        }
        return descriptor
    }

    private static func load(_ path: String) throws -> AuthorityBook {
        let genesis = try named(path + "/mesh") { try Genesis(parsing: Signed(parsing: $0)) }
        guard genesis.verify() else { throw damaged(path + "/mesh", "its signatures are wrong") }
        try checkMode(path + "/authority.key")
        let keys = try named(path + "/authority.key") { try AuthorityKeys(parsing: $0.span.bytes) }
        guard keys.mesh == genesis.meshID else { throw damaged(path + "/authority.key", "it is of another mesh") }
        var book = AuthorityBook(genesis: genesis, keys: keys)

        let log = path + "/log"
        let file = try CoveyFile(at: log)
        for object in try Complaint.about(log, { try file.log(of: genesis.meshID) }) {
            do { try book.restore(object) } catch { throw damaged(log, "\(error)") }
        }
        // What an authority signs behind a log that was cut off is a second history of the mesh.
        guard book.membership.authority(keys.authority) != nil else {
            throw damaged(log, "it does not hold the entry that made this authority")
        }

        var epochs = try Disk.readIfThere(path + "/epochs") ?? []
        defer { epochs.wipe() }
        guard epochs.count.isMultiple(of: epochSize) else { throw damaged(path + "/epochs", "it is cut off") }
        let bytes = epochs.span.bytes
        for start in stride(from: 0, to: epochs.count, by: epochSize) {
            let entry = EntryID(copying: bytes.extracting(start..<start + 32))
            let key = EpochKey(copying: bytes.extracting(start + 32..<start + epochSize))
            book.restore(Welcome.Epoch(entry: entry, key: key))
        }
        return book
    }

    private static func checkMode(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Disk.cannot("read", path, errno) }
        guard status.st_mode & 0o077 == 0 else {
            throw Complaint(
                .permission,
                "\(path) is open to others (mode \(String(status.st_mode & 0o777, radix: 8))): chmod 600 \(path)")
        }
    }

    private static func named<Value>(_ path: String, _ parse: ([UInt8]) throws -> Value) throws -> Value {
        var bytes = try Disk.read(path)
        defer { bytes.wipe() }
        do { return try parse(bytes) } catch let cause as Malformed { throw damaged(path, "\(cause)") }
    }

    private static func damaged(_ path: String, _ cause: String) -> Complaint {
        Complaint(.failed, "\(path) is damaged (\(cause)); put back your copy of the directory")
    }

    // MARK: Founding

    /// Makes the directory and the mesh.
    static func found(_ path: String, name: String, profile: MeshProfile, random: any RandomSource, now: Minute) throws
    {
        guard !Disk.exists(path + "/authority.key") else {
            throw Complaint(.cannotCreate, "there is an authority in \(path) already; choose another directory")
        }
        let founding = try Founding.found(name: name, profile: profile, random: random, now: now)
        try Disk.makeDirectory(path)
        guard chmod(path, 0o700) == 0 else { throw Disk.cannot("create", path, errno) }
        let lock = try lock(path)
        defer { close(lock) }
        try Disk.makeDirectory(path + "/invitations")
        try Disk.makeDirectory(path + "/cold")
        let recovery = AuthorityKeys(
            mesh: founding.mesh, authority: founding.recovery.keyset.authorityID, current: founding.recovery,
            next: founding.recovery)
        let release = AuthorityKeys(
            mesh: founding.mesh, authority: founding.release.keyset.authorityID, current: founding.release,
            next: founding.release)
        try create(path + "/cold/root.key", founding.root)
        try create(path + "/cold/recovery.key", recovery)
        try create(path + "/cold/release.key", release)
        try Disk.replace(path + "/mesh", founding.genesis.signed.bytes)
        try Disk.replace(path + "/log", CoveyFile.log(founding.entries.map(\.signed), mesh: founding.mesh).bytes)
        // Last: a directory with this file is complete.
        try create(path + "/authority.key", founding.field)
    }

    private static func create(_ path: String, _ keys: AuthorityKeys) throws {
        var bytes = keys.bytes
        defer { bytes.wipe() }
        try Disk.replace(path, bytes)
    }

    // MARK: Keeping

    /// Writes what is new in `next`. The key of an epoch is there before the entry that announces it.
    func keep(_ next: AuthorityBook) throws {
        if next.epochs.count > book.epochs.count {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(next.epochs.count * Self.epochSize)
            defer { bytes.wipe() }
            for epoch in next.epochs {
                bytes.append(epoch.entry)
                epoch.key.exposing { bytes.append(copying: $0) }
            }
            try Disk.replace(path + "/epochs", bytes)
        }
        try Disk.replace(path + "/log", CoveyFile.log(next.signed, mesh: book.mesh).bytes)
        book = next
    }

    // MARK: Invitations

    private var invitationsPath: String { path + "/invitations" }

    private func file(of id: InvitationID) -> String { invitationsPath + "/" + id.hex + ".open" }

    func keep(_ invitation: OpenInvitation) throws {
        var bytes = invitation.bytes
        defer { bytes.wipe() }
        try Disk.replace(file(of: invitation.id), bytes)
    }

    func invitation(_ id: InvitationID) throws -> OpenInvitation? {
        guard var bytes = try Disk.readIfThere(file(of: id)) else { return nil }
        defer { bytes.wipe() }
        do {
            return try OpenInvitation(parsing: bytes.span.bytes)
        } catch {
            throw Self.damaged(file(of: id), "\(error)")
        }
    }

    func discard(_ id: InvitationID) throws { try Disk.remove(file(of: id)) }

    /// Forgets invitations that nobody can use any more, and gives the others.
    func openInvitations(now: Minute) throws -> [Invitation] {
        var open: [Invitation] = []
        for name in try Disk.names(in: invitationsPath, ending: ".open") {
            guard let id = InvitationID(hex: String(name.dropLast(5))), let kept = try invitation(id) else { continue }
            if kept.invitation.isExpired(now: now) { try discard(id) } else { open.append(kept.invitation) }
        }
        return open
    }
}
