import CoveyCore
import CoveyNode

/// A log file that was written for others: to be imported, or audited. Keys of epochs are in none.
struct WrittenLog: Answer {
    let file: String
    let objects: Int
    /// Among them, what members ask and the receipts of wipe orders.
    let suspends: Int
    let receipts: Int
    let next: String

    private enum CodingKeys: String, CodingKey { case file, objects, suspends, receipts }

    /// Writes a new file; one that is there is left as it is.
    init(_ file: String, _ signed: [Signed], of mesh: MeshID, next: String) throws {
        let bytes = CoveyFile.log(signed, mesh: mesh).bytes
        guard bytes.count <= Disk.Bounds.file else {
            throw Complaint(.failed, "the log has \(bytes.count) bytes; a file has at most \(Disk.Bounds.file)")
        }
        try Disk.create(file, bytes)
        self.file = file
        self.next = next
        objects = signed.count
        suspends = signed.count { (try? ObjectType(of: $0)) == .suspend }
        receipts = signed.count { (try? ObjectType(of: $0)) == .wipeReceipt }
    }

    var text: String {
        var counts = (objects - suspends - receipts).counting("entry or revocation", "entries and revocations")
        if suspends > 0 { counts += ", " + suspends.counting("suspension", "suspensions") + " asked by members" }
        if receipts > 0 { counts += ", " + receipts.counting("receipt of a wipe order", "receipts of wipe orders") }
        return "wrote \(file): \(counts); next: \(next)"
    }
}
