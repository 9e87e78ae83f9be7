import CoveyCrypto
import CoveyVectors
import Testing

/// Gives the bytes it was given, once: the ephemeral key of a vector.
private final class OnceRandom: RandomSource {
    private var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func fill(_ span: inout MutableRawSpan) {
        precondition(span.byteCount == bytes.count, "the ephemeral key is drawn once, whole")
        for at in bytes.indices { span.storeBytes(of: bytes[at], toByteOffset: at, as: UInt8.self) }
        bytes = []
    }
}

@Suite("HPKE")
struct HPKETests {
    private let receiver = AgreementPrivateKey(from: SeededRandom(seed: 12))
    private let info = Array("info".utf8)

    private func psk(_ seed: UInt64, id: String = "id") -> HPKE.PreSharedKey {
        HPKE.PreSharedKey(key: SymmetricKey(from: SeededRandom(seed: seed)), id: Array(id.utf8))
    }

    /// Returns how many messages and exports were held against the row.
    private func check(_ row: JSON) throws -> (messages: Int, exports: Int) {
        let from: Comment = "mode \(row["mode"].int)"
        let key: AgreementPrivateKey = row["skRm"].key()
        #expect(key.publicKey == row["pkRm"].octets(), from)
        let psk = row["psk"].isNull ? nil : HPKE.PreSharedKey(key: row["psk"].key(), id: row["psk_id"].bytes)
        #expect((psk == nil) == (row["mode"].int == 0))
        let info = row["info"].bytes
        var sealer = try HPKE.Sealer(
            to: key.publicKey, info: info, psk: psk, random: OnceRandom(row["skEm"].bytes))
        #expect(sealer.encapsulated == row["enc"].octets(), from)
        var opener = try HPKE.Opener(row["enc"].octets(), with: key, info: info, psk: psk)

        // The vectors name some sequence numbers by their nonces; the messages between them are sealed and dropped.
        let base = row["base_nonce"].bytes
        var next = 0
        var messages = 0
        for message in row["encryptions"].items {
            let sequence = zip(message["nonce"].bytes, base).reduce(0) { $0 << 8 | Int($1.0 ^ $1.1) }
            while next < sequence {
                let between = sealer.seal([UInt8]().span.bytes, ad: [UInt8]().span.bytes)
                #expect(try opener.open(between.span.bytes, ad: [UInt8]().span.bytes).isEmpty)
                next += 1
            }
            let (plaintext, ad) = (message["pt"].bytes, message["aad"].bytes)
            let sealed = sealer.seal(plaintext.span.bytes, ad: ad.span.bytes)
            #expect(sealed == message["ct"].bytes, "\(from), sequence \(sequence)")
            let opened = try opener.open(sealed.span.bytes, ad: ad.span.bytes)
            #expect(opened == plaintext, from)
            next += 1
            messages += 1
        }
        var exports = 0
        for export in row["exports"].items {
            #expect(export["L"].int == 32)
            let context = export["exporter_context"].bytes
            let (sent, got) = (sealer.export(context: context), opener.export(context: context))
            #expect(sent.isEqual(to: export["exported_value"].key()), from)
            #expect(got.isEqual(to: export["exported_value"].key()), from)
            exports += 1
        }
        return (messages, exports)
    }

