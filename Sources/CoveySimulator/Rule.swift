import CoveyLink

/// What can be told of one thing on a wire without any key, when it is sent.
public struct FrameSummary: Hashable, Sendable {
    /// What it is, by its length or its first bytes.
    public enum Kind: UInt8, CaseIterable, Sendable {
        /// A datagram to the group.
        case beacon
        /// The 24 bytes of a node in HOLD.
        case tinyBeacon
        case handshakeFirst
        case handshakeSecond
        case handshakeThird
        /// Sealed frames of a link.
        case transport
        /// Nothing that Covey sends.
        case other
    }

    /// Since the world began.
    public let time: Duration
    /// Who sends.
    public let from: Host
    /// To whom; a datagram to the group is told once for each receiver.
    public let to: Host
    /// Of a write to a stream, its first packet's.
    public let kind: Kind
    /// Bytes.
    public let size: Int

    init(time: Duration, from: Host, to: Host, kind: Kind, size: Int) {
        self.time = time
        self.from = from
        self.to = to
        self.kind = kind
        self.size = size
    }

    /// Else it is part of a stream.
    public var isDatagram: Bool {
        switch kind {
        case .beacon, .tinyBeacon: true
        case .handshakeFirst, .handshakeSecond, .handshakeThird, .transport, .other: false
        }
    }
}

extension FrameSummary.Kind {
    /// By the head of the first packet (protocol.md §2.1).
    init(stream bytes: [UInt8]) {
        guard bytes.count > 2, let kind = PacketKind(rawValue: bytes[2]) else {
            self = .other
            return
        }
        self =
            switch kind {
            case .first: .handshakeFirst
            case .second: .handshakeSecond
            case .third: .handshakeThird
            case .transport: .transport
            case .cookie: .other
            }
    }

    init(datagram bytes: [UInt8]) { self = bytes.count == 24 ? .tinyBeacon : bytes.count == 220 ? .beacon : .other }
}

/// Somebody in the middle: says of everything that is sent what becomes of it.
public struct Rule {
    /// What becomes of it.
    public enum Verdict: Hashable, Sendable {
        /// The next rule is asked; after the last, the link decides.
        case pass
        /// It arrives, whatever the link's loss.
        case deliver
        /// A datagram is gone; a stream carries nothing more from here on, until it times out.
        case drop
        /// It arrives that much later, and on a stream everything behind it.
        case delay(Duration)
        /// A datagram arrives twice. A stream's receiver throws the second away, so nothing changes there.
        case duplicate
        /// One byte is altered.
        case corrupt
    }

    let judge: (FrameSummary) -> Verdict

    /// - Parameter judge: is asked in the order of sending. A world is the same again only if it answers the same.
    public init(_ judge: @escaping (FrameSummary) -> Verdict) { self.judge = judge }
}

/// Names a rule of a world until it is taken away.
public struct RuleID: Hashable, Sendable {
    let number: Int
}
