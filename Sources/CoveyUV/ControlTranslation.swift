package import CoveyControl
package import CoveyCore
import CoveyCrypto
package import CoveyNode

// Between the words of the control API and those of the node.

extension FixedOctets {
    var asHex: Hex { Hex(array) }
}

extension Minute {
    fileprivate var asTime: Time { Time(secondsSince1970: Int64(value) * 60) }
}

extension Now {
    var asTime: Time { Time(secondsSince1970: wall / 1_000_000) }
}

extension LogSubmit {
    /// - Parameter receiver: what epoch keys are sealed to.
    func command(for receiver: AgreementPrivateKey) throws(ControlError) -> Command {
        var keys: [EpochKeySubmission] = []
        for (at, given) in (epochKeys ?? []).enumerated() {
            guard let entry = EntryID(given.entry.bytes), given.key.bytes.count == HandedEpochKey.byteCount else {
                throw ControlError(
                    .invalidParameters, "params.epochKeys.\(at) has the wrong length",
                    hint: "entry has \(EntryID.byteCount) bytes, key has \(HandedEpochKey.byteCount)")
            }
            guard let key = HandedEpochKey.open(given.key.bytes, of: entry, with: receiver) else {
                throw ControlError(
                    .invalidParameters, "params.epochKeys.\(at) does not open",
                    hint: "a key is sealed to sealTo of log.heads, which is another one after each start of the node")
            }
            keys.append(EpochKeySubmission(entry: entry, key: key))
        }
        return .logSubmit(objects.map(\.bytes), epochKeys: keys)
    }
}

extension ControlError {
    init(_ refusal: CommandRefusal) {
        switch refusal {
        case .notFound(let text):
            self.init(.notFound, text, hint: "the contacts show the names of the mesh")
        case .ambiguous(let text, let candidates):
            self.init(.ambiguous, text, hint: "candidates: \(candidates.joined(separator: ", "))")
        case .policy(let text):
            self.init(.policy, text, hint: "the mesh's rules do not allow it")
        case .bounds(let text, let hint):
            self.init(.bounds, text, hint: hint)
        case .unavailable(let text):
            self.init(.unavailable, text, hint: "try again later")
        }
    }
}

extension RevocationReason {
    /// As a request names it.
    fileprivate init(_ word: String, of method: ControlMethod) throws(ControlError) {
        guard let reason = Self(word: word) else {
            throw ControlError(
                .invalidParameters, "\(method.rawValue) does not take this \"reason\"",
                hint: Self.allCases.map(\.word).joined(separator: ", "))
        }
        self = reason
    }
}

extension ContactsSuspend {
    func command() throws(ControlError) -> Command {
        .suspend(
            device: device, reason: try RevocationReason(reason, of: Self.method),
            days: days ?? Limits.suspendDays)
    }
}

extension NodeRevoke {
    func command() throws(ControlError) -> Command {
        .revokeSelf(
            try RevocationReason(reason, of: Self.method),
            since: since.map { Minute(wall: $0.secondsSince1970 * 1_000_000) })
    }
}

extension SuspendResult {
    init(_ answer: SuspensionAnswer) {
        self.init(
            device: answer.device.asHex, label: answer.label, asked: answer.asked.asTime,
            suspendedUntil: answer.suspendedUntil?.asTime, missing: answer.missing)
    }
}

extension StatusResult {
    init(_ status: Status) {
        self.init(
            mesh: status.mesh.asHex, meshName: status.meshName, device: status.device.asHex, label: status.label,
            links: status.links, held: status.held, heldBytes: status.heldBytes, ghosts: status.ghosts,
            inbox: status.inbox, quarantined: status.quarantined, waiting: status.waiting,
            logEntries: status.logEntries, notes: status.notes, epoch: status.epoch, isHolding: status.isHolding,
            timeIsTrusted: status.timeIsTrusted, clockSpread: status.clockSpread?.minutes,
            clockBehind: status.clockBehind, staleness: status.staleness.rawValue,
            authorityHeard: status.authorityHeard?.asTime, gradeEnds: status.gradeEnds?.asTime,
            certificateExpires: status.certificateExpires.asTime,
            certificateValidity: status.certificateValidity.rawValue, renewalAsked: status.renewalAsked,
            suspended: status.suspended, suspendedUntil: status.suspendedUntil?.asTime, revoked: status.revoked?.word,
            refusals: Refusal.counts(status.refusals))
    }
}

