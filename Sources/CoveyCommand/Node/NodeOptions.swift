import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import FoundationEssentials

/// Which node a command speaks of.
struct NodeOptions: ParsableArguments {
    @Option(help: "The node's directory (or COVEY_HOME).")
    var home: String?

    @Option(help: "A configuration file instead of covey.toml in the home.")
    var config: String?

    @Option(help: "The control socket (or COVEY_CONTROL), instead of control.sock in the home.")
    var control: String?

    var flags: [String: [String]] {
        var flags: [String: [String]] = [:]
        if let home { flags["home"] = [home] }
        if let control { flags["control"] = [control] }
        return flags
    }

    func load(_ more: [String: [String]] = [:]) throws -> Configuration {
        try Configuration.load(
            flags: flags.merging(more) { _, new in new }, file: config,
            environment: ProcessInfo.processInfo.environment)
    }

    /// The whole log of the running node, audited, with the genesis of its home and where that stands.
    func log(now: Minute = CalendarText.now) throws -> (audit: LogAudit, genesis: Genesis, mesh: String) {
        let client = try connect()
        let mesh = try load().home + "/mesh"
        let genesis = try Genesis(at: mesh)
        guard try client.call(NodeStatus()).mesh.bytes == genesis.meshID.array else {
            throw Complaint(.failed, "the node is of another mesh than \(mesh); name its home with --home")
        }
        return (LogAudit(of: genesis, try client.exportLog(after: .entry(0)), now: now), genesis, mesh)
    }

    func connect() throws -> ControlClient {
        let configuration = try load()
        do {
            return try ControlClient(path: configuration.controlPath)
        } catch {
            guard case .noNode(let path, _) = error else { throw error }
            // An order may be why there is none.
            try ProfileCheck.canRun(configuration.home)
            let options = [("home", home), ("config", config), ("control", control)]
            let same = options.compactMap { name, value in value.map { " --\(name) \($0.word)" } }.joined()
            throw ControlClientError.noNode(path, start: "covey run\(same)")
        }
    }
}
