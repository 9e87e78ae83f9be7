import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

/// Hands out given bytes, so that a vector's ephemeral key is the one that is drawn.
final class ScriptedRandom: RandomSource {
    private var rest: [UInt8]

    init(_ bytes: [UInt8]) { rest = bytes }

    func fill(_ bytes: inout MutableRawSpan) {
        bytes.withUnsafeMutableBytes { raw in
            precondition(rest.count >= raw.count, "the script has the bytes that are drawn")
            for at in 0..<raw.count { raw[at] = rest[at] }
            rest.removeFirst(raw.count)
        }
    }
}

@Suite("Noise vectors")
struct NoiseVectorTests {
    /// `Noise_XXpsk0+psk2_25519_ChaChaPoly_SHA256` → the pattern XX with two modifiers.
    static func pattern(_ protocolName: String) throws -> HandshakePattern {
        let name = protocolName.split(separator: "_")[1]
        let base = name.prefix { !$0.isLowercase }
        let places = name.dropFirst(base.count).split(separator: "+").map { Int($0.dropFirst(3))! }
        let pattern = try #require(HandshakePattern.all.first { $0.name == base })
        return places.isEmpty ? pattern : pattern.withPSK(at: places)
    }

    static func side(_ row: JSON, _ role: HandshakeState.Role, _ pattern: HandshakePattern) -> HandshakeState {
        let name = role == .initiator ? "init" : "resp"
        let own = row[name + "_static"]
        let remote = row[name + "_remote_static"]
        let psks = row[name + "_psks"]
        return HandshakeState(
            pattern: pattern, role: role, prologue: row[name + "_prologue"].bytes.span.bytes,
            ownStatic: own.isNull ? nil : own.key(), remoteStatic: remote.isNull ? nil : remote.octets(),
            psks: psks.isNull ? [] : psks.items.map { $0.key() })
    }

    static func random(_ row: JSON, _ name: String) -> ScriptedRandom {
        let ephemeral = row[name + "_ephemeral"]
        return ScriptedRandom(ephemeral.isNull ? [] : ephemeral.bytes)
    }

    /// Runs a row through both sides; every ciphertext, the hash, and the keys are as written.
    static func run(_ row: JSON) throws {
        let pattern = try Self.pattern(row["protocol_name"].string)
        #expect(HandshakeState.protocolName(pattern) == row["protocol_name"].string)
        var initiator = side(row, .initiator, pattern)
        var responder = side(row, .responder, pattern)
        let initiatorRandom = random(row, "init")
        let responderRandom = random(row, "resp")
        let messages = row["messages"].items
        for (index, message) in messages.prefix(pattern.messages.count).enumerated() {
            let payload = message["payload"].bytes
            var sent: [UInt8] = []
            if index.isMultiple(of: 2) {
                try initiator.writeMessage(payload.span.bytes, random: initiatorRandom, to: &sent)
                #expect(try responder.readMessage(sent.span.bytes) == payload)
            } else {
                try responder.writeMessage(payload.span.bytes, random: responderRandom, to: &sent)
                #expect(try initiator.readMessage(sent.span.bytes) == payload)
            }
            #expect(sent == message["ciphertext"].bytes)
        }
        #expect(initiator.handshakeHash == responder.handshakeHash)
        if !row["handshake_hash"].isNull { #expect(initiator.handshakeHash == row["handshake_hash"].octets()) }

        let out = initiator.split()
        let back = responder.split()
        if !row["split_keys"].isNull {
            for (cipher, column) in [(out.initiator, 0), (out.responder, 1), (back.initiator, 0), (back.responder, 1)] {
                let key = try #require(cipher.key)
                #expect(key.isEqual(to: row["split_keys"][column].key()))
                var renewed = cipher
                renewed.rekey()
                #expect(try #require(renewed.key).isEqual(to: row["rekeyed_split_keys"][column].key()))
                #expect(renewed.nonce == cipher.nonce)
            }
        }
        var ciphers = (out.initiator, out.responder, back.initiator, back.responder)
        for (index, message) in messages.enumerated().dropFirst(pattern.messages.count) {
            let payload = message["payload"].bytes
            var sent: [UInt8] = []
            if pattern.isOneWay || index.isMultiple(of: 2) {
                try ciphers.0.encrypt(payload.span.bytes, ad: RawSpan(), to: &sent)
                #expect(try ciphers.2.decrypt(sent.span.bytes, ad: RawSpan()) == payload)
            } else {
                try ciphers.3.encrypt(payload.span.bytes, ad: RawSpan(), to: &sent)
                #expect(try ciphers.1.decrypt(sent.span.bytes, ad: RawSpan()) == payload)
            }
            #expect(sent == message["ciphertext"].bytes)
        }
    }

    @Test("XX and XXpsk0 give the reference's messages, hash, split keys and rekeyed keys")
    func own() throws {
        let rows = try VectorFile.own("noise_xxpsk0.json").json()["vectors"].items
        #expect(rows.count == 12)
        for row in rows { try Self.run(row) }
    }

    @Test("all 78 outside vectors of the suite pass", .needsShared)
    func outside() throws {
        let file = try VectorFile.shared("noise_25519_chachapoly_sha256.json").json()
        #expect(file["tests"].items.count == file["count"].int)
        #expect(file["count"].int == 78)
        for row in file["tests"].items { try Self.run(row) }
        print("Noise, 25519_ChaChaPoly_SHA256: \(file["count"].int)")
    }
}
