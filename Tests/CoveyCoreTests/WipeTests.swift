import CoveyCore
import CoveyCrypto
import Testing

/// protocol.md §6 and §7.2, item 82.
@Suite("A device obeys a wipe order only when nothing speaks against it")
struct WipeTests {
    private let mesh: TestMesh
    private let membership: Membership
    private let officers: [TestDevice]
    private let target: TestDevice
    private let owned: DeviceCertificate
    private static let now = TestMesh.start.adding(2 * 1440)
    private let time = TimeView(now: now, isTrusted: true, floor: TestMesh.start)

    init() throws {
        var mesh = try TestMesh()
        officers = (0..<2).map { _ in mesh.device() }
        target = mesh.device()
        owned = try mesh.certificate(target, serial: 7, by: mesh.root) { $0.capabilities.insert(.orgOwned) }
        var certificates = try officers.map { officer in
            try mesh.certificate(officer, by: mesh.root) { $0.capabilities.insert(.wipeOfficer) }
        }
        certificates.append(owned)
        var membership = try mesh.membership()
        try membership.take(mesh.root.append(.certIssue(certificates)))
        let epoch = EpochAnnouncement(
            number: 1, commit: .random(from: mesh.random), rows: membership.heads, notes: [],
            validFrom: TestMesh.start, graceDays: 30)
        try membership.take(mesh.root.append(.epochAnnounce(epoch)))
        self.mesh = mesh
        self.membership = membership
    }

    private func order(
        _ number: UInt8 = 1, serial: UInt64 = 7, issued: Minute = now.adding(-10), days: Double = 30,
        of device: DeviceID? = nil, byRoot: Bool = false
    ) -> RevokeNote {
        let wipe = WipeOrder(
            mode: .erase, order: Octets16([UInt8](repeating: number, count: 16)) ?? Octets16(), serial: serial,
            expires: issued.adding(Int64(days * 1440)))
        return RevokeNote.make(
            RevokeNote.Content(
                device: device ?? target.id(in: mesh.mesh), reason: .lost, suspectSince: issued, issued: issued,
                authority: byRoot ? mesh.root.log : AuthorityID(), wipe: wipe),
            mesh: mesh.mesh, keys: byRoot ? Array(mesh.roots[..<2]) : officers.map(\.signing))
    }

    private func judge(
        _ note: RevokeNote, among others: [RevokeNote] = [], in membership: Membership? = nil, isSeen: Bool = false,
        at time: TimeView? = nil
    ) throws -> WipeRefusal? {
        var membership = membership ?? self.membership
        for note in [note] + others { _ = try membership.accept(note: note.signed) }
        do {
            let found = try membership.wipeOrder(
                in: note.hash, for: target.id(in: mesh.mesh), isSeen: isSeen, at: time ?? self.time)
            #expect(found == note.content.wipe)
            return nil
        } catch { return error }
    }

    @Test("Two officers, or the authority's threshold, for the current certificate, in time")
    func obeyed() throws {
        #expect(try judge(order()) == nil)
        #expect(try judge(order(byRoot: true)) == nil)
    }

    @Test("A copy with the signature of a stranger, which waits to be known, does not keep the order itself out")
    func copyWaits() throws {
        var membership = membership
        let order = order()
        let keys = [officers[0].signing, SigningPrivateKey(from: mesh.random)]
        let copy = RevokeNote.make(order.content, mesh: mesh.mesh, keys: keys)
        guard case .held = try membership.accept(note: copy.signed) else {
            Issue.record("a signer may be an officer whose entry is not here yet")
            return
        }
        #expect(try judge(order, in: membership) == nil)
    }

    @Test(
        "Not: one signature, another serial, no ORG_OWNED, one seen before, one that is over or too long, a stale log"
    )
    func refused() throws {
        let alone = RevokeNote.make(order().content, mesh: mesh.mesh, keys: [officers[0].signing])
        #expect(membership.refusal(of: alone) == .wipeOrder)
        #expect(try judge(order(serial: 6)) == .serial)
        #expect(try judge(order(), isSeen: true) == .seen)
        #expect(try judge(order(issued: Self.now.adding(-3000), days: 1)) == .expired)
        #expect(try judge(order(days: 30.1)) == .lifeTooLong)
        let later = TimeView(now: Self.now.adding(8 * 1440), isTrusted: true, floor: TestMesh.start)
        #expect(try judge(order(), at: later) == .staleLog)
        #expect(try judge(order(of: officers[0].id(in: mesh.mesh))) == .notInForce)
        var mesh = mesh
        var own = membership
        let renewed = try mesh.certificate(target, serial: 8, by: mesh.root)
        try own.take(mesh.root.append(.certIssue([renewed])))
        #expect(try judge(order(serial: 8), in: own) == .notOrgOwned)
        #expect(own.isMember(renewed.device, at: time))
    }

