package import CoveyCore
import CoveyCrypto

// Entries and notes of the log in words, for people. Labels in them are somebody else's text.

extension LogPayload {
    /// One line.
    package func summary(in membership: Membership) -> String {
        switch self {
        case .policySet(let policy): return "policy \(policy.number)"
        case .authorityAdd(let certificate):
            return "authority \(certificate.content.label) (\(short(certificate.authority)))"
        case .authorityRotate(let rotation):
            return "new keys of authority \(membership.words(for: rotation.authority))"
        case .authorityRevoke(let revocation):
            let reason = RevocationReason.word(of: revocation.reason)
            let last = revocation.lastGood.first { $0.log == revocation.authority }?.sequence ?? 0
            let rest = last == 0 ? "nothing that it granted counts" : "what it granted counts up to entry \(last)"
            return "authority \(membership.words(for: revocation.authority)) revoked: \(reason), \(rest)"
        case .certIssue(let certificates):
            return certificates.map { "device \($0.label) (\(short($0.device))), certificate \($0.serial)" }
                .joined(separator: "; ")
        case .certRevoke(let verdicts):
            let shown = verdicts.prefix(LogWords.mostVerdicts).map { $0.words(in: membership) }
            let rest = verdicts.count - shown.count
            return (shown + (rest > 0 ? ["and \(rest.counting("verdict", "verdicts")) more"] : []))
                .joined(separator: "; ")
        case .epochAnnounce(let epoch): return "epoch \(epoch.number)"
        case .checkpoint(let checkpoint):
            return "checkpoint of \(checkpoint.count.counting("device", "devices"))"
        case .groupDefinition(let group): return "group \(group.name)"
        case .releaseManifest(let release): return "release \(release.version)"
        case .recoverFork(let recovery):
            let log = membership.words(for: recovery.log)
            return recovery.newKeys == nil
                ? "branch of log \(log) chosen by the cold keys" : "new keys of authority \(log) by the cold ones"
        }
    }

    /// Between when and when what it grants ends; nil where nothing does.
    package var ends: ClosedRange<Minute>? {
        let ends: [Minute] =
            switch self {
            case .authorityAdd(let certificate): [certificate.content.notAfter]
            case .certIssue(let certificates): certificates.map(\.notAfter)
            case .policySet, .authorityRotate, .authorityRevoke, .certRevoke, .epochAnnounce, .checkpoint,
                .groupDefinition, .releaseManifest, .recoverFork:
                []
            }
        guard let first = ends.min(), let last = ends.max() else { return nil }
        return first...last
    }
}

extension NoteVerdict.Decision {
    package var word: String {
        switch self {
        case .confirmed: "confirmed"
        case .lifted: "lifted"
        }
    }
}

extension NoteVerdict {
    /// What was decided about what, and by whom that was said.
    package func words(in membership: Membership) -> String {
        let decision = decision.word
        if let content = membership.note(note) {
            return "\(decision): \(membership.words(for: content.device)) was revoked as \(content.reason.word)"
        }
        if let (device, signers) = membership.parties(of: SuspendHash(prefixOf: note)) {
            let who = signers.map(membership.words(for:)).joined(separator: ", ")
            return "\(decision): \(who) asked that \(membership.words(for: device)) be kept out"
        }
        return "\(decision): \(short(note)), which is not known here"
    }
}

extension RevokeNote.Content {
    /// One line: who is revoked, why and by whom, and what was decided about it.
    package func summary(_ hash: NoteHash, in membership: Membership) -> String {
        var line = "device \(membership.words(for: device)) revoked: \(reason.word)"
        if let author = membership.authorWords(of: hash) { line += ", by \(author)" }
        return line + (membership.verdict(on: hash).map { "; \($0.word)" } ?? "")
    }
}

extension Membership {
    /// With as much of the id as people compare.
    package func words(for device: DeviceID) -> String {
        "\(currentCertificate(device)?.label ?? "unknown") (\(short(device)))"
    }

    package func words(for log: LogID) -> String { "\(label(of: log) ?? "unknown") (\(short(log)))" }

    /// Who revokes a device by a note; nil where the note is not here.
    package func authorWords(of note: NoteHash) -> String? {
        switch author(of: note) {
        case .authority(let authority)?: authorityWords(authority)
        case .officer(let authority)?: "one officer of \(authorityWords(authority)) alone"
        case .device?: "the device itself"
        case .officers(let officers)?:
            officers.map { currentCertificate($0)?.label ?? $0.hex }.joined(separator: ", ")
        case nil: nil
        }
    }

    private func authorityWords(_ authority: AuthorityID) -> String {
        authority == genesis.rootID ? "the root" : label(of: authority) ?? authority.hex
    }
}

private enum LogWords {
    /// What one line says of an entry; the rest is counted.
    static let mostVerdicts = 4
}

private func short(_ id: some CustomStringConvertible) -> String { String("\(id)".prefix(12)) }
