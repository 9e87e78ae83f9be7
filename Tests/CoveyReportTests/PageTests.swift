import FoundationEssentials
import Testing

@testable import CoveyReport

@Suite("The page of a run")
struct PageTests {
    private static let samples =
        #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Samples/three-villages"

    /// What stands between the first `from` and the `to` after it.
    private func between(_ from: String, _ to: String, _ text: String) throws -> Substring {
        let start = try #require(text.firstRange(of: from)).upperBound
        let end = try #require(text[start...].firstRange(of: to)).lowerBound
        return text[start..<end]
    }

    @Test("The sample that the screenshot is taken of is what its story gives")
    func sample() throws {
        let run = SampleRun()
        // Writes it anew after a change of the story or the schema.
        if ProcessInfo.processInfo.environment["COVEY_WRITE_SAMPLES"] != nil {
            try ResultFile.write(run.result, to: Self.samples + "/result.json")
            try ResultFile.write(run.recording, to: Self.samples + "/recording.json")
        }
        #expect(try ResultFile.readResult(Self.samples + "/result.json") == run.result)
        #expect(try ResultFile.readRecording(Self.samples + "/recording.json") == run.recording)
    }

    @Test("The page asks nothing of any network")
    func selfContained() throws {
        let page = try ReportPage.html(SampleRun().result, SampleRun().recording)
        for word in ["src=", "@import", "url(", "https:", "fetch(", "XMLHttpRequest", "import(", "<link", "<iframe"] {
            #expect(!page.contains(word), "\(word)")
        }
        // The one address in it is the name of a vocabulary; nobody asks for what is there.
        #expect(page.components(separatedBy: "http:").count == 2)
        #expect(page.contains(#"createElementNS("http://www.w3.org/2000/svg""#))
        #expect(page.components(separatedBy: "href=\"").dropFirst().allSatisfy { $0.hasPrefix("#t=") })
    }

    @Test("No name of a host, message, lane or scenario can leave its place in the page")
    func injection() throws {
        let evil = "</script><script>alert(1)</script><img onerror='x' src=\"y\"> <!--"
        var recorder = Recorder(
            duration: 1_000_000,
            hosts: [Recording.Host(name: evil, group: evil), Recording.Host(name: "b", group: "g")],
            linkKinds: [evil], frameTypes: [evil])
        recorder.linkUp(0, 1, at: 0)
        recorder.moment(evil, evil, hosts: [0], at: 5)
        recorder.created(1, name: evil, class: evil, from: 0, to: 1, bytes: 1, at: 5)
        var result = Found.result(seed: 1, failing: true)
        result.name = evil
        result.about = evil
        result.stopped = evil
        result.replay = evil
        result.notes = [evil]
        result.assertions[0].name = evil
        result.assertions[0].because = evil
        result.assertions[0].firstViolation = Violation(time: 5, host: evil)
        result.bytesByFrame = [Tally(name: evil, count: 1, bytes: 1)]
        result.options = [NamedText(name: evil, text: evil)]
        let page = try ReportPage.html(result, recorder.finish(at: 1_000_000, curves: []))
        #expect(page.components(separatedBy: "<script").count == 3)
        #expect(page.components(separatedBy: "</script").count == 3)
        #expect(!page.contains("<img") && !page.contains("<!--"))
        #expect(page.contains("href=\"#t=5e-06&amp;n=%3C%2Fscript%3E"))
        // The data still says what was recorded.
        struct Data: Decodable { var recording: Recording }
        let json = try between("id=\"data\">", "</script>", page)
        let data = try JSONDecoder().decode(Data.self, from: FoundationEssentials.Data(json.utf8))
        #expect(data.recording.hosts[0].name == evil)
        #expect(data.recording.paths[0].message == evil)
    }

    @Test("Failures stand first, and each leads to its time and host")
    func assertions() throws {
        let run = SampleRun()
        let table = try between("<tbody>", "</tbody>", try ReportPage.html(run.result, run.recording))
        let rows = String(table).components(separatedBy: "<tr>").dropFirst()
        #expect(rows.count == 6)
        let verdicts = ["failed", "surprising-pass", "expected-miss", "not-judged", "passed", "passed"]
        for (row, verdict) in zip(rows, verdicts) { #expect(row.contains("verdict \(verdict)\"")) }
        let violation = try #require(run.result.assertions[0].firstViolation)
        let host = try #require(violation.host)
        #expect(rows[1].contains("href=\"#t=\(Double(violation.time) / 1e6)&amp;n=\(host)\""))
    }

    @Test("Without a recording the page has figures and no pictures, and leads nowhere")
    func figuresOnly() throws {
        let page = try ReportPage.html(SampleRun().result, nil)
        #expect(page.contains("deliveryVsOracle") && page.contains("Delivery by class"))
        #expect(!page.contains("<canvas") && !page.contains("href="))
    }

    @Test("Hosts without places stand apart by group, and closer to those they meet for long")
    func layout() {
        let hosts = (0..<40).map { Recording.Host(name: "h\($0)", group: $0 < 20 ? "a" : "b") }
        var recorder = Recorder(duration: 1_000_000, hosts: hosts)
        recorder.linkUp(0, 39, at: 0)
        let recording = recorder.finish(at: 1_000_000, curves: [])
        let places = HostLayout(recording).places
        func distance(_ a: Int, _ b: Int) -> Float {
            let x = places[2 * a] - places[2 * b]
            let y = places[2 * a + 1] - places[2 * b + 1]
            return (x * x + y * y).squareRoot()
        }
        #expect(places.count == 80 && places.allSatisfy(\.isFinite))
        #expect(places == HostLayout(recording).places)
        for a in 0..<40 { for b in 0..<a { #expect(distance(a, b) > 0.3) } }
        func mean(_ pairs: [(Int, Int)]) -> Float { pairs.reduce(0) { $0 + distance($1.0, $1.1) } / Float(pairs.count) }
        let within = (1..<19).map { ($0, $0 + 1) }
        let across = (1..<19).map { ($0, $0 + 20) }
        #expect(mean(within) < mean(across))
        #expect(distance(0, 39) < mean(across))
    }

    @Test("The page of five thousand hosts stays small enough to open")
    func size() throws {
        let count = 5000
        var recorder = Recorder(
            duration: 86_400_000_000, hosts: (0..<count).map { Recording.Host(name: "h\($0)", group: "g\($0 % 8)") })
        for host in 0..<count {
            for other in 1...8 { recorder.linkUp(UInt32(host), UInt32((host + other * 8) % count), at: UInt64(host)) }
            recorder.fill(UInt32(host), 0.5, at: 10_000)
        }
        var time: UInt64 = 20_000
        while let next = recorder.nextPlaces, next < 86_400_000_000 {
            time = max(time, next)
            let places = (0..<2 * count).map { Float(($0 &* 7919 &+ Int(time / 1_000_000)) % 10_000) + 0.5 }
            recorder.places(places, at: time)
        }
        let recording = recorder.finish(at: 86_400_000_000, curves: [])
        let page = try ReportPage.html(Found.result(seed: 1), recording)
        #expect(page.utf8.count < 12_000_000)
        #expect(recording.positions.count * count <= RecordingBounds.positions)
    }
}
