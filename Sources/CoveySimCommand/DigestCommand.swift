import ArgumentParser
import CoveySimulator

/// A small fixed world, for `scripts/test-determinism`: its digest, or every event of it.
struct DigestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Runs a small fixed world and prints the digest of its events.",
        discussion: """
            Equal seeds give equal digests, in debug and release, on any machine. Where two differ, the lists that \
            --events prints show the first event in which they do.
            """)

    @Option(help: "The seed of the world.")
    var seed: UInt64 = 1

    @Flag(help: "Print every event: microsecond, host, kind, bytes, hash.")
    var events = false

    func run() {
        var options = World.Options()
        options.keepsTrace = events
        let world = World.sample(seed: seed, options: options)
        if events { for event in world.traceEvents { print(event) } }
        print(world.digest)
    }
}
