import CoveyConversation
package import CoveyCore
package import CoveyCrypto
import CoveyLink

// Remote lock and wipe (protocol.md §6): the target judges the order, says that it obeys, and leaves the rest to whoever
// runs the node; the others wait a moment for that word before they drop its link.

/// A wipe order that this device took. One record for all: n × `order 16 | mode 1 | 1 when it was carried out`.
struct TakenWipe {
    static let byteCount = 18
    let order: Octets16
    let mode: WipeOrder.Mode
    var isDone: Bool

    static let key = Array("wipes".utf8)

    static func load(_ store: any Store) throws -> [TakenWipe] {
        guard let bytes = try store.get(.state, key) else { return [] }
        guard bytes.count.isMultiple(of: byteCount) else { throw StoreError.damaged("the record of wipe orders") }
        return try stride(from: 0, to: bytes.count, by: byteCount).map { at in
            guard let order = Octets16(bytes[at..<at + 16]), let mode = WipeOrder.Mode(rawValue: bytes[at + 16]) else {
                throw StoreError.damaged("the record of wipe orders")
            }
            return TakenWipe(order: order, mode: mode, isDone: bytes[at + 17] != 0)
        }
    }

    static func save(_ taken: [TakenWipe], _ store: any Store) throws {
        var bytes: [UInt8] = []
        for wipe in taken {
            bytes.append(wipe.order)
            bytes.append(wipe.mode.rawValue)
            bytes.append(wipe.isDone ? 1 : 0)
        }
        try store.put(.state, key, bytes)
    }
}

extension Node {
    /// Carries a wipe order out, as far as a node can, if it is for this device and holds. At most once: it is on disk as
    /// taken before anything is done about it.
    func obey(_ hash: NoteHash, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        guard let content = roster.membership.note(hash), content.device == own.id, let wipe = content.wipe,
            let note = roster.order(hash)
        else { return }
        let isSeen = wipes.contains { $0.order == wipe.order }
        let order: WipeOrder
        do {
            order = try roster.membership.wipeOrder(in: hash, for: own.id, isSeen: isSeen, at: time(now))
        } catch {
            if error != .seen { effects.append(.observe(.wipeRefused(error))) }
            return
        }
        guard configuration.obeysWipeOrders else {
            effects.append(.observe(.wipeRefused(.notCarriedOut)))
            return
        }
        forgetOrdersThatAreOver()
        guard wipes.count < Limits.wipes else {
            effects.append(.observe(.wipeRefused(.tooManyOrders)))
            return
        }
        wipes.append(TakenWipe(order: order.order, mode: order.mode, isDone: false))
        try TakenWipe.save(wipes, store)
        let receipt = WipeReceipt.make(
            of: order, in: hash, by: own.id, done: time(now).now, mesh: own.mesh,
            key: configuration.identity.signing)
        receipts[hash] = receipt
        try store.put(.notes, receipt.note.array + [1], receipt.signed.bytes)
        // In one frame: whoever reads the note first has no link to us any more for the next.
        for link in links where !link.isEnded {
            link.sender.append(all: Frame.NotePut([note.signed, receipt.signed]))
            touch(link)
        }
        wipesDue.append(wipes[wipes.count - 1])
    }

    /// When there is no room for another: those that could be given again are still known.
    private func forgetOrdersThatAreOver() {
        guard wipes.count >= Limits.wipes else { return }
        let floor = clock.floor
        let known = roster.notes.compactMap(\.content.wipe)
        let open = Set(known.filter { $0.expires > floor }.map(\.order))
        wipes.removeAll { $0.isDone && !open.contains($0.order) }
    }

    /// After what was written in this turn: the receipt leaves before anything is erased.
    func announceWipes(_ effects: inout Effects) {
        for wipe in wipesDue { effects.append(.observe(.wipeAccepted(wipe.mode, wipe.order))) }
        wipesDue.removeAll()
    }

    /// What this device leaves behind when it locks itself, for an order it took: the record, and the key to seal under.
    package func lock(_ order: Octets16, at now: Now) -> (record: LockRecord, key: UnlockKey)? {
        let membership = roster.membership
        let found = membership.notes.first { hash in
            membership.note(hash).map { $0.device == own.id && $0.wipe?.order == order } ?? false
        }
        guard let found, let wipe = membership.note(found)?.wipe else { return nil }
        return LockRecord.make(
            of: wipe, in: found, by: own.id, membership, now: time(now).now, key: configuration.identity.signing,
            random: random)
    }

    func wiped(_ order: Octets16, _ store: any Store) throws {
        guard let at = wipes.firstIndex(where: { $0.order == order }) else { return }
        wipes[at].isDone = true
        try TakenWipe.save(wipes, store)
    }

    // MARK: Receipts of others

