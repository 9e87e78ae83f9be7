import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyNode
import Glibc

struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority", abstract: "Found a mesh, enrol and revoke devices.",
        subcommands: [
            InitCommand.self, AuthorityListCommand.self, InviteCommand.self, InvitationsCommand.self, SignCommand.self,
            RenewCommand.self, RevokeCommand.self, EpochCommand.self, CheckpointCommand.self, PolicyCommand.self,
            RevokeAuthorityCommand.self, VerdictCommand.self, CosignCommand.self, WithdrawCommand.self,
            OpenCommand.self, AskCommand.self, AddCommand.self, RotateCommand.self, ReplaceKeysCommand.self,
            RecoverCommand.self, RecoverForkCommand.self, AuthorityImportCommand.self, AuthorityLogCommand.self,
            AuthorityUnlockCommand.self,
        ])
}

struct AuthorityOptions: ParsableArguments {
    @Option(name: .customLong("authority"), help: "The authority's directory (or COVEY_AUTHORITY).")
    var directory: String?

    private var named: String? {
        if let directory { return directory }
        guard let named = getenv("COVEY_AUTHORITY"), named.pointee != 0 else { return nil }
        return String(cString: named)
    }

    var isNamed: Bool { named != nil }

    func path() throws -> String {
        if let named { return named }
        throw Complaint(.usage, "which authority? name its directory with --authority DIR or COVEY_AUTHORITY")
    }

    /// Says besides what is about to expire: a parent may be far away.
    ///
    /// - Parameter isSigning: false for what a desk may do that lacks the keys to which its authority has changed.
    func open(isSigning: Bool = true) throws -> AuthorityDirectory {
        let directory = try AuthorityDirectory(path())
        if isSigning, directory.lacksFollowingKeys {
            throw Complaint(.failed, "the authority has changed its keys; \(directory.followingKeysAdvice)")
        }
        for finding in Self.expiries(directory.book, now: CalendarText.now) {
            Output.note(Output.harmless("\(finding.text): \(finding.advice)"))
        }
        return directory
    }

    /// Days before the end of a device's certificate from which it is said.
    private static let deviceDays: Int64 = 14

    static func expiries(_ book: AuthorityBook, now: Minute) -> [FindingEntry] {
        let names = CommandNames(of: book.membership)
        let authorities = book.membership.expiringAuthorities(within: Membership.authorityWarning, now: now)
        var found = authorities.map { expiry in
            FindingEntry(
                kind: "authority", isUrgent: expiry.days(from: now) <= 30,
                text:
                    "the certificate of authority \(expiry.label) \(expiry.ends(now)), on \(CalendarText.utc(expiry.notAfter))",
                advice: "the authority above renews it: "
                    + "\(AdvisedCommand.renewAuthority(names.name(of: expiry.holder)))")
        }
        let devices = book.membership.expiringDevices(within: deviceDays, now: now).filter { $0.issuer == book.id }
        if let first = devices.first {
            let label = first.label
            let end = CalendarText.utc(first.notAfter)
            found.append(
                FindingEntry(
                    kind: "device", isUrgent: first.days(from: now) <= 3,
                    text: devices.count == 1
                        ? "the certificate of \(label) \(first.ends(now)), on \(end)"
                        : "\(devices.count) device certificates end within \(deviceDays) days, the first of \(label) on \(end)",
                    advice: "renew it: \(AdvisedCommand.renew(device: names.name(of: first.holder)))"))
        }
        return found
    }
}
