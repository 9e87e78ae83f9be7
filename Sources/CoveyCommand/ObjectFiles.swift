import CoveyCore

extension CoveyFile {
    init(at path: String) throws {
        let bytes = try Disk.read(path)
        self = try Complaint.about(path) { try CoveyFile(parsing: bytes) }
    }
}

extension Genesis {
    /// The file mesh of a home or of an authority's directory.
    ///
    /// - Parameter mesh: which it has to be; nil for any.
    init(at path: String, of mesh: MeshID? = nil) throws {
        let bytes = try Disk.read(path)
        let genesis: Genesis
        do { genesis = try Genesis(parsing: Signed(parsing: bytes)) } catch {
            throw Self.wrong(path, "is no genesis, or a damaged one (\(error))")
        }
        guard genesis.verify() else { throw Self.wrong(path, "is no genesis that its own keys signed") }
        if let mesh, genesis.meshID != mesh { throw Self.wrong(path, "is of another mesh than the keys beside it") }
        self = genesis
    }

    private static func wrong(_ path: String, _ what: String) -> Complaint {
        Complaint(.failed, "\(path) \(what); the file mesh is the same on every device of a mesh: put back a copy")
    }
}
