import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

/// Our link against PyPI's noiseprotocol, over a pipe (protocol.md §7.1). The peer frames its packets, writes its first
/// payload and its prologue, and counts its messages to the next key by code of its own, `Tests/Interop/peer.py`. The
/// payloads that say who it is are made here.
@Suite("A link with a peer in Python", .needsPython)
struct InteropTests {
    private static let slot: UInt32 = 2_900_000
    /// The peer's report of the handshake; then it sends back every message as it came.
    private static let report = FrameType.util

    private let alice: Member
    private let bob: Member
    private let held: HeldPSK

    init() throws {
        alice = try Member(0)
        bob = try Member(1)
        held = try Member.epoch()
    }

    /// Bob is Python.
    private func bob(role: String, payload: [UInt8]) throws -> PythonPeer {
        let peer = PythonPeer("link")
        try peer.tell([
            "role": role, "static": bob.context.key.exposing { [UInt8](copying: $0).hex },
            "psk": held.psk.exposing { [UInt8](copying: $0).hex }, "mesh": alice.context.mesh.hex,
            "slot": "\(Self.slot)", "payload": payload.hex,
        ])
        return peer
    }

    private func packet(from peer: PythonPeer) throws -> HandshakePacket {
        let head = try peer.read(2)
        var buffer = PacketBuffer()
        buffer.append(head + (try peer.read(Int(head[0]) << 8 | Int(head[1]))))
        let packet = try buffer.next()
        return try #require(packet, "the peer wrote one whole packet")
    }

    /// Python says what it saw, and the link is the one we have.
    private func expectReport(from peer: PythonPeer, on transport: inout Transport) throws {
        let head = try peer.read(2)
        var report: [UInt8] = []
        let message = head + (try peer.read(Int(head[0]) << 8 | Int(head[1])))
        try transport.receiver.receive(adopting: message) { type, body in
            #expect(type == Self.report)
            report.append(copying: body)
        }
        #expect(report.prefix(32) == transport.handshakeHash.array[...])
        #expect(report.dropFirst(32).prefix(32) == alice.context.key.publicKey.array[...])
        #expect(try AuthPayload(padded: Array(report.dropFirst(64))) == alice.payload)
    }

    /// Sends `count` messages through the peer and back, in bursts that fit a pipe, and holds each to what was sent.
    private func exchange(_ count: UInt32, with peer: PythonPeer, on transport: inout Transport) throws {
        let burst: UInt32 = 64
        var next: UInt32 = 0
        while next < count {
            let expected = next..<min(next + burst, count)
            var size = 0
            for number in expected {
                transport.sender.append(Frame.Ping(time: number, echo: ~number))
                let bytes = transport.sender.take()
                size += bytes.count
                try peer.write(bytes)
            }
            var back: [Frame.Ping] = []
            try transport.receiver.receive(adopting: try peer.read(size)) { type, body in
                #expect(type == .ping)
                back.append(try Frame.Ping(parsing: body))
            }
            #expect(back == expected.map { Frame.Ping(time: $0, echo: ~$0) })
            next = expected.upperBound
        }
    }

    @Test("we dial: both see the same handshake, and messages go both ways across new keys in both directions")
    func initiator() throws {
        let peer = try bob(role: "responder", payload: try bob.payload.padded(mayBeShort: false))
        let (first, initiator) = alice.first(held)
        try peer.write(first.encode())
        let second = try initiator.open(try packet(from: peer))
        #expect(second.claim == PeerClaim(payload: bob.payload, linkKey: bob.context.key.publicKey))
        var (third, transport) = try second.finish(alice.payload, now: 0, random: alice.random)
        try peer.write(third)
        try expectReport(from: peer, on: &transport)
        let count = LinkBounds.rekeyMessages + 100
        try exchange(UInt32(count), with: peer, on: &transport)
        print("A link with Python, dialled: \(count) messages each way, new keys after \(LinkBounds.rekeyMessages)")
    }

    @Test("it dials: both see the same handshake, and a payload whose chain goes by hash is taken in its short form")
    func responder() throws {
        var shown = bob.payload
        shown.chain = .byHash(AuthPayload.chainHash(device: shown.certificate, authorities: []))
        let peer = try bob(role: "initiator", payload: try shown.padded(mayBeShort: true))
        let opened = try FirstMessage.open(
            try packet(from: peer), context: alice.context, held: [Member.otherEpoch(1), held], expecting: .fresh)
        #expect(opened.epoch == held.epoch)
        #expect(opened.payload == FirstPayload(isAhead: false, slot: Self.slot))
        let (second, responder) = try opened.respond(alice.payload, random: alice.random)
        try peer.write(second)
        let third = try packet(from: peer)
        #expect(third.bytes.count == 576)
        let link = try responder.open(third, now: 0, random: alice.random)
        #expect(link.claim == PeerClaim(payload: shown, linkKey: bob.context.key.publicKey))
        var transport = link.transport
        try expectReport(from: peer, on: &transport)
        try exchange(100, with: peer, on: &transport)
        print("A link with Python, answered: 100 messages each way")
    }

    @Test("it dials and we turn the roles: REVERSE and AHEAD are in the prologue and the first payload of both")
    func reversed() throws {
        let peer = try bob(role: "initiator", payload: try bob.payload.padded(mayBeShort: false))
        let opened = try FirstMessage.open(
            try packet(from: peer), context: alice.context, held: [held], expecting: .fresh)
        let (first, initiator) = opened.reverse(slot: Self.slot, random: alice.random)
        try peer.write(first)
        let second = try initiator.open(try packet(from: peer))
        #expect(second.claim == PeerClaim(payload: bob.payload, linkKey: bob.context.key.publicKey))
        var (third, transport) = try second.finish(alice.payload, now: 0, random: alice.random)
        try peer.write(third)
        try expectReport(from: peer, on: &transport)
        try exchange(100, with: peer, on: &transport)
    }
}
