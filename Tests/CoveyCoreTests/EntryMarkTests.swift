import CoveyCore
import CoveyCrypto
import Testing

@Suite("What is said of entries that do not count")
struct EntryMarkTests {
    @Test("On a branch what is granted is marked, and what is taken away is not until another branch is chosen")
    func branches() throws {
        var mesh = try TestMesh(seed: 41)
        let keys = (0..<3).map { _ in SigningPrivateKey(from: mesh.random) }
        var (add, north) = try mesh.add(keys: [keys[0]], below: &mesh.root)
        let (addSouth, south) = try mesh.add(keys: [keys[1]], below: &north) {
            $0.depthLeft = 0
            $0.label = "south"
        }
        let certificate = try mesh.certificate(mesh.device(), by: north)
        let granted = try north.draft(.certIssue([certificate]))
        let dismissed = try north.draft(
            .authorityRevoke(
                AuthorityRevocation(authority: south.log, reason: 2, lastGood: [.init(log: south.log, sequence: 0)])))
        let note = NoteHash(prefixOf: EntryID.random(from: mesh.random))
        let confirmed = try north.draft(.certRevoke([NoteVerdict(note: note, decision: .confirmed)]))
        let lifted = try north.draft(.certRevoke([NoteVerdict(note: note, decision: .lifted)]))
        var membership = try mesh.membership()
        try membership.take(add, addSouth, granted)
        #expect(membership.mark(of: granted) == nil)
        try membership.take(dismissed, confirmed, lifted)
        #expect(membership.isFrozen(north.log) && membership.dismissal(of: south.log) != nil)
        #expect([addSouth, dismissed, confirmed].allSatisfy { membership.mark(of: $0) == nil })
        #expect([granted, lifted].allSatisfy { membership.mark(of: $0) == .forked })
        try membership.take(mesh.choose(granted.id, of: north.log, keys: [keys[2]]))
        #expect([addSouth, granted].allSatisfy { membership.mark(of: $0) == nil })
        #expect([dismissed, confirmed, lifted].allSatisfy { membership.mark(of: $0) == .dropped })
        #expect(membership.dismissal(of: south.log) == nil)
    }
}
