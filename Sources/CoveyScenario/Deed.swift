/// One fault with every choice made: when, until when, and on which hosts. Replays and shrinking know faults as these.
package struct Deed: Hashable, Sendable {
    package enum Act: Hashable, Sendable {
        case partition(sides: [[UInt32]], affects: String?, isOneWay: Bool)
        /// Ends all partitions and cuts; what comes back does so within `ramp` µs, over another kind of link perhaps.
        case heal(ramp: UInt64, link: Int?)
        case cut(UInt32, UInt32)
        case uncut(UInt32, UInt32)
        case hold(from: [UInt32], to: [UInt32])
        case release
        case setLink(Int, TimelineEntry.LinkChange)
        case linkDown(Int, of: [UInt32])
        case asymLoss(from: [UInt32], to: [UInt32], loss: Double)
        /// Until the deed's end, or a restart.
        case crash([UInt32], losesUnsynced: Bool, isWriteTorn: Bool, corruptsDisk: Bool)
        case restart([UInt32])
        case kill([UInt32])
        case join([UInt32])
        case revoke(device: UInt32, by: UInt32, wipe: TimelineEntry.Wipe?)
        /// From now on what this host's officer signs follows a copy of the authority's key and log.
        case copyAuthority(by: UInt32)
        /// From now on the authority works beside this host's node.
        case openOffice(at: UInt32)
        case enrol(device: UInt32, by: UInt32, isSecret: Bool)
        case revokeAuthority(since: UInt32, by: UInt32)
        case checkpoint(by: UInt32)
        case newEpoch(by: UInt32)
        case newKeys(by: UInt32)
        case recoverFork(by: UInt32)
        /// Microseconds.
        case clockJump([UInt32], by: Int64)
        case clockDrift([UInt32], ppm: Double)
        /// Has made its messages already; it stays for those who read what happened.
        case load(Double)
        case sneakernet(from: UInt32, to: UInt32, capacity: Int, travel: UInt64, damage: Double)
        case diskFull([UInt32])
        case byzantine([UInt32], [TimelineEntry.Behaviour])
    }

    /// Microseconds.
    package var at: UInt64
    /// When it is undone; nil: it stays until something ends it.
    package var until: UInt64?
    /// The entry of the timeline that it comes from.
    package var entry: Int
    package var act: Act

    package init(at: UInt64, until: UInt64? = nil, entry: Int, act: Act) {
        self.at = at
        self.until = until
        self.entry = entry
        self.act = act
    }

    /// The row it stands in where a run is drawn.
    package var lane: String {
        switch act {
        case .partition, .heal, .cut, .uncut: "partitions"
        case .hold, .release, .setLink, .linkDown, .asymLoss: "links"
        case .crash, .restart, .kill: "crashes"
        case .join, .revoke, .copyAuthority, .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys,
            .recoverFork:
            "membership"
        case .clockJump, .clockDrift: "clocks"
        case .load: "load"
        case .sneakernet: "sneakernet"
        case .diskFull: "disks"
        case .byzantine: "byzantine"
        }
    }

    /// The hosts it falls on.
    package var hosts: [UInt32] {
        switch act {
        case .partition(let sides, _, _): sides.flatMap { $0 }.sorted()
        case .cut(let a, let b), .uncut(let a, let b): [a, b]
        case .hold(let from, let to), .asymLoss(let from, let to, _): (from + to).sorted()
        case .linkDown(_, let of): of
        case .crash(let hosts, _, _, _), .restart(let hosts), .kill(let hosts), .join(let hosts),
            .clockJump(let hosts, _), .clockDrift(let hosts, _), .diskFull(let hosts), .byzantine(let hosts, _):
            hosts
        case .revoke(let device, _, _), .enrol(let device, _, _): [device]
        case .copyAuthority(let by), .openOffice(let by), .revokeAuthority(_, let by), .checkpoint(let by),
            .newEpoch(let by), .newKeys(let by),
            .recoverFork(let by):
            [by]
        case .sneakernet(let from, let to, _, _, _): [from, to]
        case .heal, .release, .setLink, .load: []
        }
    }
}
