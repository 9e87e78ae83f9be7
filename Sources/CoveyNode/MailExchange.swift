import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyRouting
import CoveySync

// Frames of a link, and the mail among them: what each lacks is found, pushed, stored and acknowledged
// (sync-routing.md §2.3–2.7). Acknowledgements leave after the commit, so `stored` means durable.

extension Node {
    // MARK: Reading

    func read(
        _ bytes: [UInt8], on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        link.bytesIn += UInt64(bytes.count)
        link.heardAt = now.uptime
        link.pingedAt = nil
        do {
            try link.receiver.receive(adopting: bytes, opened: commons?.takeBurst(of: bytes)) { type, body in
                // A frame before this one may have ended the link.
                guard !link.isEnded else { return }
                if link.awaitsReceipt, !type.isHeardFromOrdered { return }
                guard type.isAllowed(in: link.phase) else {
                    // One of us may not know yet that it is kept to the log, or no more.
                    if link.isKeptToLog || roster.membership.isSuspended(own.id, at: time(now)) { return }
                    throw LinkRefusal.frameNotAllowed(type)
                }
                try receive(type, body, on: link, now, store, &effects)
            }
        } catch let error as StoreError {
            throw error
        } catch {
            refuse(link.address, Refusal(error), &effects)
            forget(link, .protocolFault, now, &effects)
            effects.append(.abort(link.connection))
        }
    }

