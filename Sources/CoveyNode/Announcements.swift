import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyRouting

// Announcements: one body for everybody of an epoch, from those who may (protocol.md §5.4). They travel as mail that floods.

/// An emergency that was not taken in.
struct TurnedAway {
    enum Cause: Equatable {
        case forGood
        case undecided
        /// Another envelope brought the same.
        case copy(of: EnvelopeID)
    }

    let id: EnvelopeID
    let cause: Cause
}

extension Node {
    enum Heard {
        /// Not for us, or sealed under an epoch that we do not hold: it travels all the same.
        case unreadable
        /// Opened, and entries to come may decide whether it counts: its author's certificate may be under way, or one with
        /// more rights, and a suspension or a revocation may end.
        case undecided(AnnouncementRefusal, author: DeviceID)
        /// For good.
        case refused(AnnouncementRefusal)
        case sound(Announcement, DeviceCertificate, EpochCommit)
    }

    func read(announcement envelope: Envelope, _ now: Now) -> Heard {
        guard envelope.header.kind == .announcement,
            let commit = announcementTags.epoch(of: envelope.header, among: epochs.held), let epoch = epochs[commit]
        else { return .unreadable }
        let announcement: Announcement
        do { announcement = try Announcement.open(envelope, key: epoch.keys.announcement) } catch {
            return .refused(error)
        }
        let author = announcement.content.author
        guard let certificate = roster.membership.currentCertificate(author) else {
            return .undecided(.unknownAuthor, author: author)
        }
        // What came after the revocation was learnt is void, whatever it says of when it was written.
        guard roster.membership.isMember(author, at: time(now)) else {
            // A suspension ends by time, and a certificate begins: that is no entry, and is looked for.
            if !roster.membership.isRevoked(author) { heldAuthors.insert(author) }
            return .undecided(.author, author: author)
        }
        switch announcement.fault(of: certificate, priority: envelope.header.priority, mesh: own.mesh) {
        case nil: return .sound(announcement, certificate, commit)
        case .capability: return .undecided(.capability, author: author)
        case let fault?: return .refused(fault)
        }
    }

    /// Whether a relay takes an emergency in: whoever can read it checks it first, and one for each number is enough
    /// (protocol.md §3.3). That it was heard is no reason not to: there may have been no room, or somebody sealed it anew as
    /// less than it is.
    func takes(emergency heard: Heard) -> Bool {
        switch heard {
        case .unreadable: true
        case .sound(let announcement, _, _):
            carrier(of: announcement) == nil && announcements.mayCarry(emergency: announcement)
        case .undecided, .refused: false
        }
    }

    /// The envelope that brought an emergency, while it is here. Anybody may seal anew what others wrote, and what they
    /// brought goes when they are revoked: then another one is needed.
    private func carrier(of announcement: Announcement) -> EnvelopeID? {
        announcements.carrier(ofEmergency: announcement).flatMap { shelf.isHeld($0) ? $0 : nil }
    }

    /// Neither kept nor handed on. Known from now on, so that it is not brought again and again: while this node runs, and of
    /// what is undecided as long as no entries come that may decide it, of copies as long as the one is here.
    func turnAway(emergency heard: Heard, _ envelope: Envelope) {
        let cause: TurnedAway.Cause
        switch heard {
        case .undecided(_, let author):
            wait(for: author)
            cause = .undecided
        case .sound(let announcement, _, _): cause = carrier(of: announcement).map { .copy(of: $0) } ?? .forGood
        case .unreadable, .refused: cause = .forGood
        }
        shelf.insert(Ghost(of: envelope.id, envelope.header, .refused))
        turnedAway.append(TurnedAway(id: envelope.id, cause: cause))
        if turnedAway.count > Limits.turnedAway { shelf.forget(ghost: turnedAway.removeFirst().id, of: .emergency) }
    }

    private func wait(for author: DeviceID) {
        if undecidedAuthors.count < Limits.undecidedAuthors { undecidedAuthors.insert(author) }
    }

