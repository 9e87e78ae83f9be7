import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyRouting

struct RetentionTests {
    private let mail = Mail(seed: 2)
    private let now = Hour(Mail.hour)

    /// 90,000 bytes of relayed mail: 9,000, 18,000, 45,000 and 18,000 by class.
    private func store(zones: [UInt8] = [], neighbours: Int = 4) -> StoreView {
        StoreView(
            quota: Quota(store: 100_000, log: 0), zones: ZoneSet(zones.map(ZoneHint.init)), neighbours: neighbours)
    }

    private func fill(
        _ store: inout StoreView, _ count: Int, from neighbour: DeviceID, _ priority: Priority = .normal,
        tokens: Tokens = .spray(4), isCustody: Bool = false
    ) -> [EnvelopeMeta] {
        (0..<count).map { index in
            let one = mail.make(
                priority == .emergency ? .announcement : .pairwise, priority, expiresIn: UInt32(6 + index % 20 * 6),
                tokens: tokens, from: neighbour, isCustody: isCustody)
            store.insert(one)
            return one
        }
    }

    private func admit(_ envelope: EnvelopeMeta, _ store: StoreView, isWithinRate: Bool = true) -> Intake {
        Flood().admit(
            envelope, from: PeerView(device: envelope.ingress, zones: ZoneSet()), isWithinRate: isWithinRate,
            store: store)
    }

    @Test("shares follow the table, and the log is never squeezed")
    func shares() {
        let quota = Quota(store: 1000, log: 20)
        #expect(quota.control == 100)
        #expect(Quota(store: 1000, log: 300).control == 300)
        #expect(quota.outbox == 500)
        #expect(Priority.allCases.map { quota.share($0, own: 0) } == [90, 180, 450, 180])
        #expect(quota.relay(own: 5000) == 0)
    }

    @Test("below half a class nothing is refused for rate or share: the excess comes in as surplus")
    func surplus() {
        var store = store()
        let neighbour = mail.neighbour()
        for _ in 0..<43 {
            let one = mail.make(from: neighbour)
            #expect(admit(one, store, isWithinRate: false) == .surplus(.spray(4)))
            #expect(admit(one, store) == .keep(.spray(4)))
            store.insert(one)
        }
    }

    @Test("above half, rate and share bind each neighbour; others still come in")
    func shareBinds() {
        var store = store()
        let loud = mail.neighbour()
        _ = fill(&store, 50, from: loud)
        #expect(store.pressure(.normal) > .binding)
        #expect(admit(mail.make(from: loud), store) == .refuse(.share))
        let quiet = mail.make()
        #expect(admit(quiet, store) == .keep(.spray(4)))
        #expect(admit(quiet, store, isWithinRate: false) == .refuse(.share))
    }

    @Test("nearly full, a class takes only mail of our zones; more urgent ones go on by their own measure")
    func nearlyFull() {
        var store = store(zones: [5], neighbours: 0)
        for _ in 0..<80 { _ = fill(&store, 1, from: mail.neighbour()) }
        #expect(store.pressure(.normal) > .nearlyFull)
        #expect(admit(mail.make(), store) == .refuse(.pressure))
        #expect(admit(mail.make(zone: ZoneHint(5)), store) == .keep(.spray(4)))
        #expect(admit(mail.make(.pairwise, .urgent), store) == .keep(.spray(4)))
    }

    @Test("own mail may take half the store, then the app is told; too many hops and too large for a class are refused")
    func own() {
        var store = StoreView(quota: Quota(store: 2048, log: 0))
        func sealed() -> EnvelopeMeta { mail.make(isOwn: true) }
        func admit(_ envelope: EnvelopeMeta) -> Intake {
            Flood().admit(envelope, from: nil, isWithinRate: true, store: store)
        }
        #expect(admit(sealed()) == .keep(.spray(4)))
        store.insert(sealed())
        #expect(admit(sealed()) == .keep(.spray(4)))
        store.insert(sealed())
        #expect(admit(sealed()) == .refuse(.outboxFull))
        #expect(self.admit(mail.make(hops: 33), self.store()) == .refuse(.hops))
        #expect(self.admit(mail.make(bucket: .bytes2048), store) == .refuse(.full))
    }

    @Test("with room there are no victims; without, expired mail of any class goes before all else")
    func expiredFirst() {
        var store = store()
        #expect(Retention.victims(.normal, need: 512, store: store, now: now) == [])
        var old: [EnvelopeMeta] = []
        for neighbour in [mail.neighbour(), mail.neighbour()] {
            old += fill(&store, 10, from: neighbour, .bulk).filter { $0.expiry <= now.adding(6) }
            _ = fill(&store, 51, from: neighbour)
        }
        old += store.mail(.normal).filter { $0.expiry <= now.adding(6) }
        let victims = Retention.victims(.normal, need: 1024, store: store, now: now.adding(6))
        #expect(victims.map(Set.init) == Set(old.map(\.id)))
    }

    @Test("then surplus and opportunistic copies: most hops first, then oldest")
    func looseNext() {
        var store = store()
        _ = fill(&store, 100, from: mail.neighbour())
        let far = mail.make(tokens: .opportunistic, hops: 9)
        let old = mail.make(expiresIn: 12, tokens: .opportunistic, hops: 2)
        let new = mail.make(expiresIn: 120, hops: 2, isSurplus: true)
        for one in [new, old, far] { store.insert(one) }
        _ = fill(&store, 20, from: mail.neighbour(), tokens: .spray(2))
        // Its own 45,000 bytes, and the 18,000 of bulk that lie unused.
        for count in 1...3 {
            let need = 63_000 - store.used(.normal) + 512 * (count - 1) + 1
            let victims = Retention.victims(.normal, need: need, store: store, now: now)
            #expect(victims == Array([far, old, new].map(\.id).prefix(count)))
        }
    }

