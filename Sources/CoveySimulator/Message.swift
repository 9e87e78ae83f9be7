package import CoveyCore

/// A message from one host to another.
public struct Message: Hashable, Sendable {
    /// What the sender's node said of it.
    public enum State: Hashable, Sendable {
        /// Sealed, stored and offered to neighbours.
        case sealed
        /// Kept until the recipient's keys arrive.
        case waitingForKeys
        /// The node did not take it; the text is the node's own.
        case refused(String)
        /// No node runs at the sender.
        case unasked
    }

    /// Zero when it was not taken.
    package let id: MessageID
    /// Nil when the sender is no host of this world.
    public let from: Host?
    /// Whom it is for.
    public let to: Host
    /// As it was written.
    public let text: String
    /// As the sender's node answered; one that waited for keys goes on saying so when they have come.
    public let state: State
    /// Time of the world.
    public let sent: Duration
    /// Time of the world at which it came to the recipient; nil while it has not.
    public let received: Duration?
    /// The sender had been revoked when it came.
    public let isFromRevoked: Bool

    /// The sender's node said that it has it on its disk.
    public let isTaken: Bool

    func received(at time: Duration) -> Message {
        Message(
            id: id, from: from, to: to, text: text, state: state, sent: sent, received: time,
            isFromRevoked: isFromRevoked, isTaken: isTaken)
    }

    func taken() -> Message {
        Message(
            id: id, from: from, to: to, text: text, state: state, sent: sent, received: received,
            isFromRevoked: isFromRevoked, isTaken: true)
    }

    /// Two messages are one when the sender gave them one id.
    public static func == (left: Message, right: Message) -> Bool {
        left.id == right.id && left.from == right.from && left.to == right.to && left.text == right.text
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(to)
    }
}
