package import CoveyCore
package import CoveyCrypto

/// Ephemeral keys of first messages, by epoch and slot: a recorded one draws no second answer (protocol.md §2.3).
///
/// Only who holds an epoch's key makes them. A full page refuses, as to forget would let replays in. Of too many pages the
/// one farthest from now goes, and a message whose page would be that one is refused: a recording that is older than all
/// that is remembered finds no page to come back to.
package struct ReplayCache: Sendable {
    private struct Page: Hashable {
        let epoch: EpochCommit
        let slot: UInt32

        /// A page of the past goes before one as far ahead: it never comes nearer again.
        func isFarther(than other: Page, from slot: UInt32) -> Bool {
            (distance(to: slot), other.slot, epoch) > (other.distance(to: slot), self.slot, other.epoch)
        }

        private func distance(to slot: UInt32) -> UInt32 { max(self.slot, slot) - min(self.slot, slot) }
    }

    private var pages: [Page: Set<AgreementPublicKey>] = [:]

    package init() {}

    /// Remembers the key; throws when it is known, under whatever slot.
    /// - Parameters:
    ///   - slot: as the message says, where that was judged; else that of now.
    ///   - ownSlot: of now.
    package mutating func insert(
        _ ephemeral: AgreementPublicKey, epoch: EpochCommit, slot: UInt32, ownSlot: UInt32
    ) throws(LinkFault) {
        guard !pages.contains(where: { $0.key.epoch == epoch && $0.value.contains(ephemeral) }) else {
            throw .replayed
        }
        let page = Page(epoch: epoch, slot: slot)
        if let seen = pages[page] {
            guard seen.count < LinkBounds.replayPage else { throw .replayPageFull }
        } else if pages.count >= LinkBounds.replayPages {
            guard let farthest = pages.keys.max(by: { $1.isFarther(than: $0, from: ownSlot) }),
                farthest.isFarther(than: page, from: ownSlot)
            else { throw .replayPageFull }
            pages[farthest] = nil
        }
        pages[page, default: []].insert(ephemeral)
    }

    /// Forgets an epoch that is no longer held.
    package mutating func forget(_ epoch: EpochCommit) {
        pages = pages.filter { $0.key.epoch != epoch }
    }
}
