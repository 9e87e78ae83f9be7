import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

/// protocol.md §7.2, items 10 and 24 to 31, 41, 44, 45.
@Suite("A peer is a member only with a logged, attenuated, timely certificate for the key of its link")
struct AdmissionTests {
    private let mesh: TestMesh
    private let device: TestDevice

    init() throws {
        mesh = try TestMesh()
        device = mesh.device()
    }

    /// A membership in which the root issued a certificate to `device`.
    private func issued(
        change: (inout DeviceCertificate.Content) -> Void = { _ in }
    ) throws -> (Membership, DeviceCertificate) {
        var root = mesh.root
        var membership = try mesh.membership()
        let certificate = try mesh.certificate(device, by: root, change: change)
        try membership.take(root.append(.certIssue([certificate])))
        return (membership, certificate)
    }

    @Test("The golden certificates are admitted after the golden log, and the heads digest is the bundle's")
    func golden() throws {
        let golden = try GoldenMesh()
        var membership = Membership(genesis: golden.genesis)
        try membership.take(golden.entry(golden.json["log_first"]), golden.entry(golden.json["log_entry"]))
        #expect(golden.json["bundle"]["body"].string.contains(membership.headsDigest.hex))
        try membership.take(golden.entry(golden.json["epoch"]["announce"]))
        #expect(membership.count == 3)
        #expect(membership.devices.count == 2)
        for index in 0..<2 {
            let signed = try Signed(parsing: golden.device(index)["cert_signed_2of3"].bytes)
            let admission = membership.admit(
                certificate: signed, chain: .certificates([]), linkKey: golden.device(index)["LNK"].octets(),
                own: DeviceID(), time: TestMesh.trusted)
            #expect(admission.member?.device == golden.device(index)["device_id"].octets(as: DeviceID.self))
        }
    }

    @Test("A member shows its chain by hash or in full")
    func chains() throws {
        var mesh = mesh
        let keys = [SigningPrivateKey(from: mesh.random)]
        var (add, field) = try mesh.add(keys: keys, below: &mesh.root)
        let certificate = try mesh.certificate(device, by: field)
        var membership = try mesh.membership()
        try membership.take(add, field.append(.certIssue([certificate])))
        guard case .authorityAdd(let authority) = add.payload else { return }
        let full = PresentedChain.certificates([authority.signed])
        #expect(mesh.admit(certificate, chain: full, to: membership).member?.certificate == certificate)
        let hash = try #require(membership.chainHash(of: certificate.device))
        #expect(hash == ChainHash(device: certificate.hash, authorities: [authority.hash]))
        #expect(mesh.admit(certificate, chain: .hash(hash), to: membership).member != nil)
        let unknown = PresentedChain.hash(.random(from: mesh.random))
        #expect(mesh.admit(certificate, chain: unknown, to: membership).catchUp == .unknownChain)
        #expect(mesh.admit(certificate, to: membership).catchUp == .notInLog)
        #expect(membership.certificate(certificate.hash) == certificate.signed)
        #expect(membership.certificate(authority.hash) == authority.signed)
        #expect(membership.certificate(.random(from: mesh.random)) == nil)
    }

