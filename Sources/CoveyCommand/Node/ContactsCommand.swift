import ArgumentParser
import CoveyControl

struct ContactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "contacts", abstract: "Everybody in the mesh.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let result = try node.connect().call(ContactsList())
        let answer = NodeAnswer(result) { result in
            Columns.text(
                result.contacts.map {
                    [Output.harmless($0.label), LogText.short($0.device.description), Self.state($0)]
                })
        }
        try answer.show(asJSON: output.json)
    }

    private static func state(_ contact: ContactEntry) -> String {
        var words: [String] = []
        if contact.isSelf { words.append("this device") }
        if contact.isRevoked {
            words.append("revoked")
        } else if let end = contact.suspendedUntil {
            words.append("suspended until \(CalendarText.local(end))")
        } else if contact.suspensionMissing != nil {
            words.append("a member asks to keep it out")
        }
        if words.isEmpty, !contact.hasBundle { words.append("no keys yet") }
        return words.joined(separator: ", ")
    }
}
