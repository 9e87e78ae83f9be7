import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

/// protocol.md §1.6, renewal.
@Suite("Requests for renewal")
struct RenewRequestTests {
    /// Written by the reference implementation: alice of the golden file, serial 7, nonce 00 to 0F.
    private static let signed =
        "0035633106010100109e8cf6164fcc03766b15ae78e809649a0200080000000000000007030010000102030405060708090a0b0c0d0e0f"
        + "0101cd9ffe9bb6320f14890cdd3948f3ce7b4130ef691389afd42733cc6b5421df1a34c950bcbb831789d2f0b57854cfdfeb0e7a4e68"
        + "1ebfd30497c92fb41dc8e057eef2d0b36f163705"
    private static let hash = "e349f02fcf6589e9cbf346f181c54a4b738526e47aa6280ad8c16cbdbe2d227e"

    private final class Counting: RandomSource {
        func fill(_ bytes: inout MutableRawSpan) {
            for at in bytes.byteOffsets { bytes.storeBytes(of: UInt8(at), toByteOffset: at, as: UInt8.self) }
        }
    }

    @Test("A request is the bytes of the reference implementation")
    func golden() throws {
        let golden = try GoldenMesh()
        let device = golden.device(0)["device_id"].octets(as: DeviceID.self)
        let made = RenewRequest.make(
            of: device, serial: 7, mesh: golden.mesh, key: golden.signing(0), random: Counting())
        #expect(made.signed.bytes.hex == Self.signed)
        #expect(made.hash.hex == Self.hash)
        #expect(try RenewRequest(parsing: Signed(parsing: made.signed.bytes)) == made)
    }

    @Test("Cut at any offset, or with any bit flipped, a request is refused")
    func damage() throws {
        let story = try RenewalStory()
        let current = try story.current()
        let request = story.request(serial: current.serial)
        func isTaken(_ bytes: [UInt8]) -> Bool {
            var book = RenewalBook()
            guard let signed = try? Signed(parsing: bytes), case .accepted? = try? book.accept(signed, story.membership)
            else { return false }
            return true
        }
        var bytes = request.signed.bytes
        #expect(isTaken(bytes))
        for length in 0..<bytes.count { #expect(!isTaken(Array(bytes[..<length])), "\(length) bytes") }
        for index in bytes.indices {
            for bit in 0..<8 {
                bytes[index] ^= 1 << bit
                #expect(!isTaken(bytes), "bit \(bit) of byte \(index)")
                bytes[index] ^= 1 << bit
            }
        }
    }

    @Test(
        "A life of 90 days is asked after between its 60th and its 63rd day, and may be answered by others from its 75th"
    )
    func due() throws {
        let story = try RenewalStory()
        let current = try story.current()
        let due = current.renewalDue.value - current.notBefore.value
        #expect((60 * 1440...63 * 1440).contains(due))
        #expect(current.lastThird == current.notBefore.adding(60 * 1440))
        #expect(current.lastSixth == current.notBefore.adding(75 * 1440))
    }
}

/// A mesh with two field authorities; the first has enrolled a device.
struct RenewalStory {
    var mesh: TestMesh
    var field: LogWriter
    var sibling: LogWriter
    let fieldKeys: SigningPrivateKey
    let siblingKeys: SigningPrivateKey
    let device: TestDevice
    var membership: Membership

    init(
        rights: Capabilities = [.link, .send], days: Int64 = 90,
        sibling change: (inout AuthorityCertificate.Content) -> Void = { _ in }
    ) throws {
        var mesh = try TestMesh()
        fieldKeys = SigningPrivateKey(from: mesh.random)
        siblingKeys = SigningPrivateKey(from: mesh.random)
        device = mesh.device()
        let (add, field) = try mesh.add(keys: [fieldKeys], below: &mesh.root)
        let (other, sibling) = try mesh.add(keys: [siblingKeys], below: &mesh.root, change: change)
        self.field = field
        self.sibling = sibling
        let certificate = try mesh.certificate(device, by: field) {
            $0.capabilities = rights
            $0.notAfter = TestMesh.start.adding(days * 1440)
        }
        membership = try mesh.membership()
        try membership.take(add, other, self.field.append(.certIssue([certificate])))
        self.mesh = mesh
    }

    var id: DeviceID { device.id(in: mesh.mesh) }

