import CoveyConversation
import CoveyCore
import CoveyCrypto
package import CoveyLink
import CoveyRouting
import CoveySync

// What two linked nodes tell each other before any mail: heads, log, notes, epoch keys, HELLO (protocol.md §2.3).
//
//     message 3 ─ LOG_HEADS both ways ─ LOG_PUT of what the other lacks ─ both are members to each other
//               ─ DIGEST of the notes both ways, until they are equal ─ EPOCH_KEY ─ HELLO both ways ─ mail
//
// As long as one side's certificate is not in the other's log, both keep to the frames of a catch-up link.

extension Node {
    /// A handshake is through.
    func begin(_ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        var rest: [UInt8] = []
        if var handshake = pending.removeValue(forKey: link.connection) { rest = handshake.packets.takeRest() }
        // A table of handshakes does not stay when there are none.
        if pending.isEmpty { pending = [:] }
        armLink(link)
        effects.append(.observe(.linkUp(link.device, link.address, isCatchUp: !link.isMember)))
        if link.awaitsReceipt {
            // What it lacks is all that it is to be told.
            if !rest.isEmpty { try read(rest, on: link, now, store, &effects) }
            return
        }
        sendOwnReceipts(link)
        // A suspended device learns that it is before it goes on as a member.
        if link.isKeptToLog || link.isProvisional { try sendNotes(link, store) }
        if let hash = link.wantedChain { link.sender.append(Frame.WantCert(Octets32(prefixOf: hash))) }
        sendHeads(link)
        if !rest.isEmpty { try read(rest, on: link, now, store, &effects) }
    }

    /// All of them, where sets are not reconciled.
    private func sendNotes(_ link: PeerLink, _ store: any Store) throws {
        let notes = try roster.allOfNoteSet(store: store).filter(Frame.NotePut.carries)
        if !notes.isEmpty { link.sender.append(all: Frame.NotePut(notes)) }
        touch(link)
    }

    func sendHeads(_ link: PeerLink) {
        for frame in Frame.LogHeads.list(roster.membership.heads) { link.sender.append(frame) }
        touch(link)
    }

    func receive(
        _ frame: Frame.LogHeads, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        var heads = link.headsBegun ?? PeerHeads()
        link.headsBegun = nil
        try heads.take(frame) { !roster.membership.entryIDs(of: $0).isEmpty }
        if heads.isWhole {
            try receive(heads, on: link, now, store, &effects)
        } else {
            link.headsBegun = heads
        }
    }

    /// What the peer's heads say: what it lacks, and whether we are a member to it.
    private func receive(
        _ heads: PeerHeads, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        if link.awaitsReceipt { return try giveOrders(to: link, heads, store) }
        link.peerHeads = heads
        if link.getsLog {
            for log in roster.forkedLogs where roster.membership.isFrozen(log) { try showFork(of: log, link, store) }
            for row in heads.rows { try compare(row, link, store) }
            for row in roster.membership.heads {
                let known = max(heads.sequence(of: row.log), link.entriesSent[row.log] ?? 0)
                if known < row.sequence {
                    // Once on a link: heads cost next to nothing to say, and a log may be long.
                    link.entriesSent[row.log] = row.sequence
                    try sendEntries(of: row.log, from: known + 1, upTo: row.sequence, link, store)
                }
            }
        } else if link.wantedChain == nil, !link.isUnproven, !knowsUs(link), !link.isInclusionSent {
            // Neither knows the other: each shows how it came to be a member, no roster.
            link.isInclusionSent = true
            for place in roster.inclusion(of: own.id) {
                try sendEntries(of: place.log, from: place.sequence, upTo: place.sequence, link, store)
            }
        }
        try advance(link, now, store, &effects)
    }

    /// Two logs of one authority that part: the peer gets our side, finds the fork, and shows its own.
    private func compare(_ row: Frame.LogHeads.Row, _ link: PeerLink, _ store: any Store) throws {
        let ids = roster.membership.entryIDs(of: row.log)
        guard row.sequence > 0, row.sequence <= UInt64(ids.count),
            Octets16(prefixOf: ids[Int(row.sequence) - 1]) != row.id, link.forksShown.insert(row.log).inserted
        else { return }
        let first = row.sequence > Limits.forkEntries ? row.sequence - Limits.forkEntries + 1 : 1
        try sendEntries(of: row.log, from: first, upTo: row.sequence, link, store)
    }

