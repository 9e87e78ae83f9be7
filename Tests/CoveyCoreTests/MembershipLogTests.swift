import CoveyCrypto
import Testing

@testable import CoveyCore

/// protocol.md §7.2, items 7 to 11, 32 and 33.
@Suite("A log is a chain that only its authority can lengthen")
struct MembershipLogTests {
    private let mesh: TestMesh

    init() throws { mesh = try TestMesh() }

    private func issue(_ mesh: TestMesh, by writer: LogWriter) throws -> LogPayload {
        .certIssue([try mesh.certificate(mesh.device(), by: writer)])
    }

    @Test("9, 10, 32: fewer than the threshold, a signer counted twice, a stranger: refused")
    func threshold() throws {
        let membership = try mesh.membership()
        let payload = try issue(mesh, by: mesh.root)
        #expect(membership.refusal(of: try mesh.root.draft(payload)) == nil)
        #expect(membership.refusal(of: try mesh.root.draft(payload, keys: [mesh.roots[0]])) == .signatures)
        let stranger = SigningPrivateKey(from: mesh.random)
        for keys in [[mesh.roots[0], stranger], mesh.roots + [stranger]] {
            #expect(membership.refusal(of: try mesh.root.draft(payload, keys: keys)) == .signatures)
        }
        // The same signature twice does not even parse: hints must ascend.
        let once = try mesh.root.draft(payload, keys: [mesh.roots[0]]).signed
        var twice = once.bytes
        twice[once.body.count + 2] = 2
        twice += once.bytes.suffix(73)
        #expect(throws: Malformed.signatures) { try Signed(parsing: twice) }
    }

