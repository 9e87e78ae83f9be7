import CoveyCore

extension CoveyFile {
    init(at path: String) throws {
        let bytes = try Disk.read(path)
        self = try Complaint.about(path) { try CoveyFile(parsing: bytes) }
    }
}