    func take(
        receipt signed: Signed, from source: PeerLink?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Acceptance {
        let receipt: WipeReceipt
        do { receipt = try WipeReceipt(parsing: signed) } catch { throw ReceiptRefusal.malformed(error) }
        guard roster.membership.accepts(receipt) else { throw ReceiptRefusal.order }
        let isNew = receipts[receipt.note] == nil
        if isNew {
            receipts[receipt.note] = receipt
            // Beside the note's own record.
            try store.put(.notes, receipt.note.array + [1], signed.bytes)
            effects.append(.observe(.wipeReceipt(receipt.device, receipt.mode)))
            passOn([signed], except: source)
        }
        for link in links where link.awaitsReceipt && link.device == receipt.device {
            end(link, nil, .revoked, now, &effects)
        }
        return isNew ? .new : .known
    }

    func loadReceipts(_ store: any Store) throws {
        for record in try store.all(.notes) where record.key.count == 33 {
            guard let signed = try? Signed(parsing: record.value), let receipt = try? WipeReceipt(parsing: signed)
            else { throw StoreError.damaged("the receipt of a wipe order") }
            receipts[receipt.note] = receipt
        }
    }

    /// Those whose orders are still good, to a link that has just opened: no set holds them.
    func sendReceipts(_ link: PeerLink) {
        guard !receipts.isEmpty else { return }
        let floor = clock.floor
        let good = receipts.sorted { $0.key < $1.key }.filter { hash, _ in
            roster.membership.note(hash)?.wipe.map { $0.expires > floor } ?? false
        }
        guard !good.isEmpty else { return }
        link.sender.append(all: Frame.NotePut(good.map(\.value.signed)))
        touch(link)
    }

    /// True while the link of a device that is to be wiped waits for its receipt: nothing else passes on it any more.
    func letFinish(_ link: PeerLink, _ now: Now) -> Bool {
        if link.awaitsReceipt { return now.uptime < link.stageDeadline }
        guard link.isMember else { return false }
        if case .catchUp = link.stage { return false }
        guard !unansweredOrders(to: link.device, now).isEmpty else { return false }
        link.awaitsReceipt = true
        link.isKeptToLog = true
        link.member = nil
        link.reconcilers = Reconcilers()
        link.transfers = [:]
        link.stage = .catchUp
        link.stageDeadline = now.uptime + Limits.receipt
        armLink(link)
        return true
    }
}

/// Why a receipt of a wipe order was not taken.
package enum ReceiptRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(Malformed)
    /// No order that is known here is the one it names, or the device of that order did not sign it.
    case order

    /// For people: why the receipt is not kept.
    package var description: String {
        switch self {
        case .malformed(let cause): "the receipt is malformed: \(cause)"
        case .order: "the receipt is of no order that is known here; import the order first"
        }
    }
}

// A device that was away while its order spread is linked with by nobody who knows that it is revoked. Once a day it is let
// in all the same, by whoever has no receipt of it, to be told of that order alone (docs/decisions, 12).
//
//     the device ─ LOG_HEADS ─▶ ─ LOG_PUT: what it lacks of the log as it was when the order was given
//                               ─ NOTE_PUT: the order ─▶ the device judges it
//                ◀─ NOTE_PUT: its receipt ─ end            any other frame of it is passed over

extension Node {
    private func unansweredOrders(to device: DeviceID, _ now: Now) -> [NoteHash] {
        roster.membership.openOrders(to: device, at: time(now)).filter { receipts[$0] == nil }
    }

    /// Whether a revoked device may be linked with now, to be told of an order.
    func owesOrders(to device: DeviceID, _ now: Now) -> Bool {
        unansweredOrders(to: device, now).contains { ordersGiven[$0] == nil }
    }

    /// Once a minute: who was told a day ago may be told again.
    func forgetGivenOrders(_ now: Now) {
        let given = ordersGiven.count
        guard given > 0 else { return }
        ordersGiven = ordersGiven.filter { now.uptime < $0.value + Limits.orderAgain }
        // Nothing else looks at a target that was not wanted.
        if ordersGiven.count < given { deadlines.set(.dial, noLaterThan: now.uptime) }
    }

    func admitOrdered(_ certificate: Signed, _ now: Now) -> Admission? {
        guard let peer = roster.membership.orderedPeer(certificate), case .catchUp(let device, _) = peer,
            owesOrders(to: device.device, now)
        else { return nil }
        return peer
    }

    /// From here on the day counts, whatever becomes of the link.
    func promiseOrders(on link: PeerLink, _ now: Now) {
        link.ordersDue = unansweredOrders(to: link.device, now)
        for hash in link.ordersDue { ordersGiven[hash] = now.uptime }
    }

    func giveOrders(to link: PeerLink, _ heads: PeerHeads, _ store: any Store) throws {
        let orders = link.ordersDue
        link.ordersDue = []
        guard let newest = orders.compactMap({ roster.membership.note($0)?.issued }).max() else { return }
        for head in roster.membership.heads {
            let theirs = heads.sequence(of: head.log)
            // Later ones are none of its business: it is no member any more.
            let upTo = roster.membership.lastSequence(of: head, upTo: newest)
            guard theirs < upTo else { continue }
            try sendEntries(of: head.log, from: theirs + 1, upTo: upTo, link, store)
        }
        link.sender.append(all: Frame.NotePut(orders.compactMap { roster.order($0)?.signed }))
        touch(link)
    }

    /// The word of a device that went off before anybody took it.
    func sendOwnReceipts(_ link: PeerLink) {
        let own = receipts.values.filter { $0.device == self.own.id }.sorted { $0.note < $1.note }
        guard !own.isEmpty else { return }
        let notes = own.compactMap { roster.order($0.note)?.signed }
        link.sender.append(all: Frame.NotePut(notes + own.map(\.signed)))
    }
}

extension FrameType {
    /// Of a device that is told of an order.
    fileprivate static let ofOrdered: [FrameType] = [.logHeads, .notePut, .bye, .ping, .pong]

    var isHeardFromOrdered: Bool { Self.ofOrdered.contains(self) }
}

extension Admission {
    /// Of a device that is revoked, or whose certificate ended meanwhile: that is seen first.
    var mayBeOfOrdered: Bool {
        switch self {
        case .refused(.revoked), .refused(.time): true
        case .refused, .member, .catchUp: false
        }
    }
}
