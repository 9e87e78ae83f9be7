import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Releases of the program, as their own log lists them.",
        discussion: "A node carries the list and compares. Nothing is fetched, installed or run.",
        subcommands: [ReleaseShowCommand.self, ReleaseVerifyCommand.self, ReleaseSignCommand.self])
}

/// Where the list of releases comes from.
struct ReleaseSource: ParsableArguments {
    @OptionGroup var node: NodeOptions

    @Option(help: "An authority's directory, instead of a running node.")
    var authority: String?

    /// In the order of their log; of a node the newest.
    func releases() throws -> ReleasesResult {
        guard let authority else { return try GradedNode(node.connect()).client.call(ReleaseList()) }
        return ReleasesResult(of: try AuthorityDirectory(authority).book.membership)
    }
}

extension ReleasesResult {
    fileprivate init(of membership: Membership) {
        self.init(releases: membership.releases.map(ReleaseEntry.init), more: false)
    }
}

/// The program of a device that asks to be enrolled, which officers compare (protocol.md §1.6).
struct AskingProgram {
    let hash: Octets32
    private let standing: ReleaseStanding

    init(_ request: EnrolmentRequest, in membership: Membership) {
        hash = request.buildHash
        standing = ReleaseStanding(hash, in: ReleasesResult(of: membership))
    }

    var release: String? { standing.release?.version }

    var text: String {
        guard hash != Octets32() else { return "its program did not say what it is" }
        return "its program has SHA-256 \(hash.hex): \(standing.text ?? "no release is listed here")"
    }
}

/// How a file stands to the releases: the program that runs, or one that was brought.
struct ReleaseStanding {
    /// The newest release that lists the file.
    let release: ReleaseEntry?
    let newest: ReleaseEntry?
    /// There are older releases, with which it was not compared.
    let hasMore: Bool

    init(_ hash: Octets32, in list: ReleasesResult) {
        let digits = Hex(hash.array)
        release = list.releases.last { $0.artefacts.contains { $0.sha256 == digits } }
        newest = list.releases.last
        hasMore = list.more
    }

    /// What a file is in that none of them lists.
    static func none(_ hasMore: Bool) -> String { hasMore ? "none of the newest releases" : "no release" }

    var isOutdated: Bool { release != nil && release != newest }

    /// For a row of `covey status`; nil while the mesh lists no releases.
    var text: String? {
        guard let newest else { return nil }
        guard let release else { return "in \(Self.none(hasMore)); the newest is \(Output.harmless(newest.version))" }
        let version = "release \(Output.harmless(release.version))"
        return isOutdated ? "\(version); the newest is \(Output.harmless(newest.version))" : version
    }

    /// What `covey doctor` says of the program of a node.
    var finding: FindingEntry? {
        guard let newest else { return nil }
        let version = Output.harmless(newest.version)
        guard let release else {
            return FindingEntry(
                kind: "release", isUrgent: false, text: "the node's program is in \(Self.none(hasMore)) of the mesh",
                advice: "unless you built it yourself, put release \(version) in its place: "
                    + "\(AdvisedCommand.verifyRelease)")
        }
        guard isOutdated else { return nil }
        return FindingEntry(
            kind: "release", isUrgent: false,
            text: "the node's program is release \(Output.harmless(release.version)), and release \(version) is listed",
            advice: "from \(CalendarText.local(newest.installable)) on it may be installed: "
                + "\(AdvisedCommand.verifyRelease)")
    }
}

struct ReleaseShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "List the releases, and say which of them this program is.")

    @OptionGroup var source: ReleaseSource
    @OptionGroup var output: OutputOptions

    private struct Shown: Answer {
        let releases: [ReleaseEntry]
        let build: String
        /// The version of the release that this program is of.
        let running: String?
        /// There are older ones that are not shown.
        let more: Bool

        var text: String {
            guard !releases.isEmpty else { return "no release is listed" }
            let rows = releases.flatMap { release in
                [
                    [
                        Output.harmless(release.version), "listed \(CalendarText.local(release.listed))",
                        "to be installed from \(CalendarText.local(release.installable))",
                    ]
                ] + release.artefacts.map { ["", Output.harmless($0.name), $0.sha256.description] }
            }
            let own = running.map { "this program is of release \(Output.harmless($0))" }
            return (more ? "older releases are not shown; an authority's directory has all: --authority DIR\n" : "")
                + Columns.text(rows) + "\n"
                + (own ?? "this program (\(LogText.short(build))) is in \(ReleaseStanding.none(more))")
        }
    }

    func run() throws {
        let list = try source.releases()
        let build = Build.hash
        try Shown(
            releases: list.releases, build: build.hex, running: ReleaseStanding(build, in: list).release?.version,
            more: list.more
        ).show(asJSON: output.json)
    }
}

