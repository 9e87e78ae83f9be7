// What the methods answer, and what the notifications say. Field names are the names in JSON.

package struct StatusResult: Hashable, Sendable, Codable {
    package var mesh: Hex
    package var meshName: String
    package var device: Hex
    package var label: String
    /// Neighbours linked now.
    package var links: Int
    /// Envelopes carried.
    package var held: Int
    package var heldBytes: UInt64
    /// Ids known whose envelopes are not held.
    package var ghosts: Int
    /// Messages received, those in quarantine aside.
    package var inbox: UInt64
    /// Messages that came after their sender was revoked.
    package var quarantined: UInt64
    /// Messages that wait for the keys of their recipient.
    package var waiting: Int
    package var logEntries: Int
    package var notes: Int
    /// Absent while there is no clean epoch.
    package var epoch: UInt32?
    /// No clean epoch: the node only meets others and takes the log.
    package var isHolding: Bool
    package var timeIsTrusted: Bool
    /// Minutes between members' clocks by which mail is dated here; absent while they agree or are not needed.
    package var clockSpread: Int?
    /// Minutes that the machine's clock stands behind the time that has come already; absent while it does not.
    package var clockBehind: Int?
    /// `fresh`, `stale` or `stranded`.
    package var staleness: String
    /// When an authority was last heard of.
    package var authorityHeard: Time?
    /// Until when `staleness` stays so if none is heard of; absent when it is `stranded`.
    package var gradeEnds: Time?
    package var certificateExpires: Time
    /// `surelyValid`, `unknown`, `surelyExpired` or `notYetValid`.
    package var certificateValidity: String
    /// It has asked for its next certificate, and nobody has answered.
    package var renewalAsked: Bool
    /// Devices that are kept out for some days now.
    package var suspended: Int
    /// When this device is let in again; absent when it is not kept out.
    package var suspendedUntil: Time?
    /// Why this device was revoked; absent when it is a member.
    package var revoked: String?
    /// Why handshakes and frames were refused, and how often, by code.
    package var refusals: [String: UInt64]

    package init(
        mesh: Hex, meshName: String, device: Hex, label: String, links: Int, held: Int, heldBytes: UInt64, ghosts: Int,
        inbox: UInt64, quarantined: UInt64, waiting: Int, logEntries: Int, notes: Int, epoch: UInt32?, isHolding: Bool,
        timeIsTrusted: Bool, clockSpread: Int?, clockBehind: Int?, staleness: String, authorityHeard: Time?,
        gradeEnds: Time?, certificateExpires: Time, certificateValidity: String, renewalAsked: Bool, suspended: Int,
        suspendedUntil: Time?, revoked: String?,
        refusals: [String: UInt64]
    ) {
        self.mesh = mesh
        self.meshName = meshName
        self.device = device
        self.label = label
        self.links = links
        self.held = held
        self.heldBytes = heldBytes
        self.ghosts = ghosts
        self.inbox = inbox
        self.quarantined = quarantined
        self.waiting = waiting
        self.logEntries = logEntries
        self.notes = notes
        self.epoch = epoch
        self.isHolding = isHolding
        self.timeIsTrusted = timeIsTrusted
        self.clockSpread = clockSpread
        self.clockBehind = clockBehind
        self.staleness = staleness
        self.authorityHeard = authorityHeard
        self.gradeEnds = gradeEnds
        self.certificateExpires = certificateExpires
        self.certificateValidity = certificateValidity
        self.renewalAsked = renewalAsked
        self.suspended = suspended
        self.suspendedUntil = suspendedUntil
        self.revoked = revoked
        self.refusals = refusals
    }
}

package struct VersionResult: Hashable, Sendable, Codable {
    package var version: String
    /// SHA-256 of the program that runs the node, as it was when the node began; absent when it could not be read.
    package var build: Hex?
    package var protocolVersion: Int
    package var controlVersion: Int

    package init(version: String, build: Hex?, protocolVersion: Int, controlVersion: Int) {
        self.version = version
        self.build = build
        self.protocolVersion = protocolVersion
        self.controlVersion = controlVersion
    }
}