    @Test("the messages and exports of RFC 9180 A.2.1 and A.2.2 come out")
    func rfc() throws {
        let rows = try RFC.rows("hpke")
        #expect(rows.map { $0["mode"].int } == [0, 1])
        for row in rows { #expect(try check(row) == (6, 3)) }
    }

    @Test(
        "the outside suite, modes base and psk: 7 messages up to number 256 and 3 exports each; auth is not ours",
        .needsShared)
    func outside() throws {
        let rows = try VectorFile.shared("hpke.json").rows()
        #expect(rows.map { $0["mode"].int } == [0, 1, 2, 3])
        for row in rows where row["mode"].int < 2 {
            let counts = try check(row)
            print("HPKE mode \(row["mode"].int): \(counts.messages) messages, \(counts.exports) exports")
            #expect(counts == (7, 3))
        }
        print("HPKE modes 2 and 3 (auth, auth_psk) are left aside: the protocol seals with psk, and base comes with it")
    }

    @Test("one message goes from anybody to the holder of the key")
    func singleShot() throws {
        let (plaintext, ad) = (Array("welcome".utf8), Array("ad".utf8))
        for psk in [nil, psk(13)] {
            let sealed = try HPKE.seal(
                plaintext.span.bytes, ad: ad.span.bytes, to: receiver.publicKey, info: info, psk: psk,
                random: SeededRandom(seed: 14))
            let opened = try HPKE.open(
                sealed.ciphertext.span.bytes, ad: ad.span.bytes, encapsulated: sealed.encapsulated, with: receiver,
                info: info, psk: psk)
            #expect(opened == plaintext)
        }
    }

    @Test("another psk, psk id, mode, info, associated data, key or encapsulated key: the message does not open")
    func bound() throws {
        let (plaintext, ad) = (Array("welcome".utf8), Array("ad".utf8))
        let sealed = try HPKE.seal(
            plaintext.span.bytes, ad: ad.span.bytes, to: receiver.publicKey, info: info, psk: psk(13),
            random: SeededRandom(seed: 14))
        let other = AgreementPrivateKey(from: SeededRandom(seed: 15))

        func open(
            ad: String = "ad", encapsulated: AgreementPublicKey? = nil, with key: AgreementPrivateKey? = nil,
            info: String = "info", psk: HPKE.PreSharedKey?
        ) throws -> [UInt8] {
            let ad = Array(ad.utf8)
            return try HPKE.open(
                sealed.ciphertext.span.bytes, ad: ad.span.bytes, encapsulated: encapsulated ?? sealed.encapsulated,
                with: key ?? receiver, info: Array(info.utf8), psk: psk)
        }
        #expect(try open(psk: psk(13)) == plaintext)
        #expect(throws: CryptoFailure.authentication) { try open(psk: nil) }
        #expect(throws: CryptoFailure.authentication) { try open(psk: psk(16)) }
        #expect(throws: CryptoFailure.authentication) { try open(psk: psk(13, id: "di")) }
        #expect(throws: CryptoFailure.authentication) { try open(ad: "da", psk: psk(13)) }
        #expect(throws: CryptoFailure.authentication) { try open(info: "", psk: psk(13)) }
        #expect(throws: CryptoFailure.authentication) { try open(with: other, psk: psk(13)) }
        #expect(throws: CryptoFailure.authentication) { try open(encapsulated: other.publicKey, psk: psk(13)) }
    }

    @Test("a message that does not open does not count, and a message out of turn does not open")
    func sequence() throws {
        let nothing = [UInt8]()
        let (one, two) = ([1] as [UInt8], [2] as [UInt8])
        var sealer = try HPKE.Sealer(to: receiver.publicKey, info: info, random: SeededRandom(seed: 17))
        var opener = try HPKE.Opener(sealer.encapsulated, with: receiver, info: info)
        let first = sealer.seal(one.span.bytes, ad: nothing.span.bytes)
        let second = sealer.seal(two.span.bytes, ad: nothing.span.bytes)
        #expect(first.count == 17)
        #expect((try? opener.open(second.span.bytes, ad: nothing.span.bytes)) == nil)
        #expect(try opener.open(first.span.bytes, ad: nothing.span.bytes) == one)
        #expect((try? opener.open(first.span.bytes, ad: nothing.span.bytes)) == nil)
        #expect(try opener.open(second.span.bytes, ad: nothing.span.bytes) == two)
    }

    @Test("rejection 1: a receiver's key or an encapsulated key of small order is refused")
    func smallOrder() throws {
        for hex in AgreementTests.smallOrderKeys {
            let bad = try #require(AgreementPublicKey(hex: hex))
            #expect(throws: CryptoFailure.badPublicKey) {
                try HPKE.seal(
                    [UInt8]().span.bytes, ad: [UInt8]().span.bytes, to: bad, info: [],
                    random: SeededRandom(seed: 18))
            }
            #expect(throws: CryptoFailure.badPublicKey) {
                try HPKE.open(
                    [UInt8](repeating: 0, count: 16).span.bytes, ad: [UInt8]().span.bytes, encapsulated: bad,
                    with: receiver, info: [])
            }
        }
    }
}
