import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §1.6 and §7.2, item 38.
@Suite("Members keep a lost device out for a few days, until its authority decides")
struct SuspendTests {
    private let mesh: TestMesh
    private let field: LogWriter
    private let fieldKeys: [SigningPrivateKey]
    private let membership: Membership
    /// The lost one, another of its person, and three of others.
    private let lost: TestDevice
    private let same: TestDevice
    private let others: [TestDevice]

    private static let day: Int64 = 1440

    init() throws {
        var mesh = try TestMesh()
        let random = mesh.random
        fieldKeys = [SigningPrivateKey(from: random)]
        var (add, field) = try mesh.add(keys: fieldKeys, below: &mesh.root)
        lost = mesh.device()
        same = mesh.device()
        others = (0..<3).map { _ in mesh.device() }
        let subject = lost.subject
        var certificates = try ([lost] + others).map { try mesh.certificate($0, by: field) }
        certificates.append(try mesh.certificate(same, by: field) { $0.subject = subject })
        var membership = try mesh.membership()
        try membership.take(add, field.append(.certIssue(certificates)))
        self.mesh = mesh
        self.field = field
        self.membership = membership
    }

    private func at(_ day: Double) -> TimeView {
        TimeView(now: minute(day), isTrusted: true, floor: TestMesh.start)
    }

    private func minute(_ day: Double) -> Minute { TestMesh.start.adding(Int64(day * 1440)) }

    /// From day to day, counted from the start.
    private func suspend(
        _ device: TestDevice, by signer: TestDevice, _ from: Double = 1, _ upTo: Double = 8
    ) -> Suspend {
        Suspend.make(
            of: device.id(in: mesh.mesh), reason: .lost, issued: minute(from), until: minute(upTo), mesh: mesh.mesh,
            key: signer.signing)
    }

    private func membership(with suspends: [Suspend]) throws -> Membership {
        var membership = membership
        for suspend in suspends { _ = try membership.accept(suspend: suspend.signed) }
        return membership
    }

    private func isSuspended(_ suspends: [Suspend], at day: Double = 2) throws -> Bool {
        try membership(with: suspends).isSuspended(lost.id(in: mesh.mesh), at: at(day))
    }

    @Test("Another device of the person does it alone; of others it takes two, and each counts once")
    func signers() throws {
        #expect(try isSuspended([suspend(lost, by: same)]))
        #expect(try !isSuspended([suspend(lost, by: others[0])]))
        #expect(try isSuspended([suspend(lost, by: others[0]), suspend(lost, by: others[1], 1.5, 8)]))
        #expect(try !isSuspended([suspend(lost, by: others[0]), suspend(lost, by: others[0], 1.5, 8)]))
        let membership = try membership(with: [suspend(lost, by: same)])
        let certificate = try #require(membership.currentCertificate(lost.id(in: mesh.mesh)))
        let hash = try #require(membership.chainHash(of: certificate.device))
        func admission(_ day: Double) -> Admission {
            mesh.admit(certificate, chain: .hash(hash), to: membership, time: at(day))
        }
        #expect(admission(2).catchUp == .suspended)
        #expect(!membership.isMember(certificate.device, at: at(2)))
        #expect(admission(8).member != nil)
    }

