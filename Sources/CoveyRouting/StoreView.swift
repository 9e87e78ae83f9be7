package import CoveyCore

/// The mail held, as far as room and fairness need to know it: bytes by class and by the neighbour that pays.
///
/// Kept by the node as mail comes and goes; about 100 bytes an envelope.
package struct StoreView: Holdings, Sendable {
    package struct Footprint: Hashable, Sendable {
        package let neighbour: DeviceID
        package var bytes: Int
    }

    package var quota: Quota
    /// The zones we list ourselves.
    package var zones: ZoneSet
    /// Neighbours seen in the last 24 hours.
    package var neighbours: Int
    package private(set) var ownBytes = 0
    private var used = PerPriority(0)
    private var mail = PerPriority([EnvelopeMeta]())
    private var places: [EnvelopeID: Int] = [:]
    /// Ascending by neighbour.
    private var footprints = PerPriority([Footprint]())

    package init(quota: Quota, zones: ZoneSet = ZoneSet(), neighbours: Int = 0) {
        self.quota = quota
        self.zones = zones
        self.neighbours = neighbours
    }

    package mutating func insert(_ envelope: EnvelopeMeta) {
        if envelope.isOwn {
            ownBytes += envelope.size
            return
        }
        let before = places.updateValue(mail[envelope.priority].count, forKey: envelope.id)
        precondition(before == nil, "an envelope is held once")
        mail[envelope.priority].append(envelope)
        charge(envelope, envelope.size)
    }

    /// Own mail is only counted: none of it is ever chosen to go.
    package mutating func remove(own envelope: EnvelopeMeta) {
        precondition(envelope.isOwn && envelope.size <= ownBytes, "own mail was inserted as such")
        ownBytes -= envelope.size
    }

    /// Relayed mail. Nil when it is not held.
    @discardableResult
    package mutating func remove(_ id: EnvelopeID, priority: Priority) -> EnvelopeMeta? {
        guard let place = places.removeValue(forKey: id) else { return nil }
        let envelope = mail[priority][place]
        precondition(envelope.id == id, "the envelope is of the priority it was inserted with")
        let last = mail[priority].removeLast()
        if last.id != id {
            mail[priority][place] = last
            places[last.id] = place
        }
        charge(envelope, -envelope.size)
        return envelope
    }

    private mutating func charge(_ envelope: EnvelopeMeta, _ bytes: Int) {
        used[envelope.priority] += bytes
        Self.charge(envelope.ingress, bytes, in: &footprints[envelope.priority])
    }

    private static func charge(_ neighbour: DeviceID, _ bytes: Int, in list: inout [Footprint]) {
        var at = 0
        while at < list.count, list[at].neighbour < neighbour { at += 1 }
        if at == list.count || list[at].neighbour != neighbour {
            list.insert(Footprint(neighbour: neighbour, bytes: 0), at: at)
        }
        list[at].bytes += bytes
        if list[at].bytes == 0 { list.remove(at: at) }
    }

    /// Bytes of relayed mail in a class.
    package func used(_ priority: Priority) -> Int { used[priority] }

    /// Relayed mail of a class, in no order.
    package func mail(_ priority: Priority) -> [EnvelopeMeta] { mail[priority] }

    /// Ascending by neighbour.
    package func footprints(_ priority: Priority) -> [Footprint] { footprints[priority] }

    package func bytes(_ priority: Priority, of neighbour: DeviceID) -> Int {
        footprints[priority].first { $0.neighbour == neighbour }?.bytes ?? 0
    }
}

/// Bytes used and left by class: enough to reckon what evictions would give, without touching the store.
struct Room {
    let relay: Int
    var share = PerPriority(0)
    var used = PerPriority(0)

    init(relay: Int) { self.relay = relay }

    /// Whether `need` more bytes fit: in all, and in the class with what less urgent classes leave unused.
    func holds(_ need: Int, _ priority: Priority) -> Bool { inAll >= need && left(priority) >= need }

    /// The class whose mail goes next: the class itself when it is full; else one that borrows room gives it back, the least
    /// urgent first.
    func payer(_ need: Int, _ priority: Priority) -> Priority {
        if left(priority) < need { return priority }
        return Priority.allCases.last { $0 != priority && used[$0] > share[$0] } ?? priority
    }

    private var inAll: Int { relay - Priority.allCases.reduce(0) { $0 + used[$1] } }

    private func left(_ priority: Priority) -> Int {
        var left = share[priority] - used[priority]
        for other in Priority.allCases where other > priority { left += max(0, share[other] - used[other]) }
        return left
    }
}
