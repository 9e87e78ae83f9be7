import CoveyCore
import CoveyCrypto
import CoveyNode
import Foundation
import Testing

@testable import CoveyCommand

@Suite("An authority's directory beside a node")
final class DirectoryDeskTests {
    private let program: CoveyProgram
    private let path: String
    private let random = SeededRandom(seed: 7, stream: "desk")
    private let start = Minute(29_000_000)

    init() throws {
        program = try CoveyProgram()
        path = program.directory.path + "/desk"
        try AuthorityDirectory.found(path, name: "Harbour", profile: .standard, random: random, now: start)
    }

    deinit { program.remove() }

    private func enrol(_ label: String) throws -> DeviceID {
        let directory = try AuthorityDirectory(path)
        var book = directory.book
        let open = OpenInvitation(
            mesh: book.mesh, authority: book.id, label: label, now: start, expires: start.adding(60), random: random)
        let pending = try PendingEnrolment(accepting: open.invitation, buildHash: Octets32(), random: random)
        try book.issue(try open.verify(pending.request, now: start), Grant(), now: start, random: random)
        try directory.keep(book)
        return pending.identity.id
    }

    private func at(_ day: Int64) -> TimeView {
        TimeView(now: start.adding(day * 1440), isTrusted: true, floor: start)
    }

    @Test("what it signs stands in its log first, and a node that lost it gets the same again")
    func record() throws {
        let ana = try enrol("ana")
        let before = try AuthorityDirectory(path).book
        let desk = try DirectoryDesk(path, of: before.mesh)
        #expect(desk.obstacle(to: ana, before.membership, at: at(59)) == .early)
        #expect(desk.obstacle(to: ana, before.membership, at: at(64)) == nil)
        let entries = try desk.renew([ana], before.membership, at: at(64))
        #expect(entries.count == 1)
        let after = try AuthorityDirectory(path).book
        #expect(after.entries.last?.id == entries[0].id)
        #expect(after.membership.currentCertificate(ana)?.notAfter == start.adding(154 * 1440))
        #expect(try desk.renew([ana], before.membership, at: at(64)).map(\.id) == entries.map(\.id))
        #expect(try AuthorityDirectory(path).book.entries.count == after.entries.count)
    }

    @Test("between two acts a command works in the directory, and the node is brought up to what it signed")
    func shared() throws {
        let ana = try enrol("ana")
        let known = try AuthorityDirectory(path).book.membership
        let desk = try DirectoryDesk(path, of: known.mesh)
        let ben = try enrol("ben")
        let lacking = try desk.renew([ana], known, at: at(64))
        #expect(lacking.count == 1)
        var membership = known
        for entry in lacking { _ = try membership.accept(entry.signed) }
        #expect(membership.currentCertificate(ben) != nil)
        #expect(try desk.renew([ana, ben], membership, at: at(64)).count == 1)
        let open = try AuthorityDirectory(path)
        #expect(throws: Complaint.self) { try desk.renew([ana], membership, at: self.at(64)) }
        _ = open
    }

    @Test("what was verified once is not verified again; what was altered since is found")
    func resumed() throws {
        let ana = try enrol("ana")
        let before = try AuthorityDirectory(path).book
        _ = try enrol("ben")
        let after = try AuthorityDirectory(path).book
        var book = AuthorityBook(genesis: before.genesis, keys: before.authority.keys)
        let rest = book.resume(before, of: after.signed)
        #expect(rest.map(\.bytes) == after.entries.suffix(1).map(\.signed.bytes))
        for object in rest { try book.restore(object) }
        #expect(book.membership.heads == after.membership.heads)

        let desk = try DirectoryDesk(path, of: before.mesh)
        #expect(try desk.renew([ana], after.membership, at: at(64)).count == 1)
        var log = try Data(contentsOf: URL(fileURLWithPath: path + "/log"))
        log[200] ^= 1
        try log.write(to: URL(fileURLWithPath: path + "/log"))
        let refusal = #expect(throws: Complaint.self) { try desk.renew([ana], after.membership, at: self.at(64)) }
        #expect(refusal?.description.contains("is damaged") ?? false)
    }

    @Test("a directory that is older than the mesh's log signs nothing")
    func old() throws {
        let ana = try enrol("ana")
        let older = try Data(contentsOf: URL(fileURLWithPath: path + "/log"))
        let desk = try DirectoryDesk(path, of: AuthorityDirectory(path).book.mesh)
        _ = try enrol("ben")
        let membership = try AuthorityDirectory(path).book.membership
        try older.write(to: URL(fileURLWithPath: path + "/log"))
        let refusal = #expect(throws: Complaint.self) { try desk.renew([ana], membership, at: self.at(64)) }
        #expect(refusal?.description.contains("lacks entries of its own log") ?? false)
        #expect(refusal?.description.contains("covey log export -o FILE.log, then covey authority import") ?? false)
    }

    private func work<Value>(at path: String, _ act: (inout AuthorityBook) throws -> Value) throws -> Value {
        let directory = try AuthorityDirectory(path)
        var book = directory.book
        let value = try act(&book)
        try directory.keep(book)
        return value
    }

    @Test("a desk whose fork was decided answers as before")
    func decided() throws {
        let ana = try enrol("ana")
        let copy = path + "-copy"
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let own = try work(at: path) { try $0.announce(now: start, random: random) }
        // The history that is dropped is the longer one.
        let rivals = try work(at: copy) { book in
            try (1...4).map { _ in try book.announce(now: start, random: random) }
        }
        _ = try work(at: path) { try $0.take(rivals.map(\.signed)) }
        let frozen = try AuthorityDirectory(path).book
        let desk = try DirectoryDesk(path, of: frozen.mesh)
        let refusal = #expect(throws: Complaint.self) { try desk.renew([ana], frozen.membership, at: self.at(64)) }
        #expect(refusal?.description.contains("the log of this authority is forked") ?? false)

        let keys = try AuthorityDirectory.keyFile(path + "/cold/recovery.key", of: frozen.mesh).current
        let cold = ColdRecovery(mesh: frozen.mesh, keys: keys)
        let decision = try work(at: path) { book in
            try book.recover(book.id, branch: own.id, new: nil, by: cold, now: start)
        }
        var membership = frozen.membership
        #expect(try desk.renew([ana], membership, at: at(64)).map(\.id) == [decision.id])
        _ = try membership.accept(decision.signed)
        let memory = MemoryDesk(frozen.authority, signed: frozen.entries + [decision])
        for desk in [memory, desk] as [any AuthorityDesk] {
            let entries = try desk.renew([ana], membership, at: at(64))
            #expect(entries.map(\.previous) == [decision.id])
        }
        let after = try AuthorityDirectory(path).book.membership
        #expect(after.currentCertificate(ana)?.notAfter == start.adding(154 * 1440))
        #expect(!after.isFrozen(frozen.id))
    }

    @Test("covey doctor reminds a desk without a node of the weekly network key")
    func epochDue() throws {
        do {
            let directory = try AuthorityDirectory(path)
            var book = directory.book
            try book.announce(now: start, random: random)
            try directory.keep(book)
        }
        let found = try program.run(["doctor", "--authority", "desk", "--home", "nobody"])
        #expect(found.status == 1)
        #expect(found.output.contains("a new one is due every 7"))
        #expect(found.output.contains("covey authority epoch"))
        try program.succeed("authority", "epoch", "-o", "epoch.log", "--authority", "desk")
        let after = try program.run(["doctor", "--authority", "desk", "--home", "nobody"])
        #expect(!after.output.contains("a new one is due"))
    }
}