    @Test("A chain of two intermediates is admitted, and one of three is not")
    func depth() throws {
        var mesh = mesh
        let keys = (0..<3).map { _ in [SigningPrivateKey(from: mesh.random)] }
        var membership = try mesh.membership()
        var (add1, regional) = try mesh.add(keys: keys[0], below: &mesh.root)
        var (add2, field) = try mesh.add(keys: keys[1], below: &regional) { $0.depthLeft = 0 }
        let (add3, deeper) = try mesh.add(keys: keys[2], below: &field) { $0.depthLeft = 0 }
        let certificate = try mesh.certificate(device, by: field)
        let deep = try mesh.certificate(mesh.device(), by: deeper)
        try membership.take(add1, add2, add3, field.append(.certIssue([certificate])))
        let hash = try #require(membership.chainHash(of: certificate.device))
        #expect(mesh.admit(certificate, chain: .hash(hash), to: membership).member != nil)
        #expect(membership.authority(deeper.log) == nil)
        let certificates = [add1, add2, add3].compactMap { entry -> Signed? in
            guard case .authorityAdd(let authority) = entry.payload else { return nil }
            return authority.signed
        }
        let three = PresentedChain.certificates(certificates.reversed())
        #expect(mesh.admit(deep, chain: three, to: membership).refusal == .malformed(.value(0x02)))
        // Without the log: the chain itself is judged.
        let bare = try mesh.membership()
        let two = PresentedChain.certificates([certificates[1], certificates[0]])
        #expect(mesh.admit(certificate, chain: two, to: bare).catchUp == .notInLog)
        let short = PresentedChain.certificates([certificates[2], certificates[1]])
        #expect(mesh.admit(deep, chain: short, to: bare).refusal == .chainSignatures)
    }

    @Test("31: a valid certificate that is in no log entry gets a catch-up link, not membership (stealth issue)")
    func stealth() throws {
        let certificate = try mesh.certificate(device, by: mesh.root)
        #expect(mesh.admit(certificate, to: try mesh.membership()).catchUp == .notInLog)
    }

    @Test("A certificate whose entry waits for its predecessor is admitted provisionally")
    func provisional() throws {
        var mesh = mesh
        let certificate = try mesh.certificate(device, by: mesh.root)
        let missing = try mesh.root.append(.certIssue([mesh.certificate(mesh.device(), by: mesh.root)]))
        let entry = try mesh.root.append(.certIssue([certificate]))
        var membership = try mesh.membership()
        guard case .held = try membership.accept(entry.signed) else {
            Issue.record("an entry after a gap is held")
            return
        }
        guard case .catchUp(let peer, .notInLog) = mesh.admit(certificate, to: membership) else {
            Issue.record("a peer whose entry waits is caught up with")
            return
        }
        #expect(peer.isProvisional)
        try membership.take(missing)
        #expect(mesh.admit(certificate, to: membership).member != nil)
    }

    @Test("It is admitted so as well where its authority, and the one above that, were added behind gaps")
    func provisionalAuthority() throws {
        var mesh = mesh
        let keys = (0..<2).map { _ in [SigningPrivateKey(from: mesh.random)] }
        let missing = try mesh.root.append(.certIssue([mesh.certificate(mesh.device(), by: mesh.root)]))
        var (add1, regional) = try mesh.add(keys: keys[0], below: &mesh.root)
        var (add2, field) = try mesh.add(keys: keys[1], below: &regional) { $0.depthLeft = 0 }
        let forged = try LogEntry.make(
            log: regional.log, sequence: 1, previous: add1.id, time: add2.time, payload: add2.payload, mesh: mesh.mesh,
            keys: [SigningPrivateKey(from: mesh.random)])
        let certificate = try mesh.certificate(device, by: field)
        let issue = try field.append(.certIssue([certificate]))
        let chain = PresentedChain.certificates(
            [add2, add1].compactMap { entry in
                guard case .authorityAdd(let authority) = entry.payload else { return nil }
                return authority.signed
            })
        func isProvisional(_ membership: Membership) -> Bool? {
            guard case .catchUp(let peer, .notInLog) = mesh.admit(certificate, chain: chain, to: membership) else {
                return nil
            }
            return peer.isProvisional
        }
        for left in 0..<3 {
            var membership = try mesh.membership()
            var entries = [issue, add2, add1]
            if left < 2 { entries.remove(at: left) }
            for entry in entries + [forged] {
                guard case .held = try membership.accept(entry.signed) else {
                    Issue.record("an entry after a gap is held")
                    return
                }
            }
            #expect(isProvisional(membership) == (left == 2), "all of the way up to the root's log has to be there")
            guard left == 2 else { continue }
            try membership.take(missing)
            #expect(mesh.admit(certificate, chain: chain, to: membership).member != nil)
        }
    }

