import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

// Mail for this device: recognised by its tag, opened, kept. And the prekeys that others need to write to us.

extension Node {
    /// A device of the log that messages may be written to or come from.
    func contact(_ device: DeviceID) -> PeerDevice? { contacts.peer(device, in: roster.membership) }

    /// A new contact's mail may have been carried here before its certificate came, and announcements before what decides
    /// whether they count.
    func rescan(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        undecidedAuthors = []
        heldAuthors = []
        takeBackTurnedAway(now)
        for id in shelf.heldIDs() where !shelf.isSettled(id) {
            guard let record = shelf.record(id), isForUs(record.header),
                let bytes = try store.envelope(id), let envelope = try? Envelope(parsing: bytes)
            else { continue }
            switch record.header.kind {
            case .announcement: try hearAgain(envelope, now, store, &effects)
            case .pairwise, .group, .chunk: try deliver(envelope, now, store, &effects)
            }
        }
    }

    private func isForUs(_ header: EnvelopeHeader) -> Bool {
        switch header.kind {
        case .announcement: announcementTags.epoch(of: header, among: epochs.held) != nil
        case .pairwise, .group, .chunk: contacts.sender(of: header) != nil
        }
    }

    /// Opens what is for us although there is no room to carry it: others' mail does not keep ours from us. The neighbour
    /// sees a refusal as of any other mail, and so cannot tell; it offers the same again and again, which costs a look at
    /// what was delivered. The inbox has no bound by what is carried then, so each sender has one, and all together.
    /// A forged copy does not count there, as it would use up another's: it counts for the neighbour who brought it.
    func deliverUnkept(
        _ envelope: Envelope, from link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard let sender = contacts.sender(of: envelope.header), opened.count < Limits.openedWithoutRoom,
            !unkeptLettersOfAll.isUsedUp(at: now.uptime), !link.forgedLetters.isUsedUp(at: now.uptime)
        else { return }
        var letters = unkeptLetters[sender] ?? Rate(Limits.unkeptLetters, each: Rate.minute)
        guard !letters.isUsedUp(at: now.uptime) else { return }
        switch try deliver(envelope, now, store, &effects) {
        case .elsewhere, .known, .held: break
        case .forged: link.forgedLetters.take(1, at: now.uptime)
        case .opened:
            letters.take(1, at: now.uptime)
            unkeptLetters[sender] = letters
            unkeptLettersOfAll.take(1, at: now.uptime)
        }
    }

    /// What came of looking at an envelope.
    enum Reading {
        /// For somebody else, as far as can be told.
        case elsewhere
        /// Read before.
        case known
        /// Of a suspended device: it is read later, or not.
        case held
        /// It bears a tag of ours and does not open.
        case forged
        case opened
    }

    /// Opens what is for us. Carrying goes on as with any other mail, so that nobody can tell.
    @discardableResult
    func deliver(_ envelope: Envelope, _ now: Now, _ store: any Store, _ effects: inout Effects) throws -> Reading {
        guard let sender = contacts.sender(of: envelope.header), let peer = contact(sender) else { return .elsewhere }
        guard try store.get(.delivered, envelope.id.array) == nil else { return .known }
        // Held, sealed as it is, until the suspension ends or the device is revoked.
        if !roster.membership.isRevoked(sender), roster.membership.isSuspended(sender, at: time(now)) {
            heldSenders.insert(sender)
            return .held
        }
        let message: CoveyConversation.FirstMessage.Opened
        do {
            message = try CoveyConversation.FirstMessage.open(
                envelope, from: peer, as: own, prekeys: prekeys, replays: opened, kem: kem)
        } catch {
            count(refusal: .message(error))
            return .forged
        }
        opened.insert(message.ephemeral)
        let record = message.ephemeral.record
        try store.put(.firstMessages, record.key, record.value)
        try remember(envelope.id.array, until: envelope.header.expiry, store)
        // A message sealed anew under its old id is the same message.
        let name = sender.array + message.plaintext.id.array
        guard try store.get(.delivered, name) == nil else { return .opened }
        try remember(name, until: envelope.header.expiry, store)
        guard case .text(let text) = message.plaintext.content else { return .opened }
        inboxSequence += 1
        let isLate = roster.membership.isRevoked(sender)
        let inbox = judged(
            InboxMessage(
                sequence: inboxSequence, id: message.plaintext.id, from: sender,
                label: roster.membership.currentCertificate(sender)?.label ?? "", sent: message.plaintext.sent,
                received: mailNow(now), text: text, standing: isLate ? .quarantined : .fine))
        try store.put(.inbox, inboxSequence, inbox.record)
        try State.inbox.put(inboxSequence, in: store)
        if isLate { lateMessages?[sender, default: 0] += 1 }
        if !isLate { try meet(sender, store) }
        effects.append(.observe(isLate ? .quarantined(inbox) : .delivered(inbox)))
        return .opened
    }