struct ReleaseVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether a file is one that a release lists, before it is installed.")

    @Argument(help: "The file that was brought.")
    var file: String

    @OptionGroup var source: ReleaseSource
    @OptionGroup var output: OutputOptions

    private struct Verified: Answer {
        let file: String
        let sha256: String
        let version: String
        let name: String
        let installable: String

        var text: String {
            "\(file) is \(Output.harmless(name)) of release \(Output.harmless(version)), to be installed from \(installable)"
        }
    }

    func run() throws {
        let hash = try Build.hash(of: file)
        let standing = ReleaseStanding(hash, in: try source.releases())
        guard let release = standing.release,
            let artefact = release.artefacts.first(where: { $0.sha256 == Hex(hash.array) })
        else {
            let none = ReleaseStanding.none(standing.hasMore)
            throw Complaint(.failed, "\(file) is in \(none) listed here; do not install it")
        }
        try Verified(
            file: file, sha256: hash.hex, version: release.version, name: artefact.name,
            installable: CalendarText.local(release.installable)
        ).show(asJSON: output.json)
        let now = Int64(CalendarText.now.value) * 60
        guard release.installable.secondsSince1970 <= now else {
            throw Complaint(
                .tryAgain,
                "release \(Output.harmless(release.version)) has not been listed for long enough; wait with it")
        }
        if standing.isOutdated, let newest = standing.newest {
            Output.note("a newer release is listed: \(Output.harmless(newest.version))")
        }
    }
}

struct ReleaseSignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "List a release in the log of the release keys.",
        discussion: """
            The directory is one of the release keys: covey authority open release.key --from FOLDER --authority DIR. \
            Keys that several people hold sign a draft one after the other: covey authority cosign.
            """)

    @Argument(help: "The files of the release, as they will be handed on.")
    var files: [String]

    @Option(help: "The version.")
    var version: String

    @Option(help: "The commit it was built from, as hex digits.")
    var source: String

    @Option(help: "The recipe by which anybody can build it again: a file.")
    var recipe: String

    @Option(help: "The oldest wire format it speaks.")
    var wire = 1

    @Option(help: "Days until it may be installed, 3 to 365.")
    var soak = 3

    @OptionGroup var act: LoggedAct

    func run() throws {
        try act.run("release.log") { book, now in
            guard book.membership.releaseLog == book.id else {
                throw Complaint(
                    .failed,
                    "this is no directory of the release keys; make one: covey authority open release.key --from FOLDER --authority DIR"
                )
            }
            return .releaseManifest(try manifest(now))
        }
    }

    private func manifest(_ now: Minute) throws -> ReleaseManifest {
        let version = try CanonicalName.of(version, "a version", most: 64)
        guard let commit = Hex(source)?.bytes, (1...64).contains(commit.count) else {
            throw Complaint(.usage, "--source is \"\(source)\"; it takes the hex digits of a commit")
        }
        guard (1...255).contains(wire) else { throw Complaint(.usage, "--wire takes 1 to 255") }
        guard (3...365).contains(soak) else { throw Complaint(.usage, "--soak takes 3 to 365 days") }
        guard !files.isEmpty, files.count <= 128 else { throw Complaint(.usage, "a release has 1 to 128 files") }
        let artefacts = try files.map { path in
            let name = try CanonicalName.of(
                String(path.split(separator: "/").last ?? ""), "the name of a file", most: 64)
            return ReleaseManifest.Artefact(sha256: try Build.hash(of: path), name: name)
        }
        let names = artefacts.map(\.name).sorted()
        if let (twice, _) = zip(names, names.dropFirst()).first(where: { $0 == $1 }) {
            throw Complaint(.usage, "two files of the release are called \(twice); name each once")
        }
        return ReleaseManifest(
            version: version, artefacts: artefacts, sourceCommit: commit, recipe: try Build.hash(of: recipe),
            leastWire: UInt8(wire), notBefore: now.adding(Int64(soak) * 1440))
    }
}