    @Test("24: a certificate of another mesh is refused")
    func otherMesh() throws {
        let other = try TestMesh(seed: 2)
        let certificate = try other.certificate(device, by: other.root)
        let membership = try mesh.membership()
        #expect(mesh.admit(certificate, to: membership).refusal == .chainSignatures)
        // By its hash it may be anybody's, until the chain is shown.
        let hash = PresentedChain.hash(ChainHash(device: certificate.hash, authorities: []))
        #expect(mesh.admit(certificate, chain: hash, to: membership).catchUp == .unproven)
        let content = try mesh.certificate(device, by: mesh.root).content
        let foreign = try DeviceCertificate.make(content, mesh: other.mesh, keys: mesh.root.keys)
        #expect(mesh.admit(foreign, to: membership).refusal == .chainSignatures)
    }

    @Test(
        "A certificate that too few root keys signed is refused; one by strangers, who may be new keys, is no member's")
    func signatures() throws {
        let membership = try mesh.membership()
        let single = try mesh.certificate(device, by: mesh.root, keys: [mesh.roots[0]])
        #expect(mesh.admit(single, to: membership).refusal == .chainSignatures)
        let stranger = SigningPrivateKey(from: mesh.random)
        let mixed = try mesh.certificate(device, by: mesh.root, keys: [mesh.roots[0], stranger])
        #expect(mesh.admit(mixed, to: membership).catchUp == .unproven)
        let three = try mesh.certificate(device, by: mesh.root, keys: mesh.roots + [stranger])
        #expect(mesh.admit(three, to: membership).catchUp == .unproven)
    }

    @Test("25: an expired certificate is refused: a day late by a trusted clock, a week without, at once at the floor")
    func expiry() throws {
        let (membership, certificate) = try issued()
        let end = certificate.notAfter
        func refusal(_ now: Minute, trusted: Bool, floor: Minute) -> AdmissionRefusal? {
            mesh.admit(
                certificate, to: membership, time: TimeView(now: now, isTrusted: trusted, floor: floor)
            ).refusal
        }
        let floor = TestMesh.start
        #expect(refusal(end.adding(1440), trusted: true, floor: floor) == nil)
        #expect(refusal(end.adding(1441), trusted: true, floor: floor) == .time(.expired))
        #expect(refusal(end.adding(7 * 1440), trusted: false, floor: floor) == nil)
        #expect(refusal(end.adding(7 * 1440 + 1), trusted: false, floor: floor) == .time(.expired))
        // The machine's clock was set back: the floor says otherwise.
        #expect(refusal(end.adding(1), trusted: false, floor: end.adding(1)) == .time(.expired))
    }

    @Test("26: a certificate that begins in more than a day is refused with a trusted clock only")
    func notYetValid() throws {
        let (membership, certificate) = try issued()
        let early = certificate.notBefore.adding(-1441)
        let trusted = TimeView(now: early, isTrusted: true, floor: Minute(0))
        let untrusted = TimeView(now: early, isTrusted: false, floor: Minute(0))
        #expect(mesh.admit(certificate, to: membership, time: trusted).refusal == .time(.notYetValid))
        #expect(mesh.admit(certificate, to: membership, time: untrusted).member != nil)
    }

    @Test("44, 45: a certificate for another link key is refused, and so is our own, and one without LINK")
    func linkKey() throws {
        let (membership, certificate) = try issued()
        let other = mesh.device().link.publicKey
        #expect(mesh.admit(certificate, to: membership, linkKey: other).refusal == .linkKey)
        #expect(mesh.admit(certificate, to: membership, own: certificate.device).refusal == .reflection)
        let (without, mute) = try issued { $0.capabilities = [.send] }
        #expect(mesh.admit(mute, to: without).refusal == .noLinkCapability)
    }

