import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@Suite("Epoch keys and the 24-byte beacon")
struct EpochKeysTests {
    static func golden() throws -> (json: JSON, keys: EpochKeys) {
        let json = try Golden.json()["epoch"]
        return (json, EpochKeys(json["K"].key()))
    }

    @Test("an epoch's commit and its five keys are those of the reference")
    func derivation() throws {
        let (json, keys) = try Self.golden()
        #expect(keys.commit == json["commit"].octets())
        #expect(keys.psk.key.isEqual(to: json["psk"].key()))
        #expect(keys.beacon.key.isEqual(to: json["beacon_key"].key()))
        #expect(keys.announcement.key.isEqual(to: json["ann_key"].key()))
        #expect(keys.stick.key.isEqual(to: json["stick_key"].key()))
        #expect(keys.radio.key.isEqual(to: json["r3_key"].key()))
        #expect(keys.prefix.array == Array(keys.commit.array[..<4]))
    }

    @Test("the golden beacon has the reference's tag, is recognised, and is read as it was written")
    func goldenBeacon() throws {
        let (json, keys) = try Self.golden()
        let slot = BeaconSlot(UInt32(json["slot"].int))
        let beacon = TinyBeacon(slot: slot, key: keys.beacon, nonce: json["beacon_nonce"].octets())
        #expect(beacon.bytes == json["beacon_nonce"].bytes + json["beacon_tag"].bytes)
        let bytes = beacon.bytes
        let parsed = TinyBeacon(parsing: bytes.span.bytes)
        let heard = try #require(parsed)
        #expect(heard == beacon)
        #expect(heard.recognised(by: keys.beacon, around: slot, clock: .trusted) == slot)
    }

    @Test("a beacon is recognised two slots off, or a day off by a node that does not trust its clock, and no further")
    func slots() throws {
        let (_, keys) = try Self.golden()
        let slot = BeaconSlot(2_900_000)
        for (clock, most) in [(TinyBeacon.ClockTrust.trusted, 2), (.untrusted, 144)] {
            for distance in -150...150 {
                let made = BeaconSlot(UInt32(2_900_000 + distance))
                let beacon = TinyBeacon(slot: made, key: keys.beacon, nonce: BeaconNonce())
                let found = beacon.recognised(by: keys.beacon, around: slot, clock: clock)
                #expect(found == (abs(distance) <= most ? made : nil))
            }
        }
    }

    @Test("the ends of the slot count neither trap nor wrap around")
    func ends() throws {
        let (_, keys) = try Self.golden()
        let last = TinyBeacon(slot: BeaconSlot(.max), key: keys.beacon, nonce: BeaconNonce())
        #expect(last.recognised(by: keys.beacon, around: BeaconSlot(.max), clock: .untrusted) == BeaconSlot(.max))
        #expect(last.recognised(by: keys.beacon, around: BeaconSlot(0), clock: .untrusted) == nil)
        let first = TinyBeacon(slot: BeaconSlot(0), key: keys.beacon, nonce: BeaconNonce())
        #expect(first.recognised(by: keys.beacon, around: BeaconSlot(144), clock: .untrusted) == BeaconSlot(0))
    }

    @Test("22, 23: a beacon of another length is none, and no bit can change unnoticed")
    func tampering() throws {
        let (json, keys) = try Self.golden()
        let slot = BeaconSlot(UInt32(json["slot"].int))
        let bytes = json["beacon_nonce"].bytes + json["beacon_tag"].bytes
        for size in 0..<24 { #expect(TinyBeacon(parsing: bytes.span.bytes.extracting(first: size)) == nil) }
        let longer = bytes + [0]
        #expect(TinyBeacon(parsing: longer.span.bytes) == nil)
        for bit in 0..<24 * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << (bit % 8)
            let parsed = TinyBeacon(parsing: altered.span.bytes)
            let beacon = try #require(parsed)
            #expect(beacon.recognised(by: keys.beacon, around: slot, clock: .trusted) == nil)
        }
    }

    @Test("another epoch's key recognises nothing")
    func otherEpoch() throws {
        let (_, keys) = try Self.golden()
        let random = SeededRandom(seed: 5)
        for _ in 0..<50 {
            let other = EpochKeys(EpochKey(from: random))
            let slot = BeaconSlot(of: Minute(29_000_000))
            let beacon = TinyBeacon(slot: slot, key: other.beacon, nonce: .random(from: random))
            #expect(beacon.recognised(by: keys.beacon, around: slot, clock: .trusted) == nil)
            #expect(beacon.recognised(by: other.beacon, around: slot, clock: .trusted) == slot)
        }
    }
}

@Suite("The 220-byte beacon")
struct LANBeaconTests {
    static func golden() throws -> (
        datagram: [UInt8], head: [UInt8], nonce: Nonce24, keys: EpochKeys, mesh: MeshID, signer: SigningPrivateKey
    ) {
        let json = try Golden.json()
        let beacon = json["epoch"]["lan_beacon"]
        return (
            beacon["datagram"].bytes, beacon["head"].bytes, beacon["nonce"].octets(),
            EpochKeys(json["epoch"]["K"].key()), json["genesis"]["mesh_id"].octets(),
            json["devices"][0]["sig_seed"].key()
        )
    }

