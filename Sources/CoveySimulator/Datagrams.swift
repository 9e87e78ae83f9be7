import CoveyContact
import CoveyNode

// Datagrams to the group: once onto each segment and each link of the sender, and from there to everybody.

extension World {
    /// Bytes of IP and UDP heads.
    static let datagramHead = 28

    func multicast(_ machine: Machine, _ bytes: [UInt8]) {
        for tap in taps { tap.heard(datagram: bytes, from: machine.host, in: self) }
        let kind = FrameSummary.Kind(datagram: bytes)
        let payload = payloads.keep(bytes)
        for port in machine.ports {
            let physics = segments[Int(port.segment)].physics
            guard physics.quality.multicast, let left = leave(Int(port.channel), physics, bytes.count) else { continue }
            let members = segments[Int(port.segment)].members
            for member in members where member != machine.index {
                send(
                    payload, kind, bytes.count, .segment(port.segment), machine, member, Int(port.channel), physics,
                    left)
            }
        }
        for index in machine.links where links[Int(index)].isUp {
            let link = links[Int(index)]
            let channel = Int(link.channel(of: machine.index))
            guard link.physics.quality.multicast, let left = leave(channel, link.physics, bytes.count) else { continue }
            send(
                payload, kind, bytes.count, .link(index), machine, link.other(than: machine.index), channel,
                link.physics,
                left)
        }
        payloads.release(payload)
    }

    /// When its last bit has left; nil when the queue is full.
    private func leave(_ channel: Int, _ physics: Physics, _ size: Int) -> UInt64? {
        let ahead = channels[channel].busyUntil
        if ahead > now, ahead - now > physics.airtime(physics.quality.queue) {
            report.lost += 1
            return nil
        }
        return occupy(channel, physics, size + Self.datagramHead, at: now)
    }

    private func send(
        _ payload: UInt32, _ kind: FrameSummary.Kind, _ size: Int, _ route: Route, _ machine: Machine, _ to: UInt32,
        _ channel: Int, _ physics: Physics, _ left: UInt64
    ) {
        report.traffic[Int(kind.rawValue)].count += 1
        report.traffic[Int(kind.rawValue)].bytes += size
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
        if !isSafe, !physics.isPerfect || physics.quality.duplicate > 0 || physics.quality.reorder > 0 {
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
            sent = payloads.keep(bytes, uses: 0)
        }
        for _ in 0..<copies {
            payloads.use(sent)
            wheel.push(
                at: left + physics.latency(&network) + late,
                Occurrence(
                    kind: .datagram, half: UInt8(truncatingIfNeeded: route.interface), host: to, subject: machine.index,
                    payload: sent))
        }
    }

    func datagramArrived(_ occurrence: Occurrence) {
        let machine = machines[Int(occurrence.host)]
        let route =
            occurrence.half == 1
            ? self.route(occurrence.subject, occurrence.host) : .segment(Int32(occurrence.half) - 2)
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
        turn(machine, .datagram(bytes, from: source, interface: UInt32(occurrence.half)))
    }
}
