import CoveyConversation
package import CoveyCore
import CoveyCrypto

/// One thing that somebody should look after, and what to do about it.
package struct Finding: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// The machine's clock is not believed.
        case clock
        /// This device's own certificate ends, or has ended.
        case certificate
        /// Another device's does.
        case device
        /// An authority's does: what it signs ends with it. Or the one beside this node cannot answer requests.
        case authority
        /// The log has not heard from an authority for long.
        case staleness
        /// Another member's log or network key is old.
        case behind
        /// Nothing has come of other members for long.
        case silent
        /// A configured peer cannot be reached, or does not answer.
        case peer
        /// A former member holds the network key.
        case rekey
        /// The authority beside this node has not announced a new network key for a week.
        case epoch
        /// An authority signed two histories.
        case fork
        /// Members ask that a device be kept out, and no authority has decided.
        case suspension
        /// This device is revoked, or one officer alone revoked another and the authority has not said so.
        case revocation
        /// A device was ordered to lock or erase itself, and has not said that it does.
        case order
        /// Messages wait for their recipient's keys.
        case waiting
    }

    package var kind: Kind
    /// It hurts already, or will within days.
    package var isUrgent: Bool
    /// What is so.
    package var text: String
    /// What to do about it.
    package var advice: String
    /// With which time the text goes on; nil where it is whole.
    package var at: Minute?
}

extension Node {
    /// What is about to end, who is stale, which logs are forked, which keys are owed, and how the clock is; what is urgent
    /// first.
    func findings(_ now: Now) -> [Finding] {
        let found =
            ownFindings() + clockFindings(now) + certificateFindings(now) + expiryFindings(now) + stalenessFindings(now)
            + logFindings(now) + exclusionFindings(now) + mailFindings() + laggingFindings(now)
        return found.filter(\.isUrgent) + found.filter { !$0.isUrgent }
    }

    private func ownFindings() -> [Finding] {
        guard let revocation = roster.membership.revocation(of: own.id) else { return [] }
        return [
            Finding(
                kind: .revocation, isUrgent: true,
                text: "this device is revoked (\(revocation.reason.word)), and no member any more",
                advice: "stop it when it has met another device; to come back, enrol it anew in a new home")
        ]
    }

    private func clockFindings(_ now: Now) -> [Finding] {
        var found = clockFaults(now)
        if let spread = clock.spread(now: now) {
            found.append(
                Finding(
                    kind: .clock, isUrgent: true,
                    text:
                        "mail goes by the clocks of \(spread.members) members, and they lie \(spread.minutes.inWordsOfTime) apart: "
                        + "letters may end too early, or too late",
                    advice: "set this machine's clock; where it has none, meet two timekeepers, or more members whose "
                        + "clocks are right"))
        }
        return found
    }

    /// Whether this device's own certificate holds, where that cannot be told; of one that ends the expiries speak.
    private func certificateFindings(_ now: Now) -> [Finding] {
        let view = time(now)
        guard !view.isTrusted, let certificate = roster.membership.currentCertificate(own.id),
            certificate.validity(at: view) == .unknown
        else { return [] }
        return [
            Finding(
                kind: .certificate, isUrgent: false,
                text: "it cannot be told whether this device's certificate still holds: the clock is not believed, and "
                    + "signed entries and timekeepers say only which time has come already",
                advice: "set the clock, or meet timekeepers; others judge the certificate by their own clocks")
        ]
    }

    private func clockFaults(_ now: Now) -> [Finding] {
        func wrong(_ text: String, _ advice: String) -> [Finding] {
            [Finding(kind: .clock, isUrgent: true, text: text, advice: advice)]
        }
        switch clock.fault(now: now) {
        case nil: return []
        case .behind?: return [behindFinding(now)]
        case .farAhead?:
            return wrong("this machine's clock is more than 400 days ahead of the log", "set the clock")
        case .jumped?:
            return wrong("this machine's clock has jumped", "look whether it is right, and start the node again")
        case .contradicted?:
            return wrong("two timekeepers agree on another time than this machine's clock", "set the clock")
        }
    }

