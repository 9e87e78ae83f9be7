/// RFC 9285: two bytes are three characters out of the 45 that the alphanumeric mode of a code packs best.
///
/// It costs 3 % over raw bytes, and no reader guesses at a character set on the way.
enum Base45 {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// Bytes that so many characters hold.
    static func byteCount(characters: Int) -> Int { characters / 3 * 2 + (characters % 3 == 2 ? 1 : 0) }

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 1) / 2 * 3)
        var index = 0
        while index < bytes.count {
            let isPair = index + 1 < bytes.count
            var value = isPair ? Int(bytes[index]) << 8 | Int(bytes[index + 1]) : Int(bytes[index])
            for _ in 0..<(isPair ? 3 : 2) {
                text.append(alphabet[value % 45])
                value /= 45
            }
            index += 2
        }
        return text
    }

    /// Nil when the text is not what `encode` writes for any bytes.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 3 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount(characters: text.count))
        var index = text.startIndex
        while index < text.endIndex {
            let group = text[index..<min(index + 3, text.endIndex)]
            var value = 0
            for character in group.reversed() {
                let digit = values[Int(character)]
                guard digit != 0xFF else { return nil }
                value = value * 45 + Int(digit)
            }
            if group.count == 3 {
                guard value <= 0xFFFF else { return nil }
                bytes.append(UInt8(value >> 8))
                bytes.append(UInt8(value & 0xFF))
            } else {
                guard value <= 0xFF else { return nil }
                bytes.append(UInt8(value))
            }
            index = group.endIndex
        }
        return bytes
    }
}
