import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyStore

struct UnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Ask for a device that was locked by order, and open it again for reading.",
        discussion: """
            Without codes it writes a request. An officer answers it with covey authority unlock, in codes; where an
            authority needs several signatures, as many of its officers have to. The revocation stands: what comes back is
            the messages of this device, never its membership.
            """)

    @Argument(
        help: "The codes that the officers gave, or files that hold them, one a line; - reads the standard input.")
    var codes: [String] = []

    @Option(name: .shortAndLong, help: "Where to write the request.")
    var output: String?

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    private struct Asked: Answer {
        let file: String
        let order: String

        var text: String {
            """
            wrote \(file): take it to an officer of the authority
            next, there: covey authority unlock \(file.word)
            """
        }
    }

    private struct Opened: Answer {
        let device: String
        let home: String

        var text: String {
            """
            opened for reading; the device \(LogText.short(device)) is revoked, and no member of the mesh any more
            next: covey inbox --home \(home.word)
            """
        }
    }

    func run() throws {
        let path = try node.load().home
        switch ProfileState(of: path) {
        case .locked: break
        case .empty: throw Complaint(.failed, "there is no device in \(path)")
        case .device: throw Complaint(.failed, "the device in \(path) is not locked")
        case .reading, .erasing: try ProfileCheck.canRun(path)
        }
        let home = try HomeDirectory(path)
        try LockedProfile.finish(home)
        let locked = try LockedProfile(in: path)
        let record = locked.record
        let genesis = try Genesis(at: home.mesh)
        guard !codes.isEmpty else {
            guard let output else {
                throw Complaint(.usage, "give the codes, or name a file for the request with -o FILE")
            }
            try Disk.create(
                output,
                CoveyFile(kind: .lockRecord, mesh: genesis.meshID, content: record.signed.bytes).bytes)
            return try Asked(file: output, order: record.order.hex).show(asJSON: answer.json)
        }
        guard output == nil else { throw Complaint(.usage, "codes and -o exclude each other; give one of them") }
        switch record.open(try typed(for: record)) {
        case .missing(let count):
            throw Complaint(
                .failed, "\(count) more \(count == 1 ? "code is" : "codes are") needed, each from another officer")
        case .key(let key):
            guard let master = locked.open(key) else {
                throw Complaint(.failed, "these codes do not open this device; ask the officers for them again")
            }
            try ReadingKeyFile.write(in: home, record, mesh: genesis.meshID, master: master)
            try Opened(device: record.device.hex, home: path).show(asJSON: answer.json)
        }
    }

    /// Lines of codes that are read from the standard input: more than any authority has officers.
    private static let mostLines = 64

    private func typed(for record: LockRecord) throws -> [UnlockCode] {
        var texts: [String] = []
        for argument in codes {
            if argument == "-" {
                while texts.count < Self.mostLines, let line = readLine() {
                    if !line.isEmpty { texts.append(line) }
                }
            } else if let bytes = try Disk.readIfThere(argument, most: 4096) {
                texts += String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
            } else if argument.contains(where: { $0 == "/" || $0 == "." }) {
                throw Complaint(.failed, "there is no such file: \(argument)")
            } else {
                texts.append(argument)
            }
        }
        return try texts.map { text in
            guard let code = UnlockCode(text, of: record) else {
                throw Complaint(
                    .failed, "\"\(Output.harmless(text))\" is no code for this device; look for a mistyped letter")
            }
            return code
        }
    }
}
