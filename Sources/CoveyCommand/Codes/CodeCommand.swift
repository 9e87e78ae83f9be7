import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyQR

struct CodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qr", abstract: "Carry files of covey as QR codes.",
        subcommands: [ShowCodeCommand.self, ReadCodeCommand.self])
}

struct ShowCodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a file as codes, in this terminal or as images.")

    @Argument(help: "The file.")
    var file: String

    @Option(help: "Write an image instead.")
    var png: String?

    @Flag(help: "With --png: one image for each code, numbered.")
    var separate = false

    @Flag(help: "This terminal writes dark letters on a light ground.")
    var inverse = false

    func run() throws {
        var bytes = try Disk.read(file)
        defer { bytes.wipe() }
        let object = try Complaint.about(file) { try CoveyFile(parsing: bytes) }
        guard let png else {
            guard !separate else { throw Complaint(.usage, "--separate says how images are written; give --png FILE") }
            let terminal = Terminal.current
            let shape = try Terminal.shape(for: terminal)
            let parts = try Complaint.about(file) { try CodePart.split(bytes, shape) }
            return try Terminal.show(
                CodeMatrix.matrices(of: parts, level: shape.level), ink: inverse ? .dark : .light,
                caption: Self.caption(object, file), on: terminal)
        }
        guard separate else {
            try CodeOptions.write(bytes, as: png)
            return try Output.line("wrote \(png)")
        }
        let shape = CodeShape(version: CodeBounds.version, level: .medium)
        let parts = try Complaint.about(file) { try CodePart.split(bytes, shape) }
        let names = Self.names(png, parts.count)
        if let there = names.first(where: Disk.exists) {
            throw Complaint(.cannotCreate, "\(there) exists already; choose another name or move it away")
        }
        for (name, matrix) in zip(names, CodeMatrix.matrices(of: parts, level: shape.level)) {
            try Disk.create(name, PNG.bytes(of: [matrix]))
        }
        try Output.line("wrote \(names.joined(separator: " "))")
    }

    /// `ana.png` becomes `ana-1.png`, `ana-2.png`; numbers have equally many digits, so that they sort.
    static func names(_ path: String, _ count: Int) -> [String] {
        let ending = ".png"
        let stem = path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path
        let digits = String(count).count
        return (1...count).map { number in
            let text = String(number)
            return stem + "-" + String(repeating: "0", count: digits - text.count) + text + ending
        }
    }

    /// The digits to compare stand beside the code of a request.
    static func caption(_ object: CoveyFile, _ file: String) -> String {
        guard let digits = DigitsOfRequest.text(object) else { return file }
        return "compare: \(digits)  \(file)"
    }
}

/// The 25 digits of a request, for whoever shows or reads its code.
enum DigitsOfRequest {
    static func text(_ object: CoveyFile) -> String? {
        guard object.kind == .request else { return nil }
        return try? EnrolmentRequest(parsing: object.content).shortString
    }
}

struct ReadCodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Make the file again from images of its codes.")

    @Argument(help: "PNG images, in any order.")
    var images: [String]

    @Option(name: .shortAndLong, help: "Where to write the file.")
    var output: String

    @OptionGroup var answer: OutputOptions

    private struct Read: Answer {
        let file: String
        let kind: String
        let bytes: Int
        let digits: String?

        var text: String {
            "wrote \(file): a \(kind) file of \(bytes) bytes" + (digits.map { "\ncompare: \($0)" } ?? "")
        }
    }

    func run() throws {
        guard !Disk.exists(output) else {
            throw Complaint(.cannotCreate, "\(output) exists already; choose another name or move it away")
        }
        var bytes = try CodeImages.object(images)
        defer { bytes.wipe() }
        let object = try Complaint.about(images[0]) { try CoveyFile(parsing: bytes) }
        try Disk.create(output, bytes)
        try Read(
            file: output, kind: object.kind.fileExtension, bytes: bytes.count, digits: DigitsOfRequest.text(object)
        ).show(asJSON: answer.json)
    }
}
