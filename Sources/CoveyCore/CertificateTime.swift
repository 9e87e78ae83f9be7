/// Why a certificate does not count at a time (protocol.md §1.5 rule 4).
package enum TimeFault: Hashable, Sendable {
    case expired
    case notYetValid
}

/// How sure it is that a certificate is within its time. The real time is an interval, not an instant: no earlier than the
/// floor, and only as late as a believed clock says.
package enum Validity: String, Hashable, Sendable {
    case surelyValid
    /// Perhaps: at its edges within the grace, or anywhere above the floor when the clock is not believed.
    case unknown
    case surelyExpired
    case notYetValid
}

extension DeviceCertificate {
    package enum Grace {
        /// Minutes after `notAfter`, and before `notBefore`, with a trusted clock.
        package static let trusted: Int64 = 24 * 60
        /// Minutes after `notAfter` without one.
        package static let untrusted: Int64 = 7 * 24 * 60
    }

    package func validity(at time: TimeView) -> Validity {
        if time.isTrusted {
            if time.now > notAfter.adding(Grace.trusted) { return .surelyExpired }
            if time.now < notBefore.adding(-Grace.trusted) { return .notYetValid }
            return time.now >= notBefore && time.now <= notAfter ? .surelyValid : .unknown
        }
        // The floor is a lower bound of real time: whoever is expired there is expired, whatever the clock says.
        if time.floor > notAfter || time.now > notAfter.adding(Grace.untrusted) { return .surelyExpired }
        return .unknown
    }

    /// Whoever may be within its time is let in.
    package func timeFault(at time: TimeView) -> TimeFault? {
        switch validity(at: time) {
        case .surelyValid, .unknown: nil
        case .surelyExpired: .expired
        case .notYetValid: .notYetValid
        }
    }
}
