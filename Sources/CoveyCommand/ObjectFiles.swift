import CoveyCore

extension CoveyFile {
    init(at path: String) throws {
        let bytes = try Disk.read(path)
        self = try Complaint.about(path) { try CoveyFile(parsing: bytes) }
    }
}

extension Genesis {
    /// The file mesh of a home or of an authority's directory.
    init(at path: String) throws {
        let bytes = try Disk.read(path)
        guard let genesis = try? Genesis(parsing: Signed(parsing: bytes)), genesis.verify() else {
            throw Complaint(
                .failed, "\(path) is no genesis that its own keys signed; take the file mesh of a device's home")
        }
        self = genesis
    }
}
