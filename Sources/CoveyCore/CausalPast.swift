package import CoveyCrypto

extension Membership {
    /// Whether an administrative act of a device counts (protocol.md §1.9): any act of a device that is not revoked, else
    /// one from before the revocation. That it came before, the act's own word is not enough for: we must have applied it
    /// before we learnt of the revocation, and the entry it refers to must not come after the log told of it.
    ///
    /// - Parameters:
    ///   - reference: the act's `log_ref`; nil for acts that carry none (Suspends, time attestations).
    ///   - wasAppliedBefore: whether it had taken effect here before the revocation was learnt.
    package func isInCausalPast(_ reference: Octets16?, of device: DeviceID, wasAppliedBefore: Bool) -> Bool {
        guard let revocation = revocation(of: device) else { return true }
        guard wasAppliedBefore, let reference, let place = place(of: reference) else { return false }
        return !revocation.notes.contains { note in
            mentions(of: note).contains { $0.log == place.log && place.sequence >= $0.sequence }
        }
    }

    /// The entry that a `log_ref` names; nil when it is not held.
    private func place(of reference: Octets16) -> (log: LogID, sequence: UInt64)? {
        for log in logs.keys.sorted() {
            let ids = entryIDs(of: log)
            if let index = ids.lastIndex(where: { Octets16(prefixOf: $0) == reference }) {
                return (log, UInt64(index) + 1)
            }
        }
        return nil
    }

    /// Where the logs tell of a note: in verdicts on it, and in the announcements that list it.
    private func mentions(of note: NoteHash) -> [(log: LogID, sequence: UInt64)] {
        let verdicts = noteBook.verdicts[note, default: []].map(\.place)
        let announced = epochBook.announced.filter { $0.notes.contains(note) }.map(\.place)
        return (verdicts + announced).filter { isOnPath($0) }.map { ($0.log, $0.sequence) }
    }
}
