import CoveyContact
import CoveyCore
import CoveyCrypto
import CoveyNode

/// What lies on a stick between two hosts.
struct Stick {
    let to: UInt32
    let mail: [[UInt8]]
    let objects: [[UInt8]]
}

extension World {
    /// Somebody copies what a host holds to a stick, carries it, and plugs it in elsewhere: the log and the revocations,
    /// then as much mail as fits, what expires first before the rest.
    ///
    /// - Parameters:
    ///   - capacity: bytes.
    ///   - travel: a host that is not up then takes it in at its next start.
    public func sneakernet(from: Host, to: Host, capacity: Int = .max, travel: Duration) {
        checkIdle()
        begin()
        let store = machines[from.index].store
        // What all started with takes room on the stick, and is no news to anybody.
        var room = max(
            0, capacity - enrolment.entries.prefix(enrolment.shared.entries).reduce(0) { $0 + $1.signed.bytes.count })
        var objects: [[UInt8]] = []
        for value in store.records(.log, after: 0, limit: .max).map(\.value) + store.all(.notes).map(\.value)
        where value.count <= room {
            objects.append(value)
            room -= value.count
        }
        var mail: [[UInt8]] = []
        for record in store.known().held.sorted(by: { ($0.header.expiry, $0.id) < ($1.header.expiry, $1.id) }) {
            guard let bytes = store.envelope(record.id), bytes.count <= room else { continue }
            mail.append(bytes)
            room -= bytes.count
        }
        note(.fault, number: UInt64(mail.count), host: UInt32(from.index))
        sticks.append(Stick(to: UInt32(to.index), mail: mail, objects: objects))
        wheel.push(at: now + travel.simulated, Occurrence(kind: .stick, subject: UInt32(sticks.count - 1)))
    }

    func stickArrived(_ number: UInt32) {
        guard let stick = sticks[Int(number)] else { return }
        let machine = machines[Int(stick.to)]
        guard machine.isUp, let node = machine.resident as? Node else { return machine.arrivals.append(number) }
        sticks[Int(number)] = nil
        command(.logSubmit(stick.objects, epochKeys: []), at: machine.host)
        guard machine.isUp, machine.resident === node else { return }
        let envelopes = stick.mail.compactMap { try? Envelope(parsing: $0) }
        for envelope in envelopes {
            trace.add(.carry, time: now, host: machine.index, number: 0, bytes: envelope.bytes)
        }
        var effects = Effects()
        isTurning = true
        do {
            _ = try node.carry(envelopes, at: machine.clock.now(now), store: machine.disk, into: &effects)
        } catch {
            isTurning = false
            return fail(machine, error)
        }
        isTurning = false
        finish(machine, effects.list)
        arm(machine)
    }
}
