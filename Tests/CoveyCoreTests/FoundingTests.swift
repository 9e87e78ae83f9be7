import CoveyCore
import CoveyCrypto
import Testing

@Suite("Founding a mesh")
struct FoundingTests {
    static let now = Minute(29_000_000)

    @Test("a genesis commits to the policy, the next root keys, the recovery keys and the release keys")
    func commitments() throws {
        for profile in MeshProfile.allCases {
            let founding = try Founding.found(
                name: "Harbour", profile: profile, root: KeysetShape(2, of: 3), random: SeededRandom(seed: 1),
                now: Self.now)
            let genesis = founding.genesis
            #expect(genesis.verify())
            #expect(genesis.name == "Harbour")
            #expect(genesis.root.threshold == 2)
            #expect(genesis.root.keys.count == 3)
            #expect(genesis.policyHash == profile.policy.hash)
            #expect(genesis.nextCommit == founding.root.next.keyset.commit)
            #expect(genesis.recoveryCommit == founding.recovery.keyset.commit)
            #expect(genesis.releaseCommit == founding.release.keyset.commit)
            #expect(genesis.rootID == founding.root.authority)
        }
        #expect(MeshProfile.standard.policy[.freshDays] == 7)
        #expect(MeshProfile.expedition.policy[.staleDays] == 120)
    }

    @Test("the root's log begins with the policy and the field authority, each signed by the root and chained")
    func log() throws {
        let founding = try Founding.found(
            name: "Harbour", profile: .standard, random: SeededRandom(seed: 2), now: Self.now)
        let root = founding.genesis.root
        try #require(founding.entries.count == 2)
        let (first, second) = (founding.entries[0], founding.entries[1])
        #expect(first.sequence == 1)
        #expect(first.previous == LogEntry.anchor(of: founding.mesh))
        #expect(second.sequence == 2)
        #expect(second.previous == first.id)
        for entry in founding.entries {
            #expect(entry.log == founding.root.authority)
            #expect(root.approves(entry.signed, as: .logEntry, in: founding.mesh))
        }
        #expect(first.payload == .policySet(MeshProfile.standard.policy))
        guard case .authorityAdd(let certificate) = second.payload else {
            Issue.record("the second entry adds the field authority")
            return
        }
        #expect(certificate.authority == founding.field.authority)
        #expect(certificate.keyset == founding.field.current.keyset)
        #expect(certificate.content.nextCommit == founding.field.next.keyset.commit)
        #expect(certificate.content.grantable.isDisjoint(with: .privileged))
        #expect(root.approves(certificate.signed, as: .authorityCertificate, in: founding.mesh))
    }

    @Test("a field authority of two keys may grant what needs two signatures")
    func privileged() throws {
        let founding = try Founding.found(
            name: "Harbour", profile: .standard, field: KeysetShape(2, of: 2), random: SeededRandom(seed: 3),
            now: Self.now)
        guard case .authorityAdd(let certificate) = founding.entries[1].payload else {
            Issue.record("the second entry adds the field authority")
            return
        }
        #expect(certificate.content.grantable == .all)
        #expect(certificate.keyset.threshold == 2)
    }

    @Test("no two keysets of a founding share a key, and no two foundings a mesh")
    func freshKeys() throws {
        let random = SeededRandom(seed: 4)
        let first = try Founding.found(name: "A", profile: .standard, random: random, now: Self.now)
        let second = try Founding.found(name: "A", profile: .standard, random: random, now: Self.now)
        #expect(first.mesh != second.mesh)
        let keysets = [
            first.root.current, first.root.next, first.field.current, first.field.next, first.recovery,
            first.release,
        ]
        #expect(Set(keysets.map(\.keyset.keys)).count == keysets.count)
    }

    @Test("18: a name that is empty, too long, has control characters or is not NFC is refused")
    func names() {
        for name in ["", String(repeating: "x", count: 65), "a\nb", "e\u{301}"] {
            #expect(throws: Malformed.text(0x01)) {
                try Founding.found(name: name, profile: .standard, random: SeededRandom(seed: 5), now: Self.now)
            }
        }
    }
}
