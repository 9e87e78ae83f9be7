import ArgumentParser
import CoveyCrypto

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Say which covey this is.")

    @OptionGroup var output: OutputOptions

    private struct Version: Answer {
        let version: String
        let build: String

        var text: String { "covey \(version), build \(build)" }
    }

    func run() throws { try Version(version: Build.version, build: Build.hash.hex).show(asJSON: output.json) }
}
