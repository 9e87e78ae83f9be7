import CoveyCore
import CoveyCrypto

/// Entries and notes of the log, as a line each.
enum LogText {
    static func summary(of payload: LogPayload) -> String {
        switch payload {
        case .policySet(let policy): "policy \(policy.number)"
        case .authorityAdd(let certificate):
            "authority \(certificate.content.label) (\(short(certificate.authority.hex))), until \(day(certificate.content.notAfter))"
        case .authorityRotate(let rotation): "new keys of authority \(short(rotation.authority.hex))"
        case .authorityRevoke(let revocation): "authority \(short(revocation.authority.hex)) revoked"
        case .certIssue(let certificates):
            certificates.map {
                "device \($0.label) (\(short($0.device.hex))), certificate \($0.serial), until \(day($0.notAfter))"
            }.joined(separator: "; ")
        case .certRevoke(let verdicts): "verdict on \(verdicts.count) revocations"
        case .epochAnnounce(let epoch): "epoch \(epoch.number)"
        case .checkpoint(let checkpoint): "checkpoint of \(checkpoint.count) devices"
        case .groupDefinition(let group): "group \(group.name)"
        case .releaseManifest(let release): "release \(release.version)"
        case .recoverFork(let recovery):
            recovery.newKeys == nil
                ? "branch of log \(short(recovery.log.hex)) chosen by the cold keys"
                : "new keys of authority \(short(recovery.log.hex)) by the cold ones"
        }
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
