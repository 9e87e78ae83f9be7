package import CoveyCrypto

/// Why an entry was not taken. It may be offered again; nothing of it was kept.
package enum EntryRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(Malformed)
    /// Fewer than the threshold of the authority's keys signed, or somebody else did.
    case signatures
    case wrongPrevious
    case timeDecreases
    /// The first policy is not the one whose hash is in the genesis, or a policy stands in another log than the root's.
    case policy
    /// New keys that are not those promised before.
    case nextCommit
    /// Recovery keys that are not those of the genesis.
    case recoveryCommit
    /// A rotation or recovery that names no branch, or one where it must not.
    case branch
    /// A kind that has no place in the release log.
    case foreignKind
    case tooManyHeld
    case tooManyBranches

    /// For people: what the entry does that no log takes.
    package var description: String {
        switch self {
        case .malformed(let cause): "it is malformed: \(cause)"
        case .signatures: "it is not signed by as many keys of its authority as must sign"
        case .wrongPrevious: "it does not follow the entry before it"
        case .timeDecreases: "it is dated before the entry before it"
        case .policy: "it sets a policy that its authority may not set"
        case .nextCommit: "it brings other keys than those promised before"
        case .recoveryCommit: "it is signed by other recovery keys than those of the mesh"
        case .branch: "it names no entry to go on from, or names one where it must not"
        case .foreignKind: "an entry of its kind has no place in that log"
        case .tooManyHeld: "too many entries wait for one that is missing; import the whole log of whoever wrote it"
        case .tooManyBranches: "its log has more histories than are kept"
        }
    }
}

package enum EntryOutcome: Sendable {
    case accepted(EntryIntake)
    case known
    /// Its predecessor, or its authority, is missing; it comes up in the intake of the entry that closes the gap.
    case held
}

/// All that one entry brought about.
package struct EntryIntake: Sendable {
    /// Entries to keep, in the order of acceptance. Given to `restore` in this order, they make the same Membership.
    /// The entries of a fork's other branch are among them.
    package internal(set) var entries: [LogEntry] = []
    /// Notes that had waited for a certificate and are now in the set, to keep and to pass on; and those that left it for
    /// them, because a signer has more than is kept of it.
    package internal(set) var notes: [RevokeNote] = []
    package internal(set) var notesGone: [NoteID] = []
    /// Suspends that had waited for a certificate and are now in the set, and those that left it.
    package internal(set) var suspends: [Suspend] = []
    package internal(set) var suspendsGone: [NoteID] = []
    package internal(set) var changes: [MembershipChange] = []
    /// What became of held entries that cannot follow after all.
    package internal(set) var dropped: [EntryRefusal] = []
}

package enum MembershipChange: Hashable, Sendable {
    case policy(number: UInt32)
    /// May issue from now on, or under new limits.
    case authority(AuthorityID)
    /// Recheck every link: devices of this authority, or of those below it, may be no members any more.
    case authorityRevoked(AuthorityID)
    /// Two bodies of one sequence: the log grants nothing after `upTo`. Recheck every link.
    case frozen(LogID, upTo: UInt64)
    /// A branch was chosen: what it granted counts, what others granted does not. Recheck every link.
    case recovered(LogID)
    /// An authority has other keys.
    case rotated(AuthorityID)
    case issued(DeviceID, CertificateHash)
    /// The entry stands, this certificate of it grants nothing.
    case void(CertificateHash, CertificateFault)
    case revoked(DeviceID)
    /// Single-key notes beyond the quota keep it out for seven days from when they were issued; or members ask for it.
    case suspended(DeviceID)
    /// Lifted, or no longer founded.
    case reinstated(DeviceID)
    case epoch(EntryID)
    case checkpoint(LogID)
    case group(Octets16)
    case release(version: String)
}

/// Why a note was not taken.
package enum NoteRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(Malformed)
    /// A signature is wrong, or of a stranger.
    case signatures
    /// More than one key of the authority, but fewer than its threshold.
    case signerCount
    /// Zero in a single-key note, or not zero in another.
    case number
    /// A wipe order in a form that cannot carry one.
    case wipeOrder
    /// The authority is not in the chain of the device.
    case outsideChain
    case tooMany

    /// For people: what the revocation does that no log takes.
    package var description: String {
        switch self {
        case .malformed(let cause): "it is malformed: \(cause)"
        case .signatures: "a signature is wrong, or of somebody who may not revoke"
        case .signerCount: "more than one key of the authority signed it, but fewer than must"
        case .number: "its number does not fit the number of its signers"
        case .wipeOrder: "it orders to lock or erase in a form that cannot"
        case .outsideChain: "its authority does not stand above the device"
        case .tooMany: "its signer has revoked as many devices as are kept of one; an officer's verdict clears them"
        }
    }
}

package enum NoteOutcome: Sendable {
    /// `dropped`: what left the set for this one, because a signer has more than is kept of it.
    case accepted(RevokeNote, changes: [MembershipChange], dropped: [NoteID])
    case known
    /// The device or the signer is not known yet; it comes up in the intake of the entry that tells.
    case held
}

/// Two threshold-signed entries of one sequence (protocol.md §1.8): a proof for everybody, sent with the notes.
package struct ForkProof: Hashable, Sendable {
    package let log: LogID
    package let sequence: UInt64
    /// Two or more, the accepted one first.
    package let entries: [EntryID]
}

/// What revokes a device.
package struct Revocation: Hashable, Sendable {
    /// Ascending.
    package let notes: [NoteHash]
    /// The gravest of them: compromised, lost, then the others by number.
    package let reason: RevocationReason
    package let suspectSince: Minute

    package init(notes: [NoteHash], reason: RevocationReason, suspectSince: Minute) {
        self.notes = notes
        self.reason = reason
        self.suspectSince = suspectSince
    }
}

/// How stale a node's view of the log is (protocol.md §1.9).
package enum Staleness: String, Hashable, Sendable {
    case fresh
    case stale
    case stranded
}
