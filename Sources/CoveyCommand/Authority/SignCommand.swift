import ArgumentParser
import CoveyCore
import CoveyCrypto
import Glibc

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
        help:
            "More that the device may do: urgent, gateway, org-owned; with two signatures announce, wipe-officer, timekeeper."
    )
    var grant: [String] = []

    @Option(help: "Zones of the device, its home zone first.")
    var zone: [Int] = []

    @Option(help: "The device that this one replaces, by label or id; it stays a member until it is revoked.")
    var replaces: String?

    @Flag(help: "Revoke the device that this one replaces, in the same step.")
    var revokeReplaced = false

    @Option(help: "Another device of the same person, by label or id.")
    var with: String?

    @Flag(help: "Enrol without asking whether the device shows the same digits; without a terminal nobody is asked.")
    var yes = false

    @OptionGroup var codes: CodeOptions
    @OptionGroup var hand: HandOver
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Enrolled: Answer {
        let file: String
        let label: String
        let device: String
        let digits: String
        /// The hash that its program gives of itself, and the release that lists it.
        let program: String
        let release: String?
        let expires: String
        /// The device that was revoked in its favour.
        let replaced: String?
        let handed: HandOver.Outcome
        let programText: String

        private enum CodingKeys: String, CodingKey {
            case file, label, device, digits, program, release, expires, replaced, handed
        }

        var text: String {
            """
            enrolled \(label) (\(LogText.short(device))) until \(expires)
            compare with the device: \(digits)
            \(programText)
            wrote \(file): take it back to \(label)
            next, on the device: covey device install \(file.word)
            \(handed.text)\(replaced.map { "\nrevoked \($0): superseded" } ?? "")
            """
        }
    }

    func run() throws {
        let granted = try Rights.adding(grant, to: Grant.member)
        let days = try Days.certificate(days)
        try codes.check(answer)
        // Images are read before keys are.
        let file = try CoveyFile(at: request)
        if !yes, isatty(STDIN_FILENO) == 1 { try compare(file, granted, days) }
        let plan = try prepare(file, granted, days)
        let (directory, request, terms) = (plan.directory, plan.request, plan.terms)
        let now = CalendarText.now
        if let draft = try Enrolment.draft(request, terms, in: directory, random: SystemRandom(), now: now) {
            return try directory.send(
                draft, directory.book, beside: output, now: now
            ).show(asJSON: answer.json)
        }
        let enrolment = try Enrolment.sign(
            request, terms, replacing: revokeReplaced ? plan.old : nil, in: directory, random: SystemRandom(), now: now)
        if enrolment.isNew { Days.check(days, got: enrolment.certificate) }
        let welcome = CoveyFile(kind: .welcome, mesh: directory.book.mesh, content: enrolment.welcome).bytes
        try Disk.create(output, welcome)
        try Enrolment.close(request.invitation, in: directory)
        let handed = try hand.over(enrolment, of: directory, file: HandOver.file(beside: output))
        let program = AskingProgram(request, in: directory.book.membership)
        try Enrolled(
            file: output, label: enrolment.certificate.label, device: enrolment.certificate.device.hex,
            digits: request.shortString, program: program.hash.hex, release: program.release,
            expires: CalendarText.utc(enrolment.certificate.notAfter),
            replaced: enrolment.notes.isEmpty ? nil : plan.old?.certificate.label, handed: handed,
            programText: program.text
        ).show(asJSON: answer.json)
        // The file is there, whatever becomes of the codes.
        if let png = codes.png { try CodeOptions.write(welcome, as: png) }
        try codes.show(welcome, caption: "welcome of \(request.label)")
        if let complaint = handed.complaint { throw complaint }
    }

    /// What is to be signed, once nothing stands in its way.
    private struct Plan {
        let directory: AuthorityDirectory
        let request: EnrolmentRequest
        let terms: Grant
        /// The device that is replaced.
        let old: AuthorityBook.Device?
        /// False where the device is enrolled, and waits for its welcome only.
        let isNew: Bool
    }

    private func prepare(_ file: CoveyFile, _ granted: Capabilities, _ days: UInt16?) throws -> Plan {
        let directory = try authority.open()
        try hand.update(directory)
        let request = try Complaint.about(request[0]) {
            try EnrolmentRequest(parsing: file.content(.request, of: directory.book.mesh))
        }
        try Disk.checkNew(output)
        let device = request.deviceHash(in: directory.book.mesh).deviceID
        let isNew = directory.book.membership.currentCertificate(device) == nil
        // The entry of a draft that came back was handed over where it was finished.
        if isNew { try hand.check(HandOver.free(HandOver.file(beside: output))) }
        let old = try replaced(request, in: directory.book)
        let terms = Grant(
            capabilities: granted, zones: try Rights.zones(zone), days: days,
            subject: try with.map { try directory.book.device(named: $0).certificate.subject },
            supersedes: old?.id)
        guard granted.isDisjoint(with: .privileged) || directory.book.authority.keys.current.keyset.keys.count >= 2
        else {
            throw Complaint(
                .failed,
                "announce, wipe-officer and timekeeper need the signatures of two keys, and this authority has one; an authority of two keys or more can grant them"
            )
        }
        if isNew { try Enrolment.check(request, terms, in: directory, now: CalendarText.now) }
        return Plan(directory: directory, request: request, terms: terms, old: old, isNew: isNew)
    }

    /// A request that travelled may be another's. Asked before anything is signed, where somebody can answer; other commands
    /// may work in the directory meanwhile.
    private func compare(_ file: CoveyFile, _ granted: Capabilities, _ days: UInt16?) throws {
        guard let (request, membership) = try compared(file, granted, days) else { return }
        let label = Output.harmless(request.label)
        try Confirmation.ask(
            [
                "\(label) asks to be enrolled; compare with the device: \(request.shortString)",
                AskingProgram(request, in: membership).text,
            ],
            "does \(label)'s device show the same digits?", yes: false,
            refused: "nothing was signed, and the invitation is still open "
                + "(covey authority invitations --withdraw \(request.label.word) ends it)")
    }

    /// The request of a device that is new, and what was known then. The directory is open in here only.
    private func compared(
        _ file: CoveyFile, _ granted: Capabilities, _ days: UInt16?
    ) throws -> (EnrolmentRequest, Membership)? {
        let plan = try prepare(file, granted, days)
        return plan.isNew ? (plan.request, plan.directory.book.membership) : nil
    }

    /// The device that this one replaces, as the command or the request names it.
    private func replaced(_ request: EnrolmentRequest, in book: AuthorityBook) throws -> AuthorityBook.Device? {
        let device = request.deviceHash(in: book.mesh).deviceID
        // Once it is enrolled, the label may be its own.
        let known = book.membership.currentCertificate(device)?.content.supersedes
        guard let name = known?.hex ?? replaces ?? request.supersedes?.hex else {
            guard !revokeReplaced else {
                throw Complaint(.usage, "--revoke-replaced needs --replaces, or a request that names the device")
            }
            return nil
        }
        let old = try book.device(named: name)
        guard old.id != device else {
            throw Complaint(.failed, "\(name) is this device itself; name the one that it replaces by its id")
        }
        if let named = request.supersedes, named != old.id {
            throw Complaint(.failed, "the request names another device that it replaces: \(named.hex)")
        }
        guard !revokeReplaced || book.authority.signsAlone() else {
            throw Complaint(
                .usage,
                "--revoke-replaced is for a desk that signs alone; when the new device is enrolled: covey authority revoke \(name.word) --reason superseded"
            )
        }
        return old
    }
}
