import CoveyCrypto

/// Why a file is not the one that was asked for. Each says in one sentence what it is and what to do.
package enum CoveyFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case notOurs
    case newerVersion
    case truncated
    case unknownKind(UInt8)
    case otherKind(CoveyFile.Kind, wanted: CoveyFile.Kind)
    case anotherMesh(MeshID)
    case damaged(Malformed)

    package var description: String {
        switch self {
        case .notOurs: "This is not a covey file: it does not begin with COVEYF01."
        case .newerVersion: "This file was written by a newer version of covey; update covey and try again."
        case .truncated: "This file does not end where it should: it is cut off, or something was added; copy it again."
        case .unknownKind(let number):
            "This covey file is of kind \(number), which this version does not know; update covey and try again."
        case .otherKind(let found, let wanted):
            "This is a \(found.fileExtension) file where a \(wanted.fileExtension) file is needed."
        case .anotherMesh(let mesh):
            "This file belongs to another mesh, \(mesh.hex.prefix(16))…; look for the file of yours."
        case .damaged(let cause):
            "This file is damaged (\(cause)); copy it again, or ask for a new one."
        }
    }

    /// What a codec found, in the words of a file.
    package init(_ cause: Malformed) {
        switch cause {
        case .truncated: self = .truncated
        case .unknownVersion(let number) where number > 1: self = .newerVersion
        case .unknownCritical: self = .newerVersion
        case .notAnObject, .wrongType, .unknownVersion, .oversized, .tagOrder, .missing, .width, .text, .trailing,
            .value, .signatures:
            self = .damaged(cause)
        }
    }
}

/// An object carried as a file (surface.md, "Files of objects").
///
///     "COVEYF01" 8 | kind u8 | mesh_id 32 | content
///
/// The content is the bytes of the object itself, CE or Signed; of a log, `(length u32 | Signed)*`.
package struct CoveyFile: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case invitation = 1
        case request = 2
        case welcome = 3
        case log = 4
        case archive = 5
        case bundle = 6
        case draft = 7
        case authorityRequest = 8
        case lockRecord = 9
        case proof = 10

        /// With its point, as in `ana.invite`.
        package var fileExtension: String {
            switch self {
            case .invitation: ".invite"
            case .request: ".request"
            case .welcome: ".welcome"
            case .log: ".log"
            case .archive: ".archive"
            case .bundle: ".bundle"
            case .draft: ".draft"
            case .authorityRequest: ".authority"
            case .lockRecord: ".locked"
            case .proof: ".proof"
            }
        }
    }

    private static let family = Array("COVEYF".utf8)
    private static let version = Array("01".utf8)
    private static let headSize = 41

    package let kind: Kind
    package let mesh: MeshID
    package private(set) var content: [UInt8]

    package init(kind: Kind, mesh: MeshID, content: [UInt8]) {
        self.kind = kind
        self.mesh = mesh
        self.content = content
    }

    package init(parsing bytes: [UInt8]) throws(CoveyFileError) {
        let magic = Self.family + Self.version
        guard bytes.starts(with: magic.prefix(bytes.count)) else {
            guard bytes.starts(with: Self.family), bytes.count >= magic.count,
                bytes[6...7].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                Self.version.lexicographicallyPrecedes(bytes[6...7])
            else { throw .notOurs }
            throw .newerVersion
        }
        guard bytes.count > magic.count else { throw .truncated }
        guard let kind = Kind(rawValue: bytes[8]) else { throw .unknownKind(bytes[8]) }
        guard bytes.count > Self.headSize || (bytes.count == Self.headSize && kind == .log) else { throw .truncated }
        self.kind = kind
        mesh = MeshID(copying: bytes.span.bytes.extracting(9..<Self.headSize))
        content = Array(bytes[Self.headSize...])
    }

    /// The content, when the file is of this kind and, where a mesh is given, of this mesh.
    package func content(_ wanted: Kind, of mesh: MeshID? = nil) throws(CoveyFileError) -> [UInt8] {
        guard kind == wanted else { throw .otherKind(kind, wanted: wanted) }
        if let mesh, mesh != self.mesh { throw .anotherMesh(self.mesh) }
        return content
    }

    /// The content of a file that holds a secret, and nothing of it is left here: whoever wipes it wipes all of it.
    package mutating func takeContent(_ wanted: Kind) throws(CoveyFileError) -> [UInt8] {
        guard kind == wanted else { throw .otherKind(kind, wanted: wanted) }
        let taken = content
        content = []
        return taken
    }

    package var bytes: [UInt8] {
        var bytes = Self.family + Self.version
        bytes.reserveCapacity(Self.headSize + content.count)
        bytes.append(kind.rawValue)
        bytes.append(mesh)
        bytes += content
        return bytes
    }

    /// A log file of entries, notes, Suspends and receipts, in the order in which they are to be read.
    package static func log(_ entries: [Signed], mesh: MeshID) -> CoveyFile {
        var content: [UInt8] = []
        for entry in entries {
            content.append(u32: UInt32(entry.bytes.count))
            content += entry.bytes
        }
        return CoveyFile(kind: .log, mesh: mesh, content: content)
    }

    /// What a log file holds. Nothing is verified but its form.
    package func log(of mesh: MeshID) throws(CoveyFileError) -> [Signed] {
        let bytes = try content(.log, of: mesh)
        var reader = ByteReader(bytes.span.bytes)
        var entries: [Signed] = []
        while !reader.isAtEnd {
            let entry: [UInt8]
            do {
                entry = try reader.bytes(Int(try reader.u32()))
            } catch {
                throw .truncated
            }
            do {
                entries.append(try Signed(parsing: entry))
            } catch {
                // The length says that all of it is here: what is missing was never written.
                throw error == .truncated ? .damaged(error) : CoveyFileError(error)
            }
        }
        return entries
    }
}
