package import CoveyCore

/// What a person or a program asks of its own node, through the control socket or a test.
package enum Command: Sendable {
    case status
    case peers
    case contacts
    /// All that is known of one device, named as in `send`.
    case contact(device: String)
    /// `to`: an exact label, or at least six hex digits that begin a device id.
    case send(to: String, text: String)
    /// What somebody should look after.
    case examine
    /// Asks in this device's name that another be kept out for some days.
    case suspend(device: String, reason: RevocationReason, days: Int)
    /// Revokes this device by its own key, for good.
    case revokeSelf(RevocationReason, since: Minute?)
    case announce(AnnouncementDraft)
    /// All that were heard, and the numbers that are missing.
    case announcements
    /// Messages with a sequence above `after`.
    case inbox(after: UInt64, limit: Int)
    /// Messages that came after their sender was revoked, apart from the inbox. `hidden`: also those of compromised
    /// senders. The reply is `inbox`.
    case quarantine(after: UInt64, limit: Int, hidden: Bool)
    case logHeads
    case logList(after: UInt64, limit: Int)
    /// RevokeNotes, in the order of their ids.
    case logNotes(after: NoteID, limit: Int)
    /// Entries and notes after a mark, as a log file has them.
    case logExport(after: ExportMark, limit: Int)
    /// Requests for renewal that nobody has answered.
    case renewals
    /// What the release log lists.
    case releases
    /// This device is a wipe officer, and orders another one to lock or erase itself; a second officer has to sign.
    case draftWipe(WipeDraft)
    /// A RevokeNote with an order, a Signed object, to be signed by this device too. With two signatures it is in force.
    case signWipe([UInt8])
    /// Orders, and what became of them.
    case wipes
    /// Log entries, notes, or both, as they stand in a `.log` file: each a Signed object. An officer's own node also
    /// gets the keys of the epochs that are announced: links are the only other way they travel.
    case logSubmit([[UInt8]], epochKeys: [EpochKeySubmission])
    case stop
}

package enum Reply: Sendable {
    case status(Status)
    case peers([PeerStatus])
    case contacts([Contact])
    case contact(ContactDetail)
    case sent(MessageID, SendState)
    case examined([Finding])
    case suspended(SuspensionAnswer)
    /// How many linked devices were told.
    case revokedSelf(told: Int)
    case announced(AnnouncementLine)
    case announcements([AnnouncementLine], gaps: [AnnouncementGap])
    case inbox([InboxMessage])
    /// With those of them between whose branches nobody has chosen.
    case logHeads([LogHead], forked: Set<LogID>)
    case logList([LogLine])
    case logNotes([NoteLine])
    case logExport([ExportedObject])
    case renewals([WaitingRenewal])
    case releases([Release])
    case wipeSigned(SignedOrder)
    case wipes([WipeLine])
    case logSubmitted(LogSubmission)
    case stopping
    case refused(CommandRefusal)
}

/// Why a command was not done. Each is a sentence to a person and a kind to a program.
package enum CommandRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case notFound(String)
    case ambiguous(String, candidates: [String])
    case policy(String)
    /// With what to do about it.
    case bounds(String, hint: String = "ask for less")
    case unavailable(String)

    package var description: String {
        switch self {
        case .notFound(let text), .ambiguous(let text, _), .policy(let text), .bounds(let text, _),
            .unavailable(let text):
            text
        }
    }
}

package enum SendState: String, Sendable {
    /// Sealed, stored and offered.
    case sealed
    /// Kept as plaintext until the recipient's prekey bundle arrives (protocol.md §4.1).
    case waitingForKeys
}

package struct Contact: Hashable, Sendable {
    package var device: DeviceID
    package var label: String
    package var subject: SubjectID
    /// Why it was revoked; nil when it is a member.
    package var revoked: RevocationReason?
    package var isSelf: Bool
    package var hasBundle: Bool
    /// When it is let in again, as things stand; nil when it is not kept out.
    package var suspendedUntil: Minute?
    /// How many more members have to ask that it be kept out; nil when none asks.
    package var suspensionMissing: Int?

    package var isRevoked: Bool { revoked != nil }

    package init(
        device: DeviceID, label: String, subject: SubjectID, revoked: RevocationReason?, isSelf: Bool, hasBundle: Bool
    ) {
        self.device = device
        self.label = label
        self.subject = subject
        self.revoked = revoked
        self.isSelf = isSelf
        self.hasBundle = hasBundle
    }
}

/// A device with its current certificate, and what was said against it.
package struct ContactDetail: Sendable {
    package let contact: Contact
    package let certificate: DeviceCertificate.Content
    /// By which it may be revoked and renewed.
    package let authorityLabel: String
    package let validity: Validity
    /// In the order of their times.
    package let notes: [NoteLine]
}

/// A RevokeNote, as a person reads it.
package struct NoteLine: Hashable, Sendable {
    package let id: NoteID
    package let hash: NoteHash
    package let device: DeviceID
    package let reason: RevocationReason
    package let issued: Minute
    package let suspectSince: Minute
    package let by: String
    /// Nil while no authority has decided.
    package let decision: NoteVerdict.Decision?
    package let summary: String

    package init(_ note: RevokeNote, in membership: Membership) {
        id = note.id
        hash = note.hash
        device = note.device
        reason = note.reason
        issued = note.issued
        suspectSince = note.content.suspectSince
        by = membership.authorWords(of: note.hash) ?? ""
        decision = membership.verdict(on: note.hash)
        summary = note.content.summary(note.hash, in: membership)
    }
}