package struct FindingEntry: Hashable, Sendable, Codable {
    package var kind: String
    package var isUrgent: Bool
    package var text: String
    package var advice: String

    package init(kind: String, isUrgent: Bool, text: String, advice: String) {
        self.kind = kind
        self.isUrgent = isUrgent
        self.text = text
        self.advice = advice
    }
}

package struct FindingsResult: Hashable, Sendable, Codable {
    package var findings: [FindingEntry]

    package init(findings: [FindingEntry]) {
        self.findings = findings
    }
}

package struct StopResult: Hashable, Sendable, Codable {
    package var stopping: Bool

    package init(stopping: Bool) {
        self.stopping = stopping
    }
}

package struct PeerEntry: Hashable, Sendable, Codable {
    package var device: Hex
    package var label: String
    package var address: String
    package var since: Time
    /// Linked only to take the membership log.
    package var isCatchUp: Bool
    package var bytesIn: UInt64
    package var bytesOut: UInt64

    package init(
        device: Hex, label: String, address: String, since: Time, isCatchUp: Bool, bytesIn: UInt64, bytesOut: UInt64
    ) {
        self.device = device
        self.label = label
        self.address = address
        self.since = since
        self.isCatchUp = isCatchUp
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
    }
}

package struct PeersResult: Hashable, Sendable, Codable {
    package var peers: [PeerEntry]

    package init(peers: [PeerEntry]) {
        self.peers = peers
    }
}

package struct ContactEntry: Hashable, Sendable, Codable {
    package var device: Hex
    package var label: String
    package var subject: Hex
    package var isRevoked: Bool
    /// Why it was revoked; absent when it is a member.
    package var revoked: String?
    package var isSelf: Bool
    /// Messages can be sealed to it now.
    package var hasBundle: Bool
    /// When it is let in again, as things stand; absent when it is not kept out.
    package var suspendedUntil: Time?
    /// How many more members have to ask that it be kept out; absent when none asks.
    package var suspensionMissing: Int?

    package init(
        device: Hex, label: String, subject: Hex, revoked: String?, isSelf: Bool, hasBundle: Bool,
        suspendedUntil: Time?, suspensionMissing: Int?
    ) {
        self.device = device
        self.label = label
        self.subject = subject
        isRevoked = revoked != nil
        self.revoked = revoked
        self.isSelf = isSelf
        self.hasBundle = hasBundle
        self.suspendedUntil = suspendedUntil
        self.suspensionMissing = suspensionMissing
    }
}

package struct ContactsResult: Hashable, Sendable, Codable {
    /// In the order of their ids.
    package var contacts: [ContactEntry]
    /// Ask again with `after` set to the last device.
    package var more: Bool

    package init(contacts: [ContactEntry], more: Bool) {
        self.contacts = contacts
        self.more = more
    }
}

/// A device with its current certificate, and what was said against it.
package struct ContactDetailResult: Hashable, Sendable, Codable {
    package var contact: ContactEntry
    package var rights: [String]
    package var zones: [UInt8]
    package var authority: Hex
    package var authorityLabel: String
    package var serial: UInt64
    package var begins: Time
    package var expires: Time
    /// `surelyValid`, `unknown`, `surelyExpired` or `notYetValid`.
    package var validity: String
    /// The device whose place it took; absent when it took none.
    package var supersedes: Hex?
    /// The oldest first, as many as there is room for.
    package var notes: [LogNoteLine]
    package var more: Bool

    package init(
        contact: ContactEntry, rights: [String], zones: [UInt8], authority: Hex, authorityLabel: String,
        serial: UInt64, begins: Time, expires: Time, validity: String, supersedes: Hex?, notes: [LogNoteLine],
        more: Bool
    ) {
        self.contact = contact
        self.rights = rights
        self.zones = zones
        self.authority = authority
        self.authorityLabel = authorityLabel
        self.serial = serial
        self.begins = begins
        self.expires = expires
        self.validity = validity
        self.supersedes = supersedes
        self.notes = notes
        self.more = more
    }
}