    /// Both sides of a fork that nobody has decided go to every peer, once on a link: what either takes away counts
    /// (protocol.md §1.8). Of one that is decided the choice says all, as long as notes
    /// do not differ for it.
    private func showFork(of log: LogID, _ link: PeerLink, _ store: any Store) throws {
        guard link.forksShown.insert(log).inserted else { return }
        let entries = try roster.conflict(in: log, most: Int(Limits.forkEntries), store: store)
            .filter(Frame.LogPut.carries)
        guard !entries.isEmpty else { return }
        link.sender.append(all: Frame.LogPut(entries))
        touch(link)
    }

    /// Decided ones too: a note may be of a device, or signed with keys, that only the branch that lost made known.
    func showForks(_ link: PeerLink, _ store: any Store) throws {
        for log in roster.forkedLogs { try showFork(of: log, link, store) }
    }

    func sendEntries(
        of log: LogID, from: UInt64, upTo: UInt64, _ link: PeerLink, _ store: any Store
    ) throws {
        let entries = try roster.entries(of: log, from: from, upTo: upTo, store: store).filter(Frame.LogPut.carries)
        guard !entries.isEmpty else { return }
        link.sender.append(all: Frame.LogPut(entries))
        touch(link)
    }

    /// Whether the peer's log has the entry that makes us a member.
    private func knowsUs(_ link: PeerLink) -> Bool {
        guard let heads = link.peerHeads, let certificate = roster.membership.currentCertificate(own.id),
            let place = roster.issue(of: certificate)
        else { return false }
        return heads.sequence(of: place.log) >= place.sequence
    }

    // MARK: From stage to stage

    /// Goes on as far as what is known allows.
    func advance(_ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        switch link.stage {
        case .catchUp:
            guard link.isMember, knowsUs(link), !roster.membership.isSuspended(own.id, at: time(now)) else { return }
            link.stage = .notes
            link.stageDeadline = now.uptime + Limits.catchUp
            armLink(link)
            link.reconcilers = Reconcilers(
                between: SyncEnds(
                    own: own.id, peer: link.device, salts: Salts(handshakeHash: link.handshakeHash)))
            try reconcile(.notes, link, now, store, &effects)
        case .notes:
            // Stranded: the log and the notes are all there is to talk about.
            guard link.notesAreEqual, grade != .stranded else { return }
            link.stage = .hello
            link.notesPushed = []
            for held in handableEpochs(now) { sendEpoch(held, link, now) }
            sendHello(link, now)
        case .hello:
            guard let hello = link.peerHello else { return }
            guard settleDuplicates(link, now, &effects) else { return }
            link.stage = .open
            startDigests(link, after: Limits.digestAfterHello, now)
            armLink(link)
            sendReceipts(link)
            policy.contactUp(link.peerView, now: now)
            reachOver(link, now)
            askTime(link, now)
            shelf.share(among: links.count { $0.isOpen })
            try compare(hello, on: link, now, store, &effects)
            showAll(on: link)
        case .open:
            return
        }
        try advance(link, now, store, &effects)
    }

    private func sendHello(_ link: PeerLink, _ now: Now) {
        var digests: [[UInt8]] = []
        for namespace in compared(on: link) where namespace != .notes && !isQuiet(namespace) {
            for step in startReconciling(namespace, link, now) {
                if case .send(.digest(let digest)) = step { digests.append(digest.body) }
            }
        }
        let certificate = roster.membership.currentCertificate(own.id)
        let epoch = preferredEpoch().map(\.keys.prefix) ?? EpochPrefix()
        let hello = Frame.Hello(
            instance: instance, clock: min(UInt64(clamping: clock.mailWall(now: now) / 1000), Frame.Hello.mostClock),
            timeIsTrusted: time(now).isTrusted, epoch: epoch, digests: digests,
            modes: .init(repeating: policy.growsTree ? .full : .lean),
            credits: .init(repeating: UInt64(Limits.unacknowledged)), zones: certificate?.zones ?? [])
        link.sender.append(hello)
        touch(link)
    }

