import CoveyScenario
import Testing

@Suite("Problems of a scenario")
struct ScenarioProblemTests {
    @Test("A problem is one line: file, line, key, reason")
    func line() {
        let problem = ScenarioProblem(file: "a.yaml", line: 3, key: "groups[0].count", reason: "is not a number")
        #expect("\(problem)" == "a.yaml:3: groups[0].count: is not a number")
    }
}