    /// What may be wrong with a peer, in the order of protocol.md §2.2.
    private enum Fault: CaseIterable {
        case encoding, signatures, attenuation, linkKey, time, log, revoked, link, own

        /// Nil where the peer gets a catch-up link.
        var refusal: AdmissionRefusal? {
            switch self {
            case .encoding: .malformed(.value(0x02))
            case .signatures: .chainSignatures
            case .attenuation: .attenuation(.zones)
            case .linkKey: .linkKey
            case .time: .time(.expired)
            case .log: nil
            case .revoked: .revoked
            case .link: .noLinkCapability
            case .own: .reflection
            }
        }
    }

    @Test("Of two things that are wrong with a peer the one that protocol.md §2.2 names first refuses it")
    func order() throws {
        var mesh = mesh
        let keys = (0..<2).map { _ in SigningPrivateKey(from: mesh.random) }
        let (add, field) = try mesh.add(keys: keys, threshold: 2, below: &mesh.root)
        guard case .authorityAdd(let authority) = add.payload else { return }
        func admission(_ faults: Set<Fault>) throws -> Admission {
            var field = field
            var membership = try mesh.membership()
            try membership.take(add)
            let certificate = try mesh.certificate(
                device, by: field, keys: faults.contains(.signatures) ? [keys[0]] : keys
            ) { content in
                if faults.contains(.attenuation) { content.zones = [3, 9] }
                if faults.contains(.link) { content.capabilities = [.send] }
            }
            // What nobody signed rightly is in no entry that counts.
            if faults.isDisjoint(with: [.log, .signatures]) {
                _ = try membership.accept(field.append(.certIssue([certificate])).signed)
            }
            if faults.contains(.revoked) {
                let note = mesh.note(of: device, authority: mesh.root.log, keys: Array(mesh.roots[..<2]))
                _ = try membership.accept(note: note.signed)
            }
            let late = TimeView(now: certificate.notAfter.adding(2 * 1440), isTrusted: true, floor: TestMesh.start)
            return mesh.admit(
                certificate,
                chain: .certificates(Array(repeating: authority.signed, count: faults.contains(.encoding) ? 3 : 1)),
                to: membership, linkKey: faults.contains(.linkKey) ? mesh.device().link.publicKey : nil,
                own: faults.contains(.own) ? certificate.device : DeviceID(),
                time: faults.contains(.time) ? late : TestMesh.trusted)
        }
        #expect(try admission([]).member != nil)
        for (place, first) in Fault.allCases.enumerated() {
            let alone = try admission([first])
            #expect(alone.refusal == first.refusal && (alone.catchUp != nil) == (first == .log), "\(first)")
            for second in Fault.allCases[(place + 1)...] {
                // A peer that no entry names is caught up with, unless something else refuses it.
                let expected = first.refusal ?? second.refusal
                #expect(try admission([first, second]).refusal == expected, "\(first), \(second)")
            }
        }
    }

    @Test("41: of a device's certificates the highest serial is current, in whatever order they were issued")
    func serials() throws {
        var root = mesh.root
        var membership = try mesh.membership()
        let new = try mesh.certificate(device, serial: 9, by: root) { $0.label = "new" }
        let old = try mesh.certificate(device, serial: 3, by: root) { $0.label = "old" }
        try membership.take(root.append(.certIssue([new])), root.append(.certIssue([old])))
        #expect(membership.currentCertificate(new.device)?.label == "new")
        #expect(mesh.admit(old, to: membership).member?.certificate.label == "new")
        #expect(membership.devices(labelled: "old").isEmpty)
        #expect(membership.devices(labelled: "new") == [new.device])
    }

