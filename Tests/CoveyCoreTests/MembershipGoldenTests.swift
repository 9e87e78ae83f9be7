import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

/// The mesh of the golden file, with its private keys.
struct GoldenMesh {
    let json: JSON
    let roots: [SigningPrivateKey]
    let genesis: Genesis

    init() throws {
        json = try Golden.json()
        roots = json["genesis"]["root_seeds"].items.map { SigningPrivateKey(seed: $0.key()) }
        genesis = try Genesis(parsing: Signed(parsing: json["genesis"]["signed"].bytes))
    }

    var mesh: MeshID { genesis.meshID }

    func device(_ index: Int) -> JSON { json["devices"][index] }

    func signing(_ index: Int) -> SigningPrivateKey { SigningPrivateKey(seed: device(index)["sig_seed"].key()) }

    func entry(_ json: JSON) throws -> LogEntry {
        try LogEntry(parsing: Signed(parsing: json["signed"].bytes), mesh: mesh)
    }
}

@Suite("The objects of the membership log are the bytes of the golden file")
struct MembershipGoldenTests {
    @Test("The genesis gives the mesh its id, the root its id, and is signed by all root keys")
    func genesis() throws {
        let golden = try GoldenMesh()
        let json = golden.json["genesis"]
        #expect(golden.genesis.signed.body == json["body"].bytes)
        #expect(golden.mesh == json["mesh_id"].octets(as: MeshID.self))
        #expect(golden.genesis.rootID == json["root_id"].octets(as: AuthorityID.self))
        #expect(golden.genesis.name == "Test organisation")
        #expect(golden.genesis.root.threshold == 2)
        #expect(golden.genesis.verify())
        let made = Genesis.make(
            name: golden.genesis.name, created: golden.genesis.created, threshold: 2,
            nextCommit: golden.genesis.nextCommit, recoveryCommit: golden.genesis.recoveryCommit,
            policyHash: golden.genesis.policyHash, releaseCommit: golden.genesis.releaseCommit, keys: golden.roots)
        #expect(made.signed.bytes == json["signed"].bytes)
    }

    @Test("A genesis that one root key did not sign is not verified")
    func missingRootSignature() throws {
        let golden = try GoldenMesh()
        let signed = Signed(
            golden.genesis.signed.body, type: .object(.genesis), mesh: golden.mesh, keys: Array(golden.roots[..<2]))
        #expect(try !Genesis(parsing: signed).verify())
    }

    @Test("A certificate of the golden file reads back, and its content makes the same bytes", arguments: [0, 1])
    func certificate(index: Int) throws {
        let golden = try GoldenMesh()
        let json = golden.device(index)
        let certificate = try DeviceCertificate(
            parsing: Signed(parsing: json["cert_signed_2of3"].bytes), mesh: golden.mesh)
        #expect(certificate.signed.body == json["cert_body"].bytes)
        #expect(certificate.hash == json["cert_hash"].octets(as: CertificateHash.self))
        #expect(certificate.device == json["device_id"].octets(as: DeviceID.self))
        #expect(certificate.label == json["name"].string)
        #expect(certificate.signing == json["SIG"].octets(as: SigningPublicKey.self))
        #expect(certificate.capabilities == [.link, .send, .carry, .orgOwned])
        #expect(golden.genesis.root.approves(certificate.signed, as: .deviceCertificate, in: golden.mesh))
        let made = try DeviceCertificate.make(
            certificate.content, mesh: golden.mesh, keys: Array(golden.roots[..<2]))
        #expect(made.signed.bytes == json["cert_signed_2of3"].bytes)
    }

    @Test("The first three log entries read back, and their payloads make the same bytes")
    func entries() throws {
        let golden = try GoldenMesh()
        let json = golden.json
        var previous = LogEntry.anchor(of: golden.mesh)
        let rows = [
            (json["log_first"], LogPayload.Kind.policySet, Array(golden.roots[..<2])),
            (json["log_entry"], .certIssue, Array(golden.roots[1...])),
            (json["epoch"]["announce"], .epochAnnounce, Array(golden.roots[..<2])),
        ]
        for (index, (row, kind, keys)) in rows.enumerated() {
            let entry = try golden.entry(row)
            #expect(entry.id == row["id"].octets(as: EntryID.self))
            #expect(entry.log == golden.genesis.rootID)
            #expect(entry.sequence == UInt64(index + 1))
            #expect(entry.previous == previous)
            #expect(entry.payload.kind == kind)
            #expect(golden.genesis.root.approves(entry.signed, as: .logEntry, in: golden.mesh))
            let made = try LogEntry.make(
                log: entry.log, sequence: entry.sequence, previous: previous, time: entry.time,
                payload: entry.payload, mesh: golden.mesh, keys: keys)
            #expect(made.signed.bytes == row["signed"].bytes)
            previous = entry.id
        }
        guard case .policySet(let policy) = try golden.entry(json["log_first"]).payload,
            case .epochAnnounce(let announcement) = try golden.entry(json["epoch"]["announce"]).payload
        else {
            Issue.record("the first entry sets the policy and the third announces an epoch")
            return
        }
        #expect(policy.hash == golden.genesis.policyHash)
        #expect(policy[.bundleLifeDays] == 14)
        #expect(announcement.commit == json["epoch"]["commit"].octets(as: EpochCommit.self))
        #expect(announcement.notes == [json["notes"][0]["hash"].octets(as: NoteHash.self)])
        #expect(json["bundle"]["body"].string.contains(CoveredRow.digest(announcement.rows).hex))
    }

    @Test("Notes of three forms read back, and their content makes the same bytes")
    func notes() throws {
        let golden = try GoldenMesh()
        let keys = [Array(golden.roots[..<1]), [golden.signing(0)], Array(golden.roots[..<2])]
        for (row, keys) in zip(golden.json["notes"].items, keys) {
            let note = try RevokeNote(parsing: Signed(parsing: row["signed"].bytes))
            #expect(note.hash == row["hash"].octets(as: NoteHash.self))
            #expect(RevokeNote.make(note.content, mesh: golden.mesh, keys: keys).signed.bytes == row["signed"].bytes)
        }
        let wipe = try RevokeNote(parsing: Signed(parsing: golden.json["notes"][2]["signed"].bytes)).content.wipe
        #expect(wipe?.mode == .lock)
        #expect(wipe?.serial == 8)
        #expect(wipe?.expires == Minute(29_040_000))
    }
}