extension FindingEntry {
    package init(_ finding: Finding) {
        self.init(
            kind: finding.kind.rawValue, isUrgent: finding.isUrgent,
            text: finding.text + (finding.at.map { " " + RFC3339.text(secondsSince1970: Int64($0.value) * 60) } ?? ""),
            advice: finding.advice)
    }
}

extension PeerEntry {
    init(_ peer: PeerStatus, at now: Now) {
        let age = now.uptime - min(peer.since, now.uptime)
        self.init(
            device: peer.device.asHex, label: peer.label, address: peer.address.description,
            since: Time(secondsSince1970: (now.wall - Int64(clamping: age)) / 1_000_000), isCatchUp: peer.isCatchUp,
            bytesIn: peer.bytesIn, bytesOut: peer.bytesOut)
    }
}

extension ContactEntry {
    init(_ contact: Contact) {
        self.init(
            device: contact.device.asHex, label: contact.label, subject: contact.subject.asHex,
            revoked: contact.revoked?.word, isSelf: contact.isSelf, hasBundle: contact.hasBundle,
            suspendedUntil: contact.suspendedUntil?.asTime, suspensionMissing: contact.suspensionMissing)
    }
}

extension ContactDetailResult {
    /// - Parameter notes: those of it that fit a line.
    init(_ detail: ContactDetail, _ notes: [LogNoteLine], more: Bool) {
        let certificate = detail.certificate
        self.init(
            contact: ContactEntry(detail.contact), rights: certificate.capabilities.words, zones: certificate.zones,
            authority: certificate.issuer.asHex, authorityLabel: detail.authorityLabel, serial: certificate.serial,
            begins: certificate.notBefore.asTime, expires: certificate.notAfter.asTime,
            validity: detail.validity.rawValue, supersedes: certificate.supersedes?.asHex,
            notes: notes, more: more)
    }
}

extension InboxEntry {
    package init(_ message: InboxMessage) {
        self.init(
            sequence: message.sequence, id: message.id.asHex, from: message.from.asHex, label: message.label,
            sent: message.sent.asTime, received: message.received.asTime, text: message.text,
            standing: message.standing.rawValue, revoked: message.revoked?.word)
    }
}

extension Priority {
    fileprivate var word: String {
        switch self {
        case .emergency: "emergency"
        case .urgent: "urgent"
        case .normal: "normal"
        case .bulk: "bulk"
        }
    }
}

extension Announcement.Severity {
    fileprivate var word: String {
        switch self {
        case .information: "information"
        case .advice: "advice"
        case .warning: "warning"
        case .alarm: "alarm"
        }
    }
}

extension AnnouncementSend {
    /// The words and numbers of a request, as the node takes them.
    func draft() throws(ControlError) -> AnnouncementDraft {
        func refuse(_ name: String, _ known: String) -> ControlError {
            ControlError(
                .invalidParameters, "there is no such \(name) of an announcement", hint: "give one of \(known)")
        }
        guard let priority = Priority.allCases.first(where: { $0.word == priority ?? "normal" }) else {
            throw refuse("priority", Priority.allCases.map(\.word).joined(separator: ", "))
        }
        guard let ttl = TTL.allCases.first(where: { Int($0.hours) == hours ?? 72 }) else {
            throw refuse("hours", TTL.allCases.map { String($0.hours) }.joined(separator: ", "))
        }
        guard let severity = Announcement.Severity.allCases.first(where: { $0.word == severity ?? "information" })
        else { throw refuse("severity", Announcement.Severity.allCases.map(\.word).joined(separator: ", ")) }
        var scope = Announcement.Scope.all
        if let zone {
            guard let number = UInt8(exactly: zone), number <= 254 else { throw refuse("zone", "0 to 254") }
            scope = .zone(number)
        }
        return AnnouncementDraft(
            text: text, priority: priority, ttl: ttl, scope: scope, severity: severity, isDrill: drill ?? false,
            supersedes: supersedes, isForFormerMembersToo: formerMembersToo ?? false)
    }
}