    @Test("When the current certificate has ended, an older one that runs longer lets nobody in")
    func olderRunsLonger() throws {
        var root = mesh.root
        var membership = try mesh.membership()
        let old = try mesh.certificate(device, serial: 1, by: root)
        let end = TestMesh.start.adding(10 * 1440)
        let new = try mesh.certificate(device, serial: 2, by: root) { $0.notAfter = end }
        try membership.take(root.append(.certIssue([old])), root.append(.certIssue([new])))
        func admission(_ days: Int64) -> Admission {
            mesh.admit(
                old, to: membership,
                time: TimeView(now: end.adding(days * 1440), isTrusted: true, floor: TestMesh.start))
        }
        #expect(admission(-1).member?.certificate == new)
        #expect(admission(2).refusal == .time(.expired))
    }

    @Test("41: of two devices that claim one link key only the first is a member")
    func linkKeyTwice() throws {
        var root = mesh.root
        var membership = try mesh.membership()
        let thief = mesh.device()
        let first = try mesh.certificate(device, by: root)
        let second = try mesh.certificate(thief, by: root) { $0.link = first.link }
        try membership.take(root.append(.certIssue([first])), root.append(.certIssue([second])))
        #expect(membership.devices == [first.device])
        #expect(mesh.admit(first, to: membership).member != nil)
        #expect(mesh.admit(second, to: membership).refusal == .attenuation(.linkKey))
    }

    @Test("41: the first claim to a link key is found again with every claim, and when rights to issue are lost")
    func manyClaims() throws {
        var mesh = mesh
        var (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        var membership = try mesh.membership()
        let thieves = (0..<40).map { _ in mesh.device() }
        let link = device.link.publicKey
        let stolen = try thieves.map { try mesh.certificate($0, by: field) { $0.link = link } }
        let own = try mesh.certificate(device, by: mesh.root)
        let first = try field.append(.certIssue([stolen[0]]), time: field.time.adding(10))
        let honest = try mesh.root.append(.certIssue([own]), time: field.time.adding(20))
        try membership.take(add, honest)
        #expect(membership.devices == [own.device])
        // An older claim wins, however late it is met.
        try membership.take(first)
        #expect(membership.devices == [stolen[0].device])
        for chunk in stride(from: 1, to: 40, by: 13) {
            try membership.take(field.append(.certIssue(Array(stolen[chunk..<chunk + 13])), time: honest.time))
        }
        #expect(membership.devices == [stolen[0].device])
        let revocation = AuthorityRevocation(
            authority: field.log, reason: 3, lastGood: [.init(log: field.log, sequence: 0)])
        try membership.take(mesh.root.append(.authorityRevoke(revocation)))
        #expect(membership.devices == [own.device])
        let renewed = try mesh.certificate(device, serial: 2, by: mesh.root)
        try membership.take(mesh.root.append(.certIssue([renewed])))
        #expect(membership.currentCertificate(own.device) == renewed)
    }

    @Test("41: no authority takes a link key from a member by dating its first entry before its own beginning")
    func linkKeyBackdated() throws {
        var mesh = mesh
        var membership = try mesh.membership()
        let victim = try mesh.certificate(device, by: mesh.root)
        try membership.take(mesh.root.append(.certIssue([victim])))
        let (add, field) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root)
        try membership.take(add)
        let stolen = try mesh.certificate(mesh.device(), by: field) { $0.link = victim.link }
        let early = try field.draft(.certIssue([stolen]), time: Minute(0))
        #expect(membership.refusal(of: early) == .timeDecreases)
        try membership.take(field.draft(.certIssue([stolen]), time: add.time))
        #expect(mesh.admit(victim, to: membership).member != nil)
        #expect(mesh.admit(stolen, to: membership).refusal == .attenuation(.linkKey))
    }

