import CoveyCore
import CoveyCrypto
import Testing

/// An authority whose keys are shared among officers, each with a desk of their own.
struct Officers {
    struct Desk {
        let authority: Authority
        var membership: Membership
        var record = SigningRecord()
    }

    let random: SeededRandom
    let founding: Founding
    var desks: [Desk]
    let now = Minute(29_000_000)

    init(seed: UInt64, _ shape: KeysetShape, ofRoot: Bool = false) throws {
        random = SeededRandom(seed: seed, stream: "officers")
        founding = try Founding.found(
            name: "Island", profile: .standard, root: ofRoot ? shape : .single, field: ofRoot ? .single : shape,
            random: random, now: now)
        let keys = ofRoot ? founding.root : founding.field
        let membership = founding.membership()
        desks = (1...shape.count).map { Desk(authority: Authority(keys.part($0)), membership: membership) }
    }

    func asks(_ label: String, supersedes: DeviceID? = nil) throws -> VerifiedRequest {
        try founding.asks(label, supersedes: supersedes, now: now, random: random).1
    }

    func draftIssue(_ label: String, _ grant: Grant = Grant(), at desk: Int = 0) throws -> Draft {
        try desks[desk].authority.draftIssue(
            asks(label), grant, on: desks[desk].membership, now: now, random: random)
    }

    func draftEpoch(at desk: Int = 0) throws -> Draft {
        try desks[desk].authority.draftEpoch(EpochKey(from: random), on: desks[desk].membership, now: now)
    }

    /// Signs at a desk, from the bytes as they travel.
    mutating func sign(_ draft: Draft, at desk: Int) throws -> Draft {
        let file = try CoveyFile(parsing: draft.file(basis: []).bytes)
        let travelled = try Draft.read(file, of: founding.mesh).draft
        #expect(travelled.bytes == draft.bytes)
        return try desks[desk].authority.cosign(
            travelled, on: desks[desk].membership, record: &desks[desk].record, now: now)
    }

    func progress(_ draft: Draft) throws -> DraftProgress {
        try draft.progress(among: desks[0].authority.keys.current.keyset)
    }

    /// Sends a draft round from desk to desk until it is complete; gives the number of visits.
    mutating func goRound(_ draft: inout Draft) throws -> Int {
        var visits = 0
        while try !progress(draft).isComplete {
            let next = try visits == 0 ? 1 : #require(progress(draft).others.first)
            draft = try sign(draft, at: next - 1)
            visits += 1
        }
        return visits
    }

    /// Every desk takes what is finished.
    @discardableResult
    mutating func finish(_ draft: Draft) throws -> FinishedDraft {
        var finished: FinishedDraft?
        for desk in desks.indices {
            finished = try desks[desk].authority.finish(draft, into: &desks[desk].membership)
            desks[desk].record.prune(by: desks[desk].membership)
        }
        return try #require(finished)
    }

