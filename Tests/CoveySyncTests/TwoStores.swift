import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

/// Two nodes' sets and sessions with a link between them that loses nothing and keeps order.
struct TwoStores {
    enum Parcel {
        case frame(type: UInt8, body: [UInt8])
        case items([Item])
        case want([ShortID])
    }

    struct Cost {
        /// Bodies of frames 20 to 23 with their heads, and 9 bytes for each id asked for.
        var bytes = 0
        var frames = 0
        var data: [Int] = [0, 0]
        var largest = 0
    }

    static let hour: UInt32 = 492_000
    var sets: [KnownSet]
    var sessions: [Reconciler]
    var clocks: [SyncClock]
    var now: UInt64 = 0
    var cost = Cost()
    var outcomes: [[SyncOutcome]] = [[], []]
    var queue: [(to: Int, parcel: Parcel)] = []

    init(_ left: [Item], _ right: [Item], namespace: Namespace = .mail(.normal), seed: UInt64 = 1) {
        let dice = SeededRandom(seed: seed, stream: "link")
        let salts = Salts(handshakeHash: .random(from: dice))
        let devices = [DeviceID.random(from: dice), DeviceID.random(from: dice)]
        sets = [left, right].map { items in
            var set = KnownSet(namespace, seed: 7)
            for item in items { set.insert(item) }
            return set
        }
        sessions = [
            Reconciler(namespace: namespace, own: devices[0], peer: devices[1], salts: salts),
            Reconciler(namespace: namespace, own: devices[1], peer: devices[0], salts: salts),
        ]
        let clock = SyncClock(own: Minute(Self.hour * 60), peer: nil)
        clocks = [clock, clock]
    }

    mutating func start(_ side: Int) {
        let steps = sessions[side].start(set: &sets[side], clock: clocks[side], now: now)
        perform(steps, of: side)
    }

    mutating func perform(_ steps: [SyncStep], of side: Int) {
        for step in steps {
            switch step {
            case .send(let frame):
                let body = frame.body
                cost.bytes += body.count + 1 + Varint.byteCount(UInt64(body.count))
                cost.frames += 1
                cost.largest = max(cost.largest, body.count)
                queue.append((1 - side, .frame(type: frame.type, body: body)))
            case .push(let ids):
                cost.data[side] += ids.count
                queue.append((1 - side, .items(ids.map { sets[side].item($0)! })))
            case .want(let ids):
                cost.bytes += ids.count * 9
                queue.append((1 - side, .want(ids)))
            case .finished(let outcome):
                outcomes[side].append(outcome)
            }
        }
    }

    mutating func deliverOne() throws {
        let (side, parcel) = queue.removeFirst()
        switch parcel {
        case .frame(let type, let body):
            let frame = try #require(try SyncFrame(type: type, body: body.span.bytes))
            #expect(frame.body == body)
            let steps = try sessions[side].receive(frame, set: &sets[side], clock: clocks[side], now: now)
            perform(steps, of: side)
        case .items(let items):
            for item in items { sets[side].insert(item) }
        case .want(let ids):
            let found = sessions[side].resolve(ids, set: &sets[side])
            cost.data[side] += found.count { $0 != nil }
            queue.append((1 - side, .items(found.compactMap { $0 }.map { sets[side].item($0)! })))
        }
    }

    /// Until nothing is on the way and nobody waits.
    mutating func run(whenQuiet: (inout TwoStores) -> Void = { _ in }) throws {
        for _ in 0..<100_000 {
            if !queue.isEmpty {
                try deliverOne()
                continue
            }
            whenQuiet(&self)
            for side in 0...1 where sessions[side].awaitsTransfers {
                perform(sessions[side].settled(set: &sets[side]), of: side)
            }
            guard queue.isEmpty else { continue }
            guard let next = sessions.compactMap(\.deadline).min() else { return }
            now = max(now, next)
            for side in 0...1 where sessions[side].deadline.map({ $0 <= now }) ?? false {
                perform(sessions[side].due(set: &sets[side], clock: clocks[side], now: now), of: side)
            }
        }
        Issue.record("the two never come to an end")
    }

    mutating func items(_ side: Int) -> [Item] { sets[side].items(in: .start ..< .end, floor: Hour(0)) }
}

/// How two sets may differ.
enum Pattern: CaseIterable, CustomTestStringConvertible {
    case equal, oneEmpty, disjoint, scattered, heal, oneSide

    var testDescription: String { "\(self)" }

    /// `count` items over a week, of which about `difference` are on one side only.
    func make(count: Int, difference: Int, _ dice: SeededRandom) -> ([Item], [Item]) {
        func item(_ age: ClosedRange<Int>) -> Item {
            let slot = Hour(TwoStores.hour - UInt32(dice.uniform(age)))
            return Item(slot: slot, id: .random(from: dice), expiry: slot.adding(336))
        }
        var left: [Item] = []
        var right: [Item] = []
        let common = self == .oneEmpty || self == .disjoint ? 0 : count - (self == .equal ? 0 : difference)
        for _ in 0..<common {
            // After a split of a day nothing of that day is common.
            let one = item(self == .heal ? 24...167 : 0...167)
            left.append(one)
            right.append(one)
        }
        switch self {
        case .equal: break
        case .oneEmpty: for _ in 0..<count { left.append(item(0...167)) }
        case .disjoint:
            for index in 0..<count {
                if index % 2 == 0 { left.append(item(0...167)) } else { right.append(item(0...167)) }
            }
        case .scattered:
            for index in 0..<difference {
                if index % 2 == 0 { left.append(item(0...167)) } else { right.append(item(0...167)) }
            }
        case .heal:
            for index in 0..<difference {
                if index % 2 == 0 { left.append(item(0...23)) } else { right.append(item(0...23)) }
            }
        case .oneSide: for _ in 0..<difference { left.append(item(0...35)) }
        }
        dice.shuffle(&left)
        dice.shuffle(&right)
        return (left, right)
    }
}