    /// Whether mail of a device that was suspended may be read now, and what one announced that was none of us.
    func releaseHeldSenders(_ now: Now) {
        let time = time(now)
        let senders = heldSenders.filter { !roster.membership.isSuspended($0, at: time) }
        let authors = heldAuthors.filter { roster.membership.isMember($0, at: time) }
        guard !senders.isEmpty || !authors.isEmpty else { return }
        heldSenders.subtract(senders)
        heldAuthors.subtract(authors)
        isRescanDue = true
    }

    /// A message with what is known of its sender now (protocol.md §1.9).
    func judged(_ message: InboxMessage) -> InboxMessage { message.judged(by: roster.membership) }

    /// How many messages are in quarantine by what is known of their senders now. The whole inbox is read for it once.
    func quarantined(_ store: any Store) throws -> UInt64 {
        guard !roster.notes.isEmpty else { return 0 }
        var counts = lateMessages ?? [:]
        if lateMessages == nil {
            var last: UInt64 = 0
            while true {
                let records = try store.records(.inbox, after: last, limit: Limits.page)
                guard let end = records.last?.sequence else { break }
                for record in records {
                    let message = try InboxMessage(sequence: record.sequence, record: record.value)
                    if message.standing.isQuarantine { counts[message.from, default: 0] += 1 }
                }
                last = end
            }
            lateMessages = counts
        }
        return counts.reduce(0) { $0 + (roster.membership.isRevoked($1.key) ? $1.value : 0) }
    }

    /// Messages after a sequence that `isWanted` by what is known of their senders now.
    func messages(
        after: UInt64, limit: Int, _ store: any Store, isWanted: (SenderStanding) -> Bool
    ) throws -> [InboxMessage] {
        try InboxMessage.read(after: after, limit: limit, store, by: roster.membership, isWanted: isWanted)
    }

    /// Kept two days beyond the expiry: as long as any copy may come back (sync-routing.md §2.2).
    private func remember(_ key: [UInt8], until expiry: Hour, _ store: any Store) throws {
        var value: [UInt8] = []
        value.append(u32: expiry.adding(48).value)
        try store.put(.delivered, key, value)
    }

    /// Once an hour: what can no longer come back need not be remembered.
    func forgetDelivered(upTo hour: Hour, _ store: any Store) throws {
        for record in try store.all(.delivered) {
            guard record.value.count == 4 else {
                throw StoreError.damaged("a delivered id's record has the wrong length")
            }
            if Hour(record.value.reduce(0) { $0 << 8 | UInt32($1) }) <= hour {
                try store.delete(.delivered, record.key)
            }
        }
    }

    // MARK: Prekeys

    /// A new bundle every week, old private halves erased in time.
    func renewPrekeys(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        deadlines.set(.prekeys, at: now.uptime + 600_000_000)
        let mailNow = mailNow(now)
        // Ours may have been let go of before its week was over: nobody else has it either then.
        if let certificate = roster.membership.currentCertificate(own.id), !roster.membership.isRevoked(own.id),
            bundles[own.id] == nil || prekeys.isDue(now: mailNow, serial: certificate.serial)
        {
            let made: VerifiedBundle
            do {
                made = try prekeys.renew(
                    for: own, signing: configuration.identity.signing, serial: certificate.serial,
                    headsDigest: Octets32(prefixOf: roster.membership.headsDigest), now: mailNow,
                    life: roster.membership.bundleLife, random: random, kem: kem)
            } catch {
                effects.append(.observe(.warning("a prekey bundle could not be made: \(error)")))
                return
            }
            try store.put(.prekeys, Prekeys.key(of: prekeys.sequence), prekeys.record(of: prekeys.sequence))
            try State.bundleSequence.put(UInt64(prekeys.sequence), in: store)
            try keep(made, from: nil, store)
        }
        let erased = prekeys.erase(now: clock.expiryNow(now: now))
        for sequence in erased { try store.delete(.prekeys, Prekeys.key(of: sequence)) }
        for key in opened.forget(prekeys: erased) { try store.delete(.firstMessages, key.array) }
    }

    // MARK: Bundles

    func receive(
        _ put: Frame.BundlePut, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for item in put.items {
            let known = known(item)
            guard let bundle = try? known?.bundle ?? Bundle(item) else { throw LinkRefusal.bundle }
            let verified: VerifiedBundle?
            do {
                verified = try verify(bundle, known, now)
            } catch {
                refuse(link.address, .bundle(error), &effects)
                continue
            }
            if let verified { try take(verified, from: link, now, store, &effects) }
        }
        try arrived(put.items.count, .bundles, link, now, store, &effects)
    }

    /// The same bytes as somebody of this process has read and verified them.
    private func known(_ signed: Signed) -> VerifiedBundle? {
        guard let commons, commons.reusesChecks, let known = commons.bundle(Bundle.hash(of: signed)),
            known.bundle.signed == signed
        else { return nil }
        return known
    }