    @Test("A certificate with an X25519 key that is not in its one encoding grants nothing")
    func keyEncoding() throws {
        var root = mesh.root
        var membership = try mesh.membership()
        var bytes = device.link.publicKey.array
        bytes[31] |= 0x80
        let masked = try #require(AgreementPublicKey(bytes))
        let certificate = try mesh.certificate(device, by: root) { $0.link = masked }
        guard case .accepted(let intake) = try membership.accept(root.append(.certIssue([certificate])).signed) else {
            Issue.record("the entry itself stands")
            return
        }
        #expect(intake.changes == [.void(certificate.hash, .keyEncoding)])
        #expect(membership.devices.isEmpty)
        #expect(mesh.admit(certificate, to: membership).refusal == .attenuation(.keyEncoding))
    }
}

/// protocol.md §7.2, items 27 to 30.
@Suite("An authority grants no more than it was granted")
struct AttenuationTests {
    private let mesh: TestMesh
    private let membership: Membership
    private let field: LogWriter
    private let authority: AuthorityCertificate

    init() throws {
        var mesh = try TestMesh()
        let random = mesh.random
        let keys = (0..<2).map { _ in SigningPrivateKey(from: random) }
        let (add, field) = try mesh.add(keys: keys, threshold: 1, below: &mesh.root)
        var membership = try mesh.membership()
        try membership.take(add)
        guard case .authorityAdd(let certificate) = add.payload else { preconditionFailure("we just wrote it") }
        authority = certificate
        self.mesh = mesh
        self.membership = membership
        self.field = field
    }

    @Test(
        "27, 28: a device certificate beyond its issuer's limits grants nothing, logged or not",
        arguments: [
            CertificateFault.capabilities, .zones, .validity, .privilege,
        ])
    func device(fault: CertificateFault) throws {
        var field = field
        var membership = membership
        let certificate = try mesh.certificate(mesh.device(), by: field) { content in
            switch fault {
            case .capabilities: content.capabilities.insert(.gateway)
            case .zones: content.zones = [3, 5]
            case .validity: content.notAfter = content.notBefore.adding(91 * 1440)
            default: content.capabilities.insert(.announce)
            }
        }
        let expected = fault == .privilege ? CertificateFault.capabilities : fault
        let chain = PresentedChain.certificates([authority.signed])
        #expect(mesh.admit(certificate, chain: chain, to: membership).refusal == .attenuation(expected))
        guard case .accepted(let intake) = try membership.accept(field.append(.certIssue([certificate])).signed) else {
            Issue.record("the entry itself stands")
            return
        }
        #expect(intake.changes == [.void(certificate.hash, fault)])
        #expect(membership.devices.isEmpty)
        #expect(mesh.admit(certificate, chain: chain, to: membership).refusal == .attenuation(expected))
    }

