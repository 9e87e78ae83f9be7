import CoveyConversation
package import CoveyCore
package import CoveyCrypto

// Orders that two wipe officers give (protocol.md §1.9): one drafts and signs, another signs, and with that it is in force.

/// What an officer wants a device to do.
package struct WipeDraft: Hashable, Sendable {
    /// An exact label, or at least six hex digits that begin a device id.
    package var device: String
    package var mode: WipeOrder.Mode
    package var reason: RevocationReason
    /// For which the order is good.
    package var days: UInt16

    package init(device: String, mode: WipeOrder.Mode, reason: RevocationReason, days: UInt16) {
        self.device = device
        self.mode = mode
        self.reason = reason
        self.days = days
    }
}

/// An order with the signatures it has.
package struct SignedOrder: Hashable, Sendable {
    /// The RevokeNote, a Signed object.
    package var note: [UInt8]
    package var device: DeviceID
    package var label: String
    package var mode: WipeOrder.Mode
    package var expires: Minute
    /// Labels of the officers who signed.
    package var officers: [String]
    /// It is in force, and on its way.
    package var isInForce: Bool
}

/// An order as this node knows it.
package struct WipeLine: Hashable, Sendable {
    package enum State: String, Sendable, CaseIterable {
        /// Its device said that it obeys.
        case carriedOut
        /// Nothing was heard of its device, and the order is still good.
        case waiting
        /// It is over, and nothing was heard.
        case expired
        /// Its device obeys no orders, or not this one.
        case void
    }

    package var order: Octets16
    package var device: DeviceID
    package var label: String
    package var mode: WipeOrder.Mode
    package var issued: Minute
    package var expires: Minute
    /// The label of the authority, or of the officers.
    package var by: String
    package var state: State
    /// By the device's own clock.
    package var done: Minute?
}

extension Node {
    func draftWipe(_ draft: WipeDraft, _ now: Now) throws -> SignedOrder {
        try checkOfficer(now)
        let device = try device(named: draft.device)
        guard device != own.id else { throw CommandRefusal.policy("an officer does not order its own device") }
        let issued = time(now).now
        guard let certificate = roster.membership.currentCertificate(device) else {
            throw CommandRefusal.notFound("this device has no certificate")
        }
        let order = WipeOrder(
            mode: draft.mode, order: .random(from: random), serial: certificate.serial,
            expires: issued.adding(Int64(draft.days) * 1440))
        let content = RevokeNote.Content(
            device: device, reason: draft.reason, suspectSince: issued, issued: issued, wipe: order)
        if let refusal = roster.membership.refusal(of: order, issued: issued, to: device) {
            throw CommandRefusal.policy("the device would not obey this order: \(refusal.words)")
        }
        return try signed(
            RevokeNote.make(content, mesh: own.mesh, keys: [configuration.identity.signing]), isInForce: false)
    }

    func signWipe(
        _ bytes: [UInt8], _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> SignedOrder {
        try checkOfficer(now)
        let note = try draft { () throws(Malformed) in try RevokeNote(parsing: Signed(parsing: bytes)) }
        let content = note.content
        guard content.authority == AuthorityID(), content.number == 0, let order = content.wipe else {
            throw CommandRefusal.policy("this is no order of wipe officers")
        }
        guard !roster.membership.hasNote(note.hash) else {
            throw CommandRefusal.policy("this order is in force already")
        }
        guard content.issued <= time(now).now.adding(MeshClock.Bounds.entryAhead), order.expires > time(now).now else {
            throw CommandRefusal.policy(
                "this order has expired, or is dated in the future: set the clocks, or draft it anew")
        }
        if let refusal = roster.membership.refusal(of: order, issued: content.issued, to: content.device) {
            throw CommandRefusal.policy("the device would not obey this order: \(refusal.words)")
        }
        try check(signersBefore: note)
        let whole = try draft { () throws(Malformed) in
            try RevokeNote(
                parsing: note.signed.adding(
                    [configuration.identity.signing], type: .object(.revokeNote), mesh: own.mesh))
        }
        do {
            _ = try take(note: whole.signed, from: nil, now, store, &effects)
        } catch let refusal as NoteRefusal {
            throw CommandRefusal.policy("the order is not in force: \(refusal)")
        }
        return try signed(whole, isInForce: roster.membership.hasNote(whole.hash))
    }

    private func draft<Value>(_ body: () throws(Malformed) -> Value) throws -> Value {
        do { return try body() } catch { throw CommandRefusal.policy("this is no draft of an order: \(error)") }
    }

    /// Two people give an order, and both are officers when the second signs.
    private func check(signersBefore note: RevokeNote) throws {
        let membership = roster.membership
        let before = try officers(whoSigned: note)
        guard !before.contains(where: { $0.device == own.id }) else {
            throw CommandRefusal.policy("this device signed it already; it waits for another officer")
        }
        for officer in before {
            guard let subject = membership.subject(ofOfficer: officer.device) else {
                throw CommandRefusal.policy(
                    "\(officer.label), who signed it, is no wipe officer any more: draft it anew")
            }
            guard subject != membership.subject(ofOfficer: own.id) else {
                throw CommandRefusal.policy(
                    "\(officer.label), which signed it, is another device of the same person: a second officer has to sign"
                )
            }
        }
    }

    private func checkOfficer(_ now: Now) throws {
        guard let certificate = roster.membership.currentCertificate(own.id),
            certificate.capabilities.contains(.wipeOfficer), roster.membership.isMember(own.id, at: time(now))
        else { throw CommandRefusal.policy("this device is no wipe officer: its certificate does not say so") }
    }

    private func signed(_ note: RevokeNote, isInForce: Bool) throws -> SignedOrder {
        guard let wipe = note.content.wipe else { preconditionFailure("an order is drafted with one") }
        return SignedOrder(
            note: note.signed.bytes, device: note.device,
            label: roster.membership.currentCertificate(note.device)?.label ?? "", mode: wipe.mode,
            expires: wipe.expires, officers: try officers(whoSigned: note).map(\.label), isInForce: isInForce)
    }

    private func officers(whoSigned note: RevokeNote) throws -> [(device: DeviceID, label: String)] {
        let officers = roster.membership.wipeOfficers
        guard
            let signers = note.signed.signers(
                among: officers.map(\.signing), type: .object(.revokeNote), mesh: own.mesh)
        else { throw CommandRefusal.policy("a signature on the order is wrong, or not of a wipe officer") }
        return officers.filter { signers.contains($0.signing) }.map { ($0.device, $0.label) }
    }

    /// All orders that are known, the newest first.
    func wipeLines(_ now: Now) -> [WipeLine] {
        let membership = roster.membership
        let view = time(now)
        var lines: [WipeLine] = []
        for hash in membership.notes {
            guard let content = membership.note(hash), let wipe = content.wipe else { continue }
            let certificate = membership.currentCertificate(content.device)
            let state: WipeLine.State =
                switch membership.standing(ofOrder: hash, at: view) {
                case _ where receipts[hash] != nil: .carriedOut
                case .open: .waiting
                case .over: .expired
                case .void, nil: .void
                }
            lines.append(
                WipeLine(
                    order: wipe.order, device: content.device, label: certificate?.label ?? "", mode: wipe.mode,
                    issued: content.issued, expires: wipe.expires, by: membership.authorWords(of: hash) ?? "",
                    state: state, done: receipts[hash]?.done))
        }
        return lines.sorted { ($0.issued, $0.order) > ($1.issued, $1.order) }
    }
}