extension AnnouncementEntry {
    init(_ line: AnnouncementLine) {
        var zone: Int?
        if case .zone(let number) = line.scope { zone = Int(number) }
        self.init(
            author: line.author.asHex, label: line.label, sequence: line.sequence, zone: zone,
            issued: line.issued.asTime, expires: Time(secondsSince1970: Int64(line.expires.value) * 3600),
            received: line.received.asTime, priority: line.priority.word, severity: line.severity.word,
            text: line.text, isDrill: line.isDrill, supersedes: line.supersedes, state: line.state.rawValue,
            isReadByFormerMembers: line.isReadByFormerMembers)
    }
}

extension LogHeadEntry {
    init(_ head: LogHead, isForked: Bool) {
        self.init(log: head.log.asHex, sequence: head.sequence, id: head.id.asHex, isForked: isForked)
    }
}

extension RenewalEntry {
    init(_ renewal: WaitingRenewal) {
        self.init(
            device: renewal.device.asHex, label: renewal.label,
            certificateExpires: renewal.certificateExpires.asTime, issuer: renewal.issuer.asHex)
    }
}

extension ReleaseEntry {
    package init(_ release: Release) {
        let manifest = release.manifest
        self.init(
            version: manifest.version, entry: release.entry.asHex, listed: release.time.asTime,
            installable: release.soaked.asTime, source: Hex(manifest.sourceCommit), recipe: manifest.recipe.asHex,
            leastWire: Int(manifest.leastWire),
            artefacts: manifest.artefacts.map { ArtefactEntry(name: $0.name, sha256: $0.sha256.asHex) })
    }
}

extension WipeDraftRequest {
    func draft() throws(ControlError) -> WipeDraft {
        guard let mode = WipeOrder.Mode(word: mode) else {
            throw ControlError(.invalidParameters, "wipe.draft does not take this \"mode\"", hint: "lock, erase")
        }
        let reason = try RevocationReason(reason ?? RevocationReason.lost.word, of: Self.method)
        let most = Int(Membership.WipeBounds.life / 1440)
        guard let days = UInt16(exactly: days ?? 20), (1...most).contains(Int(days)) else {
            throw ControlError(.invalidParameters, "wipe.draft does not take these \"days\"", hint: "1 to \(most)")
        }
        return WipeDraft(device: device, mode: mode, reason: reason, days: days)
    }
}

extension WipeSignedResult {
    init(_ order: SignedOrder) {
        self.init(
            note: Base64(order.note), device: order.device.asHex, label: order.label, mode: "\(order.mode)",
            expires: order.expires.asTime, officers: order.officers, isInForce: order.isInForce)
    }
}

extension WipeEntry {
    init(_ line: WipeLine) {
        self.init(
            order: line.order.asHex, device: line.device.asHex, label: line.label, mode: "\(line.mode)",
            issued: line.issued.asTime, expires: line.expires.asTime, by: line.by, state: line.state.rawValue,
            done: line.done?.asTime)
    }
}

extension LogEntryLine {
    init(_ line: LogLine) {
        self.init(
            position: line.position, log: line.head.log.asHex, label: line.label, sequence: line.head.sequence,
            id: line.head.id.asHex, time: line.time.asTime, summary: line.summary.until(line.ends),
            mark: line.mark?.rawValue)
    }
}

extension LogNoteLine {
    init(_ line: NoteLine) {
        self.init(
            id: line.id.asHex, hash: line.hash.asHex, device: line.device.asHex, reason: line.reason.word,
            issued: line.issued.asTime, suspectSince: line.suspectSince.asTime, by: line.by,
            decision: line.decision?.word, summary: line.summary)
    }
}

extension String {
    /// What an entry says, with the days on which what it grants ends.
    package func until(_ ends: ClosedRange<Minute>?) -> String {
        guard let ends else { return self }
        func day(_ minute: Minute) -> String {
            String(RFC3339.text(secondsSince1970: Int64(minute.value) * 60).prefix(10))
        }
        let (first, last) = (day(ends.lowerBound), day(ends.upperBound))
        return "\(self), until \(first == last ? last : "\(first) to \(last)")"
    }
}

