/// Something that goes wrong, or is put right, as a value: for schedules that are drawn, kept, and made shorter.
public enum Fault: Hashable, Sendable {
    case partition([[Host]])
    case partitionOneWay(from: [Host], to: [Host])
    /// All partitions.
    case heal
    case connect(Host, Host, LinkQuality)
    case disconnect(Host, Host)
    case hold(Host, Host)
    case release(Host, Host)
    case crash(Host, losing: World.DiskLoss, at: World.CrashMoment)
    case kill(Host)
    case restart(Host)
    case pause(Host)
    case resume(Host)
    /// On the link of the two, one way.
    case lose(share: Double, from: Host, to: Host)
    case clockJump(Host, by: Duration)
    case clockDrift(Host, partsPerMillion: Int)
    case limitDisk(Host, bytes: Int?)
    case corruptDisk(Host)
    case repairDisk(Host)
    case revoke(Host, by: Host)
    case sneakernet(from: Host, to: Host, capacity: Int, travel: Duration)
}

extension World {
    /// Does now what the fault says: the same as the verb of its name.
    public func inject(_ fault: Fault) {
        switch fault {
        case .partition(let sides): partition(sides: sides)
        case .partitionOneWay(let from, let to): partitionOneWay(from: from, to: to)
        case .heal: heal()
        case .connect(let a, let b, let quality): connect(a, b, quality)
        case .disconnect(let a, let b): disconnect(a, b)
        case .hold(let a, let b): hold(a, b)
        case .release(let a, let b): release(a, b)
        case .crash(let host, let loss, let moment): crash(host, losing: loss, at: moment)
        case .kill(let host): kill(host)
        case .restart(let host): restart(host)
        case .pause(let host): pause(host)
        case .resume(let host): resume(host)
        case .lose(let share, let from, let to): lose(share, from: from, to: to)
        case .clockJump(let host, let duration): clockJump(host, by: duration)
        case .clockDrift(let host, let partsPerMillion): clockDrift(host, to: partsPerMillion)
        case .limitDisk(let host, let bytes): limitDisk(of: host, to: bytes)
        case .corruptDisk(let host): corruptDisk(of: host)
        case .repairDisk(let host): repairDisk(of: host)
        case .revoke(let host, let officer): revoke(host, by: officer)
        case .sneakernet(let from, let to, let capacity, let travel):
            sneakernet(from: from, to: to, capacity: capacity, travel: travel)
        }
    }

    /// Does it at a time of the world that is still to come.
    public func schedule(_ fault: Fault, at time: Duration) { at(time) { $0.inject(fault) } }
}
