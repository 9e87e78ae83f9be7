package import CoveyConversation
package import CoveyCore
package import CoveyLink
package import CoveySync

/// Why a stranger or a faulty peer was refused, or something it brought. For us only: the other side is told nothing.
package enum Refusal: Hashable, Sendable {
    // Strangers who knock.
    case budget(HandshakeBudget.Refusal)
    case handshake(HandshakeRefusal)
    /// No network key is held under which the other could be called.
    case noEpoch
    case timedOut
    /// More connections are open than are accepted.
    case connections

    // Bytes of a handshake or a link.
    case link(LinkFault)
    case frame(LinkRefusal)
    case sync(SyncFault)

    // What members bring; their links stand.
    case logEntry(EntryRefusal)
    case note(NoteRefusal)
    case suspend(SuspendRefusal)
    case receipt(ReceiptRefusal)
    case renewal(RenewRefusal)
    /// An epoch key that no announcement commits to.
    case epochKey
    case bundle(BundleRefusal)
    case envelope(EnvelopeRefusal)
    case message(FirstMessageRefusal)
    case announcement(AnnouncementRefusal)

    /// More causes than are counted apart, or one that none of these names.
    case other

    /// Why a handshake or a link ends, of what its readers throw.
    init(_ error: any Error) {
        self =
            switch error {
            case let refusal as HandshakeBudget.Refusal: .budget(refusal)
            case let refusal as HandshakeRefusal: .handshake(refusal)
            case let fault as LinkFault: .link(fault)
            case let refusal as LinkRefusal: .frame(refusal)
            case let fault as SyncFault: .sync(fault)
            case let cause as Malformed: .link(.frame(cause))
            default: .other
            }
    }

    /// What a refusal is called by programs (docs/control-api.md). Names stay.
    package enum Code: String, CaseIterable, Sendable {
        case tooMany, tooOften, timedOut
        case noNetworkKey, networkKey, suspectKey, notOurBeacon, anotherHour
        case wireVersion, packet, handshake, replayed, unasked, ownMessage
        case certificate, certificateSignatures, certificateRights, certificateKey, certificateExpired
        case certificateNotYetValid
        case revoked, mayNotLink, anotherDevice, notEnrolled
        case frame, notAMember, sync
        case logEntry, logBacklog, revocation, suspension, receipt, renewal, epochKey, bundle
        case envelope, envelopeExpired, message, messageAgain, announcement
        case other
    }

    /// As people and programs are told it: `CoveyUV` has the sentences.
    package var code: Code {
        switch self {
        case .budget(let refusal): refusal.code
        case .handshake(let refusal): refusal.code
        case .noEpoch: .noNetworkKey
        case .timedOut: .timedOut
        case .connections: .tooMany
        case .link(let fault): fault.code
        case .frame(let refusal): refusal.code
        case .sync: .sync
        case .logEntry(let refusal): refusal.code
        case .note: .revocation
        case .suspend: .suspension
        case .receipt: .receipt
        case .renewal: .renewal
        case .epochKey: .epochKey
        case .bundle: .bundle
        case .envelope(let refusal): refusal.code
        case .message(.replayed), .message(.full): .messageAgain
        case .message: .message
        case .announcement: .announcement
        case .other: .other
        }
    }

    /// What exactly was wrong, where a person who looks after the other side can use it.
    package var detail: String? {
        switch self {
        case .handshake(.notAdmitted(.attenuation(let fault))): fault.words
        case .handshake(.notAdmitted(.malformed(let cause))), .link(.payload(let cause)), .link(.frame(let cause)):
            cause.description
        case .logEntry(let refusal): refusal.description
        case .note(let refusal): refusal.description
        case .suspend(let refusal): refusal.description
        case .receipt(let refusal): refusal.description
        case .renewal(let refusal): refusal.description
        case .budget, .handshake, .noEpoch, .timedOut, .connections, .link, .frame, .sync, .epochKey, .bundle,
            .envelope, .message, .announcement, .other:
            nil
        }
    }
}

extension HandshakeBudget.Refusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .halfOpenFull, .unfinishedEverywhere: .tooMany
        case .underWay, .tooOften, .unfinishedHere: .tooOften
        }
    }
}

extension HandshakeRefusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .notOurBeacon: .notOurBeacon
        case .anotherHour: .anotherHour
        case .aheadUnderTainted: .suspectKey
        case .tooManyVouched, .tooManyLinks: .tooMany
        case .notAdmitted(let refusal): refusal.code
        case .anotherDevice: .anotherDevice
        case .notEnrolled: .notEnrolled
        }
    }
}

extension AdmissionRefusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .malformed: .certificate
        case .chainSignatures: .certificateSignatures
        case .attenuation: .certificateRights
        case .linkKey: .certificateKey
        case .time(.expired): .certificateExpired
        case .time(.notYetValid): .certificateNotYetValid
        case .revoked: .revoked
        case .noLinkCapability: .mayNotLink
        case .reflection: .ownMessage
        }
    }
}

extension LinkFault {
    fileprivate var code: Refusal.Code {
        switch self {
        case .unknownKind, .unknownFlags, .packetLength, .outOfOrder: .packet
        case .noEpoch: .networkKey
        case .authentication, .badPublicKey, .firstPayload, .payload, .payloadTooLarge: .handshake
        case .reflection: .ownMessage
        case .wireVersion: .wireVersion
        case .replayed, .replayPageFull: .replayed
        case .reverseUnasked, .reverseWithoutAhead, .reverseAnswersAnother: .unasked
        case .nonceExhausted, .frame, .unknownFrame, .padding: .frame
        }
    }
}

extension LinkRefusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .notAMember: .notAMember
        case .frameNotAllowed, .secondHello, .headsDescend, .namespace, .segmented, .otherID, .bundle, .offerUnknown,
            .otherChain, .timeAttestation:
            .frame
        }
    }
}

extension EntryRefusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .tooManyHeld: .logBacklog
        case .malformed, .signatures, .wrongPrevious, .timeDecreases, .policy, .nextCommit, .recoveryCommit, .branch,
            .foreignKind, .tooManyBranches:
            .logEntry
        }
    }
}

extension EnvelopeRefusal {
    fileprivate var code: Refusal.Code {
        switch self {
        case .expired, .tooFarAhead: .envelopeExpired
        case .length, .version, .kind, .ttl, .bucket, .emergency, .grid: .envelope
        }
    }
}
