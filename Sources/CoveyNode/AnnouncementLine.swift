package import CoveyCore

/// What a person wants announced.
package struct AnnouncementDraft: Hashable, Sendable {
    package var text: String
    package var priority: Priority
    package var ttl: TTL
    package var scope: Announcement.Scope
    package var severity: Announcement.Severity
    package var isDrill: Bool
    /// The number of an own announcement that this one takes the place of.
    package var supersedes: UInt64?
    /// Said by the person: it may go out although a former member holds the network key.
    package var isForFormerMembersToo: Bool

    package init(
        text: String, priority: Priority = .normal, ttl: TTL = .threeDays, scope: Announcement.Scope = .all,
        severity: Announcement.Severity = .information, isDrill: Bool = false, supersedes: UInt64? = nil,
        isForFormerMembersToo: Bool = false
    ) {
        self.text = text
        self.priority = priority
        self.ttl = ttl
        self.scope = scope
        self.severity = severity
        self.isDrill = isDrill
        self.supersedes = supersedes
        self.isForFormerMembersToo = isForFormerMembersToo
    }
}

/// An announcement as a person reads it.
package struct AnnouncementLine: Hashable, Sendable {
    /// Whether it says how things are now.
    package enum State: String, Sendable {
        case current
        /// Ours, and not sent: a former member could read it. It leaves under the next clean epoch.
        case waiting
        case expired
        case superseded
        /// It came before its author's revocation was known here. Of no author that is revoked is anything current.
        case authorRevoked
        /// As that, and it is dated when its author's device may have been in other hands already: to be looked at again.
        case authorCompromised
        /// Its author signed another text under the same number.
        case contradicted
    }

    package var author: DeviceID
    package var label: String
    package var sequence: UInt64
    package var scope: Announcement.Scope
    package var issued: Minute
    package var expires: Hour
    package var received: Minute
    package var priority: Priority
    package var severity: Announcement.Severity
    package var text: String
    package var isDrill: Bool
    package var supersedes: UInt64?
    package var state: State
    package var isReadByFormerMembers: Bool
}

/// Numbers of an author's announcements that did not come, between others that did.
package struct AnnouncementGap: Hashable, Sendable {
    package var author: DeviceID
    package var label: String
    package var missing: [UInt64]
}
