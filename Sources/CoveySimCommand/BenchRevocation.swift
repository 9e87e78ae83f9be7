import ArgumentParser
import CoveyContact
import CoveySimulator

/// What the news of one revocation costs each link of a mesh at rest: first the note alone, then the epoch that covers it.
///
/// The note must cost no link more than `most`, both directions together, with all that goes over the link in those seconds
/// besides: heads of packets, padding, tags, reconciliation, signs of life. Nobody writes.
struct BenchRevocation {
    var hosts: Int

    /// Bytes a link.
    static let most = 1_024
    /// A note is everywhere within a second. After an epoch links are made anew within a minute.
    private static let spread = Duration.seconds(10)
    private static let renewal = Duration.seconds(90)

    /// What went over each pair of hosts in one window.
    private final class Meter: FrameListener {
        struct Pair: Hashable {
            let low: Int
            let high: Int

            init(_ one: Host, _ other: Host) {
                low = min(one.index, other.index)
                high = max(one.index, other.index)
            }
        }

        /// Bytes of packets as they were sent, without handshakes; and of the frames of notes in them.
        var sealed: [Pair: Int] = [:]
        var notes: [Pair: Int] = [:]
        var handshakes = 0
        var rows = FrameLedger()

        private static let note = FrameLedger.names.firstIndex(of: "notePut")

        func wrote(_ row: Int, count: Int, bytes: Int, from: Host, to: Host, at time: Duration) {
            rows.add(row, count: count, bytes: bytes)
            if row == Self.note { notes[Pair(from, to), default: 0] += bytes }
        }

        func found(differences: Int, at host: Host, with peer: Host) {}

        func gotAgain(at host: Host) {}

        func sent(_ frame: FrameSummary) {
            switch frame.kind {
            case .transport: sealed[Pair(frame.from, frame.to), default: 0] += frame.size
            case .handshakeFirst, .handshakeSecond, .handshakeThird: handshakes += frame.size
            case .beacon, .tinyBeacon, .other: break
            }
        }

        func clear() {
            sealed = [:]
            notes = [:]
            handshakes = 0
            rows = FrameLedger()
        }
    }

    func run() throws {
        let world = World(seed: 1)
        let all = (0..<hosts).map { world.addHost("host \($0)") }
        let meter = Meter()
        world.frameListener = meter
        world.add(
            Rule { frame in
                meter.sent(frame)
                return .pass
            })
        // Links are up, sets are equal, and digests rest.
        world.run(for: .hours(1))

        let lost = all[hosts - 1]
        meter.clear()
        world.revoke(lost, by: all[0], isAnnounced: false)
        world.run(for: Self.spread)
        let links = meter.notes.keys.filter { $0.high != lost.index }.map { pair in
            (all: meter.sealed[pair] ?? 0, note: meter.notes[pair] ?? 0)
        }
        let note = links.map(\.note).sorted()
        let sealed = links.map(\.all).sorted()
        var figures = Figures("revocation")
        figures.set("hosts", hosts)
        figures.set("links", links.count)
        figures.set("note_frames_a_link_p50", note.isEmpty ? 0 : note[note.count / 2])
        figures.set("note_frames_a_link_most", note.last ?? 0)
        figures.set("sent_a_link_p50", sealed.isEmpty ? 0 : sealed[sealed.count / 2])
        figures.set("sent_a_link_most", sealed.last ?? 0)
        figures.set("ceiling", Self.most)
        let most = sealed.last ?? 0
        let knows = all.dropLast().allSatisfy { host in
            world.sightings(of: host).contains(.revocationLearnt(of: lost))
        }

        meter.clear()
        world.rotateEpoch(by: all[0])
        world.run(for: Self.renewal)
        let epoch = meter.sealed.values.sorted()
        figures.set("epoch_sent_a_link_p50", epoch.isEmpty ? 0 : epoch[epoch.count / 2])
        figures.set("epoch_sent_a_link_most", epoch.last ?? 0)
        figures.set("epoch_handshakes_a_link", meter.handshakes / max(1, epoch.count))
        for row in meter.rows.traffic.prefix(5) {
            let name = row.name.split { !$0.isLetter }.joined(separator: "_")
            figures.set("epoch_\(name)_bytes_a_link", row.bytes / max(1, epoch.count))
        }
        figures.print()
        let fault: String? =
            if links.isEmpty || epoch.isEmpty {
                "no link was metered"
            } else if !knows {
                "somebody has not heard of the revocation"
            } else if most > Self.most {
                "a link carried \(most) bytes for one revocation; the ceiling is \(Self.most)"
            } else { nil }
        if let fault {
            StandardError.tell("covey-sim: \(fault)")
            throw ExitCode(Complaint.Status.failed)
        }
    }
}
