package import CoveyCore
import CoveyCrypto

/// Fills a new device's store from its Welcome, in one commit: from then on the node starts like any other.
package enum Installation {
    /// The entries in the order in which a Membership takes them; notes, epoch keys and bundles beside.
    ///
    /// Throws an `EntryRefusal` or `NoteRefusal` for a Welcome whose log does not hold together.
    package static func write(_ welcome: Welcome, to store: any Store) throws {
        var membership = Membership(genesis: welcome.genesis)
        var log: [LogEntry] = []
        var notes: [RevokeNote] = []
        for entry in welcome.log {
            guard case .accepted(let intake) = try membership.accept(entry.signed) else { continue }
            log += intake.entries
        }
        for note in welcome.notes {
            guard case .accepted(let taken, _, _) = try membership.accept(note: note.signed) else { continue }
            notes.append(taken)
        }
        try write(accepted: log, notes, welcome.epochs, to: store)
        for bundle in welcome.bundles {
            guard bundle.body.count > 23, let device = DeviceID(bundle.body[7..<23]) else { continue }
            try store.put(.bundles, device.array, bundle.bytes)
        }
    }

    /// What a Membership has accepted already, in its order: nothing is verified again. For a simulated world, whose many
    /// hosts begin with one log.
    package static func write(
        accepted log: [LogEntry], _ notes: [RevokeNote], _ epochs: [Welcome.Epoch], to store: any Store
    ) throws {
        for (number, entry) in log.enumerated() { try store.put(.log, UInt64(number) + 1, entry.signed.bytes) }
        for note in notes { try store.put(.notes, note.hash.array, note.signed.bytes) }
        for epoch in epochs { try EpochRing.write(epoch.entry, epoch.key, since: nil, store) }
    }
}
