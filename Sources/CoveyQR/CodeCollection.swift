import CoveyCrypto

/// Codes that have been read, in any order and any number of times, until they are one object.
package struct CodeCollection: Sendable {
    private var object: CodeObjectID?
    private var pieces: [[UInt8]?] = []

    package init() {}

    /// Takes the text of one code. False when it is not a code of ours.
    package mutating func add(text: [UInt8]) throws(CodeRefusal) -> Bool {
        guard let part = try CodePart(text: text) else { return false }
        if object == nil {
            object = part.object
            pieces = Array(repeating: nil, count: part.count)
        }
        guard part.object == object else { throw .mixed }
        guard part.count == pieces.count else { throw .damaged }
        if let known = pieces[part.number - 1], known != part.piece { throw .damaged }
        pieces[part.number - 1] = part.piece
        return true
    }

    /// Numbers that have not been read, ascending.
    package var missing: [Int] { pieces.indices.filter { pieces[$0] == nil }.map { $0 + 1 } }

    /// The object, once all of it is there and it is the one whose id the codes bear.
    package func joined() throws(CodeRefusal) -> [UInt8] {
        guard let object else { throw .none }
        guard missing.isEmpty else { throw .missing(missing, of: pieces.count) }
        let size = pieces.reduce(0) { $0 + ($1?.count ?? 0) }
        guard size <= CodeBounds.objectBytes else { throw .damaged }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for case let piece? in pieces { bytes += piece }
        guard CodeObjectID(of: bytes) == object else { throw .damaged }
        return bytes
    }
}
