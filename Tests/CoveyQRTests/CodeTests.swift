import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyQR

private let vectors = VectorFile.own("code.json")

private func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    let random = SeededRandom(seed: seed, stream: "code")
    var bytes = [UInt8](repeating: 0, count: count)
    for index in bytes.indices { bytes[index] = Octets16.random(from: random).array[0] }
    return bytes
}

@Suite("Codes")
struct CodeTests {
    @Test("Base45 is RFC 9285's")
    func base45() throws {
        for row in try vectors.json()["base45"].items {
            let text = Array(row["text"].string.utf8)
            #expect(Base45.encode(row["bytes"].bytes) == text)
            #expect(Base45.decode(text[...]) == row["bytes"].bytes)
        }
        for wrong in ["A", "ABCD", "GGW ", ":::", "::", "aBC", "GG,"] {
            #expect(Base45.decode(Array(wrong.utf8)[...]) == nil, "\(wrong)")
        }
    }

    @Test("The texts of an object are those that another program writes, and give the object back in any order")
    func texts() throws {
        let json = try vectors.json()
        let object = json["object"].bytes
        let parts = try CodePart.split(object, CodeShape(version: Int(json["version"].int), level: .low))
        #expect(parts.map { String(decoding: $0.text, as: UTF8.self) } == json["texts"].items.map(\.string))
        var collection = CodeCollection()
        for text in json["texts"].items.reversed() {
            #expect(try collection.add(text: Array(text.string.utf8)))
            #expect(try collection.add(text: Array(text.string.utf8)), "once more changes nothing")
        }
        #expect(try collection.joined() == object)
    }

    @Test("Every shape holds exactly what the standard says")
    func shapes() {
        for version in 1...CodeBounds.version {
            for level in [CodeShape.Level.low, .medium] {
                let shape = CodeShape(version: version, level: level)
                let full = [UInt8](repeating: UInt8(ascii: "A"), count: shape.characters)
                #expect(CodeMatrix(text: full, level: level).size == shape.modules)
                #expect(CodeMatrix(text: full + full.prefix(1), level: level).size == shape.modules + 4)
            }
        }
    }

    @Test("The drawing is that of another program, for light letters and for dark ones")
    func drawing() throws {
        let json = try vectors.json()
        let matrix = CodeMatrix(text: Array(json["texts"].items[0].string.utf8), level: .low)
        for (ink, name) in [(TerminalDrawing.Ink.light, "light"), (.dark, "dark")] {
            let lines = json[name].items.map(\.string)
            #expect(TerminalDrawing.lines(matrix, ink: ink) == lines)
            let size = TerminalDrawing.size(modules: matrix.size)
            #expect(size.columns == lines[0].count)
            #expect(size.lines == lines.count)
        }
    }

    @Test("A terminal gets the largest code that fits it, and none when it is too small")
    func fitting() {
        #expect(CodeShape(columns: 80, lines: 100, level: .low)?.version == 13)
        #expect(CodeShape(columns: 200, lines: 24, level: .low)?.version == 5)
        #expect(CodeShape(columns: 1000, lines: 1000, level: .low)?.version == CodeBounds.version)
        #expect(CodeShape(columns: 41, lines: 21, level: .low)?.version == CodeBounds.smallestVersion)
        #expect(CodeShape(columns: 40, lines: 21, level: .low) == nil)
        #expect(CodeShape(columns: 41, lines: 20, level: .low) == nil)
    }

