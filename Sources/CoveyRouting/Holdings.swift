package import CoveyCore

/// The mail a node holds, as far as decisions about room need to see it: of a node (`StoreView`), or of a host in a study
/// of contacts, which keeps it in fewer bytes.
package protocol Holdings {
    var quota: Quota { get }
    /// The zones we list ourselves.
    var zones: ZoneSet { get }
    /// Neighbours seen in the last 24 hours.
    var neighbours: Int { get }
    /// Bytes of own mail.
    var ownBytes: Int { get }
    /// Bytes of relayed mail in a class.
    func used(_ priority: Priority) -> Int
    /// Bytes of relayed mail in a class that a neighbour pays for.
    func bytes(_ priority: Priority, of neighbour: DeviceID) -> Int
    /// Relayed mail of a class, in no order.
    func mail(_ priority: Priority) -> [EnvelopeMeta]
}

extension Holdings {
    package func share(_ priority: Priority) -> Int { quota.share(priority, own: ownBytes) }

    package func pressure(_ priority: Priority) -> Pressure { Pressure(used: used(priority), of: share(priority)) }

    /// Bytes one neighbour may hold of a class while room is short.
    func neighbourShare(_ priority: Priority) -> Int { share(priority) / max(2, neighbours) }

    var room: Room {
        let (quota, own) = (quota, ownBytes)
        var room = Room(relay: quota.relay(own: own))
        for priority in Priority.allCases {
            room.share[priority] = quota.share(priority, own: own)
            room.used[priority] = used(priority)
        }
        return room
    }

    /// Whether `need` more bytes fit and the class borrows nothing for them: `Room.holds`, as it nearly always is.
    func holdsWithinShare(_ need: Int, _ priority: Priority) -> Bool {
        let (quota, own) = (quota, ownBytes)
        let all = used(.emergency) + used(.urgent) + used(.normal) + used(.bulk)
        return need <= quota.relay(own: own) - all && need <= quota.share(priority, own: own) - used(priority)
    }
}