    @Test("A lifted order is none")
    func lifted() throws {
        var mesh = mesh
        var own = membership
        let note = order()
        try own.take(mesh.root.append(.certRevoke([NoteVerdict(note: note.hash, decision: .lifted)])))
        #expect(try judge(note, in: own) == .notInForce)
    }

    @Test("Whoever knows three other orders of a day obeys the root's threshold only")
    func manyOrders() throws {
        let strangers = (0..<2).map { _ in mesh.device().id(in: mesh.mesh) }
        let others = (2...4).map { number in order(UInt8(number), of: strangers[number == 4 ? 0 : 1]) }
        #expect(try judge(order(), among: Array(others[..<2])) == nil)
        #expect(try judge(order(), among: others) == .tooManyOrders)
        #expect(try judge(order(byRoot: true), among: others) == nil)
        let old = (2...4).map { order(UInt8($0), issued: Self.now.adding(-1441), of: strangers[0]) }
        #expect(try judge(order(), among: old) == nil)
        // Officers may date as they like: what is still to come counts when its day has come.
        let coming = (2...4).map { order(UInt8($0), issued: Self.now.adding(1441), of: strangers[0]) }
        #expect(try judge(order(), among: coming) == nil)
        let ahead = (2...4).map { order(UInt8($0), issued: Self.now.adding(1440), of: strangers[0]) }
        #expect(try judge(order(), among: ahead) == .tooManyOrders)
    }

    @Test("Keys that were rotated out revoke as ever, and are not obeyed; those that follow them are")
    func formerKeys() throws {
        var mesh = mesh
        var own = membership
        let given = order(byRoot: true)
        _ = try own.accept(note: given.signed)
        mesh.root.keys += mesh.nextRoots[..<2]
        try own.take(
            mesh.root.append(
                .authorityRotate(
                    AuthorityRotation(
                        authority: mesh.root.log, keyset: TestMesh.keyset(mesh.nextRoots, 2),
                        nextCommit: .random(from: mesh.random)))))
        #expect(try judge(given, in: own) == .notInForce)
        #expect(try judge(order(2, byRoot: true), in: own) == .notInForce)
        #expect(own.isRevoked(owned.device))
        let after = RevokeNote.make(
            order(3, byRoot: true).content, mesh: mesh.mesh, keys: Array(mesh.nextRoots[..<2]))
        #expect(try judge(after, in: own) == nil)
    }

