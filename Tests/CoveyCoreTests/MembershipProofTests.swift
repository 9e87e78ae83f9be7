import CoveyCore
import CoveyCrypto
import Testing

@Suite("Proofs of membership for those who hold no log")
struct MembershipProofTests {
    /// A mesh on its way, with the keys that write its two logs now.
    private struct Story {
        var story: AuthorityStory
        var root: AuthorityKeys
        var field: AuthorityKeys
        private(set) var devices: [DeviceID] = []

        init(seed: UInt64, devices count: Int = 5) throws {
            story = try AuthorityStory(seed: seed)
            root = story.founding.root
            field = story.founding.field
            for number in 0..<count { devices.append(try story.enrol("device \(number)").pending.identity.id) }
        }

        var genesis: Genesis { story.founding.genesis }

        /// A minute later, so that the newest is known.
        @discardableResult
        mutating func checkpoint(by keys: AuthorityKeys) throws -> LogEntry {
            story.now = story.now.adding(1)
            let entry = try Authority(keys).checkpoint(into: &story.membership, now: story.now)
            story.entries.append(entry)
            return entry
        }

        mutating func rotate(_ keys: WritableKeyPath<Story, AuthorityKeys>) throws {
            let following = SigningKeyset(count: 1, threshold: 1, random: story.random)
            story.entries.append(
                try Authority(self[keyPath: keys]).rotate(
                    promising: following.keyset, into: &story.membership, now: story.now))
            self[keyPath: keys] = self[keyPath: keys].rotated(to: following)
        }

        /// Other keys than those that were promised.
        func strange(_ keys: AuthorityKeys) -> AuthorityKeys {
            AuthorityKeys(
                mesh: keys.mesh, authority: keys.authority,
                current: SigningKeyset(count: 1, threshold: 1, random: story.random),
                next: SigningKeyset(count: 1, threshold: 1, random: story.random))
        }

        var audit: LogAudit {
            LogAudit(
                of: genesis, story.entries.map(\.signed) + story.notes.map(\.signed), now: story.now.adding(1))
        }

        func proof(_ device: Int) throws -> MembershipProof { try audit.proof(of: devices[device]) }

        func refusal(_ device: Int) -> ProofRefusal? { audit.proofRefusal(of: devices[device]) }
    }

    private func fault(
        _ proof: MembershipProof, _ genesis: Genesis, at now: Minute = TestMesh.start.adding(1440)
    ) -> ProofFault? {
        do throws(ProofFault) {
            _ = try proof.verified(by: genesis, now: now)
            return nil
        } catch { return error }
    }

    @Test("Under the root's checkpoint the genesis alone is enough, for every device in the set")
    func root() throws {
        var story = try Story(seed: 1)
        let checkpoint = try story.checkpoint(by: story.root)
        for device in story.devices {
            let proof = try story.audit.proof(of: device)
            #expect(proof.entries.isEmpty)
            #expect(proof.checkpoint == checkpoint)
            let member = try proof.verified(by: story.genesis, now: story.story.now)
            #expect(member.device == device)
            #expect(member.certificate == story.story.membership.currentCertificate(device)?.hash)
            #expect(member.checkpoint.checkpoint.count == 5)
            #expect(member.authorities.isEmpty)
        }
        #expect(try story.proof(0).bytes.count < 1200)
    }

    @Test("Its bytes are as drawn, and come back in one form only")
    func bytes() throws {
        var story = try Story(seed: 2)
        try story.checkpoint(by: story.field)
        let proof = try story.proof(2)
        var drawn: [UInt8] = [0x63, 0x31, 0x0E, 1]
        func field(_ tag: UInt8, _ value: [UInt8]) {
            drawn.append(tag)
            drawn.append(u16: UInt16(value.count))
            drawn += value
        }
        var list: [UInt8] = []
        for entry in proof.entries {
            list.append(u16: UInt16(entry.signed.bytes.count))
            list += entry.signed.bytes
        }
        field(0x01, list)
        field(0x02, proof.checkpoint.signed.bytes)
        field(0x03, try #require(story.story.membership.currentCertificate(story.devices[2])).signed.body)
        var index: [UInt8] = []
        index.append(u32: proof.index)
        field(0x04, index)
        field(0x05, proof.path.flatMap(\.array))
        #expect(proof.bytes == drawn)
        let file = proof.file(of: story.genesis.meshID)
        #expect(file.kind.fileExtension == ".proof")
        #expect(try MembershipProof.read(CoveyFile(parsing: file.bytes), of: story.genesis.meshID) == proof)
        #expect(throws: Malformed.trailing) {
            try MembershipProof(parsing: drawn + [0x90, 0, 1, 7], mesh: story.genesis.meshID)
        }
    }