    private func receive(
        _ type: FrameType, _ body: RawSpan, on link: PeerLink, _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws {
        switch type {
        case .data:
            try receiveData(body, on: link, now, store, &effects)
        case .dataAck:
            try receive(Frame.DataAck(parsing: body), on: link, now, store, &effects)
        case .digest, .summary, .recon, .reconDone:
            guard let frame = try SyncFrame(type: type.rawValue, body: body) else { throw LinkRefusal.namespace }
            guard link.isOpen || frame.namespace == .notes else { throw LinkRefusal.namespace }
            try receive(frame, on: link, now, store, &effects)
        case .want:
            try receive(Frame.Want(parsing: body), on: link, now, store, &effects)
        case .offer:
            try receive(Frame.Offer(parsing: body), on: link, now, store, &effects)
        case .notHave:
            let count = try Frame.NotHave(parsing: body).ids.count
            try arrivedOfSomeSet(count, link, now, store, &effects)
        case .hello:
            try receive(Frame.Hello(parsing: body), on: link, now, store, &effects)
        case .bye:
            _ = try Frame.Bye(parsing: body)
            end(link, nil, .closedByPeer, now, &effects)
        case .ping:
            let ping = try Frame.Ping(parsing: body)
            link.sender.append(Frame.Pong(to: ping, time: milliseconds(now)))
            touch(link)
        case .pong:
            _ = try Frame.Pong(parsing: body)
        case .logHeads:
            try receive(Frame.LogHeads(parsing: body), on: link, now, store, &effects)
        case .logGet:
            let get = try Frame.LogGet(parsing: body)
            guard link.getsLog, get.most > 0, mayAnswer(link) else { return }
            let most = UInt64(min(Int(get.most), Limits.entries))
            let (last, isBeyond) = get.from.addingReportingOverflow(most - 1)
            guard !isBeyond else { return }
            try sendEntries(of: get.log, from: get.from, upTo: last, link, store)
            drainBeforeMore(link, &effects)
        case .logPut:
            try receive(Frame.LogPut(parsing: body), on: link, now, store, &effects)
        case .notePut:
            try receive(Frame.NotePut(parsing: body), on: link, now, store, &effects)
        case .epochKey:
            try receive(Frame.EpochKey(parsing: body), on: link, now, store, &effects)
        case .bundlePut:
            try receive(Frame.BundlePut(parsing: body), on: link, now, store, &effects)
        case .bundleGet:
            let get = try Frame.BundleGet(parsing: body)
            guard mayAnswer(link) else { return }
            receive(get, on: link, now)
            drainBeforeMore(link, &effects)
        case .wantCert:
            let wanted = try Frame.WantCert(parsing: body)
            if mayAnswer(link), let certificate = roster.membership.latestCertificate(own.id),
                AuthPayload.chainHash(
                    device: certificate.signed, authorities: roster.chain(of: certificate)) == wanted.hash
            {
                link.sender.append(all: Frame.Cert([certificate.signed] + roster.chain(of: certificate)))
                touch(link)
                drainBeforeMore(link, &effects)
            }
        case .cert:
            try receive(Frame.Cert(parsing: body), on: link, now, store, &effects)
        case .iHave:
            try receive(Frame.IHave(parsing: body), on: link, now)
        case .graft:
            try receive(Frame.Graft(parsing: body), on: link)
        case .prune:
            _ = try Frame.Prune(parsing: body)
            pruned(link)
        case .util:
            receive(try Frame.Utility(parsing: body), on: link, now)
        case .timeRequest:
            receive(try Frame.TimeRequest(parsing: body), on: link, now)
        case .timeResponse:
            try receive(Frame.TimeResponse(parsing: body), on: link, now, &effects)
        case .credit, .join, .forwardJoin, .neighbor, .neighborReply, .shuffle, .shuffleReply, .iDontWant, .cancel,
            .vax, .pairPrekey:
            // Known numbers whose features this version does not have: it offers none of them, and asks for none.
            break
        }
    }

    // MARK: Envelopes in

    private func receiveData(
        _ body: RawSpan, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let data = try Frame.Data(parsing: body)
        guard data.isWhole else { throw LinkRefusal.segmented }
        let id = data.header.id
        let short = link.shortIDs.shortID(of: id)
        let envelope: Envelope
        do {
            if let known = commons?.envelope(id, of: data.bytes) {
                envelope = known
            } else {
                let parsed = try Envelope(parsing: [UInt8](copying: data.bytes))
                envelope = commons?.keep(parsed) ?? parsed
            }
            try envelope.header.check(now: mailNow(now).hour)
        } catch {
            count(refusal: .envelope(error))
            acknowledge(short, error == .expired ? .expired : .policy, link)
            try arrivedOfSomeSet(1, link, now, store, &effects)
            return
        }
        guard envelope.id == id else { throw LinkRefusal.otherID }
        let namespace = Namespace.mail(envelope.header.priority)
        guard !isQuiet(namespace) else {
            acknowledge(short, .policy, link)
            try arrived(1, namespace, link, now, store, &effects)
            return
        }
        if shelf.knows(id, priority: envelope.header.priority) {
            if try takeTokens(of: data.header, with: envelope, from: link, now, store) {
                acknowledge(short, .stored, link)
                try arrived(1, namespace, link, now, store, &effects)
                return
            }
            acknowledge(short, .duplicate, link)
            traffic?.gotAgain(on: link.connection)
            cut(link, after: id, short, hops: data.header.hops, now)
            try arrived(1, namespace, link, now, store, &effects)
            return
        }
        let isWithinRate = isWithinRate(envelope.header, of: link, now)
        let heard = envelope.header.kind == .announcement ? read(announcement: envelope, now) : nil
        if let heard {
            count(refusal: heard)
            guard envelope.header.priority != .emergency || takes(emergency: heard) else {
                // What one neighbour brings beyond its share is not remembered in the place of others'.
                if isWithinRate { turnAway(emergency: heard, envelope) }
                acknowledge(short, isWithinRate ? .policy : .quota, link)
                try arrived(1, namespace, link, now, store, &effects)
                return
            }
        }
        let record = EnvelopeRecord(
            id: id, header: envelope.header, tokens: data.header.tokens, hops: data.header.hops, isOwn: false,
            ingress: link.device)
        guard try admit(record, envelope.bytes, from: link, isWithinRate: isWithinRate, now, store) else {
            acknowledge(short, .quota, link)
            if let heard {
                try hear(heard, envelope, now, store, &effects)
            } else {
                try deliverUnkept(envelope, from: link, now, store, &effects)
            }
            try arrived(1, namespace, link, now, store, &effects)
            return
        }
        acknowledge(short, .stored, link)
        effects.append(.observe(.stored(id, from: link.device)))
        if let heard {
            try hear(heard, envelope, now, store, &effects)
        } else {
            try deliver(envelope, now, store, &effects)
        }
        offer(envelope, hops: record.hops, except: link, now)
        grow(link, hops: record.hops)
        try arrived(1, namespace, link, now, store, &effects)
    }

    /// Whether it is among what a neighbour may bring; it is charged for it then.
    private func isWithinRate(_ header: EnvelopeHeader, of link: PeerLink, _ now: Now) -> Bool {
        allowances[link.device, default: PerPriority(Allowance(isGateway: link.isGateway, now: now.uptime))]
            .spend(header.bucket.size, of: header.priority, now: now.uptime)
    }

    /// Takes mail of a neighbour in when the policy admits it, making room where that is due.
    private func admit(
        _ record: EnvelopeRecord, _ bytes: [UInt8], from link: PeerLink, isWithinRate: Bool, _ now: Now,
        _ store: any Store
    ) throws -> Bool {
        let meta = EnvelopeMeta(record)
        var kept = record
        let isSurplus: Bool
        switch policy.admit(meta, from: link.peerView, isWithinRate: isWithinRate, store: shelf) {
        case .refuse: return false
        case .keep(let tokens):
            kept.tokens = tokens.value
            isSurplus = false
        case .surplus(let tokens):
            kept.tokens = tokens.value
            isSurplus = true
        }
        guard
            let victims = policy.victims(meta.priority, need: meta.size, store: shelf, now: mailNow(now).hour)
        else { return false }
        for victim in victims { try letGo(victim, .evicted, store) }
        try store.insert(kept, bytes)
        shelf.insert(kept, isSurplus: isSurplus)
        return true
    }

    /// The bytes go, the id stays known: it is not taken in again.
    func letGo(_ id: EnvelopeID, _ reason: GhostReason, _ store: any Store) throws {
        guard let record = shelf.record(id) else { return }
        let ghost = Ghost(of: id, record.header, reason)
        try store.replace(id, with: ghost)
        shelf.replace(id, with: ghost)
        // Another copy of the same may be taken in now.
        if turnedAway.contains(where: { $0.cause == .copy(of: id) }) { isRescanDue = true }
    }

    private func acknowledge(_ short: Octets8, _ status: Frame.DataAck.Status, _ link: PeerLink) {
        link.acks.append(Frame.DataAck.Row(id: short, status: status))
        touch(link)
    }

    // MARK: Envelopes out

    /// Acknowledgements, then mail as far as the window and the driver's queue allow; all of it in one buffer.
    func pump(_ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        announce(link, now)
        if !link.acks.isEmpty {
            for start in stride(from: 0, to: link.acks.count, by: Frame.DataAck.mostRows) {
                let end = min(start + Frame.DataAck.mostRows, link.acks.count)
                link.sender.append(Frame.DataAck(Array(link.acks[start..<end])))
            }
            link.acks.removeAll(keepingCapacity: link.acks.count <= Limits.kept)
        }
        while link.isOpen, !link.awaitsDrain, link.unacknowledged < Limits.unacknowledged {
            guard let item = link.outgoing.popFirst() else { break }
            guard let record = shelf.record(item.id), !isQuiet(.mail(record.header.priority)),
                let bytes = try item.bytes ?? store.envelope(item.id)
            else {
                try withdraw(item, link, now, store, &effects)
                continue
            }
            let short = link.shortIDs.shortID(of: item.id)
            guard let handover = handover(of: record, item, to: link, now) else {
                show(record, short, on: link, now)
                try withdraw(item, link, now, store, &effects)
                // What a policy keeps has no window: the driver's queue bounds how much of it is shown at once.
                if link.showing.count >= Limits.offerRows {
                    sendOffers(link, now)
                    drainBeforeMore(link, &effects)
                }
                continue
            }
            let sent = PeerLink.InFlight(size: bytes.count, run: item.run, handover: handover)
            if let before = link.inFlight.updateValue(sent, forKey: short) {
                link.inFlight[short] = before
                try withdraw(item, link, now, store, &effects)
                continue
            }
            let pending = link.sender.append(
                Frame.DataHeader(
                    id: item.id, tokens: handover.tokens.value, hops: min(record.hops + 1, Frame.DataHeader.mostHops),
                    total: bytes.count),
                bytes.span.bytes)
            promise(handover)
            link.unacknowledged += bytes.count
            if pending >= Limits.burst { drainBeforeMore(link, &effects) }
        }
        sendOffers(link, now)
        write(link, &effects)
    }

    /// An item that does not leave after all, as it is gone or under way already: its run need not wait for it.
    private func withdraw(
        _ item: PeerLink.Outgoing, _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard let run = item.run else { return }
        link.transfers[run]?.pushes -= 1
        try settle(run, link, now, store, &effects)
    }

    /// A peer that does not read what it asked for is not answered again: a few bytes may ask for very many.
    private func mayAnswer(_ link: PeerLink) -> Bool { !link.awaitsDrain && link.sender.pending < Limits.burst }

    /// Writes a burst once it is one; more follows when the driver has handed it over.
    private func drainBeforeMore(_ link: PeerLink, _ effects: inout Effects) {
        guard link.sender.pending >= Limits.burst else { return }
        write(link, &effects)
        effects.append(.reportDrained(link.connection))
        link.awaitsDrain = true
    }

    private func write(_ link: PeerLink, _ effects: inout Effects) {
        let bytes = link.sender.take()
        guard !bytes.isEmpty else { return }
        if let commons, let opened = link.sender.takeOpened() { commons.keep(opened, of: bytes) }
        link.bytesOut += UInt64(bytes.count)
        if let traffic { link.sender.readTally { traffic.wrote($0, on: link.connection) } }
        effects.append(.send(link.connection, bytes))
    }

    private func receive(
        _ ack: Frame.DataAck, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for row in ack.rows {
            // An acknowledgement of what was not sent says nothing.
            guard let sent = link.inFlight.removeValue(forKey: row.id) else { continue }
            link.unacknowledged -= sent.size
            redeem(sent.handover)
            switch row.status {
            case .stored, .storedCustody:
                shelf.markForwarded(sent.id)
                try handed(sent.handover, store)
                effects.append(.observe(.handedOn(sent.id, to: link.device)))
            case .duplicate, .quota, .policy, .expired, .badSignature, .revoked, .tooBig: break
            }
            if let run = sent.run { link.transfers[run]?.pushes -= 1 }
        }
        if link.inFlight.isEmpty, link.inFlight.capacity > Limits.kept { link.inFlight = [:] }
        // Live mail belongs to no run, and then no run waits for it.
        if !link.transfers.isEmpty {
            for priority in Priority.allCases { try settle(.mail(priority), link, now, store, &effects) }
        }
        touch(link)
    }

    // MARK: Reconciliation

    /// Begins a run, its digest to be sent by the caller.
    func startReconciling(_ namespace: Namespace, _ link: PeerLink, _ now: Now) -> [SyncStep] {
        guard var reconciler = link.reconcilers[namespace], !isQuiet(namespace) else { return [] }
        let clock = syncClock(link, now)
        let steps = withSet(namespace) { reconciler.start(set: &$0, clock: clock, now: now.uptime) }
        link.reconcilers[namespace] = reconciler
        // A run that broke off waits for nothing any more.
        if !steps.isEmpty { link.transfers[namespace] = nil }
        return steps
    }

    func reconcile(
        _ namespace: Namespace, _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let steps = startReconciling(namespace, link, now)
        try perform(steps, namespace, link, now, store, &effects)
    }

    func receive(
        _ frame: SyncFrame, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let namespace = frame.namespace
        guard var reconciler = link.reconcilers[namespace] else { throw LinkRefusal.namespace }
        if isQuiet(namespace) { return }
        let clock = syncClock(link, now)
        let steps = try withSet(namespace) {
            try reconciler.receive(frame, set: &$0, clock: clock, now: now.uptime)
        }
        link.reconcilers[namespace] = reconciler
        if case .digest = frame { link.transfers[namespace] = nil }
        try perform(steps, namespace, link, now, store, &effects)
    }

    func syncClock(_ link: PeerLink, _ now: Now) -> SyncClock {
        SyncClock(own: mailNow(now), peer: link.peerHello.map { Minute(wall: Int64(clamping: $0.clock) * 1000) })
    }

    func withSet<Result>(
        _ namespace: Namespace, _ body: (inout KnownSet) throws -> Result
    ) rethrows -> Result {
        if namespace == .notes { return try roster.withNoteSet(body) }
        if namespace == .bundles { return try bundles.withSet(body) }
        for priority in Priority.allCases where namespace == .mail(priority) { return try body(&shelf[priority]) }
        preconditionFailure("reconcilers are made for these sets only")
    }

    private func perform(
        _ steps: [SyncStep], _ namespace: Namespace, _ link: PeerLink, _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws {
        for step in steps {
            switch step {
            case .send(let frame):
                guard let type = FrameType(rawValue: frame.type) else { preconditionFailure("20 to 23 are frames") }
                link.sender.append(type, frame.body.span.bytes)
                touch(link)
            case .push(let ids):
                traffic?.found(differences: ids.count, on: link.connection)
                try push(ids, namespace, link, store)
            case .want(let ids):
                traffic?.found(differences: ids.count, on: link.connection)
                link.transfers[namespace, default: PeerLink.Transfers()].wants += ids.count
                for start in stride(from: 0, to: ids.count, by: Frame.Want.mostRows) {
                    let some = ids[start..<min(start + Frame.Want.mostRows, ids.count)]
                    link.sender.append(Frame.Want.ids(some.map { Frame.Want.Row(id: Octets8(prefixOf: $0)) }))
                }
                touch(link)
            case .finished(let outcome):
                try finished(outcome, namespace, link, now, store, &effects)
            }
        }
        if !link.isEnded, let due = link.reconcilers[namespace]?.deadline {
            deadlines.set(.link(link.connection), noLaterThan: due)
        }
        try settle(namespace, link, now, store, &effects)
    }

    private func push(_ ids: [ItemID], _ namespace: Namespace, _ link: PeerLink, _ store: any Store) throws {
        if namespace == .notes {
            let ids = distinct(ids)
            let found = try ids.compactMap { try roster.object($0, store: store) }
            guard !found.isEmpty else { return }
            if link.isGettingOpen {
                if !link.notesPushed.isDisjoint(with: ids) { try showForks(link, store) }
                link.notesPushed.formUnion(ids)
            }
            link.sender.append(all: Frame.NotePut(found))
        } else if namespace == .bundles {
            let found = distinct(ids).compactMap { bundles[DeviceID(prefixOf: $0)]?.bundle.signed }
            if !found.isEmpty { link.sender.append(all: Frame.BundlePut(found)) }
        } else {
            let ids = ids.prefix(link.room)
            link.transfers[namespace, default: PeerLink.Transfers()].pushes += ids.count
            for id in ids {
                link.outgoing.append(PeerLink.Outgoing(id: EnvelopeID(prefixOf: id), bytes: nil, run: namespace))
            }
        }
        touch(link)
    }

    /// A WANT may name the same item many times.
    private func distinct(_ ids: [ItemID]) -> [ItemID] {
        var seen: Set<ItemID> = []
        return ids.filter { seen.insert($0).inserted }
    }

    private func receive(
        _ want: Frame.Want, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let rows: [Frame.Want.Row]
        switch want {
        case .ids(let asked): rows = asked
        case .offered(let session, let bitmap):
            try answered(session, bitmap, link)
            return
        }
        // A WANT does not name its set; an id is looked for in the sets that are being reconciled.
        var open = rows.map { ShortID(prefixOf: $0.id) }
        for namespace in link.reconcilers.namespaces where !open.isEmpty && (link.isOpen || namespace == .notes) {
            guard var reconciler = link.reconcilers[namespace] else { continue }
            let found = withSet(namespace) { reconciler.resolve(open, set: &$0) }
            link.reconcilers[namespace] = reconciler
            try push(found.compactMap(\.self), namespace, link, store)
            open = zip(open, found).filter { $0.1 == nil }.map(\.0)
        }
        if !open.isEmpty {
            link.sender.append(Frame.NotHave(open.map { Octets8(prefixOf: $0) }))
            touch(link)
        }
    }

    /// Items of a set came in on the link.
    func arrived(
        _ count: Int, _ namespace: Namespace, _ link: PeerLink, _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws {
        guard let wants = link.transfers[namespace]?.wants, wants > 0 else { return }
        link.transfers[namespace]?.wants = max(0, wants - count)
        try settle(namespace, link, now, store, &effects)
    }

    /// Items will not come, and it is not told of which set. A run that then ends early finds a difference, and goes on.
    func arrivedOfSomeSet(
        _ count: Int, _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for namespace in link.transfers.keys.sorted() { try arrived(count, namespace, link, now, store, &effects) }
    }

    /// Goes on with a run that waited for its transfers.
    func settle(
        _ namespace: Namespace, _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard !link.isEnded, var reconciler = link.reconcilers[namespace], reconciler.awaitsTransfers,
            link.transfers[namespace]?.isEmpty ?? true
        else { return }
        let steps = withSet(namespace) { reconciler.settled(set: &$0) }
        link.reconcilers[namespace] = reconciler
        if !steps.isEmpty { try perform(steps, namespace, link, now, store, &effects) }
    }

    private func finished(
        _ outcome: SyncOutcome, _ namespace: Namespace, _ link: PeerLink, _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws {
        link.transfers[namespace] = nil
        let isGettingOpen = namespace == .notes && link.isGettingOpen
        switch outcome {
        case .equal, .complete:
            link.unequalRuns[namespace] = nil
            guard isGettingOpen else { return }
            link.notesAreEqual = true
            try advance(link, now, store, &effects)
        case .unchecked, .different:
            if outcome == .different { link.unequalRuns[namespace, default: 0] += 1 }
            if isGettingOpen {
                // Mail waits for notes that are known to be equal. The pause between SUMMARYs and the link's deadline
                // bound the tries.
                try reconcile(.notes, link, now, store, &effects)
            } else if outcome == .different, link.unequalRuns[namespace, default: 0] <= Limits.unequalRuns {
                // Mostly the sets changed meanwhile. What differs for good is not looked at more often for it.
                startDigests(link, after: Limits.digestFirst, now)
            }
        }
    }

    // MARK: Time on a link

    func linkDeadline(
        _ connection: ConnectionID, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard let link = link(of: connection) else {
            if pending[connection]?.isRefused == true {
                drop(connection, cause: nil, now, &effects)
                effects.append(.abort(connection))
            } else {
                drop(connection, cause: .timedOut, now, &effects)
            }
            return
        }
        switch link.stage {
        case .catchUp, .notes, .hello:
            if now.uptime >= link.stageDeadline {
                end(link, nil, .catchUpTimeout, now, &effects)
                return
            }
            try continueReconciling(link, now, store, &effects)
            armLink(link)
        case .open:
            if now.uptime >= link.hardStop {
                end(link, .shutdown, .rehandshake, now, &effects)
                return
            }
            if let pinged = link.pingedAt, now.uptime >= pinged + Limits.deadAfter {
                forget(link, .silent, now, &effects)
                effects.append(.abort(connection))
                return
            }
            try continueReconciling(link, now, store, &effects)
            graft(link, now)
            if link.branch.announces(at: now.uptime) || link.showAt.map({ now.uptime >= $0 }) ?? false { touch(link) }
            if now.uptime >= link.digestAt {
                link.digestPause = min(link.digestPause * 2, Limits.digestLongest)
                scheduleDigests(link, now)
                for namespace in compared(on: link) { try reconcile(namespace, link, now, store, &effects) }
            }
            if now.uptime >= link.rehandshakeDue { replace(link, now) }
            if link.pingedAt == nil, now.uptime >= link.heardAt + Limits.pingAfter {
                link.pingedAt = now.uptime
                link.sender.append(Frame.Ping(time: milliseconds(now)))
                touch(link)
            }
            armLink(link)
        }
    }

    /// Runs that had to wait before their next SUMMARY.
    private func continueReconciling(
        _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard let due = link.reconcilers.deadline, due <= now.uptime else { return }
        for namespace in link.reconcilers.namespaces {
            guard var reconciler = link.reconcilers[namespace], let due = reconciler.deadline, due <= now.uptime
            else { continue }
            let clock = syncClock(link, now)
            let steps = withSet(namespace) { reconciler.due(set: &$0, clock: clock, now: now.uptime) }
            link.reconcilers[namespace] = reconciler
            try perform(steps, namespace, link, now, store, &effects)
        }
    }

    /// The earliest thing that a link waits for.
    func armLink(_ link: PeerLink) {
        guard !link.isEnded else { return }
        var next: UInt64
        if link.isOpen {
            next = link.pingedAt.map { $0 + Limits.deadAfter } ?? link.heardAt + Limits.pingAfter
            next = min(next, link.hardStop, link.digestAt, link.branch.next)
            // What cannot be shown yet waits for answers.
            if let due = link.showAt, link.shown.count < Limits.offers { next = min(next, due) }
            if !link.isBeingReplaced { next = min(next, link.rehandshakeDue) }
        } else {
            next = link.stageDeadline
        }
        if let due = link.reconcilers.deadline { next = min(next, due) }
        deadlines.set(.link(link.connection), at: next)
    }

    private func milliseconds(_ now: Now) -> UInt32 { UInt32(truncatingIfNeeded: now.uptime / 1000) }

    /// Digests are exchanged often after a change, and ever more rarely while nothing differs.
    func startDigests(_ link: PeerLink, after pause: UInt64, _ now: Now) {
        link.digestPause = pause
        scheduleDigests(link, now)
    }

    private func scheduleDigests(_ link: PeerLink, _ now: Now) {
        link.digestAt = now.uptime + link.digestPause / 2 + random.uniform(link.digestPause / 2 + 1)
    }

    /// What a link's handshake rested on has changed: its keys are renewed soon (protocol.md §2.3).
    func renew(_ link: PeerLink, _ now: Now) {
        guard link.isOpen, !link.isBeingReplaced else { return }
        link.rehandshakeDue = min(link.rehandshakeDue, now.uptime + UInt64(random.uniform(Limits.renewal)))
        armLink(link)
    }

    /// The key of a link is an hour old: whoever dialled dials again, and the newer link stays (protocol.md §2.3).
    private func replace(_ link: PeerLink, _ now: Now) {
        guard !link.isBeingReplaced else { return }
        link.isBeingReplaced = true
        guard case .dialled = link.connection else { return }
        dialer.again(link.connection, at: now.uptime)
        deadlines.set(.dial, noLaterThan: now.uptime)
    }

    // MARK: Ending

    /// Says BYE when there is a reason to give, and closes.
    func end(
        _ link: PeerLink, _ reason: Frame.Bye.Reason?, _ cause: LinkEnd, _ now: Now, _ effects: inout Effects
    ) {
        guard !link.isEnded else { return }
        if let reason, link.isMember {
            link.sender.append(Frame.Bye(reason))
            write(link, &effects)
        }
        forget(link, cause, now, &effects)
        effects.append(.close(link.connection))
    }

    /// The link is gone; nothing more is read from it or written to it.
    func forget(_ link: PeerLink, _ cause: LinkEnd, _ now: Now, _ effects: inout Effects) {
        guard !link.isEnded else { return }
        link.isEnded = true
        for sent in link.inFlight.values { redeem(sent.handover) }
        links.removeAll { $0 === link }
        reachNoMore(over: link, now)
        clock.forget(link.device)
        deadlines.clear(.link(link.connection))
        effects.append(.observe(.linkDown(link.device, cause)))
        dialer.ended(link.connection, at: now.uptime, random: random)
        // Also when the other side had dialled: it may not be able to do so again.
        deadlines.set(.dial, noLaterThan: now.uptime + 500_000)
    }
}
