import CoveyCore
import CoveyNode

/// Days of a certificate's life, as they were typed.
enum Days {
    static func certificate(_ days: Int?) throws -> UInt16? {
        guard let days else { return nil }
        guard (1...Int(Founding.longestCertificateDays)).contains(days) else {
            throw Complaint(.usage, "--days is \(days); it takes 1 to \(Founding.longestCertificateDays)")
        }
        return UInt16(days)
    }

    /// Says when a certificate got fewer days than were asked for.
    static func check(_ asked: UInt16?, got certificate: DeviceCertificate) {
        let days = (certificate.notAfter.value - certificate.notBefore.value) / 1440
        guard let asked, days < asked else { return }
        Output.note(
            "--days is \(asked), and the certificate is good for \(Int(days).counting("day", "days")): it ends with this "
                + "authority's own, which the authority above renews")
    }
}
