import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode

struct LogVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Audit a whole log offline, or read a proof of membership.",
        discussion: """
            Of a log: every chain, every signature, and what does not hold. Of a proof (covey log prove): which device, by \
            which checkpoint, and what it does not say.

            No node is asked, and nothing is changed. The genesis comes from the file named mesh in the home of any \
            device, or in the directory of an authority; that it is the right one has to be known from elsewhere: compare \
            the mesh's id. The exit status is 1 when anything is wrong.
            """)

    @Argument(help: "A log file, as covey log export writes it, or a proof.")
    var file: String

    @Option(help: "The genesis: the file mesh of a home or of an authority's directory.")
    var mesh: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let genesis = try Genesis(at: mesh)
        let read = try CoveyFile(at: [file])
        if read.kind == .proof { return try verify(read, genesis) }
        let objects = try Complaint.about(file) { try read.log(of: genesis.meshID) }
        let audit = LogAudit(of: genesis, objects, now: CalendarText.now)
        let report = AuditReport(genesis: genesis, audit)
        try report.show(asJSON: output.json)
        guard audit.isSound else {
            throw Complaint(.failed, "\(file): \(audit.faults.count) of what it says does not hold")
        }
    }

    private func verify(_ read: CoveyFile, _ genesis: Genesis) throws {
        let proof = try Complaint.about(file) { try MembershipProof.read(read, of: genesis.meshID) }
        try ProofReport(proof, by: genesis, of: file).show(asJSON: output.json)
    }
}

/// What an audit found, for people and programs.
private struct AuditReport: Answer {
    struct Finding: Encodable {
        let object: Int?
        let kind: String
        let log: String?
        let sequence: UInt64?
        let entries: [String]
        let text: String
        /// Somebody decided about it: it makes nothing unsound.
        let isSettled: Bool
    }

    struct Chain: Encodable {
        let log: String
        let label: String
        let entries: UInt64
        let head: String
        let expires: String?
        let liveDevices: Int
        let mostDevices: Int?
        let grantsUpTo: UInt64?
    }

    struct Device: Encodable {
        let device: String
        let label: String
        let reason: String?
        let since: String
    }

    struct Dismissed: Encodable {
        let authority: String
        let label: String
        let by: String
        let byLabel: String
        let time: String
        let reason: String
        let grantsUpTo: UInt64
    }

    struct Suspension: Encodable {
        let device: String
        let label: String
        let by: String
        let byLabel: String
        let issued: String
        let until: String
        let isLifted: Bool
    }

    struct Order: Encodable {
        let note: String
        let device: String
        let label: String
        let mode: String
        let issued: String
        let expires: String
        /// By the device's clock; absent without a receipt.
        let done: String?
    }

    let mesh: String
    let name: String
    let isSound: Bool
    let entries: Int
    let notes: Int
    let signatures: Int
    let devices: Int
    let chains: [Chain]
    let dismissed: [Dismissed]
    let revoked: [Device]
    let expired: [Device]
    let suspends: [Suspension]
    let orders: [Order]
    let findings: [Finding]

    init(genesis: Genesis, _ audit: LogAudit) {
        mesh = genesis.meshID.hex
        name = genesis.name
        isSound = audit.isSound
        entries = audit.entries
        notes = audit.notes
        signatures = audit.signatures
        devices = audit.devices
        chains = audit.chains.map { chain in
            Chain(
                log: chain.log.hex,
                label: chain.certificate?.content.label
                    ?? (chain.log == genesis.rootID ? "root" : chain.isReleases ? "releases" : "without right"),
                entries: chain.head.sequence, head: chain.head.id.hex,
                expires: chain.certificate.map { CalendarText.utc($0.content.notAfter) }, liveDevices: chain.live,
                mostDevices: chain.mostDevices, grantsUpTo: chain.grantsUpTo)
        }
        dismissed = audit.dismissed.map { dismissal in
            Dismissed(
                authority: dismissal.authority.hex, label: dismissal.label, by: dismissal.by.hex,
                byLabel: audit.membership.label(of: dismissal.by) ?? "unknown",
                time: CalendarText.utc(dismissal.time), reason: RevocationReason.word(of: dismissal.reason),
                grantsUpTo: dismissal.upTo)
        }
        revoked = audit.revoked.map {
            Device(
                device: $0.device.hex, label: $0.label, reason: $0.revocation.reason.word,
                since: CalendarText.utc($0.revocation.suspectSince))
        }
        expired = audit.expired.map {
            Device(device: $0.device.hex, label: $0.label, reason: nil, since: CalendarText.utc($0.notAfter))
        }
        suspends = audit.suspends.map {
            Suspension(
                device: $0.device.hex, label: $0.label, by: $0.signer.hex, byLabel: $0.signerLabel,
                issued: CalendarText.utc($0.issued), until: CalendarText.utc($0.until), isLifted: $0.isLifted)
        }
        orders = audit.orders.map {
            Order(
                note: $0.note.hex, device: $0.device.hex, label: $0.label, mode: "\($0.mode)",
                issued: CalendarText.utc($0.issued), expires: CalendarText.utc($0.expires),
                done: $0.done.map(CalendarText.utc))
        }
        findings = audit.findings.map(Finding.init)
    }

