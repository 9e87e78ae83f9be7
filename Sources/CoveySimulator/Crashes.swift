import CoveyContact
import CoveyCore
import CoveyCrypto
package import CoveyNode

// Starting, ending, and what happens to a machine, its disk and its clock.

extension World {
    /// What a disk lacks after a crash.
    public enum DiskLoss: Hashable, Sendable {
        /// All that was written is there.
        case nothing
        /// Back to the last commit.
        case unsynced
        /// Back to the last commit, but mail of later turns is there.
        case tornWrite
    }

    /// When power is lost.
    public enum CrashMoment: Hashable, Sendable {
        case now
        /// After the next turn and before its commit.
        case beforeCommit
        /// After the next turn's commit, and after so many of its effects.
        case afterEffects(Int)
    }

    // MARK: Processes

    func start(_ machine: Machine) {
        switch machine.power {
        case .on, .paused: return
        case .idle, .off, .failed: break
        }
        machine.starts += 1
        machine.power = .on
        machine.clock.start(at: now)
        machine.armed = .max
        report.starts += 1
        trace.add(.start, time: now, host: machine.index, number: machine.starts)
        do {
            if let make = machine.makeResident {
                machine.resident = try make(self, machine.host)
            } else if let configuration = machine.configuration {
                machine.resident = try makeNode(machine, configuration)
            }
            try machine.disk.commit()
        } catch {
            machine.resident = nil
            machine.power = .failed(Self.cause(error))
            return tellCheckers(machine)
        }
        tellCheckers(machine)
        turn(machine, .endpoints(endpoints(of: machine)))
        passagesOpened()
        let sticks = machine.arrivals
        machine.arrivals = []
        for stick in sticks { stickArrived(stick) }
    }

    /// A node as it should be, for a host that wants one inside something else.
    package func makeNode(for host: Host) throws -> Node {
        let machine = machines[host.index]
        guard let configuration = machine.configuration else {
            preconditionFailure("\(host.name) was enrolled, so that it can have a node")
        }
        return try makeNode(machine, configuration)
    }

    private func makeNode(_ machine: Machine, _ configuration: NodeConfiguration) throws -> Node {
        let node = try Node(
            configuration: configuration, store: machine.disk,
            random: SeededRandom(seed: seed, stream: "node \(machine.index) \(machine.starts)"), kem: SimulatedKEM(),
            now: machine.clock.now(now), snapshot: enrolment.snapshot, commons: pool,
            authority: machine.hasOffice ? FieldDesk(self) : nil)
        node.traffic = HostTraffic(self, machine)
        return node
    }

    private static func cause(_ error: any Error) -> String {
        guard let error = error as? StoreError else { return "\(error)" }
        return switch error {
        case .full: "the disk is full"
        case .locked: "another process holds the store"
        case .damaged(let text): "damaged: \(text)"
        case .newer(let text): "written by a newer version: \(text)"
        case .permission(let text): "not allowed: \(text)"
        case .io(let text): "input or output: \(text)"
        }
    }

    /// Power goes: the network sees nothing of it, and the disk is as `losing` says.
    public func crash(_ host: Host, losing loss: DiskLoss = .unsynced, at moment: CrashMoment = .now) {
        checkIdle()
        begin()
        let machine = machines[host.index]
        switch moment {
        case .now: if machine.resident != nil { lose(machine, loss) } else { machine.power = .off }
        case .beforeCommit: machine.fate = .losesTurn(loss)
        case .afterEffects(let count): machine.fate = .losesEffects(after: count)
        }
    }

    /// The process is killed; the machine's system goes on and closes its connections.
    public func kill(_ host: Host) {
        checkIdle()
        begin()
        let machine = machines[host.index]
        guard machine.resident != nil else { return }
        note(.crash, number: 2, host: machine.index)
        report.crashes += 1
        machine.store.crash()
        end(machine)
    }

    /// Asks the node to end cleanly.
    public func shutDown(_ host: Host) { command(.stop, at: host) }

    /// Starts a host's node; of one that runs, power is lost before.
    public func restart(_ host: Host) {
        checkIdle()
        begin()
        let machine = machines[host.index]
        if machine.resident != nil { lose(machine, .unsynced) }
        start(machine)
    }

    /// The process stands still, as a laptop's does whose lid is closed; its connections stand.
    public func pause(_ host: Host) {
        checkIdle()
        begin()
        let machine = machines[host.index]
        guard machine.isUp else { return }
        machine.power = .paused
        tellCheckers(machine)
    }

    /// Ends a pause: what came meanwhile has its turns now, in the order in which it came. Nothing happens to a host that
    /// is not paused.
    public func resume(_ host: Host) {
        checkIdle()
        let machine = machines[host.index]
        guard case .paused = machine.power else { return }
        machine.power = .on
        tellCheckers(machine)
        let events = machine.waiting
        machine.waiting = []
        for event in events { turn(machine, event) }
        arm(machine)
    }

