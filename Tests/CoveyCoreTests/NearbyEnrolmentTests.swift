import CoveyCore
import CoveyCrypto
import Testing

@Suite("Enrolment over one connection")
struct NearbyEnrolmentTests {
    private let random = SeededRandom(seed: 9, stream: "nearby")
    private let now = Minute(29_000_000)

    private func invitation(_ mesh: MeshID = MeshID(copying: [UInt8](repeating: 7, count: 32).span.bytes))
        -> OpenInvitation
    {
        OpenInvitation(
            mesh: mesh, authority: AuthorityID(), label: "ana", now: now, expires: now.adding(60), random: random)
    }

    private func pending(_ open: OpenInvitation) throws -> PendingEnrolment {
        try PendingEnrolment(accepting: open.invitation, buildHash: Octets32(), random: random)
    }

    @Test("both sides have the request, its digits, the welcome and the word that it is installed")
    func story() throws {
        let open = invitation()
        let pending = try pending(open)
        let device = try NearbyEnrolment.Device(pending, random: random)
        #expect(device.call.count == NearbyEnrolment.callSize)
        let desk = try #require(NearbyEnrolment.Desk(taking: device.call, of: open))
        #expect(desk.request.shortString == pending.request.shortString)
        #expect(throws: Never.self) { try open.verify(desk.request, now: now) }
        let welcome = [UInt8](repeating: 0xAB, count: 5000)
        let answer = desk.answer(welcome: welcome)
        let head = Array(answer.prefix(NearbyEnrolment.verdictSize))
        #expect(try device.verdict(head) == .welcome(sealedSize: answer.count - head.count))
        #expect(try device.welcome(Array(answer.dropFirst(head.count))) == welcome)
        #expect(device.done.count == NearbyEnrolment.doneSize)
        #expect(desk.isDone(device.done))
        #expect(try device.verdict(desk.refusal) == .refused)
    }

    @Test("who does not hold the invitation, all of it, does not open and is not opened")
    func strangers() throws {
        let open = invitation()
        let device = try NearbyEnrolment.Device(pending(open), random: random)
        #expect(NearbyEnrolment.Desk(taking: device.call, of: invitation()) == nil)
        // The right key and another secret: as who saw the desk's key alone would have.
        let real = open.invitation
        let guess = Invitation(
            mesh: real.mesh, authority: real.authority, enrolKey: real.enrolKey, secret: InviteSecret(from: random),
            expires: real.expires, label: real.label, manifest: nil)
        let guessing = try PendingEnrolment(accepting: guess, buildHash: Octets32(), random: random)
        let stranger = try NearbyEnrolment.Device(guessing, random: random)
        #expect(NearbyEnrolment.Desk(taking: stranger.call, of: open) == nil)
        // Another call, or the desk's own words back, are not the device's last word.
        let desk = try #require(NearbyEnrolment.Desk(taking: device.call, of: open))
        let again = try NearbyEnrolment.Device(pending(open), random: random)
        #expect(!desk.isDone(again.done))
        #expect(!desk.isDone(Array(desk.answer(welcome: []).suffix(16))))
        #expect(throws: (any Error).self) { try again.verdict(desk.refusal) }
    }

    @Test("a search is answered to who holds the invitation, and an answer is good for its own question")
    func search() throws {
        let open = invitation()
        let search = NearbySearch(open.invitation)
        let stranger = NearbySearch(invitation().invitation)
        let probe = search.probe(random: random)
        #expect(probe.count == NearbySearch.size)
        #expect(search.isProbe(probe))
        #expect(!stranger.isProbe(probe))
        let answer = search.answer(to: probe, port: 26118, random: random)
        #expect(answer.count == probe.count)
        #expect(search.port(in: answer, to: probe) == 26118)
        #expect(search.port(in: answer, to: search.probe(random: random)) == nil)
        #expect(search.port(in: probe, to: probe) == nil)
        #expect(!search.isProbe(answer))
        #expect(stranger.port(in: answer, to: probe) == nil)
        for index in answer.indices {
            var altered = answer
            altered[index] ^= 4
            #expect(search.port(in: altered, to: probe) == nil)
        }
        #expect(!search.isProbe([]))
    }

    @Test("every altered or cut byte is noticed, on both sides")
    func damage() throws {
        let open = invitation()
        let device = try NearbyEnrolment.Device(pending(open), random: random)
        for index in stride(from: 0, to: device.call.count, by: 13) {
            var call = device.call
            call[index] ^= 1
            // The highest bit of an X25519 key is not part of it, but it is part of what is agreed on.
            #expect(NearbyEnrolment.Desk(taking: call, of: open) == nil, "byte \(index)")
        }
        #expect(NearbyEnrolment.Desk(taking: Array(device.call.dropLast()), of: open) == nil)
        #expect(NearbyEnrolment.Desk(taking: [], of: open) == nil)
        let desk = try #require(NearbyEnrolment.Desk(taking: device.call, of: open))
        let answer = desk.answer(welcome: [1, 2, 3])
        for index in answer.indices {
            var altered = answer
            altered[index] ^= 0x80
            let head = Array(altered.prefix(NearbyEnrolment.verdictSize))
            let body = Array(altered.dropFirst(NearbyEnrolment.verdictSize))
            #expect(throws: (any Error).self, "byte \(index)") {
                _ = try device.verdict(head)
                _ = try device.welcome(body)
            }
        }
    }
}