    func current() throws -> DeviceCertificate { try #require(membership.currentCertificate(id)) }

    func request(serial: UInt64, key: SigningPrivateKey? = nil) -> RenewRequest {
        RenewRequest.make(
            of: id, serial: serial, mesh: mesh.mesh, key: key ?? device.signing, random: mesh.random)
    }

    func book(with request: RenewRequest) throws -> RenewalBook {
        var book = RenewalBook()
        _ = try book.accept(request.signed, membership)
        return book
    }

    func at(_ day: Double) -> TimeView {
        TimeView(now: TestMesh.start.adding(Int64(day * 1440)), isTrusted: true, floor: TestMesh.start)
    }

    private func authority(_ writer: LogWriter, _ key: SigningPrivateKey) -> Authority {
        let keyset = SigningKeyset(keys: [key], threshold: 1)
        return Authority(AuthorityKeys(mesh: mesh.mesh, authority: writer.log, current: keyset, next: keyset))
    }

    var issuer: Authority { authority(field, fieldKeys) }
    var other: Authority { authority(sibling, siblingKeys) }
}

@Suite("The set of requests for renewal")
struct RenewalBookTests {
    private func refusal(_ request: RenewRequest, _ story: RenewalStory, in book: RenewalBook = RenewalBook())
        -> RenewRefusal?
    {
        var book = book
        do {
            _ = try book.accept(request.signed, story.membership)
            return nil
        } catch {
            return error
        }
    }

    @Test("Only the device itself asks, for what follows its current certificate")
    func accepts() throws {
        let story = try RenewalStory()
        #expect(refusal(story.request(serial: 1), story) == nil)
        #expect(refusal(story.request(serial: 2), story) == .serial)
        #expect(refusal(story.request(serial: 1, key: story.fieldKeys), story) == .signature)
        let stranger = RenewRequest.make(
            of: DeviceID(), serial: 1, mesh: story.mesh.mesh, key: story.device.signing, random: story.mesh.random)
        #expect(refusal(stranger, story) == .stranger)
        let twice = story.request(serial: 1)
        let both = Signed(
            twice.signed.body, type: .object(.renewRequest), mesh: story.mesh.mesh,
            keys: [story.device.signing, story.fieldKeys])
        var book = RenewalBook()
        #expect(throws: RenewRefusal.signature) { try book.accept(both, story.membership) }
    }

    @Test("Of several requests of a device the one with the smallest hash stays, in whatever order they come")
    func one() throws {
        let story = try RenewalStory()
        let requests = (0..<6).map { _ in story.request(serial: 1) }
        let least = try #require(requests.map(\.hash).min())
        for order in [requests, requests.reversed(), requests.sorted { $0.hash < $1.hash }] {
            var book = RenewalBook()
            for request in order { _ = try? book.accept(request.signed, story.membership) }
            #expect(book.all.map(\.request.hash) == [least])
            #expect(try book.accept(#require(book.request(least)).signed, story.membership) == .known)
        }
    }

    @Test("A request goes when it is answered, and its copy does nothing any more")
    func answered() throws {
        var story = try RenewalStory()
        let request = story.request(serial: 1)
        var book = try story.book(with: request)
        let next = try story.mesh.certificate(story.device, serial: 2, by: story.field)
        let entry = try story.field.append(.certIssue([next]))
        guard case .accepted(let intake) = try story.membership.accept(entry.signed) else {
            Issue.record("the entry is not accepted")
            return
        }
        #expect(book.settle(after: intake.changes, intake.entries.map(\.time), story.membership) == [request.hash])
        #expect(book.isEmpty)
        #expect(refusal(request, story, in: book) == .serial)
    }

    @Test("A request goes when its device is revoked, and comes no more")
    func revoked() throws {
        var story = try RenewalStory()
        let request = story.request(serial: 1)
        var book = try story.book(with: request)
        let note = story.mesh.note(of: story.device, authority: story.field.log, keys: [story.fieldKeys])
        guard case .accepted(_, let changes, _) = try story.membership.accept(note: note.signed) else {
            Issue.record("the note is not accepted")
            return
        }
        #expect(book.settle(after: changes, [], story.membership) == [request.hash])
        #expect(refusal(request, story, in: book) == .revoked)
    }