    func refusal(_ draft: Draft, at desk: Int) -> DraftRefusal? {
        var copy = self
        do {
            _ = try copy.desks[desk].authority.cosign(
                draft, on: desks[desk].membership, record: &copy.desks[desk].record, now: now)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("Drafts")
struct DraftTests {
    @Test("an entry with certificates takes 2m - 1 visits in two passes, others take m in one; every node accepts it")
    func visits() throws {
        for (seed, (m, n)) in [(1, 1), (2, 2), (2, 3), (3, 5), (4, 7), (7, 7)].enumerated() {
            var officers = try Officers(seed: UInt64(seed), KeysetShape(m, of: n))
            var issue = try officers.draftIssue("ana")
            #expect(try officers.goRound(&issue) == 2 * m - 1)
            guard case .entry(let entry) = try officers.finish(issue), case .certIssue(let issued) = entry.payload
            else {
                Issue.record("a device was to be enrolled")
                return
            }
            #expect(issued[0].signed.attestations.count == m)
            #expect(entry.signed.attestations.count == m)
            var epoch = try officers.draftEpoch(at: n - 1)
            #expect(try officers.goRound(&epoch) == m)
            guard case .entry(let announcement) = try officers.finish(epoch) else {
                Issue.record("an epoch was to be announced")
                return
            }
            var stranger = officers.founding.membership()
            for signed in [entry.signed, announcement.signed] {
                guard case .accepted(let intake) = try stranger.accept(signed) else {
                    Issue.record("every node takes it")
                    return
                }
                #expect(!intake.changes.contains { if case .void = $0 { true } else { false } })
            }
            #expect(stranger.epoch(announcement.id)?.number == 1)
        }
    }

    @Test("An object that somebody else filled with signatures takes no other one, and nothing stops for it")
    func fullOfSignatures() throws {
        let random = SeededRandom(seed: 12)
        let keys = (0...Signed.mostSignatures).map { _ in SigningPrivateKey(from: random) }
        let mesh = MeshID()
        let full = Signed([1, 2, 3], type: .object(.revokeNote), mesh: mesh, keys: Array(keys.dropLast()))
        #expect(throws: Malformed.signatures) {
            try full.adding([keys[Signed.mostSignatures]], type: .object(.revokeNote), mesh: mesh)
        }
        #expect(try full.adding([keys[0]], type: .object(.revokeNote), mesh: mesh) == full)
    }

    @Test("progress names the pass, who signed and who may yet")
    func progress() throws {
        var officers = try Officers(seed: 10, KeysetShape(2, of: 3))
        var draft = try officers.draftIssue("ana", at: 1)
        #expect(
            try officers.progress(draft)
                == DraftProgress(pass: .certificates, passes: 2, signed: [], others: [1, 2, 3], missing: 2))
        draft = try officers.sign(draft, at: 1)
        #expect(
            try officers.progress(draft)
                == DraftProgress(pass: .certificates, passes: 2, signed: [2], others: [1, 3], missing: 1))
        #expect(throws: DraftRefusal.signedAlready) { try officers.sign(draft, at: 1) }
        draft = try officers.sign(draft, at: 2)
        let second = try officers.progress(draft)
        #expect(second == DraftProgress(pass: .entry, passes: 2, signed: [3], others: [1, 2], missing: 1))
        #expect(second.passNumber == 2)
        draft = try officers.sign(draft, at: 0)
        #expect(try officers.progress(draft).isComplete)
        try officers.finish(draft)
        #expect(throws: DraftRefusal.done) { try officers.sign(draft, at: 1) }
    }

