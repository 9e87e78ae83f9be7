import CoveyReport
import CoveyScenario
import Testing

/// `revocationWithin` and `revocationEverywhereWithin`, by spreads made by hand.
@Suite("How fast a revocation must be known")
struct RevocationJudgementTests {
    private static let minute: UInt64 = 60_000_000

    private func verdicts(_ spreads: [Evidence.RevocationSpread]?) throws -> [Verdict] {
        let claims =
            "[{revocationWithin: 10m, share: 0.5}, {revocationWithin: 10m, share: 1}, {revocationEverywhereWithin: 20m}]"
        var evidence = Evidence(level: .full, duration: 40 * Self.minute)
        evidence.revocations = spreads
        return Judge(Expansion(try read(sample(claims: claims)), seed: 1), evidence).results().map(\.verdict)
    }

    private func spread(delays: [UInt64], of reachable: Int, everywhere: UInt64?) -> Evidence.RevocationSpread {
        var spread = Evidence.RevocationSpread(device: 2, at: 5 * Self.minute)
        spread.delays = delays.map { $0 * Self.minute }
        spread.reachable = reachable
        spread.everywhere = everywhere.map { (5 + $0) * Self.minute }
        return spread
    }

    @Test("All in time; the last too late; one who never heard; a second device that was slower")
    func spreads() throws {
        let quick = spread(delays: [1, 2, 3, 9], of: 4, everywhere: 9)
        #expect(try verdicts([quick]) == [.passed, .passed, .passed])
        #expect(try verdicts([spread(delays: [1, 2, 3, 30], of: 4, everywhere: 30)]) == [.passed, .failed, .failed])
        #expect(try verdicts([spread(delays: [1, 2, 3], of: 4, everywhere: nil)]) == [.passed, .failed, .failed])
        #expect(try verdicts([quick, spread(delays: [15], of: 1, everywhere: 15)]) == [.failed, .failed, .passed])
    }

    @Test("Nothing is judged where nobody was revoked, or where the run does not show it")
    func nothing() throws {
        #expect(try verdicts([]) == [.notJudged, .notJudged, .notJudged])
        #expect(try verdicts(nil) == [.notJudged, .notJudged, .notJudged])
    }
}
