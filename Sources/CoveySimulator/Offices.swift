package import CoveyCore
import CoveyNode

// What the mesh's authorities do, and where their word enters the mesh: at the node of an officer.

extension World {
    /// Revokes a device, announces the epoch that covers it, and hands both to the node of `officer`.
    ///
    /// - Parameter isAnnounced: false leaves the epoch to a later `rotateEpoch`.
    /// - Returns: false when it is revoked already, or no office here enrolled it; then nothing was signed.
    @discardableResult
    public func revoke(
        _ host: Host, by officer: Host, because reason: Revocation = .lost, isAnnounced: Bool = true
    ) -> Bool {
        act(on: host, at: officer) { $0.revoke($1, reason.raw, isAnnounced: isAnnounced, now: $2) }
    }

    /// Revokes a device that is lost and orders it to lock or erase itself, for twenty days; hands that to the node of
    /// `officer`. What the device then does its node says (`Sighting.wipeAccepted`); its host counts it as done, and runs on.
    ///
    /// - Returns: false when no office here enrolled it, or it has as many orders as the log takes; then nothing was signed.
    @discardableResult
    public func orderWipe(_ host: Host, erasing: Bool, by officer: Host) -> Bool {
        act(on: host, at: officer) { $0.orderWipe($1, erasing ? .erase : .lock, now: $2) }
    }

    /// Whether the device was ever ordered to lock or erase itself.
    func wasOrdered(_ host: Host) -> Bool {
        guard let identity = machines[host.index].identity else { return false }
        return enrolment.notes.contains { $0.device == identity.id && $0.content.wipe != nil }
    }

    /// Whether it must obey in the end: some order to it is by keys that are still in force.
    func mustObey(_ host: Host) -> Bool {
        guard let identity = machines[host.index].identity, mayObey(host) else { return false }
        return enrolment.notes.contains {
            $0.device == identity.id && $0.content.wipe != nil && enrolment.membership.isOfEntitled($0.hash)
        }
    }

    /// Whether it was ordered so, and its holder agreed to such orders.
    ///
    /// - Parameter erasing: nil: whatever it was ordered.
    func mayObey(_ host: Host, erasing: Bool? = nil) -> Bool {
        guard let identity = machines[host.index].identity else { return false }
        let modes = enrolment.notes.compactMap { $0.device == identity.id ? $0.content.wipe?.mode : nil }
        guard modes.contains(where: { erasing == nil || $0 == (erasing == true ? .erase : .lock) }) else {
            return false
        }
        return enrolment.membership.currentCertificate(identity.id)?.capabilities.contains(.orgOwned) ?? false
    }

    /// Hands all revocations that the authority ever signed to a node again, as somebody does who has recorded them.
    public func replayRevocations(at host: Host) {
        begin()
        command(.logSubmit(enrolment.notes.map(\.signed.bytes), epochKeys: []), at: host)
    }

    /// Why a device is revoked (protocol.md §1.9).
    public enum Revocation: Hashable, Sendable {
        case retired, lost, compromised

        var raw: RevocationReason {
            switch self {
            case .retired: .retired
            case .lost: .lost
            case .compromised: .compromised
            }
        }
    }

    /// Gives a device's keys a new certificate.
    ///
    /// - Parameter life: in whole days; nil: what the policy says.
    public func renew(_ host: Host, by officer: Host, life: Duration? = nil) {
        act(on: host, at: officer) { $0.renew($1, days: Certificate(life: life).days, now: $2) }
    }

    /// Announces a new epoch.
    public func rotateEpoch(by officer: Host) {
        act(.epoch, at: officer) { $0.rotateEpoch(now: $1) }
    }

    /// The root says where the field authority's log stands: what is before that, no later fork makes void.
    public func checkpoint(by officer: Host) {
        act(.checkpoint, at: officer) { $0.checkpoint(now: $1) }
    }