    @Test("Who asks is told how many more must, until when it holds, and why another request would not count")
    func standing() throws {
        let device = lost.id(in: mesh.mesh)
        let (ana, bo) = (others[0].id(in: mesh.mesh), others[1].id(in: mesh.mesh))
        #expect(membership.memberSuspension(of: device, at: minute(2)) == nil)
        #expect(membership.suspendFault(of: ana, at: minute(2)) == nil)
        var asked = try membership(with: [suspend(lost, by: others[0], 1, 6)])
        #expect(
            asked.memberSuspension(of: device, at: minute(2))
                == MemberSuspension(signers: [ana], missing: 1, end: minute(6), suspendedUntil: nil))
        #expect(asked.suspendFault(of: ana, at: minute(2)) == .inForce(until: minute(6)))
        asked = try membership(with: [suspend(lost, by: others[0], 1, 6), suspend(lost, by: others[1], 1.5, 8)])
        #expect(
            asked.memberSuspension(of: device, at: minute(2))
                == MemberSuspension(
                    signers: [ana, bo].sorted(), missing: 0, end: minute(8), suspendedUntil: minute(6)))
        #expect(asked.suspendedUntil(device, at: at(2)) == minute(6))
        #expect(asked.suspendedUntil(device, at: at(7)) == nil)
        #expect(asked.suspendFault(on: device, at: minute(7)) == nil)
        // Alone, for seven days; then nobody can go on, and whoever asked twice waits for the month to end.
        asked = try membership(with: [suspend(lost, by: same), suspend(lost, by: same, 9, 10)])
        #expect(asked.memberSuspension(of: device, at: minute(2))?.suspendedUntil == minute(8))
        #expect(asked.suspendFault(on: device, at: minute(8)) == .spent)
        #expect(asked.suspendFault(of: same.id(in: mesh.mesh), at: minute(11)) == .twice(until: minute(31)))
    }

    @Test("Two devices with one signing key are one signer, whichever was enrolled first; one revoked voids for both")
    func sharedKey() throws {
        // As whoever has the key of a member, and an authority, may arrange it.
        func twin() -> TestDevice {
            let fresh = mesh.device()
            return TestDevice(
                signing: others[0].signing, link: fresh.link, message: fresh.message, subject: fresh.subject)
        }
        let (one, another, third) = (twin(), twin(), mesh.device())
        var field = field
        let certificates = try [one, another, third].map { try mesh.certificate($0, by: field) }
        let issued = try certificates.map { try field.append(.certIssue([$0])) }
        let asked = [suspend(lost, by: others[0]), suspend(lost, by: others[1], 1.5, 8)]
        let against = suspend(another, by: others[0], 20, 25)
        let gone = mesh.note(of: another, reason: .retired, keys: [another.signing])
        func held(_ before: [Suspend], _ after: [Suspend]) throws -> Membership {
            var membership = membership
            for suspend in before { _ = try membership.accept(suspend: suspend.signed) }
            for entry in issued { try membership.take(entry) }
            for suspend in after { _ = try membership.accept(suspend: suspend.signed) }
            return membership
        }
        for var membership in [try held(asked, []), try held([], asked)] {
            let device = lost.id(in: mesh.mesh)
            let signers = [others[0], one, another].map { $0.id(in: mesh.mesh) }
            #expect(membership.isSuspended(device, at: at(2)))
            let standing = try #require(membership.memberSuspension(of: device, at: minute(2)))
            #expect(standing.signers == [try #require(signers.min()), others[1].id(in: mesh.mesh)].sorted())
            for signer in signers {
                #expect(membership.suspendFault(of: signer, at: minute(2)) == .inForce(until: minute(8)))
            }
            // Its own key is among those of the signer.
            _ = try membership.accept(suspend: against.signed)
            _ = try membership.accept(suspend: suspend(another, by: others[2], 20, 25).signed)
            #expect(!membership.isSuspended(another.id(in: mesh.mesh), at: at(21)))
            _ = try membership.accept(note: gone.signed)
            #expect(!membership.isSuspended(device, at: at(2)))
        }
    }

    @Test("Nobody takes a Suspend away from its signer by signing the same words, whose copy ever comes first")
    func copies() throws {
        let asked = [suspend(lost, by: others[0]), suspend(lost, by: others[1], 1.5, 8)]
        let copied = [suspend(lost, by: others[2]), suspend(lost, by: others[2], 1.5, 8)]
        #expect(zip(asked, copied).allSatisfy { $0.hash == $1.hash && $0.id != $1.id })
        var sets: [[NoteID]] = []
        for order in [asked + copied, copied + asked] {
            let membership = try membership(with: order)
            #expect(membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
            sets.append(membership.suspends)
        }
        #expect(sets[0] == sets[1] && sets[0].count == 4)
    }

    @Test("What two ask for is kept out while both ask")
    func overlap() throws {
        let both = [suspend(lost, by: others[0], 1, 5), suspend(lost, by: others[1], 3, 9)]
        for (day, expected) in [(2.5, true), (4, true), (5, false), (6, false)] {
            // A signer's clock may be a day ahead: 2.5 is half a day before the second one was signed.
            #expect(try isSuspended(both, at: day) == expected)
        }
        #expect(try !isSuspended(both, at: 1.5))
    }

    @Test("38: a second one while the first is in force, and a third in thirty days, do not count")
    func signerQuota() throws {
        func two(_ from: Double, _ upTo: Double) -> [Suspend] {
            [suspend(lost, by: others[0], from, upTo), suspend(lost, by: others[1], from, upTo)]
        }
        let another = others[2]
        let first = [suspend(another, by: others[0], 1, 7), suspend(another, by: others[1], 1, 6)]
        #expect(try !isSuspended(first + two(5, 10), at: 6))
        #expect(try isSuspended(first + two(8, 10), at: 9))
        #expect(try !isSuspended(first + two(8, 9) + two(20, 22), at: 21))
        #expect(try isSuspended(first + two(8, 9) + two(39, 41), at: 40))
        let second = try membership(with: first)
        #expect(!second.maySuspend(others[0].id(in: mesh.mesh), at: minute(2)))
        #expect(second.maySuspend(others[0].id(in: mesh.mesh), at: minute(7)))
        let third = try membership(with: first + two(8, 9))
        #expect(!third.maySuspend(others[0].id(in: mesh.mesh), at: minute(20)))
        #expect(third.maySuspend(others[0].id(in: mesh.mesh), at: minute(38.5)))
    }

    @Test("A device is kept out for seven days in thirty at most, whoever asks")
    func deviceQuota() throws {
        let suspends = [
            suspend(lost, by: same, 1, 6), suspend(lost, by: same, 10, 15), suspend(lost, by: others[0], 14, 20),
            suspend(lost, by: others[1], 14.5, 20),
        ]
        for (day, expected) in [(2, true), (7, false), (11, true), (11.99, true), (12, false), (19, false)] {
            #expect(try isSuspended(suspends, at: day) == expected)
        }
        #expect(try isSuspended(suspends + [suspend(lost, by: same, 45, 50)], at: 46))
    }

    @Test("38: a device that announces, or holds an authority's key, is for its authorities to judge")
    func protected() throws {
        var mesh = mesh
        let announcer = mesh.device()
        let leader = TestDevice(
            signing: fieldKeys[0], link: mesh.device().link, message: mesh.device().message,
            subject: mesh.device().subject)
        let certificates = [
            try mesh.certificate(announcer, by: mesh.root) { $0.capabilities.insert(.announce) },
            try mesh.certificate(leader, by: mesh.root),
        ]
        var membership = membership
        try membership.take(mesh.root.append(.certIssue(certificates)))
        for device in [announcer, leader] {
            var membership = membership
            for (signer, upTo) in zip(others, [7.0, 8]) {
                _ = try membership.accept(suspend: suspend(device, by: signer, 1, upTo).signed)
            }
            #expect(membership.currentCertificate(device.id(in: mesh.mesh)) != nil)
            #expect(!membership.isSuspended(device.id(in: mesh.mesh), at: at(2)))
        }
    }

    @Test("Strangers, revoked members and the device itself cannot ask")
    func wrongSigners() throws {
        var membership = membership
        #expect(throws: SuspendRefusal.ownDevice) {
            _ = try membership.accept(suspend: suspend(lost, by: lost).signed)
        }
        let body = suspend(lost, by: same).signed.body
        let twice = Signed(body, type: .object(.suspend), mesh: mesh.mesh, keys: [same.signing, others[0].signing])
        #expect(throws: SuspendRefusal.signature) { _ = try membership.accept(suspend: twice) }
        let foul = Signed(body, type: .object(.revokeNote), mesh: mesh.mesh, keys: [same.signing])
        #expect(throws: SuspendRefusal.signature) { _ = try membership.accept(suspend: foul) }
        guard case .held = try membership.accept(suspend: suspend(lost, by: mesh.device()).signed) else {
            Issue.record("a signer that is not known yet may become known")
            return
        }
        _ = try membership.accept(suspend: suspend(lost, by: same).signed)
        #expect(membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
        _ = try membership.accept(note: mesh.note(of: same, reason: .retired, keys: [same.signing]).signed)
        #expect(!membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
    }

    @Test("The authority lifts a Suspend; that it renews a certificate ends none")
    func authority() throws {
        var field = field
        let asked = suspend(lost, by: same)
        var membership = try membership(with: [asked])
        let device = lost.id(in: mesh.mesh)
        try membership.take(field.append(.certIssue([try mesh.certificate(lost, serial: 2, by: field)])))
        #expect(membership.isSuspended(device, at: at(2)))
        let verdict = NoteVerdict(note: NoteHash(prefixOf: asked.hash), decision: .lifted)
        let entry = try field.append(.certRevoke([verdict]))
        guard case .accepted(let intake) = try membership.accept(entry.signed) else { return }
        #expect(intake.changes.contains(.reinstated(device)))
        #expect(!membership.isSuspended(device, at: at(2)))
        #expect(membership.isMember(device, at: at(2)))
    }

    @Test("What is over, by the log of the device's authority, is forgotten and not taken again")
    func forgetting() throws {
        var field = field
        let asked = suspend(lost, by: same)
        var membership = try membership(with: [asked])
        try membership.take(field.append(.epochAnnounce(epoch(in: membership, 1)), time: minute(37.9)))
        #expect(membership.hasSuspend(asked.id))
        let entry = try field.append(.epochAnnounce(epoch(in: membership, 2)), time: minute(38))
        guard case .accepted(let intake) = try membership.accept(entry.signed) else { return }
        #expect(intake.suspendsGone == [asked.id])
        #expect(membership.suspends.isEmpty)
        #expect(throws: SuspendRefusal.over) { _ = try membership.accept(suspend: asked.signed) }
    }

    @Test("A forked log ends no Suspend, whichever branch came first and however late it is dated; the root's does")
    func forked() throws {
        var root = mesh.root
        let asked = suspend(lost, by: same)
        var states: [Membership] = []
        let early = try field.draft(.epochAnnounce(epoch(in: membership, 1)), time: minute(3))
        let late = try field.draft(.epochAnnounce(epoch(in: membership, 1)), time: minute(300))
        for branches in [[early, late], [late, early]] {
            var membership = membership
            try membership.take(branches[0])
            // Before the fork is known, what the log says of the time counts.
            let isOver = branches[0].id == late.id
            if isOver {
                #expect(throws: SuspendRefusal.over) { _ = try membership.accept(suspend: asked.signed) }
            } else {
                _ = try membership.accept(suspend: asked.signed)
            }
            try membership.take(branches[1])
            if isOver { _ = try membership.accept(suspend: asked.signed) }
            #expect(membership.suspends == [asked.id])
            #expect(membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
            #expect(!membership.isSuspended(lost.id(in: mesh.mesh), at: at(9)))
            states.append(membership)
        }
        let word = try root.append(.epochAnnounce(epoch(in: states[0], 1)), time: minute(38))
        for var membership in states {
            try membership.take(word)
            #expect(membership.suspends.isEmpty)
        }
    }

    @Test("Whoever took the key of a dismissed authority ends no Suspend with a late date, and protects nobody")
    func dismissed() throws {
        var mesh = mesh
        let (add, begun) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var thief = begun
        let first = try thief.append(.certIssue([mesh.certificate(mesh.device(), by: thief)]))
        let dismissal = try mesh.root.append(
            .authorityRevoke(
                AuthorityRevocation(
                    authority: thief.log, reason: 3, lastGood: [.init(log: thief.log, sequence: 1)])))
        // A certificate for the lost device, and an authority with the keys of its person.
        let late = try thief.append(.certIssue([mesh.certificate(lost, serial: 9, by: thief)]), time: minute(30_000))
        let (guise, below) = try mesh.add(keys: [lost.signing], below: &thief) { $0.depthLeft = 0 }
        for order in [[add, first, dismissal, late, guise], [add, first, late, guise, dismissal]] {
            var membership = membership
            for entry in order { try membership.take(entry) }
            #expect(membership.limits(of: thief.log) != nil)
            #expect(membership.limits(of: below.log) == nil)
            _ = try membership.accept(suspend: suspend(lost, by: same).signed)
            #expect(membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
        }
        // Nor does the authority of the device itself, once it is dismissed.
        var field = field
        var membership = membership
        let end = try field.append(.certIssue([mesh.certificate(mesh.device(), by: field)]), time: minute(30_000))
        let word = AuthorityRevocation(authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 1)])
        try membership.take(end, add, first, dismissal, mesh.root.append(.authorityRevoke(word)))
        _ = try membership.accept(suspend: suspend(lost, by: same).signed)
        #expect(membership.isSuspended(lost.id(in: mesh.mesh), at: at(2)))
    }

    private func epoch(in membership: Membership, _ number: UInt32) -> EpochAnnouncement {
        EpochAnnouncement(
            number: number, commit: .random(from: mesh.random), rows: membership.heads, notes: [],
            validFrom: TestMesh.start, graceDays: 30)
    }

    @Test("Of one signer the first eight are kept; entries and Suspends in any order make one state")
    func orders() throws {
        let random = SeededRandom(seed: 11)
        var pool: [Suspend] = []
        for signer in [same] + others {
            for number in 0..<10 {
                let from = Double(number * 16) + Double(random.uniform(0...50)) / 10
                let length = Double(random.uniform(1...70)) / 10
                let target = random.uniform(0...3) == 0 ? others[2] : lost
                guard target.id(in: mesh.mesh) != signer.id(in: mesh.mesh) else { continue }
                pool.append(suspend(target, by: signer, from, from + length))
            }
        }
        var field = field
        let renewal = try field.append(.certIssue([try mesh.certificate(lost, serial: 2, by: field)]))
        let lifted = NoteVerdict(note: NoteHash(prefixOf: pool[3].hash), decision: .lifted)
        let verdict = try field.append(.certRevoke([lifted]))
        let gone = mesh.note(of: others[1], reason: .retired, keys: [others[1].signing])
        var seen: Set<[NoteID]> = []
        var timelines: Set<[Bool]> = []
        for _ in 0..<12 {
            var steps: [Step] = pool.map { .suspend($0) } + [.entry(renewal), .entry(verdict), .note(gone)]
            for index in steps.indices.reversed() {
                steps.swapAt(index, Int(random.uniform(0...index)))
            }
            var membership = membership
            for step in steps {
                switch step {
                case .suspend(let suspend): _ = try? membership.accept(suspend: suspend.signed)
                case .entry(let entry): _ = try membership.accept(entry.signed)
                case .note(let note): _ = try membership.accept(note: note.signed)
                }
            }
            #expect(membership.suspends.count <= 4 * 8)
            seen.insert(membership.suspends)
            timelines.insert(
                (0..<640).map { membership.isSuspended(lost.id(in: mesh.mesh), at: at(Double($0) / 4)) })
        }
        #expect(seen.count == 1)
        #expect(timelines.count == 1)
        #expect(timelines.first?.contains(true) ?? false)
    }

    private enum Step {
        case suspend(Suspend)
        case entry(LogEntry)
        case note(RevokeNote)
    }

    @Test("Never more than seven days in any thirty, whatever members sign")
    func longest() throws {
        let random = SeededRandom(seed: 5)
        for _ in 0..<20 {
            var membership = membership
            var coming: [Suspend] = []
            for signer in [same] + others {
                for number in 0..<6 {
                    let from = Double(number * 12) + Double(random.uniform(0...110)) / 10
                    let length = Double(random.uniform(10...70)) / 10
                    coming.append(suspend(lost, by: signer, from, from + length))
                }
            }
            var hours: [Bool] = []
            for hour in 0..<24 * 80 {
                let time = at(Double(hour) / 24)
                for asked in coming where asked.issued <= time.now {
                    _ = try? membership.accept(suspend: asked.signed)
                }
                coming.removeAll { $0.issued <= time.now }
                hours.append(membership.isSuspended(lost.id(in: mesh.mesh), at: time))
            }
            #expect(hours.contains(true))
            for end in 24 * 30..<hours.count {
                let month = Array(hours[end - 24 * 30..<end])
                // One sample an hour may count each time of suspension an hour too long.
                let times = month.indices.count { month[$0] && ($0 == 0 || !month[$0 - 1]) }
                #expect(month.count { $0 } <= 24 * 7 + times)
            }
        }
    }
}
