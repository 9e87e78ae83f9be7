import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

// What a person or a program asks of its own node.

extension Node {
    func perform(
        _ command: Command, _ id: CommandID, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        let reply: Reply
        do {
            reply = try answer(command, now, store, &effects)
        } catch let refusal as CommandRefusal {
            effects.append(.reply(id, .refused(refusal)))
            return
        }
        effects.append(.reply(id, reply))
        if case .stopping = reply {
            for link in links { end(link, .shutdown, .shutdown, now, &effects) }
            effects.append(.stop)
        }
    }

    private func answer(
        _ command: Command, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Reply {
        switch command {
        case .status:
            return .status(try status(now, store))
        case .peers:
            return .peers(
                links.map {
                    PeerStatus(
                        device: $0.device, label: $0.label, address: $0.address, since: $0.established,
                        isCatchUp: !$0.isOpen, bytesIn: $0.bytesIn, bytesOut: $0.bytesOut)
                })
        case .contacts:
            return .contacts(roster.membership.devices.compactMap { listed($0, now) })
        case .contact(let name):
            return .contact(try detail(of: try device(named: name), now))
        case .send(let recipient, let text):
            let (id, state) = try write(text, to: try device(named: recipient), now, store, &effects)
            return .sent(id, state)
        case .examine:
            return .examined(findings(now))
        case .suspend(let name, let reason, let days):
            return .suspended(try suspend(try device(named: name), reason, days: days, now, store, &effects))
        case .revokeSelf(let reason, let since):
            return .revokedSelf(told: try revokeOneself(reason, since: since, now, store, &effects))
        case .announce(let draft):
            return .announced(try announce(draft, now, store, &effects))
        case .announcements:
            return .announcements(announcementLines(now), gaps: announcementGaps())
        case .inbox(let after, let limit):
            guard (1...Limits.page).contains(limit) else {
                throw CommandRefusal.bounds("a page of the inbox has 1 to \(Limits.page) messages")
            }
            return .inbox(try messages(after: after, limit: limit, store) { !$0.isQuarantine })
        case .quarantine(let after, let limit, let isHiddenShown):
            guard (1...Limits.page).contains(limit) else {
                throw CommandRefusal.bounds("a page of the quarantine has 1 to \(Limits.page) messages")
            }
            return .inbox(
                try messages(after: after, limit: limit, store) {
                    $0 == .quarantined || (isHiddenShown && $0 == .hidden)
                })
        case .logHeads:
            let (membership, heads) = (roster.membership, roster.membership.heads)
            return .logHeads(heads, forked: Set(heads.map(\.log).filter(membership.isFrozen)))
        case .logList(let after, let limit):
            guard (1...Limits.page).contains(limit) else {
                throw CommandRefusal.bounds("a page of the log has 1 to \(Limits.page) entries")
            }
            return .logList(
                try roster.entries(after: after, limit: limit, store: store).compactMap { record in
                    guard let signed = try? Signed(parsing: record.bytes),
                        let entry = try? LogEntry(parsing: signed, mesh: own.mesh)
                    else { return nil }
                    return LogLine(entry, at: record.position, in: roster.membership)
                })
        case .logNotes(let after, let limit):
            guard (1...Limits.page).contains(limit) else {
                throw CommandRefusal.bounds("a page of the log has 1 to \(Limits.page) revocations")
            }
            let notes = roster.notes
            let first = notes.partitioningIndex { $0.id > after }
            return .logNotes(notes[first...].prefix(limit).map { NoteLine($0, in: roster.membership) })
        case .logExport(let mark, let limit):
            guard (1...Limits.page).contains(limit) else {
                throw CommandRefusal.bounds("a page of the log has 1 to \(Limits.page) objects")
            }
            return .logExport(try exported(after: mark, limit: limit, store))
        case .renewals:
            return .renewals(waitingRenewals())
        case .releases:
            return .releases(roster.membership.releases)
        case .draftWipe(let draft):
            return .wipeSigned(try draftWipe(draft, now))
        case .signWipe(let note):
            return .wipeSigned(try signWipe(note, now, store, &effects))
        case .wipes:
            return .wipes(wipeLines(now))
        case .logSubmit(let objects, let epochKeys):
            return .logSubmitted(try submit(objects, epochKeys, now, store, &effects))
        case .stop:
            return .stopping
        }
    }

    private func status(_ now: Now, _ store: any Store) throws -> Status {
        let certificate = roster.membership.currentCertificate(own.id)
        var status = Status(
            mesh: own.mesh, meshName: configuration.genesis.name, device: own.id, label: certificate?.label ?? "",
            certificateExpires: certificate?.notAfter ?? Minute(0))
        let selection = epochSelection
        status.links = links.count { $0.isOpen }
        status.held = shelf.count
        status.heldBytes = shelf.bytes
        status.ghosts = shelf.ghosts
        status.quarantined = try quarantined(store)
        status.inbox = inboxSequence - status.quarantined
        status.waiting = waiting.count
        status.logEntries = roster.membership.count
        status.notes = roster.notes.count
        status.suspends = roster.membership.suspends.count
        status.suspended = suspended(now).count
        status.revoked = roster.membership.revocation(of: own.id)?.reason
        status.suspendedUntil = roster.membership.suspendedUntil(own.id, at: time(now))
        status.authorityHeard = roster.membership.authorityHeard(at: time(now))
        status.staleness = roster.membership.staleness(at: time(now))
        status.gradeEnds = roster.membership.gradeEnds(at: time(now))
        status.epoch = selection.preferred?.number
        status.isHolding = selection.isHold && selection.preferred != nil
        status.now = time(now).now
        status.renewalAsked = roster.renewals[own.id] != nil
        status.clockFault = clock.fault(now: now)
        status.clockBehind = clock.behind(now: now)
        status.clockSpread = clock.spread(now: now)
        if let certificate { status.certificateValidity = certificate.validity(at: time(now)) }
        status.refusals = refusals
        return status
    }

    private func listed(_ device: DeviceID, _ now: Now) -> Contact? {
        let membership = roster.membership
        guard let certificate = membership.currentCertificate(device) else { return nil }
        var contact = Contact(
            device: device, label: certificate.label, subject: certificate.subject,
            revoked: membership.revocation(of: device)?.reason, isSelf: device == own.id,
            hasBundle: device == own.id || bundles[device] != nil)
        guard !contact.isRevoked else { return contact }
        contact.suspendedUntil = membership.suspendedUntil(device, at: time(now))
        contact.suspensionMissing = membership.memberSuspension(of: device, at: time(now).now)?.missing
        return contact
    }

    private func detail(of device: DeviceID, _ now: Now) throws -> ContactDetail {
        let membership = roster.membership
        guard let contact = listed(device, now), let certificate = membership.currentCertificate(device) else {
            throw CommandRefusal.notFound("no certificate of \(device.hex) counts")
        }
        return ContactDetail(
            contact: contact, certificate: certificate.content,
            authorityLabel: membership.label(of: certificate.issuer) ?? "",
            validity: certificate.validity(at: time(now)),
            notes: roster.notes.filter { $0.device == device }.map { NoteLine($0, in: membership) }
                .sorted { ($0.issued, $0.id) < ($1.issued, $1.id) })
    }

    /// Devices that are kept out for some days, and not for good, in the order of their ids.
    func suspended(_ now: Now) -> [DeviceID] {
        let membership = roster.membership
        return membership.devices.filter {
            !membership.isRevoked($0) && membership.isSuspended($0, at: time(now))
        }
    }

    /// An exact label, else at least six digits that begin a device id; nobody, or one (surface.md).
    func device(named name: String) throws -> DeviceID {
        // A whole id needs no look at all labels.
        if let whole = DeviceID(hex: name), roster.membership.currentCertificate(whole) != nil { return whole }
        var found = roster.membership.devices(labelled: name)
        // A revoked device does not take its successor's name away.
        if found.count > 1 { found = found.filter { !roster.membership.isRevoked($0) } }
        if found.isEmpty, name.utf8.count >= 6 {
            let prefix = name.lowercased()
            found = roster.membership.devices.filter { $0.hex.hasPrefix(prefix) }
        }
        switch found.count {
        case 0:
            let isShort = (1..<6).contains(name.utf8.count) && name.allSatisfy { $0.isASCII && $0.isHexDigit }
            throw CommandRefusal.notFound(
                "no device is called \"\(name)\"" + (isShort ? ", and an id takes at least six digits" : ""))
        case 1: return found[0]
        default:
            throw CommandRefusal.ambiguous(
                "\"\(name)\" is more than one device",
                candidates: found.map { "\(roster.membership.currentCertificate($0)?.label ?? "") \($0.hex)" })
        }
    }

    /// Entries, notes, Suspends and receipts of a file. Receipts stand behind the orders that they are of.
    private func submit(
        _ objects: [[UInt8]], _ epochKeys: [EpochKeySubmission], _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws -> LogSubmission {
        var submission = LogSubmission(accepted: 0, known: 0, waiting: 0, refused: [])
        for bytes in objects {
            do {
                let signed = try Signed(parsing: bytes)
                let acceptance: Acceptance =
                    switch NoteKind(of: signed) {
                    case .revokeNote: try take(note: signed, from: nil, now, store, &effects)
                    case .suspend: try take(suspend: signed, from: nil, now, store, &effects)
                    case .renewal: try take(renewal: signed, from: nil, now, store, &effects) ? .new : .known
                    case .receipt: try take(receipt: signed, from: nil, now, store, &effects)
                    case .entry, .unknown: try take(entry: signed, from: nil, now, store, &effects)
                    }
                switch acceptance {
                case .new: submission.accepted += 1
                case .known: submission.known += 1
                case .waiting: submission.waiting += 1
                }
            } catch let error as StoreError {
                throw error
            } catch SuspendRefusal.over {
                // It had its time: whoever wrote the file may not have heard so yet.
                submission.known += 1
            } catch {
                submission.refused.append("\(error)")
            }
        }
        for submitted in epochKeys {
            guard try take(epoch: submitted.key, entry: submitted.entry, now, store, &effects) else {
                submission.refused.append("an epoch key without its announcement in the log")
                continue
            }
        }
        return submission
    }
}
