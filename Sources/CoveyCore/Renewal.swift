import CoveyCrypto

/// Why an authority does not give a device its next certificate unasked by a person.
package enum RenewalObstacle: Error, Equatable, Sendable {
    /// The device has no current certificate here.
    case stranger
    /// More than a third of the life is left.
    case early
    /// Another authority issued the certificate, and more than a sixth of the life is left to it.
    case issuersTurn
    /// The certificate ended too long ago: somebody has to know the device.
    case late
    case revoked
    case suspended
    /// Beyond what this authority may grant.
    case limits(CertificateFault)
    /// This authority's own certificate ends before another one would be worth anything.
    case noGain
    /// The device's rights take two signatures, or the authority more than are here.
    case keys
    case refused(AuthorityRefusal)
}

extension Authority {
    /// Certificates in one entry.
    package static let mostRenewals = 32
    /// Minutes that the next certificate is good for beyond the current one, or it is not given.
    package static let leastGain: Int64 = 1440

    /// What a renewal brought about.
    package struct Renewals: Sendable {
        /// Nil when nobody could be given one.
        package var entry: LogEntry?
        package var renewed: [DeviceID] = []
        package var left: [(device: DeviceID, obstacle: RenewalObstacle)] = []
    }

    /// Gives devices that asked for it their next certificates, in one entry: the same keys, rights and name, the life that
    /// the policy says (protocol.md §1.6).
    ///
    /// Any authority may that covers the certificate's rights; the issuer has half of the time for itself, so that two
    /// authorities rarely answer one request. Of devices that cannot be renewed it says why.
    ///
    /// - Parameter devices: at most `mostRenewals` are looked at.
    package func renew(
        _ devices: [DeviceID], into membership: inout Membership, at time: TimeView
    ) throws(AuthorityRefusal) -> Renewals {
        var renewals = Renewals()
        let entryTime = entryTime(membership, time.now)
        var serial = try nextSerial(membership)
        var certificates: [DeviceCertificate] = []
        for device in devices.prefix(Self.mostRenewals) {
            let content: DeviceCertificate.Content
            do {
                content = try self.content(renewing: device, from: entryTime, serial: serial, membership, time)
            } catch {
                renewals.left.append((device, error))
                continue
            }
            do {
                certificates.append(
                    try DeviceCertificate.make(content, mesh: keys.mesh, keys: keys.current.keys))
            } catch {
                throw .malformed(error)
            }
            renewals.renewed.append(device)
            guard content.serial < .max else { throw .serials }
            serial = content.serial + 1
        }
        guard !certificates.isEmpty else { return renewals }
        do {
            renewals.entry = try append(.certIssue(certificates), to: &membership, time: entryTime)
            return renewals
        } catch {
            guard case .void(let fault) = error else { throw error }
            // One alone is told of at once; of several those that count are found one by one.
            guard renewals.renewed.count > 1 else {
                renewals.left += renewals.renewed.map { ($0, .limits(fault)) }
                renewals.renewed = []
                return renewals
            }
        }
        let half = renewals.renewed.count / 2
        let first = try renew(Array(renewals.renewed[..<half]), into: &membership, at: time)
        guard first.entry == nil else {
            renewals.entry = first.entry
            renewals.left += first.left
            renewals.renewed = first.renewed
            return renewals
        }
        let second = try renew(Array(renewals.renewed[half...]), into: &membership, at: time)
        renewals.entry = second.entry
        renewals.left += first.left + second.left
        renewals.renewed = second.renewed
        return renewals
    }

    /// Why a device cannot be given its next certificate now; nil when it can.
    package func obstacle(to device: DeviceID, _ membership: Membership, at time: TimeView) -> RenewalObstacle? {
        do {
            _ = try content(
                renewing: device, from: entryTime(membership, time.now), serial: try nextSerial(membership),
                membership, time)
            return nil
        } catch let obstacle as RenewalObstacle {
            return obstacle
        } catch let refusal as AuthorityRefusal {
            return .refused(refusal)
        } catch {
            preconditionFailure("there are these two kinds of reasons")
        }
    }

    private func content(
        renewing device: DeviceID, from entryTime: Minute, serial: UInt64, _ membership: Membership, _ time: TimeView
    ) throws(RenewalObstacle) -> DeviceCertificate.Content {
        guard let limits = membership.limits(of: keys.authority) else { throw .refused(.unknown) }
        guard let current = membership.currentCertificate(device) else { throw .stranger }
        guard !membership.isRevoked(device) else { throw .revoked }
        guard !membership.isSuspended(device, at: time) else { throw .suspended }
        guard time.now >= current.lastThird else { throw .early }
        guard current.issuer == keys.authority || time.now >= current.lastSixth else { throw .issuersTurn }
        guard time.now < current.renewalEnds else { throw .late }
        guard keys.current.isSufficient,
            current.capabilities.isDisjoint(with: .privileged) || keys.current.keys.count >= 2
        else { throw .keys }
        guard current.serial < .max else { throw .refused(.serials) }
        var content = current.content
        content.issuer = keys.authority
        // Serials are each issuer's own, and of two issuers' certificates the higher one counts.
        content.serial = max(serial, current.serial + 1)
        content.notBefore = entryTime
        let days = min(membership[policy: .certificateLifeDays], UInt32(limits.mostDays))
        content.notAfter = min(entryTime.adding(Int64(days) * 1440), limits.notAfter)
        guard content.notAfter >= current.notAfter.adding(Self.leastGain) else { throw .noGain }
        if let fault = limits.fault(in: content) { throw .limits(fault) }
        return content
    }
}