package struct SuspendResult: Hashable, Sendable, Codable {
    package var device: Hex
    package var label: String
    /// Until when this device asks for it.
    package var asked: Time
    /// Absent while too few ask.
    package var suspendedUntil: Time?
    /// How many more members have to ask.
    package var missing: Int

    package init(device: Hex, label: String, asked: Time, suspendedUntil: Time?, missing: Int) {
        self.device = device
        self.label = label
        self.asked = asked
        self.suspendedUntil = suspendedUntil
        self.missing = missing
    }
}

package struct RevokeSelfResult: Hashable, Sendable, Codable {
    /// Linked devices that were told at once.
    package var told: Int

    package init(told: Int) {
        self.told = told
    }
}

package struct SendResult: Hashable, Sendable, Codable {
    package var id: Hex
    /// `sealed`, or `waitingForKeys` until the recipient's prekey bundle arrives.
    package var state: String

    package init(id: Hex, state: String) {
        self.id = id
        self.state = state
    }
}

/// One message; also the parameters of the notification `inbox.message`.
package struct InboxEntry: Hashable, Sendable, Codable {
    package var sequence: UInt64
    package var id: Hex
    /// The device.
    package var from: Hex
    package var label: String
    /// What the sender claims.
    package var sent: Time
    package var received: Time
    package var text: String
    /// `fine`, `sinceRevoked`, `compromisedThen`, `quarantined` or `hidden`.
    package var standing: String
    /// Why the sender was revoked: `retired`, `lost`, `compromised`, `superseded` or `policy`; absent when it is a member.
    package var revoked: String?

    package init(
        sequence: UInt64, id: Hex, from: Hex, label: String, sent: Time, received: Time, text: String,
        standing: String, revoked: String?
    ) {
        self.sequence = sequence
        self.id = id
        self.from = from
        self.label = label
        self.sent = sent
        self.received = received
        self.text = text
        self.standing = standing
        self.revoked = revoked
    }
}

package struct InboxResult: Hashable, Sendable, Codable {
    package var messages: [InboxEntry]
    /// Ask again with `after` set to the last sequence.
    package var more: Bool

    package init(messages: [InboxEntry], more: Bool) {
        self.messages = messages
        self.more = more
    }
}

package struct AnnouncementEntry: Hashable, Sendable, Codable {
    /// The device.
    package var author: Hex
    package var label: String
    package var sequence: UInt64
    /// Absent: everybody.
    package var zone: Int?
    package var issued: Time
    package var expires: Time
    package var received: Time
    package var priority: String
    package var severity: String
    package var text: String
    package var isDrill: Bool
    package var supersedes: UInt64?
    /// `current`, `waiting`, `expired`, `superseded`, `authorRevoked`, `authorCompromised` or `contradicted`.
    package var state: String
    package var isReadByFormerMembers: Bool

    package init(
        author: Hex, label: String, sequence: UInt64, zone: Int?, issued: Time, expires: Time, received: Time,
        priority: String, severity: String, text: String, isDrill: Bool, supersedes: UInt64?, state: String,
        isReadByFormerMembers: Bool
    ) {
        self.author = author
        self.label = label
        self.sequence = sequence
        self.zone = zone
        self.issued = issued
        self.expires = expires
        self.received = received
        self.priority = priority
        self.severity = severity
        self.text = text
        self.isDrill = isDrill
        self.supersedes = supersedes
        self.state = state
        self.isReadByFormerMembers = isReadByFormerMembers
    }
}

package struct AnnouncementResult: Hashable, Sendable, Codable {
    package var announcement: AnnouncementEntry

    package init(announcement: AnnouncementEntry) {
        self.announcement = announcement
    }
}

/// Numbers of an author's announcements that did not come, between others that did.
package struct MissingAnnouncements: Hashable, Sendable, Codable {
    package var author: Hex
    package var label: String
    package var sequences: [UInt64]

    package init(author: Hex, label: String, sequences: [UInt64]) {
        self.author = author
        self.label = label
        self.sequences = sequences
    }
}

