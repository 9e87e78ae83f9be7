import CoveyCore
import CoveyCrypto
import CoveyLink
import Testing

@testable import CoveyNode

/// Ana and bo run and are linked. Mallory is a member whose link to ana the test speaks, and she has the keys of all
/// authorities, one of them a district with little right.
struct StolenKeys {
    let mesh: TestMesh
    let ana: TestMesh.Host
    let bo: TestMesh.Host
    let district: AuthorityKeys
    let member: RawMember
    let random = SeededRandom(seed: 72)

    var field: AuthorityKeys { mesh.founding.field }
    var psk: SymmetricKey { get throws { EpochKeys(try #require(mesh.epochs.last).key).psk.key } }

    /// - Parameters:
    ///   - clockOffset: of ana's clock, in microseconds.
    ///   - others: enrolled, and not running.
    init(
        field: KeysetShape = .single, district shape: KeysetShape = KeysetShape(1, of: 2), clockOffset: Int64 = 0,
        others: [(name: String, rights: Capabilities)] = []
    ) throws {
        mesh = try TestMesh(field: field)
        ana = try mesh.enrol("ana")
        bo = try mesh.enrol("bo")
        let mallory = try mesh.enrol("mallory")
        for other in others { _ = try mesh.enrol(other.name, rights: other.rights) }
        let mandate = Mandate(
            grantable: Grant.member.union(.privileged), zones: [3], mostDevices: 100, mostDays: 90, depth: 1)
        district = try mesh.appoint(field: shape, mandate).authority.keys
        ana.clockOffset = clockOffset
        try mesh.begin(ana, multicast: .off)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        let (mesh, ana, bo) = (mesh, ana, bo)
        mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: ana)
        #expect(try mesh.run(seconds: 30) { mesh.isLinked(ana, bo) })
        member = try RawMember(mesh, mallory, linkedTo: ana)
        try member.open()
    }

    /// Both are off for so long, and then have a minute to find each other.
    func stayOff(hours: UInt64) throws {
        for host in [ana, bo] { mesh.stop(host) }
        mesh.skip(seconds: hours * 3600)
        try mesh.begin(ana, multicast: .off)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        try mesh.run(seconds: 60)
    }

    // MARK: Forging

    /// By an authority, wherever it is to stand: at the end of its log, where nothing else is said.
    func entry(
        _ payload: LogPayload, by keys: AuthorityKeys, after previous: EntryID? = nil, sequence: UInt64? = nil,
        time: Minute? = nil, signedBy signers: [SigningPrivateKey]? = nil
    ) throws -> LogEntry {
        let ids = mesh.membership.entryIDs(of: keys.authority)
        let last = try ids.last ?? opening(of: keys.authority)
        return try LogEntry.make(
            log: keys.authority, sequence: sequence ?? UInt64(ids.count) + 1, previous: previous ?? last,
            time: time ?? mesh.minute, payload: payload, mesh: mesh.founding.mesh,
            keys: signers ?? keys.current.keys)
    }

    /// What the first entry of an authority's log hangs on.
    private func opening(of authority: AuthorityID) throws -> EntryID {
        let entry = mesh.entries.first { entry in
            guard case .authorityAdd(let added) = entry.payload else { return false }
            return added.authority == authority
        }
        return try #require(entry).id
    }

    func device() -> DeviceIdentity { DeviceIdentity(mesh: mesh.founding.mesh, random: random) }

    /// Signed by one key, by all where `isByAll`.
    func certificate(
        for device: DeviceIdentity, by issuer: AuthorityKeys, isByAll: Bool = false, in other: MeshID? = nil,
        change: (inout DeviceCertificate.Content) -> Void = { _ in }
    ) throws -> DeviceCertificate {
        var content = DeviceCertificate.Content(
            serial: 1000, issuer: issuer.authority, signing: device.signing.publicKey,
            link: device.link.publicKey, message: device.message.publicKey, subject: .random(from: random),
            notBefore: mesh.minute, notAfter: mesh.minute.adding(60 * 1440), capabilities: Grant.member, zones: [3],
            label: "forged")
        change(&content)
        let keys = isByAll ? issuer.current.keys : [issuer.current.keys[0]]
        return try DeviceCertificate.make(content, mesh: other ?? mesh.founding.mesh, keys: keys)
    }

    func note(
        of device: DeviceID, authority: AuthorityID = AuthorityID(), number: UInt32 = 0, wipe: WipeOrder? = nil,
        keys: [SigningPrivateKey]
    ) -> Signed {
        RevokeNote.make(
            RevokeNote.Content(
                device: device, reason: .retired, suspectSince: mesh.minute, issued: mesh.minute,
                authority: authority, number: number, wipe: wipe),
            mesh: mesh.founding.mesh, keys: keys
        ).signed
    }

    // MARK: Looking

    /// All that ana goes by when she decides about members.
    struct Holdings: Equatable {
        var log: [[UInt8]]
        var notes: [[UInt8]]
        var members: [DeviceID]
        var suspended: Int
        var epoch: UInt32?
        var now: Minute
    }

    func status() throws -> Status { try #require(try mesh.status(of: ana)) }

    func holdings() throws -> Holdings {
        let status = try status()
        return Holdings(
            log: ana.store.records(.log, after: 0, limit: .max).map(\.value),
            notes: ana.store.all(.notes).map(\.value), members: try contacts().map(\.device),
            suspended: status.suspended, epoch: status.epoch, now: status.now)
    }

    func contacts() throws -> [Contact] {
        mesh.command(.contacts, at: ana)
        try mesh.run(seconds: 0)
        guard case .contacts(let contacts)? = ana.replies.last else { return [] }
        return contacts
    }

    func refusals(_ cause: Refusal) throws -> UInt64 { try status().refusals[cause] ?? 0 }

    /// What comes of a handshake.
    enum Standing: Equatable {
        case member
        case catchUp
        case refused(Refusal)
        /// Nothing was noticed.
        case silence

        static func refused(_ why: AdmissionRefusal) -> Self { refused(.handshake(.notAdmitted(why))) }
    }

    /// Somebody shows a certificate to ana. Whoever is refused hears nothing, and the cause is counted.
    func standing(
        of device: DeviceIdentity, showing certificate: Signed, _ chain: [Signed]
    ) throws -> Standing {
        let seen = ana.observations.count
        let caller = Caller(mesh, ana, link: device.link)
        let (initiator, _) = try caller.knock(psk)
        _ = try caller.link(initiator, showing: certificate, chain)
        for observation in ana.observations[seen...] {
            switch observation {
            case .linkUp(_, _, isCatchUp: true): return .catchUp
            case .linkUp(_, _, isCatchUp: false): return .member
            case .refused(_, let cause):
                #expect(caller.peer.received.isEmpty && caller.peer.isClosed)
                #expect(try refusals(cause) > 0)
                return .refused(cause)
            default: continue
            }
        }
        return .silence
    }

    func chain(of authority: AuthorityKeys) throws -> [Signed] {
        try #require(mesh.membership.authorityChain(of: authority.authority)).map(\.signed)
    }

    // MARK: Expecting

    /// Mallory says something that is refused for this cause alone, and changes nothing; her link stands.
    func expectRefusal(_ cause: Refusal, _ say: (RawMember) throws -> Void) throws {
        let (before, count) = (try holdings(), try refusals(cause))
        try say(member)
        #expect(try refusals(cause) == count + 1)
        #expect(try holdings() == before)
        #expect(!member.isClosed)
    }

    /// An entry that stands, and whatever it grants is void.
    func expectVoid(_ entry: LogEntry) throws {
        var expected = try holdings()
        expected.log.append(entry.signed.bytes)
        try member.say(Frame.LogPut([entry.signed]))
        #expect(try holdings() == expected)
        #expect(!member.isClosed)
    }

    func expectTraffic() throws {
        let (mesh, ana, bo) = (mesh, ana, bo)
        #expect(mesh.isLinked(ana, bo) && !ana.linkEnds.contains(.protocolFault))
        let read = ana.delivered.count
        mesh.send("All goes on.", from: bo, to: ana)
        #expect(try mesh.run(seconds: 30) { ana.delivered.count == read + 1 })
    }
}
