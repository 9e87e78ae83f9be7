import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyRouting

// Announcements: one body for everybody of an epoch, from those who may (protocol.md §5.4). They travel as mail that floods.

extension Node {
    enum Heard {
        /// Not for us, or sealed under an epoch that we do not hold: it travels all the same.
        case unread
        case sound(Announcement, DeviceCertificate, EpochCommit)
        case refused(AnnouncementRefusal)
    }

    func read(announcement envelope: Envelope, _ now: Now) -> Heard {
        guard envelope.header.kind == .announcement,
            let commit = announcementTags.epoch(of: envelope.header, among: epochs.held), let epoch = epochs[commit]
        else { return .unread }
        let announcement: Announcement
        do { announcement = try Announcement.open(envelope, key: epoch.keys.announcement) } catch {
            return .refused(error)
        }
        guard let certificate = roster.membership.currentCertificate(announcement.content.author) else {
            // Its CertIssue may be under way: kept, and looked at again when certificates come.
            return .unread
        }
        // Held unread until the suspension ends or the device is revoked.
        let device = certificate.device
        if !roster.membership.isRevoked(device), roster.membership.isSuspended(device, at: time(now)) { return .unread }
        // What came after the revocation was learnt is void, whatever it says of when it was written.
        guard roster.membership.isMember(device, at: time(now)) else { return .refused(.author) }
        let fault = announcement.fault(of: certificate, priority: envelope.header.priority, mesh: own.mesh)
        if let fault { return .refused(fault) }
        return .sound(announcement, certificate, commit)
    }

    /// Whether a relay takes an emergency in: whoever can read it checks it first, and one for each number is enough.
    func mayRelay(emergency heard: Heard) -> Bool {
        switch heard {
        case .unread: return true
        case .refused(let refusal):
            count(refusal: "announcement: \(refusal)")
            return false
        case .sound(let announcement, _, _):
            guard let known = announcements[announcement.content.author, announcement.content.sequence] else {
                return true
            }
            // The other half of a proof travels too, once.
            return known.announcement.hash != announcement.hash && known.conflict == nil
        }
    }

    /// Takes an announcement to the book.
    @discardableResult
    func hear(
        _ heard: Heard, _ priority: Priority, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Reading {
        switch heard {
        case .unread: return .elsewhere
        case .refused(let refusal):
            count(refusal: "announcement: \(refusal)")
            return .forged
        case .sound(let announcement, let certificate, let epoch):
            let content = announcement.content
            guard isInScope(content.scope) else { return .known }
            guard var known = announcements[content.author, content.sequence] else {
                let heard = HeardAnnouncement(
                    announcement, received: mailNow(now), priority: priority, epoch: epoch)
                let isKept = try announcements.put(heard, store)
                if content.author == own.id { try raiseOwnSequence(content.sequence, store, &effects) }
                // One that is older than all that are remembered was heard before, as often as it is looked at.
                if isKept { effects.append(.observe(.announced(line(heard, now)))) }
                return .opened
            }
            guard known.announcement.hash != announcement.hash, known.conflict == nil else { return .known }
            known.conflict = announcement
            try announcements.put(known, store)
            effects.append(
                .observe(
                    .warning(
                        "\(certificate.label) signed two announcements under the number \(content.sequence): trust neither"
                    )))
            return .opened
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
        let selection = roster.membership.select(held: epochs.commits)
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
                "an announcement has 1 to \(Announcement.Bounds.text) bytes of text without control characters")
        }
        let fault = announcement.fault(of: certificate, priority: draft.priority, mesh: own.mesh)
        guard fault == nil else {
            throw CommandRefusal.policy(
                draft.priority == .emergency
                    ? "this device may not announce: its certificate has neither ANNOUNCE nor URGENT"
                    : "this device may not announce: its certificate lacks ANNOUNCE")
        }
        guard try waits || take(own: envelope, now, store) else {
            throw CommandRefusal.bounds("own mail fills its half of the store; raise store.quota")
        }
        try State.announcement.put(sequence, in: store)
        let heard = HeardAnnouncement(
            announcement, received: mailNow(now), priority: draft.priority,
            epoch: waits ? EpochCommit() : epoch.keys.commit, waits: waits ? draft.ttl : nil)
        try announcements.put(heard, store)
        return line(heard, now)
    }

    /// Puts an announcement of ours among the mail; false when there is no room.
    private func take(own envelope: Envelope, _ now: Now, _ store: any Store) throws -> Bool {
        let record = EnvelopeRecord(
            id: envelope.id, header: envelope.header, tokens: 255, hops: UInt8(random.uniform(4)), isOwn: true,
            ingress: own.id)
        switch policy.admit(EnvelopeMeta(record), from: nil, isWithinRate: true, store: shelf) {
        case .keep, .surplus: break
        case .refuse: return false
        }
        let kept = commons?.keep(envelope) ?? envelope
        try store.insert(record, kept.bytes)
        shelf.insert(record)
        offer(kept, hops: 0, except: nil, now)
        return true
    }

    /// Sends what waited for an epoch that no former member holds.
    func sendWaitingAnnouncements(_ now: Now, _ store: any Store) throws {
        guard !announcements.waiting.isEmpty, roster.membership.isMember(own.id, at: time(now)),
            let clean = roster.membership.select(held: epochs.commits).clean.first, let epoch = epochs[clean.commit]
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
            try announcements.put(
                HeardAnnouncement(
                    waiting.announcement, received: waiting.received, priority: waiting.priority,
                    epoch: epoch.keys.commit), store)
        }
    }

    // MARK: Reading them

    /// All that were heard, the newest first.
    func announcementLines(_ now: Now) -> [AnnouncementLine] {
        announcements.heard.values.flatMap(\.values).map { line($0, now) }.sorted {
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

    private func line(_ heard: HeardAnnouncement, _ now: Now) -> AnnouncementLine {
        let content = heard.announcement.content
        let state: AnnouncementLine.State
        if heard.conflict != nil {
            state = .contradicted
        } else if let revocation = roster.membership.revocation(of: content.author) {
            let isSuspect = revocation.reason == .compromised && content.issued >= revocation.suspectSince
            state = isSuspect ? .authorCompromised : .authorRevoked
        } else if content.expires <= mailNow(now).hour {
            state = .expired
        } else if heard.waits != nil {
            state = .waiting
        } else if announcements.heard[content.author, default: [:]].values.contains(where: {
            $0.announcement.content.supersedes == content.sequence
        }) {
            state = .superseded
        } else {
            state = .current
        }
        return AnnouncementLine(
            author: content.author, label: label(of: content.author), sequence: content.sequence,
            scope: content.scope, issued: content.issued, expires: content.expires, received: heard.received,
            priority: heard.priority, severity: content.severity, text: content.text ?? "", isDrill: content.isDrill,
            supersedes: content.supersedes, state: state,
            isReadByFormerMembers: heard.waits == nil && isTainted(heard.epoch))
    }
}
