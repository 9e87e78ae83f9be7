import CoveyCore

extension CoveyFile {
    init(at path: String) throws {
        let bytes = try Disk.read(path)
        self = try Complaint.about(path) { try CoveyFile(parsing: bytes) }
    }
}

extension ObjectType {
    /// What a signed object says it is.
    init(of signed: Signed) throws(Malformed) {
        guard signed.body.count >= 3 else { throw .truncated }
        guard let type = ObjectType(rawValue: signed.body[2]) else { throw .wrongType }
        self = type
    }
}
