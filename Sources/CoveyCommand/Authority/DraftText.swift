import CoveyCore
import CoveyCrypto
import CoveyNode

/// What an officer reads before signing, and what is still missing.
enum DraftText {
    /// What the draft does, in words; one line for each thing that an officer has to look at.
    static func lines(_ draft: Draft, in membership: Membership) -> [String] {
        switch draft.content {
        case .note(let note):
            return [
                "revoke the device \(name(of: note.device, membership)): \(note.reason.word)",
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
            case .addAuthority(let certificate):
                what = lines(certificate.content, of: certificate.authority, membership)
            case .act(let payload): what = lines(payload, of: draft.authority, in: membership)
            }
            return what + ["place \(place.sequence) of the log, dated \(CalendarText.utc(place.time))"]
        }
    }

    /// An act that stands in this log for itself.
    static func lines(_ payload: LogPayload, of log: LogID, in membership: Membership) -> [String] {
        switch payload {
        case .policySet(let policy):
            return [LogText.summary(of: payload, in: membership)]
                + Policy.Key.allCases.compactMap { key in
                    let (old, new) = (membership[policy: key], policy[key])
                    return old == new ? nil : "\(PolicySettings.name(of: key)): \(new), until now \(old)"
                }
        case .authorityRevoke(let revocation):
            func name(_ id: AuthorityID) -> String { self.name(of: id, membership) }
            let reason = RevocationReason.word(of: revocation.reason)
            return ["revoke the authority \(name(revocation.authority)): \(reason)"]
                + revocation.lastGood.map { row in
                    let known = membership.entryIDs(of: row.log).count
                    return row.sequence == 0
                        ? "nothing counts that \(name(row.log)) granted"
                        : "of the log of \(name(row.log)) what it granted counts up to entry \(row.sequence) of \(known)"
                }
        case .checkpoint(let checkpoint):
            let children = checkpoint.children.count
            let below = children == 0 ? "no log below" : children.counting("log", "logs") + " below"
            let revoked = membership.revokedDevices(in: checkpoint, nextIn: log, at: CalendarText.now)
            return ["checkpoint: \(below), \(checkpoint.count.counting("device", "devices")) in the set"]
                + (revoked.isEmpty
                    ? []
                    : [
                        "revoked, and in the set as no verdict says so: "
                            + revoked.map { name(of: $0, membership) }.joined(separator: ", ")
                    ])
        case .certRevoke(let verdicts):
            let lines = verdicts.map { Output.harmless($0.words(in: membership)) }
            return (lines.count == 1 ? [] : ["\(lines.count) verdicts"]) + lines
        case .releaseManifest(let release):
            return [
                LogText.summary(of: payload, in: membership), "built from commit \(release.sourceCommit.hex)",
                "by the recipe with SHA-256 \(release.recipe.hex)",
                "to be installed from \(CalendarText.utc(release.notBefore))",
            ] + release.artefacts.map { "\(Output.harmless($0.name)) with SHA-256 \($0.sha256.hex)" }
        case .authorityRotate(let rotation):
            guard let branch = rotation.branch else { return [LogText.summary(of: payload, in: membership)] }
            return [
                "new keys of the authority \(name(of: rotation.authority, membership))",
                line(branch, rotation.authority, membership), line(rotation.keyset),
            ]
        case .recoverFork(let recovery):
            let what = recovery.newKeys == nil ? "choose a branch" : "new keys"
            return [
                "by the cold keys: \(what) of the authority \(name(of: recovery.log, membership))",
                line(recovery.branch, recovery.log, membership),
            ] + (recovery.newKeys.map { [line($0.keyset)] } ?? [])
        case .certIssue, .authorityAdd, .epochAnnounce, .groupDefinition:
            return [LogText.summary(of: payload, in: membership)]
        }
    }

    private static func name(of authority: AuthorityID, _ membership: Membership) -> String {
        Output.harmless(membership.words(for: authority))
    }

    private static func name(of device: DeviceID, _ membership: Membership) -> String {
        Output.harmless(membership.words(for: device))
    }

    private static func line(_ keyset: Keyset) -> String {
        "\(keyset.threshold) of \(keyset.keys.count) new keys must sign"
    }

    /// Behind which entry a log goes on.
    private static func line(_ branch: EntryID, _ log: LogID, _ membership: Membership) -> String {
        let path = membership.entryIDs(of: log)
        let id = LogText.short(branch.hex)
        if let at = path.firstIndex(of: branch) {
            let after = path.count - at - 1
            let rest = after == 0 ? "the last that is known" : "and \(after) after it are dropped"
            return "its log stands up to entry \(at + 1) (\(id)), \(rest)"
        }
        if let other = membership.entries(beside: log).first(where: { $0.id == branch }) {
            return "its log stands up to entry \(other.sequence) (\(id)) of another branch"
        }
        return path.isEmpty ? "its log is empty so far" : "nothing of its log stands"
    }

