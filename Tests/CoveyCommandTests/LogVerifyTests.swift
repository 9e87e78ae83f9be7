import Foundation
import Testing

@testable import CoveyCommand

@Suite("covey log verify")
final class LogVerifyTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    @Test("a log that holds is sound; one with a flipped bit, or of another mesh, is refused with exit status 1")
    func verify() throws {
        try program.found()
        try program.succeed("authority", "init", "Other", "--authority", "other")
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        let report = try program.succeed("log", "verify", "all.log", "--mesh", "desk/mesh", "--json").json()
        #expect(report["isSound"] as? Bool == true)
        #expect((report["findings"] as? [Any])?.count == 0)
        #expect((report["chains"] as? [Any])?.count ?? 0 >= 1)
        #expect(try program.succeed("log", "verify", "all.log", "--mesh", "desk/mesh").output.contains("sound"))
        try program.fail("log", "verify", "all.log", "--mesh", "other/mesh", status: 1, saying: "another mesh")
        try program.fail("log", "verify", "all.log", "--mesh", "all.log", status: 1, saying: "no genesis")

        let url = URL(fileURLWithPath: program.path("all.log"))
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: url)
        let outcome = try program.run(["log", "verify", "all.log", "--mesh", "desk/mesh"])
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("WRONG: object 3"))
        #expect(outcome.complaint.contains("does not hold"))
    }
}
