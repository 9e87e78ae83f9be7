import ArgumentParser
import CoveyCore
import CoveyCrypto

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "init", abstract: "Found a mesh.")

    @Argument(help: "The name of the mesh.")
    var name: String

    @OptionGroup var authority: AuthorityOptions

    @Option(
        help: "How long devices trust what they know without news: standard (7 and 30 days) or expedition (30 and 120)."
    )
    var profile = "standard"

    @OptionGroup var output: OutputOptions

    private struct Founded: Answer {
        let mesh: String
        let name: String
        let directory: String

        var text: String {
            """
            founded the mesh \(name) (\(LogText.short(mesh))) in \(directory)
            keep \(directory)/cold in a safe place of its own: daily work does not need it
            next: covey authority invite NAME -o NAME.invite --authority \(directory)
            """
        }
    }

    func run() throws {
        let path = try authority.path()
        let name = try CanonicalName.of(name, "the name of a mesh", most: 64)
        guard let profile = MeshProfile(rawValue: profile) else {
            throw Complaint(.usage, "--profile is \"\(profile)\"; it takes standard or expedition")
        }
        try AuthorityDirectory.found(path, name: name, profile: profile, random: SystemRandom(), now: CalendarText.now)
        let book = try AuthorityDirectory(path).book
        try Founded(mesh: book.mesh.hex, name: name, directory: path).show(asJSON: output.json)
    }
}