    @Test("Of two copies of an order the one counts that was signed by keys in force, whichever of all came first")
    func copies() throws {
        var mesh = mesh
        let content = order(byRoot: true).content
        let copies = [mesh.roots, mesh.nextRoots].map { keys in
            RevokeNote.make(content, mesh: mesh.mesh, keys: Array(keys[..<2]))
        }
        mesh.root.keys += mesh.nextRoots[..<2]
        let rotation = try mesh.root.append(
            .authorityRotate(
                AuthorityRotation(
                    authority: mesh.root.log, keyset: TestMesh.keyset(mesh.nextRoots, 2),
                    nextCommit: .random(from: mesh.random))))
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var own = membership
            for step in order {
                if step < 2 { _ = try own.accept(note: copies[step].signed) } else { try own.take(rotation) }
            }
            #expect(try judge(copies[0], in: own) == nil)
            #expect(own.notes == [copies[0].hash] && own.isRevoked(owned.device))
            for copy in copies {
                guard case .known = try own.accept(note: copy.signed) else {
                    Issue.record("nothing is left to be said")
                    return
                }
            }
        }
    }

    @Test("A copy that two officers in office signed takes the place of one by an officer who is revoked")
    func copiesOfOfficers() throws {
        var mesh = mesh
        var own = membership
        let third = mesh.device()
        let certificate = try mesh.certificate(third, by: mesh.root) { $0.capabilities.insert(.wipeOfficer) }
        try own.take(mesh.root.append(.certIssue([certificate])))
        let former = order()
        let good = RevokeNote.make(
            former.content, mesh: mesh.mesh, keys: [officers[1].signing, third.signing])
        let note = mesh.note(of: officers[0], authority: mesh.root.log, keys: Array(mesh.roots[..<2]))
        _ = try own.accept(note: note.signed)
        for copies in [[former, good], [good, former]] {
            var own = own
            for copy in copies { _ = try own.accept(note: copy.signed) }
            #expect(try judge(former, in: own) == nil)
            #expect(own.notes.count == 2)
        }
    }

    @Test("Officers who are revoked, or whose certificate does not say so any more, revoke as ever and are not obeyed")
    func formerOfficers() throws {
        var mesh = mesh
        for isRevoked in [true, false] {
            var own = membership
            if isRevoked {
                let note = mesh.note(of: officers[0], authority: mesh.root.log, keys: Array(mesh.roots[..<2]))
                _ = try own.accept(note: note.signed)
            } else {
                let renewed = try mesh.certificate(officers[0], serial: 8, by: mesh.root)
                try own.take(mesh.root.append(.certIssue([renewed])))
            }
            #expect(try judge(order(), in: own) == .notInForce)
            _ = try own.accept(note: order().signed)
            #expect(own.isRevoked(owned.device))
            #expect(try judge(order(2, byRoot: true), in: own) == nil)
        }
    }

    @Test("Two devices with one key are one officer, whoever holds them")
    func oneKey() throws {
        var mesh = mesh
        var own = membership
        let twin = TestDevice(
            signing: officers[0].signing, link: AgreementPrivateKey(from: mesh.random),
            message: AgreementPrivateKey(from: mesh.random), subject: .random(from: mesh.random))
        let certificate = try mesh.certificate(twin, by: mesh.root) { $0.capabilities.insert(.wipeOfficer) }
        try own.take(mesh.root.append(.certIssue([certificate])))
        #expect(try judge(order(), in: own) == nil)
        // The one other key is of nobody who may give orders any more.
        let note = mesh.note(of: officers[1], authority: mesh.root.log, keys: Array(mesh.roots[..<2]))
        _ = try own.accept(note: note.signed)
        #expect(try judge(order(), in: own) == .notInForce)
        _ = try own.accept(note: order().signed)
        #expect(own.isRevoked(owned.device))
    }

    @Test("Two devices of one person are one officer")
    func onePerson() throws {
        var mesh = mesh
        var own = membership
        let second = mesh.device()
        let subject = officers[0].subject
        let certificate = try mesh.certificate(second, serial: 9, by: mesh.root) {
            $0.capabilities.insert(.wipeOfficer)
            $0.subject = subject
            $0.deviceIndex = 1
        }
        try own.take(mesh.root.append(.certIssue([certificate])))
        func order(_ number: UInt8, with other: TestDevice) -> RevokeNote {
            RevokeNote.make(
                self.order(number).content, mesh: mesh.mesh, keys: [second.signing, other.signing])
        }
        #expect(try judge(order(1, with: officers[0]), in: own) == .notInForce)
        #expect(try judge(order(2, with: officers[1]), in: own) == nil)
    }

    @Test("The receipt is the device's own, for the order it names")
    func receipt() throws {
        var membership = membership
        let note = order()
        _ = try membership.accept(note: note.signed)
        let wipe = try #require(note.content.wipe)
        func receipt(_ order: WipeOrder, _ key: SigningPrivateKey, of device: DeviceID? = nil) -> WipeReceipt {
            WipeReceipt.make(
                of: order, in: note.hash, by: device ?? owned.device, done: Self.now, mesh: mesh.mesh, key: key)
        }
        let good = receipt(wipe, target.signing)
        #expect(membership.accepts(good))
        #expect(try WipeReceipt(parsing: Signed(parsing: good.signed.bytes)) == good)
        #expect(!membership.accepts(receipt(wipe, officers[0].signing)))
        #expect(!membership.accepts(receipt(wipe, officers[0].signing, of: officers[0].id(in: mesh.mesh))))
        let other = WipeOrder(mode: .lock, order: wipe.order, serial: 7, expires: wipe.expires)
        #expect(!membership.accepts(receipt(other, target.signing)))
        #expect(!self.membership.accepts(good))
    }
}
