package import CoveyCore
package import CoveyCrypto

/// Ephemeral keys of first messages, by epoch and slot: a recorded one draws no second answer (protocol.md §2.3).
///
/// Only who holds an epoch's key can fill it. A full page refuses, as to forget would let replays in; of too many pages
/// the one farthest from now goes.
package struct ReplayCache: Sendable {
    private struct Page: Hashable {
        let epoch: EpochCommit
        let slot: UInt32
    }

    private var pages: [Page: Set<AgreementPublicKey>] = [:]

    package init() {}

    /// Remembers the key; throws when it is known.
    /// - Parameters:
    ///   - slot: as the message says.
    ///   - ownSlot: of now.
    package mutating func insert(
        _ ephemeral: AgreementPublicKey, epoch: EpochCommit, slot: UInt32, ownSlot: UInt32
    ) throws(LinkFault) {
        let page = Page(epoch: epoch, slot: slot)
        if let seen = pages[page] {
            guard !seen.contains(ephemeral) else { throw .replayed }
            guard seen.count < LinkBounds.replayPage else { throw .replayPageFull }
        }
        pages[page, default: []].insert(ephemeral)
        if pages.count > LinkBounds.replayPages { dropFarthest(from: ownSlot) }
    }

    /// Forgets an epoch that is no longer held.
    package mutating func forget(_ epoch: EpochCommit) {
        pages = pages.filter { $0.key.epoch != epoch }
    }

    private mutating func dropFarthest(from slot: UInt32) {
        func distance(_ page: Page) -> UInt32 { max(page.slot, slot) - min(page.slot, slot) }
        let farthest = pages.keys.max {
            (distance($0), $0.slot, $0.epoch) < (distance($1), $1.slot, $1.epoch)
        }
        if let farthest { pages[farthest] = nil }
    }
}
