import CoveyCrypto
import Testing

@testable import CoveyCore

struct VarintTests {
    @Test("every value comes back from its bytes, and takes as many as it says")
    func roundTrip() throws {
        let dice = SeededRandom(seed: 1, stream: "varint")
        let edges = (0..<63).flatMap { shift in [(1 << shift) - 1, 1 << shift] as [UInt64] } + [Varint.most]
        for value in edges + (0..<200).map({ _ in dice.nextWord() >> (1 + dice.uniform(63)) }) {
            var bytes: [UInt8] = []
            bytes.append(varint: value)
            #expect(bytes.count == Varint.byteCount(value))
            var reader = ByteReader(bytes.span.bytes)
            let read = try reader.varint()
            let rest = reader.remaining
            #expect(read == value)
            #expect(rest == 0)
        }
    }

    @Test(
        "refuses bytes that are missing, a form that is not the shortest, and a tenth byte",
        arguments: [
            ([], Malformed.truncated), ([0x80], .truncated), ([0x80, 0x00], .value(0)),
            ([0xFF, 0x80, 0x00], .value(0)), ([UInt8](repeating: 0xFF, count: 9) + [0x01], .oversized),
        ] as [([UInt8], Malformed)])
    func refuses(bytes: [UInt8], failure: Malformed) {
        #expect(throws: failure) {
            var reader = ByteReader(bytes.span.bytes)
            _ = try reader.varint()
        }
    }
}
