import CoveyQR
import Foundation
import Testing

@testable import CoveyCommand

@Suite("Enrolment by codes, covey qr")
final class CodeCommandTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    @Test("a device enrols by images alone; both sides show the same 25 digits in groups of five")
    func images() throws {
        try program.found()
        let invited = try program.succeed(
            "authority", "invite", "ana", "--png", "invite.png", "--authority", "desk")
        #expect(invited.output.contains("wrote invite.png: give it to ana in person"))
        #expect(invited.output.contains("covey device request invite.png"))
        #expect(try program.mode(of: "invite.png") == 0o600, "it holds a secret")
        let requested = try program.succeed(
            "device", "request", "invite.png", "--png", "request.png", "--home", "ana", "--json"
        ).json()
        #expect(requested["image"] as? String == "request.png")
        #expect(requested["file"] == nil)
        let digits = try #require(requested["digits"] as? String)
        #expect(digits.split(separator: " ").map(\.count) == [5, 5, 5, 5, 5])
        let signed = try program.succeed(
            "authority", "sign", "request.png", "-o", "ana.welcome", "--png", "welcome.png", "--authority", "desk")
        #expect(signed.output.contains("compare with the device: \(digits)"))
        try program.succeed("device", "install", "welcome.png", "--home", "ana")
        #expect(try !program.bytes(of: "ana/device.key").isEmpty)
    }

    @Test("a code on the terminal has the digits below it, and hands over the object without a file")
    func shown() throws {
        try program.found()
        let invited = try program.succeed("authority", "invite", "ana", "--qr", "--authority", "desk")
        #expect(invited.output.contains("below as a code: give it to ana"))
        #expect(invited.output.contains("invitation of ana"))
        #expect(invited.output.contains(String(repeating: "█", count: 40)), "the quiet zone is painted")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        let requested = try program.succeed(
            "device", "request", "ben.invite", "--qr", "--inverse", "-o", "ben.request", "--home", "ben"
        ).output
        let digits = try #require(
            try program.succeed(
                "device", "request", "ben.invite", "-o", "again.request", "--home", "ben", "--json"
            ).json()["digits"] as? String)
        #expect(requested.contains("compares these digits: \(digits)"))
        let captions = requested.components(separatedBy: "compare: \(digits)").count - 1
        #expect(captions == 2, "below each of the two codes")
        #expect(!requested.contains(String(repeating: "█", count: 40)), "the quiet zone is the ground")
        let shown = try program.succeed("qr", "show", "ben.request").output
        #expect(shown.contains("code 2 of 2\ncompare: \(digits)  ben.request"))
    }

    @Test("a file becomes numbered images, and these the file, in any order; what is missing or mixed is named")
    func parts() throws {
        try program.found()
        for name in ["ana", "ben"] {
            try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "desk")
            try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
            try program.succeed(
                "authority", "sign", "\(name).request", "-o", "\(name).welcome", "--authority", "desk")
        }
        let wrote = try program.succeed("qr", "show", "ana.welcome", "--png", "w.png", "--separate").output
        let images = wrote.split(whereSeparator: \.isWhitespace).dropFirst().map(String.init)
        #expect(images.count >= 3)
        #expect(images.first == "w-1.png")
        let read = try program.run(["qr", "read"] + images.reversed() + ["-o", "copy.welcome"])
        #expect(read.status == 0, "\(read.complaint)")
        #expect(read.output.contains("a .welcome file"))
        #expect(try program.bytes(of: "copy.welcome") == program.bytes(of: "ana.welcome"))

        let lacking = try program.run(["qr", "read"] + images.filter { $0 != "w-2.png" } + ["-o", "x.welcome"])
        #expect(lacking.status == 1)
        #expect(lacking.complaint.contains("Of \(images.count) codes, 2 is missing"))

        try program.succeed("qr", "show", "ben.welcome", "--png", "b.png")
        try program.fail(
            "qr", "read", "w-1.png", "b.png", "-o", "x.welcome", status: 1, saying: "b.png", "different objects")
        try program.succeed("qr", "read", "b.png", "-o", "ben.copy")
        #expect(try program.bytes(of: "ben.copy") == program.bytes(of: "ben.welcome"))

        var cut = try program.bytes(of: "b.png")
        cut.removeLast(cut.count / 2)
        try Data(cut).write(to: URL(fileURLWithPath: program.path("cut.png")))
        try program.fail("qr", "read", "cut.png", "-o", "x.welcome", status: 1, saying: "cut.png", "cut off")
        try program.fail(
            "qr", "read", "ana.request", "-o", "x.welcome", status: 1, saying: "ana.request", "not a PNG image")
        try program.fail("qr", "read", "b.png", "-o", "ben.copy", status: 73, saying: "exists already")
        try program.fail(
            "device", "install", "ana.welcome", "b.png", "--home", "ana", status: 64, saying: "images of codes")
        try program.fail(
            "device", "install", "b.png", "--home", "ana", status: 1, saying: "not made for this device")
        let blank = try PNG.bytes(of: [CodeMatrix(text: Array("HELLO".utf8), level: .low)])
        try Data(blank).write(to: URL(fileURLWithPath: program.path("other.png")))
        try program.fail(
            "qr", "read", "other.png", "-o", "x.welcome", status: 1, saying: "other.png", "No code of covey")
    }

    @Test("nowhere to write, JSON beside a code, a terminal that is too small: each says what to do")
    func mistakes() throws {
        try program.found()
        try program.fail(
            "authority", "invite", "ana", "--authority", "desk", status: 64, saying: "-o FILE", "--png FILE")
        try program.fail(
            "authority", "invite", "ana", "--qr", "--json", "--authority", "desk", status: 64, saying: "--png")
        try program.fail(
            "authority", "invite", "ana", "-o", "a.invite", "--inverse", "--authority", "desk", status: 64,
            saying: "--qr")
        try program.fail("qr", "show", "desk/log", "--separate", status: 64, saying: "--png FILE")
        // None of them left an invitation open.
        try program.succeed("authority", "invite", "ana", "-o", "a.invite", "--authority", "desk")

        #expect(try Terminal.shape(for: nil).modules + 8 <= 80)
        #expect(try Terminal.shape(for: Terminal(columns: 80, lines: 24, isAsked: true)).version == 4)
        #expect {
            try Terminal.shape(for: Terminal(columns: 40, lines: 50, isAsked: true))
        } throws: { error in
            "\(error)".contains("has 40 columns and 50 lines, and a code needs 41 and 24")
        }
        #expect(ShowCodeCommand.names("a.png", 12).first == "a-01.png")
    }
}
