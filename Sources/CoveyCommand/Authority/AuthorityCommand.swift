import ArgumentParser
import CoveyCore
import CoveyCrypto
import Glibc

struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority", abstract: "Found a mesh, enrol and revoke devices.",
        subcommands: [
            InitCommand.self, InviteCommand.self, SignCommand.self, RevokeCommand.self, AuthorityLogCommand.self,
        ])
}

struct AuthorityOptions: ParsableArguments {
    @Option(name: .customLong("authority"), help: "The authority's directory (or COVEY_AUTHORITY).")
    var directory: String?

    func path() throws -> String {
        if let directory { return directory }
        if let named = getenv("COVEY_AUTHORITY"), named.pointee != 0 { return String(cString: named) }
        throw Complaint(.usage, "which authority? name its directory with --authority DIR or COVEY_AUTHORITY")
    }

    func open() throws -> AuthorityDirectory { try AuthorityDirectory(path()) }
}

/// A name or label as it was typed, in the form that may be signed.
enum CanonicalName {
    static func of(_ text: String, _ what: String, most: Int) throws -> String {
        guard let name = CanonicalText.normalised(text), (1...most).contains(name.utf8.count) else {
            throw Complaint(.usage, "\(what) has 1 to \(most) bytes of text without control characters; choose another")
        }
        return name
    }
}

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Found a mesh.")

    @Argument(help: "The name of the mesh.")
    var name: String

    @OptionGroup var authority: AuthorityOptions

    @Option(
        help: "How long devices trust what they know without news: standard (7 and 30 days) or expedition (30 and 120)."
    )
    var profile = "standard"

    @OptionGroup var output: OutputOptions

    private struct Founded: Answer {
        let mesh: String
        let name: String
        let directory: String

        var text: String {
            """
            founded the mesh \(name) (\(LogText.short(mesh))) in \(directory)
            keep \(directory)/cold in a safe place of its own: daily work does not need it
            next: covey authority invite NAME -o NAME.invite --authority \(directory)
            """
        }
    }

    func run() throws {
        let path = try authority.path()
        let name = try CanonicalName.of(name, "the name of a mesh", most: 64)
        guard let profile = MeshProfile(rawValue: profile) else {
            throw Complaint(.usage, "--profile is \"\(profile)\"; it takes standard or expedition")
        }
        try AuthorityDirectory.found(path, name: name, profile: profile, random: SystemRandom(), now: CalendarText.now)
        let book = try AuthorityDirectory(path).book
        try Founded(mesh: book.mesh.hex, name: name, directory: path).show(asJSON: output.json)
    }
}