    @Test("Under a field authority's the chain of its certificate comes along, and all changes of keys")
    func changedKeys() throws {
        var story = try Story(seed: 3)
        try story.checkpoint(by: story.field)
        func look(_ kinds: [LogPayload.Kind], areAllNeeded: Bool = false) throws {
            let proof = try story.proof(1)
            #expect(proof.entries.map(\.payload.kind) == kinds)
            let member = try proof.verified(by: story.genesis, now: story.story.now)
            #expect(member.authorities.map(\.content.label) == ["field"])
            #expect(member.checkpoint.log == story.field.authority)
            for at in proof.entries.indices where areAllNeeded {
                var fewer = proof.entries
                fewer.remove(at: at)
                let other = MembershipProof(
                    entries: fewer, checkpoint: proof.checkpoint, certificate: proof.certificate, index: proof.index,
                    path: proof.path)
                #expect(fault(other, story.genesis) != nil)
            }
        }
        try look([.authorityAdd], areAllNeeded: true)
        try story.rotate(\.field)
        try story.checkpoint(by: story.field)
        try look([.authorityAdd, .authorityRotate], areAllNeeded: true)
        // The root's new keys say who writes the field's log.
        try story.rotate(\.root)
        let new = story.strange(story.field)
        story.story.entries.append(
            try Authority(story.root).replaceKeys(
                of: story.field.authority, branch: nil, by: new, into: &story.story.membership, now: story.story.now))
        story.field = new
        try story.checkpoint(by: story.field)
        try look([.authorityAdd, .authorityRotate, .authorityRotate, .authorityRotate])
        let cold = ColdRecovery(mesh: story.genesis.meshID, keys: story.story.founding.recovery)
        let last = story.strange(story.field)
        story.story.entries.append(
            try cold.recover(
                story.field.authority, branch: nil, new: last, into: &story.story.membership, now: story.story.now))
        story.field = last
        try story.checkpoint(by: story.field)
        try look([.authorityAdd, .authorityRotate, .authorityRotate, .authorityRotate, .recoverFork])
    }

    @Test("Under the root's, its own changes of keys come along")
    func rootsKeys() throws {
        var story = try Story(seed: 4, devices: 1)
        for _ in 0..<3 { try story.rotate(\.root) }
        try story.checkpoint(by: story.root)
        let proof = try story.proof(0)
        #expect(proof.entries.map(\.payload.kind) == [.authorityRotate, .authorityRotate, .authorityRotate])
        #expect(proof.path.isEmpty)
        #expect(try proof.verified(by: story.genesis, now: story.story.now).device == story.devices[0])
        let swapped = MembershipProof(
            entries: [proof.entries[0], proof.entries[2], proof.entries[1]], checkpoint: proof.checkpoint,
            certificate: proof.certificate, index: proof.index, path: proof.path)
        #expect(fault(swapped, story.genesis) != nil)
    }

    @Test("The newest checkpoint counts; a wrong one, none, and one that the device is not in prove nothing")
    func refusals() throws {
        var story = try Story(seed: 5)
        #expect(story.refusal(0) == .noCheckpoint)
        let first = try story.checkpoint(by: story.field)
        let late = try story.story.enrol("late").pending.identity.id
        #expect(story.audit.proofRefusal(of: late) == .notIncluded(try #require(PlacedCheckpoint(first))))
        #expect(story.audit.proofRefusal(of: DeviceID()) == .notMember)
        let second = try story.checkpoint(by: story.root)
        #expect(try story.audit.proof(of: late).checkpoint == second)
        try story.story.revoke(story.devices[1], .lost)
        #expect(story.refusal(1) == .revoked)
        #expect(story.refusal(2) == nil)

        let head = try #require(story.story.entries.last { $0.log == story.root.authority })
        func claim(_ count: UInt32, at time: Minute) throws -> LogEntry {
            try LogEntry.make(
                log: head.log, sequence: head.sequence + 1, previous: head.id, time: time,
                payload: .checkpoint(
                    Checkpoint(
                        children: try #require(PlacedCheckpoint(head)).checkpoint.children, merkleRoot: Octets32(),
                        count: count)),
                mesh: story.genesis.meshID, keys: story.root.current.keys)
        }
        let wrong = try claim(6, at: story.story.now.adding(1))
        story.story.entries.append(wrong)
        #expect(story.refusal(2) == .wrong(try #require(PlacedCheckpoint(wrong))))
        // Without the field's log nobody can tell what the root's checkpoint covers.
        story.story.entries.removeLast()
        story.story.entries.removeAll { $0 == first }
        #expect(story.refusal(2) == .unknown(try #require(PlacedCheckpoint(second))))
    }

