import CoveySimulator

/// Which of the world's checkers judges which invariant that a scenario claims.
enum InvariantCheckers {
    private static func make(_ invariant: Claim.Invariant) -> any Checker {
        switch invariant {
        case .plaintextOnWire: NoPlaintext()
        case .duplicateToApp: ExactlyOnce()
        case .deliverAfterExpiry, .expireByBadClock: HeldInTime()
        case .acceptFromRevokedAfterKnown, .deliverToRevoked: RevokedIsShutOut()
        case .stealthMember: OnlyLoggedAreMembers()
        case .voidGrant: VoidGrantsAdmitNobody()
        case .floorMovedByOthers: FloorIsNobodyElses()
        case .certificateLapsed: NoCertificateLapses()
        }
    }

    private static func make(_ condition: Claim.Condition) -> any Checker {
        switch condition {
        case .storeWithinQuota: StoreStaysWithinQuota()
        case .ordersObeyed: OrdersAreObeyed()
        }
    }

    /// By the name of the claim: nil where no checker judges it.
    private static func checker(_ claim: Claim) -> (claim: String, checker: any Checker)? {
        switch claim.measure {
        case .never(let invariant): (invariant.rawValue, make(invariant))
        case .always(let condition): (condition.rawValue, make(condition))
        case .crashSafe: (claim.word.rawValue, AcknowledgedIsKept())
        case .lockedOutAtMost(let span):
            (claim.word.rawValue, NobodyIsLockedOut(within: .microseconds(span.microseconds)))
        case .deliveryVsOracle, .convergedWithin, .revocationEverywhereWithin, .revocationWithin, .p95Latency,
            .overheadAtMost,
            .reconBytesPerDiffAtMost, .reconBytesAtMost, .linkShareAtMost, .dutyCycleNever, .jainFairnessAtLeast,
            .duplicatesPerNodeAtMost, .bytesPerNodePerDayAtMost, .degreeAtMost, .medianDelayVsOracle, .maxFrame,
            .wallClockAtMost, .resumed:
            nil
        }
    }

    /// Each checker once, in the order of the claims.
    static func needed(by claims: [Claim]) -> [any Checker] {
        var names: Set<String> = []
        return claims.compactMap { checker($0)?.checker }.filter { names.insert($0.name).inserted }
    }

    /// What the checkers found, by the name of the claim.
    static func watches(_ claims: [Claim], _ verdicts: [Report.Verdict]) -> [String: Evidence.Watch] {
        var watches: [String: Evidence.Watch] = [:]
        for claim in claims {
            guard let (name, checker) = checker(claim),
                let verdict = verdicts.first(where: { $0.checker == checker.name })
            else { continue }
            var watch = Evidence.Watch()
            watch.count = verdict.violations
            if let violation = verdict.violation {
                watch.first = Evidence.Extreme(
                    value: 1, host: violation.host.map { UInt32($0.index) }, time: UInt64(violation.time.microseconds))
                watch.text = violation.text
            }
            watches[name] = watch
        }
        return watches
    }
}