    @Test("with fewer keys than must sign nothing is signed alone, and the refusal counts them")
    func alone() throws {
        var officers = try Officers(seed: 11, KeysetShape(2, of: 3))
        let request = try officers.asks("ana")
        let desk = officers.desks[0]
        #expect(!desk.authority.signsAlone())
        #expect(throws: AuthorityRefusal.keys(here: 1, needed: 2)) {
            try desk.authority.issue(
                request, into: &officers.desks[0].membership, now: officers.now, random: officers.random)
        }
        #expect(throws: AuthorityRefusal.keys(here: 1, needed: 2)) {
            try desk.authority.announceEpoch(
                EpochKey(from: officers.random), into: &officers.desks[0].membership, now: officers.now)
        }
    }

    @Test("two officers who draft at the same place do not sign each other's act")
    func parallel() throws {
        var officers = try Officers(seed: 12, KeysetShape(2, of: 2))
        let first = try officers.sign(officers.draftEpoch(at: 0), at: 0)
        let second = try officers.sign(officers.draftEpoch(at: 1), at: 1)
        let when = officers.now
        #expect(officers.refusal(first, at: 1) == .signedOther(place: 1, when: when))
        #expect(officers.refusal(second, at: 0) == .signedOther(place: 1, when: when))
        // The desk remembers across restarts, whatever became of the file.
        let kept = officers.desks[1].record.bytes
        officers.desks[1].record = try SigningRecord(parsing: kept)
        #expect(officers.refusal(first, at: 1) == .signedOther(place: 1, when: when))
        // One gives way: its draft is destroyed everywhere, and only then withdrawn.
        let line = try #require(officers.desks[1].record.open(in: officers.founding.field.authority))
        officers.desks[1].record.withdraw(line.entry)
        var draft = first
        #expect(
            try {
                draft = try officers.sign(draft, at: 1); return try officers.progress(draft).isComplete
            }())
        try officers.finish(draft)
        #expect(officers.desks[1].record.lines.isEmpty, "what the log has passed is forgotten")
        #expect(officers.refusal(second, at: 0) == .movedOn(place: 1))
    }

    @Test("whatever officers draft, copy, mix up and lose: a majority keyset never finishes two acts for one place")
    func neverTwice() throws {
        for seed in 0..<12 {
            let shape = [(2, 2), (2, 3), (3, 4), (3, 5)][seed % 4]
            var officers = try Officers(seed: UInt64(100 + seed), KeysetShape(shape.0, of: shape.1))
            #expect(KeysetShape(shape.0, of: shape.1).isMajority)
            let random = SeededRandom(seed: UInt64(seed), stream: "mixing")
            var copies: [Draft] = []
            var finished: [EntryID] = []
            for step in 0..<60 {
                let desk = random.uniform(0...shape.1 - 1)
                if copies.isEmpty || random.uniform(4) == 0 {
                    copies.append(
                        try random.uniform(2) == 0
                            ? officers.draftEpoch(at: desk) : officers.draftIssue("device \(step)", at: desk))
                    continue
                }
                let copy = copies[random.uniform(0...copies.count - 1)]
                guard let signed = try? officers.sign(copy, at: desk) else { continue }
                copies.append(signed)
                if try officers.progress(signed).isComplete {
                    var membership = officers.desks[desk].membership
                    guard case .entry(let entry) = try officers.desks[desk].authority.finish(signed, into: &membership)
                    else { continue }
                    if !finished.contains(entry.id) { finished.append(entry.id) }
                }
            }
            #expect(finished.count <= 1, "seed \(seed)")
        }
    }

    @Test("a draft for a place that is taken, not reached, or of another history is not signed, and each is said")
    func places() throws {
        var officers = try Officers(seed: 13, KeysetShape(2, of: 3))
        let early = try officers.sign(officers.draftIssue("ana"), at: 0)
        var epoch = try officers.draftEpoch(at: 1)
        _ = try officers.goRound(&epoch)
        let behind = officers.desks[2].membership
        try officers.finish(epoch)
        #expect(officers.refusal(early, at: 1) == .movedOn(place: 1))
        let next = try officers.sign(officers.draftIssue("ben"), at: 0)
        officers.desks[2].membership = behind
        #expect(officers.refusal(next, at: 2) == .behind(place: 2, here: 0))
        // Another first entry, as a stolen key might have made it.
        var other = try Officers(seed: 13, KeysetShape(2, of: 3))
        var otherEpoch = try other.draftEpoch(at: 1)
        for desk in other.desks.indices {
            other.desks[desk].record = SigningRecord()
        }
        otherEpoch = try other.desks[0].authority.draft(
            .groupDefinition(GroupDefinition(group: Octets16(), name: "other")), on: other.desks[0].membership,
            now: other.now)
        _ = try other.goRound(&otherEpoch)
        try other.finish(otherEpoch)
        officers.desks[2].membership = other.desks[2].membership
        #expect(officers.refusal(next, at: 2) == .otherHistory(place: 2))
    }

    @Test("9, 10, 11: a signer twice, a stranger under a right hint, and unsorted signatures make a draft void")
    func signatures() throws {
        var officers = try Officers(seed: 14, KeysetShape(2, of: 3))
        let draft = try officers.sign(officers.draftEpoch(), at: 0)
        let bytes = draft.bytes
        let attestation = Array(bytes.suffix(73))
        // Field 07 grows from one signature to two.
        func with(_ attestations: [[UInt8]]) -> [UInt8] {
            let length = UInt16(73 * attestations.count)
            return Array(bytes.dropLast(75)) + [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
                + attestations.flatMap { $0 }
        }
        #expect(with([attestation]) == bytes)
        #expect(throws: Malformed.signatures) {
            try Draft(parsing: with([attestation, attestation]), mesh: officers.founding.mesh)
        }
        let pair = try officers.sign(draft, at: 1)
        let sorted = [Array(pair.bytes.suffix(146).prefix(73)), Array(pair.bytes.suffix(73))]
        #expect(with(sorted) == pair.bytes)
        #expect(throws: Malformed.signatures) {
            try Draft(parsing: with(sorted.reversed()), mesh: officers.founding.mesh)
        }
        var forged = attestation
        forged[72] ^= 1
        let stranger = try Draft(parsing: with([forged]), mesh: officers.founding.mesh)
        #expect(officers.refusal(stranger, at: 1) == .signatures)
    }

    @Test("27, 28, 30: a draft that would grant more than its authority may is not made into a signature")
    func limits() throws {
        let officers = try Officers(seed: 15, KeysetShape(2, of: 3))
        for (grant, fault) in [(Grant(days: 401), CertificateFault.validity)] {
            #expect(officers.refusal(try officers.draftIssue("ana", grant), at: 0) == .fault(fault))
        }
        let single = try Officers(seed: 16, .single)
        #expect(throws: AuthorityRefusal.void(.privilege)) {
            try single.draftIssue("officer", Grant(capabilities: [.link, .announce]))
        }
    }

    @Test("30: what needs two signatures gets two keys, whatever the threshold is")
    func privileged() throws {
        var officers = try Officers(seed: 17, KeysetShape(1, of: 2))
        #expect(officers.desks[0].authority.signsAlone())
        #expect(!officers.desks[0].authority.signsAlone(granting: .announce))
        for privilege in [Capabilities.announce, .wipeOfficer, .timekeeper] {
            var draft = try officers.draftIssue("officer", Grant(capabilities: [.link, privilege]))
            draft = try officers.sign(draft, at: 0)
            #expect(try officers.progress(draft).missing == 1)
            draft = try officers.sign(draft, at: 1)
            #expect(try officers.progress(draft).isComplete, "the certificate has two signatures, the entry needs one")
            guard case .entry(let entry) = try officers.finish(draft), case .certIssue(let issued) = entry.payload
            else {
                Issue.record("a device was to be enrolled")
                return
            }
            #expect(issued[0].signed.attestations.count == 2)
            #expect(
                officers.desks[1].membership.currentCertificate(issued[0].device)?.capabilities == [.link, privilege])
        }
    }

    @Test("a certificate without the request of its device, or with the request of another, is not signed")
    func requests() throws {
        let officers = try Officers(seed: 18, KeysetShape(2, of: 2))
        let draft = try officers.draftIssue("ana")
        guard case .entry(.issue(let certificates, let requests), let place, _) = draft.content else {
            Issue.record("a device was to be enrolled")
            return
        }
        #expect(requests.count == 1)
        let other = try officers.asks("ben").request
        for wrong in [[], [other], [requests[0], other]] {
            var writer = CanonicalWriter(.draft)
            writer.field(0x01, draft.authority)
            writer.field(0x02, u8: 6)
            var bytes: [UInt8] = []
            bytes.append(u64: place.sequence)
            bytes.append(place.previous)
            bytes.append(u32: place.time.value)
            writer.field(0x03, bytes: bytes)
            writer.field(0x05, list: certificates.map(\.signed.bytes))
            writer.field(0x08, list: wrong.map(\.signed.bytes))
            let changed = try Draft(parsing: writer.bytes, mesh: draft.mesh)
            #expect(officers.refusal(changed, at: 0) == .request)
        }
    }

    @Test("a whole authority's revocation is one note; one officer alone revokes at once, counted from 1")
    func revocation() throws {
        var officers = try Officers(seed: 19, KeysetShape(2, of: 3))
        var devices: [DeviceID] = []
        for name in ["ana", "ben", "cy"] {
            var draft = try officers.draftIssue(name)
            _ = try officers.goRound(&draft)
            guard case .entry(let entry) = try officers.finish(draft), case .certIssue(let issued) = entry.payload
            else {
                continue
            }
            devices.append(issued[0].device)
        }
        try #require(devices.count == 3)
        var draft = try officers.desks[0].authority.draftRevocation(
            devices[0], reason: .lost, suspectSince: officers.now, on: officers.desks[0].membership,
            now: officers.now)
        #expect(try officers.goRound(&draft) == 2)
        guard case .note(let note) = try officers.finish(draft) else {
            Issue.record("a note was to be signed")
            return
        }
        #expect(note.content.number == 0)
        #expect(note.signed.attestations.count == 2)
        #expect(officers.desks[2].membership.isRevoked(devices[0]))
        for (number, device) in [(UInt32(1), devices[1]), (2, devices[2])] {
            let alone = try officers.desks[1].authority.revokeAlone(
                device, reason: .lost, suspectSince: officers.now, into: &officers.desks[1].membership,
                now: officers.now)
            #expect(alone.content.number == number)
            #expect(alone.signed.attestations.count == 1)
            #expect(officers.desks[1].membership.isRevoked(device))
        }
        var single = try AuthorityStory(seed: 20)
        let device = try single.enrol("ana").pending.identity.id
        #expect(throws: AuthorityRefusal.keys(here: 1, needed: 1)) {
            try single.authority.revokeAlone(
                device, reason: .lost, suspectSince: single.now, into: &single.membership, now: single.now)
        }
    }

    @Test("an epoch that covers what an officer does not know is not signed by that officer")
    func covers() throws {
        var officers = try Officers(seed: 21, KeysetShape(2, of: 2))
        var draft = try officers.draftIssue("ana")
        _ = try officers.goRound(&draft)
        try officers.finish(draft)
        let device = try #require(officers.desks[0].membership.devices.first)
        _ = try officers.desks[0].authority.revokeAlone(
            device, reason: .lost, suspectSince: officers.now, into: &officers.desks[0].membership, now: officers.now)
        let epoch = try officers.sign(officers.draftEpoch(), at: 0)
        #expect(officers.refusal(epoch, at: 1) == .covers)
    }

    @Test("a draft comes back from its file with the log it stands on; cut or altered ones do not pass for another")
    func files() throws {
        var officers = try Officers(seed: 22, KeysetShape(2, of: 3))
        let draft = try officers.sign(officers.draftIssue("ana"), at: 0)
        let file = draft.file(basis: officers.founding.entries.map(\.signed))
        let read = try Draft.read(CoveyFile(parsing: file.bytes), of: officers.founding.mesh)
        #expect(read.draft.bytes == draft.bytes)
        #expect(read.basis == officers.founding.entries.map(\.signed))
        let other = CoveyFile(kind: .draft, mesh: MeshID(), content: file.content)
        #expect(throws: CoveyFileError.anotherMesh(MeshID())) { try Draft.read(other, of: officers.founding.mesh) }
        for size in 0..<file.content.count {
            let cut = CoveyFile(kind: .draft, mesh: file.mesh, content: Array(file.content[..<size]))
            if let read = try? Draft.read(cut, of: file.mesh) { #expect(read.basis.count < 2) }
        }
        let bytes = draft.bytes
        for bit in 0..<bytes.count * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let read = try? Draft(parsing: altered, mesh: draft.mesh) else { continue }
            #expect(officers.refusal(read, at: 1) != nil, "bit \(bit)")
        }
    }

    @Test("the record keeps one act for each place, and refuses to be read with two")
    func record() throws {
        var officers = try Officers(seed: 23, KeysetShape(2, of: 3))
        _ = try officers.sign(officers.draftEpoch(), at: 0)
        let bytes = officers.desks[0].record.bytes
        #expect(bytes.count == 61)
        #expect(try SigningRecord(parsing: bytes) == officers.desks[0].record)
        #expect(throws: Malformed.value(0)) { try SigningRecord(parsing: bytes + bytes.dropFirst()) }
        #expect(throws: Malformed.truncated) { try SigningRecord(parsing: bytes.dropLast()) }
        #expect(throws: Malformed.unknownVersion(2)) { try SigningRecord(parsing: [2] + bytes.dropFirst()) }
    }
}

