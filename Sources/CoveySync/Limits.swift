/// Bounds of this room: what we send, and what we take from a peer that may lie.
enum Limits {
    /// Bytes of a RECON body we send; a Noise message takes 16,640.
    static let frameBytes = 15 * 1024
    /// Bytes of a body we read.
    static let frameBytesIn = 16_640
    /// Ids in one list of ours; longer lists go on in the next range.
    static let listIDs = 1_700
    /// Items of ours up to which a range is listed, and not split again.
    static let leaf = 24
    /// Parts a range is split into.
    static let ways = 16
    /// Microseconds between two SUMMARYs to a peer.
    static let summaryInterval: UInt64 = 2_000_000
    /// Microseconds without a frame after which a run may be begun anew.
    static let silence: UInt64 = 30_000_000
    /// Batches taken in one round: each split of ours makes a range 16 times smaller, and 2^32 items are 16^8.
    static let batches = 16
    /// Items a peer may claim that we plan for; more do not raise any budget.
    static let claimedItems = 4 << 20
    /// Bytes that a round may cost each side beyond twice the bytes of the lists.
    static let roundBytes = 64 * 1024
    /// Items that may be pushed or wanted beyond what both sides counted: sets grow while they are compared.
    static let growth = 4_096
    /// Further rounds after one whose end was not equal.
    static let lastRound: UInt8 = 2
}

/// Why a peer's frame of reconciliation was refused. It ends the link; the set is untouched.
package enum SyncFault: Error, Hashable, CaseIterable, Sendable {
    /// Not the bytes of this frame.
    case malformed
    /// Longer than a link message.
    case oversized
    /// No such set, or another one than this session's.
    case namespace
    /// A mode that is not known, or not in use.
    case mode
    /// Ranges that do not ascend, or a frame where none can be.
    case order
    /// More rounds, bytes, pushes or ids than both sets explain.
    case excess
}