    /// What a host is doing now.
    public func state(of host: Host) -> Host.State { machines[host.index].state }

    /// Whether its node runs, and is not paused.
    public func isUp(_ host: Host) -> Bool { machines[host.index].isUp }

    /// Power is lost.
    func lose(_ machine: Machine, _ loss: DiskLoss) {
        note(.crash, number: 1, host: machine.index)
        report.crashes += 1
        switch loss {
        case .nothing: machine.store.commit()
        case .unsynced: machine.store.crash()
        case .tornWrite:
            let held = machine.store.known().held.map { ($0, machine.store.envelope($0.id)) }
            machine.store.crash()
            for (record, bytes) in held where machine.store.envelope(record.id) == nil {
                if let bytes { machine.store.insert(record, bytes) }
            }
            machine.store.commit()
        }
        for socket in machine.sockets {
            streams[Int(socket.stream)].halves[socket.half].isLost = true
            streams[Int(socket.stream)].halves[socket.half].isOpen = false
        }
        let sockets = machine.sockets
        machine.sockets = []
        for socket in sockets { freeIfOver(socket.stream) }
        forgetRun(machine, power: .off)
    }

    /// The node is gone and its machine is not: its system closes what was open.
    func end(_ machine: Machine, power: Machine.Power = .idle) {
        for socket in machine.sockets { abort(machine, socket.id) }
        forgetRun(machine, power: power)
    }

    /// The disk ended the run.
    func fail(_ machine: Machine, _ error: any Error) {
        note(.crash, number: 3, host: machine.index)
        machine.store.crash()
        end(machine, power: .failed(Self.cause(error)))
    }

    private func forgetRun(_ machine: Machine, power: Machine.Power) {
        machine.resident = nil
        machine.power = power
        machine.armed = .max
        // What was committed and not told yet, the disk knows.
        machine.isWriting = false
        machine.batch = nil
        machine.afterCurrent = []
        machine.afterNext = []
        machine.leaving = []
        machine.waiting = []
        tellCheckers(machine)
    }

    private func tellCheckers(_ machine: Machine) {
        for checker in checkers { checker.changed(machine.host, to: machine.state, in: self) }
    }

    // MARK: Disks

    /// From now on the disk takes so many more bytes, and then no more; nil: as many as are written.
    public func limitDisk(of host: Host, to bytes: Int?) {
        checkIdle()
        machines[host.index].faults.capacity = bytes
        machines[host.index].refitDisk()
    }

    /// Turns a bit over in one record of a disk that is not in use, of those a node reads when it starts. Records are sealed,
    /// so the node notices, does not start any more, and says why, in `state(of:)`. Which record is left to the dice.
    public func corruptDisk(of host: Host) {
        checkIdle()
        begin()
        let machine = machines[host.index]
        precondition(machine.resident == nil, "a disk is corrupted while nobody uses it")
        let tables = KeyedTable.allCases.filter { $0 != .delivered && $0 != .sessions && $0 != .peers }
        let secrets = SecretTable.allCases.flatMap { table in
            machine.store.all(table).map { (table: table.rawValue, key: $0.key) }
        }
        let others = tables.flatMap { table in machine.store.all(table).map { (table: table.rawValue, key: $0.key) } }
        let records = (secrets + others).sorted {
            $0.table == $1.table ? $0.key.lexicographicallyPrecedes($1.key) : $0.table < $1.table
        }
        guard !records.isEmpty else { return }
        let (table, key) = records[faults.below(records.count)]
        machine.faults.damaged.append((table, key))
        machine.refitDisk()
        note(.fault, number: UInt64(table), host: machine.index)
    }

    /// The disk is put right, as from a copy made before.
    public func repairDisk(of host: Host) {
        checkIdle()
        machines[host.index].faults.damaged = []
        machines[host.index].refitDisk()
    }

    // MARK: Clocks

    /// The wall clock jumps; uptime does not.
    public func clockJump(_ host: Host, by duration: Duration) {
        checkIdle()
        note(.fault, number: UInt64(bitPattern: duration.signedMicroseconds), host: UInt32(host.index))
        machines[host.index].clock.jump(by: duration.signedMicroseconds)
    }

    /// A host's clock goes on from what it shows, so much too fast; too slow when negative.
    public func clockDrift(_ host: Host, to partsPerMillion: Int) {
        checkIdle()
        precondition((-100_000...100_000).contains(partsPerMillion), "a clock is wrong by at most a tenth")
        note(.fault, number: UInt64(bitPattern: Int64(partsPerMillion)), host: UInt32(host.index))
        let machine = machines[host.index]
        machine.clock.drift(by: partsPerMillion, from: now)
        // A faster clock comes to its next timer sooner.
        arm(machine)
    }
}