@Suite("Keys of officers")
struct OfficerKeysTests {
    @Test("a part holds the whole public keyset and one private key of each; its file comes back")
    func parts() throws {
        let officers = try Officers(seed: 30, KeysetShape(2, of: 3))
        let whole = officers.founding.field
        for number in 1...3 {
            let part = whole.part(number)
            #expect(part.current.keyset == whole.current.keyset)
            #expect(part.next.keyset == whole.next.keyset)
            #expect(part.current.numbers == [number])
            #expect(part.next.numbers == [number])
            #expect(!part.current.isSufficient)
            let bytes = part.bytes
            #expect(bytes[0] == 2)
            let read = try AuthorityKeys(parsing: bytes.span.bytes)
            #expect(read.bytes == bytes)
            #expect(read.current.keys.map(\.publicKey) == [whole.current.keyset.keys[number - 1]])
            for size in 0..<bytes.count {
                #expect(throws: Malformed.truncated) {
                    try AuthorityKeys(parsing: bytes.span.bytes.extracting(first: size))
                }
            }
            let longer = bytes + [0]
            #expect(throws: Malformed.trailing) { try AuthorityKeys(parsing: longer.span.bytes) }
            // The last seed is no longer that of its public key.
            var wrong = bytes
            wrong[wrong.count - 1] ^= 1
            #expect(throws: Malformed.value(0)) { try AuthorityKeys(parsing: wrong.span.bytes) }
        }
        #expect(whole.bytes[0] == 1, "all keys at hand are written as they always were")
    }

    @Test("recovery and release keysets take shapes of their own")
    func shapes() throws {
        let founding = try Founding.found(
            name: "Island", profile: .standard, root: KeysetShape(2, of: 3), recovery: KeysetShape(3, of: 5),
            release: .single, random: SeededRandom(seed: 31), now: Minute(29_000_000))
        #expect(founding.recovery.keyset.keys.count == 5)
        #expect(founding.recovery.threshold == 3)
        #expect(founding.release.keyset.keys.count == 1)
        #expect(founding.genesis.recoveryCommit == founding.recovery.keyset.commit)
        #expect(founding.genesis.verify())
        #expect(KeysetShape(2, of: 3).isMajority)
        #expect(!KeysetShape(2, of: 4).isMajority)
    }
}

