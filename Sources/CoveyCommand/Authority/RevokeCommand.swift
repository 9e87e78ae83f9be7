import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Put a device out of the mesh, for good.")

    @Argument(help: "The device, by label or by at least six digits of its id.")
    var device: String

    @Option(help: "Why: \(Reason.words).")
    var reason: String

    @Option(help: "Since when the device is suspect, as 2026-11-21 or 2026-11-21T22:53:00Z.")
    var since: String?

    @Option(
        help:
            "Order a device of the organisation to lock or erase itself too; where more must sign, the order goes round as a draft, and revokes when it is signed."
    )
    var wipe: String?

    @Option(help: "Days that the order is good for, 1 to 30; 20 without it.")
    var wipeDays: Int?

    @Flag(help: "With --wipe: order it without asking.")
    var yes = false

    @OptionGroup var act: LoggedAct

    private struct Revoked: Answer {
        let device: String
        let label: String
        let reason: String
        /// Absent when it is out for good: of what one officer revoked alone, only so much counts undecided.
        let suspendedUntil: String?
        /// What commands call it.
        let inCommands: String
        /// What the device was ordered to do besides.
        let wipe: String?
        let newEpoch: Bool
        /// The announcement of a new network key, where other officers have to sign it.
        let draft: DraftAnswer?
        /// When no new network key could be announced.
        let hint: String?
        let handed: HandOver.Outcome

        private enum CodingKeys: String, CodingKey {
            case device, label, reason, suspendedUntil, wipe, newEpoch, draft, hint, handed
        }

        var text: String {
            let done =
                suspendedUntil == nil ? "revoked" : "suspended for \(Membership.Bounds.suspension / 1440) days only"
            let decision = suspendedUntil.map { _ in
                [
                    "more than \(Membership.Bounds.revokingSingles) devices that you revoked alone are undecided; the other officers decide: \(AdvisedCommand.confirm(device: inCommands))"
                ]
            }
            let order = wipe.map { ", and ordered it to \($0) itself" } ?? ""
            let epoch = newEpoch ? ", and announced a new network key" : ""
            let round = draft.map { ["the new network key needs more signatures", $0.text] } ?? []
            return
                (["\(done) \(label) (\(LogText.short(device))): \(reason)\(order)\(epoch)"] + (decision ?? []) + [
                    handed.text
                ]
                + round + (hint.map { [$0] } ?? [])).joined(separator: "\n")
        }
    }

    func run() throws {
        let reason = try Reason.parse(reason)
        let suspect = try since.map(Reason.since)
        let directory = try act.authority.open()
        // A revocation waits for nothing: only the new network key does.
        let behind: Complaint?
        do {
            try act.hand.update(directory)
            behind = nil
        } catch let complaint as Complaint {
            behind = complaint
        }
        let found = try directory.book.device(named: device)
        let now = CalendarText.now
        let order = try order(to: found, now)
        guard !found.isRevoked || order != nil else {
            throw Complaint(
                .failed,
                "\(found.certificate.label) is revoked already; what was signed is written with: covey authority log -o FILE"
            )
        }
        let file = try act.file(otherwise: "\(LogText.short(found.id.hex)).log")
        if let order {
            let name = "\(Output.harmless(found.certificate.label)) (\(LogText.short(found.id.hex)))"
            try Confirmation.ask(
                [
                    "\(order.mode) the device \(name): \(reason.word)",
                    "it is revoked with that, for good; the order is good until \(CalendarText.utc(order.expires))",
                ], "Sign this?", yes: yes)
        }
        var book = directory.book
        let isAlone = book.authority.signsAlone()
        if let order, !isAlone {
            let draft = try book.draftOrder(found, reason, since: suspect, order, now: now)
            return try directory.send(draft, book, beside: file, now: now).show(asJSON: act.answer.json)
        }
        // Quick to revoke: where more must sign to grant, one key revokes at once (protocol.md §1.9).
        let note = try book.revoke(found, reason, since: suspect, wipe: order, isAlone: !isAlone, now: now)
        var (announced, hint): ([LogEntry], String?) = ([], nil)
        if note.taints, isAlone {
            (announced, hint) = book.announceWithRevocation(now: now, random: SystemRandom()) {
                if let behind { throw behind }
            }
        }
        try directory.keep(book)
        let handed = try act.hand.over(
            [note.signed] + announced.map(\.signed), epochs: book.epochs.suffix(announced.count), of: directory,
            file: file)
        var draft: DraftAnswer?
        if note.taints, !isAlone {
            do {
                if let behind { throw behind }
                let epoch = try book.draftEpoch(now: now, random: SystemRandom())
                draft = try directory.send(epoch, book, beside: file, now: now, counting: true)
            } catch {
                hint = AuthorityBook.noNewKey(error)
            }
        }
        let isRevoked = book.membership.isRevoked(found.id)
        try Revoked(
            device: found.id.hex, label: found.certificate.label, reason: reason.word,
            suspendedUntil: isRevoked
                ? nil : CalendarText.utc(note.issued.adding(Membership.Bounds.suspension)),
            inCommands: CommandNames(of: book.membership).name(of: found.id),
            wipe: order.map { "\($0.mode)" }, newEpoch: !announced.isEmpty, draft: draft,
            hint: hint, handed: handed
        ).show(asJSON: act.answer.json)
        if let complaint = handed.complaint { throw complaint }
    }

    private func order(to device: AuthorityBook.Device, _ now: Minute) throws -> WipeOrder? {
        guard let wipe else {
            guard wipeDays == nil else {
                throw Complaint(.usage, "--wipe-days is for an order; give --wipe lock or --wipe erase, too")
            }
            return nil
        }
        let wipeDays = wipeDays ?? 20
        guard let mode = WipeOrder.Mode(word: wipe) else {
            throw Complaint(.usage, "--wipe is \"\(wipe)\"; it takes lock or erase")
        }
        guard (1...30).contains(wipeDays) else {
            throw Complaint(.usage, "--wipe-days is \(wipeDays); it takes 1 to 30")
        }
        guard device.certificate.capabilities.contains(.orgOwned) else {
            throw Complaint(
                .failed,
                "\(device.certificate.label) obeys no orders: its holder did not agree to any; revoke it without --wipe"
            )
        }
        return WipeOrder(
            mode: mode, order: .random(from: SystemRandom()), serial: device.certificate.serial,
            expires: now.adding(Int64(wipeDays) * 1440))
    }
}
