import CoveyCore
import CoveyCrypto
import Foundation
import Glibc
import Testing

@testable import CoveyCommand

/// What is said of directories from which something is missing, or in which something else stands.
@Suite("Directories that are not whole")
final class LostFilesTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: program.path(name)) }

    @Test("nobody is told to remove a device's home, or a desk whose key alone is gone")
    func keysOfOthers() throws {
        try program.found()
        try program.enrol("ana")
        try program.fail(
            "authority", "log", "--authority", "ana", status: 1, saying: "ana is the home of a device",
            "name the directory of an authority")
        try remove("desk/authority.key")
        try program.fail(
            "authority", "log", "--authority", "desk", status: 1, saying: "no authority.key",
            "put back your copy of the directory")
        try program.fail(
            "authority", "init", "Lagoon", "--authority", "desk", status: 73, saying: "there is desk/cold/",
            "put back your copy of the directory, or choose another directory")
    }

    @Test("where keys are left beside a lost authority.key, nobody is told to remove the directory")
    func lastKeys() throws {
        try program.found()
        try remove("desk/authority.key")
        func words(_ command: String...) throws -> String {
            let outcome = try program.run(["authority"] + command + ["--authority", "desk"])
            #expect(outcome.status != 0 && outcome.complaint.contains("desk"))
            return outcome.complaint
        }
        for name in ["cold/root.key", "epochs", "authority.old", "authority.next", "signed", "invitations/1.open"] {
            for other in ["cold", "epochs", "authority.old", "authority.next", "signed", "invitations"]
            where FileManager.default.fileExists(atPath: program.path("desk/\(other)")) {
                try remove("desk/\(other)")
            }
            for directory in ["desk/cold", "desk/invitations"] {
                try FileManager.default.createDirectory(
                    atPath: program.path(directory), withIntermediateDirectories: true)
            }
            try program.write("", to: "desk/\(name)")
            for complaint in [
                try words("log"), try words("init", "Lagoon"), try words("ask", "north", "--from", "desk", "-o", "x"),
            ] {
                #expect(complaint.contains("put back your copy of the directory"), "\(name): \(complaint)")
                #expect(!complaint.contains("remove"), "\(name): \(complaint)")
            }
        }
    }

    @Test("a founding that ended before it made a key is begun again in its directory; one with a key in it is not")
    func interrupted() throws {
        for directory in ["desk/invitations", "desk/cold"] {
            try FileManager.default.createDirectory(
                atPath: program.path(directory), withIntermediateDirectories: true)
        }
        try program.write("", to: "desk/lock")
        try program.found()
        try FileManager.default.createDirectory(
            atPath: program.path("half/cold"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: program.path("begun"), withIntermediateDirectories: true)
        try program.write("", to: "half/cold/root.key")
        try program.fail(
            "authority", "init", "Lagoon", "--authority", "half", status: 73,
            saying: "there is half/cold/root.key already", "put back your copy of the directory, or choose another")
        try program.write("", to: "begun/mesh")
        try program.fail(
            "authority", "init", "Lagoon", "--authority", "begun", status: 73,
            saying: "there is begun/mesh already", "if the making of it was interrupted, remove begun")
    }

    @Test("a node whose store is gone says so, and is a member again with the log and the desk's keys")
    func lostStore() throws {
        try program.found()
        try program.enrol("ana")
        try program.succeed("authority", "log", "-o", "all.log", "--authority", "desk")
        for name in try FileManager.default.contentsOfDirectory(atPath: program.path("ana"))
        where name.hasPrefix("store.sqlite") || name == "segments" {
            try remove("ana/\(name)")
        }
        let node = try RunningProgram(
            program, ["run", "--home", "ana", "--listen", "127.0.0.1:0", "--multicast", "off"])
        #expect(try node.line(.output, containing: "ready:").contains("ready: no member ("))
        _ = try node.line(.log, containing: "the store here does not know this device")
        let status = try program.succeed("status", "--home", "ana").output
        #expect(status.contains("none: the store here does not know this device"))
        #expect(!status.contains("known to a revoked device"))
        try program.succeed("log", "import", "all.log", "--authority", "desk", "--home", "ana")
        let again = try program.succeed("status", "--home", "ana").output
        #expect(again.contains("until 20"))
        #expect(!again.contains("epoch           none"))
        #expect(try node.stop() == 0)
    }

    @Test("a pipe in the place of a configuration is not waited for")
    func pipe() throws {
        try FileManager.default.createDirectory(atPath: program.path("ana"), withIntermediateDirectories: true)
        #expect(mkfifo(program.path("ana/covey.toml"), 0o600) == 0)
        try program.fail("status", "--home", "ana", status: 74, saying: "ana/covey.toml: it is not a file")
    }

    @Test("nobody is invited under the beginning of another device's id")
    func likeAnID() throws {
        try program.found()
        try program.enrol("ana")
        let request = try CoveyFile(parsing: program.bytes(of: "ana.request"))
        let device = try EnrolmentRequest(parsing: request.content).deviceHash(in: request.mesh)
            .deviceID.hex
        try program.fail(
            "authority", "invite", String(device.prefix(8)), "-o", "x.invite", "--authority", "desk", status: 1,
            saying: "is how the id of ana begins")
    }
}
