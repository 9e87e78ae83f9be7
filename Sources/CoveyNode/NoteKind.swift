import CoveyCore

/// What a Signed object of NOTE_PUT, or of a file of notes, is (protocol.md §2.3).
enum NoteKind {
    case revokeNote
    case suspend
    /// One of the two that prove a fork.
    case entry
    case receipt
    case renewal
    case unknown

    init(of signed: Signed) {
        guard let type = try? ObjectType(of: signed) else {
            self = .unknown
            return
        }
        switch type {
        case .revokeNote: self = .revokeNote
        case .suspend: self = .suspend
        case .logEntry: self = .entry
        case .wipeReceipt: self = .receipt
        case .renewRequest: self = .renewal
        case .genesis, .deviceCertificate, .authorityCertificate, .request, .abuse, .invitation,
            .welcome, .authPayload, .bundle, .plaintext, .groupOperation, .groupEpoch, .announcement,
            .draft, .authorityRequest, .lockRecord, .membershipProof:
            self = .unknown
        }
    }
}
