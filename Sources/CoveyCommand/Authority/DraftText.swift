import CoveyCore
import CoveyCrypto

/// What an officer reads before signing, and what is still missing.
enum DraftText {
    /// What the draft does, in words; one line for each thing that an officer has to look at.
    static func lines(_ draft: Draft, in membership: Membership) -> [String] {
        switch draft.content {
        case .note(let note):
            let label = membership.currentCertificate(note.device)?.label ?? "unknown"
            return [
                "revoke the device \(Output.harmless(label)) (\(LogText.short(note.device.hex))): \(note.reason.word)",
                "suspect since \(CalendarText.utc(note.content.suspectSince))",
            ]
                + (note.content.wipe.map {
                    [
                        "with the order to \($0.mode == .erase ? "erase" : "lock") itself, good until \(CalendarText.utc($0.expires))"
                    ]
                } ?? [])
        case .entry(let matter, let place, _):
            let what: [String]
            switch matter {
            case .issue(let certificates, let requests):
                what = certificates.flatMap { certificate in
                    lines(
                        certificate, requests.first { $0.deviceHash(in: draft.mesh) == certificate.deviceHash },
                        membership)
                }
            case .addAuthority(let certificate): what = lines(certificate)
            case .act(let payload): what = lines(payload, in: membership)
            }
            return what + ["place \(place.sequence) of the log, dated \(CalendarText.utc(place.time))"]
        }
    }

    /// An act that stands in the log for itself.
    static func lines(_ payload: LogPayload, in membership: Membership) -> [String] {
        switch payload {
        case .policySet(let policy):
            return [LogText.summary(of: payload)]
                + Policy.Key.allCases.compactMap { key in
                    let (old, new) = (membership[policy: key], policy[key])
                    return old == new ? nil : "\(PolicySettings.name(of: key)): \(new), until now \(old)"
                }
        case .authorityRevoke(let revocation):
            func name(_ id: AuthorityID) -> String {
                let label = membership.authority(id)?.content.label ?? "unknown"
                return "\(Output.harmless(label)) (\(LogText.short(id.hex)))"
            }
            let word = RevocationReason(rawValue: revocation.reason)?.word ?? "reason \(revocation.reason)"
            return ["revoke the authority \(name(revocation.authority)): \(word)"]
                + revocation.lastGood.map { row in
                    let known = membership.entryIDs(of: row.log).count
                    return row.sequence == 0
                        ? "nothing counts that \(name(row.log)) granted"
                        : "of the log of \(name(row.log)) what it granted counts up to entry \(row.sequence) of \(known)"
                }
        case .checkpoint(let checkpoint):
            let below = checkpoint.children.isEmpty ? "no log below" : "\(checkpoint.children.count) logs below"
            return ["checkpoint: \(below), \(checkpoint.count) live devices"]
        case .certRevoke(let verdicts): return [LogText.summary(of: payload)] + verdicts.map { line($0, membership) }
        case .releaseManifest(let release):
            return [
                Output.harmless(LogText.summary(of: payload)), "built from commit \(release.sourceCommit.hex)",
                "by the recipe with SHA-256 \(release.recipe.hex)",
                "to be installed from \(CalendarText.utc(release.notBefore))",
            ] + release.artefacts.map { "\(Output.harmless($0.name)) with SHA-256 \($0.sha256.hex)" }
        case .certIssue, .authorityAdd, .authorityRotate, .epochAnnounce, .groupDefinition, .recoverFork:
            return [LogText.summary(of: payload)]
        }
    }

    private static func line(_ verdict: NoteVerdict, _ membership: Membership) -> String {
        let decision =
            switch verdict.decision {
            case .confirmed: "confirmed"
            case .lifted: "lifted"
            }
        guard let note = membership.note(verdict.note) else {
            return "\(decision): revocation \(LogText.short(verdict.note.hex)), which is not known here"
        }
        let label = membership.currentCertificate(note.device)?.label ?? "unknown"
        return
            "\(decision): \(Output.harmless(label)) (\(LogText.short(note.device.hex))) was revoked as \(note.reason.word)"
    }

