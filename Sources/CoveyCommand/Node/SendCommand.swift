import ArgumentParser
import CoveyControl
import CoveyNode
import Glibc

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a message.",
        discussion:
            "Without words the message is read from the standard input, where other users of the machine cannot see it."
    )

    @Argument(help: "A device, by label or by at least six digits of its id.")
    var to: String

    @Argument(help: "The message.")
    var words: [String] = []

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let text = words.isEmpty || words == ["-"] ? try Self.input() : words.joined(separator: " ")
        guard !text.isEmpty else {
            throw Complaint(.usage, "there is no message; write it after the name, or pipe it in")
        }
        let node = try GradedNode(node.connect())
        let answer = node.answer(try node.client.call(MessageSend(to: to, text: text))) { result in
            if result.state == "sealed" { return "sent \(result.id)" }
            return node.staleness == "stranded"
                ? "kept \(result.id): it waits until an authority is heard of"
                : "kept \(result.id): it waits for the recipient's keys, and leaves when they arrive"
        }
        try answer.show(asJSON: output.json)
    }

    /// The newline that ends the last line is not part of the message.
    private static func input() throws -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Complaint(.io, "cannot read the message: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += piece[..<count]
            // And the newline.
            guard bytes.count <= Limits.text + 1 else {
                throw Complaint(
                    .failed, "a text has at most \(Limits.text) bytes, this one has more; send less at once")
            }
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Complaint(.failed, "the message is not UTF-8 text; send text")
        }
        return text
    }
}
