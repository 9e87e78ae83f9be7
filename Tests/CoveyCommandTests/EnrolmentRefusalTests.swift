import CoveyCore
import CoveyCrypto
import Foundation
import Testing

@testable import CoveyCommand

/// Invitations, requests and welcomes that are not taken (protocol.md §7.2 item 40).
@Suite("covey authority sign, covey device install: what they refuse")
final class EnrolmentRefusalTests {
    let program: CoveyProgram

    init() throws {
        program = try CoveyProgram()
        try program.found()
    }

    deinit { program.remove() }

    private func write(_ kind: CoveyFile.Kind, _ mesh: MeshID, _ content: [UInt8], to name: String) throws {
        let bytes = CoveyFile(kind: kind, mesh: mesh, content: content).bytes
        try Data(bytes).write(to: URL(fileURLWithPath: program.path(name)))
    }

    /// The desk made it three days ago, for two days.
    private func inviteLate(_ label: String) throws -> OpenInvitation {
        let directory = try AuthorityDirectory(program.path("desk"))
        let now = CalendarText.now
        let open = OpenInvitation(
            mesh: directory.book.mesh, authority: directory.book.id, label: label, manifest: nil,
            now: now.adding(-3 * 1440), expires: now.adding(-1440), random: SystemRandom())
        try directory.keep(open)
        return open
    }

    /// A request with another value in one field, signed by the device all the same.
    private func forged(_ tag: UInt8, _ pending: PendingEnrolment) -> [UInt8] {
        let body = pending.request.signed.body
        var writer = CanonicalWriter(.request)
        var at = 4
        while at < body.count {
            let size = Int(body[at + 1]) << 8 | Int(body[at + 2])
            let value = Array(body[at + 3..<at + 3 + size])
            writer.field(body[at], bytes: body[at] == tag ? value.map { ~$0 } : value)
            at += 3 + size
        }
        return Signed(
            writer.bytes, type: .object(.request), mesh: pending.invitation.mesh, keys: [pending.identity.signing]
        ).bytes
    }

    /// A device that has asked, and its keys.
    private func asked(_ name: String) throws -> PendingEnrolment {
        try program.succeed("authority", "invite", name, "-o", "\(name).invite", "--authority", "desk")
        try program.succeed("device", "request", "\(name).invite", "-o", "\(name).request", "--home", name)
        let bytes = try program.bytes(of: "\(name)/pending")
        return try PendingEnrolment(parsing: bytes.span.bytes)
    }

    @Test("40: an invitation that has expired enrols nobody, though the device's clock may let it ask")
    func expired() throws {
        let open = try inviteLate("ana")
        let mesh = open.invitation.mesh
        try write(.invitation, mesh, open.invitation.bytes, to: "ana.invite")
        try program.fail(
            "device", "request", "ana.invite", "-o", "ana.request", "--home", "ana", status: 1,
            saying: "the invitation expired on")
        let pending = try PendingEnrolment(
            accepting: open.invitation, buildHash: Octets32(), random: SystemRandom())
        try write(.request, mesh, pending.request.signed.bytes, to: "ana.request")
        try program.fail(
            "authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk", status: 1,
            saying: "has expired")
        #expect(try !program.succeed("authority", "log", "--authority", "desk").output.contains("device ana"))
    }

    @Test("40: a request with a wrong code for a key or the invitation is refused, and the right one is taken after it")
    func proofs() throws {
        let pending = try asked("ana")
        for (tag, word) in [(UInt8(0x08), "a key that its sender does not have"), (0x09, "a key"), (0x0A, "secret")] {
            try write(.request, pending.invitation.mesh, forged(tag, pending), to: "forged-\(tag).request")
            try program.fail(
                "authority", "sign", "forged-\(tag).request", "-o", "ana.welcome", "--authority", "desk", status: 1,
                saying: word)
        }
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
    }

    @Test(
        "40: a welcome that was sealed without the invitation's secret is not installed, and the right one is after it")
    func welcomes() throws {
        let pending = try asked("ana")
        let mesh = pending.invitation.mesh
        let head: [UInt8] = [0x63, 0x31, 0x0A, 1]
        let asked = pending.request.signed.bytes
        let guess = HPKE.PreSharedKey(
            key: SymmetricKey(from: SystemRandom()), id: SHA256.hash(asked.span.bytes).array)
        for psk in [nil, guess] {
            let nothing: [UInt8] = [0, 0, 0, 0]
            let sealed = try HPKE.seal(
                nothing.span.bytes, ad: head.span.bytes, to: pending.request.welcomeKey,
                info: pending.request.hash.array, psk: psk, random: SystemRandom())
            try write(.welcome, mesh, head + sealed.encapsulated.array + sealed.ciphertext, to: "thief.welcome")
            try program.fail(
                "device", "install", "thief.welcome", "--home", "ana", status: 1,
                saying: "was not made for this device's request")
        }
        try program.succeed("authority", "sign", "ana.request", "-o", "ana.welcome", "--authority", "desk")
        let whole = try program.bytes(of: "ana.welcome")
        try Data(whole.dropLast(100)).write(to: URL(filePath: program.path("cut.welcome")))
        try program.fail("device", "install", "cut.welcome", "--home", "ana", status: 1, saying: "was cut off")
        try program.succeed("device", "install", "ana.welcome", "--home", "ana")
        let genesis = try program.bytes(of: "ana/mesh")
        try program.succeed("authority", "init", "Lagoon", "--authority", "other")
        for (bytes, words) in [
            (Array(genesis.prefix(50)), "ends too early"), (try program.bytes(of: "other/mesh"), "of another mesh"),
        ] {
            try Data(bytes).write(to: URL(filePath: program.path("ana/mesh")))
            try program.fail(
                "run", "--home", "ana", "--listen", "127.0.0.1:0", "--multicast", "off", status: 1,
                saying: "ana/mesh", words, "put back a copy")
        }
    }
}
