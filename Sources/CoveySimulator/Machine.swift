import CoveyContact
package import CoveyCore
package import CoveyNode

/// Who lives on a host: a node, or something that speaks in its place.
package protocol Resident: AnyObject {
    /// Microseconds of uptime.
    var nextDeadline: UInt64? { get }
    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws
}

extension Node: Resident {}

/// One host as the world has it: what its handle stands for.
final class Machine {
    enum Power {
        case on
        /// The process stands still; events wait.
        case paused
        /// The process is gone, the machine answers: its ports are closed.
        case idle
        /// Nothing answers.
        case off
        /// The process ended by a fault of the disk.
        case failed(String)
    }

    /// A stream of this host, under the name the node knows it by.
    struct Socket {
        var id: ConnectionID
        var stream: UInt32
        /// Which half is ours.
        var half: Int
    }

    let host: Host
    let index: UInt32
    let address: SocketAddress
    var identity: DeviceIdentity?
    var store: MemoryStore
    /// What the node writes to: the store, or a fault in front of it.
    var disk: any CommittingStore
    var faults: DiskFaults
    let commitTime: UInt64
    var clock: HostClock
    var resident: (any Resident)?
    /// Makes the resident at each start, when it is not a node as it should be.
    var makeResident: ((World, Host) throws -> any Resident)?
    var configuration: NodeConfiguration?
    /// What a host without a device is told once it has one.
    struct Reserved {
        let peers: [Host]
        let quota: UInt64?
    }
    var reserved: Reserved?
    /// The field authority works here.
    var hasOffice = false
    /// Whose authority enrolled it, when that is not the one in office.
    var patron: AuthorityCopy?
    var power = Power.off
    /// Starts with the world.
    var isWanted = true
    var starts: UInt64 = 0
    var commands: UInt64 = 0
    var dice: Dice

    var sockets: [Socket] = []
    var lastAccepted: UInt32 = 0
    /// Segments it is on, and the channel it sends by on each.
    var ports: [(segment: Int32, channel: Int32)] = []
    /// Links that were ever made with it.
    var links: [Int32] = []

    /// Until when somebody it hears sends on a shared medium.
    var hearsUntil: UInt64 = 0
    /// The time of the world at which a deadline event is due; `.max` when none is.
    var armed: UInt64 = .max

    // Commits that take time (CommitQueue of the real driver).
    var isWriting = false
    var batch: (any CommitBatch)?
    var afterCurrent: [Effect] = []
    var afterNext: [Effect] = []
    /// Connections that the node closes by an effect which waits for a commit: it is told no more of them.
    var leaving: [ConnectionID] = []
    /// Events while paused.
    var waiting: [Event] = []
    /// What happens at the next turn instead of its commit.
    var fate = Fate.lives
    /// Sticks that came while nobody was there to plug them in.
    var arrivals: [UInt32] = []

    enum Fate {
        case lives
        case losesTurn(World.DiskLoss)
        case losesEffects(after: Int)
    }

    init(
        host: Host, address: SocketAddress, identity: DeviceIdentity?, quality: DiskQuality, clock: HostClock,
        dice: Dice
    ) {
        self.host = host
        index = UInt32(host.index)
        self.address = address
        self.identity = identity
        faults = DiskFaults(capacity: quality.capacity)
        self.clock = clock
        self.dice = dice
        commitTime = quality.commit.simulated
        let store = MemoryStore()
        self.store = store
        disk = store
        refitDisk()
    }

    /// Puts what is wrong with the disk in front of it.
    func refitDisk() { disk = faults.isNone ? store : FaultyDisk(store, faults) }

    func socket(_ id: ConnectionID) -> Socket? { sockets.first { $0.id == id } }

    func forget(_ id: ConnectionID) {
        guard let at = sockets.firstIndex(where: { $0.id == id }) else { return }
        sockets.swapAt(at, sockets.count - 1)
        sockets.removeLast()
    }

    func isLeaving(_ event: Event) -> Bool {
        !leaving.isEmpty && event.connection.map { leaving.contains($0) } ?? false
    }

    var isUp: Bool { if case .on = power { true } else { false } }

    /// Its network answers, whatever becomes of the answer.
    var answers: Bool { if case .off = power { false } else { true } }

    var state: Host.State {
        switch power {
        case .on: .up
        case .paused: .paused
        case .idle, .off: .down
        case .failed(let cause): .failed(cause)
        }
    }
}
