import CoveyVectors
import Testing

@testable import CoveyCrypto

@Suite("Secrets")
struct SecretTests {
    @Test(
        "a secret is wiped when its last holder lets go: slots of either size are used again, and always zero when taken",
        arguments: [64, 256])
    func wiped(size: Int) {
        let count = 2000
        var before: Set<UnsafePointer<UInt8>> = []
        do {
            let random = SeededRandom(seed: 19)
            let secrets = (0..<count).map { _ in Secret(byteCount: size, from: random) }
            for secret in secrets {
                before.insert(secret.pointer)
                #expect(secret.withSpan { [UInt8](copying: $0) } != [UInt8](repeating: 0, count: size))
            }
            #expect(before.count == count)
            withExtendedLifetime(secrets) {}
        }
        let fresh = (0..<count).map { _ in Secret(byteCount: size) }
        #expect(fresh.filter { before.contains($0.pointer) }.count > count / 2)
        for secret in fresh {
            #expect(secret.withSpan { [UInt8](copying: $0) } == [UInt8](repeating: 0, count: size))
        }
    }

    @Test("a secret keeps its bytes, in a slot for keys, in one for records, and in pages of its own")
    func sizes() {
        for count in [1, 64, 65, 256, 257, 1024, 5000] {
            let bytes = SeededRandom(seed: 20).bytes(count)
            let secret = Secret(copying: bytes.span.bytes)
            #expect(secret.byteCount == count)
            #expect(secret.withSpan { [UInt8](copying: $0) } == bytes)
        }
    }

    @Test("keys are equal by their bytes, whoever holds them, and unlike by any bit")
    func equality() {
        let bytes = SeededRandom(seed: 21).bytes(32)
        let key = SymmetricKey(copying: bytes.span.bytes)
        #expect(key.isEqual(to: SymmetricKey(copying: bytes.span.bytes)))
        for bit in 0..<256 {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.isEqual(to: SymmetricKey(copying: changed.span.bytes)))
        }
        #expect(!Secret.equal(Secret(byteCount: 31), Secret(byteCount: 32)))
    }

    @Test("codes of unlike length are unlike, and of like bytes alike, in constant time")
    func codes() {
        let random = SeededRandom(seed: 22)
        let code = Octets32.random(from: random)
        #expect(equalInConstantTime(code, code))
        #expect(!equalInConstantTime(code, Octets32.random(from: random)))
        #expect(!equalInConstantTime(code, Octets16(prefixOf: code)))
    }

    @Test("printing a key, or a struct that holds one, shows none of its bytes")
    func silent() {
        let bytes = [UInt8](repeating: 0xa7, count: 32)
        let key = SymmetricKey(copying: bytes.span.bytes)
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(!text.contains("a7a7a7a7") && !text.contains("167, 167"))
        }
    }

    @Test("a signing key keeps its seed, and its public half follows from it")
    func signingSeed() throws {
        let row = try RFC.rows("ed25519")[0]
        let key = SigningPrivateKey(seed: row["seed"].key())
        #expect(key.exposing { [UInt8](copying: $0) } == row["seed"].bytes)
        #expect(key.publicKey == row["public"].octets())
    }

    @Test("secret bytes are what was written to them, and show keys in their places")
    func written() {
        let random = SeededRandom(seed: 23)
        let (id, key) = (Octets16.random(from: random), SymmetricKey(from: random))
        let inner = SecretBytes(copying: ([7, 8] as [UInt8]).span.bytes)
        let bytes = SecretBytes(byteCount: 57) { bytes in
            bytes.append(bigEndian: UInt32(0x0102_0304))
            bytes.append(id)
            bytes.append(key)
            bytes.append([5, 6])
            bytes.append(inner)
            bytes.append(bigEndian: UInt8(9))
        }
        #expect(bytes.byteCount == 57)
        let expected = [1, 2, 3, 4] + id.array + key.exposing { [UInt8](copying: $0) } + [5, 6, 7, 8, 9]
        #expect(bytes.exposing { [UInt8](copying: $0) } == expected)
    }

    @Test("bytes on their way to guarded memory are gone after a wipe")
    func wipe() {
        var bytes: [UInt8] = [1, 2, 3]
        bytes.wipe()
        #expect(bytes.isEmpty)
    }
}