extension SendResult {
    init(_ id: MessageID, _ state: SendState) { self.init(id: id.asHex, state: state.rawValue) }
}

extension EventEntry {
    /// The feed names what happened; the text of mail stands in `inbox.message` alone.
    package init(_ observation: Observation, at time: Time) {
        func entry(_ kind: String, _ text: String, _ fields: [String: String] = [:]) -> EventEntry {
            EventEntry(time: time, kind: kind, text: text, fields: fields)
        }
        switch observation {
        case .started(let device):
            self = entry("started", "the node runs as \(device)", ["device": device.hex])
        case .heardBeacon(let device, let address):
            self = entry(
                "heardBeacon", "heard \(device) from \(address)",
                ["device": device.hex, "address": address.description])
        case .dialling(let address):
            self = entry("dialling", "dialling \(address)", ["address": address.description])
        case .linkUp(let device, let address, let isCatchUp):
            self = entry(
                "linkUp", "linked to \(device) at \(address)\(isCatchUp ? ", to take its log first" : "")",
                ["device": device.hex, "address": address.description, "isCatchUp": String(isCatchUp)])
        case .linkDown(let device, let end):
            self = entry(
                "linkDown", "the link to \(device) ended: \(end.words)",
                ["device": device.hex, "reason": end.rawValue])
        case .refused(let address, let cause):
            self = entry(
                "refused", "refused \(address): \(cause.words)",
                ["address": address.description, "cause": cause.code.rawValue])
        case .logAccepted(let head):
            self = entry(
                "logAccepted", "accepted entry \(head.sequence) of log \(head.log)",
                ["log": head.log.hex, "sequence": String(head.sequence), "id": head.id.hex])
        case .noteLearnt(let note, let device):
            self = entry(
                "noteLearnt", "learnt that \(device) is revoked", ["note": note.hex, "device": device.hex])
        case .epochLearnt(let epoch):
            self = entry("epochLearnt", "learnt epoch \(epoch)", ["epoch": String(epoch)])
        case .stored(let id, let device):
            self = entry("stored", "took envelope \(id) from \(device)", ["id": id.hex, "device": device.hex])
        case .handedOn(let id, let device):
            self = entry("handedOn", "handed envelope \(id) to \(device)", ["id": id.hex, "device": device.hex])
        case .delivered(let message):
            self = entry(
                "delivered", "a message from \(message.label)",
                ["id": message.id.hex, "device": message.from.hex, "sequence": String(message.sequence)])
        case .suspendLearnt(let suspend, let device):
            self = entry(
                "suspendLearnt", "a member asks that \(device) be kept out",
                ["suspend": suspend.hex, "device": device.hex])
        case .quarantined(let message):
            self = entry(
                "quarantined", "a message from \(message.label), which is revoked, went into quarantine",
                ["id": message.id.hex, "device": message.from.hex, "sequence": String(message.sequence)])
        case .staleness(let staleness):
            self = entry("staleness", "the log is \(staleness.rawValue)", ["grade": staleness.rawValue])
        case .wipeAccepted(let mode, let order):
            self = entry(
                "wipeAccepted", "ordered to \(mode) this device, and the order holds",
                ["mode": "\(mode)", "order": order.hex])
        case .wipeRefused(let refusal):
            self = entry("wipeRefused", "an order to wipe this device is not obeyed: \(refusal.words)")
        case .wipeReceipt(let device, let mode):
            self = entry(
                "wipeReceipt", "\(device) says that it obeys the order to \(mode)",
                ["device": device.hex, "mode": "\(mode)"])
        case .announced(let line):
            self = entry(
                "announced", "announcement \(line.sequence) of \(line.label)",
                ["device": line.author.hex, "sequence": String(line.sequence)])
        case .expired(let count):
            self = entry("expired", "\(count) envelopes expired", ["count": String(count)])
        case .warning(let text):
            self = entry("warning", text)
        }
    }
}