    /// The time that has come already is told by signed entries, or was shown by this clock itself, or by timekeepers.
    private func behindFinding(_ now: Now) -> Finding {
        let minutes = clock.behind(now: now) ?? 0
        let membership = roster.membership
        let isOfLog = membership.heads.contains { membership.timeTold(by: $0.log).map { $0 >= clock.floor } ?? false }
        let isSmall = minutes < MeshClock.Bounds.mostBehind
        let cause =
            isOfLog
            ? "an authority dated an entry ahead"
            : "it was wrong before, or timekeepers are: nothing takes that back but a new enrolment"
        return Finding(
            kind: .clock, isUrgent: !isSmall,
            text: "this machine's clock is \(minutes.inWordsOfTime) behind "
                + (isOfLog ? "what the log has seen:" : "what it showed itself before, or timekeepers did:"),
            advice: isSmall
                ? "it is believed again when it shows that time"
                : "set it; where it is right now, \(cause), and certificates go by that time until it has come",
            at: clock.floor)
    }

    private func expiryFindings(_ now: Now) -> [Finding] {
        let minute = time(now).now
        let names = CommandNames(of: roster.membership)
        let devices = roster.membership.expiringDevices(within: 14, now: minute).map { expiry in
            let isOwn = expiry.holder == .device(own.id)
            let advice =
                isOwn && roster.renewals[own.id] != nil
                ? "its renewal is asked for: meet a device beside which an authority works, or hand the request on"
                : "renew it: \(AdvisedCommand.renew(device: names.name(of: expiry.holder)))"
            return Finding(
                kind: isOwn ? .certificate : .device, isUrgent: isOwn || expiry.days(from: minute) <= 3,
                text: "the certificate of \(isOwn ? "this device" : expiry.label) \(expiry.ends(minute))",
                advice: advice)
        }
        let issuer = roster.membership.currentCertificate(own.id)?.issuer
        let above = issuer.flatMap { roster.membership.authorityChain(of: $0) }?.map(\.authority) ?? []
        let authorities = roster.membership.expiringAuthorities(within: 180, now: minute).map { expiry in
            let isAbove = above.contains { expiry.holder == .authority($0) }
            return Finding(
                kind: .authority, isUrgent: expiry.days(from: minute) <= 30,
                text: "the certificate of the authority \(expiry.label)\(isAbove ? ", above this device," : "") "
                    + expiry.ends(minute),
                advice: "its parent renews it: "
                    + "\(AdvisedCommand.renewAuthority(names.name(of: expiry.holder)))")
        }
        return devices + authorities
    }

    private func stalenessFindings(_ now: Now) -> [Finding] {
        switch roster.membership.staleness(at: time(now)) {
        case .fresh: []
        case .stale:
            [
                Finding(
                    kind: .staleness, isUrgent: false,
                    text: "no authority has been heard of \(heard(now)): no first contacts, wipe orders or bulk mail",
                    advice: "an authority announces an epoch or a checkpoint; meet devices that have heard of it")
            ]
        case .stranded:
            [
                Finding(
                    kind: .staleness, isUrgent: true,
                    text: "no authority has been heard of \(heard(now)): only the log is exchanged, messages wait",
                    advice: "meet devices that are up to date, or import a log: \(AdvisedCommand.importLog)")
            ]
        }
    }

    private func heard(_ now: Now) -> String {
        guard let heard = roster.membership.authorityHeard(at: time(now)) else { return "ever" }
        return "for \(max(0, Int(time(now).now.value) - Int(heard.value)).inWordsOfTime)"
    }

    /// What was said against devices, this one included, and is not settled.
    private func exclusionFindings(_ now: Now) -> [Finding] {
        let membership = roster.membership
        let minute = time(now).now
        func label(_ device: DeviceID) -> String { membership.currentCertificate(device)?.label ?? device.hex }
        let names = CommandNames(of: membership)
        var found: [Finding] = []
        let undecided = Set(membership.undecidedNotes)
        let single = roster.notes.filter { $0.content.number > 0 && undecided.contains($0.hash) }
        found += single.map { Finding(undecided: $0, in: membership, names) }
        for device in membership.devices where !membership.isRevoked(device) {
            let name = device == own.id ? "this device" : label(device)
            let inCommands = names.name(of: device)
            if let end = membership.suspendedUntil(device, at: time(now)) {
                found.append(
                    Finding(
                        kind: .suspension, isUrgent: device == own.id,
                        text: "\(name) is suspended for \(end.span(from: minute)), and no authority has decided",
                        advice:
                            "an officer revokes it (\(AdvisedCommand.revoke(device: inCommands))) or lets it back in "
                            + "(\(AdvisedCommand.liftForNode(device: inCommands))), or it comes back then"
                    ))
            } else if let asked = membership.memberSuspension(of: device, at: minute) {
                let signers = asked.signers.map(label).joined(separator: ", ")
                found.append(
                    Finding(
                        kind: .suspension, isUrgent: false,
                        text: "\(signers) asks that \(name) be kept out; it is not: too few ask",
                        advice: "if it is lost, ask too: \(AdvisedCommand.suspend(device: inCommands))"))
            }
        }
        return found
    }

