import CoveyContact
import CoveyVectors
import Testing

private func text(_ lines: String...) -> TraceFile {
    TraceFile(path: "made.txt", bytes: Array(lines.joined(separator: "\n").utf8))
}

@Suite("Files of contacts and messages")
struct TraceFileTests {
    @Test("Connection events keep the order of their lines at equal times, whatever separates the fields")
    func events() throws {
        let trace = try ContactTrace(
            oneEvents: text("# made", "", "1\tCONN\t7\t2\tup", "1 CONN  0 2   up\r", " 2.5 CONN 2 7 down"))
        #expect(trace.nodes == 8)
        #expect(
            trace.changes == [
                ContactChange(time: 1_000_000, a: 7, b: 2, isUp: true),
                ContactChange(time: 1_000_000, a: 0, b: 2, isUp: true),
                ContactChange(time: 2_500_000, a: 2, b: 7, isUp: false),
            ])
    }

    @Test("A time is read to the nearest microsecond")
    func fractions() throws {
        let trace = try ContactTrace(
            oneEvents: text(
                "0.000001 CONN 0 1 up", "0.0000015 CONN 0 1 up", "0.99999949 CONN 0 1 up", "3.0 CONN 0 1 up")
        )
        #expect(trace.changes.map(\.time) == [1, 2, 999_999, 3_000_000])
    }

    @Test("A workload is names, times, ends and sizes")
    func workload() throws {
        let messages = try [PlannedMessage](oneWorkload: text("10 C M1 12 11 10000", "12.25\tC\tM2\t1\t2\t0"))
        #expect(
            messages == [
                PlannedMessage(name: "M1", time: 10_000_000, from: 12, to: 11, size: 10000),
                PlannedMessage(name: "M2", time: 12_250_000, from: 1, to: 2, size: 0),
            ])
    }

    @Test("A mistake names the file, the line and what should stand there")
    func mistakes() {
        let cases: [(TraceFile, Int, TraceError.Mistake)] = [
            (text("1 CONN 0 1 up", "0 CONN 0 1 down"), 2, .notSorted),
            (text("# first", "1 CONN 0 1"), 2, .expected("up or down", found: "")),
            (text("1 CONN 0 1 up now"), 1, .unexpected("now")),
            (text("x CONN 0 1 up"), 1, .expected("seconds", found: "x")),
            (text("1. CONN 0 1 up"), 1, .expected("seconds", found: "1.")),
            (text("-1 CONN 0 1 up"), 1, .expected("seconds", found: "-1")),
            (text("1 MOVE 0 1 up"), 1, .expected("CONN", found: "MOVE")),
            (text("1 CONN 0 n1 up"), 1, .expected("a host", found: "n1")),
            (text("1 CONN 0"), 1, .expected("a host", found: "")),
            (text("1 CONN 4 4 up"), 1, .itself),
            (text("1 CONN 0 9999999 up"), 1, .outOfRange("a host", highest: TraceLimits.nodes - 1)),
            (
                text("99999999999999999999 CONN 0 1 up"), 1,
                .outOfRange("a time", highest: Int(TraceLimits.seconds))
            ),
        ]
        for (file, line, mistake) in cases {
            #expect(throws: TraceError(path: "made.txt", line: line, mistake: mistake)) {
                try ContactTrace(oneEvents: file)
            }
        }
        #expect(throws: TraceError(path: "made.txt", line: 2, mistake: .repeated("M"))) {
            try [PlannedMessage](oneWorkload: text("1 C M 0 1 5", "2 C M 1 0 5"))
        }
        #expect(throws: TraceError(path: "made.txt", line: 1, mistake: .outOfRange("a host", highest: 2))) {
            try ContactTrace(oneEvents: text("1 CONN 0 3 up"), nodes: 3)
        }
        #expect("\(TraceError(path: "a.txt", line: 3, mistake: .itself))" == "a.txt:3: a host does not meet itself")
    }

    @Test("What cannot be read, or is larger than the bound, is said so")
    func files() throws {
        #expect(throws: TraceError(path: "/no/such", line: 0, mistake: .unreadable)) { try TraceFile(path: "/no/such") }
        #expect(throws: TraceError(path: "/", line: 0, mistake: .unreadable)) { try TraceFile(path: "/") }
        let own = Shared.packageRoot + "/Package.swift"
        #expect(try TraceFile(path: own).bytes == VectorFile(path: own).bytes())
        #expect(throws: TraceError(path: own, line: 0, mistake: .tooLarge(limit: 100))) {
            try TraceFile(path: own, limit: 100)
        }
    }

    @Test("A packed trace is read through the packing", .needsShared)
    func packed() throws {
        let folder = Shared.folder + "/traces"
        let trace = try ContactTrace(oneEvents: TraceFile(path: folder + "/traces/synth-conf98.txt.gz"), nodes: 98)
        #expect(trace.changes.count == 22358)
        #expect(trace.changes.first == ContactChange(time: 30_832_000_000, a: 21, b: 40, isUp: true))
        let messages = try [PlannedMessage](oneWorkload: TraceFile(path: folder + "/workloads/w_conf98_a.txt.gz"))
        #expect(messages.count == 60)
        #expect(messages.last == PlannedMessage(name: "M60", time: 64_200_000_000, from: 48, to: 47, size: 10000))
    }
}