    @Test("A request goes when an authority of the device has written a month after the certificate's end")
    func over() throws {
        var story = try RenewalStory()
        let request = story.request(serial: 1)
        var book = try story.book(with: request)
        let end = try story.current().renewalEnds
        let stranger = story.mesh.device()
        for (time, gone) in [(end.adding(-1), []), (end, [request.hash])] {
            let certificate = try story.mesh.certificate(stranger, serial: UInt64(time.value), by: story.field)
            let entry = try story.field.append(.certIssue([certificate]), time: time)
            guard case .accepted(let intake) = try story.membership.accept(entry.signed) else {
                Issue.record("the entry is not accepted")
                return
            }
            #expect(book.settle(after: intake.changes, intake.entries.map(\.time), story.membership) == gone)
        }
        #expect(refusal(request, story, in: book) == .over)
    }

    @Test("A late date ends no request once its authority was dismissed before it, by a thief or by a wrong clock")
    func dismissed() throws {
        var story = try RenewalStory()
        let request = story.request(serial: 1)
        var book = try story.book(with: request)
        let word = AuthorityRevocation(
            authority: story.field.log, reason: 3, lastGood: [.init(log: story.field.log, sequence: 1)])
        let dismissal = try story.mesh.root.append(.authorityRevoke(word))
        let certificate = try story.mesh.certificate(story.mesh.device(), serial: 2, by: story.field)
        let late = try story.field.append(
            .certIssue([certificate]), time: TestMesh.start.adding(30_000 * 1440))
        for entry in [dismissal, late] {
            guard case .accepted(let intake) = try story.membership.accept(entry.signed) else {
                Issue.record("the entry is not accepted")
                return
            }
            #expect(book.settle(after: intake.changes, intake.entries.map(\.time), story.membership) == [])
        }
        #expect(book.all.map(\.request.hash) == [request.hash])
        #expect(refusal(request, story) == nil)
    }
}

@Suite("Renewal by authorities")
struct RenewalTests {
    @Test("The issuer answers in the last third: the same keys, rights and name, another life")
    func issuer() throws {
        var story = try RenewalStory()
        let before = try story.current()
        #expect(story.issuer.obstacle(to: story.id, story.membership, at: story.at(59.9)) == .early)
        let renewals = try story.issuer.renew([story.id], into: &story.membership, at: story.at(61))
        #expect(renewals.renewed == [story.id])
        #expect(renewals.entry?.log == story.field.log)
        let after = try story.current()
        #expect(after.serial == 2)
        #expect(after.notAfter == TestMesh.start.adding(151 * 1440))
        #expect(after.deviceHash == before.deviceHash)
        #expect(after.capabilities == before.capabilities)
        #expect((after.zones, after.label, after.subject) == (before.zones, before.label, before.subject))
        #expect(story.issuer.obstacle(to: story.id, story.membership, at: story.at(61)) == .early)
    }

    @Test(
        "Another authority answers in the last sixth, with a serial above the current one; and the issuer then above it"
    )
    func other() throws {
        var story = try RenewalStory()
        #expect(story.other.obstacle(to: story.id, story.membership, at: story.at(74)) == .issuersTurn)
        #expect(try story.other.renew([story.id], into: &story.membership, at: story.at(76)).renewed == [story.id])
        #expect(try story.current().issuer == story.sibling.log)
        #expect(try story.current().serial == 2)
        #expect(try story.issuer.renew([story.id], into: &story.membership, at: story.at(152)).renewed == [story.id])
        #expect(try story.current().issuer == story.field.log)
        #expect(try story.current().serial == 3)
    }

    @Test("No authority goes beyond its own limits")
    func limits() throws {
        let zones = try RenewalStory { $0.zones = [4] }
        #expect(zones.other.obstacle(to: zones.id, zones.membership, at: zones.at(80)) == .limits(.zones))
        let rights = try RenewalStory { $0.grantable = [.link] }
        #expect(rights.other.obstacle(to: rights.id, rights.membership, at: rights.at(80)) == .limits(.capabilities))
        let end = try RenewalStory { $0.notAfter = TestMesh.start.adding(90 * 1440 + 1439) }
        #expect(end.other.obstacle(to: end.id, end.membership, at: end.at(80)) == .noGain)
        var days = try RenewalStory { $0.mostDays = 30 }
        #expect(try days.other.renew([days.id], into: &days.membership, at: days.at(80)).renewed == [days.id])
        #expect(try days.current().notAfter == TestMesh.start.adding(110 * 1440))
    }

