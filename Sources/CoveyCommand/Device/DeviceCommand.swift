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

    @Argument(help: "The invitation that the authority gave you: its file, or images of its codes.")
    var invitation: [String]

    @Option(
        help:
            "Be enrolled over one connection to the authority that waits at HOST:PORT; \"search\" looks for it on this network."
    )
    var nearby: String?

    @Option(help: "The id of the device that this one replaces: all 32 digits, as covey status there shows them.")
    var replaces: String?

    @Option(help: "A log file with the release that the invitation names, to say whether this program is of it.")
    var release: String?

    @Flag(help: "Agree to what the invitation asks, without being asked again.")
    var agree = false

    @OptionGroup var output: ObjectOutput
    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    private struct Requested: Answer {
        let file: String?
        let image: String?
        let label: String
        let device: String
        let digits: String
        let program: ProgramCheck
        let done: String
        let next: String

        private enum CodingKeys: String, CodingKey { case file, image, label, device, digits, program }

        /// Called as the request: of a counted invitation many devices have one label.
        private var welcome: String {
            let name = file?.split(separator: "/").last.map(String.init)
            return name.map { HandOver.file(beside: $0, .welcome) } ?? "\(label.fileName).welcome"
        }

        var text: String {
            """
            \(done): take it to the authority, who compares these digits: \(digits)
            \(program.text)
            next, at the authority: covey authority sign \(next.word) -o \(welcome.word)
            """
        }
    }

    func run() throws {
        let old = try replaces.map { digits in
            guard let id = DeviceID(hex: digits.lowercased()) else {
                throw Complaint(
                    .usage,
                    "--replaces is \"\(digits)\"; it takes the 32 digits of a device's id, or leave it to the authority: covey authority sign --replaces NAME"
                )
            }
            return id
        }
        let configuration = try node.load()
        try ProfileCheck.canRun(configuration.home)
        let home = try HomeDirectory(configuration.home)
        guard !Disk.exists(home.deviceKey) else {
            throw Complaint(
                .cannotCreate,
                "\(home.path) holds a device already; enrol another one in another directory, with --home DIR")
        }
        let desk = try desk(configuration)
        if desk == nil { try output.check(answer) }
        var file = try CoveyFile(at: invitation)
        let invitation = try Complaint.about(invitation[0]) { () throws -> Invitation in
            var content = try file.takeContent(.invitation)
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
        // Before keys are made.
        let program = try ProgramCheck(invitation, release: release)
        if let warning = program.warning { Output.note(warning) }
        let pending = try self.pending(for: invitation, replacing: old, in: home)
        if let desk { return try call(desk, pending, program, home) }
        let bytes = CoveyFile(kind: .request, mesh: invitation.mesh, content: pending.request.signed.bytes).bytes
        let digits = pending.request.shortString
        try output.write(bytes)
        try Requested(
            file: output.file, image: output.codes.png, label: invitation.label, device: pending.identity.id.hex,
            digits: digits, program: program, done: output.done, next: output.name(otherwise: "IMAGE.png")
        ).show(asJSON: answer.json)
        try output.codes.show(bytes, caption: "compare: \(digits)")
    }

    private struct Calling: Answer {
        let label: String
        let device: String
        let digits: String
        let program: ProgramCheck

        var text: String { "calling; compare with the authority: \(digits)\n\(program.text)" }
    }

    private func desk(_ configuration: Configuration) throws -> NearbyCall.Place? {
        guard let nearby else { return nil }
        guard output.file == nil, !output.codes.areAsked else {
            throw Complaint(.usage, "with --nearby no request is written; leave out -o, --qr and --png")
        }
        if nearby == "search" { return .somewhere(interfaces: configuration.interfaces) }
        guard let at = Configuration.HostPort(nearby), at.port > 0 else {
            throw Complaint(
                .usage, "--nearby is \"\(nearby)\"; it takes HOST:PORT, as the authority's desk shows it, or search")
        }
        return .at(at)
    }

    private func call(
        _ desk: NearbyCall.Place, _ pending: PendingEnrolment, _ program: ProgramCheck, _ home: HomeDirectory
    ) throws {
        let call = try NearbyCall(pending, to: desk, random: SystemRandom())
        try Calling(
            label: pending.invitation.label, device: pending.identity.id.hex, digits: pending.request.shortString,
            program: program
        ).show(asJSON: answer.json)
        let installed = try InstallCommand.install(content: call.welcome(), pending, in: home)
        call.finish()
        try installed.show(asJSON: answer.json)
    }

    /// The same invitation gives the same request again; keys are made once.
    private func pending(
        for invitation: Invitation, replacing old: DeviceID?, in home: HomeDirectory
    ) throws -> PendingEnrolment {
        if let pending = try PendingFile(in: home).read() {
            guard pending.invitation.id == invitation.id else {
                throw Complaint(
                    .cannotCreate,
                    "a request for another invitation waits in \(home.path); install its welcome, or remove \(home.path)/pending to begin anew"
                )
            }
            return pending
        }
        if invitation.asksConsent { try Consent.ask(invitation, isGiven: agree) }
        let pending: PendingEnrolment
        do {
            pending = try PendingEnrolment(
                accepting: invitation, buildHash: Build.hash, supersedes: old,
                agreesToOrders: invitation.asksConsent, random: SystemRandom())
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

/// What the holder of a device that is the organisation's agrees to, before its keys are made.
enum Consent {
    static func ask(_ invitation: Invitation, isGiven: Bool) throws {
        let text = """
            this invitation is for a device of the organisation. Two of its officers, or its authority, can order it to lock
            or erase itself from afar, messages included, also when it is in your hands. Who is not asked can never be
            ordered so. Your consent is signed with the request and stands in the device's certificate.
            """
        try Confirmation.ask(
            [text], "Do you agree?", yes: isGiven, refused: "nothing was made",
            option: "--agree, or ask for an invitation without --org-owned")
    }

    static let reminder = "the organisation may lock or erase this device from afar; you agreed to that"
}