    /// Whether a new certificate of a device may decide about something it announced.
    func isAwaited(_ device: DeviceID) -> Bool {
        undecidedAuthors.contains(device) || undecidedAuthors.count == Limits.undecidedAuthors
    }

    /// What was turned away may count now: neighbours who still have it find that we lack it.
    func takeBackTurnedAway(_ now: Now) {
        let before = turnedAway
        turnedAway.removeAll { turned in
            switch turned.cause {
            case .forGood: false
            case .undecided: true
            case .copy(let carrier): !shelf.isHeld(carrier)
            }
        }
        guard turnedAway.count < before.count else { return }
        let stay = Set(turnedAway.map(\.id))
        for turned in before where !stay.contains(turned.id) { shelf.forget(ghost: turned.id, of: .emergency) }
        for link in links where link.isOpen {
            startDigests(link, after: Limits.digestFirst, now)
            armLink(link)
        }
    }

    /// Takes what came to the book. Out of our scope it is remembered too: its number is used.
    func hear(
        _ heard: Heard, _ envelope: Envelope, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        switch heard {
        case .unreadable: return
        case .undecided(_, let author): wait(for: author)
        case .refused: shelf.markSettled(envelope.id)
        case .sound(let announcement, let certificate, let epoch):
            shelf.markSettled(envelope.id)
            let line = try hear(announcement, of: certificate, envelope, epoch, now, store, &effects)
            if let line { effects.append(.observe(.announced(line))) }
            if envelope.header.priority == .emergency, shelf.isHeld(envelope.id) {
                announcements.carries(emergency: announcement, in: envelope.id)
            }
        }
    }

