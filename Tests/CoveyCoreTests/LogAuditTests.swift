import CoveyCore
import CoveyCrypto
import Testing

@Suite("Auditing a whole log offline")
struct LogAuditTests {
    private func audit(_ story: AuthorityStory, _ objects: [Signed], at now: Minute? = nil) -> LogAudit {
        LogAudit(of: story.founding.genesis, objects, now: now ?? story.now)
    }

    /// A mesh with four devices, one of them revoked and confirmed, an epoch and a checkpoint.
    private func story(seed: UInt64) throws -> (AuthorityStory, [Signed]) {
        var story = try AuthorityStory(seed: seed)
        let devices = try (0..<4).map { try story.enrol("device \($0)").pending.identity.id }
        try story.revoke(devices[1], .lost)
        try story.announce()
        story.entries.append(
            try story.authority.decide(
                [NoteVerdict(note: story.notes[0].hash, decision: .confirmed)], into: &story.membership,
                now: story.now))
        story.entries.append(
            try Authority(story.founding.root).checkpoint(into: &story.membership, now: story.now))
        return (story, story.entries.map(\.signed) + story.notes.map(\.signed))
    }

    @Test("A sound log has no finding, in whatever order, and every signature of it was counted")
    func sound() throws {
        let (story, objects) = try story(seed: 1)
        let audit = audit(story, objects)
        #expect(audit.findings == [])
        #expect(audit.entries == 9)
        #expect(audit.notes == 1)
        // Nine entries, one authority, four devices, one note.
        #expect(audit.signatures == 15)
        #expect(audit.headsDigest == story.membership.headsDigest)
        #expect(audit.chains.count == 2)
        #expect(audit.chains.first { $0.certificate != nil }?.live == 3)
        #expect(audit.revoked.map(\.label) == ["device 1"])
        #expect(audit.revoked.first?.revocation.reason == .lost)
        let backwards = self.audit(story, objects.reversed() + objects)
        #expect(backwards.isSound)
        #expect(backwards.headsDigest == audit.headsDigest)
        #expect(self.audit(story, objects, at: story.now.adding(91 * 1440)).expired.count == 3)
    }

    @Test("A log of a thousand entries backwards is a log, though nodes hold 256 behind a gap")
    func long() throws {
        var story = try AuthorityStory(seed: 2)
        let device = try story.enrol("ana").pending.identity.id
        for _ in 0..<600 {
            story.entries.append(
                try story.authority.renew(device, Grant(), into: &story.membership, now: story.now))
        }
        let audit = audit(story, story.entries.map(\.signed).reversed())
        #expect(audit.isSound)
        #expect(audit.headsDigest == story.membership.headsDigest)
    }

    @Test("32: a missing entry is a gap with its numbers, and a log that nobody added is named")
    func gap() throws {
        let (story, objects) = try story(seed: 3)
        let field = story.founding.field.authority
        let gap = audit(story, Array(objects[..<3] + objects[4...]))
        #expect(gap.findings.contains { $0.fault == .gap(field, from: 2, upTo: 2) && $0.position == 4 })
        let stray = audit(story, Array(objects[..<1] + objects[2...6]))
        #expect(stray.findings.contains { $0.fault == .unknownAuthority(field) })
    }

    @Test("A flipped bit, a stranger's signature, another mesh's entry: each is found where it stands")
    func damage() throws {
        let (story, objects) = try story(seed: 4)
        var bytes = objects[4].bytes
        bytes[bytes.count - 1] ^= 1
        let field = story.founding.field.authority
        let flipped = audit(story, objects[..<4] + [try Signed(parsing: bytes)])
        #expect(flipped.findings.map(\.fault) == [.entry(field, sequence: 3, .signatures)])
        #expect(flipped.findings.first?.position == 5)
        let (other, theirs) = try self.story(seed: 5)
        let foreign = audit(story, objects + [theirs[3], other.founding.genesis.signed])
        #expect(foreign.findings.count == 2)
        #expect(foreign.findings.last?.fault == .malformed(.wrongType))
    }

