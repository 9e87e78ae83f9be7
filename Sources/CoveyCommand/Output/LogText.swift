import CoveyCore
import CoveyCrypto
import CoveyNode

/// Entries and notes of the log, as a line each.
enum LogText {
    /// What an entry says, and until when that holds.
    static func summary(of payload: LogPayload) -> String {
        let ends: [Minute] =
            switch payload {
            case .authorityAdd(let certificate): [certificate.content.notAfter]
            case .certIssue(let certificates): certificates.map(\.notAfter)
            case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
                .groupDefinition, .releaseManifest, .recoverFork:
                []
            }
        guard let first = ends.min().map(day), let last = ends.max().map(day) else { return payload.summary }
        return "\(payload.summary), until \(first == last ? last : "\(first) to \(last)")"
    }

    static func kind(of payload: LogPayload) -> String {
        switch payload {
        case .policySet: "policy-set"
        case .authorityAdd: "authority-add"
        case .authorityRotate: "authority-rotate"
        case .authorityRevoke: "authority-revoke"
        case .certIssue: "cert-issue"
        case .certRevoke: "cert-revoke"
        case .epochAnnounce: "epoch-announce"
        case .checkpoint: "checkpoint"
        case .groupDefinition: "group-definition"
        case .releaseManifest: "release-manifest"
        case .recoverFork: "recover-fork"
        }
    }

    /// As much of an id as people compare.
    static func short(_ hex: String) -> String { String(hex.prefix(12)) }

    private static func day(_ minute: Minute) -> String { String(CalendarText.utc(minute).prefix(10)) }
}
