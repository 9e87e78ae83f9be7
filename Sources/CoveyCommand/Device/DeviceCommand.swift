import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStore

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Enrol this device.",
        subcommands: [RequestCommand.self, InstallCommand.self])
}

struct RequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Make this device's keys, and ask with them to be enrolled.")

    @Argument(help: "The invitation that the authority gave you.")
    var invitation: String

    @Option(name: .shortAndLong, help: "Where to write the request.")
    var output: String

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    private struct Requested: Answer {
        let file: String
        let label: String
        let device: String
        let digits: String

        var text: String {
            """
            wrote \(file): take it to the authority, who compares these digits: \(digits)
            next, at the authority: covey authority sign \(file) -o \(label).welcome
            """
        }
    }

    func run() throws {
        let home = try HomeDirectory(node.load().home)
        guard !Disk.exists(home.deviceKey) else {
            throw Complaint(
                .cannotCreate,
                "\(home.path) holds a device already; enrol another one in another directory, with --home DIR")
        }
        guard !Disk.exists(output) else {
            throw Complaint(.cannotCreate, "\(output) exists already; choose another name or move it away")
        }
        let file = try CoveyFile(at: invitation)
        let invitation = try Complaint.about(invitation) { () throws -> Invitation in
            var content = try file.content(.invitation)
            defer { content.wipe() }
            let invitation = try Invitation(parsing: content)
            guard invitation.mesh == file.mesh else { throw Malformed.value(0x01) }
            return invitation
        }
        let now = CalendarText.now
        guard !invitation.isExpired(now: now) else {
            throw Complaint(
                .failed,
                "the invitation expired on \(CalendarText.utc(invitation.expires)), and this machine's clock says \(CalendarText.utc(now)); ask for a new one, or set the clock"
            )
        }
        let pending = try self.pending(for: invitation, in: home)
        try Disk.create(
            output, CoveyFile(kind: .request, mesh: invitation.mesh, content: pending.request.signed.bytes).bytes)
        try Requested(
            file: output, label: invitation.label, device: pending.identity.id.hex,
            digits: pending.request.shortString
        ).show(asJSON: answer.json)
    }

    /// The same invitation gives the same request again; keys are made once.
    private func pending(for invitation: Invitation, in home: HomeDirectory) throws -> PendingEnrolment {
        if let pending = try PendingFile(in: home).read() {
            guard pending.invitation.id == invitation.id else {
                throw Complaint(
                    .cannotCreate,
                    "a request for another invitation waits in \(home.path); install its welcome, or remove \(home.path)/pending to begin anew"
                )
            }
            return pending
        }
        let pending: PendingEnrolment
        do {
            pending = try PendingEnrolment(accepting: invitation, buildHash: Build.hash, random: SystemRandom())
        } catch {
            throw Complaint(.failed, "the invitation holds a key that must not be used; ask for a new one")
        }
        try PendingFile(in: home).write(pending)
        return pending
    }
}

/// `pending` in a device's directory, 0600: what it waits with between its request and its welcome.
struct PendingFile {
    let path: String

    init(in home: HomeDirectory) { path = home.path + "/pending" }

    func read() throws -> PendingEnrolment? {
        guard var bytes = try Disk.readIfThere(path, most: 4096) else { return nil }
        defer { bytes.wipe() }
        do {
            return try PendingEnrolment(parsing: bytes.span.bytes)
        } catch {
            throw Complaint(.failed, "\(path) is damaged (\(error)); remove it and make a new request")
        }
    }

    func write(_ pending: PendingEnrolment) throws {
        var bytes = pending.bytes
        defer { bytes.wipe() }
        try Disk.replace(path, bytes)
    }

    func remove() throws { try Disk.remove(path) }
}
