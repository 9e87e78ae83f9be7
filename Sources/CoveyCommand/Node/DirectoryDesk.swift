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
        let known = UInt64(membership.entryIDs(of: authority).count)
        let own = directory.book.entries.filter { $0.log == authority }
        let lacking = own.filter { $0.sequence > known }
        guard lacking.isEmpty else { return lacking }
        // A second history would begin here: somebody works in another copy of the directory.
        guard own.count == known else {
            throw Complaint(
                .failed,
                "\(path) lacks entries of its own log that the mesh has; import them: covey authority import --help")
        }
        var book = directory.book
        guard let entry = try book.renew(devices, membership, at: time).entry else { return [] }
        try directory.keep(book)
        return [entry]
    }
}
