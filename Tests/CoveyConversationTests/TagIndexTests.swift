import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyConversation

@Suite("Recipient tags")
struct TagIndexTests {
    private let random = SeededRandom(seed: 31)

    private func header(_ tag: RecipientTag, day: UInt32) -> EnvelopeHeader {
        EnvelopeHeader(
            kind: .pairwise, priority: .urgent, ttl: .day, bucket: .bytes2048, zone: .any,
            expiry: Hour(day * 24 + UInt32(random.uniform(24))), tag: tag, purgeCommit: PurgeCommit())
    }

    private func contacts(_ count: Int) throws -> [PeerDevice] {
        let mesh = MeshID.random(from: random)
        let own = OwnDevice(
            mesh: mesh, hash: .random(from: random), message: AgreementPrivateKey(from: random))
        return try (0..<count).map { _ in
            try PeerDevice(
                hash: .random(from: random), message: AgreementPrivateKey(from: random).publicKey, of: own)
        }
    }

    @Test("the index says of every tag what a list of all tags says")
    func model() throws {
        let peers = try contacts(60)
        var index = TagIndex()
        var model: [RecipientTag: DeviceID] = [:]
        var known: [PeerDevice] = []
        let days: ClosedRange<UInt32> = 20_150...20_160
        func learn(_ peer: PeerDevice) {
            known.append(peer)
            for day in days {
                for i in RecipientTag.indices {
                    model[RecipientTag(day: ExpiryDay(day), index: i, key: peer.pair.incoming.tag)] = peer.id
                }
            }
        }
        for _ in 0..<4000 {
            let day = UInt32(random.uniform(Int(days.lowerBound)...Int(days.upperBound)))
            if known.count < peers.count, random.uniform(40) == 0 {
                index.add(peers[known.count])
                learn(peers[known.count])
            }
            let peer = peers[random.uniform(0...peers.count - 1)]
            let tag =
                switch random.uniform(4) {
                case 0: RecipientTag.random(from: random)
                // What we send has our outgoing key, and is not for us.
                case 1: RecipientTag(day: ExpiryDay(day), key: peer.pair.outgoing.tag, random: random)
                // The tag of another day.
                case 2: RecipientTag(day: ExpiryDay(day + 100), key: peer.pair.incoming.tag, random: random)
                default: RecipientTag(day: ExpiryDay(day), key: peer.pair.incoming.tag, random: random)
                }
            #expect(index.sender(of: header(tag, day: day)) == model[tag])
        }
        #expect(known.count == peers.count)
        #expect(index.contactCount == 60)
    }

    @Test("the whole tag counts, not only the part that is indexed")
    func prefix() throws {
        let peer = try contacts(1)[0]
        var index = TagIndex()
        index.add(peer)
        let tag = RecipientTag(day: ExpiryDay(20_000), index: 2, key: peer.pair.incoming.tag)
        #expect(index.sender(of: header(tag, day: 20_000)) == peer.id)
        for at in 0..<16 {
            var bytes = tag.array
            bytes[at] ^= 0x40
            let other = try #require(RecipientTag(bytes))
            #expect(index.sender(of: header(other, day: 20_000)) == nil)
        }
    }

    @Test("days are held as far as mail can live, the earliest goes first, and one that went comes back when seen")
    func days() throws {
        let peer = try contacts(1)[0]
        var index = TagIndex()
        index.add(peer)
        func found(_ day: UInt32) -> Bool {
            let tag = RecipientTag(day: ExpiryDay(day), index: 0, key: peer.pair.incoming.tag)
            return index.sender(of: header(tag, day: day)) == peer.id
        }
        for day: UInt32 in 100..<130 { #expect(found(day)) }
        #expect(index.heldDays.map(\.value) == Array(114..<130))
        #expect(found(118))
        #expect(index.heldDays.map(\.value) == Array(114..<130))
        #expect(found(100))
        #expect(index.heldDays.map(\.value) == [100] + Array(114..<129))
        #expect(found(200))
        #expect(index.heldDays.map(\.value) == Array(114..<129) + [200])
    }

    @Test("an index without contacts knows nobody")
    func empty() {
        var index = TagIndex()
        #expect(index.sender(of: header(.random(from: random), day: 1)) == nil)
    }
}
