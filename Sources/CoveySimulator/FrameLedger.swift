import CoveyCore
import CoveyLink
import CoveyNode

/// What was sent, by what it was: datagrams, messages of handshakes, frames of links, and what seals those.
///
/// A row is a number here, so that whoever counts along needs no type of the link.
package struct FrameLedger: Hashable, Sendable {
    private static let firstFrame = FrameSummary.Kind.allCases.count
    private static let firstMail = firstFrame + FrameType.allCases.count

    /// Heads of packets, padding and tags: all of a sealed link that is no frame.
    package static let sealing = row(of: .transport)
    /// DIGEST, SUMMARY, RECON and RECON_DONE.
    package static let reconciliation = (row(of: .digest)..<row(of: .reconDone) + 1)
    /// DATA frames, by the priority of their envelopes.
    package static let mail = firstMail..<firstMail + Priority.allCases.count

    /// By row. Rows whose frames have no priority are never used, but for DATA that is no envelope.
    package static let names: [String] =
        FrameSummary.Kind.allCases.map { kind in
            switch kind {
            case .beacon, .tinyBeacon, .handshakeFirst, .handshakeSecond, .handshakeThird, .other: "\(kind)"
            case .transport: "packet heads, padding and tags"
            }
        } + FrameType.allCases.map { "\($0)" } + Priority.allCases.map { "data \($0)" }

    private static let frameRows: [UInt8] = {
        var rows = [UInt8](repeating: 0, count: 256)
        for (index, type) in FrameType.allCases.enumerated() {
            rows[Int(type.rawValue)] = UInt8(firstFrame + index)
        }
        return rows
    }()

    package static func row(of kind: FrameSummary.Kind) -> Int { Int(kind.rawValue) }

    static func row(of type: FrameType) -> Int { Int(frameRows[Int(type.rawValue)]) }

    static func row(of row: FrameTally.Row) -> Int {
        row.priority.map { mail.lowerBound + Int($0.rawValue) } ?? Self.row(of: row.type)
    }

    /// Whether the row is mail itself; all else is there so that mail can go.
    package static func isMail(_ row: Int) -> Bool { mail.contains(row) || row == Self.row(of: .data) }

    package private(set) var counts = [Int](repeating: 0, count: names.count)
    package private(set) var bytes = [Int](repeating: 0, count: names.count)

    package init() {}

    package mutating func add(_ row: Int, count: Int = 1, bytes: Int) {
        counts[row] += count
        self.bytes[row] += bytes
    }

    package var total: Int { bytes.reduce(0, +) }

    /// What there was of, the largest first.
    package var traffic: [Report.FrameTraffic] {
        let rows = counts.indices.filter { counts[$0] > 0 || bytes[$0] > 0 }
        return rows.sorted { (bytes[$1], $0) < (bytes[$0], $1) }.map {
            Report.FrameTraffic(name: Self.names[$0], count: counts[$0], bytes: bytes[$0])
        }
    }
}

/// Told what hosts say to each other, row by row of a `FrameLedger`, as it is written.
package protocol FrameListener: AnyObject {
    /// Frames of a link. What is told of by `Rule` already, beacons and handshakes, is not told here.
    func wrote(_ row: Int, count: Int, bytes: Int, from: Host, to: Host, at time: Duration)
    /// Reconciliation of two found that one lacks so many items.
    func found(differences: Int, at host: Host, with peer: Host)
    /// An envelope came to a host that knew it.
    func gotAgain(at host: Host)
}

/// What the links of one host's node carry, on its way to the world's books.
final class HostTraffic: TrafficObserver {
    private unowned let world: World
    private unowned let machine: Machine

    init(_ world: World, _ machine: Machine) {
        self.world = world
        self.machine = machine
    }

    func wrote(_ tally: FrameTally, on connection: ConnectionID) { world.wrote(tally, on: connection, from: machine) }

    func found(differences: Int, on connection: ConnectionID) {
        world.report.differences += differences
        guard let listener = world.frameListener, let peer = world.peer(of: connection, machine) else { return }
        listener.found(differences: differences, at: machine.host, with: peer)
    }

    func gotAgain(on connection: ConnectionID) {
        world.report.duplicates += 1
        world.frameListener?.gotAgain(at: machine.host)
    }
}

extension World {
    /// Who is at the other end.
    func peer(of connection: ConnectionID, _ machine: Machine) -> Host? {
        guard let socket = machine.socket(connection) else { return nil }
        return hosts[Int(streams[Int(socket.stream)].halves[1 - socket.half].host)]
    }

    func wrote(_ tally: FrameTally, on connection: ConnectionID, from machine: Machine) {
        let peer = frameListener == nil ? nil : peer(of: connection, machine)
        for row in tally.rows { enter(FrameLedger.row(of: row), row.count, row.bytes, machine, peer) }
        enter(FrameLedger.sealing, 0, tally.overhead, machine, peer)
    }

    func wrote(_ tally: FrameTally, on connection: ConnectionID, from host: Host) {
        wrote(tally, on: connection, from: machines[host.index])
    }

    private func enter(_ row: Int, _ count: Int, _ bytes: Int, _ machine: Machine, _ peer: Host?) {
        frames.add(row, count: count, bytes: bytes)
        if let peer { frameListener?.wrote(row, count: count, bytes: bytes, from: machine.host, to: peer, at: time) }
    }
}
