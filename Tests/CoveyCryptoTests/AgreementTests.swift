import CoveyCrypto
import CoveyVectors
import Testing

@Suite("X25519")
struct AgreementTests {
    @Test("the values of RFC 7748 §5.2 and §6.1 come out")
    func rfc() throws {
        for row in try RFC.rows("x25519") {
            let key: AgreementPrivateKey = row["private"].key()
            if !row["own"].isNull { #expect(key.publicKey == row["own"].octets()) }
            let shared = try key.agree(with: row["public"].octets())
            #expect(shared.isEqual(to: row["shared"].key()))
        }
    }

    @Test("a thousand agreements, each from the last two values, end where RFC 7748 §5.2 says")
    func iterated() throws {
        let json = try RFC.file.json()["x25519_iterated"]
        var scalar: SymmetricKey = json["start"].key()
        var point: AgreementPublicKey = json["start"].octets()
        for round in 1...1000 {
            let next = try AgreementPrivateKey(taking: scalar.secret).agree(with: point)
            point = scalar.exposing { AgreementPublicKey(copying: $0) }
            scalar = next
            if round == 1 { #expect(scalar.isEqual(to: json["after_1"].key())) }
        }
        #expect(scalar.isEqual(to: json["after_1000"].key()))
    }

    @Test("Wycheproof: 264 valid agree, 254 acceptable agree too unless the result is all zero", .needsShared)
    func wycheproof() throws {
        var agreed = (valid: 0, acceptable: 0)
        var refused = 0
        for row in try VectorFile.shared("wp_x25519.json").rows() {
            let key: AgreementPrivateKey = row["private"].key()
            let peer: AgreementPublicKey = row["public"].octets()
            if row["shared"].octets(as: Octets32.self).isZero {
                #expect(throws: CryptoFailure.badPublicKey, "row \(row["id"].int)") { try key.agree(with: peer) }
                #expect(row["r"].string == "a")
                refused += 1
                continue
            }
            let same = try key.agree(with: peer).isEqual(to: row["shared"].key())
            #expect(same, "row \(row["id"].int)")
            if row["r"].string == "v" { agreed.valid += 1 } else { agreed.acceptable += 1 }
        }
        print("X25519: \(agreed.valid) valid and \(agreed.acceptable) acceptable agree, \(refused) refused")
        #expect(agreed.valid == 264)
        #expect(agreed.acceptable + refused == 254)
        #expect(refused == 31)
    }

    /// Every encoding of a point whose order divides eight, RFC 7748 §6.1: 0, 1, p − 1, p, p + 1 and two of order 8.
    static let smallOrderKeys = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test("rejection 1: a peer's key of small order is refused, with bit 255 set too", arguments: smallOrderKeys)
    func refusesSmallOrder(hex: String) throws {
        let key = AgreementPrivateKey(from: SeededRandom(seed: 1))
        var bytes = try #require([UInt8](hex: hex))
        for _ in 0..<2 {
            let peer = try #require(AgreementPublicKey(bytes))
            #expect(throws: CryptoFailure.badPublicKey) { try key.agree(with: peer) }
            bytes[31] |= 0x80
        }
    }

    @Test("rejection 2: another encoding of a value agrees as the value does, and says that it is not canonical")
    func notCanonical() throws {
        let key = AgreementPrivateKey(from: SeededRandom(seed: 2))
        let peer = AgreementPrivateKey(from: SeededRandom(seed: 3)).publicKey
        #expect(peer.isCanonical)
        var bytes = peer.array
        bytes[31] |= 0x80
        let masked = try #require(AgreementPublicKey(bytes))
        #expect(!masked.isCanonical)
        #expect(try key.agree(with: masked).isEqual(to: key.agree(with: peer)))

        // u = 9 and u = 9 + p are the base point; so is p + 9 = 2^255 − 10.
        var nine = [UInt8](repeating: 0, count: 32)
        nine[0] = 9
        var more = [UInt8](repeating: 0xff, count: 32)
        more[0] = 0xed + 9
        more[31] = 0x7f
        let base = try #require(AgreementPublicKey(nine))
        let overP = try #require(AgreementPublicKey(more))
        #expect(base.isCanonical)
        #expect(!overP.isCanonical)
        #expect(try key.agree(with: overP).isEqual(to: key.agree(with: base)))
    }

    @Test("the largest canonical value is p − 1")
    func largestCanonical() throws {
        let least = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        #expect(try #require(AgreementPublicKey(hex: least)).isCanonical)
        for first in UInt8(0xed)...0xff {
            var bytes = try #require([UInt8](hex: least))
            bytes[0] = first
            #expect(try #require(AgreementPublicKey(bytes)).isCanonical == false)
        }
    }

    @Test("the keys of the golden devices have the public halves the reference says")
    func golden() throws {
        let devices = try Golden.json()["devices"].items
        #expect(devices.count == 2)
        for device in devices {
            for (secret, open) in [("lnk", "LNK"), ("msg", "MSG"), ("spk", "SPK")] {
                let key: AgreementPrivateKey = device[secret].key()
                #expect(key.publicKey == device[open].octets(), "\(device["name"].string) \(open)")
            }
            let key: SigningPrivateKey = device["sig_seed"].key()
            #expect(key.publicKey == device["SIG"].octets())
        }
    }
}
