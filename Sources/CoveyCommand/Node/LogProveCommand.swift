import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

struct LogProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove", abstract: "Write a small file that proves a device's membership to who holds no log.",
        discussion: """
            It holds the newest checkpoint that counts, the device's certificate, the way between them, and what says whose \
            keys signed the checkpoint. Whoever has the file mesh reads it: covey log verify FILE --mesh MESH. The log is the \
            running node's, or a file.
            """)

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Option(name: .shortAndLong, help: "Where to write the proof.")
    var output: String

    @Option(help: "A log file instead of the node's log, with --mesh.")
    var log: String?

    @Option(help: "The genesis of that log: the file mesh of a home or of an authority's directory.")
    var mesh: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    func validate() throws {
        guard (log == nil) == (mesh == nil) else { throw ValidationError("--log and --mesh go together.") }
    }

    func run() throws {
        try Disk.checkNew(output)
        let (audit, genesis, mesh) = try read()
        let found = try AuthorityBook.device(
            named: device, in: audit.membership, shownBy: log == nil ? "covey contacts" : nil)
        let proof: MembershipProof
        do { proof = try audit.proof(of: found.id) } catch {
            throw Complaint(
                .failed, "no proof of \(Output.harmless(found.certificate.label)): \(Self.words(error))")
        }
        let report = try ProofReport(proof, by: genesis, of: output)
        try Disk.create(output, proof.file(of: genesis.meshID).bytes)
        try WrittenProof(
            file: output, proof: report, next: "covey log verify \(output.word) --mesh \(mesh.word)"
        ).show(asJSON: answer.json)
    }

    private func read() throws -> (audit: LogAudit, genesis: Genesis, mesh: String) {
        let now = CalendarText.now
        if let log, let mesh {
            let genesis = try Genesis(at: mesh)
            let objects = try Complaint.about(log) { try CoveyFile(at: log).log(of: genesis.meshID) }
            return (LogAudit(of: genesis, objects, now: now), genesis, mesh)
        }
        return try node.log(now: now)
    }

    private static func words(_ refusal: ProofRefusal) -> String {
        switch refusal {
        case .notMember: return "it has no certificate that counts"
        case .revoked: return "it is revoked"
        case .noCheckpoint:
            return "no checkpoint covers it yet; its authority or the root signs one: covey authority checkpoint"
        case .wrong(let placed): return "\(text(placed)) names another set of devices than its log; it proves nothing"
        case .unknown(let placed): return "\(text(placed)) covers entries or revocations that are not here"
        case .notIncluded(let placed):
            return
                "it is not in \(text(placed)), the newest; if it is a member the next has it: covey authority checkpoint"
        case .tooLong(let placed):
            return "keys changed too often before \(text(placed)) for a small file; export the log"
        case .unproven(let placed, let fault): return "\(text(placed)) cannot be shown without the log: \(fault)"
        }
    }

    private static func text(_ placed: PlacedCheckpoint) -> String {
        "checkpoint \(placed.sequence) of authority \(LogText.short(placed.log.hex)) of \(CalendarText.utc(placed.time))"
    }
}

private struct WrittenProof: Answer {
    let file: String
    let proof: ProofReport
    let next: String

    private enum CodingKeys: String, CodingKey { case file, proof }

    var text: String { "wrote \(file): \(proof.claim)\nnext, whoever has the file mesh: \(next)" }
}

/// What a proof says, and what it does not.
struct ProofReport: Answer {
    let device: String
    let label: String
    let certificate: String
    let expires: String
    /// Past that end by this machine's clock.
    let isExpired: Bool
    let authority: String
    /// From the one below the root; empty when the root made the checkpoint.
    let authorities: [String]
    let sequence: UInt64
    let time: String
    let devices: UInt32

    /// - Parameter file: where it stands, for whoever is told that it proves nothing.
    init(_ proof: MembershipProof, by genesis: Genesis, of file: String) throws {
        let now = CalendarText.now
        let member: ProvenMember
        do { member = try proof.verified(by: genesis, now: now) } catch {
            throw Complaint(.failed, "\(file) proves nothing: \(error)")
        }
        device = member.device.hex
        label = member.label
        certificate = member.certificate.hex
        expires = CalendarText.utc(member.notAfter)
        isExpired = member.notAfter < now
        authority = member.checkpoint.log.hex
        authorities = member.authorities.map(\.content.label)
        sequence = member.checkpoint.sequence
        time = CalendarText.utc(member.checkpoint.time)
        devices = member.checkpoint.checkpoint.count
    }

    /// One line.
    var claim: String {
        "\(Output.harmless(label)) (\(LogText.short(device))) was a member on \(time), \(Self.among(devices))"
    }

    private static func among(_ devices: UInt32) -> String {
        devices == 1 ? "the only device" : "one of \(devices) devices"
    }

    var text: String {
        let author = authorities.isEmpty ? "the root" : authorities.map(Output.harmless).joined(separator: " / ")
        return """
            proven: \(claim)
            by checkpoint \(sequence) of \(author) (\(LogText.short(authority)))
            its certificate \(isExpired ? "is over since" : "is good until") \(expires)
            not proven: that it was not revoked, before that time or since, nor that the authority still had its rights and keys; that only the log tells
            """
    }
}