@Suite("Authorities below authorities")
struct DelegationTests {
    static let now = Minute(29_000_000)

    /// An authority that asks, with keys of its own.
    static func asks(
        _ label: String, _ founding: Founding, _ random: SeededRandom, shape: KeysetShape = .single
    ) throws -> (keys: AuthorityKeys, request: AuthorityRequest) {
        let current = SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        let keys = AuthorityKeys(
            mesh: founding.mesh, authority: current.keyset.authorityID, current: current,
            next: SigningKeyset(count: shape.count, threshold: shape.threshold, random: random))
        let request = try AuthorityRequest(parsing: AuthorityRequest.make(keys, label: label).signed.bytes)
        #expect(request.verify(in: founding.mesh))
        #expect(!request.verify(in: MeshID()))
        #expect(request.authority == keys.authority)
        return (keys, request)
    }

    @Test("cold keys that are apart decide by a draft: each signs once, and not where the log has gone another way")
    func coldKeys() throws {
        let random = SeededRandom(seed: 31, stream: "cold keys")
        let now = Minute(29_000_000)
        let founding = try Founding.found(
            name: "Island", profile: .standard, recovery: KeysetShape(2, of: 3), random: random, now: now)
        let field = Authority(founding.field)
        var membership = founding.membership()
        let last = try field.announceEpoch(EpochKey(from: random), into: &membership, now: now)
        let shape = KeysetShape(1, of: 1)
        let keyset = { SigningKeyset(count: shape.count, threshold: shape.threshold, random: random) }
        let new = AuthorityKeys(mesh: founding.mesh, authority: last.log, current: keyset(), next: keyset())
        let holders = (1...3).map { founding.recovery.part($0) }
        let cold = ColdRecovery(mesh: founding.mesh, keys: holders[2])
        #expect(throws: AuthorityRefusal.keys(here: 1, needed: 2)) {
            try cold.recover(last.log, branch: nil, new: new, into: &membership, now: now)
        }
        func travelled(_ draft: Draft) throws -> Draft {
            try Draft.read(CoveyFile(parsing: draft.file(basis: []).bytes), of: founding.mesh).draft
        }
        var draft = try cold.draft(last.log, branch: nil, new: new, on: membership, now: now)
        #expect(draft.isOfColdKeys)
        draft = try travelled(
            ColdRecovery.cosign(draft, with: holders[2].keys + new.current.keys, on: membership, now: now))
        #expect(try draft.progress(among: holders[0].keyset).missing == 1)
        #expect(throws: DraftRefusal.signedAlready) {
            try ColdRecovery.cosign(draft, with: holders[2].keys, on: membership, now: now)
        }
        #expect(throws: DraftRefusal.notOurs) {
            try ColdRecovery.cosign(draft, with: founding.root.current.keys, on: membership, now: now)
        }
        #expect(throws: DraftRefusal.time) {
            try ColdRecovery.cosign(draft, with: holders[0].keys, on: membership, now: now.adding(-10 * 1440))
        }
        #expect(throws: DraftRefusal.act(.branch)) {
            try ColdRecovery.cosign(draft, with: holders[0].keys, on: founding.membership(), now: now)
        }
        // What is not complete is no entry for anybody.
        var early = membership
        #expect(throws: AuthorityRefusal.gap) { try field.finish(draft, into: &early) }
        // The same key twice, as the file of a cold key has it, is one signature.
        draft = try travelled(
            ColdRecovery.cosign(draft, with: holders[0].keys + holders[0].keys, on: membership, now: now))
        #expect(try draft.progress(among: holders[0].keyset).isComplete)
        _ = try field.finish(draft, into: &membership)
        #expect(membership.keyset(of: last.log) == new.current.keyset)
        #expect(throws: DraftRefusal.done) {
            try ColdRecovery.cosign(draft, with: holders[1].keys, on: membership, now: now)
        }
        _ = try Authority(new).announceEpoch(EpochKey(from: random), into: &membership, now: now)
        #expect(throws: AuthorityRefusal.unknown) {
            try field.announceEpoch(EpochKey(from: random), into: &membership, now: now)
        }
    }

    @Test("a parent gives its child new keys behind the entry it names; nobody else can, and not against the cold keys")
    func replacedKeys() throws {
        let random = SeededRandom(seed: 32, stream: "replaced keys")
        let now = Minute(29_000_000)
        let founding = try Founding.found(name: "Island", profile: .standard, random: random, now: now)
        let root = Authority(founding.root)
        let field = Authority(founding.field)
        var membership = founding.membership()
        let branch = try field.announceEpoch(EpochKey(from: random), into: &membership, now: now)
        let child = branch.log
        func new() -> AuthorityKeys {
            let keys = (0..<2).map { _ in SigningKeyset(count: 1, threshold: 1, random: random) }
            return AuthorityKeys(mesh: founding.mesh, authority: child, current: keys[0], next: keys[1])
        }
        var other = membership
        _ = try field.announceEpoch(EpochKey(from: random), into: &membership, now: now)
        let rival = try field.announceEpoch(EpochKey(from: random), into: &other, now: now)
        _ = try membership.accept(rival.signed)
        #expect(membership.isFrozen(child))
        #expect(throws: AuthorityRefusal.forked) {
            try root.replaceKeys(of: child, branch: nil, by: new(), into: &membership, now: now)
        }
        #expect(throws: AuthorityRefusal.notBelow) {
            try field.replaceKeys(
                of: founding.root.authority, branch: nil, by: new(), into: &membership, now: now)
        }
        #expect(throws: AuthorityRefusal.branch) {
            try root.replaceKeys(
                of: child, branch: .random(from: random), by: new(), into: &membership, now: now)
        }
        let lost = new()
        _ = try root.replaceKeys(of: child, branch: rival.id, by: lost, into: &membership, now: now)
        #expect(!membership.isFrozen(child))
        #expect(membership.keyset(of: child) == lost.current.keyset)
        // Before the child has written with them others may take their place, in the same minute too.
        let keys = new()
        _ = try root.replaceKeys(of: child, branch: nil, by: keys, into: &membership, now: now)
        #expect(membership.keyset(of: child) == keys.current.keyset)
        #expect(membership.entryIDs(of: child) == [branch.id, rival.id])
        _ = try Authority(keys).announceEpoch(EpochKey(from: random), into: &membership, now: now)

        // What the cold keys decide, the parent cannot undo: it would choose a branch that they dropped.
        let cold = ColdRecovery(mesh: founding.mesh, keys: founding.recovery)
        _ = try cold.recover(child, branch: branch.id, new: nil, into: &membership, now: now.adding(1))
        let before = membership.headsDigest
        #expect(throws: AuthorityRefusal.decided) {
            try root.replaceKeys(of: child, branch: rival.id, by: new(), into: &membership, now: now.adding(2))
        }
        #expect(membership.headsDigest == before)
        let draft = try root.draft(
            root.replacement(of: child, branch: rival.id, by: new(), in: membership), on: membership,
            now: now.adding(2))
        #expect(throws: DraftRefusal.act(.decided)) { try root.examine(draft, on: membership, now: now.adding(2)) }
    }

    @Test("root, regional, field, device: each gives less than it has, and all that is given counts")
    func chain() throws {
        let random = SeededRandom(seed: 40, stream: "delegation")
        let founding = try Founding.found(
            name: "Island", profile: .standard, root: KeysetShape(2, of: 3), random: random, now: Self.now)
        var membership = founding.membership()
        let root = Authority(founding.root)
        let (regionalKeys, regionalAsks) = try Self.asks("north", founding, random, shape: KeysetShape(2, of: 2))
        let north = Mandate(
            grantable: [.link, .send, .carry, .groupOwn, .announce], zones: [1, 2], mostDevices: 100, mostDays: 200,
            depth: 1, days: 365)
        _ = try root.add(
            root.certificate(for: regionalAsks, north, membership, now: Self.now), into: &membership, now: Self.now)
        let regional = Authority(regionalKeys)
        let (fieldKeys, fieldAsks) = try Self.asks("team", founding, random)
        func refused(_ mandate: Mandate) -> AuthorityRefusal? {
            var trial = membership
            do {
                _ = try regional.add(
                    regional.certificate(for: fieldAsks, mandate, membership, now: Self.now), into: &trial,
                    now: Self.now)
                return nil
            } catch {
                return error
            }
        }
        #expect(refused(Mandate(grantable: [.link, .bulk], zones: [1])) == .void(.capabilities))
        #expect(refused(Mandate(grantable: [.link], zones: [3])) == .void(.zones))
        #expect(refused(Mandate(grantable: [.link], zones: [1], depth: 1)) == .void(.depth))
        #expect(refused(Mandate(grantable: [.link], zones: [1], mostDevices: 101)) == .void(.validity))
        #expect(refused(Mandate(grantable: [.link, .announce], zones: [1])) == .void(.privilege))
        _ = try regional.add(
            regional.certificate(
                for: fieldAsks, Mandate(zones: [1], mostDevices: 2, days: 9999), membership, now: Self.now),
            into: &membership, now: Self.now)
        let given = try #require(membership.authority(fieldKeys.authority)).content
        #expect(given.grantable == [.link, .send, .carry, .groupOwn], "one key cannot grant what needs two")
        #expect(given.mostDays == 200)
        #expect(given.notAfter == Self.now.adding(365 * 1440))
        let field = Authority(fieldKeys)
        func enrol(_ label: String, _ grant: Grant) throws {
            let open = OpenInvitation(
                mesh: founding.mesh, authority: fieldKeys.authority, label: label, now: Self.now,
                expires: Self.now.adding(1440), random: random)
            let pending = try PendingEnrolment(
                accepting: open.invitation, buildHash: Octets32(), random: random)
            _ = try field.issue(
                open.verify(pending.request, now: Self.now), grant, into: &membership, now: Self.now, random: random)
        }
        #expect(throws: AuthorityRefusal.void(.zones)) { try enrol("ana", Grant(zones: [2])) }
        #expect(throws: AuthorityRefusal.void(.validity)) { try enrol("ana", Grant(zones: [1], days: 201)) }
        try enrol("ana", Grant(zones: [1]))
        try enrol("ben", Grant(zones: [1]))
        #expect(throws: AuthorityRefusal.void(.quota)) { try enrol("cy", Grant(zones: [1])) }
        #expect(membership.devices.count == 2)
        #expect(throws: AuthorityRefusal.void(.depth)) {
            let (_, below) = try Self.asks("below", founding, random)
            _ = try field.add(
                field.certificate(for: below, Mandate(mostDevices: 1), membership, now: Self.now), into: &membership,
                now: Self.now)
        }
    }

    @Test(
        "an authority is renewed by its parent and no device of it loses its place; it is warned of half a year before")
    func renewal() throws {
        var story = try AuthorityStory(seed: 41)
        let device = try story.enrol("ana").pending.identity.id
        let field = story.founding.field.authority
        let end = try #require(story.membership.authority(field)).content.notAfter
        #expect(story.membership.expiringAuthorities(within: 180, now: story.now).isEmpty)
        let near = end.adding(-100 * 1440)
        let soon = story.membership.expiringAuthorities(within: 180, now: near)
        #expect(soon.map(\.holder) == [.authority(field)])
        #expect(soon.first?.days(from: near) == 100)
        #expect(soon.first?.issuer == story.founding.root.authority)
        #expect(soon.first?.days(from: end.adding(1)) == -1)
        let root = Authority(story.founding.root)
        let next = try root.certificate(renewing: field, days: 1825, story.membership, now: near)
        _ = try root.add(next, into: &story.membership, now: near)
        let renewed = try #require(story.membership.authority(field)).content
        #expect(renewed.serial == 2)
        #expect(renewed.notAfter == near.adding(1825 * 1440))
        #expect(story.membership.isMember(device, at: story.time), "what was issued before still counts")
        #expect(story.membership.expiringAuthorities(within: 180, now: near).isEmpty)
        _ = try story.enrol("ben")
        let devices = story.membership.expiringDevices(within: 30, now: story.now.adding(70 * 1440))
        #expect(devices.map(\.label).sorted() == ["ana", "ben"])
        #expect(story.membership.expiringDevices(within: 30, now: story.now).isEmpty)
    }

    @Test("40: a counted invitation enrols so many devices, each once, and keeps count in its file")
    func counted() throws {
        let story = try AuthorityStory(seed: 42)
        var open = OpenInvitation(
            mesh: story.founding.mesh, authority: story.founding.field.authority, label: "sensor", now: story.now,
            expires: story.now.adding(1440), uses: 3, random: story.random)
        let devices = (0..<4).map { _ in DeviceID.random(from: story.random) }
        #expect(open.claim(devices[0]) == 1)
        #expect(open.claim(devices[1]) == 2)
        #expect(open.claim(devices[0]) == 1)
        var read = try OpenInvitation(parsing: open.bytes.span.bytes)
        #expect(read.uses == 3)
        #expect(read.claims == Array(devices[..<2]))
        #expect(!read.isSpent)
        #expect(read.claim(devices[2]) == 3)
        #expect(read.isSpent)
        #expect(read.claim(devices[3]) == nil)
        #expect(read.claim(devices[1]) == 2)
        let bytes = read.bytes
        for size in 0..<bytes.count {
            #expect(throws: Malformed.self) {
                try OpenInvitation(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
    }
}
