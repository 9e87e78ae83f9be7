import CoveyCore
import CoveyCrypto
import CoveySync

enum SyncEntries {
    /// `type u8 | body` of the frames of reconciliation.
    static func frame(_ input: [UInt8]) {
        guard let type = input.first else { return }
        let body = Array(input.dropFirst())
        guard let frame = try? SyncFrame(type: type, body: body.span.bytes) else { return }
        precondition(frame.type == type && frame.body == body, "a frame has one form")
    }

    /// A peer that says anything in any order to one side of a set: `type u8 | len u16 | body` a step. What it makes us
    /// say and push stays in proportion to the set.
    static func reconciler(_ input: [UInt8]) {
        var script = Script(input)
        let namespace: Namespace =
            [.notes, .bundles, .mail(.normal), .mail(.urgent)][Int(script.u8() & 3)]
        let random = SeededRandom(seed: UInt64(script.u8()))
        var set = KnownSet(namespace, seed: 7)
        let count = [0, 1, 20, 300][Int(script.u8() & 3)]
        for number in 0..<count {
            let slot = Hour(490_000 - UInt32(random.uniform(UInt64(400))))
            let expiry = namespace == .notes || namespace == .bundles ? nil : slot.adding(168)
            set.insert(
                Item(slot: slot, id: ItemID.random(from: random), expiry: expiry), as: number % 7 == 3 ? .ghost : .held)
        }
        let salts = Salts(handshakeHash: Octets32())
        let own = DeviceID(prefixOf: Octets32())
        let peer = DeviceID.random(from: random)
        var reconciler = Reconciler(namespace: namespace, own: own, peer: peer, salts: salts)
        let clock = SyncClock(own: Minute(490_000 * 60), peer: nil)
        var now: UInt64 = 1_000_000
        var said = 0
        var listed: [ShortID] = []
        func look(_ steps: [SyncStep]) {
            for step in steps {
                switch step {
                case .send(let frame):
                    said += frame.body.count
                    precondition(
                        (try? SyncFrame(type: frame.type, body: frame.body.span.bytes)) == frame,
                        "what we say, a peer can read")
                    if case .recon(let recon) = frame {
                        for part in recon.parts { if case .list(let ids) = part.mode { listed += ids } }
                    }
                case .push(let ids):
                    for id in ids { precondition(set.contains(id), "only what is held is pushed") }
                case .want, .finished: break
                }
            }
        }
        var steps = 0
        if script.u8() & 1 == 0 { look(reconciler.start(set: &set, clock: clock, now: now)) }
        while !script.isAtEnd, steps < 64 {
            steps += 1
            let code = script.u8()
            now += 300_000
            switch code {
            case 0x20...0x23:
                let body = script.block()
                guard let frame = try? SyncFrame(type: code, body: body.span.bytes) else { return }
                do { look(try reconciler.receive(frame, set: &set, clock: clock, now: now)) } catch {
                    // The link ends with it.
                    guard case SyncFault.namespace = error else { return }
                }
            case 0: if reconciler.awaitsTransfers { look(reconciler.settled(set: &set)) }
            case 1:
                if let due = reconciler.deadline, due <= now { look(reconciler.due(set: &set, clock: clock, now: now)) }
            case 2: now += 31_000_000
            case 3: look(reconciler.start(set: &set, clock: clock, now: now))
            default:
                let wanted = listed.prefix(Int(code)) + [ShortID(prefixOf: Octets32())]
                for case let id? in reconciler.resolve(Array(wanted), set: &set) { precondition(set.contains(id)) }
            }
        }
        precondition(said <= (steps + 1) * (1024 + 32 * 1024) + 64 * count, "what is said is in proportion to the set")
    }
}
