import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyConversation

/// Alice and Bob of the golden file, each as itself and as the other sees it.
struct GoldenPair {
    let json: JSON
    let mesh: MeshID
    let alice: OwnDevice
    let bob: OwnDevice
    /// As Bob knows her.
    let aliceSeen: PeerDevice
    /// As Alice knows him.
    let bobSeen: PeerDevice
    let bobSigning: SigningPrivateKey
    let owner: BundleOwner
    let bundle: VerifiedBundle
    let bobPrekeys: Prekeys
    let kem: RecordedKEM

    /// When the golden first messages were sealed: a week before their expiry.
    static let now = Minute((483_600 - 168) * 60)
    static let posting = Posting(priority: .normal, ttl: .week, zone: ZoneHint(3))

    init() throws {
        json = try Golden.json()
        let mesh: MeshID = json["genesis"]["mesh_id"].octets()
        self.mesh = mesh
        let devices = json["devices"].items.map { device in
            OwnDevice(
                mesh: mesh,
                hash: DeviceHash(
                    mesh: mesh, signing: device["SIG"].octets(), link: device["LNK"].octets(),
                    message: device["MSG"].octets()), message: device["msg"].key())
        }
        alice = devices[0]
        bob = devices[1]
        aliceSeen = try PeerDevice(hash: alice.hash, message: alice.message.publicKey, of: bob)
        let bobJSON = json["devices"][1]
        bobSigning = SigningPrivateKey(seed: bobJSON["sig_seed"].key())
        let certificate = try DeviceCertificate(
            parsing: Signed(parsing: bobJSON["cert_signed_2of3"].bytes), mesh: mesh)
        bobSeen = try PeerDevice(certificate, of: alice)
        owner = BundleOwner(certificate)
        let received = try Bundle(parsing: json["bundle"]["signed"].bytes)
        bundle = try received.verified(of: owner, mesh: mesh, now: Self.now)
        var record: [UInt8] = [1]
        record.append(u32: received.created.value)
        record.append(u32: received.expires.value)
        record.append(u64: 8)
        record += json["bundle"]["hash"].bytes + bobJSON["PQ_ek_sha256"].bytes
        record += bobJSON["spk"].bytes + bobJSON["pq_seed"].bytes
        bobPrekeys = try Prekeys(
            records: [(key: [0, 0, 0, 5], value: SecretBytes(copying: record.span.bytes))], sequence: 5)
        let ciphertext = try #require(KEMCiphertext(json["pqxdh"]["ct"].bytes))
        kem = RecordedKEM(
            publicKey: received.kemPrekey, seed: bobJSON["pq_seed"].key(), ciphertext: ciphertext,
            secret: json["pqxdh"]["ss"].key())
    }

    func message(_ number: Int) -> JSON { json["session"]["messages"][number] }

    func envelope(_ number: Int) throws -> Envelope { try Envelope(parsing: message(number)["envelope"].bytes) }

    /// Opens as Bob would, with nothing opened before.
    func open(_ envelope: Envelope, replays: ReplayCache = ReplayCache()) throws(FirstMessageRefusal) -> [UInt8] {
        try FirstMessage.openPayload(
            envelope, from: aliceSeen, as: bob, prekeys: bobPrekeys, replays: replays, kem: kem
        ).payload
    }
}

/// The hexadecimal digits of a key, to be held against a vector.
func hex(_ key: some SecretKey) -> String { key.exposing { [UInt8](copying: $0).hex } }
