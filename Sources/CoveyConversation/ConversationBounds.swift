/// Limits of conversations (protocol.md, appendix A). Each has its unit; all hold for bytes of strangers too.
package enum ConversationBounds {
    /// Minutes between two bundles of one's own: 7 days.
    package static let bundlePeriod: Int64 = 7 * 24 * 60
    /// Minutes a bundle may be used, unless policy says otherwise: 14 days.
    package static let bundleLife: Int64 = 14 * 24 * 60
    /// Minutes policy may allow at most: 30 days.
    package static let longestBundleLife: Int64 = 30 * 24 * 60
    /// Minutes that private prekeys are kept at least, from the creation of their bundle: 29 days.
    package static let prekeysKept: Int64 = 29 * 24 * 60
    /// Minutes that they are kept at least after its expiry: 14 days a message lives, 1 day of skew.
    package static let prekeysKeptAfterExpiry: Int64 = 15 * 24 * 60
    /// How far a generation may lie above the highest known one of the pair.
    package static let generationWindow: UInt32 = 1024
    /// Messages of one chain that may be passed over at once.
    package static let skippedMessages: UInt32 = 1000
    /// Bytes of a plaintext object, head included.
    package static let plaintext = 16384
    /// Days for which recipient tags are held: expiries lie in 15 × 24 hours, which touch 16 days.
    package static let tagDays = 16
    /// Contacts whose tags are held.
    package static let contacts = 1 << 20
    /// Ephemeral keys in the replay cache: some 20 MiB.
    package static let replayKeys = 1 << 18
}
