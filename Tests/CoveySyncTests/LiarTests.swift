import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

struct LiarTests {
    private static func sets(_ dice: SeededRandom, count: Int) -> TwoStores {
        let (left, right) = Pattern.scattered.make(count: count, difference: count / 5, dice)
        return TwoStores(left, right, seed: dice.nextWord())
    }

    @Test("bytes at random, of every frame type and length, are refused or understood, and never trap")
    func randomBytes() {
        let dice = SeededRandom(seed: 1, stream: "liar")
        var understood = 0
        for _ in 0..<20_000 {
            var body = dice.bytes(Int(dice.uniform(60)))
            if !body.isEmpty { body[0] = UInt8(1 + dice.uniform(7)) }
            let type = UInt8(0x20 + dice.uniform(5))
            guard let frame = try? SyncFrame(type: type, body: body.span.bytes) else { continue }
            understood += 1
            // One frame has one form.
            #expect(frame.body == body)
        }
        #expect(understood > 0)
        #expect(throws: SyncFault.oversized) {
            _ = try SyncFrame(type: 0x22, body: [UInt8](repeating: 0, count: 20_000).span.bytes)
        }
    }

    @Test("frames changed on the way never make equal what is not, and what they cost is bounded", arguments: 1...60)
    func mutated(seed: UInt64) throws {
        let dice = SeededRandom(seed: seed, stream: "mutated")
        var stores = Self.sets(dice, count: 300)
        stores.start(0)
        stores.start(1)
        var ended = false
        var steps = 0
        while !ended, steps < 3000 {
            steps += 1
            if stores.queue.isEmpty {
                for side in 0...1 {
                    stores.perform(stores.sessions[side].settled(set: &stores.sets[side]), of: side)
                }
                if stores.queue.isEmpty { break }
            }
            if dice.uniform(4) == 0, case .frame(let type, var body) = stores.queue[0].parcel {
                for _ in 0...dice.uniform(3) {
                    switch dice.uniform(3) {
                    case 0: body[Int(dice.uniform(UInt64(body.count)))] = UInt8(truncatingIfNeeded: dice.nextWord())
                    case 1 where body.count > 8: body.removeLast(Int(dice.uniform(8)))
                    default: body += dice.bytes(Int(dice.uniform(12)))
                    }
                }
                stores.queue[0].parcel = .frame(type: type, body: body)
            }
            let before = stores.outcomes
            let (side, parcel) = stores.queue.removeFirst()
            switch parcel {
            case .frame(let type, let body):
                do {
                    guard let frame = try SyncFrame(type: type, body: body.span.bytes) else { continue }
                    let now = stores.now
                    let clock = stores.clocks[side]
                    let answer = try stores.sessions[side].receive(
                        frame, set: &stores.sets[side], clock: clock, now: now)
                    stores.perform(answer, of: side)
                } catch {
                    // The link would close here.
                    ended = true
                }
            case .items(let items): for item in items { stores.sets[side].insert(item) }
            case .want(let ids):
                let found = stores.sessions[side].resolve(ids, set: &stores.sets[side])
                let items = found.compactMap { $0 }.map { stores.sets[side].item($0)! }
                stores.queue.append((1 - side, .items(items)))
            }
            for side in 0...1 where stores.outcomes[side].count > before[side].count {
                let last = stores.outcomes[side].last
                if last == .equal || last == .complete { #expect(stores.items(0) == stores.items(1)) }
            }
        }
        #expect(steps < 3000)
        #expect(stores.cost.bytes < 400_000)
    }

    @Test("a peer that says anything at all, in any order, gets a bounded answer and no equal", arguments: 1...20)
    func fantasy(seed: UInt64) {
        let dice = SeededRandom(seed: seed, stream: "fantasy")
        var stores = Self.sets(dice, count: 400)
        let set = stores.sets[0]
        var sent = 0
        var pushed = 0
        var outcomes: [SyncOutcome] = []
        var links = 1
        func take(_ steps: [SyncStep]) {
            for step in steps {
                switch step {
                case .send(let frame): sent += frame.body.count
                case .push(let ids): pushed += ids.count
                case .want: break
                case .finished(let outcome): outcomes.append(outcome)
                }
            }
        }
        var session = stores.sessions[0]
        for turn in 0..<400 as Range<UInt64> {
            let frame = Self.fantasy(dice)
            let now = turn * 10_000
            if turn % 50 == 0 { take(session.start(set: &stores.sets[0], clock: stores.clocks[0], now: now)) }
            do {
                take(try session.receive(frame, set: &stores.sets[0], clock: stores.clocks[0], now: now))
            } catch {
                session = stores.sessions[0]
                links += 1
            }
            take(session.due(set: &stores.sets[0], clock: stores.clocks[0], now: now))
            take(session.settled(set: &stores.sets[0]))
        }
        #expect(!outcomes.contains(.equal) && !outcomes.contains(.complete))
        #expect(stores.sets[0].aggregate(floor: Hour(0)) == set.aggregate(floor: Hour(0)))
        #expect(sent < links * 3 * (16 * 400 + Limits.roundBytes))
        #expect(pushed < links * 3 * (400 + Limits.growth))
    }

    private static func fantasy(_ dice: SeededRandom) -> SyncFrame {
        let namespace = Namespace.mail(.normal)
        let hour = Hour(TwoStores.hour - UInt32(dice.uniform(200)))
        switch dice.uniform(8) {
        case 0:
            return .digest(
                Digest(
                    namespace: namespace, floor: hour, count: UInt32(dice.uniform(500)),
                    fingerprint: .random(from: dice)))
        case 1, 2:
            var other = KnownSet(namespace, seed: 0)
            for _ in 0..<dice.uniform(200) {
                let slot = Hour(TwoStores.hour - UInt32(dice.uniform(200)))
                other.insert(Item(slot: slot, id: .random(from: dice), expiry: nil))
            }
            return .summary(
                Summary(of: &other, origin: Hour(TwoStores.hour), floor: hour, salt: Salt(key: .random(from: dice))))
        case 3:
            return .done(
                ReconDone(
                    namespace: namespace,
                    session: SessionID(run: UInt16(dice.uniform(4)), round: UInt8(dice.uniform(3))),
                    wanted: 0, pushed: 0, fingerprint: .random(from: dice)))
        default:
            var bounds = (0..<dice.uniform(20)).map { _ in
                Bound(
                    slot: Hour(TwoStores.hour - UInt32(dice.uniform(200))), prefix: dice.nextWord() << dice.uniform(64))
            }
            bounds = Array(Set(bounds)).sorted()
            if dice.uniform(4) > 0 || bounds.isEmpty { bounds.append(.end) }
            let round = UInt8(dice.uniform(8) == 0 ? dice.uniform(3) : 0)
            return .recon(
                Recon(
                    namespace: namespace, session: SessionID(run: UInt16(dice.uniform(3)), round: round),
                    parts: bounds.map { bound in
                        let mode: Recon.Mode =
                            switch dice.uniform(5) {
                            case 0: .skip
                            case 1, 2: .fingerprint(.random(from: dice))
                            case 3 where round == 2: .wideList((0..<dice.uniform(9)).map { _ in .random(from: dice) })
                            case 3: .list((0..<dice.uniform(9)).map { _ in .random(from: dice) })
                            default: .all
                            }
                        return Recon.Part(upper: bound, mode: mode)
                    }))
        }
    }

    @Test("a peer that answers every range with another fingerprint is cut off")
    func endless() throws {
        let dice = SeededRandom(seed: 3)
        var stores = Self.sets(dice, count: 1000)
        let clock = stores.clocks[0]
        var session = stores.sessions[0]
        func parts(_ whole: Recon.Mode) -> [Recon.Part] { [Recon.Part(upper: .end, mode: whole)] }
        _ = session.start(set: &stores.sets[0], clock: clock, now: 0)
        let namespace = Namespace.mail(.normal)
        _ = try session.receive(
            .digest(Digest(namespace: namespace, floor: clock.floor, count: 9, fingerprint: .random(from: dice))),
            set: &stores.sets[0], clock: clock, now: 0)
        var few = KnownSet(namespace, seed: 0)
        few.insert(Item(slot: clock.origin, id: .random(from: dice), expiry: nil))
        let summary = Summary(of: &few, origin: clock.origin, floor: clock.floor, salt: Salt(key: .random(from: dice)))
        _ = try session.receive(.summary(summary), set: &stores.sets[0], clock: clock, now: 0)
        #expect(throws: SyncFault.excess) {
            for _ in 0..<100 {
                let lie = Recon(
                    namespace: namespace, session: SessionID(run: 1, round: 0),
                    parts: parts(.fingerprint(.random(from: dice))))
                _ = try session.receive(.recon(lie), set: &stores.sets[0], clock: clock, now: 0)
            }
        }
    }

    @Test("modes of the sketch and the reserved one are refused by name, and so is another set's frame")
    func modes() throws {
        for mode in [3, 4, 5, 7, 15] as [UInt8] {
            #expect(throws: SyncFault.mode) {
                _ = try SyncFrame(type: 0x22, body: ([6, 0, 4, 0, mode] as [UInt8]).span.bytes)
            }
        }
        #expect(throws: SyncFault.namespace) {
            _ = try SyncFrame(type: 0x22, body: ([8, 0, 4, 0, 0] as [UInt8]).span.bytes)
        }
        var stores = TwoStores([], [])
        let other = Digest(namespace: .notes, floor: Hour(0), count: 0, fingerprint: Octets8())
        #expect(throws: SyncFault.namespace) {
            _ = try stores.sessions[0].receive(
                .digest(other), set: &stores.sets[0], clock: stores.clocks[0], now: 0)
        }
    }

    @Test("bounds that do not ascend, or have zeros at the end, have no place in a frame")
    func bounds() {
        // Slot 5, then slot 5 again; a prefix of one zero byte; something after the end.
        for parts in [[6, 0, 1, 0], [6, 0x10, 0], [0, 0, 6, 0]] as [[UInt8]] {
            #expect(throws: SyncFault.self) {
                _ = try SyncFrame(type: 0x22, body: ([6, 0, 4] + parts as [UInt8]).span.bytes)
            }
        }
    }
}