package struct AnnouncementsResult: Hashable, Sendable, Codable {
    package var announcements: [AnnouncementEntry]
    package var missing: [MissingAnnouncements]
    /// There are older ones, or more numbers that did not come, than one line holds.
    package var more: Bool

    package init(announcements: [AnnouncementEntry], missing: [MissingAnnouncements], more: Bool) {
        self.announcements = announcements
        self.missing = missing
        self.more = more
    }
}

package struct SubscribeResult: Hashable, Sendable, Codable {
    package var subscribed: Bool

    package init(subscribed: Bool) {
        self.subscribed = subscribed
    }
}

package struct LogHeadEntry: Hashable, Sendable, Codable {
    package var log: Hex
    package var sequence: UInt64
    package var id: Hex
    /// Nobody has chosen between its branches: the entry is the last before they part.
    package var isForked: Bool

    package init(log: Hex, sequence: UInt64, id: Hex, isForked: Bool) {
        self.log = log
        self.sequence = sequence
        self.id = id
        self.isForked = isForked
    }
}

package struct LogHeadsResult: Hashable, Sendable, Codable {
    package var heads: [LogHeadEntry]
    package var sealTo: Base64

    package init(heads: [LogHeadEntry], sealTo: Base64) {
        self.heads = heads
        self.sealTo = sealTo
    }
}

package struct LogEntryLine: Hashable, Sendable, Codable {
    package var position: UInt64
    package var log: Hex
    /// Of the log's authority.
    package var label: String
    package var sequence: UInt64
    package var id: Hex
    package var time: Time
    package var summary: String
    /// `forked`, `dropped` or `void`; absent when it counts.
    package var mark: String?

    package init(
        position: UInt64, log: Hex, label: String, sequence: UInt64, id: Hex, time: Time, summary: String,
        mark: String?
    ) {
        self.position = position
        self.log = log
        self.label = label
        self.sequence = sequence
        self.id = id
        self.time = time
        self.summary = summary
        self.mark = mark
    }
}

/// A revocation of a device.
package struct LogNoteLine: Hashable, Sendable, Codable {
    package var id: Hex
    package var hash: Hex
    package var device: Hex
    package var reason: String
    package var issued: Time
    package var suspectSince: Time
    package var by: String
    /// `confirmed` or `lifted`; absent while no authority has decided.
    package var decision: String?
    package var summary: String

    package init(
        id: Hex, hash: Hex, device: Hex, reason: String, issued: Time, suspectSince: Time, by: String,
        decision: String?, summary: String
    ) {
        self.id = id
        self.hash = hash
        self.device = device
        self.reason = reason
        self.issued = issued
        self.suspectSince = suspectSince
        self.by = by
        self.decision = decision
        self.summary = summary
    }
}

package struct LogNotesResult: Hashable, Sendable, Codable {
    package var notes: [LogNoteLine]
    /// Ask again with `after` set to the last id.
    package var more: Bool

    package init(notes: [LogNoteLine], more: Bool) {
        self.notes = notes
        self.more = more
    }
}

package struct LogListResult: Hashable, Sendable, Codable {
    package var entries: [LogEntryLine]
    /// Ask again with `after` set to the last position.
    package var more: Bool

    package init(entries: [LogEntryLine], more: Bool) {
        self.entries = entries
        self.more = more
    }
}

package struct LogExportResult: Hashable, Sendable, Codable {
    /// Signed objects, as they stand in a `.log` file.
    package var objects: [Base64]
    /// Ask again with `after` set to it; absent when these were the last.
    package var next: String?

    package init(objects: [Base64], next: String?) {
        self.objects = objects
        self.next = next
    }
}

package struct RenewalEntry: Hashable, Sendable, Codable {
    package var device: Hex
    package var label: String
    package var certificateExpires: Time
    package var issuer: Hex

    package init(device: Hex, label: String, certificateExpires: Time, issuer: Hex) {
        self.device = device
        self.label = label
        self.certificateExpires = certificateExpires
        self.issuer = issuer
    }
}

package struct RenewalsResult: Hashable, Sendable, Codable {
    /// In the order of their ids.
    package var renewals: [RenewalEntry]

    package init(renewals: [RenewalEntry]) {
        self.renewals = renewals
    }
}