    @Test("A certificate that ended is renewed for a month, then somebody has to know the device")
    func late() throws {
        let story = try RenewalStory()
        #expect(story.issuer.obstacle(to: story.id, story.membership, at: story.at(119.9)) == nil)
        #expect(story.issuer.obstacle(to: story.id, story.membership, at: story.at(120)) == .late)
    }

    @Test("A revoked device is not renewed, and a suspended one not while it is")
    func standing() throws {
        var story = try RenewalStory()
        let lost = story.id
        let witness = story.mesh.device()
        let certificate = try story.mesh.certificate(witness, serial: 2, by: story.field) {
            $0.subject = story.device.subject
            $0.notAfter = TestMesh.start.adding(80 * 1440)
        }
        try story.membership.take(story.field.append(.certIssue([certificate])))
        let suspend = Suspend.make(
            of: lost, reason: .lost, issued: TestMesh.start.adding(61 * 1440),
            until: TestMesh.start.adding(66 * 1440), mesh: story.mesh.mesh, key: witness.signing)
        _ = try story.membership.accept(suspend: suspend.signed)
        #expect(story.issuer.obstacle(to: lost, story.membership, at: story.at(62)) == .suspended)
        #expect(story.issuer.obstacle(to: lost, story.membership, at: story.at(67)) == nil)
        let note = story.mesh.note(of: story.device, authority: story.field.log, keys: [story.fieldKeys])
        _ = try story.membership.accept(note: note.signed)
        #expect(story.issuer.obstacle(to: lost, story.membership, at: story.at(67)) == .revoked)
        let renewals = try story.issuer.renew([lost, DeviceID()], into: &story.membership, at: story.at(67))
        #expect(renewals.entry == nil)
        #expect(renewals.left.map(\.obstacle) == [.revoked, .stranger])
    }

    @Test("Many devices are renewed in entries of 32 certificates")
    func batches() throws {
        var story = try RenewalStory()
        let devices = (0..<40).map { _ in story.mesh.device() }
        for (number, device) in devices.enumerated() {
            let certificate = try story.mesh.certificate(device, serial: UInt64(number) + 2, by: story.field)
            try story.membership.take(story.field.append(.certIssue([certificate])))
        }
        let ids = devices.map { $0.id(in: story.mesh.mesh) }.sorted()
        let first = try story.issuer.renew(ids, into: &story.membership, at: story.at(61))
        #expect(first.renewed == Array(ids[..<32]))
        let second = try story.issuer.renew(Array(ids[32...]), into: &story.membership, at: story.at(61))
        #expect(second.renewed == Array(ids[32...]))
        #expect(Set(ids.compactMap { story.membership.currentCertificate($0)?.serial }).count == 40)
    }

    @Test("Where another authority has room for some only, it renews those")
    func quota() throws {
        var story = try RenewalStory { $0.mostDevices = 1 }
        let second = story.mesh.device()
        try story.membership.take(
            story.field.append(.certIssue([try story.mesh.certificate(second, serial: 2, by: story.field)])))
        let ids = [story.id, second.id(in: story.mesh.mesh)].sorted()
        let renewals = try story.other.renew(ids, into: &story.membership, at: story.at(80))
        #expect(renewals.renewed == [ids[0]])
        #expect(
            try story.other.renew([ids[1]], into: &story.membership, at: story.at(80)).left.map(\.obstacle)
                == [.limits(.quota)])
    }

    @Test("Who was renewed while away shows the old certificate, and is let in by the new one")
    func renewedWhileAway() throws {
        var story = try RenewalStory()
        let old = try story.current()
        func admission(_ day: Double) -> Admission {
            story.membership.admit(
                certificate: old.signed, chain: .hash(chain), linkKey: old.link, own: DeviceID(), time: story.at(day))
        }
        let chain = try #require(story.membership.chainHash(of: story.id))
        #expect(admission(92).refusal == .time(.expired))
        _ = try story.issuer.renew([story.id], into: &story.membership, at: story.at(80))
        #expect(admission(92).member?.certificate == (try story.current()))
        #expect(admission(172).refusal == .time(.expired))
    }
}
