import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyRouting

/// A message that waits as plaintext for its recipient's keys (protocol.md §4.1). Its lifetime begins when it is sealed.
struct WaitingMessage {
    let id: MessageID
    let device: DeviceID
    let written: Minute
    let text: String

    /// `version 1 | msg_id 16 | device_id 16 | written 4 | text`. Goes when the message is sealed: no plaintext stays behind.
    var record: [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.append(id)
        bytes.append(device)
        bytes.append(u32: written.value)
        bytes += Array(text.utf8)
        return bytes
    }

    init(record: [UInt8]) throws {
        do {
            var reader = ByteReader(record.span.bytes)
            guard try reader.u8() == 1 else { throw StoreError.newer("a message of the outbox") }
            id = try reader.octets()
            device = try reader.octets()
            written = Minute(try reader.u32())
            text = String(decoding: try reader.bytes(reader.remaining), as: UTF8.self)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.damaged("a message of the outbox is cut short")
        }
    }

    init(id: MessageID, device: DeviceID, written: Minute, text: String) {
        self.id = id
        self.device = device
        self.written = written
        self.text = text
    }
}

// What this device writes: sealed at once when the recipient's keys are here, else kept until they are.

extension Node {
    func loadWaiting(_ store: any Store) throws {
        var after: UInt64 = 0
        while true {
            let page = try store.records(.outbox, after: after, limit: 256)
            guard let last = page.last?.sequence else { return }
            for record in page { waiting[record.sequence] = try WaitingMessage(record: record.value) }
            after = last
        }
    }