    var text: String {
        var lines = [
            "mesh \(Output.harmless(name)) (\(mesh))",
            "\(entries.counting("entry", "entries")), \(notes.counting("revocation", "revocations")), "
                + "\(signatures.counting("signature", "signatures")) verified, \(devices.counting("device", "devices"))",
        ]
        for chain in chains {
            var line =
                "log \(LogText.short(chain.log)) \(Output.harmless(chain.label)): \(chain.entries.counting("entry", "entries")), head \(LogText.short(chain.head)), \(chain.liveDevices)"
            if let most = chain.mostDevices { line += " of \(most)" }
            line += chain.liveDevices == 1 && chain.mostDevices == nil ? " live device" : " live devices"
            if let expires = chain.expires { line += ", until \(expires.prefix(10))" }
            if let limit = chain.grantsUpTo { line += ", grants nothing after entry \(limit)" }
            lines.append(line)
        }
        for authority in dismissed {
            let rest = authority.grantsUpTo == 0 ? "nothing" : "up to entry \(authority.grantsUpTo)"
            lines.append(
                "dismissed: \(Output.harmless(authority.label)) (\(LogText.short(authority.authority))), \(authority.reason), by \(Output.harmless(authority.byLabel)) on \(authority.time.prefix(10)); what it granted counts: \(rest)"
            )
        }
        for device in revoked {
            lines.append(
                "revoked: \(Output.harmless(device.label)) (\(LogText.short(device.device))), \(device.reason ?? ""), suspect since \(device.since.prefix(10))"
            )
        }
        for device in expired {
            lines.append(
                "expired: \(Output.harmless(device.label)) (\(LogText.short(device.device))) on \(device.since.prefix(10))"
            )
        }
        for ask in suspends {
            lines.append(
                "suspend: \(Output.harmless(ask.byLabel)) (\(LogText.short(ask.by))) asked on \(ask.issued.prefix(10)) to keep out \(Output.harmless(ask.label)) (\(LogText.short(ask.device))) until \(ask.until.prefix(10))\(ask.isLifted ? ", lifted" : "")"
            )
        }
        for order in orders {
            let done =
                order.done.map { "it said on \($0.prefix(10)) that it obeys" }
                ?? "no receipt of it here, good until \(order.expires.prefix(10))"
            lines.append(
                "ordered: \(order.mode) \(Output.harmless(order.label)) (\(LogText.short(order.device))) on \(order.issued.prefix(10)), \(done)"
            )
        }
        for finding in findings {
            let object = finding.object.map { "object \($0): " } ?? ""
            let place = finding.log.map { "log \(LogText.short($0))" } ?? ""
            let entry = finding.sequence.map { " entry \($0)" } ?? ""
            let weight = finding.isSettled ? "decided: " : "WRONG: "
            lines.append(weight + object + (place.isEmpty ? "" : place + entry + ": ") + finding.text)
        }
        if isSound { lines.append("sound") }
        return lines.joined(separator: "\n")
    }
}

