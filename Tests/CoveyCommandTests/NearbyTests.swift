import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

@Suite("Enrolment nearby")
final class NearbyTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found()
    }

    deinit { program.remove() }

    /// A desk that waits on loopback, and where.
    private func desk(_ arguments: String...) throws -> (RunningProgram, address: String) {
        let desk = try RunningProgram(
            program,
            ["authority", "invite", "ana", "--nearby", "--listen", "127.0.0.1:0", "--authority", "desk"] + arguments)
        let line = try desk.line(.output, containing: "waiting for ana at ")
        return (desk, try #require(line.split(separator: " ").last.map(String.init)))
    }

    /// What somebody gets who sends this, and hangs up: so many bytes, or fewer when the desk closes before.
    private func answer(to bytes: [UInt8], at address: String, most: Int = 4096) throws -> [UInt8] {
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        _ = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var piece = [UInt8](repeating: 0, count: most)
        // The desk closes; nothing here depends on when.
        let count = recv(socket, &piece, piece.count, Int32(MSG_WAITALL))
        return Array(piece.prefix(max(0, count)))
    }

    @Test("a device is enrolled over one connection; both sides print the same digits, strangers get no byte")
    func story() throws {
        let (desk, address) = try desk("-o", "ana.invite", "--yes")
        #expect(try answer(to: [UInt8](repeating: 7, count: NearbyEnrolment.callSize), at: address).isEmpty)
        #expect(try answer(to: Array("GET / HTTP/1.1\r\n\r\n".utf8), at: address).isEmpty)
        let called = try program.succeed(
            "device", "request", "ana.invite", "--nearby", address, "--home", "ana"
        ).output
        #expect(called.contains("this device is ana"))
        let end = try desk.waitForEnd()
        let said = try desk.text(of: .output)
        #expect(end == 0, "\(said)")
        let digits = try #require(
            called.components(separatedBy: "compare with the authority: ").last?.split(separator: "\n").first)
        #expect(digits.split(separator: " ").map(\.count) == [5, 5, 5, 5, 5])
        #expect(said.contains("ana calls; compare with the device: \(digits)"))
        #expect(said.contains("its program has SHA-256 \(try Build.hash(of: CoveyProgram.executable.path).hex)"))
        #expect(said.contains("the device has its welcome, and is a member"))
        #expect(try !program.bytes(of: "ana/device.key").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: program.path("ana/pending")))
        #expect(try program.succeed("authority", "log", "--authority", "desk").output.contains("device ana"))
        #expect(try !program.bytes(of: "ana.log").isEmpty, "for a node")
        try program.fail(
            "authority", "invite", "ana", "-o", "b.invite", "--authority", "desk", status: 1,
            saying: "a device called ana")
    }

    @Test("an officer who does not say yes refuses: nobody is enrolled, and the invitation is withdrawn")
    func refused() throws {
        // The standard input is at its end.
        let (desk, address) = try desk("-o", "ana.invite")
        try program.succeed("authority", "log", "--authority", "desk")
        let refused = try program.run(["device", "request", "ana.invite", "--nearby", address, "--home", "ana"])
        #expect(refused.status == 1)
        #expect(refused.complaint.contains("the authority refused"))
        #expect(try desk.waitForEnd() == 1)
        #expect(try desk.text(of: .log).contains("withdrawn"))
        #expect(!FileManager.default.fileExists(atPath: program.path("ana/device.key")))
        #expect(try !program.succeed("authority", "log", "--authority", "desk").output.contains("device ana"))
        try program.succeed("authority", "invite", "ana", "-o", "again.invite", "--authority", "desk")
    }

    @Test("a device finds the desk by multicast, on a network where another one waits for somebody else")
    func searched() throws {
        try program.succeed("authority", "init", "Lagoon", "--authority", "lagoon")
        let other = try RunningProgram(
            program,
            [
                "authority", "invite", "ana", "-o", "other.invite", "--nearby", "--listen", "127.0.0.1:0",
                "--interface", "lo", "--authority", "lagoon",
            ])
        _ = try other.line(.output, containing: "waiting for ana at ")
        let (desk, _) = try desk("-o", "ana.invite", "--yes", "--interface", "lo")
        let called = try program.run(
            ["device", "request", "ana.invite", "--nearby", "search", "--home", "ana"],
            environment: ["COVEY_DISCOVERY_INTERFACES": "lo"])
        #expect(called.status == 0, "\(called.complaint)")
        #expect(called.output.contains("of the mesh Harbour"))
        #expect(try desk.waitForEnd() == 0)
        #expect(try !other.text(of: .output).contains("calls"))
    }

    @Test("a device that went away before it was a member may come again with the same keys, and nobody else may")
    func interrupted() throws {
        try program.succeed("authority", "invite", "ana", "-o", "ana.invite", "--authority", "desk")
        let file = try CoveyFile(parsing: program.bytes(of: "ana.invite"))
        let invitation = try Invitation(parsing: file.content(.invitation))
        let random = SystemRandom()
        let first = try PendingEnrolment(accepting: invitation, buildHash: Octets32(), random: random)
        let second = try PendingEnrolment(accepting: invitation, buildHash: Octets32(), random: random)
        for (pending, verdict, words) in [
            (first, "welcome", "went away"), (second, "refused", "used for another device"),
            (first, "welcome", "went away"),
        ] {
            let (desk, address) = try desk("--yes")
            let device = try NearbyEnrolment.Device(pending, random: random)
            let head = try answer(to: device.call, at: address, most: NearbyEnrolment.verdictSize)
            #expect("\(try device.verdict(head))".hasPrefix(verdict))
            #expect(try desk.waitForEnd() == (verdict == "welcome" ? 75 : 1))
            #expect(try desk.text(of: .log).contains(words))
            if verdict == "welcome" {
                let again = "covey authority invite ana --nearby --authority desk"
                #expect(try desk.text(of: .log).contains(again))
            }
        }
        let log = try program.succeed("authority", "log", "--authority", "desk").output
        #expect(log.components(separatedBy: "device ana").count == 2, "one certificate")
    }

    @Test("a desk waits again for an invitation that is open, and another invitation gets no answer there")
    func again() throws {
        try program.succeed("authority", "invite", "ana", "-o", "ana.invite", "--authority", "desk")
        try program.succeed("authority", "invite", "ben", "-o", "ben.invite", "--authority", "desk")
        let (desk, address) = try desk("--yes")
        let stranger = try program.run(["device", "request", "ben.invite", "--nearby", address, "--home", "ben"])
        #expect(stranger.status == 75)
        #expect(stranger.complaint.contains("gave no answer"))
        try program.succeed("device", "request", "ana.invite", "--nearby", address, "--home", "ana")
        #expect(try desk.waitForEnd() == 0)
        let (nobody, status) = ("127.0.0.1:1", Int32(74))
        try program.fail(
            "device", "request", "ben.invite", "--nearby", nobody, "--home", "ben", status: status,
            saying: "nothing answers at 127.0.0.1:1")
        try program.fail(
            "authority", "invite", "cy", "--nearby", "--listen", "here", "--authority", "desk", status: 64,
            saying: "--listen")
        try program.fail(
            "authority", "invite", "cy", "-o", "c.invite", "--yes", "--authority", "desk", status: 64,
            saying: "--nearby")
        try program.fail(
            "device", "request", "ben.invite", "--nearby", "there", "--home", "ben", status: 64, saying: "HOST:PORT")
    }
}
