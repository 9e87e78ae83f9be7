import ArgumentParser
import CoveyCore
import CoveyCrypto
import Glibc

struct AuthorityListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show every authority: what it may grant, how much of that is used, and until when.",
        discussion: """
            As a directory knows them (--authority, or COVEY_AUTHORITY), or, without one or with --home, as the log of the \
            running node does.
            """)

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    func validate() throws {
        guard authority.directory == nil || (node.home == nil && node.control == nil) else {
            throw ValidationError("--authority asks a directory, --home and --control a node: give one of them.")
        }
    }

    func run() throws {
        let isNode = node.home != nil || node.control != nil || !authority.isNamed
        let membership = isNode ? try node.log().audit.membership : try authority.open(isSigning: false).book.membership
        try AuthorityList(membership, now: CalendarText.now).show(asJSON: answer.json)
    }
}

/// The authorities of a mesh, each behind the one above it.
struct AuthorityList: Answer {
    struct Row: Encodable {
        let authority: String
        let label: String
        /// Of the one above; absent for the root.
        let parent: String?
        let state: String
        /// How many of how many keys must sign.
        let threshold: Int
        let keys: Int
        let rights: [String]
        /// Empty: all.
        let zones: [Int]
        /// Levels of authorities that may stand below.
        let depth: Int
        /// Longest life of a certificate that it issues.
        let mostDays: Int
        let liveDevices: Int
        /// Absent where there is no limit.
        let mostDevices: Int?
        let expires: String?
    }

    let authorities: [Row]
    private let rows: [[String]]
    private let mandates: [String]

    private enum CodingKeys: String, CodingKey { case authorities }

    init(_ membership: Membership, now: Minute) {
        let standings = membership.authorityStandings(at: now)
        let parents = Dictionary(standings.map { ($0.authority, $0.parent) }, uniquingKeysWith: { first, _ in first })
        func depth(_ id: AuthorityID) -> Int {
            var (depth, at) = (0, id)
            while let parent = parents[at] ?? nil { (depth, at) = (depth + 1, parent) }
            return depth
        }
        var (found, rows, mandates): ([Row], [[String]], [String]) = ([], [], [])
        for standing in standings {
            let limits = standing.limits
            let row = Row(
                authority: standing.authority.hex, label: standing.certificate?.content.label ?? "root",
                parent: standing.parent?.hex, state: standing.state.rawValue, threshold: standing.keyset.threshold,
                keys: standing.keyset.keys.count, rights: limits.grantable.words,
                zones: limits.zones.map(Int.init), depth: Int(limits.depthLeft), mostDays: Int(limits.mostDays),
                liveDevices: standing.liveDevices, mostDevices: standing.mostDevices,
                expires: standing.certificate.map { CalendarText.utc($0.content.notAfter) })
            found.append(row)
            let indent = String(repeating: "  ", count: depth(standing.authority))
            rows.append([
                indent + Output.harmless(row.label), LogText.short(row.authority), Self.words(standing.state),
                "\(row.threshold) of \(row.keys) keys",
                "\(row.liveDevices)\(row.mostDevices.map { " of \($0)" } ?? "") devices",
                row.expires.map { "until \($0.prefix(10))" } ?? "without end",
            ])
            mandates.append(
                "\(indent)  may grant: \(row.rights.joined(separator: ", ")); zones: "
                    + (row.zones.isEmpty ? "all" : row.zones.map(String.init).joined(separator: ", "))
                    + "; certificates of at most \(row.mostDays) days; levels below: \(row.depth)")
        }
        (authorities, self.rows, self.mandates) = (found, rows, mandates)
    }

    private static func words(_ state: AuthorityStanding.State) -> String {
        switch state {
        case .live: "live"
        case .rotated: "live, keys changed"
        case .notYetValid: "not begun"
        case .expired: "expired"
        case .revoked: "revoked"
        case .withoutRight: "without right"
        case .forked: "forked"
        }
    }

    /// One line for how each stands, and one for what it may grant.
    var text: String {
        let lines = Columns.text(rows).split(separator: "\n")
        return zip(lines, mandates).map { "\($0)\n\($1)" }.joined(separator: "\n")
    }
}