extension AuditReport.Finding {
    fileprivate init(_ finding: LogAudit.Finding) {
        var place: (log: LogID, sequence: UInt64?)?
        var named: [String] = []
        switch finding.fault {
        case .malformed(let cause): (kind, text) = ("malformed", "no entry or revocation of this mesh: \(cause)")
        case .entry(let log, let sequence, let refusal):
            place = (log, sequence)
            (kind, text) = ("entry", "the rules refuse the entry: \(refusal)")
        case .note(let hash, let refusal):
            named = [hash.hex]
            (kind, text) = ("note", "the rules refuse revocation \(LogText.short(hash.hex)): \(refusal)")
        case .gap(let log, let from, let upTo):
            place = (log, from)
            (kind, text) = ("gap", from == upTo ? "entry \(from) is missing" : "entries \(from) to \(upTo) are missing")
        case .unknownAuthority(let log):
            place = (log, nil)
            (kind, text) = ("unknown-authority", "no entry adds the authority of this log")
        case .unknownNote(let hash):
            named = [hash.hex]
            (kind, text) = (
                "unknown-note", "revocation \(LogText.short(hash.hex)) is of a device or by a signer in no entry"
            )
        case .suspend(let hash, let refusal):
            named = [hash.hex]
            (kind, text) = (
                "suspend",
                refusal.map { "the rules refuse suspension \(LogText.short(hash.hex)): \($0)" }
                    ?? "suspension \(LogText.short(hash.hex)) is of a device or by a signer in no entry"
            )
        case .receipt(let note, let device):
            named = [note.hex]
            (kind, text) = (
                "receipt",
                "the receipt of device \(LogText.short(device.hex)) is of no order here, or not signed by the device it was for"
            )
        case .certificateSignatures(let log, let sequence, let certificate):
            place = (log, sequence)
            named = [certificate.hex]
            (kind, text) = (
                "certificate",
                "too few keys of the authority signed certificate \(LogText.short(certificate.hex)) itself"
            )
        case .void(let log, let sequence, let holder, let fault):
            place = (log, sequence)
            named = [holder.certificate.hex]
            let certificate = "the certificate of \(holder.name)"
            switch finding.decision {
            case nil: (kind, text) = ("void", "\(certificate) grants nothing: \(fault.words)")
            case .branch: (kind, text) = ("void", "\(certificate) is void, as what gave it was dropped")
            case .dismissal(let dismissal): (kind, text) = ("void", "\(certificate) is void, as \(dismissal.text)")
            }
        case .fork(let proof, let frozen):
            place = (proof.log, proof.sequence)
            named = proof.entries.map(\.hex)
            (kind, text) = (
                "fork",
                "the authority signed different entries: \(named.joined(separator: " and ")); "
                    + (frozen.map { "what it granted after entry \($0) is void" } ?? "the first was chosen to stand")
            )
        case .epoch(let log, let sequence, let number):
            place = (log, sequence)
            let announcement = "the announcement of epoch \(number) is void"
            switch finding.decision {
            case nil, .branch: (kind, text) = ("epoch", announcement)
            case .dismissal(let dismissal): (kind, text) = ("epoch", "\(announcement), as \(dismissal.text)")
            }
        case .checkpoint(let log, let sequence, let found):
            place = (log, sequence)
            (kind, text) = (
                "checkpoint",
                found.map { "the active set has another root, \(LogText.short($0.hex))" }
                    ?? "what the checkpoint covers is not all here"
            )
        case .time(let log, let sequence, let time):
            place = (log, sequence)
            (kind, text) = ("time", "dated \(CalendarText.utc(time)), which is to come")
        case .quota(let log, let live, let most):
            place = (log, nil)
            (kind, text) = ("quota", "\(live) live devices where \(most) are allowed")
        }
        object = finding.position
        isSettled = finding.isSettled
        log = place?.log.hex
        sequence = place?.sequence
        entries = named
    }
}

extension LogAudit.Holder {
    fileprivate var name: String {
        let id =
            switch holder {
            case .device(let device): device.hex
            case .authority(let authority): authority.hex
            }
        return "\(Output.harmless(label)) (\(LogText.short(id)))"
    }
}

extension Dismissal {
    /// Of what it leaves of a log.
    fileprivate var text: String {
        let who = "\(Output.harmless(label)) (\(LogText.short(authority.hex))) was dismissed"
        return upTo == 0 ? who : "\(who) after entry \(upTo)"
    }
}
