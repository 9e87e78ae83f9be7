import CoveyCrypto

/// A certificate that ends soon, and whose.
package struct Expiry: Hashable, Sendable {
    package enum Holder: Hashable, Sendable {
        case authority(AuthorityID)
        case device(DeviceID)
    }

    package let holder: Holder
    package let label: String
    package let notAfter: Minute
    /// Who has to renew it.
    package let issuer: AuthorityID

    /// Whole days until then; negative when it is over.
    package func days(from now: Minute) -> Int {
        let minutes = Int(notAfter.value) - Int(now.value)
        return minutes >= 0 ? minutes / 1440 : -((1439 - minutes) / 1440)
    }
}

extension Membership {
    /// Days before the end of an authority's certificate from which its commands warn. A parent may be far away.
    package static let authorityWarning: Int64 = 180
    /// Days before the end of a device's certificate from which its authority is told: a third of the usual life.
    package static let deviceWarning: Int64 = 30

    /// Authorities whose current certificate ends within so many days, or has ended, the soonest first. To one that was
    /// dismissed another certificate gives nothing.
    package func expiringAuthorities(within days: Int64, now: Minute) -> [Expiry] {
        let latest = now.adding(days * 1440)
        return logs.keys.sorted().compactMap { id in
            guard let certificate = authority(id), certificate.content.notAfter <= latest, dismissal(of: id) == nil
            else { return nil }
            return Expiry(
                holder: .authority(id), label: certificate.content.label, notAfter: certificate.content.notAfter,
                issuer: certificate.content.parent)
        }.sorted { $0.notAfter < $1.notAfter }
    }

    /// Living devices whose current certificate is in the last third of its life and ends within so many days, or ended
    /// within the last 30, the soonest first. What ended before that was given up.
    package func expiringDevices(within days: Int64, now: Minute) -> [Expiry] {
        let latest = now.adding(days * 1440)
        let oldest = now.adding(-30 * 1440)
        return deviceRecords.keys.sorted().compactMap { id in
            guard !isRevoked(id), let certificate = currentCertificate(id), certificate.notAfter <= latest,
                certificate.notAfter >= oldest,
                now.adding(Int64(certificate.notAfter.value - certificate.notBefore.value) / 3) >= certificate.notAfter
            else { return nil }
            return Expiry(
                holder: .device(id), label: certificate.label, notAfter: certificate.notAfter,
                issuer: certificate.issuer)
        }.sorted { $0.notAfter < $1.notAfter }
    }
}
