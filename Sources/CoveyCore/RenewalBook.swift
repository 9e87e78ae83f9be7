import CoveyCrypto

/// Why a RenewReq was not taken.
package enum RenewRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(Malformed)
    /// The device has no certificate here.
    case stranger
    /// It asks to follow another certificate than the current one: it was answered, or our log is behind.
    case serial
    case signature
    case revoked
    /// The device's authorities have written since the time in which it is answered.
    case over
    /// Another of the device with the same serial is kept.
    case notFirst

    /// For people: why the request for renewal is not carried.
    package var description: String {
        switch self {
        case .malformed(let cause): "it is malformed: \(cause)"
        case .stranger: "the device has no certificate here; import the log first"
        case .serial: "it follows another certificate than the current one; import the log first"
        case .signature: "it is not signed by its device"
        case .revoked: "its device is revoked"
        case .over: "it is older than requests are answered; the device asks again by itself"
        case .notFirst: "another request of the device is kept already"
        }
    }
}

package enum RenewOutcome: Sendable, Equatable {
    /// `dropped`: what left the set for it.
    case accepted(RenewRequest, dropped: RenewHash?)
    case known
}

/// The RenewReqs that wait for an answer: part of the set of notes, one of a device at most.
///
/// What is in the set follows from the log, the notes and the requests that were seen, and from no clock: so both sides
/// of a link come to the same set, and its reconciliation ends. Of several requests of one device the one with the
/// smallest hash stays; to push out one after the other takes twice the work each time.
package struct RenewalBook: Sendable {
    package struct Record: Sendable {
        package let request: RenewRequest
        /// The one it asks to follow.
        package let certificate: CertificateHash
        /// Its place in the set: the hour of that certificate's beginning.
        package let slot: Hour
        let ends: Minute
    }

    private var records: [DeviceID: Record] = [:]
    private var devices: [RenewHash: DeviceID] = [:]
    /// No record ends before.
    private var firstEnd = Minute(.max)

    package init() {}

    package var isEmpty: Bool { records.isEmpty }

    package subscript(device: DeviceID) -> Record? { records[device] }

    /// In the order of their devices.
    package var all: [Record] { records.keys.sorted().compactMap { records[$0] } }

    package func request(_ hash: RenewHash) -> RenewRequest? {
        devices[hash].flatMap { records[$0] }?.request
    }

    package mutating func accept(
        _ signed: Signed, _ membership: Membership
    ) throws(RenewRefusal) -> RenewOutcome {
        let request: RenewRequest
        do { request = try RenewRequest(parsing: signed) } catch { throw .malformed(error) }
        let held = records[request.device]
        if let held, held.request.hash == request.hash { return .known }
        guard let current = membership.currentCertificate(request.device) else { throw .stranger }
        guard request.serial == current.serial else { throw .serial }
        guard !membership.isRevoked(request.device) else { throw .revoked }
        guard !membership.isOver(current) else { throw .over }
        if let held, held.request.hash < request.hash { throw .notFirst }
        guard request.asksToFollow(current, in: membership.mesh) else { throw .signature }
        if let held { devices[held.request.hash] = nil }
        devices[request.hash] = request.device
        records[request.device] = Record(
            request: request, certificate: current.hash, slot: current.notBefore.hour, ends: current.renewalEnds)
        firstEnd = min(firstEnd, current.renewalEnds)
        return .accepted(request, dropped: held?.request.hash)
    }

    /// Forgets what is answered or void, after the membership took in entries or notes. Gives what is gone, ascending.
    ///
    /// - Parameter times: of the entries.
    package mutating func settle(
        after changes: [MembershipChange], _ times: [Minute], _ membership: Membership
    ) -> [RenewHash] {
        guard !records.isEmpty else { return [] }
        var some: Set<DeviceID> = []
        var isAll = times.contains { $0 >= firstEnd }
        for change in changes {
            switch change {
            case .issued(let device, _): some.formUnion(membership.devicesContesting(device))
            // Rights and quotas of others may hang on these.
            case .authority, .authorityRevoked, .rotated, .frozen, .recovered, .revoked, .suspended, .reinstated:
                isAll = true
            case .policy, .void, .epoch, .checkpoint, .group, .release: break
            }
        }
        var gone: [RenewHash] = []
        for device in isAll ? Array(records.keys) : Array(some) {
            guard let record = records[device], !stands(record, device, membership) else { continue }
            records[device] = nil
            devices[record.request.hash] = nil
            gone.append(record.request.hash)
        }
        if isAll { firstEnd = records.values.map(\.ends).min() ?? Minute(.max) }
        return gone.sorted()
    }

    private func stands(_ record: Record, _ device: DeviceID, _ membership: Membership) -> Bool {
        guard let current = membership.currentCertificate(device), current.hash == record.certificate else {
            return false
        }
        return !membership.isRevoked(device) && !membership.isOver(current)
    }
}

extension Membership {
    /// Whether the authorities of a device have written since its certificate could be renewed.
    fileprivate func isOver(_ certificate: DeviceCertificate) -> Bool {
        hasWritten(certificate.issuer, since: certificate.renewalEnds)
    }

    /// A device, and those that claim its link key as well: who has it may change with a certificate of either.
    fileprivate func devicesContesting(_ device: DeviceID) -> [DeviceID] {
        guard let link = deviceRecords[device]?.certificates.first?.certificate.link else { return [device] }
        return rivalClaims[link]?.devices ?? [device]
    }
}
