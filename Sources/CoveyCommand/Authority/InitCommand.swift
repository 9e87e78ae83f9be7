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

    @Option(help: "Keys of the root, as 2of3: two of three must sign; one key alone without it.")
    var root = "1of1"

    @Option(help: "Keys of the field authority, which enrols and revokes.")
    var field = "1of1"

    @Option(help: "Keys that decide after a fork, or replace lost ones; as many as the root's without it.")
    var recovery: String?

    @Option(help: "Keys that sign releases; as many as the root's without it.")
    var release: String?

    @OptionGroup var output: OutputOptions

    private struct Founded: Answer {
        let mesh: String
        let name: String
        let directory: String
        let shared: Bool

        var text: String {
            """
            founded the mesh \(name) (\(LogText.short(mesh))) in \(directory)\(handOut)
            keep \(directory)/cold in a safe place of its own: daily work does not need it
            next: covey authority invite NAME -o NAME.invite --authority \(directory.word)
            """
        }

        private var handOut: String {
            guard shared else { return "" }
            return "\n" + HandOut.text(directory)
        }
    }

    func run() throws {
        let path = try authority.path()
        let name = try CanonicalName.of(name, "the name of a mesh", most: 64)
        guard let profile = MeshProfile(rawValue: profile) else {
            throw Complaint(.usage, "--profile is \"\(profile)\"; it takes standard or expedition")
        }
        let rootShape = try FoundingKeys.shape(root, "--root")
        let keys = FoundingKeys(
            root: rootShape, field: try FoundingKeys.shape(field, "--field", mayBeKeptTogether: true),
            recovery: try recovery.map { try FoundingKeys.shape($0, "--recovery") },
            release: try release.map { try FoundingKeys.shape($0, "--release") })
        let now = CalendarText.now
        guard now >= Build.written else {
            throw Complaint(
                .failed,
                "this machine's clock says \(CalendarText.utc(now)), before this program was written; set the clock and try again"
            )
        }
        try AuthorityDirectory.found(
            path, name: name, profile: profile, keys: keys, random: SystemRandom(), now: now)
        let book = try AuthorityDirectory(path).book
        try Founded(
            mesh: book.mesh.hex, name: name, directory: path, shared: rootShape.count > 1 || keys.field.isShared
        )
        .show(asJSON: output.json)
    }
}