    @Test("No checkpoint speaks for logs that it does not cover, nor grants what its author may not")
    func overreach() throws {
        let mesh = try TestMesh()
        var root = mesh.root
        let keys = [SigningPrivateKey(from: mesh.random)]
        var (add, field) = try mesh.add(keys: keys, below: &root)
        func claim(
            _ certificate: DeviceCertificate, by writer: LogWriter, children: [CoveredRow] = []
        ) throws -> MembershipProof {
            let tree = MerkleTree([certificate.hash])
            let checkpoint = Checkpoint(
                children: children, merkleRoot: Octets32(prefixOf: tree.root), count: 1)
            return MembershipProof(
                entries: [add], checkpoint: try writer.draft(.checkpoint(checkpoint)), certificate: certificate,
                index: 0, path: [])
        }
        let device = mesh.device()
        let good = try claim(mesh.certificate(device, by: field), by: field)
        #expect(fault(good, mesh.genesis) == nil)
        #expect(fault(good, mesh.genesis, at: TestMesh.start.adding(-3 * 1440)) == .time)
        #expect(fault(try claim(mesh.certificate(device, by: root), by: field), mesh.genesis) == .issuer)
        let zone = try mesh.certificate(device, by: field) { $0.zones = [9] }
        #expect(fault(try claim(zone, by: field), mesh.genesis) == .certificate(.zones))
        let over = try mesh.certificate(device, by: field) { $0.notAfter = TestMesh.start.adding(1) }
        #expect(fault(try claim(over, by: field), mesh.genesis) == .expired)
        let other = try TestMesh(seed: 2)
        #expect(fault(good, other.genesis) != nil)

        let theft = try field.append(
            .authorityRotate(
                AuthorityRotation(
                    authority: field.log, keyset: TestMesh.keyset([mesh.release], 1),
                    nextCommit: .random(from: mesh.random))))
        let signed = try LogEntry.make(
            log: field.log, sequence: theft.sequence, previous: theft.previous, time: theft.time,
            payload: theft.payload, mesh: mesh.mesh, keys: keys + [mesh.release])
        field.keys = [mesh.release]
        let stolen = MembershipProof(
            entries: [add, signed], checkpoint: try field.draft(good.checkpoint.payload),
            certificate: good.certificate, index: 0, path: [])
        #expect(fault(stolen, mesh.genesis) == .keys(field.log, theft.sequence))
        // What the field says of authorities beside it is its own word, and the root is above it.
        let usurped = try mesh.authority(keys: mesh.roots, threshold: 2, by: field) { $0.depthLeft = 0 }
        field.keys = keys
        let usurping = MembershipProof(
            entries: [add, try field.draft(.authorityAdd(usurped))], checkpoint: good.checkpoint,
            certificate: good.certificate, index: 0, path: [])
        #expect(fault(usurping, mesh.genesis) == .authority(mesh.genesis.rootID))
        // Who signs releases is no authority, under whatever threshold.
        let releases = try mesh.authority(keys: [mesh.release], threshold: 1, by: mesh.root)
        let releasing = MembershipProof(
            entries: [try mesh.root.draft(.authorityAdd(releases))], checkpoint: good.checkpoint,
            certificate: good.certificate, index: 0, path: [])
        #expect(fault(releasing, mesh.genesis) == .authority(releases.authority))
    }

    @Test("Cut off anywhere, or with any one bit flipped, a file of it is refused")
    func damage() throws {
        var story = try Story(seed: 6, devices: 3)
        try story.rotate(\.field)
        try story.checkpoint(by: story.field)
        let bytes = try story.proof(0).file(of: story.genesis.meshID).bytes
        func holds(_ bytes: [UInt8]) -> Bool {
            guard let file = try? CoveyFile(parsing: bytes),
                let proof = try? MembershipProof.read(file, of: story.genesis.meshID)
            else { return false }
            return fault(proof, story.genesis) == nil
        }
        #expect(holds(bytes))
        #expect(!holds(bytes + [0]))
        for size in bytes.indices where holds(Array(bytes[..<size])) { Issue.record("cut off at \(size)") }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            if holds(flipped) { Issue.record("bit \(bit) flipped") }
        }
    }
}

extension LogAudit {
    fileprivate func proofRefusal(of device: DeviceID) -> ProofRefusal? {
        do throws(ProofRefusal) {
            _ = try proof(of: device)
            return nil
        } catch { return error }
    }
}
