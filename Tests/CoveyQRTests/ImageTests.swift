import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyQR

private let vectors = VectorFile.own("code.json")

@Suite("Codes in images")
struct ImageTests {
    @Test("Images of every colour type, depth and filter are read as the grey they are")
    func colours() throws {
        let rows = try vectors.json()["images"].items
        #expect(rows.count == 14)
        for row in rows {
            let image = try PNG.image(row["png"].bytes)
            #expect(image.width == Int(row["width"].int) && image.height == Int(row["height"].int))
            #expect(image.pixels == row["grey"].bytes, "type \(row["type"].int), depth \(row["depth"].int)")
        }
    }

    @Test("What is not an image, cut off, altered, interlaced, too large or packed beyond its size is refused")
    func refusals() throws {
        let json = try vectors.json()
        #expect(throws: ImageFault.notPNG) { try PNG.image(Array("COVEYF01".utf8)) }
        #expect(throws: ImageFault.interlaced) { try PNG.image(json["interlaced"].bytes) }
        #expect(throws: ImageFault.tooLarge) { try PNG.image(json["huge"].bytes) }
        #expect(throws: ImageFault.damaged) { try PNG.image(json["flood"].bytes) }
        for row in json["images"].items {
            let whole = row["png"].bytes
            for count in PNG.signature.count..<whole.count {
                #expect(throws: ImageFault.truncated) { try PNG.image(Array(whole[..<count])) }
            }
            for index in PNG.signature.count..<whole.count {
                var altered = whole
                altered[index] ^= 0x11
                #expect(throws: ImageFault.self) { try PNG.image(altered) }
            }
        }
    }

    @Test("From bytes to codes to an image to codes to the same bytes, at any size")
    func roundTrips() throws {
        let scanner = try CodeScanner()
        let random = SeededRandom(seed: 3, stream: "images")
        var cases = [(CodeShape, Int, Int)]()
        for (version, level) in [(4, CodeShape.Level.low), (9, .medium), (13, .low), (20, .medium), (20, .low)] {
            for scale in [2, 3, 4, 6] { cases.append((CodeShape(version: version, level: level), 1, scale)) }
        }
        cases.append((CodeShape(version: 20, level: .medium), 9, 4))
        cases.append((CodeShape(version: 20, level: .medium), CodeBounds.sheet, 4))
        for (shape, count, scale) in cases {
            var object: [UInt8] = []
            while object.count < count * CodePart.capacity(shape) { object += Octets32.random(from: random).array }
            object.removeLast(object.count - count * CodePart.capacity(shape))
            let parts = try CodePart.split(object, shape)
            let matrices = CodeMatrix.matrices(of: parts, level: shape.level)
            let image = try PNG.image(PNG.bytes(of: matrices, scale: scale))
            #expect(image.width == (shape.modules + 8) * scale)
            #expect(image.height == image.width * count)
            var collection = CodeCollection()
            for text in scanner.texts(in: image) { #expect(try collection.add(text: text)) }
            #expect(try collection.joined() == object, "version \(shape.version), \(count) codes, scale \(scale)")
        }
        let part = try CodePart.split([1], CodeShape(version: 4, level: .low))
        let matrices = CodeMatrix.matrices(of: part, level: .low)
        #expect(throws: CodeRefusal.tooManyForOneImage(parts: 65)) {
            try PNG.bytes(of: Array(repeating: matrices[0], count: 65))
        }
    }

    @Test("A code is read from a picture with grey, noise and things around it, and light on dark")
    func photographed() throws {
        let scanner = try CodeScanner()
        let random = SeededRandom(seed: 5, stream: "picture")
        let part = try CodePart.split(Array(1...200), CodeShape(version: 20, level: .medium))[0]
        let code = try PNG.image(PNG.bytes(of: CodeMatrix.matrices(of: [part], level: .medium), scale: 5))
        for inverse in [false, true] {
            var picture = GreyImage(width: code.width + 300, height: code.height + 200)
            for y in 0..<picture.height {
                let noise = SymmetricKey(from: random).exposing { [UInt8](copying: $0) }
                for x in 0..<picture.width {
                    let (column, row) = (x - 170, y - 90)
                    var value = 120 + (x + y) % 60
                    if column >= 0, row >= 0, column < code.width, row < code.height {
                        let isDark = code.pixels[row * code.width + column] < 128
                        value = isDark == inverse ? 190 : 60
                    }
                    picture.pixels[y * picture.width + x] = UInt8(value + Int(noise[x % 32]) % 30)
                }
            }
            #expect(scanner.texts(in: picture) == [part.text])
        }
        #expect(scanner.texts(in: GreyImage(width: 64, height: 64)).isEmpty)
        #expect(scanner.texts(in: GreyImage(width: 1, height: 1)).isEmpty)
    }
}
