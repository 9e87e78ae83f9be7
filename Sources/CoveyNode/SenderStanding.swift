package import CoveyCore

/// What the sender of a message is now, and was when the message came (protocol.md §1.9).
package enum SenderStanding: String, Hashable, Sendable {
    case fine
    /// Read before the revocation was learnt.
    case sinceRevoked
    /// Read before the revocation was learnt, and sent when the device was in other hands already.
    case compromisedThen
    /// Came after: shown in quarantine only, and never an instruction.
    case quarantined
    /// Came after the device was compromised: in quarantine, and hidden there until somebody asks.
    case hidden

    package init(of revocation: Revocation?, cameAfter: Bool, sent: Minute) {
        guard let revocation else {
            self = .fine
            return
        }
        let isCompromised = revocation.reason == .compromised
        if cameAfter {
            self = isCompromised ? .hidden : .quarantined
        } else {
            self = isCompromised && sent >= revocation.suspectSince ? .compromisedThen : .sinceRevoked
        }
    }

    package var isQuarantine: Bool {
        switch self {
        case .quarantined, .hidden: true
        case .fine, .sinceRevoked, .compromisedThen: false
        }
    }
}
