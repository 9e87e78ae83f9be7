import CoveyCore
import CoveyCrypto
import CoveyQR

extension CoveyFile {
    /// An object from its file, or from images of its codes in any order.
    init(at paths: [String]) throws {
        guard let first = paths.first else { preconditionFailure("a command that reads is given a path") }
        var bytes = try Disk.read(first)
        defer { bytes.wipe() }
        if PNG.begins(bytes) {
            var object = try CodeImages.object(paths)
            defer { object.wipe() }
            self = try Complaint.about(first) { try CoveyFile(parsing: object) }
            return
        }
        guard paths.count == 1 else {
            throw Complaint(.usage, "\(first): several files are taken only when they are images of codes")
        }
        self = try Complaint.about(first) { try CoveyFile(parsing: bytes) }
    }

    /// Each file by itself, or the one object that images hold together; with the path to name it by.
    static func each(at paths: [String]) throws -> [(path: String, file: CoveyFile)] {
        guard let first = paths.first else { preconditionFailure("a command that reads is given a path") }
        var bytes = try Disk.read(first)
        defer { bytes.wipe() }
        if PNG.begins(bytes) { return [(first, try CoveyFile(at: paths))] }
        return try paths.map { ($0, try CoveyFile(at: [$0])) }
    }
}

enum CodeImages {
    /// Joins what the codes of all these images hold.
    static func object(_ paths: [String]) throws -> [UInt8] {
        guard paths.count <= CodeBounds.parts else {
            throw Complaint(.usage, "\(paths.count) images are more than the \(CodeBounds.parts) of the longest object")
        }
        let scanner = try CodeScanner()
        var collection = CodeCollection()
        for path in paths {
            let bytes = try Disk.read(path)
            try Complaint.about(path) {
                var found = false
                var texts = scanner.texts(in: try PNG.image(bytes))
                defer { for at in texts.indices { texts[at].wipe() } }
                for text in texts { found = try collection.add(text: text) || found }
                guard found else { throw CodeRefusal.none }
            }
        }
        return try Complaint.about(paths.count == 1 ? paths[0] : "the images") { try collection.joined() }
    }
}