package struct PeerStatus: Hashable, Sendable {
    package var device: DeviceID
    package var label: String
    package var address: SocketAddress
    /// Microseconds of uptime since which the link stands.
    package var since: UInt64
    package var isCatchUp: Bool
    package var bytesIn: UInt64
    package var bytesOut: UInt64

    package init(
        device: DeviceID, label: String, address: SocketAddress, since: UInt64, isCatchUp: Bool, bytesIn: UInt64,
        bytesOut: UInt64
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

package struct InboxMessage: Hashable, Sendable {
    package var sequence: UInt64
    package var id: MessageID
    package var from: DeviceID
    package var label: String
    /// What the sender claims.
    package var sent: Minute
    package var received: Minute
    package var text: String
    package var standing: SenderStanding
    /// Why the sender was revoked, when it was.
    package var revoked: RevocationReason?

    package var senderSinceRevoked: Bool { standing != .fine }

    package init(
        sequence: UInt64, id: MessageID, from: DeviceID, label: String, sent: Minute, received: Minute, text: String,
        senderSinceRevoked: Bool
    ) {
        self.init(
            sequence: sequence, id: id, from: from, label: label, sent: sent, received: received, text: text,
            standing: senderSinceRevoked ? .sinceRevoked : .fine)
    }

    package init(
        sequence: UInt64, id: MessageID, from: DeviceID, label: String, sent: Minute, received: Minute, text: String,
        standing: SenderStanding
    ) {
        self.sequence = sequence
        self.id = id
        self.from = from
        self.label = label
        self.sent = sent
        self.received = received
        self.text = text
        self.standing = standing
    }
}

/// Log, sequence and id of an entry, as `covers` and LOG_HEADS name it.
package typealias LogHead = CoveredRow

/// One accepted entry, as a person reads it.
package struct LogLine: Hashable, Sendable {
    package let position: UInt64
    package let head: LogHead
    /// Of the log's authority.
    package let label: String
    package let time: Minute
    package let summary: String
    /// Between when and when what it grants ends; nil where nothing does.
    package let ends: ClosedRange<Minute>?
    /// Nil when it counts.
    package let mark: EntryMark?

    package init(_ entry: LogEntry, at position: UInt64, in membership: Membership) {
        self.position = position
        head = LogHead(log: entry.log, sequence: entry.sequence, id: entry.id)
        label = membership.label(of: entry.log) ?? ""
        time = entry.time
        summary = entry.payload.summary(in: membership)
        ends = entry.payload.ends
        mark = membership.mark(of: entry)
    }
}

package struct EpochKeySubmission: Sendable {
    /// The EpochAnnounce that commits to the key.
    package var entry: EntryID
    package var key: EpochKey

    package init(entry: EntryID, key: EpochKey) {
        self.entry = entry
        self.key = key
    }
}

package struct LogSubmission: Hashable, Sendable {
    package var accepted: Int
    package var known: Int
    /// Kept until what comes before them is here.
    package var waiting: Int
    package var refused: [String]

    package init(accepted: Int, known: Int, waiting: Int, refused: [String]) {
        self.accepted = accepted
        self.known = known
        self.waiting = waiting
        self.refused = refused
    }
}

package struct Status: Hashable, Sendable {
    package var mesh: MeshID
    package var meshName: String
    package var device: DeviceID
    package var label: String
    package var links: Int
    package var held: Int
    package var heldBytes: UInt64
    package var ghosts: Int
    /// Messages received, those in quarantine aside.
    package var inbox: UInt64
    /// Messages that came after their sender was revoked.
    package var quarantined: UInt64
    package var waiting: Int
    package var logEntries: Int
    package var notes: Int
    package var suspends: Int
    /// Devices that are kept out for some days now.
    package var suspended: Int
    /// Why this device is no member any more.
    package var revoked: RevocationReason?
    /// When this device is let in again; nil when it is not kept out.
    package var suspendedUntil: Minute?
    /// When an authority was last heard of.
    package var authorityHeard: Minute?
    /// How old the newest word of an authority is, against the policy.
    package var staleness: Staleness
    /// Until when it stays so if none is heard of; nil when it is stranded.
    package var gradeEnds: Minute?
    package var epoch: UInt32?
    package var isHolding: Bool
    /// For certificates.
    package var now: Minute
    /// Why the machine's clock is not believed; nil when it is.
    package var clockFault: MeshClock.Fault?
    package var timeIsTrusted: Bool { clockFault == nil }
    /// Minutes that the machine's clock stands before the floor; nil when it does not.
    package var clockBehind: Int?
    /// Members' clocks date mail here, and do not agree; nil when they do or are not needed.
    package var clockSpread: MeshClock.Spread?
    package var certificateExpires: Minute
    /// How sure it is that this device's certificate is within its time.
    package var certificateValidity: Validity
    /// This device has asked for its next certificate, and nobody has answered.
    package var renewalAsked: Bool
    /// Why handshakes and frames were refused, and how often.
    package var refusals: [Refusal: UInt64]

    package init(mesh: MeshID, meshName: String, device: DeviceID, label: String, certificateExpires: Minute) {
        self.mesh = mesh
        self.meshName = meshName
        self.device = device
        self.label = label
        self.certificateExpires = certificateExpires
        links = 0
        held = 0
        heldBytes = 0
        ghosts = 0
        inbox = 0
        quarantined = 0
        waiting = 0
        logEntries = 0
        notes = 0
        suspends = 0
        suspended = 0
        staleness = .stranded
        epoch = nil
        isHolding = false
        certificateValidity = .unknown
        now = Minute(0)
        renewalAsked = false
        refusals = [:]
    }
}
