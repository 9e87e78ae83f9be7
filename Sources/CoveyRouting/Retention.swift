package import CoveyCore

/// What is taken in and what goes when room is short (sync-routing.md §3.4). Own mail and custody never go.
package enum Retention {
    @inlinable package static var mostHops: UInt8 { 32 }

    /// Whether an envelope comes in, by quota alone. The envelope may still need `victims` to go first.
    package static func admit(
        _ envelope: EnvelopeMeta, from peer: DeviceID?, tokens: Tokens, isWithinRate: Bool, store: some Holdings
    ) -> Intake {
        guard let peer else {
            let fits = store.ownBytes + envelope.size <= store.quota.outbox
            return fits ? .keep(tokens) : .refuse(.outboxFull)
        }
        guard envelope.hops <= mostHops else { return .refuse(.hops) }
        let share = store.share(envelope.priority)
        guard envelope.size <= share else { return .refuse(.full) }
        let pressure = Pressure(used: store.used(envelope.priority), of: share)
        guard pressure > .binding else { return isWithinRate ? .keep(tokens) : .surplus(tokens) }
        let bytes = store.bytes(envelope.priority, of: peer) + envelope.size
        guard isWithinRate, bytes <= store.neighbourShare(envelope.priority) else { return .refuse(.share) }
        guard pressure <= .nearlyFull || store.zones.contains(envelope.zone) else { return .refuse(.pressure) }
        return .keep(tokens)
    }

    /// What goes so that `need` bytes of a class have room: nothing when they have, nil when that cannot be.
    ///
    /// 1. what has expired, of any class; 2. surplus and opportunistic copies: most hops first, then oldest; 3. always of the
    /// neighbour that then has the most bytes in the class, what expires first. The class that asks pays, unless others hold
    /// more than their share: these give back first. Reads each class it touches once: ask for several envelopes' room.
    package static func victims(
        _ priority: Priority, need: Int, store: some Holdings, now: Hour
    ) -> [EnvelopeID]? {
        var room = store.room
        var gone: [EnvelopeID] = []
        func drop(_ envelope: EnvelopeMeta) {
            room.used[envelope.priority] -= envelope.size
            gone.append(envelope.id)
        }
        func release(in order: (Priority) -> [EnvelopeMeta]) {
            var queues = PerPriority<ArraySlice<EnvelopeMeta>?>(nil)
            while !room.holds(need, priority) {
                let payer = room.payer(need, priority)
                if queues[payer] == nil { queues[payer] = order(payer)[...] }
                guard let next = queues[payer]?.popFirst() else { return }
                drop(next)
            }
        }
        if room.holds(need, priority) { return [] }
        for one in Priority.allCases {
            for envelope in store.mail(one).filter({ $0.expiry <= now }).sorted(by: expiresFirst) { drop(envelope) }
        }
        release { payer in
            store.mail(payer).filter { $0.expiry > now && isLoose($0) }.sorted(by: goesFirst)
        }
        release { payer in fairOrder(store.mail(payer).filter { $0.expiry > now && !isLoose($0) }) }
        return room.holds(need, priority) ? gone : nil
    }

    private static func isLoose(_ envelope: EnvelopeMeta) -> Bool {
        !envelope.isCustody && (envelope.isSurplus || envelope.tokens == .opportunistic)
    }

    private static func goesFirst(_ left: EnvelopeMeta, _ right: EnvelopeMeta) -> Bool {
        if left.hops != right.hops { return left.hops > right.hops }
        if left.slot != right.slot { return left.slot < right.slot }
        return left.id < right.id
    }

    private static func expiresFirst(_ left: EnvelopeMeta, _ right: EnvelopeMeta) -> Bool {
        left.expiry != right.expiry ? left.expiry < right.expiry : left.id < right.id
    }

    /// Longest queue first: always from the neighbour that then holds the most. What is in custody counts, and stays.
    private static func fairOrder(_ mail: [EnvelopeMeta]) -> [EnvelopeMeta] {
        var queues: [(neighbour: DeviceID, bytes: Int, mail: ArraySlice<EnvelopeMeta>)] = []
        for envelope in mail.sorted(by: { $0.ingress != $1.ingress ? $0.ingress < $1.ingress : expiresFirst($0, $1) }) {
            if queues.last?.neighbour != envelope.ingress { queues.append((envelope.ingress, 0, [])) }
            queues[queues.count - 1].bytes += envelope.size
            if !envelope.isCustody { queues[queues.count - 1].mail.append(envelope) }
        }
        var order: [EnvelopeMeta] = []
        while let longest = queues.indices.filter({ !queues[$0].mail.isEmpty })
            .max(by: { queues[$0].bytes < queues[$1].bytes })
        {
            let envelope = queues[longest].mail.removeFirst()
            queues[longest].bytes -= envelope.size
            order.append(envelope)
        }
        return order
    }
}
