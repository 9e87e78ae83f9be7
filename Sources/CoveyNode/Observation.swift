package import CoveyCore

/// What a node noticed. One stream, four readers: log lines, the live feed, metrics, the simulator's checkers.
package enum Observation: Sendable {
    case started(DeviceID)
    case heardBeacon(DeviceID, SocketAddress)
    case dialling(SocketAddress)
    case linkUp(DeviceID, SocketAddress, isCatchUp: Bool)
    case linkDown(DeviceID, LinkEnd)
    /// A stranger or a faulty peer was refused, without an answer. The cause is for us only.
    case refused(SocketAddress, String)
    case logAccepted(LogHead)
    case noteLearnt(NoteHash, DeviceID)
    case epochLearnt(UInt32)
    case stored(EnvelopeID, from: DeviceID)
    case handedOn(EnvelopeID, to: DeviceID)
    /// Apart from the others in memory, which are small and many.
    indirect case delivered(InboxMessage)
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
