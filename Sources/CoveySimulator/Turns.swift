import CoveyContact
import CoveyCore
import CoveyCrypto
import CoveyNode

// A node's turn, its commit, and what it wants done: what the real driver does, in simulated time.

extension World {
    /// Gives the event its turn, now.
    func turn(_ machine: Machine, _ event: Event) {
        switch machine.power {
        case .on: break
        case .paused: return machine.waiting.append(event)
        case .idle, .off, .failed: return
        }
        guard let resident = machine.resident, !machine.isLeaving(event) else { return }
        precondition(!isTurning, "a checker looks at the world and does not act on it")
        take(event, machine)
        report.turns += 1
        var effects = Effects()
        swap(&effects, &spare)
        isTurning = true
        do {
            try resident.handle(event, at: machine.clock.now(now), store: machine.disk, into: &effects)
        } catch {
            isTurning = false
            effects.removeAll()
            swap(&effects, &spare)
            return fail(machine, error)
        }
        isTurning = false
        if asked != nil { note(event, effects.list, machine) }
        finish(machine, effects.list)
        effects.removeAll()
        swap(&effects, &spare)
        arm(machine)
        for checker in checkers { checker.turned(machine.host, in: self) }
    }

    /// What is answered is known before the commit.
    private func note(_ event: Event, _ effects: [Effect], _ machine: Machine) {
        guard case .command(let id, let command) = event, id == asked else { return }
        for case .reply(id, let reply) in effects {
            answer = reply
            note(sent: command, reply, machine)
        }
    }

    /// A turn is over: its commit, and its effects at once or after the commit.
    func finish(_ machine: Machine, _ effects: [Effect]) {
        switch machine.fate {
        case .lives: break
        case .losesTurn(let loss):
            machine.fate = .lives
            return lose(machine, loss)
        case .losesEffects(let count):
            machine.fate = .lives
            guard commitAll(machine) else { return }
            for effect in effects.dropFirst(count) { remember(effect, machine) }
            for effect in effects.prefix(count) { perform(effect, machine) }
            if machine.resident != nil { lose(machine, .unsynced) }
            return
        }
        if machine.commitTime == 0 {
            guard commitAll(machine) else { return }
            for effect in effects { perform(effect, machine) }
            return
        }
        let isDirty = machine.disk.isDirty
        guard isDirty || machine.isWriting else {
            for effect in effects { perform(effect, machine) }
            return
        }
        for effect in effects {
            switch effect {
            case .close(let id), .abort(let id): machine.leaving.append(id)
            case .dial, .send, .reportDrained, .multicast, .reply, .observe, .stop: break
            }
        }
        if isDirty { machine.afterNext += effects } else { machine.afterCurrent += effects }
        beginCommit(machine)
    }

    private func commitAll(_ machine: Machine) -> Bool {
        guard machine.disk.isDirty else { return true }
        do {
            try machine.disk.commit()
            return true
        } catch {
            fail(machine, error)
            return false
        }
    }

    private func beginCommit(_ machine: Machine) {
        guard !machine.isWriting, machine.disk.isDirty, let batch = machine.disk.takeBatch() else { return }
        machine.isWriting = true
        machine.batch = batch
        swap(&machine.afterCurrent, &machine.afterNext)
        wheel.push(
            at: now + machine.commitTime,
            Occurrence(kind: .committed, host: machine.index, subject: UInt32(truncatingIfNeeded: machine.starts)))
    }

    func committed(_ machine: Machine, start: UInt32) {
        guard machine.isWriting, start == UInt32(truncatingIfNeeded: machine.starts), let batch = machine.batch else {
            return
        }
        do {
            try batch.write()
        } catch {
            return fail(machine, error)
        }
        machine.disk.finished(batch)
        machine.isWriting = false
        machine.batch = nil
        let effects = machine.afterCurrent
        machine.afterCurrent = []
        // What was not dirty and came while this batch was written waited for it only.
        for effect in effects { perform(effect, machine) }
        if machine.resident != nil { beginCommit(machine) }
    }

    /// Sees to it that the node's earliest timer is in the queue.
    func arm(_ machine: Machine) {
        guard let deadline = machine.resident?.nextDeadline else { return }
        let time = max(now, machine.clock.time(of: deadline))
        guard time < machine.armed else { return }
        machine.armed = time
        wheel.push(
            at: time,
            Occurrence(
                kind: .deadline, host: machine.index, subject: UInt32(truncatingIfNeeded: time),
                payload: UInt32(truncatingIfNeeded: machine.starts)))
    }

    func deadline(_ machine: Machine, _ occurrence: Occurrence) {
        guard occurrence.payload == UInt32(truncatingIfNeeded: machine.starts),
            occurrence.subject == UInt32(truncatingIfNeeded: machine.armed), let resident = machine.resident
        else { return }
        machine.armed = .max
        if let due = resident.nextDeadline, due <= machine.clock.now(now).uptime {
            turn(machine, .deadline)
        } else {
            arm(machine)
        }
    }

    // MARK: Effects

