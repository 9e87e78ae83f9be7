/// Bounds of one link (protocol.md §2, appendix A). Times in microseconds, sizes in bytes.
package enum LinkBounds {
    /// Plaintext of one Noise message: frames and padding.
    package static let plaintext = 16_640
    /// Streams pad the plaintext to a multiple of this.
    package static let padding = 64
    /// `len u16 | kind u8 | flags u8`.
    package static let packetHead = 4
    /// Frame type and the longest length of a frame that fits one message.
    package static let frameHead = 4
    /// Body of a frame that still fits one message.
    package static let frameBody = plaintext - frameHead
    /// Bytes of an envelope in one DATA frame.
    package static let segment = 16_384

    /// Padded sizes of the payloads of messages 2 and 3.
    package static let fullPayload = 1536
    package static let shortPayload = 512
    package static let epochCommits = 16

    /// A key is replaced after the message whose nonce n makes (n + 1) a multiple of this.
    package static let rekeyMessages: UInt64 = 1 << 14
    package static let rehandshake: UInt64 = 60 * 60 * 1_000_000
    /// Drawn uniformly to either side of `rehandshake`: ten percent.
    package static let rehandshakeSpread: UInt64 = 6 * 60 * 1_000_000
    package static let hardStop: UInt64 = 120 * 60 * 1_000_000

    package static let halfOpen = 32
    package static let handshakeDeadline: UInt64 = 10 * 1_000_000
    package static let handshakesPerMinute = 10
    package static let unfinishedPerAddressAndHour = 6
    package static let unfinishedPerHour = 60
    /// Answers with message 2 under a tainted epoch to somebody who says to be ahead.
    package static let vouchedAnswersPerHour = 4
    /// Addresses whose recent handshakes are remembered.
    package static let addresses = 1024

    /// Slots of ten minutes by which the slot of a first message that answers nothing of ours may lie before our own: two hours.
    package static let firstSlots: UInt32 = 12
    /// Ephemeral keys remembered of one epoch and slot, and such pages.
    package static let replayPage = 4096
    package static let replayPages = 64
    /// A beacon's nonce may be answered so long.
    package static let ownNonceLife: UInt64 = 20 * 60 * 1_000_000
    package static let ownNonces = 1024

    package static let minute: UInt64 = 60 * 1_000_000
    package static let hour: UInt64 = 60 * minute
}
