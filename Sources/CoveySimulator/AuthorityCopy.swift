import CoveyCore
import CoveyCrypto
import CoveyNode

/// An authority at work beside the one in office, with the log as it was when it began: the field authority's key in a second
/// pair of hands (`World.copyAuthority`), or an authority of its own (`World.appointAuthority`).
///
/// What it signs follows that log. Of a copied key that is a fork, as soon as the authority in office has signed something
/// too; an authority of its own has a log of its own. Whom it tells is its holder's to say: an officer's node, or nobody.
public final class AuthorityCopy {
    private unowned let world: World
    private let authority: Authority
    private var membership: Membership
    /// As its holder knows the log.
    private var entries: [LogEntry]
    private var epochs: [Welcome.Epoch]
    private var notes: [RevokeNote]
    private let random: SeededRandom
    /// The last entry that the authority signed before its key was copied.
    let lastGood: UInt64

    init(of world: World, _ authority: Authority) {
        self.world = world
        self.authority = authority
        membership = world.membership
        entries = world.logEntries
        epochs = world.epochs
        notes = world.revocations
        lastGood = UInt64(membership.entryIDs(of: authority.keys.authority).count)
        random = SeededRandom(seed: world.seed, stream: "authority copied at \(world.now)")
    }

    /// Enrols a reserved host and starts it, with the log that this copy knows.
    ///
    /// - Parameter officer: whose node is told as well; nil: nobody's, so that the mesh hears of the certificate from its
    ///   bearer.
    public func enrol(_ host: Host, by officer: Host? = nil, certificate: Certificate = .member) {
        let entry = give(host, certificate)
        entries.append(entry)
        install(on: host)
        if let officer { world.command(.logSubmit([entry.signed.bytes], epochKeys: []), at: officer) }
        world.start(world.machines[host.index])
    }

    /// Gives a reserved host a certificate that stands in no log, and puts somebody there who never shows the entry. It has
    /// the epoch keys, knocks at everybody, and behaves otherwise as the misbehaviours say.
    public func enrolInSecret(_ host: Host, misbehaving misbehaviours: [Misbehaviour] = []) {
        _ = give(host, .member)
        world.turn(host, misbehaviours)
        world.start(world.machines[host.index])
    }

    /// Revokes a device and hands the note, and an epoch that covers it, to an officer's node.
    ///
    /// - Returns: false when it is revoked already as far as the log here goes, or this authority did not enrol it.
    @discardableResult
    public func revoke(_ host: Host, by officer: Host, because reason: World.Revocation = .lost) -> Bool {
        guard let device = world.machines[host.index].identity?.id, authority.isOver(device, membership),
            !membership.isRevoked(device)
        else { return false }
        world.note(.fault, number: UInt64(host.index))
        do {
            let note = try authority.revoke(
                device, reason: reason.raw, suspectSince: world.minute, into: &membership, now: world.minute)
            notes.append(note)
            announce([note.signed.bytes], officer)
            return true
        } catch { preconditionFailure("a copied key revokes as its original does: \(error)") }
    }

    /// Announces an epoch, and hands its key to an officer's node.
    public func rotateEpoch(by officer: Host) {
        world.note(.fault, number: 1)
        announce([], officer)
    }

    private func announce(_ objects: [[UInt8]], _ officer: Host) {
        let (entry, epoch) = Enrolment.announceEpoch(
            by: authority, into: &membership, now: world.minute, random: random)
        entries.append(entry)
        epochs.append(epoch)
        world.command(
            .logSubmit(
                objects + [entry.signed.bytes], epochKeys: [EpochKeySubmission(entry: epoch.entry, key: epoch.key)]),
            at: officer)
    }

    private func give(_ host: Host, _ certificate: Certificate) -> LogEntry {
        world.note(.fault, number: UInt64(host.index))
        let (identity, entry) = Enrolment.enrol(
            host.name, certificate.grant, by: authority, into: &membership, now: world.minute, random: random)
        world.take(host, identity)
        world.machines[host.index].patron = self
        return entry
    }

    private func install(on host: Host) {
        let (first, firstNote) = world.enrolment.shared
        let store = world.machines[host.index].store
        do {
            try Installation.write(
                accepted: Array(entries[first...]), after: UInt64(first), Array(notes[firstNote...]), epochs, to: store)
            store.commit()
        } catch { preconditionFailure("a new disk takes what is written: \(error)") }
    }

    /// What an insider of its making knows: all of the certificate, and to show the log without it.
    var knowledge: (membership: Membership, entries: [LogEntry], epochs: [Welcome.Epoch]) {
        (membership, entries, epochs)
    }
}
