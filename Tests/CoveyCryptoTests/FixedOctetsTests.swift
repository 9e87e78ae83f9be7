import CoveyCrypto
import Testing

@Suite("Fixed octets")
struct FixedOctetsTests {
    @Test("bytes go in and come out in their order, and only in their number")
    func roundTrip() {
        let bytes = [UInt8](1...32)
        #expect(Octets32(bytes)?.array == bytes)
        #expect(Octets32(bytes.dropLast()) == nil)
        #expect(Octets32(bytes + [0]) == nil)
        #expect(Octets32([]) == nil)
        #expect(Octets16(prefixOf: Octets32(copying: bytes.span.bytes)).array == Array(bytes.prefix(16)))
    }

    @Test("sizes are those of the names")
    func sizes() {
        #expect(Octets8.byteCount == 8)
        #expect(Nonce12.byteCount == 12)
        #expect(Octets16.byteCount == 16)
        #expect(Octets24.byteCount == 24)
        #expect(Octets32.byteCount == 32)
        #expect(Octets64.byteCount == 64)
        #expect(SigningPublicKey.byteCount == 32)
        #expect(AgreementPublicKey.byteCount == 32)
        #expect(Signature.byteCount == 64)
    }

    @Test("order is the order of the bytes from the first, and agrees with the order of the hexadecimal text")
    func order() {
        let random = SeededRandom(seed: 1)
        var values = (0..<300).map { _ in Octets16.random(from: random) }
        // Unlike in one byte only, at each place.
        for place in 0..<16 {
            var bytes = values[0].array
            bytes[place] ^= 0x80
            values.append(Octets16(copying: bytes.span.bytes))
        }
        #expect(values.sorted().map(\.hex) == values.map(\.hex).sorted())
        #expect(!(values[0] < values[0]))
    }

    @Test("hexadecimal text reads both cases and writes the lower; anything else is no value")
    func hex() {
        #expect(Octets8(hex: "0123456789ABCDEF")?.hex == "0123456789abcdef")
        #expect("\(Octets8())" == "0000000000000000")
        for text in ["", "0", "0123456789abcde", "0123456789abcdef00", "0123456789abcdeg", " 123456789abcdef"] {
            #expect(Octets8(hex: text) == nil, "\(text)")
        }
        #expect([UInt8](hex: "") == [])
        #expect([UInt8](hex: "0") == nil)
        #expect([UInt8](hex: "00fF") == [0, 255])
        #expect([UInt8]([0, 127, 255]).hex == "007fff")
    }

    @Test("equal bytes are equal values, with equal hashes; zero is zero")
    func equality() {
        let random = SeededRandom(seed: 2)
        let value = Octets32.random(from: random)
        #expect(Set([value, Octets32(copying: value.array.span.bytes)]).count == 1)
        #expect(!value.isZero)
        #expect(Octets32().isZero)
    }
}
