import Foundation
import Testing

@testable import CoveyCommand

/// A mesh of real processes in one directory.
extension CoveyProgram {
    /// Founds a mesh at `desk`.
    func found(_ options: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        try succeed(
            arguments: ["authority", "init", "Harbour", "--authority", "desk"] + options,
            sourceLocation: sourceLocation)
    }

    /// Makes an officer's directory from a key that `desk` handed out.
    func open(_ key: String, _ directory: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try succeed(
            "authority", "open", "desk/cold/\(key).key", "--from", "desk", "--authority", directory,
            sourceLocation: sourceLocation)
    }

    /// The directory of a new authority below, `north`, and its request, `north.authority`.
    func askNorth(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try succeed(
            "authority", "ask", "north", "--from", "desk", "-o", "north.authority", "--authority", "north",
            sourceLocation: sourceLocation)
    }

    /// The root whose keys are in `root` adds it, in `north.log`, and it learns so.
    func appointNorth(_ options: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        try askNorth(sourceLocation: sourceLocation)
        try succeed(
            arguments: ["authority", "add", "north.authority", "--yes", "-o", "north.log", "--authority", "root"]
                + options,
            sourceLocation: sourceLocation)
        try succeed("authority", "import", "north.log", "--authority", "north", sourceLocation: sourceLocation)
    }

    /// Two histories of one desk: it is copied, and each announces an epoch, the copy the one in `wrong`.
    func part(_ desk: String, from copy: String, right: String = "right.log", wrong: String = "wrong.log") throws {
        try FileManager.default.copyItem(atPath: path(desk), toPath: path(copy))
        for (name, file) in [(desk, right), (copy, wrong)] {
            try succeed("authority", "epoch", "-o", file, "--authority", name)
        }
    }

    /// Imports what shows two histories of one log: it is taken in, and said.
    @discardableResult
    func learnOfFork(
        _ files: String..., at desk: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let imported = try run(["authority", "import"] + files + ["--authority", desk])
        #expect(imported.status == 1, sourceLocation: sourceLocation)
        #expect(imported.complaint.contains("two histories of one log"), sourceLocation: sourceLocation)
        return imported.output
    }

    /// Enrols devices at `desk`, each in a home of its name.
    func enrol(_ first: String, _ second: String, _ others: String...) throws {
        for name in [first, second] + others { try enrol(name) }
    }

    /// - Parameters:
    ///   - orgOwned: whether its holder agrees that it takes orders.
    ///   - right: what it may do besides.
    ///   - desk: the directory of the authority that enrols it.
    func enrol(_ name: String, orgOwned: Bool = false, grant right: String? = nil, at desk: String = "desk") throws {
        try succeed(
            arguments: ["authority", "invite", name, "-o", "\(name).invite", "--authority", desk]
                + (orgOwned ? ["--org-owned"] : []))
        try succeed(
            arguments: ["device", "request", "\(name).invite", "-o", "\(name).request", "--home", name]
                + (orgOwned ? ["--agree"] : []))
        try succeed(
            arguments: ["authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", desk]
                + (right.map { ["--grant", $0] } ?? []))
        let installed = try succeed("device", "install", "\(name).welcome", "--home", name)
        #expect(installed.output.contains("this device is \(name)"))
        #expect(installed.output.contains("may lock or erase") == orgOwned)
    }

    /// Founds a mesh at `desk` whose second officer, at `two`, signs with it.
    func foundPair() throws {
        try found("--field", "2of2")
        try open("field-2", "two")
    }

    /// They admit a device, whose welcome is to come.
    func foundPair(enrolling name: String) throws {
        try foundPair()
        try succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "desk")
        try succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
        try succeed("authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "desk")
        for desk in ["two", "desk"] {
            try succeed("authority", "cosign", "\(name).draft", "--yes", "--authority", desk)
        }
    }

    /// Runs a node on the loopback interface, without multicast, and gives the address it listens on.
    func node(_ name: String, _ more: String...) throws -> (node: RunningProgram, address: String) {
        let node = try RunningProgram(
            self,
            ["run", "--home", name, "--listen", "127.0.0.1:0", "--multicast", "off", "--log-format", "json"] + more)
        let line = try node.line(.output, containing: "\"ready\":true")
        let ready = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(ready["label"] as? String == name)
        return (node, try #require((ready["listen"] as? [String])?.first))
    }
}
