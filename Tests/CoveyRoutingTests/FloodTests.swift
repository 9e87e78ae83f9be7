import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyRouting

struct FloodTests {
    private let mail = Mail(seed: 1)
    private let flood = Flood()
    private let link = LinkView(isSparing: false)
    private let now = Now(uptime: 0, wall: 0)

    private func peer(zones: [UInt8] = [], pressure: UInt8 = 0) -> PeerView {
        PeerView(
            device: mail.neighbour(), zones: ZoneSet(zones.map(ZoneHint.init)),
            pressure: PerPriority(Pressure(pressure)))
    }

    @Test("group mail and announcements flood; pairwise mail and chunks go along as opportunistic copies")
    func tokens() throws {
        let peer = peer()
        for kind in EnvelopeKind.allCases {
            let handover = try #require(flood.offer(mail.make(kind), to: peer, link: link, now: now))
            #expect(handover.tokens == (kind == .group || kind == .announcement ? .flood : .opportunistic))
        }
        #expect(flood.initialTokens(mail.make(.announcement, .emergency), mesh: Mail.mesh) == .flood)
        #expect(flood.initialTokens(mail.make(.group), mesh: Mail.mesh) == .flood)
        #expect(flood.initialTokens(mail.make(.pairwise), mesh: Mail.mesh) == .spray(1))
        #expect(flood.initialTokens(mail.make(.chunk), mesh: Mail.mesh) == .spray(1))
    }

    @Test("nothing goes back to where it came from, or on after 32 hops, or to a full neighbour of another zone")
    func nowhere() {
        let peer = peer()
        #expect(flood.offer(mail.make(from: peer.device), to: peer, link: link, now: now) == nil)
        #expect(flood.offer(mail.make(hops: 32), to: peer, link: link, now: now) == nil)
        #expect(flood.offer(mail.make(hops: 31), to: peer, link: link, now: now) != nil)
        let full = self.peer(zones: [7], pressure: 240)
        #expect(flood.offer(mail.make(), to: full, link: link, now: now) == nil)
        let delivery = flood.offer(mail.make(zone: ZoneHint(7)), to: full, link: link, now: now)
        #expect(delivery?.reason == .delivery)
    }

    @Test("emergencies first, then class by class: the peer's zone, floods, the rest; small before large")
    func order() {
        let peer = peer(zones: [3])
        let ranked = [
            mail.make(.announcement, .emergency), mail.make(.pairwise, .urgent), mail.make(zone: ZoneHint(3)),
            mail.make(.group), mail.make(.group, bucket: .bytes2048), mail.make(expiresIn: 66), mail.make(),
            mail.make(.chunk, .bulk, bucket: .bytes16384),
        ]
        for _ in 0..<20 {
            var shuffled = ranked
            mail.dice.shuffle(&shuffled)
            var plan: [Handover] = []
            flood.plan(shuffled, to: peer, link: link, budget: 1 << 20, now: now, into: &plan)
            #expect(plan.map(\.id) == ranked.map(\.id))
        }
        var plan: [Handover] = []
        flood.plan(ranked, to: peer, link: link, budget: 1100, now: now, into: &plan)
        #expect(plan.map(\.id) == ranked.prefix(2).map(\.id))
    }

    @Test("a full class is cleared in strides, not envelope by envelope; one with room not at all")
    func strides() throws {
        var store = StoreView(quota: Quota(store: 2_000_000, log: 0), neighbours: 2)
        #expect(flood.victims(.bulk, need: 512, store: store, now: Hour(Mail.hour)) == [])
        while store.room.holds(512, .bulk) { store.insert(mail.make(.chunk, .bulk)) }
        let share = store.share(.bulk)
        let victims = try #require(flood.victims(.bulk, need: 512, store: store, now: Hour(Mail.hour)))
        #expect(victims.count * 512 >= share / 128 && victims.count * 512 < share / 128 + 1024)
    }

    @Test("a neighbour's token byte is held to what it may write")
    func received() {
        #expect(Tokens(received: 255, kind: .pairwise, zone: .any) == .spray(64))
        #expect(Tokens(received: 255, kind: .chunk, zone: ZoneHint(1)) == .spray(64))
        #expect(Tokens(received: 255, kind: .chunk, zone: .any) == .flood)
        #expect(Tokens(received: 3, kind: .group, zone: .any) == .flood)
        #expect(Tokens(received: 0, kind: .pairwise, zone: .any) == .opportunistic)
    }

    @Test("zones are found where they were put, and any is none")
    func zones() {
        let listed = (0...255 as ClosedRange<UInt8>).filter { $0 % 7 == 0 || $0 == 255 }
        let set = ZoneSet(listed.map(ZoneHint.init))
        for zone in 0...255 as ClosedRange<UInt8> {
            #expect(set.contains(ZoneHint(zone)) == (zone % 7 == 0 && zone != 255))
        }
    }
}
