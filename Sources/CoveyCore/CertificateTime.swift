/// Why a certificate does not count at a time (protocol.md §1.5 rule 4).
package enum TimeFault: Hashable, Sendable {
    case expired
    case notYetValid
}

extension DeviceCertificate {
    package enum Grace {
        /// Minutes after `notAfter`, and before `notBefore`, with a trusted clock.
        package static let trusted: Int64 = 24 * 60
        /// Minutes after `notAfter` without one.
        package static let untrusted: Int64 = 7 * 24 * 60
    }

    package func timeFault(at time: TimeView) -> TimeFault? {
        if time.isTrusted {
            if time.now > notAfter.adding(Grace.trusted) { return .expired }
            if time.now < notBefore.adding(-Grace.trusted) { return .notYetValid }
            return nil
        }
        // The floor is a lower bound of real time: whoever is expired there is expired, whatever the clock says.
        if time.floor > notAfter || time.now > notAfter.adding(Grace.untrusted) { return .expired }
        return nil
    }
}