    private func logFindings(_ now: Now) -> [Finding] {
        var found: [Finding] = []
        if epochSelection.isHold {
            let isAnnounced = !roster.membership.select(held: roster.membership.epochCommits).isHold
            found.append(
                Finding(
                    kind: .rekey, isUrgent: true, text: "the network key is known to a former member",
                    advice: isAnnounced
                        ? "a new one is announced and not here yet: meet a device that has it"
                        : "an authority announces a new one: \(AdvisedCommand.announceEpoch)"))
        }
        if authority != nil, let due = Finding(epochDueIn: roster.membership, now: time(now).now) { found.append(due) }
        // Of those that somebody decided nothing is left to do.
        let frozen = roster.membership.forks.filter { roster.membership.isFrozen($0.log) }
        if !frozen.isEmpty {
            let names = CommandNames(of: roster.membership)
            found += frozen.map { Finding(of: $0, in: roster.membership, names) }
        }
        if let authorityComplaint {
            found.append(
                Finding(
                    kind: .authority, isUrgent: true, text: authorityComplaint,
                    advice: "put that right; until then devices that ask get no new certificate here"))
        }
        for line in wipeLines(now) where line.state == .waiting {
            found.append(
                Finding(
                    kind: .order, isUrgent: false,
                    text: "\(line.label) was ordered to \(line.mode) itself, and has not answered",
                    advice:
                        "it hears of it where it meets a device that knows; \(AdvisedCommand.listOrders) shows all orders"
                ))
        }
        return found
    }

    private func mailFindings() -> [Finding] {
        guard !waiting.isEmpty else { return [] }
        return [
            Finding(
                kind: .waiting, isUrgent: false,
                text: "\(waiting.count.counting("message waits", "messages wait")) for the recipient's keys",
                advice: "they leave when the keys arrive; meet the recipient or somebody who has")
        ]
    }
}

extension Expiry {
    /// When that is, in words.
    package func ends(_ now: Minute) -> String {
        let days = days(from: now)
        return switch days {
        case ..<(-1): "ended \(-days) days ago"
        case -1: "ended within the last day"
        case 0: "ends today"
        case 1: "ends tomorrow"
        default: "ends in \(days) days"
        }
    }
}

extension Finding {
    /// A fork that freezes a log.
    package init(of fork: ForkProof, in membership: Membership, _ names: CommandNames) {
        let name = names.name(of: fork.log)
        let entries = fork.entries.map { String($0.hex.prefix(12)) }.joined(separator: " and ")
        self.init(
            kind: .fork, isUrgent: true,
            text: "the authority \(membership.words(for: fork.log)) signed two histories, parting at entry "
                + "\(fork.sequence) with \(entries): what it granted after is void",
            advice: "keep both histories, and let the cold keys name the one that stands by its last entry: "
                + "\(AdvisedCommand.recoverFork(log: name)), or, if its keys were stolen, "
                + "\(AdvisedCommand.recover(log: name))")
    }

    /// A new network key is due, or will be within a day: for whoever may announce one. Nil before.
    package init?(epochDueIn membership: Membership, now: Minute) {
        guard let newest = membership.select(held: membership.epochCommits).preferred else { return nil }
        let age = Int64(now.value) - Int64(newest.announced.value)
        guard age >= Epoch.period - 1440 else { return nil }
        self.init(
            kind: .epoch, isUrgent: age > Int64(membership[policy: .freshDays]) * 1440,
            text: "the network key of epoch \(newest.number) is \(age / 1440) days old, and a new one is due every "
                + "\(Epoch.period / 1440)",
            advice: "announce one: \(AdvisedCommand.announceEpoch)")
    }

    /// What one officer alone revoked, and no verdict has decided.
    package init(undecided note: RevokeNote, in membership: Membership, _ names: CommandNames) {
        let name = membership.currentCertificate(note.device)?.label ?? note.device.hex
        let inCommands = names.name(of: note.device)
        self.init(
            kind: .revocation, isUrgent: false,
            text: "one officer alone revoked \(name) (\(note.reason.word)), and the authority has not decided",
            advice: "the officers do: \(AdvisedCommand.confirm(device: inCommands)), or "
                + "\(AdvisedCommand.lift(device: inCommands))")
    }
}
