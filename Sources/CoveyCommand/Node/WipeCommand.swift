import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto

struct WipeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wipe", abstract: "Order a device of the organisation to lock or erase itself.",
        discussion: """
            Two devices with WIPE_OFFICER have to sign: one drafts the order into a file, the other signs that, and with it
            the order is in force. It revokes the device for good, whether the device is reached or not. Only devices whose
            holder agreed at enrolment obey. An authority orders with covey authority revoke --wipe.
            """)

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String?

    @Option(help: "lock: nothing opens without the organisation. erase: keys and messages are destroyed.")
    var mode: String?

    @Option(help: "Why: \(Reason.words); lost without it.")
    var reason: String?

    @Option(help: "Days that the order is good for, 1 to 30; 20 without it.")
    var days: Int?

    @Option(name: .shortAndLong, help: "Where to write the draft.")
    var output: String?

    @Option(help: "A draft of another officer, to be signed by this device.")
    var sign: String?

    @Flag(help: "Show the orders that this device knows, and what became of them.")
    var list = false

    @Flag(help: "Sign without asking.")
    var yes = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    private struct Signed: Answer {
        let device: String
        let label: String
        let mode: String
        let expires: String
        let officers: [String]
        let isInForce: Bool
        /// The draft; absent when the order is in force.
        let file: String?

        var text: String {
            let by = officers.map(Output.harmless).joined(separator: " and ")
            guard let file else {
                return """
                    ordered \(Output.harmless(label)) (\(LogText.short(device))) to \(mode) itself, signed by \(by); it is revoked, and the order spreads
                    next, at the authority: covey authority epoch, so that nobody shares a network key with it any more
                    """
            }
            return """
                wrote \(file): \(mode) \(Output.harmless(label)) (\(LogText.short(device))), signed by \(by); good until \(expires)
                next, at another officer's device: covey wipe --sign \(file.word)
                """
        }
    }

    func validate() throws {
        let wishes = [device != nil, sign != nil, list].count { $0 }
        guard wishes == 1 else {
            throw ValidationError("Name a device with --mode and -o, or a draft with --sign, or ask for --list.")
        }
        let isForDraft = mode != nil || output != nil || reason != nil || days != nil
        guard device != nil || !isForDraft else {
            throw ValidationError("--mode, -o, --reason and --days are for a new order, which names a device.")
        }
        guard device == nil || (mode != nil && output != nil) else {
            throw ValidationError("Say what to do with --mode lock or --mode erase, and name the draft with -o FILE.")
        }
    }

    func run() throws {
        if let device, let mode, let output { return try draft(device, mode, to: output) }
        if let sign { return try cosign(sign) }
        let list = try node.connect().call(WipeList())
        try NodeAnswer(list, Self.text).show(asJSON: answer.json)
    }

    private func draft(_ device: String, _ mode: String, to output: String) throws {
        guard WipeOrder.Mode(word: mode) != nil else {
            throw Complaint(.usage, "--mode is \"\(mode)\"; it takes lock or erase")
        }
        let reason = try Reason.parse(self.reason ?? RevocationReason.lost.word)
        let days = self.days ?? 20
        guard (1...30).contains(days) else { throw Complaint(.usage, "--days is \(days); it takes 1 to 30") }
        try Disk.checkNew(output)
        let graded = try GradedNode(node.connect())
        try Confirmation.ask(
            [
                "\(mode) the device \(Output.harmless(device)): \(reason.word)",
                "when another officer's device signs too, it is revoked for good, and the order is good for \(days) days",
            ], "Sign this?", yes: yes)
        let result = try graded.client.call(
            WipeDraftRequest(device: device, mode: mode, reason: reason.word, days: days))
        try Disk.create(output, file(of: result, try mesh(graded)))
        try show(result, graded, file: output)
    }

    private func cosign(_ path: String) throws {
        let graded = try GradedNode(node.connect())
        let mesh = try mesh(graded)
        let file = try CoveyFile(at: path)
        let (draft, _) = try Complaint.about(path) { try Draft.read(file, of: mesh) }
        guard case .note(let note) = draft.content, let order = note.content.wipe, draft.authority == AuthorityID()
        else {
            throw Complaint(
                .failed, "\(path) is no order of wipe officers; an authority's drafts are for covey authority cosign")
        }
        let known = try? graded.client.call(ContactsShow(device: note.device.hex)).contact
        let label = known?.label ?? "unknown"
        try Confirmation.ask(
            [
                "\(order.mode) the device \(Output.harmless(label)) (\(LogText.short(note.device.hex))): \(note.reason.word)",
                "it is revoked with that, for good; the order is good until \(CalendarText.utc(order.expires))",
            ], "Sign this?", yes: yes)
        let result = try graded.client.call(WipeSign(note: Base64(note.signed.bytes)))
        if !result.isInForce { try Disk.replace(path, self.file(of: result, mesh)) }
        try show(result, graded, file: result.isInForce ? nil : path)
    }

    private func mesh(_ node: GradedNode) throws -> MeshID {
        guard let mesh = MeshID(node.status.mesh.bytes) else { throw Complaint(.failed, "the node names no mesh") }
        return mesh
    }

    private func file(of result: WipeSignedResult, _ mesh: MeshID) throws -> [UInt8] {
        let note = try RevokeNote(parsing: CoveyCore.Signed(parsing: result.note.bytes))
        return Draft(mesh: mesh, authority: AuthorityID(), content: .note(note)).file(basis: []).bytes
    }

    private func show(_ result: WipeSignedResult, _ node: GradedNode, file: String?) throws {
        let signed = Signed(
            device: result.device.description, label: result.label, mode: result.mode,
            expires: CalendarText.local(result.expires), officers: result.officers, isInForce: result.isInForce,
            file: file)
        try node.answer(signed, \.text).show(asJSON: answer.json)
    }

    private static func text(_ list: WipesResult) -> String {
        guard !list.orders.isEmpty else { return "no device was ordered to lock or erase itself" }
        let rows = Columns.text(
            list.orders.map { entry in
                [
                    CalendarText.local(entry.issued), entry.mode,
                    "\(Output.harmless(entry.label)) (\(LogText.short(entry.device.description)))",
                    "by \(Output.harmless(entry.by))", state(entry),
                ]
            })
        return list.more ? rows + "\nolder orders are not shown" : rows
    }

    private static func state(_ entry: WipeEntry) -> String {
        switch entry.state {
        case "carriedOut": "obeyed\(entry.done.map { " on \(CalendarText.local($0))" } ?? "")"
        case "waiting": "not heard of; good until \(CalendarText.local(entry.expires))"
        case "expired": "not heard of, and over since \(CalendarText.local(entry.expires))"
        default: "revoked only: the device obeys no such order"
        }
    }
}
