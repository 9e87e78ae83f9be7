import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyRouting

struct PolicyTests {
    private let mail = Mail(seed: 2)
    private let link = LinkView(isSparing: false)

    private func now(seconds: UInt64 = 0) -> Now { Now(uptime: seconds * 1_000_000, wall: 0) }

    private func peer(zones: [UInt8] = []) -> PeerView {
        PeerView(device: mail.neighbour(), zones: ZoneSet(zones.map(ZoneHint.init)))
    }

    private func host(_ number: UInt32) -> PeerView {
        PeerView(device: mail.neighbour(), zones: ZoneSet(), host: .host(number))
    }

    private func letter(to number: UInt32, tokens: Tokens = .spray(1)) -> EnvelopeMeta {
        EnvelopeMeta(
            study: .random(from: mail.dice), from: mail.neighbour(), to: number, size: 10_000, expiry: Hour(Mail.hour),
            tokens: tokens, hops: 0, isOwn: true)
    }

    @Test("a destination is a zone or a host, and a neighbour receives for its zones or for itself")
    func destinations() {
        #expect(peer(zones: [4]).receives(Destination(ZoneHint(4))))
        #expect(!peer(zones: [4]).receives(Destination(ZoneHint(5))))
        #expect(!peer(zones: [4]).receives(.unknown))
        #expect(host(70_000).receives(.host(70_000)))
        #expect(!host(4).receives(Destination(ZoneHint(4))))
        #expect(Destination(.any) == .unknown)
    }

