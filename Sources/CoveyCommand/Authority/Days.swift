import CoveyCore

/// Days of a certificate's life, as they were typed.
enum Days {
    static func certificate(_ days: Int?) throws -> UInt16? {
        guard let days else { return nil }
        guard (1...Int(Founding.longestCertificateDays)).contains(days) else {
            throw Complaint(.usage, "--days is \(days); it takes 1 to \(Founding.longestCertificateDays)")
        }
        return UInt16(days)
    }
}