struct InviteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Invite a person to enrol one device.")

    @Argument(help: "What the device will be called; every member sees it.")
    var label: String

    @Option(name: .shortAndLong, help: "Where to write the invitation.")
    var output: String

    @Option(help: "Days that the invitation is open, at most 7.")
    var days: Int = 7

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Invited: Answer {
        let file: String
        let label: String
        let expires: String

        var text: String {
            """
            wrote \(file): give it to \(label) in person, it holds a secret; open until \(expires)
            next, on the device: covey device request \(file) -o \(label).request
            """
        }
    }

    func run() throws {
        let label = try CanonicalName.of(label, "a label", most: Invitation.longestLabel)
        guard (1...7).contains(days) else { throw Complaint(.usage, "--days is \(days); it takes 1 to 7") }
        let directory = try authority.open()
        let now = CalendarText.now
        let book = directory.book
        guard !book.devices.contains(where: { $0.certificate.label == label && !$0.isRevoked }) else {
            throw Complaint(
                .failed, "there is a device called \(label) already; choose another label, or revoke that one")
        }
        guard try !directory.openInvitations(now: now).contains(where: { $0.label == label }) else {
            throw Complaint(
                .failed, "an invitation for \(label) is open already; choose another label, or wait until it expires")
        }
        let invitation = OpenInvitation(
            mesh: book.mesh, authority: book.id, label: label, now: now,
            expires: now.adding(Int64(days) * 1440), random: SystemRandom())
        var content = invitation.invitation.bytes
        var bytes = CoveyFile(kind: .invitation, mesh: book.mesh, content: content).bytes
        defer {
            content.wipe()
            bytes.wipe()
        }
        try directory.keep(invitation)
        do {
            try Disk.create(output, bytes)
        } catch {
            try directory.discard(invitation.id)
            throw error
        }
        try Invited(file: output, label: label, expires: CalendarText.utc(invitation.invitation.expires))
            .show(asJSON: answer.json)
    }
}

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Make a device a member, from its request.")

    @Argument(help: "The request that the device wrote.")
    var request: String

    @Option(name: .shortAndLong, help: "Where to write the welcome.")
    var output: String

    @Option(help: "Days that the certificate is good for, 1 to 400.")
    var days: Int?

    @Option(
        help: "More that the device may do: urgent, gateway, bulk, auditor, enrol-proxy, release-mirror, org-owned.")
    var grant: [String] = []

    @Option(help: "Another device of the same person, by label or id.")
    var with: String?

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private static let grants: [(name: String, capability: Capabilities)] = [
        ("urgent", .urgent), ("gateway", .gateway), ("bulk", .bulk), ("auditor", .auditor),
        ("enrol-proxy", .enrolProxy),
        ("release-mirror", .releaseMirror), ("org-owned", .orgOwned),
    ]

    private struct Enrolled: Answer {
        let file: String
        let label: String
        let device: String
        let digits: String
        let expires: String
        let handed: HandOver.Outcome

        var text: String {
            """
            enrolled \(label) (\(LogText.short(device))) until \(expires)
            compare with the device: \(digits)
            wrote \(file): take it back to \(label)
            next, on the device: covey device install \(file)
            \(handed.text)
            """
        }
    }

    func run() throws {
        var granted = Grant.member
        for name in grant {
            guard let found = Self.grants.first(where: { $0.name == name }) else {
                let known = Self.grants.map(\.name).joined(separator: ", ")
                throw Complaint(.usage, "--grant is \"\(name)\"; it takes \(known)")
            }
            granted.insert(found.capability)
        }
        if let days, !(1...Int(Founding.longestCertificateDays)).contains(days) {
            throw Complaint(.usage, "--days is \(days); it takes 1 to \(Founding.longestCertificateDays)")
        }
        let directory = try authority.open()
        let file = try CoveyFile(at: request)
        let request = try Complaint.about(request) {
            try EnrolmentRequest(parsing: file.content(.request, of: directory.book.mesh))
        }
        guard !Disk.exists(output) else {
            throw Complaint(.cannotCreate, "\(output) exists already; choose another name or move it away")
        }
        let logFile = HandOver.file(beside: output)
        try hand.check(logFile)
        let terms = Grant(
            capabilities: granted, days: days.map { UInt16($0) },
            subject: try with.map { try directory.book.device(named: $0).certificate.subject })
        let enrolment = try Enrolment.sign(request, terms, in: directory, random: SystemRandom(), now: CalendarText.now)
        try Disk.create(output, CoveyFile(kind: .welcome, mesh: directory.book.mesh, content: enrolment.welcome).bytes)
        try directory.discard(request.invitation)
        let handed = try hand.over(
            enrolment.entries.map(\.signed), epochs: enrolment.epochs, of: directory, file: logFile)
        try Enrolled(
            file: output, label: request.label, device: enrolment.certificate.device.hex, digits: request.shortString,
            expires: CalendarText.utc(enrolment.certificate.notAfter), handed: handed
        ).show(asJSON: answer.json)
        if let problem = handed.problem { throw Complaint(.noNode, problem) }
    }
}

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Put a device out of the mesh, for good.")

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Option(help: "Why: retired, lost, compromised, superseded or policy.")
    var reason: String

    @Option(help: "Since when the device is suspect, as 2026-11-21 or 2026-11-21T22:53:00Z.")
    var since: String?

    @Option(name: .shortAndLong, help: "Where to write the log file, when no node is named.")
    var output: String?

    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Revoked: Answer {
        let device: String
        let label: String
        let reason: String
        let newEpoch: Bool
        let handed: HandOver.Outcome

        var text: String {
            """
            revoked \(label) (\(LogText.short(device))): \(reason)\(newEpoch ? ", and announced a new network key" : "")
            \(handed.text)
            """
        }
    }

    func run() throws {
        guard let reason = RevocationReason.allCases.first(where: { $0.word == reason }) else {
            let known = RevocationReason.allCases.map(\.word).joined(separator: ", ")
            throw Complaint(.usage, "--reason is \"\(reason)\"; it takes \(known)")
        }
        let suspect = try since.map { text in
            guard let minute = CalendarText.minute(parsing: text) else {
                throw Complaint(.usage, "--since is \"\(text)\"; it takes a day such as 2026-11-21, or RFC 3339 in UTC")
            }
            return minute
        }
        let directory = try authority.open()
        let found = try directory.book.device(named: device)
        guard !found.isRevoked else { throw Complaint(.failed, "\(found.certificate.label) is revoked already") }
        let file = output ?? "\(LogText.short(found.id.hex)).log"
        try hand.check(file)
        let now = CalendarText.now
        var book = directory.book
        let note = try book.revoke(found, reason, since: suspect, now: now)
        var entries: [LogEntry] = []
        // Issued together, so that the clean key exists wherever the revocation starts (protocol.md §1.10).
        if note.taints { entries.append(try book.announce(now: now, random: SystemRandom())) }
        try directory.keep(book)
        let epochs = note.taints ? book.epochs.suffix(1) : []
        let handed = try hand.over(
            [note.signed] + entries.map(\.signed), epochs: Array(epochs), of: directory, file: file)
        try Revoked(
            device: found.id.hex, label: found.certificate.label, reason: reason.word, newEpoch: !epochs.isEmpty,
            handed: handed
        ).show(asJSON: answer.json)
        if let problem = handed.problem { throw Complaint(.noNode, problem) }
    }
}