package struct ArtefactEntry: Hashable, Sendable, Codable {
    package var name: String
    package var sha256: Hex

    package init(name: String, sha256: Hex) {
        self.name = name
        self.sha256 = sha256
    }
}

package struct ReleaseEntry: Hashable, Sendable, Codable {
    package var version: String
    package var entry: Hex
    package var listed: Time
    /// Not before.
    package var installable: Time
    package var source: Hex
    package var recipe: Hex
    package var leastWire: Int
    package var artefacts: [ArtefactEntry]

    package init(
        version: String, entry: Hex, listed: Time, installable: Time, source: Hex, recipe: Hex, leastWire: Int,
        artefacts: [ArtefactEntry]
    ) {
        self.version = version
        self.entry = entry
        self.listed = listed
        self.installable = installable
        self.source = source
        self.recipe = recipe
        self.leastWire = leastWire
        self.artefacts = artefacts
    }
}

package struct ReleasesResult: Hashable, Sendable, Codable {
    package var releases: [ReleaseEntry]
    /// There are older ones that did not fit one line.
    package var more: Bool

    package init(releases: [ReleaseEntry], more: Bool) {
        self.releases = releases
        self.more = more
    }
}

package struct WipeSignedResult: Hashable, Sendable, Codable {
    /// The RevokeNote, as a Signed object.
    package var note: Base64
    package var device: Hex
    package var label: String
    /// `lock` or `erase`.
    package var mode: String
    package var expires: Time
    /// Labels of those who signed.
    package var officers: [String]
    package var isInForce: Bool

    package init(
        note: Base64, device: Hex, label: String, mode: String, expires: Time, officers: [String], isInForce: Bool
    ) {
        self.note = note
        self.device = device
        self.label = label
        self.mode = mode
        self.expires = expires
        self.officers = officers
        self.isInForce = isInForce
    }
}

package struct WipeEntry: Hashable, Sendable, Codable {
    package var order: Hex
    package var device: Hex
    package var label: String
    package var mode: String
    package var issued: Time
    package var expires: Time
    /// The authority's label, or those of the officers.
    package var by: String
    /// `carriedOut`, `waiting`, `expired` or `void`.
    package var state: String
    /// When the device took it, by its own clock.
    package var done: Time?

    package init(
        order: Hex, device: Hex, label: String, mode: String, issued: Time, expires: Time, by: String, state: String,
        done: Time?
    ) {
        self.order = order
        self.device = device
        self.label = label
        self.mode = mode
        self.issued = issued
        self.expires = expires
        self.by = by
        self.state = state
        self.done = done
    }
}

package struct WipesResult: Hashable, Sendable, Codable {
    package var orders: [WipeEntry]
    /// There are older ones that did not fit one line.
    package var more: Bool

    package init(orders: [WipeEntry], more: Bool) {
        self.orders = orders
        self.more = more
    }
}

package struct LogSubmitResult: Hashable, Sendable, Codable {
    package var accepted: Int
    package var known: Int
    /// Kept for a while: entries before these are missing, or the device of a note is in none.
    package var waiting: Int
    /// A sentence for each object refused.
    package var refused: [String]

    package init(accepted: Int, known: Int, waiting: Int, refused: [String]) {
        self.accepted = accepted
        self.known = known
        self.waiting = waiting
        self.refused = refused
    }
}

/// What the node noticed; the parameters of the notification `events.event`.
package struct EventEntry: Hashable, Sendable, Codable {
    package var time: Time
    package var kind: String
    /// For people.
    package var text: String
    /// For programs; which there are depends on the kind.
    package var fields: [String: String]

    package init(time: Time, kind: String, text: String, fields: [String: String]) {
        self.time = time
        self.kind = kind
        self.text = text
        self.fields = fields
    }
}

/// The parameters of the notification `control.dropped`: the last line before the node closes.
package struct DroppedNotice: Hashable, Sendable, Codable {
    package var reason: String

    package init(reason: String) {
        self.reason = reason
    }
}
