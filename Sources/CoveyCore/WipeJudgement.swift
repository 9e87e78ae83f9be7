package import CoveyCrypto

/// Why a wipe order is not carried out by the device it names. The revocation it rides on stands all the same.
package enum WipeRefusal: Error, Hashable, Sendable {
    /// The note is not in the set, is for another device, carries no order, or does not revoke.
    case notInForce
    /// Its holder never agreed to wipe orders: the current certificate lacks ORG_OWNED.
    case notOrgOwned
    /// For another certificate than the current one.
    case serial
    /// Carried out or refused before.
    case seen
    case expired
    /// Good for more than thirty days after it was issued.
    case lifeTooLong
    /// Who has heard nothing of the authority for so long obeys nobody.
    case staleLog
    /// Three others were issued within a day, and the root's threshold did not sign this one.
    case tooManyOrders
    /// Nobody carries orders out where the node runs.
    case notCarriedOut
}

extension WipeRefusal {
    /// For people: what stands against it.
    package var words: String {
        switch self {
        case .notInForce: "it is not in force"
        case .notOrgOwned:
            "its holder has not agreed to orders of the organisation, so it can be revoked and no more"
        case .serial: "it is for another certificate than the current one"
        case .seen: "it was given before"
        case .expired: "it has expired"
        case .lifeTooLong: "it is good for more than 30 days"
        case .staleLog: "the log has not heard from an authority for too long; announce a network key first"
        case .tooManyOrders: "three others were given within a day; the root's keys must sign this one"
        case .notCarriedOut: "nobody carries it out there"
        }
    }
}

extension Membership {
    package enum WipeBounds {
        /// Minutes from `issued` to `expires`.
        package static let life: Int64 = 30 * 1440
        /// Other orders known of a day, in minutes, from which on only the root is obeyed. A clock may be a day ahead; what
        /// is dated later would count for ever.
        package static let others = 3
        package static let day: Int64 = 1440
    }

    /// Judges the wipe order that a note carries, for the device that is asked to obey (protocol.md §6).
    ///
    /// Who may sign the note was judged when it came into the set. Revoking is safe, so there it is enough that somebody
    /// had the right once; to be obeyed they must have it still.
    package func wipeOrder(
        in hash: NoteHash, for device: DeviceID, isSeen: Bool, at time: TimeView
    ) throws(WipeRefusal) -> WipeOrder {
        guard let record = noteBook.records[hash], record.content.device == device, let order = record.content.wipe,
            effect(of: hash) == .revokes, isOfEntitled(record)
        else { throw .notInForce }
        guard let certificate = currentCertificate(device), certificate.capabilities.contains(.orgOwned) else {
            throw .notOrgOwned
        }
        guard order.serial == certificate.serial else { throw .serial }
        guard !isSeen else { throw .seen }
        guard order.expires <= record.content.issued.adding(WipeBounds.life) else { throw .lifeTooLong }
        guard time.now < order.expires else { throw .expired }
        guard staleness(at: time) == .fresh else { throw .staleLog }
        let isOfRoot = record.content.authority == genesis.rootID
        guard isOfRoot || otherOrders(than: order.order, at: time) < WipeBounds.others else { throw .tooManyOrders }
        return order
    }

    /// Whether those who signed an order may give one now: enough of the authority's present keys, or officers of two
    /// people, none of them revoked.
    package func isOfEntitled(_ hash: NoteHash) -> Bool { noteBook.records[hash].map(isOfEntitled) ?? false }

    func isOfEntitled(_ record: NoteBook.Record) -> Bool {
        switch record.form {
        case .authority(let signers):
            guard let keyset = logs[record.content.authority]?.keyset else { return false }
            return signers.count { keyset.keys.contains($0) } >= keyset.threshold
        case .officers(let officers): return areTwoOfficers(officers.compactMap(certificate(ofOfficer:)))
        case .singleKeys, .device: return false
        }
    }

