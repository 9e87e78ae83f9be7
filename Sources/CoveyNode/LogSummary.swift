package import CoveyCore

extension LogPayload {
    /// One line for a person. Labels in it are somebody else's text.
    package var summary: String {
        func short(_ id: some CustomStringConvertible) -> String { String("\(id)".prefix(12)) }
        return switch self {
        case .policySet(let policy): "policy \(policy.number)"
        case .authorityAdd(let certificate):
            "authority \(certificate.content.label) (\(short(certificate.authority)))"
        case .authorityRotate(let rotation): "new keys of authority \(short(rotation.authority))"
        case .authorityRevoke(let revocation): "authority \(short(revocation.authority)) revoked"
        case .certIssue(let certificates):
            certificates.map { "device \($0.label) (\(short($0.device))), certificate \($0.serial)" }
                .joined(separator: "; ")
        case .certRevoke(let verdicts): "verdict on \(verdicts.count) revocations"
        case .epochAnnounce(let epoch): "epoch \(epoch.number)"
        case .checkpoint(let checkpoint): "checkpoint of \(checkpoint.count.counting("device", "devices"))"
        case .groupDefinition(let group): "group \(group.name)"
        case .releaseManifest(let release): "release \(release.version)"
        case .recoverFork(let recovery):
            recovery.newKeys == nil
                ? "branch of log \(short(recovery.log)) chosen by the cold keys"
                : "new keys of authority \(short(recovery.log)) by the cold ones"
        }
    }
}
