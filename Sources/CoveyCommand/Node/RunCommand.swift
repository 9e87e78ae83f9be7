import ArgumentParser

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run this device's node.",
        discussion:
            "Ends cleanly at SIGINT and SIGTERM. A line on the standard output says when it is ready; the log goes to the standard error."
    )

    @OptionGroup var node: NodeOptions

    @Option(help: "An address to listen on, such as 0.0.0.0:26117 or [::]:0; may be given again.")
    var listen: [String] = []

    @Option(help: "Answer nodes that have this one as a configured peer: true or false.")
    var answerStatic: String?

    @Option(help: "A peer to keep in touch with, such as host:26117 or host:26117#DEVICE; may be given again.")
    var peer: [String] = []

    @Option(help: "Finding peers by multicast: on, listen or off.")
    var multicast: String?

    @Option(help: "An interface to find peers on, such as eth0; may be given again.")
    var interface: [String] = []

    @Option(help: "The port of multicast.")
    var discoveryPort: String?

    @Option(help: "How much mail to hold, such as 1GiB.")
    var quota: String?

    @Option(help: "How long a commit may wait under load, such as 200ms.")
    var commit: String?

    @Option(help: "debug, info, notice, warning or error.")
    var logLevel: String?

    @Option(help: "text or json.")
    var logFormat: String?

    @Option(
        help: "An authority's directory: devices that ask for their next certificate get it, with nobody at a desk.")
    var authority: String?

    func run() throws {
        var flags: [String: [String]] = [
            "listen": listen, "peers": peer, "discovery.interfaces": interface,
        ]
        for (key, value) in [
            ("answer_static", answerStatic), ("discovery.multicast", multicast), ("discovery.port", discoveryPort),
            ("store.quota", quota), ("store.commit", commit), ("log.level", logLevel), ("log.format", logFormat),
        ] {
            if let value { flags[key] = [value] }
        }
        try Daemon.run(node.load(flags), authority: authority)
    }
}
