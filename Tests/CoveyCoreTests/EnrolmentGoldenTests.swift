import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

/// The files of one enrolment as another program wrote them: alice of the golden file is enrolled by its root.
@Suite("Enrolment, against files written elsewhere")
struct EnrolmentGoldenTests {
    static let now = Minute(29_000_100)

    static func vectors() throws -> (own: JSON, golden: JSON) {
        (try VectorFile.own("enrolment.json").json(), try Golden.json())
    }

    @Test("an invitation reads as it was written, and is written as it reads, with and without a release")
    func invitation() throws {
        let (json, golden) = try Self.vectors()
        for name in ["invitation", "invitation_without_release"] {
            let invitation = try Invitation(parsing: json[name].bytes)
            #expect(invitation.bytes == json[name].bytes)
            #expect(invitation.mesh == golden["genesis"]["mesh_id"].octets())
            #expect(invitation.authority == golden["genesis"]["root_id"].octets())
            #expect(invitation.secret.isEqual(to: json["invite_secret"].key()))
            #expect(invitation.expires == Minute(UInt32(json["expires"].int)))
            #expect(invitation.label == json["label"].string)
            #expect(invitation.manifest == (name == "invitation" ? json["manifest"].octets() : nil))
        }
        let open = try OpenInvitation(parsing: json["open_invitation"].bytes.span.bytes)
        #expect(open.bytes == json["open_invitation"].bytes)
        #expect(open.invitation.bytes == json["invitation"].bytes)
    }

    @Test("a request made elsewhere passes every proof, and has the digits that were computed there")
    func request() throws {
        let (json, golden) = try Self.vectors()
        let open = try OpenInvitation(parsing: json["open_invitation"].bytes.span.bytes)
        let request = try EnrolmentRequest(parsing: json["request"].bytes)
        #expect(request.hash == json["request_hash"].octets())
        #expect(request.shortString == json["short_string"].string)
        #expect(request.buildHash == json["build_hash"].octets())
        let verified = try open.verify(request, now: Self.now)
        #expect(verified.deviceHash.deviceID == golden["devices"][0]["device_id"].octets())
    }

    @Test("the key files of device and authority read as they were written, and are written as they read")
    func keyFiles() throws {
        let (json, golden) = try Self.vectors()
        let identity = try DeviceIdentity(parsing: json["identity"].bytes.span.bytes)
        #expect(identity.bytes == json["identity"].bytes)
        #expect(identity.id == golden["devices"][0]["device_id"].octets())
        let pending = try PendingEnrolment(parsing: json["pending"].bytes.span.bytes)
        #expect(pending.bytes == json["pending"].bytes)
        #expect(pending.welcomeKey.isEqual(to: json["welcome_key"].key()))
        let authority = try AuthorityKeys(parsing: json["authority_keys"].bytes.span.bytes)
        #expect(authority.bytes == json["authority_keys"].bytes)
        #expect(authority.current.keyset.authorityID == golden["genesis"]["root_id"].octets())
        #expect(authority.current.threshold == 2)
    }

    @Test("a welcome sealed elsewhere opens, and makes the device a member")
    func welcome() throws {
        let (json, golden) = try Self.vectors()
        let pending = try PendingEnrolment(parsing: json["pending"].bytes.span.bytes)
        let welcome = try Welcome(opening: json["welcome"].bytes, of: pending)
        #expect(welcome.genesis.signed.bytes == golden["genesis"]["signed"].bytes)
        #expect(
            welcome.log.map(\.id) == ["log_first", "log_entry"].map { golden[$0]["id"].octets() } + [
                golden["epoch"]["announce"]["id"].octets()
            ])
        #expect(welcome.notes.map(\.hash) == [golden["notes"][0], golden["notes"][2]].map { $0["hash"].octets() })
        #expect(welcome.epochs.map(\.key.commit) == [golden["epoch"]["commit"].octets()])
        #expect(welcome.bundles.map(\.bytes) == [golden["bundle"]["signed"].bytes])
        let membership = try welcome.membership(of: pending)
        let time = TimeView(now: Self.now, isTrusted: true, floor: Minute(29_000_061))
        #expect(membership.isMember(pending.identity.id, at: time))
        #expect(membership.isRevoked(golden["devices"][1]["device_id"].octets()))
    }

    @Test("files written elsewhere are read, and written again to the same bytes")
    func files() throws {
        let (json, golden) = try Self.vectors()
        let mesh: MeshID = golden["genesis"]["mesh_id"].octets()
        let kinds: [(String, CoveyFile.Kind)] = [("invite", .invitation), ("request", .request), ("welcome", .welcome)]
        for (name, kind) in kinds {
            let file = try CoveyFile(parsing: json["files"][name].bytes)
            let content = name == "invite" ? "invitation" : name
            #expect(try file.content(kind, of: mesh) == json[content].bytes)
            #expect(file.bytes == json["files"][name].bytes)
        }
        let log = try CoveyFile(parsing: json["files"]["log"].bytes)
        let entries = try log.log(of: mesh)
        #expect(
            entries.map(\.bytes) == ["log_first", "log_entry"].map { golden[$0]["signed"].bytes } + [
                golden["epoch"]["announce"]["signed"].bytes
            ])
        #expect(CoveyFile.log(entries, mesh: mesh).bytes == json["files"]["log"].bytes)
    }
}
