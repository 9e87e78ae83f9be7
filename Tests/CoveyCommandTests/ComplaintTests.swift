import Foundation
import Testing

@testable import CoveyCommand

@Suite("Mistakes of a user")
final class ComplaintTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    @Test("a command that is not there, and arguments that are missing, are one line and 64")
    func usage() throws {
        try program.fail("sned", status: 64, saying: "sned", "covey --help")
        try program.fail("send", status: 64, saying: "<to>", "covey send --help")
        try program.fail("authority", "init", status: 64, saying: "<name>", "covey authority init --help")
        try program.fail("status", "--colour", status: 64, saying: "--colour")
        try program.fail("inbox", "--after", "x", status: 64, saying: "after")
        try program.fail("inbox", "--after", "-1", status: 64, saying: "'-1' is invalid", "after")
        try program.fail("inbox", "--limit", "-1", status: 64, saying: "--limit is -1", "at least 1")
        try program.fail("inbox", "--limit", "0", status: 64, saying: "at least 1")
        try program.fail("inbox", "--limit", "5", "--follow", status: 64, saying: "exclude each other")
    }

    @Test(
        "where no node runs, every command says so and how to start one",
        arguments: [
            ["status"], ["peers"], ["contacts"], ["inbox"], ["inbox", "--follow"], ["send", "ana", "hello"],
            ["log", "show"],
        ])
    func noNode(_ arguments: [String]) throws {
        let outcome = try program.run(arguments + ["--home", "h"])
        #expect(outcome.status == 69)
        #expect(outcome.complaint == "covey: no node answers at h/control.sock; start one with: covey run --home h\n")
    }

    @Test("words of a command that are no UTF-8 text are refused, not altered")
    func noText() throws {
        let shell = URL(fileURLWithPath: "/bin/bash")
        let script = "exec \(CoveyProgram.executable.path) send bo $'caf\\xe9' --home h"
        let outcome = try program.run(["-c", script], of: shell)
        #expect(outcome.status == 64)
        #expect(outcome.complaint == "covey: the words of a command are UTF-8 text, and \"caf\u{FFFD}\" is none\n")
    }

    @Test("help that cannot be written is a failure like any other answer")
    func fullDisk() throws {
        let shell = URL(fileURLWithPath: "/bin/bash")
        for words in ["--help", "--version", "send --help"] {
            let script = "exec \(CoveyProgram.executable.path) \(words) >/dev/full"
            let outcome = try program.run(["-c", script], of: shell)
            #expect(outcome.status == 74)
            #expect(outcome.complaint.hasPrefix("covey: cannot write the answer: "))
        }
        #expect(try program.succeed("--help").output.contains("USAGE: covey"))
    }

    @Test("the path of the control socket comes from the flag, the environment or the file")
    func control() throws {
        try program.write("control = \"from-file.sock\"\n", to: "c.toml")
        try program.fail("status", "--config", "c.toml", status: 69, saying: "from-file.sock")
        try program.fail(
            "status", "--config", "c.toml", status: 69, saying: "from-environment.sock",
            environment: ["COVEY_CONTROL": "from-environment.sock"])
        try program.fail(
            "status", "--config", "c.toml", "--control", "from-flag.sock", status: 69, saying: "from-flag.sock",
            environment: ["COVEY_CONTROL": "from-environment.sock"])
        try program.fail("status", "--config", "none.toml", status: 74, saying: "none.toml", "no such file")
        try program.fail(
            "status", "--control", String(repeating: "s", count: 108), status: 64, saying: "107 bytes", "--control")
    }

    @Test("a message needs words, and text")
    func message() throws {
        try program.fail("send", "ana", status: 64, saying: "no message")
        try Data([0xFF, 0xFE, 0x41]).write(to: URL(fileURLWithPath: program.path("noise")))
        let noise = program.process(["send", "ana"])
        noise.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: program.path("noise")))
        let pipe = Pipe()
        noise.standardError = pipe
        try noise.run()
        noise.waitUntilExit()
        #expect(noise.terminationStatus == 1)
        #expect(String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("not UTF-8"))
        let long = try program.run(["send", "ana"], input: String(repeating: "x", count: 14_001) + "\n")
        #expect(long.status == 1)
        #expect(long.complaint == "covey: a text has at most 14000 bytes, this one has more; send less at once\n")
    }

    @Test("a directory that others may read is not used")
    func exposed() throws {
        try program.found()
        try program.succeed("authority", "invite", "ana", "-o", "ana.invite", "--authority", "desk")
        try FileManager.default.createDirectory(
            atPath: program.path("open"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try program.fail(
            "device", "request", "ana.invite", "-o", "ana.request", "--home", "open", status: 77,
            saying: "chmod 700 open")
    }

    @Test("a file that cannot be created is said with its reason, and nothing is left half done")
    func cannotCreate() throws {
        try program.found()
        try program.fail(
            "authority", "invite", "ana", "-o", "no/such/ana.invite", "--authority", "desk", status: 73,
            saying: "directory does not exist")
        // The invitation that could not be written is not open.
        try program.succeed("authority", "invite", "ana", "-o", "ana.invite", "--authority", "desk")
        try program.fail(
            "authority", "init", "Harbour", "--authority", "/proc/desk", status: 73, saying: "cannot create /proc/desk")
    }

    @Test("version says the version and the build, for people and for programs")
    func version() throws {
        let text = try program.succeed("version").output
        #expect(text.hasPrefix("covey \(Build.version), build "))
        let json = try program.succeed("version", "--json").json()
        #expect(json["version"] as? String == Build.version)
        #expect((json["build"] as? String)?.count == 64)
    }

    @Test("text of strangers cannot command the terminal")
    func harmless() {
        #expect(Output.harmless("a\u{1B}[2Jb\u{202E}c\nd\te\u{7}") == "a\u{FFFD}[2Jb\u{FFFD}c\nd\te\u{FFFD}")
    }
}