    @Test("27: an unknown capability bit makes a certificate unreadable")
    func unknownCapability() throws {
        #expect(throws: Malformed.value(0x0A)) {
            try mesh.certificate(mesh.device(), by: field) { $0.capabilities = Capabilities(rawValue: 1 << 14) }
        }
    }

    @Test("30: a privileged capability needs two signatures of the authority, whatever its threshold")
    func privilege() throws {
        var mesh = mesh
        var membership = membership
        let keys = (0..<2).map { _ in SigningPrivateKey(from: mesh.random) }
        var (add, writer) = try mesh.add(keys: keys, threshold: 1, below: &mesh.root) {
            $0.grantable = [.link, .announce, .wipeOfficer, .timekeeper]
        }
        try membership.take(add)
        for capability in [Capabilities.announce, .wipeOfficer, .timekeeper] {
            let one = try mesh.certificate(mesh.device(), by: writer) { $0.capabilities = [.link, capability] }
            let two = try mesh.certificate(mesh.device(), by: writer, keys: keys) {
                $0.capabilities = [.link, capability]
            }
            try membership.take(writer.append(.certIssue([one, two])))
            #expect(membership.currentCertificate(one.device) == nil)
            #expect(membership.currentCertificate(two.device)?.hash == two.hash)
        }
    }

    @Test("29: an authority with the depth, capabilities, zones or life of its parent, or more, has no right")
    func authorities() throws {
        let changes: [(inout AuthorityCertificate.Content) -> Void] = [
            { $0.depthLeft = 1 }, { $0.grantable.insert(.gateway) }, { $0.zones = [] }, { $0.zones = [9] },
            { $0.mostDays = 91 }, { $0.notAfter = $0.notAfter.adding(1) }, { $0.mostDevices = 101 },
        ]
        for change in changes {
            var (field, membership) = (field, membership)
            let keys = [SigningPrivateKey(from: mesh.random)]
            var (add, writer) = try mesh.add(keys: keys, below: &field) { content in
                content.depthLeft = 0
                change(&content)
            }
            let certificate = try mesh.certificate(mesh.device(), by: writer)
            try membership.take(add, writer.append(.certIssue([certificate])))
            #expect(membership.authority(writer.log) == nil)
            #expect(membership.devices.isEmpty)
            guard case .authorityAdd(let below) = add.payload else { return }
            let chain = PresentedChain.certificates([below.signed, authority.signed])
            guard case .attenuation = mesh.admit(certificate, chain: chain, to: membership).refusal else {
                Issue.record("a device of an authority without right is refused")
                return
            }
        }
    }

    @Test("29: an authority at depth 0 adds none below it")
    func depthZero() throws {
        var mesh = mesh
        var membership = membership
        var (add, flat) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &mesh.root) {
            $0.depthLeft = 0
        }
        var (addBelow, below) = try mesh.add(keys: [SigningPrivateKey(from: mesh.random)], below: &flat) {
            $0.depthLeft = 0
        }
        let certificate = try mesh.certificate(mesh.device(), by: below)
        try membership.take(add, addBelow, below.append(.certIssue([certificate])))
        #expect(membership.authority(below.log) == nil)
        #expect(membership.devices.isEmpty)
    }

    @Test("A new device beyond the quota is void until one before it is revoked; renewals always count")
    func quota() throws {
        var mesh = mesh
        var membership = membership
        let keys = [SigningPrivateKey(from: mesh.random)]
        var (add, small) = try mesh.add(keys: keys, below: &mesh.root) { $0.mostDevices = 2 }
        let devices = (0..<3).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: small) }
        try membership.take(add, small.append(.certIssue(certificates)))
        #expect(membership.devices == certificates[..<2].map(\.device).sorted())
        let renewal = try mesh.certificate(devices[0], serial: 2, by: small)
        try membership.take(small.append(.certIssue([renewal])))
        #expect(membership.currentCertificate(renewal.device)?.serial == 2)
        let note = mesh.note(of: devices[1], authority: small.log, keys: keys)
        _ = try membership.accept(note: note.signed)
        #expect(membership.currentCertificate(certificates[2].device)?.hash == certificates[2].hash)
    }

    @Test("A revoked device makes room in a quota that was just full, and takes it back when its note is lifted")
    func quotaRoom() throws {
        var mesh = mesh
        var membership = membership
        let keys = [SigningPrivateKey(from: mesh.random)]
        var (add, small) = try mesh.add(keys: keys, below: &mesh.root) { $0.mostDevices = 2 }
        let devices = (0..<3).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: small) }
        try membership.take(add, small.append(.certIssue(Array(certificates[..<2]))))
        let note = mesh.note(of: devices[0], authority: small.log, keys: keys)
        _ = try membership.accept(note: note.signed)
        try membership.take(small.append(.certIssue([certificates[2]])))
        #expect(membership.currentCertificate(certificates[2].device) != nil)
        try membership.take(mesh.root.append(.certRevoke([NoteVerdict(note: note.hash, decision: .lifted)])))
        #expect(!membership.isRevoked(certificates[0].device))
        #expect(membership.currentCertificate(certificates[2].device) == nil)
    }
}