    @Test("then the longest queue pays, what expires first: nobody loses mail while another neighbour holds more")
    func longestQueue() throws {
        for seed in 3...12 as ClosedRange<UInt64> {
            let mail = Mail(seed: seed)
            var store = store()
            let neighbours = (0..<4).map { _ in mail.neighbour() }
            while store.used(.normal) < 62_500 {
                let who = neighbours[Int(min(mail.dice.uniform(5), 3))]
                store.insert(mail.make(expiresIn: UInt32(6 + mail.dice.uniform(20) * 6), from: who))
            }
            var held = Dictionary(uniqueKeysWithValues: store.mail(.normal).map { ($0.id, $0) })
            let victims = try #require(Retention.victims(.normal, need: 30_000, store: store, now: now))
            #expect(!victims.isEmpty)
            for id in victims {
                let victim = try #require(held[id])
                let bytes = store.bytes(.normal, of: victim.ingress)
                #expect(neighbours.allSatisfy { store.bytes(.normal, of: $0) <= bytes })
                #expect(held.values.allSatisfy { $0.ingress != victim.ingress || $0.expiry >= victim.expiry })
                store.remove(id, priority: .normal)
                held[id] = nil
            }
            #expect(store.room.holds(30_000, .normal))
        }
    }

    @Test("a class that borrowed gives back first, and a class that owns its room pays nothing for others")
    func borrowed() throws {
        var store = store()
        _ = fill(&store, 88 + 35, from: mail.neighbour())
        #expect(store.used(.normal) > store.share(.normal))
        let bulk = fill(&store, 35, from: mail.neighbour(), .bulk)
        let urgent = fill(&store, 14, from: mail.neighbour(), .urgent)
        _ = fill(&store, 3, from: mail.neighbour(), .emergency)
        let victims = try #require(Retention.victims(.urgent, need: 2048, store: store, now: now))
        #expect(!victims.isEmpty)
        #expect(Set(victims).isDisjoint(with: (bulk + urgent).map(\.id)))
        // A class beyond its share and what others leave pays itself.
        let own = try #require(Retention.victims(.normal, need: 512, store: store, now: now))
        #expect(Set(own).isSubset(of: store.mail(.normal).map(\.id)))
    }

    @Test("own mail and custody never go: then there is no way")
    func never() {
        var store = store()
        for _ in 0..<20 { store.insert(mail.make(isOwn: true)) }
        _ = fill(&store, 140, from: mail.neighbour(), isCustody: true)
        #expect(Retention.victims(.normal, need: 512, store: store, now: now) == nil)
        #expect(Retention.victims(.normal, need: 1 << 30, store: self.store(), now: now) == nil)
    }

    @Test("the view counts what is in it, by class and neighbour, through any coming and going")
    func ledger() {
        let mail = Mail(seed: 20)
        var store = store()
        var held: [EnvelopeMeta] = []
        let neighbours = (0..<3).map { _ in mail.neighbour() }
        for _ in 0..<600 {
            if mail.dice.uniform(3) > 0 || held.isEmpty {
                let priority = Priority.allCases[1 + Int(mail.dice.uniform(3))]
                let one = mail.make(
                    .pairwise, priority, bucket: Bucket.allCases[Int(mail.dice.uniform(5))],
                    from: neighbours[Int(mail.dice.uniform(3))], isOwn: mail.dice.uniform(8) == 0)
                store.insert(one)
                held.append(one)
            } else {
                let one = held.remove(at: Int(mail.dice.uniform(UInt64(held.count))))
                if one.isOwn {
                    store.remove(own: one)
                } else {
                    #expect(store.remove(one.id, priority: one.priority) == one)
                }
                #expect(store.remove(one.id, priority: one.priority) == nil)
            }
        }
        #expect(store.ownBytes == held.filter(\.isOwn).reduce(0) { $0 + $1.size })
        for priority in Priority.allCases {
            let relayed = held.filter { !$0.isOwn && $0.priority == priority }
            #expect(store.used(priority) == relayed.reduce(0) { $0 + $1.size })
            #expect(Set(store.mail(priority)) == Set(relayed))
            for neighbour in neighbours {
                let bytes = relayed.filter { $0.ingress == neighbour }.reduce(0) { $0 + $1.size }
                #expect(store.bytes(priority, of: neighbour) == bytes)
            }
        }
    }

    @Test("an allowance gives 120 envelopes and 256 KiB a minute after its burst, and four times that to a gateway")
    func allowance() {
        for factor in [1, 4] {
            var allowance = Allowance(isGateway: factor == 4, now: 0)
            func spent(_ size: Int, at now: UInt64) -> Int {
                var count = 0
                while allowance.spend(size, now: now) { count += 1 }
                return count
            }
            #expect(spent(512, at: 0) == 960 * factor)
            #expect(spent(512, at: 60_000_000) == 120 * factor)
            #expect(spent(512, at: 60_250_000) == (factor == 1 ? 0 : 2))
            #expect(spent(512, at: 60_500_000) == (factor == 1 ? 1 : 2))
            #expect(spent(16_384, at: 60_000_000 * 1000) == 128 * factor)
            #expect(spent(16_384, at: 60_000_000 * 1001) == 16 * factor)
            // A clock that stands still gives nothing.
            #expect(spent(512, at: 0) == 0)
        }
    }
}