    private func perform(_ effect: Effect, _ machine: Machine) {
        switch effect {
        case .dial(let id, let address):
            trace.add(.dial, time: now, host: machine.index, number: id.number, bytes: address.host.array)
            dial(machine, id, address)
        case .send(let id, let bytes):
            trace.add(.send, time: now, host: machine.index, number: id.number, bytes: bytes)
            send(machine, id, bytes)
        case .reportDrained(let id):
            trace.add(.reportDrained, time: now, host: machine.index, number: id.number)
            reportDrained(machine, id)
        case .close(let id):
            trace.add(.close, time: now, host: machine.index, number: id.number)
            machine.leaving.removeAll { $0 == id }
            close(machine, id)
        case .abort(let id):
            trace.add(.abort, time: now, host: machine.index, number: id.number)
            machine.leaving.removeAll { $0 == id }
            abort(machine, id)
        case .multicast(let bytes):
            trace.add(.multicast, time: now, host: machine.index, number: 0, bytes: bytes)
            multicast(machine, bytes)
        case .reply(let id, let reply):
            trace.add(.reply, time: now, host: machine.index, number: id.value)
            answered(machine, id, reply)
        case .observe(let observation):
            trace.add(.observe, time: now, host: machine.index, number: observation.number)
            observe(observation, machine)
            if case .wipeAccepted(_, let order) = observation {
                at(time) { $0.turn(machine, .wiped(order)) }
            }
        case .stop:
            trace.add(.stop, time: now, host: machine.index)
            end(machine)
        }
    }

    private func observe(_ observation: Observation, _ machine: Machine) {
        remember(.observe(observation), machine)
        guard options.keepsSightings || !checkers.isEmpty else { return }
        let sighting = sighting(observation, at: machine)
        if options.keepsSightings { seen.append(Seen(time: now, host: machine.host, sighting: sighting)) }
        for checker in checkers { checker.noticed(sighting, at: machine.host, in: self) }
    }

    /// What the world remembers of an effect even when a crash took it: the disk has it.
    func remember(_ effect: Effect, _ machine: Machine) {
        guard case .observe(.delivered(let message)) = effect, let at = sentIndex[message.id],
            messages[at].to == machine.host, messages[at].received == nil
        else { return }
        messages[at] = messages[at].received(at: time)
        report.delivered += 1
    }

    /// The digest of what goes into a node.
    private func take(_ event: Event, _ machine: Machine) {
        let host = machine.index
        switch event {
        case .endpoints(let list): trace.add(.endpoints, time: now, host: host, number: UInt64(list.count))
        case .deadline: trace.add(.deadline, time: now, host: host)
        case .accepted(let id, _, _): trace.add(.accepted, time: now, host: host, number: id.number)
        case .connected(let id): trace.add(.connected, time: now, host: host, number: id.number)
        case .dialFailed(let id, _): trace.add(.dialFailed, time: now, host: host, number: id.number)
        case .received(let id, let bytes): trace.add(.received, time: now, host: host, number: id.number, bytes: bytes)
        case .drained(let id): trace.add(.drained, time: now, host: host, number: id.number)
        case .closed(let id): trace.add(.closed, time: now, host: host, number: id.number)
        case .datagram(let bytes, _, let interface):
            trace.add(.datagram, time: now, host: host, number: UInt64(interface), bytes: bytes)
        case .command(let id, _): trace.add(.command, time: now, host: host, number: id.value)
        case .wiped(let order): trace.add(.command, time: now, host: host, number: 0, bytes: order.array)
        }
    }
}

extension ConnectionID {
    /// Dialled ones below 2^32, accepted ones above.
    fileprivate var number: UInt64 {
        switch self {
        case .dialled(let number): UInt64(number)
        case .accepted(let number): 1 << 32 | UInt64(number)
        }
    }
}

extension Observation {
    /// Its kind, and the first bytes of what it is about.
    fileprivate var number: UInt64 {
        func word(_ kind: UInt64, _ bytes: [UInt8]) -> UInt64 { bytes.prefix(7).reduce(kind) { $0 << 8 | UInt64($1) } }
        return switch self {
        case .started(let device): word(1, device.array)
        case .heardBeacon(let device, _): word(2, device.array)
        case .dialling(let address): word(3, [UInt8](address.host.array.suffix(4)))
        case .linkUp(let device, _, _): word(4, device.array)
        case .linkDown(let device, _): word(5, device.array)
        case .refused: 6
        case .logAccepted(let head): word(7, head.id.array)
        case .noteLearnt(let hash, _): word(8, hash.array)
        case .epochLearnt(let number): 9 << 32 | UInt64(number)
        case .stored(let id, _): word(10, id.array)
        case .handedOn(let id, _): word(11, id.array)
        case .delivered(let message): word(12, message.id.array)
        case .expired(let count): 13 << 32 | UInt64(count)
        case .warning: 14
        case .suspendLearnt(let hash, _): word(15, hash.array)
        case .quarantined(let message): word(16, message.id.array)
        case .staleness(.fresh): 17 << 32
        case .staleness(.stale): 17 << 32 | 1
        case .staleness(.stranded): 17 << 32 | 2
        case .wipeAccepted(let mode, let order): word(18, [mode.rawValue] + order.array)
        case .wipeRefused: 19
        case .wipeReceipt(let device, let mode): word(20, [mode.rawValue] + device.array)
        case .announced(let line):
            word(21, line.author.array + (0..<8).map { UInt8(truncatingIfNeeded: line.sequence >> (8 * $0)) })
        }
    }
}
