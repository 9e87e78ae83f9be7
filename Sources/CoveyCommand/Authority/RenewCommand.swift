import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

struct RenewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Give a device another certificate before its own expires.")

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String?

    @Flag(help: "All devices that asked the node named with --node, instead of one: for the life that the policy says.")
    var pending = false

    @Option(help: "Days that the certificate is good for, 1 to 400.")
    var days: Int?

    @OptionGroup var act: LoggedAct

    private struct Renewed: Answer {
        let device: String
        let label: String
        let expires: String
        let handed: HandOver.Outcome

        var text: String { "renewed \(label) (\(LogText.short(device))) until \(expires)\n\(handed.text)" }
    }

    func validate() throws {
        guard pending == (device == nil) else {
            throw ValidationError("name one device, or give --pending for all that have asked")
        }
        guard !pending || (act.hand.node != nil && days == nil) else {
            throw ValidationError("--pending goes with --node SOCKET, and without --days")
        }
    }

    func run() throws {
        guard let device else { return try answerPending() }
        let days = try Days.certificate(days)
        let directory = try act.open()
        let found = try directory.book.device(named: device)
        let file = try act.file(otherwise: "\(LogText.short(found.id.hex)).log")
        try act.perform(
            at: directory, file: file,
            isAlone: directory.book.authority.signsAlone(granting: found.certificate.capabilities),
            draft: { book, now in try book.draftRenewal(found, days: days, now: now) },
            sign: { book, now in [try book.renew(found, days: days, now: now)] },
            said: { done in
                let certificate = done.book.membership.currentCertificate(found.id) ?? found.certificate
                Days.check(days, got: certificate)
                return Renewed(
                    device: found.id.hex, label: certificate.label, expires: CalendarText.utc(certificate.notAfter),
                    handed: done.handed)
            })
    }

    // MARK: Those who asked

    private struct Answered: Answer {
        struct Left: Encodable {
            let device: String
            let label: String
            let reason: String
        }

        let renewed: [String]
        let left: [Left]
        let handed: HandOver.Outcome

        var text: String {
            let lines = left.map { "left: \($0.label) (\(LogText.short($0.device))): \($0.reason)" }
            return (["renewed \(renewed.count.counting("device", "devices"))"] + lines + [handed.text]).joined(
                separator: "\n")
        }
    }

    private func answerPending() throws {
        guard let node = act.hand.node else { return }
        let waiting = try ControlClient(path: node).call(RenewalsList()).renewals
        let directory = try act.open()
        let now = CalendarText.now
        let time = TimeView(now: now, isTrusted: true, floor: now)
        let file = try act.file(otherwise: "renewals.log")
        var book = directory.book
        var rest = waiting.compactMap { DeviceID($0.device.bytes) }
        var entries: [LogEntry] = []
        var renewed: [DeviceID] = []
        var left: [Answered.Left] = []
        while !rest.isEmpty {
            let renewals = try book.renew(rest, at: time)
            let done = renewals.renewed + renewals.left.map(\.device)
            rest.removeAll(where: done.contains)
            renewed += renewals.renewed
            if let entry = renewals.entry { entries.append(entry) }
            for (device, obstacle) in renewals.left {
                let label = waiting.first { DeviceID($0.device.bytes) == device }?.label ?? ""
                left.append(
                    Answered.Left(device: device.hex, label: Output.harmless(label), reason: Self.text(of: obstacle)))
            }
        }
        try directory.keep(book)
        try act.hand.over(entries.map(\.signed), of: directory, file: file, act.answer) {
            Answered(renewed: renewed.map(\.hex), left: left, handed: $0)
        }
    }

    private static func text(of obstacle: RenewalObstacle) -> String {
        switch obstacle {
        case .stranger: "this directory does not know it; bring its log up to date: covey authority import"
        case .early: "more than a third of its life is left"
        case .issuersTurn: "another authority enrolled it and still has time to answer"
        case .late: "it ended more than a month ago; renew it by name if you know the device"
        case .revoked: "it is revoked"
        case .suspended: "members suspended it; decide first"
        case .limits(let fault): "beyond what this authority may grant: \(fault.words)"
        case .noGain: "this authority's own certificate ends as early; the authority above must renew that first"
        case .keys: "more officers must sign: covey authority renew NAME writes a draft"
        case .refused(let refusal): refusal.description
        }
    }
}
