import CoveyCore
import CoveyNode

/// The directory of an authority beside a running node (protocol.md §1.3, a key on a leader's device).
///
/// It is opened for each act and closed again, so that commands can work in it between two; its log file is the record.
/// What was verified once is kept here: of a log of years only what is new costs signatures.
final class DirectoryDesk: AuthorityDesk {
    let authority: AuthorityID
    private let path: String
    private let signer: Authority
    private var book: AuthorityBook

    init(_ path: String, of mesh: MeshID) throws {
        let directory = try AuthorityDirectory(path)
        guard directory.book.mesh == mesh else {
            throw Complaint(.failed, "\(path) is an authority of another mesh than this device")
        }
        self.path = path
        book = directory.book
        signer = book.authority
        authority = book.id
    }

    func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle? {
        // Where several must sign, they come together.
        guard signer.keys.current.threshold == 1 else { return .keys }
        return signer.obstacle(to: device, membership, at: time)
    }

    func renew(_ devices: [DeviceID], _ membership: Membership, at time: TimeView) throws -> [LogEntry] {
        let directory = try AuthorityDirectory(path, knowing: book)
        defer { book = directory.book }
        let lacking = lacking(membership, in: directory.book)
        guard lacking.isEmpty else { return lacking }
        // A second history would begin here: somebody works in another copy of the directory.
        guard directory.book.membership.entryIDs(of: authority).last == membership.entryIDs(of: authority).last else {
            // Why it signs nothing says more than that it is behind.
            try directory.book.check(time.now)
            throw Complaint(
                .failed,
                "\(path) lacks entries of its own log that the mesh has; bring it up to date: \(HandOver.catchUp(path))"
            )
        }
        var book = directory.book
        guard let entry = try book.renew(devices, membership, at: time).entry else { return [] }
        try directory.keep(book)
        return [entry]
    }

    /// What counts here of the authority's own log, and of those above, which may decide about it. What a decision dropped
    /// the mesh can do without.
    private func lacking(_ membership: Membership, in book: AuthorityBook) -> [LogEntry] {
        let own = book.membership
        let logs = Set(book.entries.map(\.log)).filter { $0 == authority || own.isAbove($0, authority) }
        return book.entries.filter { entry in
            logs.contains(entry.log)
                && !membership.holds(CoveredRow(log: entry.log, sequence: entry.sequence, id: entry.id))
                && own.entryIDs(of: entry.log).contains(entry.id)
        }
    }
}
