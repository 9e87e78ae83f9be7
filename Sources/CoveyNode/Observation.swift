package import CoveyCore
package import CoveyCrypto

/// What a node noticed. One stream, four readers: log lines, the live feed, metrics, the simulator's checkers.
package enum Observation: Sendable {
    case started(DeviceID)
    case heardBeacon(DeviceID, SocketAddress)
    case dialling(SocketAddress)
    case linkUp(DeviceID, SocketAddress, isCatchUp: Bool)
    case linkDown(DeviceID, LinkEnd)
    /// A stranger or a faulty peer was refused, without an answer. The cause is for us only.
    case refused(SocketAddress, Refusal)
    case logAccepted(LogHead)
    case noteLearnt(NoteHash, DeviceID)
    case suspendLearnt(SuspendHash, DeviceID)
    case epochLearnt(UInt32)
    case stored(EnvelopeID, from: DeviceID)
    case handedOn(EnvelopeID, to: DeviceID)
    /// Apart from the others in memory, which are small and many.
    indirect case delivered(InboxMessage)
    /// Came after its sender was revoked: not in the inbox.
    indirect case quarantined(InboxMessage)
    /// The grade of our log changed, or is not `fresh` at the start.
    case staleness(Staleness)
    /// This device was ordered to lock or erase itself, and the order holds: it is carried out by whoever runs the node,
    /// after what the node sent before this has left, and reported by `Event.wiped`. Noticed again at a start that finds it
    /// unreported.
    case wipeAccepted(WipeOrder.Mode, Octets16)
    /// This device was ordered so, and does not obey.
    case wipeRefused(WipeRefusal)
    /// A device that was ordered so says that it obeys.
    case wipeReceipt(DeviceID, WipeOrder.Mode)
    /// An announcement that was not known before.
    indirect case announced(AnnouncementLine)
    case expired(Int)
    case warning(String)
}

/// Why a link ended.
package enum LinkEnd: String, Sendable {
    case closedByPeer
    case duplicate
    case revoked
    /// Its certificate ended, or the right of those who signed it.
    case notAdmitted
    case catchUpTimeout
    case silent
    case shutdown
    case protocolFault
    case rehandshake
}