    /// Writes `text` to a device.
    func write(
        _ text: String, to device: DeviceID, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> (MessageID, SendState) {
        guard !text.isEmpty else { throw CommandRefusal.bounds("the message is empty", hint: "write one") }
        guard text.utf8.count <= Limits.text else {
            throw CommandRefusal.bounds(
                "a text has at most \(Limits.text) bytes, this one has \(text.utf8.count)", hint: "send less at once")
        }
        guard device != own.id else { throw CommandRefusal.policy("that is this device") }
        guard contact(device) != nil else { throw CommandRefusal.notFound("no such device in the log") }
        // To a suspended device it waits.
        let view = time(now)
        if let end = endOfMembership(of: device, at: view) { throw CommandRefusal.policy("that device \(end)") }
        if grade == .stale, !mayWrite(to: device) {
            throw CommandRefusal.policy(
                "the log is stale: nobody may be written to for the first time until it is brought up to date")
        }
        guard let certificate = roster.membership.currentCertificate(own.id),
            roster.membership.isMember(own.id, at: view)
        else {
            let end = endOfMembership(of: own.id, at: view) ?? "is suspended"
            throw CommandRefusal.policy("this device \(end)")
        }
        guard certificate.capabilities.contains(.send) else {
            throw CommandRefusal.policy("this device may not send: its certificate lacks SEND")
        }
        let message = WaitingMessage(
            id: MessageID.random(from: random), device: device, written: mailNow(now), text: text)
        if try seal(message, now, store, &effects) { return (message.id, .sealed) }
        guard waiting.count < Limits.waiting else {
            throw CommandRefusal.bounds(
                "\(Limits.waiting) messages wait for keys already", hint: "they leave when the keys arrive")
        }
        outboxSequence += 1
        try State.outbox.put(outboxSequence, in: store)
        waiting[outboxSequence] = message
        try store.put(.outbox, outboxSequence, message.record)
        return (message.id, .waitingForKeys)
    }

    /// Why nobody writes to a device, or it to nobody, as what is said of it; nil where neither its certificate nor a
    /// revocation stands against that.
    private func endOfMembership(of device: DeviceID, at time: TimeView) -> String? {
        if let revocation = roster.membership.revocation(of: device) {
            return "is revoked (\(revocation.reason.word))"
        }
        guard let certificate = roster.membership.currentCertificate(device) else {
            return "has no certificate that counts"
        }
        func span(_ from: Minute, _ to: Minute) -> String { (Int(to.value) - Int(from.value)).inWordsOfTime }
        return switch certificate.timeFault(at: time) {
        case nil: nil
        case .expired: "has a certificate that ended \(span(certificate.content.notAfter, time.now)) ago"
        case .notYetValid: "has a certificate that begins in \(span(time.now, certificate.content.notBefore)) only"
        }
    }

    /// A device's keys have come, or room: what waited for them is sealed. Nil looks at all devices.
    func sealWaiting(
        for device: DeviceID?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for sequence in waiting.keys.sorted() {
            guard let message = waiting[sequence], device == nil || message.device == device else { continue }
            do {
                guard try seal(message, now, store, &effects) else { continue }
            } catch let refusal as CommandRefusal {
                // It goes on waiting: the cause is ours, not that of the peer who brought the keys.
                effects.append(.observe(.warning("a message that waited cannot be sealed yet: \(refusal)")))
                return
            }
            waiting[sequence] = nil
            try store.delete(.outbox, sequence)
        }
    }

    /// The tokens that mail of ours begins with; nil when there is no room for more of it.
    func admit(own record: EnvelopeRecord) -> Tokens? {
        var meta = EnvelopeMeta(record)
        meta.tokens = policy.initialTokens(meta, mesh: meshView)
        switch policy.admit(meta, from: nil, isWithinRate: true, store: shelf) {
        case .keep(let tokens), .surplus(let tokens): return tokens
        case .refuse: return nil
        }
    }

    /// False when no usable bundle of the recipient is here.
    private func seal(
        _ message: WaitingMessage, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Bool {
        let mailNow = mailNow(now)
        guard mayWrite(to: message.device) else { return false }
        guard let peer = contact(message.device), let bundle = bundles[message.device],
            let certificate = roster.membership.currentCertificate(message.device),
            roster.membership.isMember(message.device, at: time(now)),
            bundle.isUsable(now: mailNow, serial: certificate.serial)
        else { return false }
        let root = roster.rootHead
        let plaintext = Plaintext(
            id: message.id, conversation: ConversationID(between: own.id, and: message.device), sent: message.written,
            logReference: root.map { LogReference(prefixOf: $0.id) } ?? LogReference(), content: .text(message.text))
        let zone = roster.membership[policy: .zone255Forced] == 1 ? nil : certificate.zones.first
        let posting = Posting(priority: .normal, ttl: .twoWeeks, zone: zone.map { ZoneHint($0) } ?? .any)
        let sealed: CoveyConversation.FirstMessage.Sealed
        do {
            sealed = try CoveyConversation.FirstMessage.seal(
                plaintext, from: own, to: peer, bundle: bundle, posting: posting, now: mailNow, random: random,
                kem: kem)
        } catch .tooLong(_, let most) {
            throw CommandRefusal.bounds("a text has at most \(most) bytes", hint: "send less at once")
        } catch .bundleExpired, .badBundle {
            return false
        }
        var record = EnvelopeRecord(
            id: sealed.envelope.id, header: sealed.envelope.header, tokens: 0, hops: UInt8(random.uniform(4)),
            isOwn: true, ingress: own.id)
        guard let tokens = admit(own: record) else {
            throw CommandRefusal.bounds("own mail fills its half of the store", hint: "raise store.quota")
        }
        // Fewer than all, so that a full number does not tell who wrote it (protocol.md §3.2).
        let isMasked = tokens != .flood && tokens.value > 2
        record.tokens = tokens.value - (isMasked ? UInt8(random.uniform(0...2)) : 0)
        let envelope = commons?.keep(sealed.envelope) ?? sealed.envelope
        try store.insert(record, envelope.bytes)
        shelf.insert(record)
        contacts.sealed(record.header, to: message.device)
        try meet(message.device, store)
        offer(envelope, hops: 0, except: nil, now)
        return true
    }
}

extension ConversationID {
    /// Of two devices: BLAKE2b-128 of both ids, the smaller first. Both sides name their conversation alike.
    init(between a: DeviceID, and b: DeviceID) {
        let bytes = min(a, b).array + max(a, b).array
        self = Blake2b.hash(bytes.span.bytes, personal: "covey1:conv")
    }
}