    /// Nil when its device is not known, or is revoked, or we hold it already: no signature is verified then.
    private func verify(
        _ bundle: Bundle, _ known: VerifiedBundle?, _ now: Now
    ) throws(BundleRefusal) -> VerifiedBundle? {
        guard let certificate = roster.membership.currentCertificate(bundle.device),
            !roster.membership.isRevoked(bundle.device)
        else { return nil }
        if let held = bundles[bundle.device], held.bundle.sequence >= bundle.sequence { return nil }
        let known = known ?? commons?.bundle(bundle.hash)
        let isEnough = commons?.reusesChecks ?? false
        let verified = try bundle.verified(
            of: BundleOwner(certificate), mesh: own.mesh, now: mailNow(now),
            longestLife: roster.membership.bundleLife, known: isEnough ? known : nil)
        guard let known, known.bundle.signed == verified.bundle.signed else {
            commons?.keep(verified)
            return verified
        }
        return known
    }

    private func take(
        _ bundle: VerifiedBundle, from source: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        if bundle.bundle.device == own.id {
            // Signed by us, and not of this state: an image was restored, or there are two of us (protocol.md §4.9).
            if !prekeys.made(bundle) {
                effects.append(
                    .observe(.warning("a newer bundle of this very device is around: its state was rolled back")))
            }
            return
        }
        try keep(bundle, from: source, store)
        try sealWaiting(for: bundle.bundle.device, now, store, &effects)
    }

    private func keep(_ bundle: VerifiedBundle, from source: PeerLink?, _ store: any Store) throws {
        try store.put(.bundles, bundle.bundle.device.array, bundle.bundle.signed.bytes)
        bundles.insert(bundle)
        for link in links where link !== source && link.isOpen {
            link.sender.append(Frame.BundlePut([bundle.bundle.signed]))
            touch(link)
        }
    }

    /// False for one that is of no use any more.
    func loadBundle(_ bytes: [UInt8], now: Now) -> Bool {
        guard let bundle = try? Bundle(parsing: bytes), let verified = try? verify(bundle, nil, now) else {
            return false
        }
        bundles.insert(verified)
        return true
    }

    /// What nobody else would take any more leaves the set, so that it does not differ from others' for good.
    ///
    /// While authorities have the rights they had, and the first of them has not ended, nothing is looked at.
    func dropBundles(_ now: Now, _ store: any Store) throws {
        guard let due = bundles.due(now: clock.expiryNow(now: now), by: roster.history) else { return }
        for device in due { try dropBundle(of: device, now, store) }
        bundles.setJudged(by: roster.history)
    }

    func dropBundle(of device: DeviceID, _ now: Now, _ store: any Store) throws {
        guard let held = bundles[device] else { return }
        let membership = roster.membership
        if let certificate = membership.currentCertificate(device), !membership.isRevoked(device),
            held.isUsable(now: clock.expiryNow(now: now), serial: certificate.serial),
            held.bundle.created.adding(membership.bundleLife) >= held.bundle.expires
        {
            return
        }
        bundles.remove(device)
        try store.delete(.bundles, device.array)
    }

    func receive(_ get: Frame.BundleGet, on link: PeerLink, _ now: Now) {
        let newer = get.rows.compactMap { row -> Signed? in
            guard let held = bundles[row.device], held.bundle.sequence > row.have else { return nil }
            return held.bundle.signed
        }
        let found = Array(newer.prefix(link.bundleRequests.take(newer.count, at: now.uptime)))
        guard !found.isEmpty else { return }
        link.sender.append(all: Frame.BundlePut(found))
        touch(link)
    }
}

extension InboxMessage {
    /// `version 1 | msg_id 16 | device_id 16 | sent 4 | received 4 | late 1 | label len 1 | label | text`; late: 1 when it
    /// came after its sender was revoked. What that means is judged when somebody reads it.
    var record: [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.append(id)
        bytes.append(from)
        bytes.append(u32: sent.value)
        bytes.append(u32: received.value)
        bytes.append(standing.isQuarantine ? 1 : 0)
        let name = Array(label.utf8.prefix(255))
        bytes.append(UInt8(name.count))
        bytes += name
        bytes += Array(text.utf8)
        return bytes
    }

    package init(sequence: UInt64, record: [UInt8]) throws {
        do {
            var reader = ByteReader(record.span.bytes)
            guard try reader.u8() == 1 else { throw StoreError.newer("a message of the inbox") }
            let id: MessageID = try reader.octets()
            let from: DeviceID = try reader.octets()
            let sent = Minute(try reader.u32())
            let received = Minute(try reader.u32())
            let isLate = try reader.u8() != 0
            let name = try reader.bytes(Int(try reader.u8()))
            let text = try reader.bytes(reader.remaining)
            self.init(
                sequence: sequence, id: id, from: from, label: String(decoding: name, as: UTF8.self), sent: sent,
                received: received, text: String(decoding: text, as: UTF8.self),
                standing: isLate ? .quarantined : .fine)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.damaged("message \(sequence) of the inbox is cut short")
        }
    }
}
