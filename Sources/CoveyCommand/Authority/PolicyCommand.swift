import ArgumentParser
import CoveyCore

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Show the rules of the mesh; at the root, change them.",
        discussion: """
            Without --set, --profile and --from it shows them. A change is signed by the root, and counts on each device \
            from when it gets the entry. Settings: \(PolicySettings.help).
            """)

    @Option(help: "A setting and its value, as fresh_days=14; may be given again.")
    var set: [String] = []

    @Option(help: "The limits of a profile: standard (fresh 7 days, stale up to 30) or expedition (30, 120).")
    var profile: String?

    @Option(help: "A TOML file of settings, as fresh_days = 14.")
    var from: String?

    @OptionGroup var act: LoggedAct

    private struct Shown: Answer {
        let number: UInt32
        let settings: [String: UInt32]

        var text: String {
            let rows = Policy.Key.allCases.map { key in
                [PolicySettings.name(of: key), "\(settings[PolicySettings.name(of: key)] ?? key.standard)"]
            }
            return "policy \(number)\n" + Columns.text(rows)
        }
    }

    func run() throws {
        var changes: [Policy.Key: UInt32] = [:]
        if let profile {
            guard let profile = MeshProfile(rawValue: profile) else {
                throw Complaint(.usage, "--profile is \"\(profile)\"; it takes standard or expedition")
            }
            for key in [Policy.Key.freshDays, .staleDays] { changes[key] = profile.policy[key] }
        }
        if let from { try changes.merge(PolicySettings.read(from)) { $1 } }
        for text in set {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Complaint(.usage, "--set is \"\(text)\"; it takes NAME=VALUE") }
            let (key, value) = try PolicySettings.parse(parts[0], parts[1], where: "--set \(parts[0])")
            changes[key] = value
        }
        guard !changes.isEmpty else {
            let membership = try act.authority.open(isSigning: false).book.membership
            let settings = Policy.Key.allCases.map { (PolicySettings.name(of: $0), membership[policy: $0]) }
            return try Shown(
                number: membership.policy?.number ?? 0, settings: Dictionary(uniqueKeysWithValues: settings)
            ).show(asJSON: act.answer.json)
        }
        try act.run("policy.log") { book, _ in
            guard book.id == book.genesis.rootID else {
                throw Complaint(
                    .failed,
                    "only the root changes the policy; name its directory with --authority (covey authority open makes it from a root key)"
                )
            }
            guard let current = book.membership.policy else { throw AuthorityRefusal.unknown }
            let next = try current.changing(changes)
            guard changes.contains(where: { current[$0.key] != $0.value }) else {
                throw Complaint(.failed, "policy \(current.number) says so already; nothing was signed")
            }
            try PolicySettings.check(next)
            return .policySet(next)
        }
    }
}

/// The settings of a policy by their names, and what they may be.
enum PolicySettings {
    static let help = Policy.Key.allCases.filter(isObeyed).map { "\(name(of: $0)) (\(meaning(of: $0)))" }
        .joined(separator: ", ")

    /// The others are for what nodes do not do yet: a rule that nothing follows is not signed.
    private static func isObeyed(_ key: Policy.Key) -> Bool {
        switch key {
        case .freshDays, .staleDays, .bundleLifeDays, .epochGraceDays, .certificateLifeDays, .zone255Forced: true
        case .originOpen, .relayWhileLocked, .duressAllowed, .messageTimerLeast, .messageTimerMost: false
        }
    }

    static func name(of key: Policy.Key) -> String {
        switch key {
        case .freshDays: "fresh_days"
        case .staleDays: "stale_days"
        case .bundleLifeDays: "bundle_life_days"
        case .epochGraceDays: "epoch_grace_days"
        case .certificateLifeDays: "certificate_life_days"
        case .zone255Forced: "zone255_forced"
        case .originOpen: "origin_open"
        case .relayWhileLocked: "relay_while_locked"
        case .duressAllowed: "duress_allowed"
        case .messageTimerLeast: "message_timer_least"
        case .messageTimerMost: "message_timer_most"
        }
    }

    private static func meaning(of key: Policy.Key) -> String {
        switch key {
        case .freshDays: "without a word of an authority a log is fresh so long"
        case .staleDays: "and stale up to then"
        case .bundleLifeDays: "life of a device's prekeys"
        case .epochGraceDays: "an earlier network key is still accepted so long"
        case .certificateLifeDays: "life of a certificate when the desk does not say"
        case .zone255Forced: "1: no mail names the zone of its recipient"
        case .originOpen: "1: mail names its sender to those who carry it"
        case .relayWhileLocked: "1: a locked device goes on carrying"
        case .duressAllowed: "1: devices may have a duress passphrase"
        case .messageTimerLeast: "minutes, 0 for none: shortest timer of messages that disappear"
        case .messageTimerMost: "minutes, 0 for none: longest"
        }
    }

    private static func range(of key: Policy.Key) -> ClosedRange<UInt32> {
        switch key {
        case .freshDays, .staleDays, .epochGraceDays: 1...3_650
        case .bundleLifeDays: 14...30
        case .certificateLifeDays: 7...UInt32(Founding.longestCertificateDays)
        case .zone255Forced, .originOpen, .relayWhileLocked, .duressAllowed: 0...1
        case .messageTimerLeast, .messageTimerMost: 0...5_256_000
        }
    }

    static func parse(_ name: String, _ value: String, where place: String) throws -> (Policy.Key, UInt32) {
        guard let key = Policy.Key.allCases.first(where: { self.name(of: $0) == name }) else {
            let known = Policy.Key.allCases.map(self.name).joined(separator: ", ")
            throw Complaint(.usage, "\(place): there is no such setting; there are \(known)")
        }
        let range = range(of: key)
        let number = value == "true" ? 1 : value == "false" ? 0 : UInt32(value)
        guard let number, range.contains(number) else {
            throw Complaint(
                .usage, "\(place) is \"\(value)\"; it takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        guard isObeyed(key) || number == key.standard else {
            throw Complaint(.usage, "\(place) is \(number); no node of this version would follow that; leave it out")
        }
        return (key, number)
    }

    static func read(_ path: String) throws -> [Policy.Key: UInt32] {
        guard let text = String(validating: try Disk.read(path, most: Disk.Bounds.configuration), as: UTF8.self) else {
            throw Complaint(.usage, "\(path) is not UTF-8 text")
        }
        var settings: [Policy.Key: UInt32] = [:]
        for row in try ConfigurationFile(text, name: path).rows {
            let place = "\(path), line \(row.line): \(row.key)"
            guard let value = row.values?.first, !row.isList else {
                throw Complaint(.usage, "\(place) has no number")
            }
            let (key, number) = try parse(row.key, value, where: place)
            settings[key] = number
        }
        return settings
    }

    /// What settings have to be to each other.
    static func check(_ policy: Policy) throws {
        guard policy[.staleDays] >= policy[.freshDays] else {
            throw Complaint(.usage, "stale_days is \(policy[.staleDays]), below fresh_days, \(policy[.freshDays])")
        }
        let most = policy[.messageTimerMost]
        guard most == 0 || most >= policy[.messageTimerLeast] else {
            throw Complaint(.usage, "message_timer_most is \(most), below message_timer_least")
        }
    }
}