    @Test("33: a fork is named with both entries, and what its branches granted is void, with the reason")
    func fork() throws {
        let (story, objects) = try story(seed: 6)
        let field = story.founding.field.authority
        let fork = try LogEntry.make(
            log: field, sequence: 2, previous: story.entries[2].id, time: story.now,
            payload: .epochAnnounce(
                EpochAnnouncement(
                    number: 1, commit: .random(from: story.random),
                    rows: [CoveredRow(log: field, sequence: 1, id: story.entries[2].id)], notes: [],
                    validFrom: story.now, graceDays: 30)),
            mesh: story.founding.mesh, keys: story.founding.field.current.keys)
        let audit = audit(story, objects + [fork.signed])
        let proof = audit.findings.compactMap { finding -> (ForkProof, UInt64?)? in
            if case .fork(let proof, let frozen) = finding.fault { (proof, frozen) } else { nil }
        }
        #expect(proof.map(\.0.log) == [field])
        #expect(proof.map(\.0.sequence) == [2])
        #expect(proof.first?.0.entries == [story.entries[3].id, fork.id])
        // The root had checkpointed the head of the first branch, so all of that stays.
        #expect(proof.map(\.1) == [6])
        let bare = self.audit(story, objects.filter { $0 != story.entries[8].signed } + [fork.signed])
        let void = bare.findings.filter { finding in
            if case .void(_, _, _, .afterLimit) = finding.fault { true } else { false }
        }
        #expect(void.count == 3)
        #expect(!audit.isSound && bare.faults == bare.findings)

        // Once somebody has decided, it is said, and nothing of it is wrong any more: nor what was dropped.
        func decided(_ last: EntryID) throws -> LogAudit {
            var membership = story.founding.membership()
            for entry in story.entries[..<8] { _ = try membership.accept(entry.signed) }
            _ = try membership.accept(fork.signed)
            let choice = try ColdRecovery(mesh: story.founding.mesh, keys: story.founding.recovery).recover(
                field, branch: last, new: nil, into: &membership, now: story.now)
            return self.audit(
                story, story.entries[..<8].map(\.signed) + story.notes.map(\.signed) + [fork.signed, choice.signed])
        }
        let first = try decided(story.entries[7].id)
        #expect(first.isSound)
        #expect(
            first.findings.contains { finding in
                if case .fork(let proof, nil) = finding.fault { proof.log == field && finding.isSettled } else { false }
            })
        let dropped = try decided(fork.id).findings.filter { finding in
            if case .void(_, _, _, .afterLimit) = finding.fault { finding.isSettled } else { false }
        }
        #expect(dropped.count == 3)
    }

    @Test("What an authority granted behind the end set to it is decided, with what those granted whom it added there")
    func dismissed() throws {
        var story = try AuthorityStory(seed: 10)
        let (root, now) = (Authority(story.founding.root), story.now)
        func appoint(_ label: String, by parent: Authority, depth: UInt8) throws -> Authority {
            let (keys, asked) = try DelegationTests.asks(label, story.founding, story.random)
            let mandate = Mandate(mostDevices: 9, depth: depth, days: 400)
            let content = try parent.certificate(for: asked, mandate, story.membership, now: now)
            story.entries.append(try parent.add(content, into: &story.membership, now: now))
            return Authority(keys)
        }
        func enrol(_ label: String, at desk: Authority) throws {
            let open = OpenInvitation(
                mesh: story.founding.mesh, authority: desk.keys.authority, label: label, now: now,
                expires: now.adding(1440), random: story.random)
            let pending = try PendingEnrolment(
                accepting: open.invitation, buildHash: Octets32(), random: story.random)
            story.entries.append(
                try desk.issue(
                    open.verify(pending.request, now: now), Grant(), into: &story.membership, now: now,
                    random: story.random))
        }
        let north = try appoint("north", by: root, depth: 1)
        try enrol("ana", at: north)
        let team = try appoint("team", by: north, depth: 0)
        try enrol("ben", at: team)
        let objects = story.entries.map(\.signed)
        #expect(audit(story, objects).findings == [])

        let word = AuthorityRevocation(
            authority: north.keys.authority, reason: 3,
            lastGood: [
                .init(log: north.keys.authority, sequence: 1), .init(log: team.keys.authority, sequence: 1),
            ].sorted { $0.log < $1.log })
        let revoke = try root.act(.authorityRevoke(word), into: &story.membership, now: now.adding(7))
        let audit = audit(story, objects + [revoke.signed])
        #expect(audit.isSound && !audit.findings.isEmpty)
        let own = try #require(story.membership.dismissal(of: north.keys.authority))
        let below = try #require(story.membership.dismissal(of: team.keys.authority))
        #expect(audit.dismissed == [own])
        #expect(own.label == "north" && own.by == root.keys.authority && own.time == now.adding(7) && own.upTo == 1)
        #expect(below.label == "north" && below.upTo == 1)
        let void = audit.findings.compactMap { finding -> String? in
            guard finding.decision == .dismissal(own), case .void(_, _, let holder, _) = finding.fault else {
                return nil
            }
            return holder.label
        }
        #expect(void == ["team", "ben"])
        #expect(story.membership.dismissal(of: story.founding.field.authority) == nil)
        // Who comes and claims to be renewed gets nothing, and nobody is told to renew it.
        #expect(throws: AuthorityRefusal.dismissed) {
            try root.certificate(renewing: north.keys.authority, days: 365, story.membership, now: now)
        }
        let soon = story.membership.expiringAuthorities(within: 400, now: now.adding(100 * 1440))
        #expect(soon.map(\.label).allSatisfy { !["north", "team"].contains($0) })
    }

    @Test("A certificate that only its entry signs is found, which a node would find on first use only")
    func unsigned() throws {
        var story = try AuthorityStory(seed: 7)
        _ = try story.enrol("ana")
        let (pending, request) = try story.asks("ben")
        let content = DeviceCertificate.Content(
            serial: 2, issuer: story.founding.field.authority, signing: request.request.signing,
            link: request.request.link, message: request.request.message,
            subject: .random(from: story.random), notBefore: story.now, notAfter: story.now.adding(1440),
            capabilities: Grant.member, label: "ben")
        let stranger = SigningPrivateKey(from: story.random)
        let certificate = try DeviceCertificate.make(content, mesh: story.founding.mesh, keys: [stranger])
        let entry = try LogEntry.make(
            log: story.founding.field.authority, sequence: 2, previous: story.entries[2].id, time: story.now,
            payload: .certIssue([certificate]), mesh: story.founding.mesh, keys: story.founding.field.current.keys)
        _ = try story.membership.accept(entry.signed)
        #expect(story.membership.isMember(pending.identity.id, at: story.time))
        let audit = audit(story, story.entries.map(\.signed) + [entry.signed])
        #expect(
            audit.findings.map(\.fault) == [
                .certificateSignatures(story.founding.field.authority, sequence: 2, certificate.hash)
            ])
        #expect(audit.findings.first?.position == 4)
    }

    @Test("A note of a device in no entry, a wrong checkpoint, an entry from the future")
    func others() throws {
        let (story, objects) = try story(seed: 8)
        let root = story.founding.root
        let heads = story.membership.heads
        let head = try #require(heads.first { $0.log == root.authority })
        let later = story.now.adding(30 * 1440)
        let wrong = try LogEntry.make(
            log: root.authority, sequence: head.sequence + 1, previous: head.id, time: later,
            payload: .checkpoint(
                Checkpoint(
                    children: heads.filter { $0.log != root.authority },
                    merkleRoot: .random(from: story.random), count: 3)),
            mesh: story.founding.mesh, keys: root.current.keys)
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: .random(from: story.random), reason: .lost, suspectSince: story.now, issued: story.now,
                authority: story.founding.field.authority),
            mesh: story.founding.mesh, keys: story.founding.field.current.keys)
        let faults = audit(story, objects + [wrong.signed, note.signed]).findings.map(\.fault)
        #expect(faults.count == 3)
        #expect(faults.contains(.unknownNote(note.hash)))
        #expect(faults.contains(.time(root.authority, sequence: wrong.sequence, later)))
        #expect(
            faults.contains { fault in
                if case .checkpoint(root.authority, wrong.sequence, .some) = fault { true } else { false }
            })
    }

    @Test("What members ask and what devices say to orders is audited too, in whatever order it stands in the file")
    func besideTheLog() throws {
        var story = try AuthorityStory(seed: 9)
        let (ana, _) = try story.enrol("ana")
        let (ben, _) = try story.enrol("ben")
        let (van, _) = try story.enrol("van")
        let mesh = story.founding.mesh
        func asks(_ device: DeviceID, _ key: SigningPrivateKey) -> Suspend {
            Suspend.make(
                of: device, reason: .lost, issued: story.now, until: story.now.adding(1440), mesh: mesh, key: key)
        }
        let suspend = asks(ben.identity.id, ana.identity.signing)
        let orders = (0..<2).map { number in
            RevokeNote.make(
                RevokeNote.Content(
                    device: van.identity.id, reason: .lost, suspectSince: story.now,
                    issued: story.now.adding(Int64(number)), authority: story.founding.field.authority,
                    wipe: WipeOrder(
                        mode: .erase, order: .random(from: story.random), serial: 3, expires: story.now.adding(1440))),
                mesh: mesh, keys: story.founding.field.current.keys)
        }
        let order = try #require(orders[0].content.wipe)
        func says(_ key: SigningPrivateKey) -> WipeReceipt {
            WipeReceipt.make(
                of: order, in: orders[0].hash, by: van.identity.id, done: story.now.adding(5), mesh: mesh, key: key)
        }
        let receipt = says(van.identity.signing)
        let objects = story.entries.map(\.signed) + orders.map(\.signed) + [suspend.signed, receipt.signed]
        let bare = audit(story, Array(objects.dropLast(2)))
        for given in [objects, objects.reversed(), objects + objects] {
            let audit = audit(story, given)
            #expect(audit.findings == [])
            #expect(audit.suspends.map(\.label) == ["ben"])
            #expect(audit.suspends.map(\.signerLabel) == ["ana"])
            #expect(audit.suspends.map(\.isLifted) == [false])
            #expect(audit.orders.map(\.label) == ["van", "van"])
            #expect(audit.orders.map(\.done) == [story.now.adding(5), nil])
            #expect(audit.signatures == bare.signatures + 2)
        }
        let wrong = [
            asks(ben.identity.id, ben.identity.signing).signed,
            asks(.random(from: story.random), ana.identity.signing).signed, says(ana.identity.signing).signed,
        ]
        let found = audit(story, objects.dropLast() + wrong)
        #expect(found.findings.map(\.position) == [objects.count, objects.count + 1, objects.count + 2])
        #expect(
            found.findings.map(\.fault) == [
                .suspend(try Suspend(parsing: wrong[0]).hash, .ownDevice),
                .suspend(try Suspend(parsing: wrong[1]).hash, nil),
                .receipt(orders[0].hash, of: van.identity.id),
            ])
        #expect(found.orders.map(\.done) == [nil, nil])
    }
}
