import CoveyConversation
package import CoveyCore
package import CoveyCrypto

/// Fills a new device's store from its Welcome, in one commit: from then on the node starts like any other.
package enum Installation {
    /// For a device that starts from a snapshot: its store needs the epoch keys only.
    package static func write(_ snapshot: RosterSnapshot, to store: any Store) throws {
        for epoch in snapshot.epochs { try EpochRing.write(epoch.entry, epoch.key, since: nil, store) }
    }

    /// Makes a device's first prekeys before its first start, as its node would do then, and gives the bundle for the
    /// snapshot.
    package static func writePrekeys(
        of identity: DeviceIdentity, certificate: DeviceCertificate, mesh: MeshID, headsDigest: HeadsDigest,
        now: Minute, random: any RandomSource, kem: some KEM, to store: any Store
    ) throws -> Signed {
        let own = OwnDevice(mesh: mesh, hash: identity.hash, message: identity.message)
        var prekeys = Prekeys()
        let made = try prekeys.renew(
            for: own, signing: identity.signing, serial: certificate.serial,
            headsDigest: Octets32(prefixOf: headsDigest), now: now, random: random, kem: kem)
        try store.put(.prekeys, Prekeys.key(of: prekeys.sequence), prekeys.record(of: prekeys.sequence))
        try State.bundleSequence.put(UInt64(prekeys.sequence), in: store)
        return made.bundle.signed
    }

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
        try write(accepted: log, after: 0, notes, welcome.epochs, to: store)
        for bundle in welcome.bundles {
            guard bundle.body.count > 23, let device = DeviceID(bundle.body[7..<23]) else { continue }
            try store.put(.bundles, device.array, bundle.bytes)
        }
    }

    /// What a Membership has accepted already, in its order: nothing is verified again.
    ///
    /// - Parameter last: how many entries came before these, in the snapshot that the device starts from.
    package static func write(
        accepted log: [LogEntry], after last: UInt64, _ notes: [RevokeNote], _ epochs: [Welcome.Epoch],
        to store: any Store
    ) throws {
        for (number, entry) in log.enumerated() { try store.put(.log, last + 1 + UInt64(number), entry.signed.bytes) }
        for note in notes { try store.put(.notes, note.id.array, note.signed.bytes) }
        for epoch in epochs { try EpochRing.write(epoch.entry, epoch.key, since: nil, store) }
    }
}