    @Test("direct delivery hands mail to its destination alone, and shows everybody else that it is there")
    func direct() {
        let direct = Direct()
        let letter = letter(to: 3)
        #expect(direct.offer(letter, to: host(3), link: link, now: now())?.reason == .delivery)
        #expect(direct.offer(letter, to: host(4), link: link, now: now()) == nil)
        #expect(direct.shows(letter, to: host(4)))
        #expect(
            direct.remains(of: .spray(1), after: Handover(id: letter.id, tokens: .spray(1), reason: .delivery))
                == .whole)
        #expect(direct.offer(mail.make(.group), to: peer(), link: link, now: now())?.tokens == .flood)
    }

    @Test("an epidemic copies everything to everybody, and its copies are no looser than the first")
    func epidemic() {
        let handover = Epidemic().offer(mail.make(), to: peer(), link: link, now: now())
        #expect(handover?.tokens == .spray(1))
        #expect(!Epidemic().shows(mail.make(), to: peer()))
    }

    @Test("binary spray hands on half, keeps the rest, and with one token left waits for the destination")
    func spray() {
        let policy = SprayAndWait(copies: 8)
        #expect(policy.initialTokens(mail.make(), mesh: Mail.mesh) == .spray(8))
        for held in 0...64 as ClosedRange<UInt8> {
            let letter = letter(to: 9, tokens: .spray(held))
            let handover = policy.offer(letter, to: host(1), link: link, now: now())
            guard held >= 2 else {
                #expect(handover == nil)
                #expect(policy.offer(letter, to: host(9), link: link, now: now())?.tokens == .opportunistic)
                continue
            }
            guard let handover, case .tokens(let left) = policy.remains(of: .spray(held), after: handover) else {
                Issue.record("\(held) tokens are not handed on")
                continue
            }
            #expect(handover.tokens.value == held / 2 && left.value == held - held / 2)
        }
    }

    @Test("tokens are only moved: however a spray goes, their sum stays")
    func conservation() {
        let policy = SprayAndWait(copies: 64)
        var held = [UInt8](repeating: 0, count: 40)
        held[0] = 64
        for _ in 0..<2_000 {
            let from = Int(mail.dice.uniform(40 as UInt64))
            let to = Int(mail.dice.uniform(40 as UInt64))
            guard held[to] == 0, held[from] > 0, from != to else { continue }
            let letter = letter(to: 99, tokens: .spray(held[from]))
            guard let handover = policy.offer(letter, to: host(UInt32(to)), link: link, now: now()) else { continue }
            guard case .tokens(let left) = policy.remains(of: .spray(held[from]), after: handover) else { continue }
            held[from] = left.value
            held[to] = handover.tokens.value
        }
        #expect(held.reduce(0) { $0 + Int($1) } == 64)
        #expect(held.filter { $0 == 1 }.count > 8)
    }

    @Test("first contact moves its one copy")
    func firstContact() throws {
        let letter = letter(to: 9)
        let handover = try #require(FirstContact().offer(letter, to: host(1), link: link, now: now()))
        #expect(handover.tokens == .spray(1))
        #expect(FirstContact().remains(of: .spray(1), after: handover) == .nothing)
        let group = Handover(id: letter.id, tokens: .flood, reason: .flood)
        #expect(FirstContact().remains(of: .flood, after: group) == .whole)
    }

    @Test("PRoPHET's values are those of its formulas: meeting, ageing in steps of 30 s, and reaching through another")
    func prophetValues() {
        var ana = PRoPHET(host: .host(0))
        var bo = PRoPHET(host: .host(1))
        let anaView = host(0)
        let boView = host(1)
        bo.contactUp(host(2), now: now())
        #expect(bo.likelihood(.host(2), now: now()) == 0.75)
        #expect(bo.likelihood(.host(2), now: now(seconds: 29)) == 0.75)
        #expect(bo.likelihood(.host(2), now: now(seconds: 60)) == 0.75 * (0.98 * 0.98))
        ana.contactUp(boView, now: now(seconds: 60))
        ana.heardUtility(bo.utility(limit: .max, now: now(seconds: 60)), from: boView, now: now(seconds: 60))
        #expect(abs(ana.likelihood(.host(2), now: now(seconds: 60)) - 0.75 * 0.75 * 0.9604 * 0.25) < 1e-12)
        bo.contactUp(anaView, now: now(seconds: 60))
        bo.heardUtility(ana.utility(limit: .max, now: now(seconds: 60)), from: anaView, now: now(seconds: 60))
        #expect(bo.likelihood(.host(1), now: now(seconds: 60)) == 0, "nobody is its own destination")
        ana.contactDown(boView, sent: 0, got: 0, now: now(seconds: 90))
        ana.contactUp(boView, now: now(seconds: 90))
        let aged = 0.75 * 0.98
        #expect(abs(ana.likelihood(.host(1), now: now(seconds: 90)) - (aged + (1 - aged) * 0.75)) < 1e-12)
    }

    @Test("PRoPHET gives mail to who is likelier to meet its destination, the likeliest mail first")
    func prophetOffers() throws {
        var ana = PRoPHET(host: .host(0))
        let boView = host(1)
        var bo = PRoPHET(host: .host(1))
        bo.contactUp(host(2), now: now())
        bo.contactUp(host(3), now: now(seconds: 300))
        ana.contactUp(boView, now: now(seconds: 300))
        let told = bo.utility(limit: .max, now: now(seconds: 300))
        ana.heardUtility(told, from: boView, now: now(seconds: 300))
        let (old, new, none) = (letter(to: 2), letter(to: 3), letter(to: 4))
        var plan: [Handover] = []
        ana.plan([old, none, new], to: boView, link: link, budget: .max, now: now(seconds: 330), into: &plan)
        #expect(plan.map(\.id) == [new.id, old.id])
        #expect(bo.utility(limit: 1, now: now(seconds: 300)).destinations == [.host(3)])
        // Having met it herself, she keeps it.
        ana.contactUp(host(3), now: now(seconds: 330))
        #expect(ana.offer(new, to: boView, link: link, now: now(seconds: 330)) == nil)
    }

    @Test("PRoPHET knows zones where there are no hosts")
    func prophetZones() {
        var ana = PRoPHET()
        let away = peer(zones: [7])
        var bo = PRoPHET()
        bo.contactUp(away, now: now())
        let boView = peer(zones: [1, 2])
        ana.contactUp(boView, now: now())
        ana.heardUtility(bo.utility(limit: 16, now: now()), from: boView, now: now())
        #expect(ana.offer(mail.make(zone: ZoneHint(7)), to: boView, link: link, now: now()) != nil)
        #expect(ana.offer(mail.make(zone: ZoneHint(8)), to: boView, link: link, now: now()) == nil)
    }

    @Test("the chosen routing is the policy of that name")
    func routing() {
        let letter = letter(to: 1, tokens: .spray(5))
        func same(_ routing: Routing, _ policy: some ReplicationPolicy) {
            for peer in [host(1), host(2)] {
                let handover = policy.offer(letter, to: peer, link: link, now: now())
                #expect(routing.offer(letter, to: peer, link: link, now: now()) == handover)
                #expect(routing.shows(letter, to: peer) == policy.shows(letter, to: peer))
                guard let handover else { continue }
                #expect(
                    routing.remains(of: letter.tokens, after: handover)
                        == policy.remains(of: letter.tokens, after: handover))
            }
            #expect(
                routing.initialTokens(letter, mesh: Mail.mesh) == policy.initialTokens(letter, mesh: Mail.mesh))
        }
        same(.flood, Flood())
        same(.direct, Direct())
        same(.epidemic, Epidemic())
        same(.sprayAndWait(copies: 8), SprayAndWait(copies: 8))
        same(.firstContact, FirstContact())
        same(.adaptive, AdaptiveReplication())
    }

    @Test("a buffer that is one room gives every byte to the class that asks")
    func oneRoom() {
        let quota = Quota.oneRoom(1_000)
        #expect(quota.share(.normal, own: 300) == 700 && quota.outbox == 1_000 && quota.control == 0)
    }
}