    /// Neither two devices of one person nor two that have one key are two officers.
    func areTwoOfficers(_ certificates: [DeviceCertificate]) -> Bool {
        Set(certificates.map(\.subject)).count >= 2 && Set(certificates.map(\.signing)).count >= 2
    }

    /// What others can know of an order, whether its device has answered or not.
    package enum OrderStanding: Sendable {
        /// The device may still obey it: it is for the current certificate, of those who may give one now, and not surely
        /// over.
        case open
        /// It was good, and is over.
        case over
        case void
    }

    /// Nil when the note is not here, or carries no order.
    package func standing(ofOrder hash: NoteHash, at time: TimeView) -> OrderStanding? {
        guard let record = noteBook.records[hash], let wipe = record.content.wipe else { return nil }
        let device = record.content.device
        guard revocation(of: device)?.notes.contains(hash) ?? false, let certificate = currentCertificate(device),
            certificate.capabilities.contains(.orgOwned), wipe.serial == certificate.serial, isOfEntitled(record)
        else { return .void }
        return wipe.expires > (time.isTrusted ? time.now : time.floor) ? .open : .over
    }

    /// The orders that a revoked device may still obey, ascending.
    package func openOrders(to device: DeviceID, at time: TimeView) -> [NoteHash] {
        revocation(of: device)?.notes.filter { standing(ofOrder: $0, at: time) == .open } ?? []
    }

    /// The person of a device that may give orders together with another person's; nil when it may not, or not any more.
    package func subject(ofOfficer device: DeviceID) -> SubjectID? { certificate(ofOfficer: device)?.subject }

    private func certificate(ofOfficer device: DeviceID) -> DeviceCertificate? {
        guard let certificate = currentCertificate(device), certificate.capabilities.contains(.wipeOfficer),
            !isRevoked(device)
        else { return nil }
        return certificate
    }

    /// Why a device would refuse an order, from what those who give it can know; nil when nothing speaks against it.
    package func refusal(of order: WipeOrder, issued: Minute, to device: DeviceID) -> WipeRefusal? {
        guard let certificate = currentCertificate(device), certificate.capabilities.contains(.orgOwned) else {
            return .notOrgOwned
        }
        if order.serial != certificate.serial { return .serial }
        if order.expires > issued.adding(WipeBounds.life) { return .lifeTooLong }
        if order.expires <= issued { return .expired }
        let isKnown = noteBook.records.values.contains { $0.content.wipe?.order == order.order }
        return isKnown ? .seen : nil
    }

    /// Devices that may give orders two at a time, in the order of their ids; also those that are revoked since.
    package var wipeOfficers: [(device: DeviceID, label: String, signing: SigningPublicKey)] {
        deviceRecords.filter(\.value.isOfficer).sorted { $0.key < $1.key }.map { device, record in
            (device, currentCertificate(device)?.label ?? "", record.signing)
        }
    }

    private func otherOrders(than order: Octets16, at time: TimeView) -> Int {
        var others: Set<Octets16> = []
        for (hash, record) in noteBook.records {
            guard let wipe = record.content.wipe, wipe.order != order,
                record.content.issued > time.now.adding(-WipeBounds.day),
                record.content.issued <= time.now.adding(WipeBounds.day), effect(of: hash) == .revokes
            else { continue }
            others.insert(wipe.order)
        }
        return others.count
    }

    /// Whether a receipt is of the device that an order in the set names, for that order.
    package func accepts(_ receipt: WipeReceipt) -> Bool {
        guard let record = noteBook.records[receipt.note], record.content.device == receipt.device,
            let order = record.content.wipe, order.order == receipt.order, order.mode == receipt.mode,
            let signing = deviceRecords[receipt.device]?.signing
        else { return false }
        return receipt.signed.signers(among: [signing], type: .wipeReceipt, mesh: mesh)?.count == 1
    }
}
