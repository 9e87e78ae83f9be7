import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

/// Entries and notes of the log, as a line each.
enum LogText {
    /// What an entry says, and until when that holds.
    static func summary(of payload: LogPayload, in membership: Membership) -> String {
        Output.harmless(payload.summary(in: membership).until(payload.ends))
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
}
