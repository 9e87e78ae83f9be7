import CoveyCore
import CoveyCrypto
import Testing

@Suite("Checkpoints: where the logs below stand, and the active set in one hash")
struct CheckpointTests {
    /// The root's checkpoint over a field authority with some devices.
    private func story(_ devices: Int, seed: UInt64) throws -> (AuthorityStory, Authority, [DeviceID]) {
        var story = try AuthorityStory(seed: seed)
        let ids = try (0..<devices).map { try story.enrol("device \($0)").pending.identity.id }
        return (story, Authority(story.founding.root), ids)
    }

    private func placed(_ entry: LogEntry) throws -> PlacedCheckpoint { try #require(PlacedCheckpoint(entry)) }

    @Test("The root names the head of every log below it, and the devices that are in force")
    func makes() throws {
        var (story, root, ids) = try story(5, seed: 1)
        let entry = try root.checkpoint(into: &story.membership, now: story.now)
        let placed = try placed(entry)
        #expect(
            placed.checkpoint.children == story.membership.heads.filter { $0.log == story.founding.field.authority })
        #expect(placed.checkpoint.count == 5)
        #expect(story.membership.standing(of: placed) == .right)
        #expect(story.membership.checkpoint(of: root.keys.authority) == placed)
        let proof = try #require(story.membership.inclusion(of: ids[3], in: placed))
        #expect(proof.certificate.device == ids[3])
        #expect(placed.checkpoint.includes(proof.certificate.hash, by: proof.proof))
        let other = try #require(story.membership.currentCertificate(ids[2]))
        #expect(!placed.checkpoint.includes(other.hash, by: proof.proof))
    }

    @Test("It stays right whatever comes later: renewals, new devices, revocations")
    func later() throws {
        var (story, root, ids) = try story(4, seed: 2)
        let first = try placed(root.checkpoint(into: &story.membership, now: story.now))
        story.now = story.now.adding(1440)
        _ = try story.enrol("late")
        _ = try story.authority.renew(ids[0], Grant(), into: &story.membership, now: story.now)
        try story.revoke(ids[1], .lost)
        _ = try story.authority.decide(
            [NoteVerdict(note: story.notes[0].hash, decision: .confirmed)], into: &story.membership, now: story.now)
        let second = try placed(root.checkpoint(into: &story.membership, now: story.now))
        #expect(story.membership.standing(of: first) == .right)
        #expect(story.membership.standing(of: second) == .right)
        #expect(second.checkpoint.count == 4)
        #expect(story.membership.inclusion(of: ids[1], in: first) != nil)
        #expect(story.membership.inclusion(of: ids[1], in: second) == nil)
        let renewed = try #require(story.membership.currentCertificate(ids[0]))
        #expect(story.membership.inclusion(of: ids[0], in: second)?.certificate == renewed)
        #expect(story.membership.inclusion(of: ids[0], in: first)?.certificate != renewed)
        #expect(story.membership.checkpoint(of: root.keys.authority) == second)
    }

    @Test("The expired are not in it, and a field authority's own covers its own devices")
    func expired() throws {
        var (story, _, ids) = try story(3, seed: 3)
        story.now = story.now.adding(91 * 1440)
        let fresh = try story.enrol("fresh").pending.identity.id
        let placed = try placed(story.authority.checkpoint(into: &story.membership, now: story.now))
        #expect(placed.checkpoint.children.isEmpty)
        #expect(placed.checkpoint.count == 1)
        #expect(story.membership.inclusion(of: fresh, in: placed) != nil)
        #expect(story.membership.inclusion(of: ids[0], in: placed) == nil)
    }

    @Test("Whoever holds the entries finds the same, in whatever order they came; whoever does not cannot tell")
    func others() throws {
        var (story, root, ids) = try story(6, seed: 4)
        try story.revoke(ids[5], .compromised)
        story.entries.append(
            try story.authority.decide(
                [NoteVerdict(note: story.notes[0].hash, decision: .confirmed)], into: &story.membership,
                now: story.now))
        let entry = try root.checkpoint(into: &story.membership, now: story.now)
        let placed = try placed(entry)
        var other = Membership(genesis: story.founding.genesis)
        for known in story.entries[..<2] + [entry] { _ = try other.accept(known.signed) }
        #expect(other.standing(of: placed) == .unknown)
        for known in story.entries[2...].reversed() { _ = try other.accept(known.signed) }
        #expect(other.count == story.membership.count)
        #expect(other.standing(of: placed) == .unknown)
        _ = try other.accept(note: story.notes[0].signed)
        #expect(other.standing(of: placed) == .right)
        #expect(other.headsDigest == story.membership.headsDigest)
    }

    @Test("What an authority below claims to have confirmed, of a note that nobody holds, keeps no other from its work")
    func inventedNotes() throws {
        var (story, root, _) = try story(3, seed: 6)
        let invented = NoteVerdict(note: NoteHash.random(from: SeededRandom(seed: 6)), decision: .confirmed)
        _ = try story.authority.decide([invented], into: &story.membership, now: story.now)
        let entry = try root.checkpoint(into: &story.membership, now: story.now)
        let placed = try placed(entry)
        #expect(placed.checkpoint.count == 3)
        #expect(story.membership.standing(of: placed) == .right)
        _ = try root.decide([invented], into: &story.membership, now: story.now)
        #expect(throws: AuthorityRefusal.gap) {
            _ = try root.checkpoint(into: &story.membership, now: story.now)
        }
    }

    @Test("A wrong root or count is told, and proves nothing; the entry stands, and its heads count")
    func wrong() throws {
        let (story, root, ids) = try story(3, seed: 5)
        let heads = story.membership.heads
        let children = heads.filter { $0.log != root.keys.authority }
        let head = try #require(heads.first { $0.log == root.keys.authority })
        let right = MerkleTree(
            try ids.sorted().map { try #require(story.membership.currentCertificate($0)).hash })
        for (hash, count) in [(MerkleHash(leaf: CertificateHash()), 3), (right.root, 4)] as [(MerkleHash, UInt32)] {
            var membership = story.membership
            let entry = try LogEntry.make(
                log: root.keys.authority, sequence: head.sequence + 1, previous: head.id, time: story.now,
                payload: .checkpoint(
                    Checkpoint(children: children, merkleRoot: Octets32(prefixOf: hash), count: count)),
                mesh: story.founding.mesh, keys: root.keys.current.keys)
            guard case .accepted = try membership.accept(entry.signed) else {
                Issue.record("a signed checkpoint follows")
                return
            }
            let placed = try placed(entry)
            #expect(membership.standing(of: placed) == .wrong(root: right.root, count: 3))
            #expect(membership.devices.count == 3)
            let proof = right.proof(at: 0)
            let certificate = try #require(membership.currentCertificate(ids.sorted()[0])).hash
            #expect(!placed.checkpoint.includes(certificate, by: proof))
        }
    }
}