    @Test("the golden beacon opens, is verified, says what the reference wrote, and is sealed to the same bytes again")
    func goldenBeacon() throws {
        let golden = try Self.golden()
        let json = try Golden.json()
        let opened = try UnverifiedBeacon(opening: golden.datagram.span.bytes, key: golden.keys.beacon)
        #expect(opened.device == json["devices"][0]["device_id"].octets())
        let verified = try #require(opened.verified(by: golden.signer.publicKey, mesh: golden.mesh))
        let beacon = verified.beacon
        #expect(verified.nonce == BeaconNonce(prefixOf: golden.nonce))
        #expect(beacon.flags == [])
        #expect(beacon.epoch == golden.keys.prefix)
        #expect(beacon.wallTime == Minute(29_000_100))
        #expect(beacon.sequence == 7)
        #expect(beacon.tcpPort == 4711)
        #expect(beacon.addresses == [SocketAddress(v4: 192, 0, 2, 9, port: 4711)])
        #expect(beacon.degree == 2)
        #expect(beacon.freeSlots == 4)
        #expect(beacon.bytes == golden.head)
        let sealed = beacon.sealed(
            key: golden.keys.beacon, nonce: golden.nonce, signer: golden.signer, mesh: golden.mesh)
        #expect(sealed == golden.datagram)
    }

    @Test("any beacon comes out as it went in")
    func roundTrip() throws {
        let golden = try Self.golden()
        let random = SeededRandom(seed: 6)
        for _ in 0..<100 {
            let beacon = LANBeacon(
                flags: .init(rawValue: UInt8(random.uniform(0...255))), epoch: .random(from: random),
                wallTime: Minute(UInt32(random.uniform(0...1_000_000))), device: .random(from: random),
                instance: .random(from: random), sequence: UInt32(random.uniform(0...1_000_000)),
                tcpPort: UInt16(random.uniform(0...65535)),
                addresses: (0..<random.uniform(0...3)).map { _ in
                    SocketAddress(host: .random(from: random), port: UInt16(random.uniform(0...65535)))
                },
                degree: UInt8(random.uniform(0...255)), freeSlots: UInt8(random.uniform(0...255)),
                controlDigest: .random(from: random), meshDigest: .random(from: random))
            let datagram = beacon.sealed(
                key: golden.keys.beacon, nonce: .random(from: random), signer: golden.signer, mesh: golden.mesh)
            #expect(datagram.count == 220)
            let opened = try UnverifiedBeacon(opening: datagram.span.bytes, key: golden.keys.beacon)
            #expect(opened.verified(by: golden.signer.publicKey, mesh: golden.mesh)?.beacon == beacon)
        }
    }

    @Test("another device's key, or another mesh, verifies nothing")
    func impersonation() throws {
        let golden = try Self.golden()
        let opened = try UnverifiedBeacon(opening: golden.datagram.span.bytes, key: golden.keys.beacon)
        let other = SigningPrivateKey(from: SeededRandom(seed: 7))
        #expect(opened.verified(by: other.publicKey, mesh: golden.mesh) == nil)
        #expect(opened.verified(by: golden.signer.publicKey, mesh: MeshID()) == nil)
    }

    @Test("22, 23: cut anywhere or with any bit flipped, the golden beacon does not open")
    func tampering() throws {
        let golden = try Self.golden()
        for size in 0..<golden.datagram.count {
            #expect(throws: BeaconRefusal.length) {
                try UnverifiedBeacon(
                    opening: golden.datagram.span.bytes.extracting(first: size), key: golden.keys.beacon)
            }
        }
        for bit in 0..<golden.datagram.count * 8 {
            var altered = golden.datagram
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: BeaconRefusal.seal) {
                try UnverifiedBeacon(opening: altered.span.bytes, key: golden.keys.beacon)
            }
        }
        let other = EpochKeys(EpochKey(from: SeededRandom(seed: 8)))
        #expect(throws: BeaconRefusal.seal) {
            try UnverifiedBeacon(opening: golden.datagram.span.bytes, key: other.beacon)
        }
    }

    /// What a holder of the epoch key could send: any plaintext, well sealed.
    static func sealed(_ head: [UInt8], like golden: (keys: EpochKeys, mesh: MeshID, signer: SigningPrivateKey))
        -> [UInt8]
    {
        var plaintext = head
        let message = Signed.message(head.span.bytes, type: .lanBeacon, mesh: golden.mesh)
        plaintext.append(golden.signer.sign(message.span.bytes))
        var datagram: [UInt8] = []
        XChaCha20Poly1305.box(
            plaintext.span.bytes, ad: RawSpan(), key: golden.keys.beacon.key, nonce: Nonce24(), to: &datagram)
        return datagram
    }

    @Test("a version or a count of addresses that an insider made up is refused")
    func insider() throws {
        let golden = try Self.golden()
        var head = golden.head
        head[0] = 2
        let newer = Self.sealed(head, like: (golden.keys, golden.mesh, golden.signer))
        #expect(throws: BeaconRefusal.version) {
            try UnverifiedBeacon(opening: newer.span.bytes, key: golden.keys.beacon)
        }
        head = golden.head
        head[40] = 4
        let crowded = Self.sealed(head, like: (golden.keys, golden.mesh, golden.signer))
        #expect(throws: BeaconRefusal.addresses) {
            try UnverifiedBeacon(opening: crowded.span.bytes, key: golden.keys.beacon)
        }
    }

    @Test("an address of a kind not known here is passed over, the others are kept")
    func unknownAddressKind() throws {
        let golden = try Self.golden()
        var head = golden.head
        head[40] = 2
        head[60] = 9
        let datagram = Self.sealed(head, like: (golden.keys, golden.mesh, golden.signer))
        let opened = try UnverifiedBeacon(opening: datagram.span.bytes, key: golden.keys.beacon)
        let beacon = try #require(opened.verified(by: golden.signer.publicKey, mesh: golden.mesh)).beacon
        #expect(beacon.addresses == [SocketAddress(v4: 192, 0, 2, 9, port: 4711)])
    }
}
