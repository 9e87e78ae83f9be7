import CoveyContact
import CoveyNode

// Datagrams to the group: once onto each segment and each link of the sender, and from there to everybody.

extension World {
    /// Bytes of IP and UDP heads.
    static let datagramHead = 28

    func multicast(_ machine: Machine, _ bytes: [UInt8]) {
        for tap in taps { tap.heard(datagram: bytes, from: machine.host, in: self) }
        let kind = FrameSummary.Kind(datagram: bytes)
        for port in machine.ports {
            let physics = segments[Int(port.segment)].physics
            let route = Route.segment(port.segment)
            guard physics.quality.multicast,
                let (left, payload) = leave(bytes, Int(port.channel), physics, machine.index, route)
            else { continue }
            let members = segments[Int(port.segment)].members
            for member in members where member != machine.index {
                send(
                    payload, kind, bytes.count, route, machine, member, Int(port.channel), physics, left)
            }
            payloads.release(payload)
        }
        // Whoever has a radio sends once for all who hear it.
        var onAir: (left: UInt64, payload: UInt32)?
        for index in machine.links where links[Int(index)].isUp {
            let link = links[Int(index)]
            let channel = Int(link.channel(of: machine.index))
            guard link.physics.quality.multicast,
                let (left, payload) = link.physics.quality.isShared && onAir != nil
                    ? onAir : leave(bytes, channel, link.physics, machine.index, .link(index))
            else { continue }
            if link.physics.quality.isShared, onAir == nil {
                payloads.use(payload)
                onAir = (left, payload)
            }
            send(
                payload, kind, bytes.count, .link(index), machine, link.other(than: machine.index), channel,
                link.physics, left)
            if !link.physics.quality.isShared { payloads.release(payload) }
        }
        if let onAir {
            payloads.release(onAir.payload)
            payloads.release(onAir.payload)
        }
    }

    /// When its last bit has left, and where the bytes lie; nil when the queue is full.
    private func leave(
        _ bytes: [UInt8], _ channel: Int, _ physics: Physics, _ host: UInt32, _ route: Route
    ) -> (left: UInt64, payload: UInt32)? {
        let ahead = channels[channel].busyUntil
        if ahead > now, ahead - now > physics.airtime(physics.quality.queue) {
            report.lost += 1
            return nil
        }
        let (left, transmission) = occupy(channel, physics, bytes.count + Self.datagramHead, of: host, over: route)
        return (left, payloads.keep(bytes, transmission: transmission))
    }

    private func send(
        _ payload: UInt32, _ kind: FrameSummary.Kind, _ size: Int, _ route: Route, _ machine: Machine, _ to: UInt32,
        _ channel: Int, _ physics: Physics, _ left: UInt64
    ) {
        report.traffic[Int(kind.rawValue)].count += 1
        report.traffic[Int(kind.rawValue)].bytes += size
        frames.add(FrameLedger.row(of: kind), bytes: size)
        var late: UInt64 = 0
        var copies = 1
        var isSafe = false
        var isAltered = false
        switch judge(kind, from: machine.index, to: to, size: size) {
        case .pass: break
        case .deliver: isSafe = true
        case .drop:
            report.lost += 1
            return
        case .delay(let time): late = time.simulated
        case .duplicate: copies = 2
        case .corrupt: isAltered = true
        }
        // What cannot arrive need not be thought through.
        if !cuts.isEmpty, passage(route, machine.index, to) == .cut || !machines[Int(to)].answers {
            report.lost += 1
            return
        }
        let isPerfect = physics.isPerfect(channels[channel])
        if !isSafe, !isPerfect || physics.quality.duplicate > 0 || physics.quality.reorder > 0 {
            if physics.loses(&channels[channel], &network) {
                report.lost += 1
                return
            }
            if physics.alters(size, &network) { isAltered = true }
            if physics.quality.duplicate > 0, network.chance(physics.quality.duplicate) { copies += 1 }
            if physics.quality.reorder > 0, network.chance(physics.quality.reorder) {
                late += 2 * physics.latency(&network) + 1_000
            }
        }
        var sent = payload
        if isAltered {
            var bytes = payloads[payload]
            bytes[network.below(bytes.count)] ^= 1 << UInt8(network.below(8))
            sent = payloads.keep(bytes, uses: 0, transmission: payloads.transmission(payload))
        }
        for _ in 0..<copies {
            payloads.use(sent)
            wheel.push(
                at: left + physics.latency(&network) + late,
                Occurrence(
                    kind: .datagram, generation: UInt16(route.interface), host: to, subject: machine.index,
                    payload: sent))
        }
    }

    func datagramArrived(_ occurrence: Occurrence) {
        let machine = machines[Int(occurrence.host)]
        if isRuined(occurrence.payload, at: occurrence.host) {
            report.lost += 1
            return payloads.release(occurrence.payload)
        }
        let route =
            occurrence.generation == 1
            ? self.route(occurrence.subject, occurrence.host) : .segment(Int32(occurrence.generation) - 2)
        switch route.map({ passage($0, occurrence.subject, occurrence.host) }) ?? .cut {
        case .free: break
        case .held: return heldDatagrams.append(occurrence)
        case .cut:
            report.lost += 1
            return payloads.release(occurrence.payload)
        }
        hear(occurrence, machine)
    }

    func hear(_ occurrence: Occurrence, _ machine: Machine) {
        let bytes = payloads.take(occurrence.payload)
        let source = machines[Int(occurrence.subject)].address
        turn(machine, .datagram(bytes, from: source, interface: UInt32(occurrence.generation)))
    }
}