    func receive(
        _ hello: Frame.Hello, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard link.peerHello == nil else { throw LinkRefusal.secondHello }
        // Notes were equal when the peer said HELLO; a newer one may have come to us since, so this may be early for us.
        link.peerHello = hello
        clock.hear(wall: Int64(clamping: hello.clock) * 1000, from: link.device, now: now)
        try advance(link, now, store, &effects)
    }

    /// The digests of a HELLO, once mail may flow.
    private func compare(
        _ hello: Frame.Hello, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for body in hello.digests {
            guard let frame = try SyncFrame(type: FrameType.digest.rawValue, body: body.span.bytes),
                frame.namespace != .notes
            else { throw LinkRefusal.namespace }
            guard compared(on: link).contains(frame.namespace) else { continue }
            try receive(frame, on: link, now, store, &effects)
        }
        link.peerHello?.digests = []
    }

    /// Of two links to one device one stays: of two that came up within ten seconds the one with the smaller handshake
    /// hash, else the newer (protocol.md §2.2). False when `link` is the one that goes.
    private func settleDuplicates(_ link: PeerLink, _ now: Now, _ effects: inout Effects) -> Bool {
        for other in links where other !== link && other.device == link.device {
            guard other.peerHello != nil else { continue }
            let apart = max(other.established, link.established) - min(other.established, link.established)
            let loser: PeerLink
            if apart <= 10_000_000 {
                loser = link.handshakeHash < other.handshakeHash ? other : link
            } else {
                loser = link.established > other.established ? other : link
            }
            end(loser, .duplicate, .duplicate, now, &effects)
            if loser === link { return false }
        }
        return true
    }

    // MARK: Log and notes

    func receive(
        _ put: Frame.LogPut, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        var accepted = false
        let waited = roster.membership.putAside
        for item in put.items {
            do {
                accepted = try take(entry: item, from: link, now, store, &effects) == .new || accepted
            } catch let refusal as EntryRefusal {
                refuse(link.address, .logEntry(refusal), &effects)
            }
        }
        try settleMembership(now, store, &effects)
        // The other side learns what we know now: perhaps that it is a member.
        if accepted, case .catchUp = link.stage { sendHeads(link) }
        // An entry behind a gap may be the one that issued the peer's certificate.
        guard roster.membership.putAside != waited, !link.isEnded, !link.getsLog else { return }
        try recheck(link, now, store, &effects)
    }

    /// The chain that the peer named by its hash.
    func receive(
        _ shown: Frame.Cert, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        // Not asked for, or answered.
        guard let wanted = link.wantedChain else { return }
        let authorities = Array(shown.items.dropFirst())
        guard authorities.count <= Limits.authoritiesOfChain,
            AuthPayload.chainHash(device: shown.items[0], authorities: authorities) == Octets32(prefixOf: wanted)
        else { throw LinkRefusal.otherChain }
        link.present(authorities)
        try recheck(link, now, store, &effects)
        guard !link.isEnded, let heads = link.peerHeads else { return }
        try receive(heads, on: link, now, store, &effects)
    }

