import ArgumentParser
import CoveyReport
import CoveyScenario

/// What went wrong, told once, and the status that says so.
enum Complaint {
    enum Status {
        static let failed: Int32 = 1
        static let usage: Int32 = 64
        static let cannotCreate: Int32 = 73
        static let tryAgain: Int32 = 75
    }

    static func told<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let problems as ScenarioProblems {
            StandardError.tell("\(problems)")
            throw ExitCode(Status.usage)
        } catch let problem as ResultFile.Problem {
            StandardError.tell("covey-sim: \(problem)")
            if case .unwritable = problem { throw ExitCode(Status.cannotCreate) }
            throw ExitCode(Status.failed)
        } catch let error as ChildrenError {
            StandardError.tell("covey-sim: \(error)")
            throw ExitCode(Status.tryAgain)
        }
    }
}
