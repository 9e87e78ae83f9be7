import ArgumentParser
import CoveyQR

/// How a command shows the object that it made as QR codes.
struct CodeOptions: ParsableArguments {
    @Flag(help: "Show it as QR codes in this terminal.")
    var qr = false

    @Flag(help: "With --qr: this terminal writes dark letters on a light ground.")
    var inverse = false

    @Option(help: "Write it as QR codes in a PNG image, too.")
    var png: String?

    var areAsked: Bool { qr || png != nil }

    /// Before anything is made: whether it could be shown.
    func check(_ answer: OutputOptions) throws {
        if let png { try Disk.checkNew(png) }
        guard qr else {
            guard !inverse else { throw Complaint(.usage, "--inverse says how --qr is drawn; give --qr, too") }
            return
        }
        guard !answer.json else { throw Complaint(.usage, "--qr and --json exclude each other; use --png FILE") }
        _ = try Terminal.shape(for: Terminal.current)
    }

    /// All codes in one image.
    static func write(_ object: [UInt8], as path: String) throws {
        let shape = CodeShape(version: CodeBounds.version, level: .medium)
        let image = try Complaint.about(path) {
            let parts = try CodePart.split(object, shape)
            return try PNG.bytes(of: CodeMatrix.matrices(of: parts, level: shape.level))
        }
        try Disk.create(path, image)
    }

    /// With a line below each code.
    func show(_ object: [UInt8], caption: String) throws {
        guard qr else { return }
        let terminal = Terminal.current
        let shape = try Terminal.shape(for: terminal)
        let parts = try CodePart.split(object, shape)
        try Terminal.show(
            CodeMatrix.matrices(of: parts, level: shape.level), ink: inverse ? .dark : .light, caption: caption,
            on: terminal)
    }
}

/// Where an object goes that one person hands to another: a file, an image, a terminal, or several of them.
struct ObjectOutput: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "Where to write the file.")
    var file: String?

    @OptionGroup var codes: CodeOptions

    /// Before anything is made.
    func check(_ answer: OutputOptions) throws {
        guard file != nil || codes.areAsked else {
            throw Complaint(.usage, "where should it go? name a file with -o FILE, or use --qr or --png FILE")
        }
        if let file { try Disk.checkNew(file) }
        try codes.check(answer)
    }

    /// Either all of the files are there afterwards, or none.
    func write(_ object: [UInt8]) throws {
        if let file { try Disk.create(file, object) }
        guard let png = codes.png else { return }
        do {
            try CodeOptions.write(object, as: png)
        } catch {
            if let file { try Disk.remove(file) }
            throw error
        }
    }

    /// What the next command is given.
    func name(otherwise: String) -> String { file ?? codes.png ?? otherwise }

    /// "wrote ana.invite and ana.png", or what else there is to do with it.
    var done: String {
        let files = [file, codes.png].compactMap(\.self)
        return files.isEmpty ? "below as a code" : "wrote " + files.joined(separator: " and ")
    }
}