    @Test("Objects of any size come back from as few codes as hold them")
    func sizes() throws {
        let shape = CodeShape(version: 8, level: .medium)
        let room = CodePart.capacity(shape)
        for count in [1, 2, room - 1, room, room + 1, 2 * room, 5 * room + 3] {
            let object = bytes(count, seed: UInt64(count))
            let parts = try CodePart.split(object, shape)
            #expect(parts.count == (count + room - 1) / room)
            for matrix in CodeMatrix.matrices(of: parts, level: .medium) { #expect(matrix.size <= shape.modules) }
            var collection = CodeCollection()
            for part in parts { #expect(try collection.add(text: part.text)) }
            #expect(try collection.joined() == object)
        }
        let most = CodeBounds.parts * room
        #expect(throws: CodeRefusal.tooLong(bytes: most + 1, most: most)) {
            try CodePart.split(bytes(most + 1, seed: 1), shape)
        }
    }

    @Test("What is missing is named; two objects, damage and other people's codes are told apart")
    func refusals() throws {
        let shape = CodeShape(version: 5, level: .low)
        let parts = try CodePart.split(bytes(600, seed: 1), shape)
        let others = try CodePart.split(bytes(600, seed: 2), shape)
        #expect(parts.count == 9)

        var collection = CodeCollection()
        #expect(throws: CodeRefusal.none) { try collection.joined() }
        for part in parts where ![2, 5, 9].contains(part.number) { #expect(try collection.add(text: part.text)) }
        #expect(throws: CodeRefusal.missing([2, 5, 9], of: 9)) { try collection.joined() }
        #expect("\(CodeRefusal.missing([2, 5, 9], of: 9))".hasPrefix("Of 9 codes, 2, 5 and 9 are missing"))
        #expect(throws: CodeRefusal.mixed) { try collection.add(text: others[0].text) }
        #expect(try !collection.add(text: Array("https://example.org".utf8)))
        #expect(try !collection.add(text: Array("COVEYS ARE BIRDS".utf8)))
        #expect(throws: CodeRefusal.newerVersion) { try collection.add(text: Array("COVEY2:XYZ".utf8)) }
        #expect(throws: CodeRefusal.damaged) { try collection.add(text: Array("COVEY1:XYZ".utf8)) }

        // Any character changed, and any text cut short, is noticed.
        let text = parts[0].text
        for index in 7..<text.count {
            var altered = text
            altered[index] = altered[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            var collection = CodeCollection()
            #expect(throws: CodeRefusal.damaged) { try collection.add(text: altered) }
            #expect(throws: CodeRefusal.damaged) { try collection.add(text: Array(text[..<index])) }
        }
    }

    @Test("Pieces that are whole, but not of the object whose id they bear, are refused")
    func forged() throws {
        let id = CodeObjectID(of: [1, 2, 3])
        func text(_ number: UInt16, _ count: UInt16, _ piece: [UInt8]) throws -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(id)
            bytes.append(u16: number)
            bytes.append(u16: count)
            bytes += piece
            // CRC-32 by its definition.
            var check: UInt32 = 0xFFFF_FFFF
            for byte in bytes {
                check ^= UInt32(byte)
                for _ in 0..<8 { check = check & 1 == 1 ? check >> 1 ^ 0xEDB8_8320 : check >> 1 }
            }
            bytes.append(u32: ~check)
            return Array("COVEY1:".utf8) + Base45.encode(bytes)
        }
        var collection = CodeCollection()
        #expect(try collection.add(text: text(1, 1, [1, 2, 3])))
        #expect(try collection.joined() == [1, 2, 3])
        var forged = CodeCollection()
        #expect(try forged.add(text: text(1, 2, [1, 2])))
        #expect(throws: CodeRefusal.damaged) { try forged.add(text: text(1, 2, [1, 4])) }
        #expect(throws: CodeRefusal.damaged) { try forged.add(text: text(2, 3, [3])) }
        #expect(try forged.add(text: text(2, 2, [4])))
        #expect(throws: CodeRefusal.damaged) { try forged.joined() }
        for (number, count) in [(0, 1), (2, 1), (1, 0), (1, 513), (513, 513)] as [(UInt16, UInt16)] {
            var collection = CodeCollection()
            #expect(throws: CodeRefusal.damaged) { try collection.add(text: text(number, count, [1])) }
        }
    }
}
