import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyConversation

@Suite("PQXDH")
struct PQXDHTests {
    @Test("a pair's tag and header keys are those of the reference, and the same on both sides")
    func pairKeys() throws {
        let pair = try GoldenPair()
        let golden = pair.json["pqxdh"]
        #expect(hex(pair.bobSeen.pair.outgoing.tag) == golden["K_tag"].string)
        #expect(hex(pair.bobSeen.pair.outgoing.header) == golden["K_hdr"].string)
        #expect(pair.aliceSeen.pair.incoming.tag.isEqual(to: pair.bobSeen.pair.outgoing.tag))
        #expect(pair.aliceSeen.pair.incoming.header.isEqual(to: pair.bobSeen.pair.outgoing.header))
        #expect(pair.aliceSeen.pair.outgoing.tag.isEqual(to: pair.bobSeen.pair.incoming.tag))
        #expect(!pair.aliceSeen.pair.outgoing.tag.isEqual(to: pair.aliceSeen.pair.incoming.tag))
    }

    @Test("both sides come to the transcript, the agreements and the keys of the reference")
    func agreement() throws {
        let pair = try GoldenPair()
        let golden = pair.json["pqxdh"]
        let ephemeral: AgreementPrivateKey = golden["ek_priv"].key()
        let spk = pair.bundle.bundle.signedPrekey
        #expect(hex(try pair.alice.message.agree(with: spk)) == golden["dh"][0].string)
        #expect(hex(try ephemeral.agree(with: pair.bob.message.publicKey)) == golden["dh"][1].string)
        #expect(hex(try ephemeral.agree(with: spk)) == golden["dh"][2].string)

        let random = ScriptedRandom([golden["ek_priv"].bytes])
        let (sent, header) = try PQXDH.initiate(
            from: pair.alice, to: pair.bobSeen, bundle: pair.bundle, generation: 1, random: random, kem: pair.kem)
        #expect(random.isSpent)
        #expect(header.ephemeral.hex == golden["EK"].string)
        #expect(header.ciphertext.bytes == golden["ct"].bytes)
        let transcript = PQXDH.transcript(
            mesh: pair.mesh, initiator: pair.alice.hash, responder: pair.bob.hash, bundle: pair.bundle.bundle.hash,
            kemPrekey: pair.bundle.kemPrekeyHash, header: header)
        #expect(transcript.hex == golden["T"].string)

        let prekey = try #require(pair.bobPrekeys.prekey(for: header))
        let received = try PQXDH.respond(
            as: pair.bob, to: pair.aliceSeen, header: header, prekey: prekey, kem: pair.kem)
        for keys in [sent, received] {
            #expect(keys.id.hex == golden["sid"].string)
            #expect(hex(keys.root) == golden["SK"].string)
            #expect(hex(keys.initiatorHeader) == golden["HKab"].string)
            #expect(hex(keys.responderNextHeader) == golden["NHKba"].string)
            #expect(hex(keys.initiatorTag) == golden["TAGab"].string)
            #expect(hex(keys.responderTag) == golden["TAGba"].string)
        }
    }

    @Test("a prekey header reads back as it was written, and no other length or suite is read")
    func header() throws {
        let pair = try GoldenPair()
        let golden = pair.json["pqxdh"]
        let ciphertext = try #require(KEMCiphertext(golden["ct"].bytes))
        let header = PrekeyHeader(
            to: pair.bundle.bundle, generation: 7, ephemeral: golden["EK"].octets(), ciphertext: ciphertext)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        #expect(bytes.count == PrekeyHeader.byteCount)
        #expect(PrekeyHeader(parsing: bytes.span.bytes) == header)
        for count in 0..<bytes.count {
            #expect(PrekeyHeader(parsing: bytes.span.bytes.extracting(first: count)) == nil)
        }
        #expect(PrekeyHeader(parsing: (bytes + [0]).span.bytes) == nil)
        bytes[0] = 2
        #expect(PrekeyHeader(parsing: bytes.span.bytes) == nil)
    }

    @Test("a peer whose MSG key is of small order is refused")
    func smallOrder() throws {
        let pair = try GoldenPair()
        #expect(throws: CryptoFailure.badPublicKey) {
            try PeerDevice(hash: pair.alice.hash, message: AgreementPublicKey(), of: pair.bob)
        }
    }
}
