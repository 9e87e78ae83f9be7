import CoveyCore
import CoveyCrypto

/// A mesh of two devices: `here` is the node that is tried, `there` is held by whoever tries it. The same at each start.
struct SmallMesh {
    let founding: Founding
    let authority: Authority
    let here: PendingEnrolment
    let there: PendingEnrolment
    let membership: Membership
    let entries: [LogEntry]
    let epoch: (entry: EntryID, key: EpochKey)
    let keys: EpochKeys
    /// An invitation that nobody has answered yet.
    let open: OpenInvitation
    let joining: PendingEnrolment

    /// 2026-01-01, in microseconds.
    static let start: Int64 = 1_767_225_600_000_000
    static let minute = Minute(wall: start)

    init() {
        do { self = try SmallMesh(seed: 11) } catch { preconditionFailure("two devices can be enrolled: \(error)") }
    }

    private init(seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        let founding = try Founding.found(name: "Small", profile: .standard, random: random, now: Self.minute)
        let authority = Authority(founding.field)
        var membership = founding.membership()
        var entries = founding.entries
        func invite(_ label: String) throws -> (OpenInvitation, PendingEnrolment) {
            let open = OpenInvitation(
                mesh: founding.mesh, authority: founding.field.authority, label: label, now: Self.minute,
                expires: Self.minute.adding(60), random: random)
            return (open, try PendingEnrolment(accepting: open.invitation, buildHash: Octets32(), random: random))
        }
        func enrol(_ label: String) throws -> PendingEnrolment {
            let (open, pending) = try invite(label)
            let request = try open.verify(pending.request, now: Self.minute)
            entries.append(try authority.issue(request, into: &membership, now: Self.minute, random: random))
            return pending
        }
        here = try enrol("here")
        there = try enrol("there")
        let key = EpochKey(from: random)
        let announcement = try authority.announceEpoch(key, into: &membership, now: Self.minute)
        entries.append(announcement)
        epoch = (announcement.id, key)
        keys = EpochKeys(key)
        (open, joining) = try invite("late")
        self.founding = founding
        self.authority = authority
        self.membership = membership
        self.entries = entries
    }

    var mesh: MeshID { founding.mesh }

    var welcome: Welcome {
        Welcome(
            genesis: founding.genesis, log: entries, notes: [],
            epochs: [Welcome.Epoch(entry: epoch.entry, key: epoch.key)], bundles: [])
    }

    /// The certificates of `there`, its own first.
    var shown: (certificate: Signed, authorities: [Signed]) {
        guard let certificate = membership.currentCertificate(there.identity.id),
            let chain = membership.authorityChain(of: certificate.issuer)
        else { preconditionFailure("the device is enrolled") }
        return (certificate.signed, chain.map(\.signed))
    }
}
