import Glibc

/// Places for hosts that have none: one disc a group, the discs around a ring; where hosts are few, those that were
/// long in contact are then drawn together. The same recording gives the same places.
struct HostLayout {
    /// x and y in turn, host by host, in units of its own.
    let places: [Float]

    /// More hosts than this keep their places in their groups' discs.
    private static let movable = 400

    init(_ recording: Recording) {
        var points = Self.discs(recording.hosts)
        if points.count > 1, points.count <= Self.movable { Self.settle(&points, recording) }
        places = points.flatMap { [Float($0.x), Float($0.y)] }
    }

    private struct Point {
        var x: Double
        var y: Double
    }

    private static func discs(_ hosts: [Recording.Host]) -> [Point] {
        // Groups in the order of their first hosts.
        var order: [String] = []
        var members: [String: [Int]] = [:]
        for (index, host) in hosts.enumerated() {
            if members[host.group] == nil { order.append(host.group) }
            members[host.group, default: []].append(index)
        }
        let radii = order.map { sqrt(Double(members[$0]?.count ?? 0)) + 1 }
        // Each disc takes the part of the ring that its width asks for.
        let around = radii.reduce(0, +) * 2.3
        let ring = order.count == 1 ? 0 : max(around / (2 * Double.pi), (radii.max() ?? 0) * 1.3)
        var points = Array(repeating: Point(x: 0, y: 0), count: hosts.count)
        var passed = 0.0
        for (group, radius) in zip(order, radii) {
            let angle = (passed + radius * 1.15) / around * 2 * Double.pi - Double.pi / 2
            passed += radius * 2.3
            for (place, host) in (members[group] ?? []).enumerated() {
                // A sunflower: every next seed a golden angle further, all with the same room.
                let turn = Double(place) * 2.399963229728653
                let distance = sqrt(Double(place) + 0.5)
                points[host] = Point(
                    x: ring * cos(angle) + distance * cos(turn), y: ring * sin(angle) + distance * sin(turn))
            }
        }
        return points
    }

    /// Each host is tied to its place, contacts pull by the share of the run that they lasted, and nobody comes too
    /// near to another.
    private static func settle(_ points: inout [Point], _ recording: Recording) {
        let count = points.count
        let tied = points
        var lasted: [Int: Double] = [:]
        for contact in recording.contacts {
            let share = Double(contact.to - contact.from) / Double(max(1, recording.duration))
            lasted[Int(contact.a) * count + Int(contact.b), default: 0] += share
        }
        let springs = lasted.sorted { $0.key < $1.key }
            .map { (a: $0.key / count, b: $0.key % count, pull: min(1, $0.value)) }
        // Of a host with many contacts each pulls less.
        var pulls = Array(repeating: 1.0, count: count)
        for spring in springs {
            pulls[spring.a] += spring.pull
            pulls[spring.b] += spring.pull
        }
        let rounds = 150
        for round in 0..<rounds {
            var force = tied.indices.map {
                Point(x: (tied[$0].x - points[$0].x) * 0.05, y: (tied[$0].y - points[$0].y) * 0.05)
            }
            for a in 0..<count {
                for b in (a + 1)..<count {
                    let dx = points[a].x - points[b].x
                    let dy = points[a].y - points[b].y
                    let square = dx * dx + dy * dy
                    guard square < 6.25 else { continue }
                    let distance = max(0.1, sqrt(square))
                    let push = 0.5 * (2.5 - distance) / distance
                    force[a].x += dx * push
                    force[a].y += dy * push
                    force[b].x -= dx * push
                    force[b].y -= dy * push
                }
            }
            for spring in springs {
                let dx = points[spring.a].x - points[spring.b].x
                let dy = points[spring.a].y - points[spring.b].y
                let strength = 0.3 * spring.pull / max(pulls[spring.a], pulls[spring.b])
                force[spring.a].x -= dx * strength
                force[spring.a].y -= dy * strength
                force[spring.b].x += dx * strength
                force[spring.b].y += dy * strength
            }
            let step = 1.5 * Double(rounds - round) / Double(rounds)
            for index in 0..<count {
                let length = sqrt(force[index].x * force[index].x + force[index].y * force[index].y)
                guard length > 0 else { continue }
                let move = min(step, length) / length
                points[index].x += force[index].x * move
                points[index].y += force[index].y * move
            }
        }
    }
}
