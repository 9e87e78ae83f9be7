import ArgumentParser
import CoveyControl

struct ContactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contacts", abstract: "Everybody in the mesh, or all that is known of one device.")

    @Argument(help: "One device, by label or by at least six digits of its id.")
    var device: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let client = try node.connect()
        if let device {
            return try NodeAnswer(client.call(ContactsShow(device: device)), Self.text).show(asJSON: output.json)
        }
        let answer = NodeAnswer(try client.contacts()) { result in
            Columns.text(
                result.contacts.map {
                    [Output.harmless($0.label), LogText.short($0.device.description), Self.state($0)]
                })
        }
        try answer.show(asJSON: output.json)
    }

    private static func text(_ detail: ContactDetailResult) -> String {
        let contact = detail.contact
        let state = state(contact)
        let authority = "\(Output.harmless(detail.authorityLabel)) (\(LogText.short(detail.authority.description)))"
        var rows = [
            ["device", "\(Output.harmless(contact.label)) (\(contact.device))"],
            ["person", contact.subject.description],
            ["state", state.isEmpty ? "member" : state],
            ["rights", detail.rights.joined(separator: ", ")],
            ["zones", detail.zones.isEmpty ? "none" : detail.zones.map(String.init).joined(separator: ", ")],
            ["authority", authority],
            [
                "certificate",
                "number \(detail.serial), "
                    + StatusCommand.certificate(until: detail.expires, validity: detail.validity),
            ],
        ]
        if let old = detail.supersedes { rows.append(["in place of", LogText.short(old.description)]) }
        for note in detail.notes {
            let decision = note.decision.map { "; \($0) by an authority" } ?? ""
            rows.append([
                "revoked",
                "\(CalendarText.local(note.issued)) as \(note.reason) by \(Output.harmless(note.by)), suspect since "
                    + "\(CalendarText.local(note.suspectSince))\(decision)",
            ])
        }
        if detail.more { rows.append(["", "and more revocations: covey log show lists them all"]) }
        return Columns.text(rows)
    }

    private static func state(_ contact: ContactEntry) -> String {
        var words: [String] = []
        if contact.isSelf { words.append("this device") }
        if let reason = contact.revoked {
            words.append("revoked (\(reason))")
        } else if let end = contact.suspendedUntil {
            words.append("suspended until \(CalendarText.local(end))")
        } else if contact.suspensionMissing != nil {
            words.append("a member asks to keep it out")
        }
        if words.isEmpty, !contact.hasBundle { words.append("no keys yet") }
        return words.joined(separator: ", ")
    }
}

extension ControlClient {
    /// Everybody, page by page.
    fileprivate func contacts() throws -> ContactsResult {
        var all = ContactsResult(contacts: [], more: true)
        while all.more {
            let page = try call(ContactsList(after: all.contacts.last?.device))
            all.contacts += page.contacts
            all.more = page.more && !page.contacts.isEmpty
        }
        return all
    }
}