    /// What is to be said of it: the first time, and when it turns out to be more urgent than it was brought as.
    private func hear(
        _ announcement: Announcement, of certificate: DeviceCertificate, _ envelope: Envelope, _ epoch: EpochCommit,
        _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> AnnouncementLine? {
        let content = announcement.content
        let priority = envelope.header.priority
        guard var known = announcements[content.author, content.sequence] else {
            let heard = HeardAnnouncement(
                announcement, received: mailNow(now), priority: priority, epoch: epoch)
            let isKept = try announcements.put(heard, store)
            if content.author == own.id { try raiseOwnSequence(content.sequence, store, &effects) }
            // One that is older than all that are remembered was heard before, as often as it is looked at.
            return isKept && isShown(heard) ? line(heard, now) : nil
        }
        if known.announcement.hash == announcement.hash {
            guard priority < known.priority else { return nil }
            known.priority = priority
            try announcements.put(known, store)
            return isShown(known) ? line(known, now) : nil
        }
        guard known.conflict == nil else { return nil }
        known.conflict = announcement
        try announcements.put(known, store)
        effects.append(
            .observe(
                .warning(
                    "\(certificate.label) signed two announcements under the number \(content.sequence): "
                        + "trust neither")))
        return nil
    }

    func count(refusal heard: Heard) {
        switch heard {
        case .unreadable, .sound: break
        case .undecided(let refusal, _), .refused(let refusal): count(refusal: .announcement(refusal))
        }
    }

    /// One that was carried as it could not be opened, or not be decided. A forged emergency goes no further.
    func hearAgain(_ envelope: Envelope, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        let heard = read(announcement: envelope, now)
        try hear(heard, envelope, now, store, &effects)
        guard case .refused = heard else { return }
        count(refusal: heard)
        if envelope.header.priority == .emergency { try letGo(envelope.id, .refused, store) }
    }

    /// Ours, and what is for us.
    private func isShown(_ heard: HeardAnnouncement) -> Bool {
        [heard.announcement, heard.conflict].contains {
            guard let content = $0?.content else { return false }
            return content.author == own.id || isInScope(content.scope)
        }
    }

    private func isInScope(_ scope: Announcement.Scope) -> Bool {
        switch scope {
        case .all: true
        case .zone(let zone): roster.membership.currentCertificate(own.id)?.zones.contains(zone) ?? false
        // Who is in a group, this version does not know.
        case .group: false
        }
    }

    /// Ours, and not of this state: an image was restored. Its number must not be used again.
    private func raiseOwnSequence(_ sequence: UInt64, _ store: any Store, _ effects: inout Effects) throws {
        guard try sequence > State.announcement.number(in: store) ?? 0 else { return }
        try State.announcement.put(sequence, in: store)
        effects.append(
            .observe(.warning("a newer announcement of this very device is around: its state was rolled back")))
    }

    // MARK: Making one

    func announce(
        _ draft: AnnouncementDraft, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> AnnouncementLine {
        guard let certificate = roster.membership.currentCertificate(own.id),
            roster.membership.isMember(own.id, at: time(now))
        else { throw CommandRefusal.policy("this device is revoked or its certificate has expired") }
        let selection = epochSelection
        guard let preferred = selection.preferred, let epoch = epochs[preferred.commit] else {
            throw CommandRefusal.unavailable("this device holds no network key yet")
        }
        // An emergency may go out all the same, when its author says so; all else waits for a key that only members have.
        let waits = selection.isHold && draft.priority != .emergency
        if selection.isHold, draft.priority == .emergency, !draft.isForFormerMembersToo {
            throw CommandRefusal.policy(
                "a former member can read this: say that it may, or wait for a new network key")
        }
        let last = try State.announcement.number(in: store) ?? 0
        // Whoever has a copy of our key can use up the numbers; the device needs new keys then.
        guard last < .max else {
            throw CommandRefusal.policy("the numbers of this device's announcements are used up; replace the device")
        }
        guard !waits || announcements.waiting.count < Limits.announcementsOfAuthor else {
            throw CommandRefusal.bounds(
                "\(Limits.announcementsOfAuthor) announcements wait for a new network key already",
                hint: "an authority announces one: \(AdvisedCommand.announceEpoch)")
        }
        let sequence = last + 1
        if let supersedes = draft.supersedes, announcements[own.id, supersedes] == nil {
            throw CommandRefusal.notFound("there is no announcement \(supersedes) of this device")
        }
        let content = Announcement.Content(
            author: own.id, scope: draft.scope, sequence: sequence, issued: mailNow(now),
            expires: Hour.expiry(of: draft.ttl, priority: draft.priority, from: mailNow(now)),
            severity: draft.severity, text: draft.text, supersedes: draft.supersedes, isDrill: draft.isDrill)
        let announcement: Announcement
        let envelope: Envelope
        do {
            announcement = try Announcement.make(
                content, mesh: own.mesh, key: configuration.identity.signing)
            envelope = try announcement.seal(
                priority: draft.priority, ttl: draft.ttl, key: epoch.keys.announcement, random: random)
        } catch {
            throw CommandRefusal.bounds(
                "an announcement has 1 to \(Announcement.Bounds.text) bytes of text without control characters",
                hint: "write it again")
        }
        let fault = announcement.fault(of: certificate, priority: draft.priority, mesh: own.mesh)
        guard fault == nil else {
            throw CommandRefusal.policy(
                draft.priority == .emergency
                    ? "this device may not announce: its certificate has neither ANNOUNCE nor URGENT"
                    : "this device may not announce: its certificate lacks ANNOUNCE")
        }
        guard try waits || take(own: envelope, now, store) else {
            throw CommandRefusal.bounds("own mail fills its half of the store", hint: "raise store.quota")
        }
        try State.announcement.put(sequence, in: store)
        let heard = HeardAnnouncement(
            announcement, received: mailNow(now), priority: draft.priority,
            epoch: waits ? EpochCommit() : epoch.keys.commit, waits: waits ? draft.ttl : nil)
        try announcements.put(heard, store)
        if draft.priority == .emergency { announcements.carries(emergency: announcement, in: envelope.id) }
        return line(heard, now)
    }

    /// Puts an announcement of ours among the mail; false when there is no room.
    private func take(own envelope: Envelope, _ now: Now, _ store: any Store) throws -> Bool {
        let record = EnvelopeRecord(
            id: envelope.id, header: envelope.header, tokens: 255, hops: UInt8(random.uniform(4)), isOwn: true,
            ingress: own.id)
        guard admit(own: record) != nil else { return false }
        let kept = commons?.keep(envelope) ?? envelope
        try store.insert(record, kept.bytes)
        shelf.insert(record)
        offer(kept, hops: 0, except: nil, now)
        return true
    }

    /// Sends what waited for an epoch that no former member holds.
    func sendWaitingAnnouncements(_ now: Now, _ store: any Store) throws {
        guard !announcements.waiting.isEmpty, roster.membership.isMember(own.id, at: time(now)),
            let clean = epochSelection.clean.first, let epoch = epochs[clean.commit]
        else { return }
        for sequence in announcements.waiting {
            guard let waiting = announcements[own.id, sequence], let ttl = waiting.waits,
                waiting.announcement.content.expires > mailNow(now).hour
            else { continue }
            let envelope: Envelope
            do {
                envelope = try waiting.announcement.seal(
                    priority: waiting.priority, ttl: ttl, key: epoch.keys.announcement, random: random)
            } catch {
                preconditionFailure("an announcement that waits was sealed when it was made")
            }
            guard try take(own: envelope, now, store) else { return }
            var sent = waiting
            (sent.epoch, sent.waits) = (epoch.keys.commit, nil)
            try announcements.put(sent, store)
        }
    }

    // MARK: Reading them

    /// All that are for us, the newest first.
    func announcementLines(_ now: Now) -> [AnnouncementLine] {
        lines(announcements.heard.values.flatMap(\.values).filter(isShown), now).sorted {
            ($1.issued, $1.author, $1.sequence) < ($0.issued, $0.author, $0.sequence)
        }
    }

    func announcementGaps() -> [AnnouncementGap] {
        announcements.heard.keys.sorted().compactMap { author in
            let missing = announcements.gaps(of: author)
            return missing.isEmpty ? nil : AnnouncementGap(author: author, label: label(of: author), missing: missing)
        }
    }

    private func label(of device: DeviceID) -> String { roster.membership.currentCertificate(device)?.label ?? "" }

    private func line(_ heard: HeardAnnouncement, _ now: Now) -> AnnouncementLine { lines([heard], now)[0] }

    private func lines(_ entries: [HeardAnnouncement], _ now: Now) -> [AnnouncementLine] {
        // What all lines are judged by is looked up once: there may be thousands of them.
        let tainted = Set(roster.membership.select(held: Set(entries.map(\.epoch))).tainted.map(\.commit))
        var superseded: [DeviceID: Set<UInt64>] = [:]
        for author in Set(entries.map(\.announcement.content.author)) {
            let shown = announcements.heard[author, default: [:]].values.filter(isShown)
            superseded[author] = Set(shown.compactMap(\.announcement.content.supersedes))
        }
        return entries.map { heard in
            let content = heard.announcement.content
            let isSuperseded = superseded[content.author]?.contains(content.sequence) ?? false
            return AnnouncementLine(
                author: content.author, label: label(of: content.author), sequence: content.sequence,
                scope: content.scope, issued: content.issued, expires: content.expires, received: heard.received,
                priority: heard.priority, severity: content.severity, text: content.text ?? "",
                isDrill: content.isDrill, supersedes: content.supersedes,
                state: state(of: heard, isSuperseded: isSuperseded, now),
                isReadByFormerMembers: heard.waits == nil && tainted.contains(heard.epoch))
        }
    }

    private func state(of heard: HeardAnnouncement, isSuperseded: Bool, _ now: Now) -> AnnouncementLine.State {
        let content = heard.announcement.content
        if heard.conflict != nil { return .contradicted }
        if let revocation = roster.membership.revocation(of: content.author) {
            let isSuspect = revocation.reason == .compromised && content.issued >= revocation.suspectSince
            return isSuspect ? .authorCompromised : .authorRevoked
        }
        if content.expires <= mailNow(now).hour { return .expired }
        if heard.waits != nil { return .waiting }
        return isSuperseded ? .superseded : .current
    }
}
