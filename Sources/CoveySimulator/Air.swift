import CoveyContact

/// One transmission on a shared medium.
struct Transmission {
    let number: UInt32
    let medium: Int32
    let sender: UInt32
    let start: UInt64
    let end: UInt64
    /// Hosts at which it met another one.
    var ruined: [UInt32] = []
}

// Shared media: who hears somebody waits; who does not may send at the same time, and at a receiver that hears both,
// neither is understood. A segment is one medium; all shared links are another, on which the ends of links hear each other.

extension World {
    private static let linkMedium: Int32 = -1
    /// Microseconds for which a transmission is remembered after its end: what it carried may come late.
    private static let memory: UInt64 = 600_000_000

    func medium(_ route: Route) -> Int32 {
        switch route.kind {
        case .link: Self.linkMedium
        case .segment(let index): Int32(index)
        }
    }

    private func hearers(of host: UInt32, on medium: Int32) -> [UInt32] {
        if medium != Self.linkMedium { return segments[Int(medium)].members.filter { $0 != host } }
        return machines[Int(host)].links.compactMap { index in
            let link = links[Int(index)]
            return link.isUp && link.physics.quality.isShared ? link.other(than: host) : nil
        }
    }

    private func hears(_ host: UInt32, _ sender: UInt32, on medium: Int32) -> Bool {
        hearers(of: sender, on: medium).contains(host)
    }

    /// Waits until nobody who is heard sends, and then a little, by chance. Returns when the last bit has left.
    func occupyAir(_ host: UInt32, _ medium: Int32, _ channel: Int, _ physics: Physics, _ size: Int) -> UInt64 {
        let airtime = physics.airtime(size)
        var start = max(now, channels[channel].busyUntil, machines[Int(host)].hearsUntil)
        if start > now { start += network.below(physics.airtime(physics.quality.mtu) + 1) }
        let end = start + airtime
        channels[channel].busyUntil = physics.silence(after: airtime, endingAt: end)
        lastTransmission &+= 1
        var sent = Transmission(number: lastTransmission, medium: medium, sender: host, start: start, end: end)
        for hearer in hearers(of: host, on: medium) {
            machines[Int(hearer)].hearsUntil = max(machines[Int(hearer)].hearsUntil, end)
            for index in onAir.indices.reversed() {
                let other = onAir[index]
                guard other.medium == medium, other.sender != host, other.start < end, start < other.end,
                    other.sender == hearer || hears(hearer, other.sender, on: medium)
                else { continue }
                report.collisions += 1
                if !onAir[index].ruined.contains(hearer) { onAir[index].ruined.append(hearer) }
                if !sent.ruined.contains(hearer) { sent.ruined.append(hearer) }
            }
        }
        if let first = onAir.first, first.end + Self.memory < now {
            onAir.removeAll { $0.end + Self.memory < now }
        }
        onAir.append(sent)
        return end
    }

    /// Whether what a payload went by was met by another transmission at this host.
    func isRuined(_ payload: UInt32, at host: UInt32) -> Bool {
        let number = payloads.transmission(payload)
        guard number != 0 else { return false }
        return onAir.contains { $0.number == number && $0.ruined.contains(host) }
    }
}