    func take(
        entry signed: Signed, from source: PeerLink?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Acceptance {
        // One that fits no frame could come by a file only, and would go no further.
        guard Frame.LogPut.carries(signed) else { throw EntryRefusal.malformed(.oversized) }
        let intake: EntryIntake
        switch try roster.accept(signed, clock: &clock, now: now, store: store) {
        case .accepted(let taken): intake = taken
        case .known: return .known
        case .held: return .waiting
        }
        for entry in intake.entries {
            effects.append(
                .observe(.logAccepted(LogHead(log: entry.log, sequence: entry.sequence, id: entry.id))))
        }
        // Gossip: to members on the links that stand. Others hear of it by their heads.
        let news = Frame.LogPut(intake.entries.map(\.signed))
        for link in links where link !== source && link.isMember {
            if case .catchUp = link.stage { continue }
            link.sender.append(all: news)
            touch(link)
        }
        for case .frozen(let log, _) in intake.changes {
            effects.append(.observe(.warning("the log of authority \(log) is forked: its later grants are void")))
            if let source, source.isMember { try showFork(of: log, source, store) }
            let proof = try roster.proof(of: log, store: store).filter(Frame.NotePut.carries)
            if !proof.isEmpty { passOn(proof, except: nil) }
        }
        areEpochsToHand = true
        for entry in intake.entries { judgeCheckpoint(entry, now, &effects) }
        for note in intake.notes { noteAccepted(note, source, &effects) }
        for suspend in intake.suspends { suspendAccepted(suspend, source, &effects) }
        try apply(intake.changes, now, store, &effects)
        for note in intake.notes { try obey(note.hash, now, store, &effects) }
        isGradeInDoubt = true
        return .new
    }

    /// A checkpoint that is news is counted again; what is older is history, which an audit goes through.
    private func judgeCheckpoint(_ entry: LogEntry, _ now: Now, _ effects: inout Effects) {
        guard let placed = PlacedCheckpoint(entry),
            entry.time.adding(Limits.checkpointNews) >= time(now).now,
            case .wrong = roster.membership.standing(of: placed)
        else { return }
        effects.append(
            .observe(
                .warning(
                    "checkpoint \(entry.sequence) of authority \(entry.log) names another active set than its log")))
    }

    func receive(
        _ put: Frame.NotePut, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        for item in put.items where !link.awaitsReceipt || NoteKind(of: item) == .receipt {
            do {
                switch NoteKind(of: item) {
                case .revokeNote, .unknown: _ = try take(note: item, from: link, now, store, &effects)
                case .suspend: _ = try take(suspend: item, from: link, now, store, &effects)
                case .entry: _ = try take(entry: item, from: link, now, store, &effects)
                case .receipt: _ = try take(receipt: item, from: link, now, store, &effects)
                case .renewal: _ = try take(renewal: item, from: link, now, store, &effects)
                }
            } catch let refusal as NoteRefusal {
                refuse(link.address, .note(refusal), &effects)
            } catch let refusal as SuspendRefusal {
                refuse(link.address, .suspend(refusal), &effects)
            } catch let refusal as ReceiptRefusal {
                refuse(link.address, .receipt(refusal), &effects)
            } catch let refusal as EntryRefusal {
                refuse(link.address, .logEntry(refusal), &effects)
            } catch let refusal as RenewRefusal {
                switch refusal {
                case .malformed, .signature: refuse(link.address, .renewal(refusal), &effects)
                // Answered meanwhile, or our logs still differ.
                case .stranger, .serial, .revoked, .over, .notFirst: break
                }
            }
        }
        try settleMembership(now, store, &effects)
        try arrived(put.items.count, .notes, link, now, store, &effects)
    }

    func take(
        note signed: Signed, from source: PeerLink?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Acceptance {
        let (note, changes): (RevokeNote, [MembershipChange])
        switch try roster.accept(note: signed, store: store) {
        case .accepted(let taken, let brought, _): (note, changes) = (taken, brought)
        case .known: return .known
        case .held: return .waiting
        }
        noteAccepted(note, source, &effects)
        try apply(changes, now, store, &effects)
        try obey(note.hash, now, store, &effects)
        areEpochsToHand = true
        return .new
    }

    func take(
        suspend signed: Signed, from source: PeerLink?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Acceptance {
        let (suspend, changes): (Suspend, [MembershipChange])
        switch try roster.accept(suspend: signed, store: store) {
        case .accepted(let taken, let brought, _): (suspend, changes) = (taken, brought)
        case .known: return .known
        case .held: return .waiting
        }
        suspendAccepted(suspend, source, &effects)
        try apply(changes, now, store, &effects)
        return .new
    }

    /// Notes go before everything else, so they are passed on at once.
    private func noteAccepted(_ note: RevokeNote, _ source: PeerLink?, _ effects: inout Effects) {
        effects.append(.observe(.noteLearnt(note.hash, note.device)))
        passOn([note.signed], except: source)
    }

    private func suspendAccepted(_ suspend: Suspend, _ source: PeerLink?, _ effects: inout Effects) {
        effects.append(.observe(.suspendLearnt(suspend.hash, suspend.device)))
        passOn([suspend.signed], except: source)
    }

    func passOn(_ notes: [Signed], except source: PeerLink?) {
        for link in links where link !== source && link.isMember {
            if case .catchUp = link.stage { continue }
            link.sender.append(all: Frame.NotePut(notes))
            touch(link)
        }
    }

    /// What a change of the membership means for links, contacts and epochs.
    private func apply(
        _ changes: [MembershipChange], _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        var recheck = false
        var reinstated: [DeviceID] = []
        for change in changes {
            switch change {
            case .issued(let device, _):
                if !contacts.isKnown(device), let certificate = roster.membership.currentCertificate(device) {
                    if contacts.isComplete { contacts.add(certificate) }
                    isRescanDue = true
                }
                // It may give the right that an announcement lacked.
                if isAwaited(device) { isRescanDue = true }
                try dropBundle(of: device, now, store)
                areLinksInDoubt = true
                if device == own.id {
                    deadlines.set(.prekeys, at: now.uptime)
                    renewalWarned = nil
                }
                for link in links where device == own.id || device == link.device { renew(link, now) }
            case .revoked(let device), .suspended(let device):
                sightings.forget(device)
                if case .revoked = change {
                    // Nobody else has it from us yet: it goes no further. What was held from this sender is judged now.
                    for id in shelf.deposits(of: device) { try letGo(id, .deleted, store) }
                    disbelieve(device)
                    areCertificatesInDoubt = true
                }
                try dropBundle(of: device, now, store)
                recheck = true
            case .reinstated(let device):
                areCertificatesInDoubt = true
                recheck = true
                bundles.doubt()
                reinstated.append(device)
            case .authorityRevoked, .frozen, .recovered, .rotated, .authority:
                areCertificatesInDoubt = true
                recheck = true
                bundles.doubt()
            case .void, .policy:
                bundles.doubt()
            case .epoch, .checkpoint, .group, .release:
                break
            }
        }
        if recheck { try recheckLinks(now, store, &effects) }
        for device in reinstated {
            try sealWaiting(for: device, now, store, &effects)
            guard device == own.id else { continue }
            for link in links where !link.isEnded { try advance(link, now, store, &effects) }
        }
        if case .on = configuration.multicast, recheck || areLinksInDoubt {
            deadlines.set(.beacon, noLaterThan: now.uptime + 2_000_000)
        }
    }

    /// Certificates may count that did not when they came: their authority may do more now, a place is free, or a link key is
    /// nobody else's. Mail of their devices may be held already.
    func reviewCertificates(_ now: Now) {
        areCertificatesInDoubt = false
        isRescanDue = true
        reviewRefused(now)
        // Who was out may be dialled again, and ours may be one of them.
        deadlines.set(.dial, noLaterThan: now.uptime)
        if bundles[own.id] == nil { deadlines.set(.prekeys, noLaterThan: now.uptime) }
        guard contacts.isComplete else { return }
        for device in roster.membership.devices where !contacts.isKnown(device) {
            if let certificate = roster.membership.currentCertificate(device) { contacts.add(certificate) }
        }
    }

    /// What the entries and notes of one frame, or of a command, come to, looked at once for all of them. Whatever takes
    /// something away is looked at before, so that nothing more goes to those who lose it.
    func settleMembership(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        if areLinksInDoubt { try recheckLinks(now, store, &effects) }
        if isGradeInDoubt {
            isGradeInDoubt = false
            try regrade(now, store, &effects)
        }
    }

    /// Every peer is judged again by what is known now.
    func recheckLinks(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        areLinksInDoubt = false
        for link in links where !link.isEnded { try recheck(link, now, store, &effects) }
    }

    private func recheck(
        _ link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let admission = roster.membership.admit(
            certificate: link.certificate, chain: link.chain, linkKey: link.linkKey, own: own.id, time: time(now))
        switch admission {
        case .refused(let refusal):
            if admission.mayBeOfOrdered, letFinish(link, now) { return }
            let isRevoked = refusal == .revoked
            end(link, isRevoked ? .revoked : .policy, isRevoked ? .revoked : .notAdmitted, now, &effects)
        case .member(let member):
            let wasMember = link.isMember
            link.member = member
            guard !wasMember else { return }
            // Before anything a catch-up link does not allow: so the peer learns that it is a member here.
            sendHeads(link)
            if let heads = link.peerHeads { try receive(heads, on: link, now, store, &effects) }
        case .catchUp(let peer, let why):
            if link.isMember { return end(link, .revoked, .revoked, now, &effects) }
            let isProvenNow = link.isUnproven && why != .unproven
            if isProvenNow { link.isUnproven = false }
            let isProvisionalNow = peer.isProvisional && !link.isProvisional
            guard isProvenNow || isProvisionalNow else { return }
            // It gets what closes its gap, and shows what closes ours.
            if isProvisionalNow {
                link.isProvisional = true
                try sendNotes(link, store)
            }
            if let heads = link.peerHeads { try receive(heads, on: link, now, store, &effects) }
        }
    }

    // MARK: Epoch keys

    /// To a member that does not hold it, and only while we hold all that it covers (protocol.md §1.10).
    private func sendEpoch(_ held: EpochRing.Held, _ link: PeerLink, _ now: Now) {
        let short = Octets8(prefixOf: held.keys.commit)
        guard let member = link.member, !link.peerEpochs.contains(short),
            roster.membership.mayHand(held.entry, to: member, at: time(now))
        else { return }
        link.peerEpochs.insert(short)
        link.sender.append(Frame.EpochKey(entry: held.entry, key: held.key))
        touch(link)
    }

    private func handableEpochs(_ now: Now) -> [EpochRing.Held] {
        let handable = roster.membership.handable(of: epochs.commits, at: time(now))
        return epochs.held.filter { handable.contains($0.keys.commit) }
    }

    /// What peers lack and may be handed now: a key may have waited for an entry or a note that its announcement covers.
    func handEpochs(_ now: Now) {
        areEpochsToHand = false
        let waiting = links.filter { link in
            switch link.stage {
            case .hello, .open: !link.isEnded
            case .catchUp, .notes: false
            }
        }
        guard !waiting.isEmpty else { return }
        let handable = handableEpochs(now)
        for link in waiting { for held in handable { sendEpoch(held, link, now) } }
    }

    func receive(
        _ frame: Frame.EpochKey, on link: PeerLink, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        guard link.isMember else { throw LinkRefusal.notAMember }
        let short = Octets8(prefixOf: frame.key.commit)
        let isNew = link.peerEpochs.insert(short).inserted
        guard try take(epoch: frame.key, entry: frame.entry, now, store, &effects) else {
            // Any number of keys can be made up; only announced ones are remembered.
            if isNew { link.peerEpochs.remove(short) }
            refuse(link.address, .epochKey, &effects)
            return
        }
    }

    /// False when no accepted announcement commits to the key. One that is over is not taken either: it was erased, or
    /// would be by whoever heard of its successor in time.
    func take(
        epoch key: EpochKey, entry: EntryID, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Bool {
        guard let announced = roster.membership.epoch(entry), announced.commit == key.commit else { return false }
        guard roster.membership.handable(of: epochs.commits + [key.commit], at: time(now)).contains(key.commit) else {
            return true
        }
        let preferred = preferredEpoch()?.keys.commit
        guard try epochs.insert(entry, key, store) else { return true }
        effects.append(.observe(.epochLearnt(announced.number)))
        // Announcements under it may have been carried here before, and ours may wait for it.
        isRescanDue = true
        try sendWaitingAnnouncements(now, store)
        areEpochsToHand = true
        if preferredEpoch()?.keys.commit != preferred { for link in links { renew(link, now) } }
        if case .on = configuration.multicast {
            schedule.restart(at: now.uptime)
            deadlines.set(.beacon, at: now.uptime)
        }
        return true
    }
}

/// What became of an entry or a note that was not refused.
enum Acceptance {
    case new
    case known
    /// What comes before it is missing; it is kept for a while, and taken when that comes.
    case waiting
}

/// Why a peer's frame ends the link. For us only.
package enum LinkRefusal: Error, Hashable, Sendable {
    case frameNotAllowed(FrameType)
    case secondHello
    case namespace
    case notAMember
    /// Rows of LOG_HEADS ascend by log.
    case headsDescend
    case segmented
    case otherID
    case bundle
    case offerUnknown
    /// CERT shows a chain that has another hash than the one asked for.
    case otherChain
    case timeAttestation
}
