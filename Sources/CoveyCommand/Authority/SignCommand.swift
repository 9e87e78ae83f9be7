import ArgumentParser
import CoveyCore
import CoveyCrypto

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Make a device a member, from its request.")

    @Argument(help: "The request that the device wrote: its file, or images of its codes.")
    var request: [String]

    @Option(name: .shortAndLong, help: "Where to write the welcome.")
    var output: String

    @Option(help: "Days that the certificate is good for, 1 to 400.")
    var days: Int?

    @Option(
        help: "More that the device may do: urgent, gateway, bulk, auditor, enrol-proxy, release-mirror, org-owned.")
    var grant: [String] = []

    @Option(help: "Another device of the same person, by label or id.")
    var with: String?

    @OptionGroup var codes: CodeOptions
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
        let days = try Days.certificate(days)
        try codes.check(answer)
        // Images are read before keys are.
        let named = try authority.path()
        let file = try CoveyFile(at: request)
        let directory = try AuthorityDirectory(named)
        let request = try Complaint.about(request[0]) {
            try EnrolmentRequest(parsing: file.content(.request, of: directory.book.mesh))
        }
        guard !Disk.exists(output) else {
            throw Complaint(.cannotCreate, "\(output) exists already; choose another name or move it away")
        }
        let logFile = HandOver.file(beside: output)
        try hand.check(logFile)
        let terms = Grant(
            capabilities: granted, days: days,
            subject: try with.map { try directory.book.device(named: $0).certificate.subject })
        let enrolment = try Enrolment.sign(request, terms, in: directory, random: SystemRandom(), now: CalendarText.now)
        let welcome = CoveyFile(kind: .welcome, mesh: directory.book.mesh, content: enrolment.welcome).bytes
        try Disk.create(output, welcome)
        try directory.discard(request.invitation)
        let handed = try hand.over(
            enrolment.entries.map(\.signed), epochs: enrolment.epochs, of: directory, file: logFile)
        try Enrolled(
            file: output, label: request.label, device: enrolment.certificate.device.hex, digits: request.shortString,
            expires: CalendarText.utc(enrolment.certificate.notAfter), handed: handed
        ).show(asJSON: answer.json)
        // The file is there, whatever becomes of the codes.
        if let png = codes.png { try CodeOptions.write(welcome, as: png) }
        try codes.show(welcome, caption: "welcome of \(request.label)")
        if let complaint = handed.complaint { throw complaint }
    }
}
