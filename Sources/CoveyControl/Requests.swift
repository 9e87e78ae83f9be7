/// The parameters of one method: what they are called in Swift is what they are called in JSON.
package protocol ControlRequest: Hashable, Sendable, Codable {
    associatedtype Result: Hashable & Sendable & Codable
    static var method: ControlMethod { get }
}

package struct NodeStatus: ControlRequest {
    package typealias Result = StatusResult
    package static let method = ControlMethod.nodeStatus

    package init() {}
}

package struct NodeVersion: ControlRequest {
    package typealias Result = VersionResult
    package static let method = ControlMethod.nodeVersion

    package init() {}
}

package struct NodeExamine: ControlRequest {
    package typealias Result = FindingsResult
    package static let method = ControlMethod.nodeExamine

    package init() {}
}

package struct NodeRevoke: ControlRequest {
    package typealias Result = RevokeSelfResult
    package static let method = ControlMethod.nodeRevoke

    package var reason: String
    /// Since when this device is suspect.
    package var since: Time?

    package init(reason: String, since: Time? = nil) {
        self.reason = reason
        self.since = since
    }
}

package struct NodeStop: ControlRequest {
    package typealias Result = StopResult
    package static let method = ControlMethod.nodeStop

    package init() {}
}

package struct PeersList: ControlRequest {
    package typealias Result = PeersResult
    package static let method = ControlMethod.peersList

    package init() {}
}

package struct ContactsList: ControlRequest {
    package typealias Result = ContactsResult
    package static let method = ControlMethod.contactsList

    /// The device of the last one of the page before.
    package var after: Hex?

    package init(after: Hex? = nil) { self.after = after }
}

package struct ContactsShow: ControlRequest {
    package typealias Result = ContactDetailResult
    package static let method = ControlMethod.contactsShow

    /// An exact label, or at least six hex digits that begin a device id.
    package var device: String

    package init(device: String) { self.device = device }
}

package struct ContactsSuspend: ControlRequest {
    package typealias Result = SuspendResult
    package static let method = ControlMethod.contactsSuspend

    /// An exact label, or at least six hex digits that begin a device id.
    package var device: String
    package var reason: String
    package var days: Int?

    package init(device: String, reason: String, days: Int? = nil) {
        self.device = device
        self.reason = reason
        self.days = days
    }
}

package struct MessageSend: ControlRequest {
    package typealias Result = SendResult
    package static let method = ControlMethod.messageSend

    /// An exact label, or at least six hex digits that begin a device id.
    package var to: String
    package var text: String

    package init(to: String, text: String) {
        self.to = to
        self.text = text
    }
}

package struct InboxList: ControlRequest {
    package typealias Result = InboxResult
    package static let method = ControlMethod.inboxList

    package var after: UInt64?
    package var limit: Int?

    package init(after: UInt64? = nil, limit: Int? = nil) {
        self.after = after
        self.limit = limit
    }
}

package struct InboxSubscribe: ControlRequest {
    package typealias Result = SubscribeResult
    package static let method = ControlMethod.inboxSubscribe

    /// Messages above this sequence come first; without it only new ones come.
    package var after: UInt64?

    package init(after: UInt64? = nil) {
        self.after = after
    }
}

package struct QuarantineList: ControlRequest {
    package typealias Result = InboxResult
    package static let method = ControlMethod.quarantineList

    package var after: UInt64?
    package var limit: Int?
    /// Also those of compromised senders.
    package var hidden: Bool?

    package init(after: UInt64? = nil, limit: Int? = nil, hidden: Bool? = nil) {
        self.after = after
        self.limit = limit
        self.hidden = hidden
    }
}

