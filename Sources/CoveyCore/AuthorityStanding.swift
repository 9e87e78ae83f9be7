/// How an authority stands at a time, for whoever looks after authorities.
package struct AuthorityStanding: Sendable, Equatable {
    package enum State: String, CaseIterable, Sendable {
        case live
        /// Live, and acting with other keys than those it was added with.
        case rotated
        case notYetValid
        case expired
        /// It, or one above it, was revoked; what was good then may still count.
        case revoked
        /// Nobody who may has added it.
        case withoutRight
        /// Its log has two histories, and nobody has decided between them.
        case forked
    }

    package let authority: AuthorityID
    /// Nil for the root.
    package let parent: AuthorityID?
    /// The one under which it acts, or else the last that its parent gave it; nil for the root.
    package let certificate: AuthorityCertificate?
    /// Whose signatures the next entry of its log needs.
    package let keyset: Keyset
    /// Devices with a certificate of it that are neither revoked nor expired.
    package let liveDevices: Int
    package let state: State

    /// What it may grant, or might while it had the right.
    package var limits: AuthorityLimits { certificate.map { AuthorityLimits($0.content) } ?? .root }
    /// Nil: without limit.
    package var mostDevices: Int? { certificate.map { Int($0.content.mostDevices) } }
}

extension Membership {
    /// Of every authority that was ever added: the root first, and each behind the one above it.
    package func authorityStandings(at now: Minute) -> [AuthorityStanding] {
        let live = liveDevices(at: now)
        var found: [AuthorityStanding] = []
        var open = [genesis.rootID]
        while let id = open.popLast() {
            guard let log = logs[id] else { continue }
            let certificate = authority(id) ?? latestGrant(of: id)
            found.append(
                AuthorityStanding(
                    authority: id, parent: log.parent, certificate: certificate, keyset: log.keyset,
                    liveDevices: live[id] ?? 0, state: state(of: id, log, certificate, now)))
            open += logs.keys.filter { logs[$0]?.parent == id }.sorted(by: >)
        }
        return found
    }

    private func state(
        of id: AuthorityID, _ log: AuthorityLog, _ certificate: AuthorityCertificate?, _ now: Minute
    ) -> AuthorityStanding.State {
        if isFrozen(id) { return .forked }
        if grantLimit(of: id) != .max { return .revoked }
        guard limits(of: id) != nil else { return .withoutRight }
        if let content = certificate?.content {
            if now < content.notBefore { return .notYetValid }
            if now > content.notAfter { return .expired }
        }
        return log.keyset.authorityID == id ? .live : .rotated
    }

    /// How many devices have a certificate of each authority, without those that are revoked or expired.
    func liveDevices(at now: Minute) -> [AuthorityID: Int] {
        var live: [AuthorityID: Int] = [:]
        for device in devices {
            guard !isRevoked(device), let certificate = currentCertificate(device), certificate.notAfter >= now else {
                continue
            }
            live[certificate.issuer, default: 0] += 1
        }
        return live
    }
}
