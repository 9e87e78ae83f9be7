import Testing

@testable import CoveyReport

@Suite("What a run looked like")
struct RecorderTests {
    private let second: UInt64 = 1_000_000

    @Test("Thinning keeps every nth from the first on, never more than its limit")
    func thinning() {
        for count in [0, 1, 7, 8, 9, 100, 1000, 1025] {
            var thinned = Thinned<Int>(limit: 8)
            for number in 0..<count { thinned.append(number) }
            #expect(thinned.kept.count <= 8)
            #expect(thinned.kept == Array(stride(from: 0, to: count, by: thinned.stride)))
            #expect(thinned.seen == count)
        }
    }

    @Test("A long run of many hosts stays within every bound, and says what was left out")
    func bounds() throws {
        let hosts = 5000
        var recorder = Recorder(
            duration: 86_400 * second, hosts: (0..<hosts).map(Found.host), frameTypes: (0..<30).map { "T\($0)" })
        var time: UInt64 = 0
        for step in 0..<100_000 {
            time += second / 2
            let a = UInt32(step * 7 % hosts)
            let b = UInt32((step * 13 + 1) % hosts)
            recorder.linkUp(a, b, at: time)
            recorder.bytes(100, frame: step % 30, at: time)
            recorder.fill(a, Double(step % 100) / 100, at: time)
            recorder.moment("crashes", "c", hosts: Array(0..<100), at: time)
            if recorder.nextPlaces.map({ $0 <= time }) == true {
                recorder.places([Float](repeating: Float(step), count: 2 * hosts), at: time)
            }
            recorder.created(UInt64(step), name: "m\(step)", class: "P1", from: a, to: b, bytes: 10, at: time)
            for hop in 0..<6 { recorder.hop(UInt64(step), from: a, to: UInt32(hop), at: time) }
            if a != b { recorder.linkDown(a, b, at: time + 1) }
        }
        let delays = (0..<10_000).map { UInt64($0) }
        let recording = recorder.finish(
            at: 86_400 * second, curves: [DeliveryCurve(name: "all", created: 10_000, delays: delays, oracle: delays)])
        #expect(recording.contacts.count <= RecordingBounds.contacts)
        #expect(recording.contactStride == 4)
        #expect(recording.intervals.count <= RecordingBounds.intervals)
        #expect(recording.intervals[0].hosts.count == 64 && recording.intervals[0].furtherHosts == 36)
        #expect(recording.heat.count <= RecordingBounds.heatRows)
        #expect(recording.heat.allSatisfy { $0.fill.count <= RecordingBounds.bins })
        #expect(recording.heat.reduce(0) { $0 + $1.hosts } == hosts)
        #expect(recording.positions.reduce(0) { $0 + $1.places.count / 2 } <= RecordingBounds.positions)
        #expect(recording.components.reduce(0) { $0 + $1.labels.count } <= RecordingBounds.labels)
        #expect(recording.frames.count == RecordingBounds.frameTypes)
        #expect(recording.frames.flatMap(\.bytes).reduce(0, +) == 10_000_000)
        #expect(recording.paths.count <= RecordingBounds.paths)
        #expect(recording.paths.map(\.message) == (0..<recording.paths.count).map { "m\($0 * recording.pathStride)" })
        #expect(recording.paths.allSatisfy { !$0.hops.isEmpty })
        #expect(recording.curves[0].delays.count == RecordingBounds.curvePoints)
        #expect(recording.curves[0].delays.last == 9999)
        #expect(try ResultFile.encoded(recording).count < 12_000_000)
    }

    @Test("A component is all who can reach one another, and is named by its first host")
    func components() {
        var recorder = Recorder(duration: 240 * second, hosts: (0..<6).map(Found.host))
        recorder.linkUp(5, 3, at: 0)
        recorder.linkUp(1, 5, at: 0)
        recorder.linkUp(0, 2, at: 0)
        recorder.linkDown(3, 5, at: 100 * second)
        recorder.linkUp(2, 1, at: 100 * second)
        let recording = recorder.finish(at: 240 * second, curves: [])
        #expect(recording.components.map(\.labels) == [[0, 1, 0, 1, 4, 1], [0, 0, 0, 3, 4, 0]])
        #expect(recording.components.map(\.time) == [0, 100 * second])
        #expect(recording.contacts.map(\.to) == [240 * second, 240 * second, 100 * second, 240 * second])
    }

    @Test("A column of the heat map shows the most a buffer held within it")
    func heat() {
        var recorder = Recorder(duration: 240 * second, hosts: [Found.host(0)])
        recorder.fill(0, 0.9, at: 1_200_000)
        recorder.fill(0, 0.25, at: 1_400_000)
        recorder.fill(0, 0.5, at: 239 * second)
        let fill = recorder.finish(at: 240 * second, curves: []).heat[0].fill
        #expect(fill.count == 240)
        #expect(fill[0] == 0 && fill[1] == 900 && fill[2] == 250 && fill[238] == 250 && fill[239] == 500)
    }

    @Test("Of a path with too many hops, those that led to the recipient stay")
    func pathBound() {
        let count = 1500
        var recorder = Recorder(duration: 2000 * second, hosts: (0..<count).map(Found.host))
        recorder.created(9, name: "m", class: "P1", from: 0, to: UInt32(count - 1), bytes: 1, at: 0)
        for host in 1..<count {
            // Odd hosts have it from the source, even ones from the one two before.
            let from = host % 2 == 1 && host != count - 1 ? 0 : host == count - 1 ? 998 : max(0, host - 20)
            recorder.hop(9, from: UInt32(from), to: UInt32(host), at: UInt64(host) * second)
            recorder.hop(9, from: 5, to: UInt32(host), at: UInt64(host) * second)
        }
        recorder.delivered(9, at: 1499 * second)
        let path = recorder.finish(at: 2000 * second, curves: []) { _ in 7 }.paths[0]
        #expect(path.hops.count == RecordingBounds.hops)
        #expect(path.furtherHops == count - 1 - RecordingBounds.hops)
        #expect(path.oracle == 7)
        var at = UInt32(count - 1)
        var steps = 0
        while at != 0, let hop = path.hops.first(where: { $0.to == at }) {
            at = hop.from
            steps += 1
        }
        #expect(at == 0 && steps > 40)
    }
}
