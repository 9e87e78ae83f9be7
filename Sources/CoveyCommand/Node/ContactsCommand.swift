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
                result.contacts.map { contact in
                    let state =
                        contact.isSelf
                        ? "this device" : contact.isRevoked ? "revoked" : contact.hasBundle ? "" : "no keys yet"
                    return [Output.harmless(contact.label), LogText.short(contact.device.description), state]
                })
        }
        try answer.show(asJSON: output.json)
    }
}