struct AuthorityLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show what was signed, or write it to a log file.")

    @Option(name: .shortAndLong, help: "Write a log file instead, for: covey log import FILE.")
    var output: String?

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Line: Answer {
        let kind: String
        let log: String?
        let sequence: UInt64?
        let id: String
        let time: String
        let summary: String

        var text: String { cells.joined(separator: "  ") }
        var cells: [String] { [log ?? "note", sequence.map(String.init) ?? "", time, summary] }
    }

    func run() throws {
        let directory = try authority.open()
        let book = directory.book
        if let output {
            try Disk.create(output, CoveyFile.log(book.signed, mesh: book.mesh).bytes)
            return
        }
        var labels = [book.genesis.rootID: "root"]
        var lines: [Line] = []
        for entry in book.entries {
            if case .authorityAdd(let certificate) = entry.payload {
                labels[certificate.authority] = certificate.content.label
            }
            lines.append(
                Line(
                    kind: LogText.kind(of: entry.payload), log: labels[entry.log] ?? LogText.short(entry.log.hex),
                    sequence: entry.sequence, id: entry.id.hex, time: CalendarText.utc(entry.time),
                    summary: LogText.summary(of: entry.payload)))
        }
        let names = Dictionary(
            book.devices.map { ($0.id, $0.certificate.label) }, uniquingKeysWith: { first, _ in first })
        for note in book.notes {
            let name = names[note.device] ?? "unknown"
            lines.append(
                Line(
                    kind: "revoke-note", log: nil, sequence: nil, id: note.hash.hex,
                    time: CalendarText.utc(note.issued),
                    summary: "device \(name) (\(LogText.short(note.device.hex))) revoked: \(note.reason.word)"))
        }
        if answer.json {
            for line in lines { try line.show(asJSON: true) }
        } else {
            try Output.line("mesh \(book.genesis.name) (\(book.mesh.hex))")
            try Output.line(Columns.text(lines.map(\.cells)))
        }
    }
}
