import CoveyReport
import FoundationEssentials
import Testing

@Suite("What a run found, as a file")
struct ResultTests {
    private func temporary(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "covey-report-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    @Test("A result is read back as it was written, a seed of 64 bits included")
    func roundTrip() throws {
        try temporary { folder in
            var result = Found.result(seed: .max, failing: true)
            result.options = [NamedText(name: "loss", text: "0.03 / burst")]
            result.fairness = [Fairness(name: "delivery by sender", shares: [1, 2, 3])]
            try ResultFile.write(result, to: folder + "/result.json")
            #expect(try ResultFile.readResult(folder + "/result.json") == result)
        }
    }

    @Test("Equal results are equal bytes")
    func stable() throws {
        let once = try ResultFile.encoded(Found.result(seed: 7))
        let again = try ResultFile.encoded(Found.result(seed: 7))
        #expect(once == again)
        #expect(once != (try ResultFile.encoded(Found.result(seed: 8))))
    }

    @Test("A measure that is no number does not stop a result from being written")
    func notANumber() throws {
        try temporary { folder in
            var result = Found.result(seed: 1)
            result.overhead = .infinity
            try ResultFile.write(result, to: folder + "/result.json")
            #expect(try ResultFile.readResult(folder + "/result.json").overhead == .infinity)
        }
    }

    @Test("A file that cannot be used says what is wrong with it")
    func refused() throws {
        try temporary { folder in
            let path = folder + "/result.json"
            #expect(throws: ResultFile.Problem.unreadable(path: path)) { try ResultFile.readResult(path) }
            try ResultFile.write(Array("[1, 2".utf8), to: path)
            #expect(throws: ResultFile.Problem.foreign(path: path, reason: "is not JSON")) {
                try ResultFile.readResult(path)
            }
            try ResultFile.write(Array(#"{"schema": 9}"#.utf8), to: path)
            #expect(throws: ResultFile.Problem.schema(path: path, found: 9, known: 1)) {
                try ResultFile.readResult(path)
            }
            try ResultFile.write(Array(#"{"schema": 1, "name": "x"}"#.utf8), to: path)
            #expect(throws: ResultFile.Problem.self) { try ResultFile.readResult(path) }
        }
    }

    @Test("A run succeeds when nothing that had to hold failed; what may miss, may")
    func verdicts() {
        #expect(Found.result(seed: 1).succeeded)
        #expect(!Found.result(seed: 1, failing: true).succeeded)
        var result = Found.result(seed: 1)
        result.assertions.append(AssertionResult(name: "p95Latency", verdict: Verdict(held: false, expected: false)))
        result.assertions.append(
            AssertionResult(name: "convergedWithin", verdict: Verdict(held: true, expected: false)))
        result.assertions.append(AssertionResult(name: "energy", verdict: .notJudged))
        #expect(result.succeeded)
        result.stopped = "the event queue was full"
        #expect(!result.succeeded)
    }

    @Test("A delay's quantile is the least delay that at least that share did not exceed")
    func quantiles() throws {
        let summary = try #require(DelaySummary((1...200).reversed().map { UInt64($0) * 1_000_000 }))
        #expect(summary.p50 == 100)
        #expect(summary.p95 == 190)
        #expect(summary.p99 == 198)
        #expect(summary.maximum == 200)
        #expect(summary.mean == 100.5)
        #expect(DelaySummary([]) == nil)
        #expect(DelaySummary([3_000_000])?.p50 == 3)
    }

    @Test("Jain's index is one when shares are even, and one nth when one host has all")
    func fairness() {
        #expect(Fairness(name: "x", shares: [2, 2, 2, 2]).jain == 1)
        #expect(Fairness(name: "x", shares: [5, 0, 0, 0]).jain == 0.25)
        #expect(Fairness(name: "x", shares: []).jain == 1)
    }

    @Test("Numbers are written as people read them")
    func figures() {
        #expect(Figure.percent(1) == "100.0 %")
        #expect(Figure.percent(0.9996) == "99.96 %")
        #expect(Figure.seconds(0.042) == "42 ms")
        #expect(Figure.seconds(5400) == "90.0 min")
        #expect(Figure.bytes(1_234_567) == "1.2 MB")
        #expect(Figure.count(1_204_000) == "1,204,000")
        #expect(Figure.decimal(-0.001) == "0.00")
        #expect(Figure.wanted(Wanted(.atMost, 15, .seconds)) == "≤ 15.0 s")
    }
}
