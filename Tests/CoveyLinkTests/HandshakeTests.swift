import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

@Suite("Handshake of a link")
struct HandshakeTests {
    let alice: Member
    let bob: Member
    let held: HeldPSK

    init() throws {
        alice = try Member(0)
        bob = try Member(1)
        held = try Member.epoch()
    }

    @Test("two members meet, show their certificates and end with one link")
    func meeting() throws {
        let (first, initiator) = alice.first(held)
        #expect(first.bytes.count == 64)
        let older = Member.otherEpoch(1)
        let opened = try FirstMessage.open(first, context: bob.context, held: [older, held], expecting: .fresh)
        #expect(opened.epoch == held.epoch)
        #expect(opened.payload == FirstPayload(isAhead: false, slot: 2_900_000))
        #expect(opened.ephemeral == initiator.ephemeral)

        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        #expect(second.count == 4 + 1632)
        let shown = try initiator.open(packet(second))
        #expect(shown.claim.payload == bob.payload)
        #expect(shown.claim.linkKey == bob.context.key.publicKey)

        let (third, atAlice) = try shown.finish(alice.payload, now: 5, random: alice.random)
        #expect(third.count == 4 + 1600)
        let atBob = try responder.open(packet(third), now: 6, random: bob.random)
        #expect(atBob.claim == PeerClaim(payload: alice.payload, linkKey: alice.context.key.publicKey))
        #expect(atBob.transport.handshakeHash == atAlice.handshakeHash)
        #expect(
            atBob.transport.shortIDs.shortID(of: EnvelopeID(prefixOf: held.epoch))
                == atAlice.shortIDs.shortID(of: EnvelopeID(prefixOf: held.epoch)))
    }

    @Test("a chain by hash makes message 3 short, and never message 2")
    func byHash() throws {
        var short = alice.payload
        short.chain = .byHash(AuthPayload.chainHash(device: short.certificate, authorities: [bob.payload.certificate]))
        let (first, initiator) = alice.first(held)
        let opened = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        #expect(try opened.respond(short, random: bob.random).packet.count == 4 + 1632)
        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        let (third, _) = try initiator.open(packet(second)).finish(short, now: 0, random: alice.random)
        #expect(third.count == 4 + 576)
        #expect(try responder.open(packet(third), now: 0, random: bob.random).claim.payload == short)
    }

    @Test("packets come in pieces of any size, and what follows message 3 belongs to the link")
    func pieces() throws {
        let (first, initiator) = alice.first(held)
        var buffer = PacketBuffer()
        let bytes = first.encode()
        for byte in bytes.dropLast() {
            buffer.append([byte])
            let none = try buffer.next()
            #expect(none == nil)
        }
        buffer.append([bytes.last!])
        let next = try buffer.next()
        let whole = try #require(next)
        let opened = try FirstMessage.open(whole, context: bob.context, held: [held], expecting: .fresh)
        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        var (third, transport) = try initiator.open(packet(second)).finish(
            alice.payload, now: 0, random: alice.random)
        transport.sender.append(Frame.Ping(time: 1, echo: 2, queueMilliseconds: 3))
        buffer.append(third + transport.sender.take())
        third = []
        let following = try buffer.next()
        let last = try #require(following)
        var atBob = try responder.open(last, now: 0, random: bob.random).transport
        var seen: [FrameType] = []
        try atBob.receiver.receive(adopting: buffer.takeRest()) { type, _ in seen.append(type) }
        #expect(seen == [.ping])
    }

    // MARK: protocol.md §7.2, items 42–52

    @Test("42: a first message under an epoch that is not held draws nothing")
    func unknownEpoch() throws {
        let (first, _) = alice.first(Member.otherEpoch(9))
        #expect(throws: LinkFault.noEpoch) {
            try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        }
        #expect(throws: LinkFault.noEpoch) {
            try FirstMessage.open(alice.first(held).packet, context: bob.context, held: [], expecting: .fresh)
        }
    }

    @Test(
        "42: who shows a certificate first",
        arguments: [
            // preferred, untainted, ahead, vouched
            (true, true, false, false, FirstAnswer.respond),
            (true, false, true, false, .respond),
            (false, true, false, false, .reverse),
            (false, false, false, true, .reverse),
            (false, true, true, false, .respond),
            (false, false, true, true, .respondCounted),
            (false, false, true, false, .silent),
        ])
    func answers(preferred: Bool, untainted: Bool, ahead: Bool, vouched: Bool, expected: FirstAnswer) {
        #expect(
            FirstAnswer.decide(isPreferred: preferred, isUntainted: untainted, isAhead: ahead, isVouched: vouched)
                == expected)
    }

    @Test("42: under an older epoch the roles turn, and the stale side shows itself first")
    func reversal() throws {
        let (first, initiator) = alice.first(held)
        let opened = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        let (bytes, reversed) = opened.reverse(slot: 2_900_001, random: bob.random)
        let turned = packet(bytes)
        #expect(turned.isReverse)
        #expect(reversed.expectation == .none)

        let back = try FirstMessage.open(
            turned, context: alice.context, held: [held], expecting: initiator.expectation)
        #expect(back.isReverse)
        #expect(back.payload.isAhead)
        #expect(back.payload.answered == Octets8(prefixOf: initiator.ephemeral))
        let (second, responder) = try back.respond(alice.payload, random: alice.random)
        let shown = try reversed.open(packet(second))
        #expect(shown.claim.payload == alice.payload)
        let (third, transport) = try shown.finish(bob.payload, now: 0, random: bob.random)
        let ended = try responder.open(packet(third), now: 0, random: alice.random)
        #expect(ended.transport.handshakeHash == transport.handshakeHash)
    }

    @Test("42: REVERSE without having asked, without AHEAD, for another, or after REVERSE is refused")
    func wrongReversals() throws {
        let (_, initiator) = alice.first(held)
        var bytes: [UInt8] = []
        let unasked = Initiator(
            bob.context, psk: held.psk, first: FirstPayload(isAhead: true, slot: 1), isReverse: true,
            random: bob.random, to: &bytes)
        #expect(throws: LinkFault.reverseUnasked) {
            try FirstMessage.open(packet(bytes), context: alice.context, held: [held], expecting: .fresh)
        }
        #expect(throws: LinkFault.reverseAnswersAnother) {
            try FirstMessage.open(
                packet(bytes), context: alice.context, held: [held], expecting: initiator.expectation)
        }
        #expect(throws: LinkFault.outOfOrder(.first)) {
            try FirstMessage.open(
                packet(bytes), context: bob.context, held: [held], expecting: unasked.expectation)
        }
        #expect(throws: LinkFault.outOfOrder(.first)) {
            try FirstMessage.open(
                bob.first(held).packet, context: alice.context, held: [held], expecting: initiator.expectation)
        }

        let humble = FirstPayload(isAhead: false, slot: 1, answered: Octets8(prefixOf: initiator.ephemeral))
        var noise = bob.context.noise(.initiator, psk: held.psk, isReverse: true)
        var message: [UInt8] = []
        try noise.writeMessage(humble.encode().span.bytes, random: bob.random, to: &message)
        #expect(throws: LinkFault.reverseWithoutAhead) {
            try FirstMessage.open(
                HandshakePacket(kind: .first, isReverse: true, bytes: message), context: alice.context, held: [held],
                expecting: initiator.expectation)
        }
    }

    @Test("42: a first message that answers another's beacon, an old one, or none is told apart")
    func answeredBeacons() {
        var own = OwnNonces()
        let mine = Octets8.random(from: alice.random)
        let other = Octets8.random(from: alice.random)
        own.remember(mine, now: 10)
        let life = LinkBounds.ownNonceLife
        #expect(own.mayAnswer(mine, isStatic: false, now: 10))
        #expect(own.mayAnswer(mine, isStatic: false, now: 9 + life))
        #expect(!own.mayAnswer(mine, isStatic: true, now: 10 + life))
        #expect(!own.mayAnswer(other, isStatic: true, now: 10))
        #expect(!own.mayAnswer(Octets8(), isStatic: false, now: 10))
        #expect(own.mayAnswer(Octets8(), isStatic: true, now: 10))
    }

    @Test("42: an altered flags byte, another carrier or another mesh breaks the first message")
    func prologue() throws {
        let (first, initiator) = alice.first(held)
        let flagged = HandshakePacket(kind: .first, isReverse: true, bytes: first.bytes)
        #expect(throws: LinkFault.noEpoch) {
            try FirstMessage.open(
                flagged, context: bob.context, held: [held], expecting: .reversal(of: initiator.ephemeral))
        }
        let radio = LinkContext(mesh: bob.context.mesh, transport: .radio, key: bob.context.key)
        #expect(throws: LinkFault.noEpoch) {
            try FirstMessage.open(first, context: radio, held: [held], expecting: .fresh)
        }
        let elsewhere = bob.moved(to: MeshID.random(from: bob.random))
        #expect(throws: LinkFault.noEpoch) {
            try FirstMessage.open(first, context: elsewhere, held: [held], expecting: .fresh)
        }
    }

    @Test("43: a replayed first message is known, a full page refuses, and pages are bounded")
    func replay() throws {
        var cache = ReplayCache()
        let (first, _) = alice.first(held)
        let opened = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        let slot = opened.payload.slot
        try cache.insert(opened.ephemeral, epoch: opened.epoch, slot: slot, ownSlot: slot)
        let again = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        #expect(throws: LinkFault.replayed) {
            try cache.insert(again.ephemeral, epoch: again.epoch, slot: again.payload.slot, ownSlot: slot + 1)
        }
        for _ in 1..<LinkBounds.replayPage {
            try cache.insert(.random(from: alice.random), epoch: opened.epoch, slot: slot, ownSlot: slot)
        }
        #expect(throws: LinkFault.replayPageFull) {
            try cache.insert(.random(from: alice.random), epoch: opened.epoch, slot: slot, ownSlot: slot)
        }
        for far in 1..<UInt32(LinkBounds.replayPages) {
            try cache.insert(.random(from: alice.random), epoch: opened.epoch, slot: slot + far, ownSlot: slot)
        }
        #expect(throws: LinkFault.replayed) {
            try cache.insert(opened.ephemeral, epoch: opened.epoch, slot: slot, ownSlot: slot)
        }
        cache.forget(opened.epoch)
        try cache.insert(opened.ephemeral, epoch: opened.epoch, slot: slot, ownSlot: slot)
    }

    @Test("43: when all pages are taken the nearest stay, and a recording older than all of them is never let in")
    func fullCache() throws {
        var cache = ReplayCache()
        let own: UInt32 = 2_900_000
        let pages = UInt32(LinkBounds.replayPages)
        func insert(_ ephemeral: AgreementPublicKey, _ slot: UInt32, at now: UInt32 = own) throws {
            try cache.insert(ephemeral, epoch: held.epoch, slot: slot, ownSlot: now)
        }
        let keys = (0..<pages).map { _ in AgreementPublicKey.random(from: alice.random) }
        for (age, ephemeral) in keys.enumerated() { try insert(ephemeral, own - UInt32(age)) }
        let old = AgreementPublicKey.random(from: alice.random)
        for slot in [own - pages, own - pages - 1, own - 20 * 144, 0] {
            for _ in 0..<2 { #expect(throws: LinkFault.replayPageFull) { try insert(old, slot) } }
        }
        for (age, ephemeral) in keys.enumerated() {
            #expect(throws: LinkFault.replayed) { try insert(ephemeral, own - UInt32(age)) }
            // Under another slot it is the same message.
            #expect(throws: LinkFault.replayed) { try insert(ephemeral, own + 1) }
        }
        // Time goes on: the oldest page makes room, and does not come back.
        try insert(old, own + 1, at: own + 1)
        let oldest = own - pages + 1
        #expect(throws: LinkFault.replayPageFull) { try insert(keys[Int(pages) - 1], oldest, at: own + 1) }
        #expect(throws: LinkFault.replayed) { try insert(keys[0], own, at: own + 1) }
        // Of two as far off, the one to come stays.
        let ahead = own + pages - 1
        try insert(.random(from: alice.random), ahead, at: own + 1)
        #expect(throws: LinkFault.replayPageFull) { try insert(.random(from: alice.random), ahead + 1, at: own + 1) }
    }

    @Test("43: a slot is past more than twelve slots before our own, and never ahead of it")
    func pastSlots() {
        let bound = LinkBounds.firstSlots
        let first = FirstPayload(isAhead: false, slot: 2_900_000)
        for own: UInt32 in [first.slot, first.slot + bound, first.slot - 1, 0] { #expect(!first.isPast(at: own)) }
        for own: UInt32 in [first.slot + bound + 1, .max] { #expect(first.isPast(at: own)) }
        #expect(!FirstPayload(isAhead: false, slot: .max).isPast(at: .max) && bound == 12)
    }

    @Test("45: our own key coming back is a reflection")
    func reflection() throws {
        // Somebody sends our messages back to us, and we hold the key on both ends of it.
        let (first, initiator) = alice.first(held)
        let opened = try FirstMessage.open(first, context: alice.context, held: [held], expecting: .fresh)
        let (second, responder) = try opened.respond(alice.payload, random: alice.random)
        #expect(throws: LinkFault.reflection) { try initiator.open(packet(second)) }

        let twin = LinkContext(mesh: alice.context.mesh, transport: .stream, key: alice.context.key)
        var noise = twin.noise(.initiator, psk: held.psk, isReverse: false)
        var bytes: [UInt8] = []
        try noise.writeMessage(
            FirstPayload(isAhead: false, slot: 1).encode().span.bytes, random: alice.random, to: &bytes)
        let other = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: bytes), context: alice.context, held: [held], expecting: .fresh)
        let answer = try other.respond(alice.payload, random: alice.random)
        _ = try noise.readMessage(packet(answer.packet).bytes.span.bytes)
        bytes = []
        let shown = try alice.payload.padded(mayBeShort: true)
        try noise.writeMessage(
            shown.span.bytes, random: alice.random, to: &bytes)
        #expect(throws: LinkFault.reflection) {
            try answer.responder.open(HandshakePacket(kind: .third, bytes: bytes), now: 0, random: alice.random)
        }
        #expect(throws: LinkFault.self) {
            try responder.open(HandshakePacket(kind: .third, bytes: bytes), now: 0, random: alice.random)
        }
        #expect(throws: LinkFault.reflection) {
            var reverse: [UInt8] = []
            let own = Initiator(
                alice.context, psk: held.psk, first: FirstPayload(isAhead: true, slot: 1), isReverse: true,
                random: alice.random, to: &reverse)
            _ = try FirstMessage.open(
                packet(reverse), context: alice.context, held: [held], expecting: .reversal(of: own.ephemeral))
        }
    }

    @Test(
        "46: an offer of versions that leaves out the prologue's is refused",
        arguments: [(0, 0, false), (2, 3, false), (1, 0, false), (0, 1, true), (1, 9, true)] as [(UInt8, UInt8, Bool)])
    func versions(least: UInt8, most: UInt8, isGood: Bool) throws {
        var bytes: [UInt8] = []
        _ = Initiator(
            alice.context, psk: held.psk,
            first: FirstPayload(isAhead: false, slot: 1, wireMin: least, wireMax: most), random: alice.random,
            to: &bytes)
        if isGood {
            _ = try FirstMessage.open(packet(bytes), context: bob.context, held: [held], expecting: .fresh)
        } else {
            #expect(throws: LinkFault.wireVersion) {
                try FirstMessage.open(packet(bytes), context: bob.context, held: [held], expecting: .fresh)
            }
        }
    }

    @Test("46: unknown flags and a reserved byte that is not zero are refused")
    func firstPayloads() throws {
        let good = FirstPayload(isAhead: true, slot: 0xFFFF_FFFF, answered: .random(from: alice.random))
        #expect(try FirstPayload(parsing: good.encode()) == good)
        for (at, value) in [(2, UInt8(2)), (2, 0x81), (3, 1)] {
            var bytes = good.encode()
            bytes[at] = value
            #expect(throws: LinkFault.firstPayload) { try FirstPayload(parsing: bytes) }
        }
        for size in 0..<16 {
            #expect(throws: LinkFault.firstPayload) { try FirstPayload(parsing: Array(good.encode().prefix(size))) }
        }
    }

    @Test("47: messages out of order, repeated or altered are refused, and the right one is still taken")
    func order() throws {
        let (first, initiator) = alice.first(held)
        let opened = try FirstMessage.open(first, context: bob.context, held: [held], expecting: .fresh)
        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        #expect(throws: LinkFault.outOfOrder(.first)) { try initiator.open(first) }
        #expect(throws: LinkFault.outOfOrder(.second)) {
            try responder.open(packet(second), now: 0, random: bob.random)
        }
        #expect(throws: LinkFault.outOfOrder(.second)) {
            try FirstMessage.open(packet(second), context: bob.context, held: [held], expecting: .fresh)
        }
        for at in [0, 31, 32, 79, 80, 1000, 1631] {
            var bad = packet(second).bytes
            bad[at] ^= 4
            #expect(throws: LinkFault.authentication) {
                try initiator.open(HandshakePacket(kind: .second, bytes: bad))
            }
        }
        let (third, _) = try initiator.open(packet(second)).finish(alice.payload, now: 0, random: alice.random)
        #expect(throws: LinkFault.outOfOrder(.third)) { try initiator.open(packet(third)) }
        for at in [0, 47, 48, 1599] {
            var bad = packet(third).bytes
            bad[at] ^= 4
            #expect(throws: LinkFault.authentication) {
                try responder.open(HandshakePacket(kind: .third, bytes: bad), now: 0, random: bob.random)
            }
        }
        // The answer to another first message is not ours.
        let otherSecond = try FirstMessage.open(
            alice.first(held).packet, context: bob.context, held: [held], expecting: .fresh
        ).respond(bob.payload, random: bob.random).packet
        #expect(throws: LinkFault.authentication) { try initiator.open(packet(otherSecond)) }
        _ = try responder.open(packet(third), now: 0, random: bob.random)
    }

    @Test("47: a head that begins no packet is refused as soon as it is here")
    func heads() throws {
        let heads: [([UInt8], LinkFault)] = [
            (Array("GET ".utf8), .unknownKind(UInt8(ascii: "T"))),
            ([0, 66, 0, 0], .unknownKind(0)),
            ([0, 66, 6, 0], .unknownKind(6)),
            ([0, 66, 1, 2], .unknownFlags(2)),
            ([0, 66, 1, 3], .unknownFlags(3)),
            ([6, 98, 2, 1], .unknownFlags(1)),
            ([0, 65, 1, 0], .packetLength(65)),
            ([0, 67, 1, 0], .packetLength(67)),
            ([0xFF, 0xFF, 1, 0], .packetLength(65535)),
            ([0, 0, 1, 0], .packetLength(0)),
            ([6, 97, 2, 0], .packetLength(0x0661)),
            ([2, 65, 3, 0], .packetLength(0x0241)),
            ([0, 66, 4, 0], .outOfOrder(.cookie)),
            // 48: nothing of the link before message 3.
            ([0, 82, 5, 0], .outOfOrder(.transport)),
        ]
        for (head, fault) in heads {
            var buffer = PacketBuffer()
            buffer.append(head)
            #expect(throws: fault) { try buffer.next() }
        }
        for head: [UInt8] in [[0, 66, 1, 0], [0, 66, 1, 1], [6, 98, 2, 0], [6, 66, 3, 0], [2, 66, 3, 0]] {
            var buffer = PacketBuffer()
            buffer.append(head)
            let none = try buffer.next()
            #expect(none == nil)
        }
    }

    @Test("52: whoever stole our link key cannot pose as another to us")
    func keyCompromise() throws {
        // The thief knows bob's private key and the epoch, and wants bob to take him for alice.
        var bytes: [UInt8] = []
        var noise = LinkContext(mesh: bob.context.mesh, transport: .stream, key: bob.context.key)
            .noise(.initiator, psk: held.psk, isReverse: false)
        try noise.writeMessage(
            FirstPayload(isAhead: false, slot: 1).encode().span.bytes, random: alice.random, to: &bytes)
        let opened = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: bytes), context: bob.context, held: [held], expecting: .fresh)
        let (second, responder) = try opened.respond(bob.payload, random: bob.random)
        _ = try noise.readMessage(packet(second).bytes.span.bytes)
        // He would need alice's key for `se`; with any other he proves another key, and the node compares it with the
        // certificate (item 44). With bob's it is a reflection.
        let stranger = AgreementPrivateKey(from: alice.random)
        var forged = HandshakeState(
            pattern: .xxpsk0, role: .initiator,
            prologue: bob.context.prologue(isReverse: false).span.bytes, ownStatic: stranger, psks: [held.psk])
        bytes = []
        try forged.writeMessage(
            FirstPayload(isAhead: false, slot: 1).encode().span.bytes, random: alice.random, to: &bytes)
        let other = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: bytes), context: bob.context, held: [held], expecting: .fresh)
        let answer = try other.respond(bob.payload, random: bob.random)
        _ = try forged.readMessage(packet(answer.packet).bytes.span.bytes)
        bytes = []
        let shown = try alice.payload.padded(mayBeShort: true)
        try forged.writeMessage(
            shown.span.bytes, random: alice.random, to: &bytes)
        let claim = try answer.responder.open(
            HandshakePacket(kind: .third, bytes: bytes), now: 0, random: bob.random
        ).claim
        #expect(claim.payload.certificate == alice.payload.certificate)
        #expect(claim.linkKey == stranger.publicKey)
        #expect(claim.linkKey != alice.context.key.publicKey)
        bytes = []
        try noise.writeMessage(
            shown.span.bytes, random: alice.random, to: &bytes)
        #expect(throws: LinkFault.reflection) {
            try responder.open(HandshakePacket(kind: .third, bytes: bytes), now: 0, random: bob.random)
        }
    }

    /// A transcript by hand up to the `e` of message 1, for keys that the machine would not write; and that message's start.
    private func transcript(_ e: AgreementPublicKey) -> (symmetric: SymmetricState, message: [UInt8]) {
        var symmetric = SymmetricState(protocolName: HandshakeState.protocolName(.xxpsk0))
        symmetric.mixHash(bob.context.prologue(isReverse: false).span.bytes)
        symmetric.mixKeyAndHash(held.psk)
        symmetric.mixHash(e)
        symmetric.mixKey(e)
        return (symmetric, e.array)
    }

    /// 0, 1, and one of order 8: every encoding is tried where the keys are read (rejection 1).
    static let smallOrderKeys = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    ]

    @Test("1: a small-order `e` in message 1 draws no message 2 (ee)", arguments: smallOrderKeys)
    func smallOrderFirst(hex: String) throws {
        let small = try #require([UInt8](hex: hex).flatMap { AgreementPublicKey($0) })
        var (symmetric, message) = transcript(small)
        try symmetric.encryptAndHash(FirstPayload(isAhead: false, slot: 1).encode().span.bytes, to: &message)
        // It authenticates under the epoch's key, and no key has been agreed on yet.
        let opened = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: message), context: bob.context, held: [held], expecting: .fresh)
        #expect(opened.ephemeral == small)
        #expect(throws: LinkFault.badPublicKey) { try opened.respond(bob.payload, random: bob.random) }
    }

    @Test("1: a small-order `s` in message 2 is refused (es) before its payload is read", arguments: smallOrderKeys)
    func smallOrderSecond(hex: String) throws {
        let small = try #require([UInt8](hex: hex))
        let (first, initiator) = alice.first(held)
        var symmetric = transcript(initiator.ephemeral).symmetric
        _ = try symmetric.decryptAndHash(Array(first.bytes[32...]).span.bytes)
        let e = AgreementPrivateKey(from: bob.random)
        var message = e.publicKey.array
        symmetric.mixHash(e.publicKey)
        symmetric.mixKey(e.publicKey)
        symmetric.mixKey(try e.agree(with: initiator.ephemeral))
        try symmetric.encryptAndHash(small.span.bytes, to: &message)
        message += bob.random.bytes(1632 - message.count)
        #expect(throws: LinkFault.badPublicKey) {
            try initiator.open(HandshakePacket(kind: .second, bytes: message))
        }
    }

    @Test("1: a small-order `s` in message 3 is refused (se)", arguments: smallOrderKeys)
    func smallOrderThird(hex: String) throws {
        let small = try #require([UInt8](hex: hex))
        let e = AgreementPrivateKey(from: alice.random)
        var (symmetric, message) = transcript(e.publicKey)
        try symmetric.encryptAndHash(FirstPayload(isAhead: false, slot: 1).encode().span.bytes, to: &message)
        let opened = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: message), context: bob.context, held: [held], expecting: .fresh)
        let (answer, responder) = try opened.respond(bob.payload, random: bob.random)
        let second = packet(answer).bytes
        let theirs = try #require(AgreementPublicKey(second[..<32]))
        symmetric.mixHash(theirs)
        symmetric.mixKey(theirs)
        symmetric.mixKey(try e.agree(with: theirs))
        _ = try symmetric.decryptAndHash(Array(second[32..<80]).span.bytes)
        symmetric.mixKey(try e.agree(with: bob.context.key.publicKey))
        _ = try symmetric.decryptAndHash(Array(second[80...]).span.bytes)
        message = []
        try symmetric.encryptAndHash(small.span.bytes, to: &message)
        message += alice.random.bytes(1600 - message.count)
        #expect(throws: LinkFault.badPublicKey) {
            try responder.open(HandshakePacket(kind: .third, bytes: message), now: 0, random: bob.random)
        }
    }

    /// What is wrong with a message 2 or 3, in the order in which it has to be found.
    enum ClaimFault: CaseIterable {
        case kind, authentication, reflection, length, padding, certificate, chain, clock

        var refusal: LinkFault {
            switch self {
            case .kind: .outOfOrder(.transport)
            case .authentication: .authentication
            case .reflection: .reflection
            case .length: .payload(.truncated)
            case .padding: .payload(.trailing)
            case .certificate: .payload(.truncated)
            case .chain: .payload(.value(0x03))
            case .clock: .payload(.value(0x08))
            }
        }
    }

    @Test("Of two faults of a message 2 or 3 the one that comes first is refused", arguments: ClaimFault.allCases)
    func orderOfClaims(first: ClaimFault) throws {
        let order = ClaimFault.allCases
        let later = order[(try #require(order.firstIndex(of: first)) + 1)...]
        for second in later.map({ Optional($0) }) + [nil] {
            let faults = Set([first] + (second.map { [$0] } ?? []))
            var writer = CanonicalWriter(.authPayload)
            let certificate = alice.payload.certificate.bytes
            writer.field(0x01, bytes: faults.contains(.certificate) ? Array(certificate.prefix(1)) : certificate)
            if faults.contains(.chain) { writer.field(0x02, list: [certificate]) }
            writer.field(0x03, Octets32())
            writer.field(0x04, Octets32())
            writer.field(0x05, Octets24())
            writer.field(0x07, u32: 0)
            writer.field(0x08, bytes: [0, 0, 0, 0, faults.contains(.clock) ? 2 : 1])
            writer.field(0x09, Octets8())
            var padded: [UInt8] = []
            padded.append(u16: faults.contains(.length) ? 0xFFFF : UInt16(writer.bytes.count))
            padded += writer.bytes
            padded += repeatElement(0, count: LinkBounds.fullPayload - padded.count)
            if faults.contains(.padding) { padded[padded.count - 1] = 1 }

            func packet(_ kind: PacketKind, _ bytes: [UInt8]) -> HandshakePacket {
                var bytes = bytes
                if faults.contains(.authentication) { bytes[bytes.count - 1] ^= 1 }
                return HandshakePacket(kind: faults.contains(.kind) ? .transport : kind, bytes: bytes)
            }
            // Message 3, to bob, by one who has bob's key or alice's.
            let own = faults.contains(.reflection) ? bob.context : alice.context
            var noise = own.noise(.initiator, psk: held.psk, isReverse: false)
            var bytes: [UInt8] = []
            try noise.writeMessage(
                FirstPayload(isAhead: false, slot: 1).encode().span.bytes, random: alice.random, to: &bytes)
            let opened = try FirstMessage.open(
                HandshakePacket(kind: .first, bytes: bytes), context: bob.context, held: [held], expecting: .fresh)
            let (answer, responder) = try opened.respond(bob.payload, random: bob.random)
            _ = try noise.readMessage(CoveyLinkTests.packet(answer).bytes.span.bytes)
            bytes = []
            try noise.writeMessage(padded.span.bytes, random: alice.random, to: &bytes)
            #expect(throws: first.refusal, "message 3, \(faults)") {
                try responder.open(packet(.third, bytes), now: 0, random: bob.random)
            }
            // Message 2, to alice, by one who has alice's key or bob's.
            let (knock, initiator) = alice.first(held)
            let other = faults.contains(.reflection) ? alice.context : bob.context
            var responding = other.noise(.responder, psk: held.psk, isReverse: false)
            _ = try responding.readMessage(knock.bytes.span.bytes)
            bytes = []
            try responding.writeMessage(padded.span.bytes, random: bob.random, to: &bytes)
            #expect(throws: first.refusal, "message 2, \(faults)") { try initiator.open(packet(.second, bytes)) }
        }
    }

    @Test("52: a message 3 that names alice without her key does not authenticate")
    func namedWithoutKey() throws {
        let e = AgreementPrivateKey(from: alice.random)
        var (symmetric, message) = transcript(e.publicKey)
        try symmetric.encryptAndHash(FirstPayload(isAhead: false, slot: 1).encode().span.bytes, to: &message)
        let opened = try FirstMessage.open(
            HandshakePacket(kind: .first, bytes: message), context: bob.context, held: [held], expecting: .fresh)
        let (answer, responder) = try opened.respond(bob.payload, random: bob.random)

        let second = packet(answer).bytes
        let theirs = try #require(AgreementPublicKey(second[..<32]))
        symmetric.mixHash(theirs)
        symmetric.mixKey(theirs)
        symmetric.mixKey(try e.agree(with: theirs))
        let shown = try symmetric.decryptAndHash(Array(second[32..<80]).span.bytes)
        let bobKey = try #require(AgreementPublicKey(shown))
        #expect(bobKey == bob.context.key.publicKey)
        symmetric.mixKey(try e.agree(with: bobKey))
        _ = try symmetric.decryptAndHash(Array(second[80...]).span.bytes)

        // `se` is alice's key with bob's ephemeral. The thief has bob's key, and neither of those two private ones.
        let payload = try alice.payload.padded(mayBeShort: true)
        for guess in [e, bob.context.key] {
            var attempt = symmetric
            message = []
            try attempt.encryptAndHash(alice.context.key.publicKey.array.span.bytes, to: &message)
            attempt.mixKey(try guess.agree(with: theirs))
            try attempt.encryptAndHash(payload.span.bytes, to: &message)
            #expect(throws: LinkFault.authentication) {
                try responder.open(HandshakePacket(kind: .third, bytes: message), now: 0, random: bob.random)
            }
        }
        // With alice's key the same transcript is good: the loop above fails for want of it, and of nothing else.
        message = []
        try symmetric.encryptAndHash(alice.context.key.publicKey.array.span.bytes, to: &message)
        symmetric.mixKey(try alice.context.key.agree(with: theirs))
        try symmetric.encryptAndHash(payload.span.bytes, to: &message)
        _ = try responder.open(HandshakePacket(kind: .third, bytes: message), now: 0, random: bob.random)
    }
}