    private static func lines(
        _ certificate: DeviceCertificate, _ request: EnrolmentRequest?, _ membership: Membership
    ) -> [String] {
        let days = (certificate.notAfter.value - certificate.notBefore.value) / 1440
        let isNew = membership.currentCertificate(certificate.device) == nil
        var lines = [
            "\(isNew ? "enrol" : "renew") the device \(Output.harmless(certificate.label)) (\(LogText.short(certificate.device.hex)))",
            "rights: \(Rights.text(certificate.capabilities))",
            "for \(days) days, until \(CalendarText.utc(certificate.notAfter))",
        ]
        if !certificate.zones.isEmpty {
            lines.append("zones: \(certificate.zones.map(String.init).joined(separator: ", "))")
        }
        if let old = certificate.content.supersedes {
            let label = membership.currentCertificate(old)?.label ?? "unknown"
            lines.append("in place of \(Output.harmless(label)) (\(LogText.short(old.hex)))")
        }
        if let request { lines.append("compare with the device: \(request.shortString)") }
        return lines
    }

    private static func lines(_ certificate: AuthorityCertificate) -> [String] {
        let content = certificate.content
        let zones = content.zones.isEmpty ? "all" : content.zones.map(String.init).joined(separator: ", ")
        return [
            "authority \(Output.harmless(content.label)) (\(LogText.short(certificate.authority.hex))), \(content.keyset.threshold) of \(content.keyset.keys.count) keys",
            "may grant: \(Rights.text(content.grantable)); zones: \(zones)",
            "at most \(content.mostDevices) devices, each for at most \(content.mostDays) days; authorities below: \(content.depthLeft)",
            "until \(CalendarText.utc(content.notAfter))",
        ]
    }

    static func keys(_ numbers: [Int]) -> String {
        let words = numbers.map(String.init)
        guard let last = words.last, words.count > 1 else { return "key \(words.first ?? "none")" }
        return "keys \(words.dropLast().joined(separator: ", ")) and \(last)"
    }
}

/// A draft on its way to the next officer.
struct DraftAnswer: Answer {
    let file: String
    let act: [String]
    let pass: Int
    let passes: Int
    let signed: [Int]
    let missing: Int
    let others: [Int]

    init(_ draft: Draft, file: String, in book: AuthorityBook) throws {
        let progress = try book.progress(of: draft)
        self.file = file
        act = DraftText.lines(draft, in: book.membership)
        pass = progress.passNumber
        passes = progress.passes
        signed = progress.signed
        missing = progress.missing
        others = progress.others
    }

    var text: String {
        let round = passes > 1 ? " in round \(pass) of \(passes)" : ""
        let by = signed.isEmpty ? "nobody has signed yet" : "signed by \(DraftText.keys(signed))"
        return """
            wrote \(file): \(act.first ?? "")
            \(by)\(round); \(missing) more of \(DraftText.keys(others)) must sign
            next, at one of those officers: covey authority cosign \(file)
            """
    }
}

extension AuthorityDirectory {
    /// Signs a draft with the keys here, remembers it, and writes it for the next officer, where its log file will be.
    func send(
        _ draft: Draft, _ book: AuthorityBook, beside file: String, now: Minute, replacing: Bool = false
    ) throws -> DraftAnswer {
        let file = HandOver.file(beside: file, .draft)
        if !replacing, Disk.exists(file) {
            throw Complaint(.cannotCreate, "\(file), where the draft would go, exists already; move it away")
        }
        var book = book
        let signed = try book.cosign(draft, now: now)
        return try write(signed, book, to: file)
    }

    func write(_ draft: Draft, _ book: AuthorityBook, to file: String) throws -> DraftAnswer {
        try keep(book)
        try Disk.replace(file, draft.file(basis: book.signed).bytes)
        return try DraftAnswer(draft, file: file, in: book)
    }
}