    /// The root and the field authority go over to the keys they promised, and promise the ones after.
    public func rotateKeys(by officer: Host) {
        act(.newKeys, at: officer) { $0.rotateKeys(now: $1) }
    }

    /// The cold keys decide that of a forked log of the field authority the branch of the authority in office stands.
    public func recoverFork(by officer: Host) {
        act(.forkRecovered, at: officer) { $0.recoverFork(now: $1) }
    }

    /// The field authority's key in other hands from now on, with the log as it is now: stolen, or a copy of its directory
    /// that a second office works from.
    public func copyAuthority() -> AuthorityCopy {
        begin()
        return AuthorityCopy(of: self, enrolment.authority)
    }

    /// The root names a second field authority, which works apart from the first: each knows what the other signs when a
    /// node brings it. Hands the root's entry to the node of `officer`.
    public func appointAuthority(by officer: Host) -> AuthorityCopy {
        begin()
        note(.fault, number: Deed.authorityAppointed.rawValue)
        let (authority, told) = enrolment.appointAuthority(now: minute)
        command(told, at: officer)
        return AuthorityCopy(of: self, authority)
    }

    /// The root revokes the field authority from the moment at which its key was copied, names another one, and that one
    /// announces an epoch: what the old one granted before stays good.
    public func revokeAuthority(since copy: AuthorityCopy, by officer: Host) {
        act(.authorityRevoked, at: officer) { $0.replaceAuthority(lastGood: copy.lastGood, now: $1) }
    }

    /// What an office does to the mesh, by its number in the trace.
    private enum Deed: UInt64 {
        case epoch = 1, checkpoint, authorityRevoked, newKeys, forkRecovered, authorityAppointed
    }

    private func act(_ deed: Deed, at officer: Host, _ sign: (inout Enrolment, Minute) -> Command) {
        begin()
        note(.fault, number: deed.rawValue)
        command(sign(&enrolment, minute), at: officer)
    }

    /// What an office does to one device stands in the trace by that device's host.
    @discardableResult
    private func act(on host: Host, at officer: Host, _ sign: (inout Enrolment, DeviceID, Minute) -> Command?) -> Bool {
        begin()
        guard let identity = machines[host.index].identity else { return false }
        note(.fault, number: UInt64(host.index))
        guard let signed = sign(&enrolment, identity.id, minute) else { return false }
        command(signed, at: officer)
        return true
    }

    /// When a host's certificate ends, as its authority knows it; nil for one without.
    public func certificateEnds(of host: Host) -> Duration? {
        guard let device = machines[host.index].identity?.id, let certificate = membership.currentCertificate(device)
        else { return nil }
        return .seconds(Int64(certificate.notAfter.value) * 60 - options.start)
    }

    /// Whether a host's own log holds an entry that issues a certificate to another one, whatever it is worth there.
    public func isLogged(_ other: Host, at host: Host) -> Bool {
        guard let device = machines[other.index].identity?.id else { return false }
        return loggedEntries(of: host).contains { entry in
            guard case .certIssue(let certificates) = entry.payload else { return false }
            return certificates.contains { $0.device == device }
        }
    }

    /// What a host's log holds, in the order in which it took it: what it began with and what is on its disk.
    package func loggedEntries(of host: Host) -> [LogEntry] {
        Array(beginning) + storedEntries(of: host, after: 0).map(\.entry)
    }

    /// What everybody's log begins with, when the world began.
    var beginning: ArraySlice<LogEntry> { enrolment.entries.prefix(enrolment.shared.entries) }

    /// Entries on a host's disk after a position of its log, and their own. What everybody began with is on no disk.
    package func storedEntries(of host: Host, after position: UInt64) -> [(position: UInt64, entry: LogEntry)] {
        machines[host.index].store.records(.log, after: position, limit: .max).compactMap { record in
            guard let signed = try? Signed(parsing: record.value),
                let entry = try? LogEntry(parsing: signed, mesh: founding.mesh)
            else { return nil }
            return (record.sequence, entry)
        }
    }
}
