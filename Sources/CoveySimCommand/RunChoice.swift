import ArgumentParser
import CoveyContact
import CoveyReport
import CoveyScenario

extension DetailLevel: ExpressibleByArgument {}
extension Semantics: ExpressibleByArgument {}

/// A policy by the name people give it.
struct RouterName: Hashable, ExpressibleByArgument {
    static let known = "flood, direct, epidemic, spray:COPIES, first-contact, prophet"
    /// SprayAndWait without a number.
    private static let usualCopies: UInt8 = 8

    let text: String
    let router: ContactRouter

    init?(argument: String) {
        text = argument
        switch argument {
        case "flood": router = .flood
        case "direct": router = .direct
        case "epidemic": router = .epidemic
        case "spray": router = .sprayAndWait(copies: Self.usualCopies)
        case "first-contact": router = .firstContact
        case "prophet": router = .prophet
        default:
            guard argument.hasPrefix("spray:"), let copies = UInt8(argument.dropFirst(6)), (1...64).contains(copies)
            else { return nil }
            router = .sprayAndWait(copies: copies)
        }
    }
}

/// How a scenario is run, apart from its seed.
struct RunChoice: ParsableArguments {
    @Option(help: "How much is simulated: full or contact. Without it: what the file asks for, else full.")
    var level: DetailLevel?

    @Option(help: "The policy at contact level: \(RouterName.known).")
    var router: RouterName?

    @Option(help: "Whose rules: own or the-one. The ONE's are those of contacts on its ticks.")
    var semantics = Semantics.own

    func validate() throws {
        if router != nil, level == .full {
            throw ValidationError("--router is for --level contact: at full level nodes have a policy of their own")
        }
        if semantics == .theONE, level == .full {
            throw ValidationError("--semantics the-one is for --level contact: The ONE has no nodes of ours")
        }
    }

    var options: ScenarioRun.Options {
        var options = ScenarioRun.Options()
        options.level = level
        options.semantics = semantics
        if let router {
            options.router = router.router
            options.level = .contact
        }
        return options
    }

    /// The level that a scenario runs at.
    func level(of scenario: Scenario) -> DetailLevel {
        semantics == .theONE ? .contact : options.level ?? scenario.level ?? .full
    }

    /// The same choice for another process.
    var arguments: [String] {
        (level.map { ["--level", $0.rawValue] } ?? []) + (router.map { ["--router", $0.text] } ?? [])
            + (semantics == .own ? [] : ["--semantics", semantics.rawValue])
    }

    /// The command that runs this again.
    func replay(_ file: String, seed: UInt64) -> String {
        (["covey-sim", "run", file, "--seed", "\(seed)"] + arguments).joined(separator: " ")
    }
}
