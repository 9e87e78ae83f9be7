import CZlib
import CoveyCore
import CoveyCrypto

/// Names an object that codes carry: `BLAKE2b-128(bytes of the file; "covey1:qr")`.
package struct CodeObjectID: FixedOctets {
    private var octets = Octets16()
    package init() {}

    package init(of bytes: [UInt8]) { self = Blake2b.hash(bytes.span.bytes, personal: .code) }
}

/// One code: a numbered piece of an object file. Its text is
///
///     "COVEY1:" | base45( object id 16 | number u16 | count u16 | piece | CRC-32 of all before it 4 )
///
/// Numbers are from 1. All pieces of an object but its last are equally long; a reader needs only their order.
package struct CodePart: Equatable, Sendable {
    private static let magic = Array("COVEY".utf8)
    private static let version = Array("1:".utf8)
    private static let headSize = 20
    private static let checkSize = 4

    package let object: CodeObjectID
    package let number: Int
    package let count: Int
    package let piece: [UInt8]

    /// Spreads an object over as few codes as hold it, none larger than `shape`, and all nearly equal.
    package static func split(_ bytes: [UInt8], _ shape: CodeShape) throws(CodeRefusal) -> [CodePart] {
        precondition(!bytes.isEmpty, "an object has bytes")
        let room = capacity(shape)
        let most = min(CodeBounds.objectBytes, CodeBounds.parts * room)
        guard bytes.count <= most else { throw .tooLong(bytes: bytes.count, most: most) }
        let count = (bytes.count + room - 1) / room
        let length = (bytes.count + count - 1) / count
        let object = CodeObjectID(of: bytes)
        return (0..<count).map { index in
            CodePart(
                object: object, number: index + 1, count: count,
                piece: Array(bytes[index * length..<min((index + 1) * length, bytes.count)]))
        }
    }

    /// Bytes of an object that a code of this shape holds.
    package static func capacity(_ shape: CodeShape) -> Int {
        Base45.byteCount(characters: shape.characters - magic.count - version.count) - headSize - checkSize
    }

    private init(object: CodeObjectID, number: Int, count: Int, piece: [UInt8]) {
        self.object = object
        self.number = number
        self.count = count
        self.piece = piece
    }

    /// ASCII. Of an invitation it holds the secret: wipe it.
    package var text: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headSize + piece.count + Self.checkSize)
        bytes.append(object)
        bytes.append(u16: UInt16(number))
        bytes.append(u16: UInt16(count))
        bytes += piece
        bytes.append(u32: Self.check(bytes[...]))
        defer { bytes.wipe() }
        return Self.magic + Self.version + Base45.encode(bytes)
    }

    /// Nil when the text is somebody else's.
    package init?(text: [UInt8]) throws(CodeRefusal) {
        guard text.starts(with: Self.magic) else { return nil }
        let rest = text[Self.magic.count...]
        guard rest.starts(with: Self.version) else {
            // Another number before the colon is another version; anything else is a word that begins like ours.
            let number = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !number.isEmpty, rest.dropFirst(number.count).first == UInt8(ascii: ":") else { return nil }
            throw .newerVersion
        }
        guard var bytes = Base45.decode(rest.dropFirst(Self.version.count)),
            bytes.count > Self.headSize + Self.checkSize
        else { throw .damaged }
        defer { bytes.wipe() }
        var reader = ByteReader(bytes.span.bytes)
        do {
            object = try reader.octets()
            number = Int(try reader.u16())
            count = Int(try reader.u16())
            piece = try reader.bytes(reader.remaining - Self.checkSize)
            guard try reader.u32() == Self.check(bytes.dropLast(Self.checkSize)) else { throw CodeRefusal.damaged }
        } catch {
            throw .damaged
        }
        guard (1...CodeBounds.parts).contains(count), (1...count).contains(number) else { throw .damaged }
    }

    private static func check(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) }
    }
}
