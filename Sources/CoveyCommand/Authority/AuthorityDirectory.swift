import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc

/// An authority's directory, held by this process alone.
///
///     DIR/ 0700
///       authority.key   0600   the keys that sign every day, and those they have promised
///       authority.next  0600   the promised keys and those after them, from a rotation on until the log holds it
///       authority.old   0600   the keys before the last rotation
///       mesh                   genesis, a Signed
///       log                    a log file: all entries in order, what waits for one before it, then the notes
///       signed          0600   what was signed as a draft and is not in the log yet
///       asked                  what this authority asked its parent for, until its own log begins
///       epochs          0600   ( entry id 32 | K_e 32 )*
///       invitations/    0700   one file for each open invitation, 0600
///       cold/           0700   root.key, recovery.key, release.key: not needed every day; of keysets of several
///                              keys one file each: root-1.key …, field-2.key …; after a rotation next-2.key …
///       lock
final class AuthorityDirectory {
    let path: String
    private(set) var book: AuthorityBook
    private let lock: Int32

    private static let epochSize = 64

    // MARK: Opening

    /// - Parameter known: what was in it before: what it still holds of that is not verified again.
    init(_ path: String, knowing known: AuthorityBook? = nil) throws {
        guard access(path + "/authority.key", F_OK) == 0 else { throw Self.absent(path, errno) }
        lock = try Self.lock(path)
        self.path = path
        do {
            book = try Self.load(path, known)
            try promote()
        } catch {
            Self.unlock(lock)
            throw error
        }
    }

    deinit { Self.unlock(lock) }

    /// Why no authority is here. Nobody is told to remove what may be the last copy of keys.
    private static func absent(_ path: String, _ code: Int32) -> Complaint {
        guard code == ENOENT || code == ENOTDIR else { return Disk.cannot("read", path + "/authority.key", code) }
        if ofDevices.contains(where: { Disk.exists(path + "/" + $0) }) {
            return Complaint(
                .failed, "\(path) is the home of a device; name the directory of an authority with --authority")
        }
        if Disk.exists(path + "/mesh") {
            // What cannot be looked into may hold some.
            let isWorthless = (try? keepsake(in: path) == nil) ?? false
            let anew = "; only if it was just being made, and that was interrupted, remove it and make it anew"
            return Complaint(
                .failed,
                "\(path) holds a mesh and no authority.key: put back your copy of the directory\(isWorthless ? anew : "")"
            )
        }
        return Complaint(
            .failed,
            "there is no authority in \(path); found a mesh with: covey authority init NAME --authority \(path.word)")
    }

    private static func lock(_ path: String) throws -> Int32 {
        let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Disk.cannot("create", path + "/lock", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Complaint(.tryAgain, "another covey works in \(path); try again when it has ended")
        }
        return descriptor
    }