package struct AnnouncementSend: ControlRequest {
    package typealias Result = AnnouncementResult
    package static let method = ControlMethod.announcementSend

    package var text: String
    package var priority: String?
    package var hours: Int?
    package var zone: Int?
    package var severity: String?
    package var drill: Bool?
    package var supersedes: UInt64?
    package var formerMembersToo: Bool?

    package init(
        text: String, priority: String? = nil, hours: Int? = nil, zone: Int? = nil, severity: String? = nil,
        drill: Bool? = nil, supersedes: UInt64? = nil, formerMembersToo: Bool? = nil
    ) {
        self.text = text
        self.priority = priority
        self.hours = hours
        self.zone = zone
        self.severity = severity
        self.drill = drill
        self.supersedes = supersedes
        self.formerMembersToo = formerMembersToo
    }
}

package struct AnnouncementList: ControlRequest {
    package typealias Result = AnnouncementsResult
    package static let method = ControlMethod.announcementList

    package init() {}
}

package struct LogHeads: ControlRequest {
    package typealias Result = LogHeadsResult
    package static let method = ControlMethod.logHeads

    package init() {}
}

package struct LogList: ControlRequest {
    package typealias Result = LogListResult
    package static let method = ControlMethod.logList

    package var after: UInt64?
    package var limit: Int?

    package init(after: UInt64? = nil, limit: Int? = nil) {
        self.after = after
        self.limit = limit
    }
}

package struct LogNotes: ControlRequest {
    package typealias Result = LogNotesResult
    package static let method = ControlMethod.logNotes

    /// The id of the last one of the page before.
    package var after: Hex?
    package var limit: Int?

    package init(after: Hex? = nil, limit: Int? = nil) {
        self.after = after
        self.limit = limit
    }
}

package struct LogExport: ControlRequest {
    package typealias Result = LogExportResult
    package static let method = ControlMethod.logExport

    /// `next` of the page before.
    package var after: String?
    package var limit: Int?

    package init(after: String? = nil, limit: Int? = nil) {
        self.after = after
        self.limit = limit
    }
}

/// The key of an epoch an officer announced, for the officer's own node.
package struct EpochKeyEntry: Hashable, Sendable, Codable {
    /// The EpochAnnounce that commits to the key.
    package var entry: Hex
    /// Sealed to `LogHeadsResult.sealTo`: keys never stand in a line.
    package var key: Base64

    package init(entry: Hex, key: Base64) {
        self.entry = entry
        self.key = key
    }
}

package struct LogSubmit: ControlRequest {
    package typealias Result = LogSubmitResult
    package static let method = ControlMethod.logSubmit

    /// Signed objects, as they stand in a `.log` file.
    package var objects: [Base64]
    package var epochKeys: [EpochKeyEntry]?

    package init(objects: [Base64], epochKeys: [EpochKeyEntry]? = nil) {
        self.objects = objects
        self.epochKeys = epochKeys
    }
}

package struct RenewalsList: ControlRequest {
    package typealias Result = RenewalsResult
    package static let method = ControlMethod.renewalsList

    package init() {}
}

package struct ReleaseList: ControlRequest {
    package typealias Result = ReleasesResult
    package static let method = ControlMethod.releaseList

    package init() {}
}

package struct WipeDraftRequest: ControlRequest {
    package typealias Result = WipeSignedResult
    package static let method = ControlMethod.wipeDraft

    package var device: String
    package var mode: String
    package var reason: String?
    package var days: Int?

    package init(device: String, mode: String, reason: String? = nil, days: Int? = nil) {
        self.device = device
        self.mode = mode
        self.reason = reason
        self.days = days
    }
}

package struct WipeSign: ControlRequest {
    package typealias Result = WipeSignedResult
    package static let method = ControlMethod.wipeSign

    /// A RevokeNote, as a Signed object.
    package var note: Base64

    package init(note: Base64) {
        self.note = note
    }
}

package struct WipeList: ControlRequest {
    package typealias Result = WipesResult
    package static let method = ControlMethod.wipeList

    package init() {}
}

package struct EventsSubscribe: ControlRequest {
    package typealias Result = SubscribeResult
    package static let method = ControlMethod.eventsSubscribe

    package init() {}
}
