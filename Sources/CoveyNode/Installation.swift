package import CoveyCore
import CoveyCrypto

/// Fills a new device's store from its Welcome, in one commit: from then on the node starts like any other.
package enum Installation {
    /// The entries in the order in which a Membership takes them; notes, epoch keys and bundles beside.
    ///
    /// Throws an `EntryRefusal` or `NoteRefusal` for a Welcome whose log does not hold together.
    package static func write(_ welcome: Welcome, to store: any Store) throws {
        var membership = Membership(genesis: welcome.genesis)
        var sequence: UInt64 = 0
        for entry in welcome.log {
            guard case .accepted(let intake) = try membership.accept(entry.signed) else { continue }
            for taken in intake.entries {
                sequence += 1
                try store.put(.log, sequence, taken.signed.bytes)
            }
        }
        for note in welcome.notes {
            guard case .accepted(let taken, _, _) = try membership.accept(note: note.signed) else { continue }
            try store.put(.notes, taken.hash.array, taken.signed.bytes)
        }
        for epoch in welcome.epochs { try EpochRing.write(epoch.entry, epoch.key, since: nil, store) }
        for bundle in welcome.bundles {
            guard bundle.body.count > 23, let device = DeviceID(bundle.body[7..<23]) else { continue }
            try store.put(.bundles, device.array, bundle.bytes)
        }
    }
}