    /// Not by closing alone: a process that was started meanwhile may still have the descriptor, until it runs its program.
    private static func unlock(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func load(_ path: String, _ known: AuthorityBook?) throws -> AuthorityBook {
        let genesis = try genesis(in: path)
        try checkMode(path + "/authority.key")
        let keys = try keys(in: path + "/authority.key")
        guard keys.mesh == genesis.meshID else { throw damaged(path + "/authority.key", "it is of another mesh") }
        var record = SigningRecord()
        if let bytes = try Disk.readIfThere(path + "/signed") {
            do {
                record = try SigningRecord(parsing: bytes)
            } catch {
                // Without it a second act could be signed for one place.
                throw damaged(path + "/signed", "\(error)")
            }
        }
        var book = AuthorityBook(genesis: genesis, keys: keys, record: record)
        try restore(path + "/log", into: &book, known)
        // What an authority signs behind a log that was cut off is a second history of the mesh.
        let isKnown =
            keys.authority == genesis.rootID || keys.authority == book.membership.releaseLog
            || book.membership.keyset(of: keys.authority) != nil
        guard isKnown || Disk.exists(path + "/asked") else {
            throw damaged(path + "/log", "it does not hold the entry that made this authority")
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

    private static func restore(_ log: String, into book: inout AuthorityBook, _ known: AuthorityBook? = nil) throws {
        let objects: [Signed]
        do { objects = try CoveyFile(parsing: Disk.read(log)).log(of: book.mesh) } catch let error as CoveyFileError {
            switch error {
            case .newerVersion: throw Complaint(.failed, "\(log): \(error)")
            case .truncated: throw damaged(log, "it is cut off, or something was added")
            case .damaged(let cause): throw damaged(log, "\(cause)")
            case .anotherMesh: throw damaged(log, "it is of another mesh")
            case .notOurs, .unknownKind, .otherKind: throw damaged(log, "it is no log")
            }
        }
        for object in known.map({ book.resume($0, of: objects) }) ?? objects {
            do { try book.restore(object) } catch { throw damaged(log, "\(error)") }
        }
    }

    /// What the mesh and the log in a folder say. Its keys are nobody's.
    static func read(_ source: String, random: any RandomSource) throws -> AuthorityBook {
        let genesis = try genesis(in: source)
        let none = SigningKeyset(.single, random: random)
        var book = AuthorityBook(
            genesis: genesis,
            keys: AuthorityKeys(mesh: genesis.meshID, authority: genesis.rootID, current: none, next: none))
        try restore(source + "/log", into: &book)
        return book
    }

    private static func genesis(in path: String) throws -> Genesis {
        let file = path + "/mesh"
        let genesis = try named(file) { try Genesis(parsing: Signed(parsing: Disk.read(file))) }
        guard genesis.verify() else { throw damaged(file, "its signatures are wrong") }
        return genesis
    }

    static func keyFile(_ path: String, of mesh: MeshID) throws -> AuthorityKeys {
        try checkMode(path)
        let keys = try keys(in: path)
        guard keys.mesh == mesh else { throw Complaint(.failed, "\(path) is of another mesh") }
        return keys
    }

    /// All private keys of a key file.
    static func keys(_ path: String, of mesh: MeshID) throws -> [SigningPrivateKey] {
        let keys = try keyFile(path, of: mesh)
        return keys.current.keys + keys.next.keys
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

    private static func keys(in path: String) throws -> AuthorityKeys {
        var bytes = try Disk.read(path)
        defer { bytes.wipe() }
        return try named(path) { try AuthorityKeys(parsing: bytes.span.bytes) }
    }

    private static func named<Value>(_ path: String, _ parse: () throws -> Value) throws -> Value {
        do { return try parse() } catch let cause as Malformed {
            let error = CoveyFileError(cause)
            throw error == .newerVersion ? Complaint(.failed, "\(path): \(error)") : damaged(path, "\(cause)")
        }
    }

    private static func damaged(_ path: String, _ cause: String) -> Complaint {
        Complaint(.failed, "\(path) is damaged (\(cause)); put back your copy of the directory")
    }

    // MARK: Founding

    static func checkFree(_ path: String) throws {
        guard !Disk.exists(path + "/authority.key") else {
            throw Complaint(.cannotCreate, "there is an authority in \(path) already; choose another directory")
        }
        if let there = ofDevices.first(where: { Disk.exists(path + "/" + $0) }) {
            throw Complaint(.cannotCreate, "there is \(path)/\(there) already; choose another directory")
        }
        // Half an authority is still somebody's keys.
        if let there = try keepsake(in: path) {
            throw Complaint(
                .cannotCreate,
                "there is \(path)/\(there) already, and no authority.key; put back your copy of the directory, or choose another directory"
            )
        }
        if let there = laid.first(where: { Disk.exists(path + "/" + $0) }) {
            throw Complaint(
                .cannotCreate,
                "there is \(path)/\(there) already, and no authority.key; if the making of it was interrupted, remove \(path) and do this again, else choose another directory"
            )
        }
    }

    /// What of a directory without its key may be nowhere else; nil where nothing is. A founding that was interrupted may
    /// have left some, too: that cannot be told from keys that were lost.
    private static func keepsake(in path: String) throws -> String? {
        for name in ["cold", "invitations"] where Disk.exists(path + "/" + name) {
            let files = try Disk.names(in: path + "/" + name, ending: "")
            if let file = files.first(where: { !$0.hasPrefix(".") }) { return name + "/" + file }
        }
        return ["epochs", "authority.next", "authority.old", "signed"].first { Disk.exists(path + "/" + $0) }
    }

    /// What a new directory is made of, besides keys.
    private static let laid = ["mesh", "log", "asked"]

    /// A device lives in a directory of the same kind.
    private static let ofDevices = ["device.key", "device.locked", "pending", "store.sqlite"]

    /// Makes the directory and the mesh.
    static func found(
        _ path: String, name: String, profile: MeshProfile, keys: FoundingKeys = FoundingKeys(),
        random: any RandomSource, now: Minute
    ) throws {
        try checkFree(path)
        let founding = try Founding.found(
            name: name, profile: profile, root: keys.root, field: keys.field, recovery: keys.recovery,
            release: keys.release, random: random, now: now)
        var book = AuthorityBook(genesis: founding.genesis, keys: founding.field)
        for entry in founding.entries { try book.restore(entry.signed) }
        // Of releases the genesis has a hash alone: the log says whose keys they are.
        let release = AuthorityKeys(
            mesh: founding.mesh, authority: founding.release.keyset.authorityID, current: founding.release,
            next: SigningKeyset(
                count: founding.release.keyset.keys.count, threshold: founding.release.threshold, random: random))
        var membership = book.membership
        try book.restore(Authority(release).openReleases(into: &membership, now: now).signed)
        // While all keys are together: apart, they would need a draft for it before the first device.
        if keys.field.isShared { try book.announce(now: now, random: random) }
        try Disk.makeDirectory(path)
        guard chmod(path, 0o700) == 0 else { throw Disk.cannot("create", path, errno) }
        let lock = try lock(path)
        defer { unlock(lock) }
        try Disk.makeDirectory(path + "/invitations")
        try Disk.makeDirectory(path + "/cold")
        let recovery = AuthorityKeys(
            mesh: founding.mesh, authority: founding.recovery.keyset.authorityID, current: founding.recovery,
            next: founding.recovery)
        try handOut(path + "/cold/root", founding.root)
        try handOut(path + "/cold/recovery", recovery)
        try handOut(path + "/cold/release", release)
        if keys.field.isShared { try handOut(path + "/cold/field", founding.field, from: 2) }
        try Disk.replace(path + "/mesh", founding.genesis.signed.bytes)
        try Disk.replace(path + "/log", CoveyFile.log(book.signed, mesh: founding.mesh).bytes)
        try keep(book.epochs, path)
        // Last: a directory with this file is complete.
        try create(path + "/authority.key", keys.field.isShared ? founding.field.part(1) : founding.field)
    }

    /// One file for an officer each; one for all when there is one key.
    private static func handOut(_ path: String, _ keys: AuthorityKeys, from first: Int = 1) throws {
        let count = keys.current.keyset.keys.count
        guard count > 1 else { return try create(path + ".key", keys) }
        for number in first...count { try create("\(path)-\(number).key", keys.part(number)) }
    }

    /// Keeps new keys of an authority: of those that are shared the first, with a file for each other officer. Last: a
    /// directory with this file is complete.
    private static func handOut(_ keys: AuthorityKeys, in path: String) throws {
        let shape = keys.shape
        if shape.isShared {
            try Disk.makeDirectory(path + "/cold")
            try handOut(path + "/cold/\(shape.threshold)of\(shape.count)", keys, from: 2)
        }
        try create(path + "/authority.key", shape.isShared ? keys.part(1) : keys)
    }

    /// Makes a directory for keys that were handed out, with the mesh and the log of another directory.
    static func join(_ path: String, keyFile: String, from source: String) throws {
        try checkFree(path)
        let genesis = try genesis(in: source)
        let keys = try Self.keyFile(keyFile, of: genesis.meshID)
        try lay(path, genesis: genesis, log: Disk.read(source + "/log"))
        if var epochs = try Disk.readIfThere(source + "/epochs") {
            defer { epochs.wipe() }
            try Disk.replace(path + "/epochs", epochs)
        }
        try create(path + "/authority.key", keys)
        // What cannot be opened was not made.
        do {
            _ = try AuthorityDirectory(path)
        } catch {
            for name in ["authority.key", "mesh", "log", "epochs", "lock"] { try Disk.remove(path + "/" + name) }
            rmdir(path + "/invitations")
            throw error
        }
    }

    /// Makes a directory for a new authority, with keys of its own, and what it asks its parent for. Of a keyset that is
    /// shared the first key stays here.
    static func ask(
        _ path: String, label: String, shape: KeysetShape, from source: String, random: any RandomSource
    ) throws -> AuthorityRequest {
        try checkFree(path)
        let genesis = try genesis(in: source)
        let current = SigningKeyset(shape, random: random)
        let keys = AuthorityKeys(
            mesh: genesis.meshID, authority: current.keyset.authorityID, current: current,
            next: SigningKeyset(shape, random: random))
        let request = try AuthorityRequest.make(keys, label: label)
        let log = try Disk.readIfThere(source + "/log") ?? CoveyFile.log([], mesh: genesis.meshID).bytes
        try lay(path, genesis: genesis, log: log)
        try Disk.replace(path + "/asked", request.signed.bytes)
        try handOut(keys, in: path)
        return request
    }

    /// What the authority in a directory asked its parent for and was not given yet; nil when there is none.
    static func asked(in path: String) throws -> AuthorityRequest? {
        guard Disk.exists(path + "/authority.key"), let bytes = try Disk.readIfThere(path + "/asked") else {
            return nil
        }
        do { return try AuthorityRequest(parsing: bytes) } catch { throw damaged(path + "/asked", "\(error)") }
    }

    /// Makes a directory with new keys for an authority whose own are gone. They act once the log holds what puts them in.
    static func make(_ path: String, _ keys: AuthorityKeys, in book: AuthorityBook) throws -> AuthorityDirectory {
        try checkFree(path)
        try lay(path, genesis: book.genesis, log: CoveyFile.log(book.signed, mesh: book.mesh).bytes)
        try handOut(keys, in: path)
        return try AuthorityDirectory(path)
    }

    private static func lay(_ path: String, genesis: Genesis, log: [UInt8]) throws {
        try Disk.makeDirectory(path)
        guard chmod(path, 0o700) == 0 else { throw Disk.cannot("create", path, errno) }
        try Disk.makeDirectory(path + "/invitations")
        try Disk.replace(path + "/mesh", genesis.signed.bytes)
        try Disk.replace(path + "/log", log)
    }

    private static func create(_ path: String, _ keys: AuthorityKeys) throws {
        var bytes = keys.bytes
        defer { bytes.wipe() }
        try Disk.replace(path, bytes)
    }

    // MARK: Other keys

    private var following: String { path + "/authority.next" }

    /// Keeps what acts after a rotation that is about to be signed, and hands the others their parts.
    func keep(following: SigningKeyset) throws {
        let keys = book.authority.keys
        if keys.next.isWhole {
            try Self.create(self.following, keys.rotated(to: following))
            return
        }
        let own = SigningKeyset(following.keyset, holding: keys.next.numbers.map { following.keys[$0 - 1] })
        try Self.create(self.following, keys.rotated(to: own))
        try Disk.makeDirectory(path + "/cold")
        for number in 1...following.keys.count where !keys.next.numbers.contains(number) {
            let part = AuthorityKeys(
                mesh: keys.mesh, authority: keys.authority, current: SigningKeyset(keys.next.keyset, holding: []),
                next: following.part(number))
            try Self.create("\(path)/cold/next-\(number).key", part)
        }
    }

    /// Takes the part that another officer's desk handed out; gives the numbers of its keys.
    ///
    /// - Parameter ask: before it goes over other following keys that the log may still pass to; these are lost then.
    func takeFollowing(from file: String, over ask: () throws -> Void) throws -> [Int] {
        let keys = book.authority.keys
        let part = try Self.keyFile(file, of: keys.mesh)
        guard part.authority == keys.authority, part.current.keyset == keys.next.keyset, !part.next.keys.isEmpty else {
            throw Complaint(.failed, "\(file) is no part of the keys that follow those in \(path)")
        }
        guard !lacksFollowingKeys || isPromised(part.next.keyset) else {
            throw Complaint(
                .failed,
                "\(file) is of a change of keys that was withdrawn; take the part of the one that the log holds")
        }
        // Of keys that the log has not promised, nothing is lost once it has passed on.
        if !lacksFollowingKeys, Disk.exists(following) {
            let held = try Self.keyFile(following, of: keys.mesh).next
            if held.keyset != part.next.keyset || !held.numbers.allSatisfy(part.next.numbers.contains) { try ask() }
        }
        try Self.create(following, keys.rotated(to: part.next))
        try promote()
        return part.next.numbers
    }

    /// Whether the log has passed to the promised keys, and those after them are not here.
    var lacksFollowingKeys: Bool {
        let keys = book.authority.keys
        return book.keysetInForce == keys.next.keyset && keys.next.keyset != keys.current.keyset
    }

    /// What to do where they are lacking: one who signs alone handed nothing out, and changed them in another copy.
    var followingKeysAdvice: String {
        book.authority.signsAlone()
            ? "\(path) is an old copy: work in the directory in which they were changed"
            : "take your part of the following ones, which the officer who began it handed out: "
                + "\(AdvisedCommand.takeFollowing) --authority \(path.word)"
    }

    /// Whether following keys wait here of which other officers have parts.
    var sharesFollowingKeys: Bool { Disk.exists(following) && !book.authority.keys.next.isWhole }

    private func isPromised(_ keyset: Keyset) -> Bool { book.membership.isPromised(keyset, of: book.id) }

    /// Goes over to the keys of a rotation once the log holds it. A crash between two of these steps repeats them. Keys of
    /// another rotation, which was withdrawn, are no keys that the log promises: they stay where they are.
    private func promote() throws {
        guard Disk.exists(following) else { return }
        let next = try Self.keyFile(following, of: book.mesh)
        guard book.keysetInForce == next.current.keyset, isPromised(next.next.keyset) else { return }
        if book.authority.keys.current.keyset != next.current.keyset {
            try Self.create(path + "/authority.old", book.authority.keys)
            try Self.create(path + "/authority.key", next)
            book.act(with: next)
        }
        try Disk.remove(following)
    }

    // MARK: Keeping

    /// Writes what is new in `next`. The key of an epoch is there before the entry that announces it.
    func keep(_ next: AuthorityBook) throws {
        let (new, old) = (next.epochs + next.waitingEpochs, book.epochs + book.waitingEpochs)
        if new.map(\.entry) != old.map(\.entry) { try Self.keep(new, path) }
        // What was signed is on disk before a signature can leave; what the log has passed is forgotten after it is.
        let isForgetting = next.record.lines.count < book.record.lines.count
        if next.record != book.record, !isForgetting { try Disk.replace(path + "/signed", next.record.bytes) }
        if next.entries.count != book.entries.count || next.notes.count != book.notes.count {
            try Disk.replace(path + "/log", CoveyFile.log(next.signed, mesh: book.mesh).bytes)
        }
        if isForgetting { try Disk.replace(path + "/signed", next.record.bytes) }
        if next.membership.authority(next.id) != nil { try Disk.remove(path + "/asked") }
        book = next
        try promote()
    }

    private static func keep(_ epochs: [Welcome.Epoch], _ path: String) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(epochs.count * epochSize)
        defer { bytes.wipe() }
        for epoch in epochs {
            bytes.append(epoch.entry)
            epoch.key.exposing { bytes.append(copying: $0) }
        }
        try Disk.replace(path + "/epochs", bytes)
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
            // A device that was let in may still wait for the signatures of other officers.
            let isWaiting = !kept.claims.isEmpty && now <= kept.invitation.expires.adding(30 * 1440)
            if !kept.invitation.isExpired(now: now) {
                open.append(kept.invitation)
            } else if !isWaiting {
                try discard(id)
            }
        }
        return open
    }
}