    /// Up to where a log is to stand, and what is dropped, to be read before that is signed.
    static func lines(dropping log: LogID, after last: EntryID, of book: AuthorityBook) -> [String] {
        ["the log of \(name(of: log, book.membership)) is to stand up to entry \(LogText.short(last.hex))"]
            + dropped(of: log, after: last, in: book)
    }

    /// What a draft drops of a log; empty where it says nothing of one.
    static func dropped(by draft: Draft, in book: AuthorityBook) -> [String] {
        guard case .entry(.act(let payload), _, _) = draft.content else { return [] }
        switch payload {
        case .authorityRotate(let rotation):
            return rotation.branch.map { dropped(of: rotation.authority, after: $0, in: book) } ?? []
        case .recoverFork(let recovery): return dropped(of: recovery.log, after: recovery.branch, in: book)
        case .policySet, .authorityAdd, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest:
            return []
        }
    }

    private static func dropped(of log: LogID, after last: EntryID, in book: AuthorityBook) -> [String] {
        let entries = book.entries(of: log, notUpTo: last)
        guard !entries.isEmpty else { return ["nothing that is known here is dropped"] }
        return ["dropped:"]
            + entries.map { entry in
                let place =
                    "entry \(entry.sequence) (\(LogText.short(entry.id.hex))) of \(CalendarText.utc(entry.time))"
                return "  \(place): \(LogText.summary(of: entry.payload, in: book.membership))"
            }
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
            lines.append("in place of \(name(of: old, membership))")
        }
        if let request {
            lines.append(AskingProgram(request, in: membership).text)
            lines.append("compare with the device: \(request.shortString)")
        }
        return lines
    }

    static func lines(
        _ content: AuthorityCertificate.Content, of authority: AuthorityID, _ membership: Membership
    ) -> [String] {
        let zones = content.zones.isEmpty ? "all" : content.zones.map(String.init).joined(separator: ", ")
        return [
            "authority \(Output.harmless(content.label)) (\(LogText.short(authority.hex))), \(content.keyset.threshold) of \(content.keyset.keys.count) keys",
            "may grant: \(Rights.text(content.grantable)); zones: \(zones)",
            "at most \(content.mostDevices) devices, each for at most \(content.mostDays) days; authorities below: \(content.depthLeft)",
            "until \(CalendarText.utc(content.notAfter))",
        ]
            + (membership.authority(authority) == nil
                ? ["compare with the authority: \(AuthorityRequest.shortString(of: content))"] : [])
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
    /// How many there are, when they are to sign, and not the keys of an authority.
    private let coldKeys: Int?

    private enum CodingKeys: String, CodingKey { case file, act, pass, passes, signed, missing, others }

    init(_ draft: Draft, file: String, in book: AuthorityBook) throws {
        let progress = try book.progress(of: draft)
        self.file = file
        if case .entry(.act(.recoverFork(let recovery)), _, _) = draft.content, draft.isOfColdKeys {
            coldKeys = recovery.recovery.keys.count
        } else {
            coldKeys = nil
        }
        act = DraftText.lines(draft, in: book.membership)
        pass = progress.passNumber
        passes = progress.passes
        // The cold keys are counted first; new ones signed where the draft was begun.
        let most = coldKeys ?? .max
        signed = progress.signed.filter { $0 <= most }
        missing = progress.missing
        others = progress.others.filter { $0 <= most }
    }

    var text: String {
        let round = passes > 1 ? " in round \(pass) of \(passes)" : ""
        let by = signed.isEmpty ? "nobody has signed yet" : "signed by \(DraftText.keys(signed))"
        let cold = coldKeys == nil ? "" : "the cold "
        let next =
            coldKeys == nil
            ? "at one of those officers: covey authority cosign \(file.word)"
            : "with one of those keys, in any directory of the mesh: covey authority cosign \(file.word) --key FILE"
        return """
            wrote \(file): \(act.first ?? "")
            \(by)\(round); \(missing) more of \(cold)\(DraftText.keys(others)) must sign
            next, \(next)
            """
    }
}

extension AuthorityDirectory {
    /// Signs a draft with the keys here, remembers it, and writes it for the next officer, where its log file will be.
    ///
    /// - Parameter counting: where a draft that is there already shall stop nothing, and the new one gets a number.
    func send(
        _ draft: Draft, _ book: AuthorityBook, beside file: String, now: Minute, others: [SigningPrivateKey] = [],
        counting: Bool = false
    ) throws -> DraftAnswer {
        let place =
            try counting
            ? HandOver.free(HandOver.file(beside: file, .draft), .draft) : HandOver.freeDraft(beside: file)
        var book = book
        let signed = try book.cosign(draft, now: now, others: others)
        return try write(signed, book, to: place)
    }

    /// - Parameter replacing: whether the file holds the draft as it was before.
    func write(
        _ draft: Draft, _ book: AuthorityBook, to file: String, replacing: Bool = false
    ) throws -> DraftAnswer {
        try keep(book)
        let bytes = draft.file(basis: book.signed + book.suspends.map(\.signed)).bytes
        if replacing { try Disk.replace(file, bytes) } else { try Disk.create(file, bytes) }
        return try DraftAnswer(draft, file: file, in: book)
    }
}