    @Test("The hint of a key does not make a signature its own")
    func hint() throws {
        let membership = try mesh.membership()
        let entry = try mesh.root.draft(try issue(mesh, by: mesh.root))
        let other = SigningPrivateKey(from: mesh.random)
        let message = Signed.message(entry.signed.body.span.bytes, type: .object(.logEntry), mesh: mesh.mesh)
        var bytes = entry.signed.bytes
        bytes.replaceSubrange(bytes.count - 64..<bytes.count, with: other.sign(message.span.bytes).array)
        let forged = try Signed(parsing: bytes)
        #expect(throws: EntryRefusal.signatures) {
            var membership = membership
            _ = try membership.accept(forged)
        }
    }

    @Test("A signature counts for one type and one mesh: a certificate's for no entry, another mesh's not here")
    func contexts() throws {
        let membership = try mesh.membership()
        let body = try mesh.root.draft(try issue(mesh, by: mesh.root)).signed.body
        let other = try TestMesh(seed: 2)
        let wrong = [
            Signed(body, type: .object(.deviceCertificate), mesh: mesh.mesh, keys: mesh.root.keys),
            Signed(body, type: .object(.logEntry), mesh: other.mesh, keys: mesh.root.keys),
        ]
        for signed in wrong {
            #expect(throws: EntryRefusal.signatures) {
                var membership = membership
                _ = try membership.accept(signed)
            }
        }
        let certificate = try mesh.certificate(mesh.device(), by: mesh.root)
        #expect(throws: EntryRefusal.malformed(.wrongType)) {
            var membership = membership
            _ = try membership.accept(certificate.signed)
        }
    }

    @Test("Unsorted signatures, and bytes after the last one, are refused")
    func attestations() throws {
        let signed = try mesh.root.draft(try issue(mesh, by: mesh.root)).signed
        let head = Array(signed.bytes.prefix(signed.body.count + 3))
        let swapped = head + signed.bytes.suffix(73) + signed.bytes.suffix(146).prefix(73)
        #expect(throws: Malformed.signatures) { try Signed(parsing: swapped) }
        #expect(throws: Malformed.trailing) { try Signed(parsing: signed.bytes + [0]) }
    }

    @Test("32: entries after a gap wait, whatever order they come in, and come up in the chain's order")
    func gap() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let entries = try (0..<4).map { _ in try mesh.root.append(issue(mesh, by: mesh.root)) }
        for index in [3, 1, 2] {
            guard case .held = try membership.accept(entries[index].signed) else {
                Issue.record("an entry after a gap is held")
                return
            }
        }
        #expect(membership.count == 1)
        guard case .accepted(let intake) = try membership.accept(entries[0].signed) else {
            Issue.record("the gap closes")
            return
        }
        #expect(intake.entries.map(\.id) == entries.map(\.id))
        guard case .known = try membership.accept(entries[2].signed) else {
            Issue.record("an accepted entry is known")
            return
        }
        #expect(membership.heads == [CoveredRow(log: mesh.root.log, sequence: 5, id: entries[3].id)])
    }

    @Test("At most 256 entries of a log wait, those nearest to the gap")
    func manyOrphans() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let payload = try issue(mesh, by: mesh.root)
        _ = try mesh.root.append(payload)
        let entries = try (0..<258).map { _ in try mesh.root.append(payload) }
        for entry in entries[1..<257] { _ = try membership.accept(entry.signed) }
        #expect(membership.refusal(of: entries[257]) == .tooManyHeld)
        #expect(membership.refusal(of: entries[0]) == nil)
    }

    @Test("32: a wrong previous id is refused, of first entries too, and so is a time that decreases")
    func chain() throws {
        var mesh = mesh
        let membership = try mesh.membership()
        var astray = mesh.root
        astray.previous = .random(from: mesh.random)
        #expect(membership.refusal(of: try astray.draft(issue(mesh, by: mesh.root))) == .wrongPrevious)
        let early = try mesh.root.draft(issue(mesh, by: mesh.root), time: mesh.first.time.adding(-1))
        #expect(membership.refusal(of: early) == .timeDecreases)
        let same = try mesh.root.draft(issue(mesh, by: mesh.root), time: mesh.first.time)
        #expect(membership.refusal(of: same) == nil)

        let bare = Membership(genesis: mesh.genesis)
        var first = LogWriter(
            mesh: mesh.mesh, log: mesh.root.log, keys: mesh.root.keys, after: .random(from: mesh.random),
            time: TestMesh.start)
        #expect(bare.refusal(of: try first.append(.policySet(mesh.policy))) == .wrongPrevious)

        let (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var known = membership
        try known.take(add)
        var wrong = field
        wrong.previous = LogEntry.anchor(of: mesh.mesh)
        #expect(known.refusal(of: try wrong.draft(issue(mesh, by: field))) == .wrongPrevious)
        #expect(known.refusal(of: try field.draft(issue(mesh, by: field))) == nil)
    }

    @Test("32: kinds 1 and 8, and unknown ones, are refused", arguments: [1, 8, 14, 255])
    func kinds(kind: UInt8) throws {
        var body = try mesh.root.draft(issue(mesh, by: mesh.root)).signed.body
        // 04 head, 19 log_id, 11 seq, 35 prev, 7 time, 3 tag and length.
        let at = 4 + 19 + 11 + 35 + 7 + 3
        #expect(body[at] == LogPayload.Kind.certIssue.rawValue)
        body[at] = kind
        let signed = Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: mesh.root.keys)
        #expect(throws: EntryRefusal.malformed(.value(0x05))) {
            var membership = try mesh.membership()
            _ = try membership.accept(signed)
        }
    }

    @Test("A group definition and a release manifest read back, and stand in the log")
    func carried() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let group = GroupDefinition(
            group: .random(from: mesh.random), name: "medics", zones: [3], capabilities: [.link, .send],
            devices: [.random(from: mesh.random)])
        let manifest = ReleaseManifest(
            version: "1.0", artefacts: [.init(sha256: .random(from: mesh.random), name: "covey.deb")],
            sourceCommit: [1, 2, 3], recipe: .random(from: mesh.random), leastWire: 1, notBefore: TestMesh.start)
        for payload in [LogPayload.groupDefinition(group), .releaseManifest(manifest)] {
            let entry = try mesh.root.append(payload)
            #expect(entry.payload == payload)
            try membership.take(entry)
        }
        #expect(membership.count == 3)
    }

    @Test("The first policy must be the one of the genesis, later ones count upwards, and only the root sets them")
    func policy() throws {
        var mesh = mesh
        let other = Policy(number: 1, settings: [.init(.bundleLifeDays, 30)])
        var root = LogWriter(
            mesh: mesh.mesh, log: mesh.root.log, keys: mesh.root.keys, after: LogEntry.anchor(of: mesh.mesh),
            time: TestMesh.start)
        #expect(Membership(genesis: mesh.genesis).refusal(of: try root.append(.policySet(other))) == .policy)
        var membership = try mesh.membership()
        #expect(membership[policy: .bundleLifeDays] == 14)
        #expect(membership[policy: .staleDays] == 30)
        let second = Policy(number: 2, settings: [.init(.bundleLifeDays, 21)])
        #expect(try Policy(number: 1, settings: second.settings).changing([.bundleLifeDays: 21]) == second)
        let last = Policy(number: .max, settings: second.settings)
        #expect(throws: AuthorityRefusal.serials) { try last.changing([.bundleLifeDays: 7]) }
        try membership.take(mesh.root.append(.policySet(second)), mesh.root.append(.policySet(other)))
        #expect(membership.policy == second)
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        try membership.take(add)
        #expect(membership.refusal(of: try field.append(.policySet(second))) == .policy)
    }

    @Test("Entries of an authority wait for its AuthorityAdd")
    func strays() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let first = try field.append(.certIssue([certificate]))
        let second = try field.append(issue(mesh, by: field))
        try membership.take(second, first)
        #expect(membership.devices.isEmpty)
        guard case .accepted(let intake) = try membership.accept(add.signed) else {
            Issue.record("the AuthorityAdd is accepted")
            return
        }
        #expect(intake.entries.map(\.id) == [add, first, second].map(\.id))
        #expect(membership.devices.count == 2)
        #expect(membership.entryIDs(of: field.log) == [first.id, second.id])
    }

    @Test("A flood of entries of unknown authorities does not keep out those that come after it")
    func flood() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let stranger = [SigningPrivateKey(from: mesh.random)]
        var nowhere = LogWriter(
            mesh: mesh.mesh, log: .random(from: mesh.random), keys: stranger, after: .random(from: mesh.random),
            time: TestMesh.start)
        let verdict = NoteVerdict(note: .random(from: mesh.random), decision: .confirmed)
        for _ in 0..<300 { try membership.take(nowhere.append(.certRevoke([verdict]))) }
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        try membership.take(field.append(issue(mesh, by: field)), add)
        #expect(membership.devices.count == 1)
    }

    @Test("33: a fork voids the grants of both branches and keeps the revocations of both; what stood before stays")
    func fork() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let devices = (0..<3).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: field) }
        let before = try field.append(.certIssue([certificates[0]]))
        let left = try field.draft(.certIssue([certificates[1]]))
        let right = try field.draft(.certIssue([certificates[2]]))
        // Further along the right branch, a note is confirmed.
        let note = mesh.note(of: devices[0], authority: mesh.root.log, number: 1, keys: [mesh.roots[0]])
        var rightWriter = field
        rightWriter.sequence += 1
        rightWriter.previous = right.id
        let confirmed = try rightWriter.append(.certRevoke([NoteVerdict(note: note.hash, decision: .confirmed)]))

        var states: [Membership] = []
        for branches in [[left, right, confirmed], [right, left, confirmed], [right, confirmed, left]] {
            var membership = try mesh.membership()
            try membership.take(add, before)
            for entry in branches { try membership.take(entry) }
            states.append(membership)
        }
        for membership in states {
            #expect(membership.devices == [certificates[0].device])
            #expect(membership.grantLimit(of: field.log) == 1)
            #expect(membership.headsDigest == states[0].headsDigest)
            #expect(Set(membership.forks.first?.entries ?? []) == [left.id, right.id])
            #expect(mesh.admit(certificates[1], to: membership).member == nil)
        }
    }

    @Test("33: what the parent checkpointed stays valid after a late fork below it")
    func checkpointedFork() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let fork = try field.draft(issue(mesh, by: field))
        let certificates = try (0..<3).map { _ in try mesh.certificate(mesh.device(), by: field) }
        let entries = try certificates.map { try field.append(.certIssue([$0])) }
        let checkpoint = Checkpoint(
            children: [CoveredRow(log: field.log, sequence: 2, id: entries[1].id)],
            merkleRoot: .random(from: mesh.random), count: 2)
        var membership = try mesh.membership()
        try membership.take(add, entries[0], entries[1], entries[2])
        #expect(membership.devices.count == 3)
        try membership.take(fork)
        #expect(membership.devices.isEmpty)
        try membership.take(mesh.root.append(.checkpoint(checkpoint)))
        #expect(membership.devices == certificates[..<2].map(\.device).sorted())
        #expect(membership.heads.contains(CoveredRow(log: field.log, sequence: 2, id: entries[1].id)))
    }

    @Test("Of AuthorityAdds with one serial the certificate with the smaller hash counts, whichever stands first")
    func oneSerial() throws {
        let key = SigningPrivateKey(from: mesh.random)
        let same = try (0..<2).map { _ in try mesh.authority(keys: [key], by: mesh.root, serial: 3) }
        let best = try #require(same.min { $0.hash < $1.hash })
        let (older, newer) = (
            try mesh.authority(keys: [key], by: mesh.root, serial: 2),
            try mesh.authority(keys: [key], by: mesh.root, serial: 4)
        )
        for order in [same, same.reversed()] {
            var root = mesh.root
            var membership = try mesh.membership()
            for certificate in order + [older] { try membership.take(root.append(.authorityAdd(certificate))) }
            #expect(membership.authority(best.authority) == best)
            try membership.take(root.append(.authorityAdd(newer)))
            #expect(membership.authority(best.authority) == newer)
        }
    }

    @Test("33: a parent's Checkpoint counts though it was met before the entry that added the log below")
    func earlyCheckpoint() throws {
        var mesh = mesh
        let random = mesh.random
        var (addSpy, spy) = try mesh.add(keys: [SigningPrivateKey(from: random)], below: &mesh.root)
        var (add, regional) = try mesh.add(keys: [SigningPrivateKey(from: random)], below: &mesh.root)
        func group() -> LogPayload { .groupDefinition(GroupDefinition(group: .random(from: random), name: "team")) }
        var other = regional
        let left = try (0..<3).map { _ in try other.append(group()) }
        let (addField, writer) = try mesh.add(keys: [SigningPrivateKey(from: random)], below: &regional) {
            $0.depthLeft = 0
        }
        var field = writer
        let certificate = try mesh.certificate(mesh.device(), by: field)
        let late = try field.draft(group(), time: field.time.adding(50))
        let issued = try field.append(.certIssue([certificate]))
        let checkpoint = try regional.append(
            .checkpoint(
                Checkpoint(
                    children: [CoveredRow(log: field.log, sequence: 1, id: issued.id)], merkleRoot: Octets32(),
                    count: 1)))
        // Another authority has named that log before, on a branch of its own, as often as anybody is heard.
        let calm = try spy.draft(group())
        let lies = try (0..<Membership.Bounds.earlyHeadsOfLog).map { _ in
            let row = CoveredRow(log: field.log, sequence: 1, id: .random(from: random))
            return try spy.append(.checkpoint(Checkpoint(children: [row], merkleRoot: Octets32(), count: 1)))
        }
        let new = SigningPrivateKey(from: random)
        mesh.root.keys += [new]
        let choice = try mesh.root.append(
            .authorityRotate(
                AuthorityRotation(
                    authority: regional.log, keyset: TestMesh.keyset([new], 1), nextCommit: .random(from: random),
                    branch: checkpoint.id)))
        for order in [[addField, checkpoint], [checkpoint, addField]] {
            var membership = try mesh.membership()
            for entry in [addSpy, add, calm] + lies + left + order + [issued, late, choice] {
                try membership.take(entry)
            }
            #expect(membership.entryIDs(of: regional.log) == [addField, checkpoint].map(\.id))
            #expect(membership.isFrozen(field.log) && membership.devices == [certificate.device])
        }
    }

    @Test("Of heads whose logs are unknown yet so many are kept, and the entries that name more are taken all the same")
    func earlyHeads() throws {
        var mesh = mesh
        var (add, regional) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        func group() -> LogPayload {
            .groupDefinition(GroupDefinition(group: .random(from: mesh.random), name: "team"))
        }
        var other = regional
        let path = try (0..<2).map { _ in try other.append(group()) }
        var membership = try mesh.membership()
        try membership.take(add, path[0], path[1])
        let unknown = LogID.random(from: mesh.random)
        func row(_ log: LogID, _ sequence: UInt64 = 1) -> CoveredRow {
            CoveredRow(log: log, sequence: sequence, id: .random(from: mesh.random))
        }
        func name(_ rows: [CoveredRow]) throws {
            try membership.take(
                regional.append(
                    .checkpoint(Checkpoint(children: rows, merkleRoot: .random(from: mesh.random), count: 1))))
        }
        for number in 1...UInt64(Membership.Bounds.earlyHeadsOfLog) + 2 { try name([row(unknown, number)]) }
        #expect(membership.earlyHeads.count == Membership.Bounds.earlyHeadsOfLog)
        for _ in 0..<Membership.Bounds.earlyHeads / 200 + 1 {
            try name((0..<200).map { _ in row(.random(from: mesh.random)) }.sorted { $0.log < $1.log })
        }
        #expect(membership.earlyHeads.count == Membership.Bounds.earlyHeads)
        var early = membership.earlyHeads
        // Of this log the newest were named before the others.
        #expect(early.take(unknown).isEmpty)
    }

    @Test("Of early heads each author's newest stay, in whatever order they come, and nobody takes another's places")
    func newestEarlyHeads() throws {
        let random = mesh.random
        let (parent, stranger, child) = (
            LogID.random(from: random), LogID.random(from: random), LogID.random(from: random)
        )
        func checkpoint(_ author: LogID, _ sequence: UInt64, _ logs: [LogID]) -> [PlacedHead] {
            let place = EntryPlace(log: author, sequence: sequence, entry: .random(from: random))
            return logs.map { log in
                PlacedHead(place: place, row: CoveredRow(log: log, sequence: sequence, id: .random(from: random)))
            }
        }
        let most = UInt64(Membership.Bounds.earlyHeadsOfLog)
        var said = (1...2 * most).map { checkpoint(parent, $0, [child]) }
        for sequence in 1...UInt64(Membership.Bounds.earlyHeads / 256 + 3) {
            said.append(checkpoint(stranger, sequence, [child] + (0..<255).map { _ in .random(from: random) }))
        }
        let orders = [said, said.reversed(), said.sorted { $0[0].row.sequence < $1[0].row.sequence }]
        let kept = orders.map { order in
            var early = EarlyHeads()
            for heads in order { early.add(heads) }
            #expect(early.count == Membership.Bounds.earlyHeads + Int(most))
            let taken = early.take(child)
            #expect(early.count == Membership.Bounds.earlyHeads + Int(most) - taken.count)
            return taken.map { "\($0.place.log.hex) \($0.row.sequence)" }
        }
        #expect(Set(kept).count == 1)
        let ofParent = kept[0].filter { $0.hasPrefix(parent.hex) }
        #expect(ofParent == (most + 1...2 * most).map { "\(parent.hex) \($0)" })
    }

    @Test("No gap lets a log in beyond the bound of its parent")
    func beyondTheBound() throws {
        var mesh = mesh
        var (add, regional) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var other = regional
        let group = GroupDefinition(group: .random(from: mesh.random), name: "team")
        let path = try (0..<Membership.Bounds.authoritiesBelow + 2).map { _ in
            try other.append(.groupDefinition(group))
        }
        var below: LogWriter?
        let branch = try (0..<Membership.Bounds.authoritiesBelow + 1).map { _ in
            let (entry, writer) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &regional) {
                $0.depthLeft = 0
            }
            below = writer
            return entry
        }
        var last = try #require(below)
        let own = try last.append(.groupDefinition(group))
        let gap = branch.count - 2
        var states: [Membership] = []
        for order in [branch, branch[..<gap] + [branch[gap + 1], branch[gap]]] {
            var membership = try mesh.membership()
            for entry in [add] + path + order + [own] { try membership.take(entry) }
            states.append(membership)
        }
        #expect(states[0].heads == states[1].heads)
        #expect(states[0].headsDigest == states[1].headsDigest)
        #expect(!states[1].heads.contains { $0.log == last.log })
    }

    @Test("A revoked authority grants nothing after its last good entry")
    func authorityRevoked() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let certificates = try (0..<2).map { _ in try mesh.certificate(mesh.device(), by: field) }
        let entries = try certificates.map { try field.append(.certIssue([$0])) }
        var membership = try mesh.membership()
        try membership.take(add, entries[0], entries[1])
        let revocation = AuthorityRevocation(
            authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 1)])
        try membership.take(mesh.root.append(.authorityRevoke(revocation)))
        #expect(membership.devices == [certificates[0].device])
        // Another authority cannot say so, only one above.
        var (addOther, other) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        let foul = AuthorityRevocation(authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 0)])
        try membership.take(addOther, other.append(.authorityRevoke(foul)))
        #expect(membership.devices == [certificates[0].device])
    }

    @Test("What an intake listed makes the same membership again, without verifying")
    func restore() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var entries = [mesh.first, add]
        entries += try (0..<3).map { _ in try field.append(issue(mesh, by: field)) }
        entries.append(try LogWriter.fork(of: field, issue(mesh, by: field)))
        var membership = Membership(genesis: mesh.genesis)
        var kept: [LogEntry] = []
        for entry in [entries[0], entries[3], entries[1], entries[4], entries[2], entries[5]] {
            if case .accepted(let intake) = try membership.accept(entry.signed) { kept += intake.entries }
        }
        #expect(kept.count == entries.count)
        var restored = Membership(genesis: mesh.genesis)
        for entry in kept { _ = try restored.restore(entry.signed) }
        #expect(restored.heads == membership.heads)
        #expect(restored.devices == membership.devices)
        #expect(restored.forks == membership.forks)
    }
}

extension LogWriter {
    /// Another entry in the place of the newest.
    static func fork(of writer: LogWriter, _ payload: LogPayload) throws -> LogEntry {
        try LogEntry.make(
            log: writer.log, sequence: writer.sequence, previous: writer.previous, time: writer.time, payload: payload,
            mesh: writer.mesh, keys: writer.keys)
    }
}
