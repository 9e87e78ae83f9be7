import CoveyVectors
import Testing

@testable import CoveyCrypto

@Suite("Secrets")
struct SecretTests {
    @Test("a secret is wiped when its last holder lets go: slots are used again, and are always zero when taken")
    func wiped() {
        let count = 2000
        var before: Set<UnsafePointer<UInt8>> = []
        do {
            let random = SeededRandom(seed: 19)
            let secrets = (0..<count).map { _ in Secret(byteCount: 64, from: random) }
            for secret in secrets {
                before.insert(secret.pointer)
                #expect(secret.withSpan { [UInt8](copying: $0) } != [UInt8](repeating: 0, count: 64))
            }
            #expect(before.count == count)
            withExtendedLifetime(secrets) {}
        }
        let fresh = (0..<count).map { _ in Secret(byteCount: 64) }
        #expect(fresh.filter { before.contains($0.pointer) }.count > count / 2)
        for secret in fresh {
            #expect(secret.withSpan { [UInt8](copying: $0) } == [UInt8](repeating: 0, count: 64))
        }
    }

    @Test("a secret too long for a slot has pages of its own and keeps its bytes")
    func long() {
        for count in [65, 1024, 5000] {
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

    @Test("bytes on their way to guarded memory are gone after a wipe")
    func wipe() {
        var bytes: [UInt8] = [1, 2, 3]
        bytes.wipe()
        #expect(bytes.isEmpty)
    }
}
