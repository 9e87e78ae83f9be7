package import CoveyReport

/// Judges the claims of a scenario by the evidence of a run.
package struct Judge {
    private let expansion: Expansion
    private let evidence: Evidence

    package init(_ expansion: Expansion, _ evidence: Evidence) {
        self.expansion = expansion
        self.evidence = evidence
    }

    package func results() -> [AssertionResult] { expansion.scenario.claims.map(judge) }

    /// What a claim came to: held or not with the figures, or nothing to judge it by.
    private enum Finding {
        case figure(Double, Wanted.Relation, Double, CoveyReport.Quantity.Unit, String, Violation?)
        case outcome(Bool, String, Violation?)
        case notJudged(String)
    }

    private func judge(_ claim: Claim) -> AssertionResult {
        let name = Self.name(claim)
        switch find(claim) {
        case .notJudged(let why): return AssertionResult(name: name, verdict: .notJudged, because: why)
        case .figure(let measured, let relation, let bound, let unit, let sentence, let violation):
            let wanted = Wanted(relation, bound, unit)
            let held = wanted.isMet(by: measured)
            return AssertionResult(
                name: name, verdict: Verdict(held: held, expected: claim.knownMiss == nil),
                measured: CoveyReport.Quantity(measured, unit), wanted: wanted, firstViolation: held ? nil : violation,
                because: reason(claim, held, sentence))
        case .outcome(let held, let sentence, let violation):
            return AssertionResult(
                name: name, verdict: Verdict(held: held, expected: claim.knownMiss == nil),
                firstViolation: held ? nil : violation, because: reason(claim, held, sentence))
        }
    }

    private func reason(_ claim: Claim, _ held: Bool, _ sentence: String) -> String? {
        switch (held, claim.knownMiss) {
        case (true, nil): nil
        case (true, .some(let because)): "held, though the scenario does not expect it yet: \(because)"
        case (false, nil): sentence
        case (false, .some(let because)): "\(sentence); known: \(because)"
        }
    }

    /// As the scenario spells it: `deliveryVsOracle normal`.
    package static func name(_ claim: Claim) -> String {
        var name = claim.word.rawValue
        switch claim.measure {
        case .never(let invariant): name += " \(invariant.rawValue)"
        case .always(let condition): name += " \(condition.rawValue)"
        case .revocationWithin(_, let share): name += " share \(Figure.percent(share))"
        case .deliveryVsOracle, .convergedWithin, .revocationEverywhereWithin, .lockedOutAtMost, .p95Latency,
            .overheadAtMost, .reconBytesPerDiffAtMost, .reconBytesAtMost, .linkShareAtMost, .dutyCycleNever,
            .jainFairnessAtLeast,
            .duplicatesPerNodeAtMost, .bytesPerNodePerDayAtMost, .degreeAtMost, .medianDelayVsOracle, .maxFrame,
            .wallClockAtMost, .crashSafe, .resumed:
            break
        }
        if let priority = claim.priority { name += " \(priority.word)" }
        if claim.isControl { name += " control" }
        if let link = claim.link { name += " on \(link)" }
        if claim.isWhenConnected { name += " when connected" }
        return name
    }

    // MARK: Each claim

    private func find(_ claim: Claim) -> Finding {
        switch claim.measure {
        case .deliveryVsOracle(let bound): return delivery(claim, bound)
        case .medianDelayVsOracle(let bound): return medianDelay(claim, bound)
        case .p95Latency(let bound): return latency(claim, bound)
        case .overheadAtMost(let bound):
            guard let relayed = evidence.relayed else { return notShown("copies handed over") }
            let delivered = mails(claim).filter { $0.delivered != nil }.count
            guard delivered > 0 else { return .notJudged("nothing was delivered, so no message has a cost") }
            let overhead = Double(relayed) / Double(delivered)
            return .figure(
                overhead, .atMost, bound, .ratio,
                "\(relayed) copies came to hosts for \(delivered) messages delivered", nil)
        case .jainFairnessAtLeast(let bound): return fairness(claim, bound)
        case .convergedWithin(let bound): return convergence(bound)
        case .revocationEverywhereWithin(let bound): return revocations(bound)
        case .revocationWithin(let bound, let share): return revocations(bound, share)
        case .lockedOutAtMost: return watch(claim.word.rawValue)
        case .bytesPerNodePerDayAtMost(let bound):
            guard let sent = evidence.sentByHost, !sent.isEmpty else { return notShown("bytes by host") }
            let days = max(Double(evidence.duration) / 86_400e6, 1e-9)
            let (host, most) = sent.enumerated().reduce((0, UInt64(0))) {
                $1.element > $0.1 ? ($1.offset, $1.element) : $0
            }
            return .figure(
                Double(most) / days, .atMost, Double(bound.bytes), .bytes,
                "\(expansion.cast.name(UInt32(host))) sent \(most) bytes in \(Figure.decimal(days)) days",
                Violation(time: evidence.duration, host: expansion.cast.name(UInt32(host))))
        case .degreeAtMost(let bound):
            return extreme(evidence.largestDegree, Double(bound), .count, "links at once", "links of hosts")
        case .maxFrame(let bound):
            return extreme(evidence.largestFrame, Double(bound), .bytes, "bytes in one piece", "what is on the wire")
        case .dutyCycleNever:
            return extreme(
                evidence.largestDuty, 1, .ratio, "times the airtime it may use in an hour", "time on the air")
        case .wallClockAtMost(let bound):
            return .figure(
                evidence.wallSeconds, .atMost, bound.seconds, .seconds,
                "the run took \(Figure.seconds(evidence.wallSeconds))", nil)
        case .crashSafe:
            guard let lost = evidence.notRecovered else { return notShown("disks and restarts") }
            let first = lost.first
            // Nobody is missing; then what was acknowledged has to be there still.
            if lost.isEmpty { return watch(claim.word.rawValue) }
            return .outcome(
                lost.isEmpty,
                first.map { "\(expansion.cast.name($0.host)) did not come back: \($0.reason)" } ?? "",
                first.map { Violation(time: evidence.duration, host: expansion.cast.name($0.host)) })
        case .reconBytesPerDiffAtMost(let bound):
            guard let found = evidence.reconciliation else { return notShown("frames of reconciliation") }
            guard found.differences > 0 else { return .notJudged("no stores differed") }
            return .figure(
                Double(found.bytes) / Double(found.differences), .atMost, bound, .bytes,
                "\(found.bytes) bytes of reconciliation for \(found.differences) differences", nil)
        case .reconBytesAtMost(let bound): return window(claim, bound)
        case .linkShareAtMost(let bound): return share(claim, bound)
        case .duplicatesPerNodeAtMost(let bound): return duplicates(bound)
        case .resumed: return notShown("transfers that went on where they had been cut")
        case .never(let invariant): return watch(invariant.rawValue)
        case .always(let condition): return watch(condition.rawValue)
        }
    }

    private func link(_ claim: Claim) -> Int? {
        claim.link.flatMap { name in expansion.scenario.links.firstIndex { $0.name == name } }
    }

    private func window(_ claim: Claim, _ bound: ByteCount) -> Finding {
        guard let wire = evidence.wire else { return notShown("frames of reconciliation by window") }
        guard let most = wire.mostReconciliation(over: link(claim)) else {
            return .notJudged("nobody came into reach of another or left it: there was no window")
        }
        let names = "\(expansion.cast.name(most.a)) and \(expansion.cast.name(most.b))"
        return .figure(
            Double(most.bytes), .atMost, Double(bound.bytes), .bytes,
            "\(names) took \(most.bytes) bytes to reconcile in \(Figure.seconds(Double(most.to - most.from) / 1e6))",
            Violation(time: most.to, host: expansion.cast.name(most.a)))
    }

    /// A priority's DATA frames, or all that is no DATA frame, of all bytes on a kind of link.
    private func share(_ claim: Claim, _ bound: Double) -> Finding {
        guard let wire = evidence.wire else { return notShown("bytes by priority and kind of link") }
        let link = link(claim)
        let all = wire.all(over: link)
        guard all > 0 else { return .notJudged("nothing went over \(claim.link ?? "any link")") }
        let part = claim.priority.map { wire.mail($0, over: link) } ?? wire.control(over: link)
        let what = claim.priority.map { "\($0.word) mail" } ?? "all but mail"
        return .figure(
            Double(part) / Double(all), .atMost, bound, .share,
            "\(what) was \(part) of \(all) bytes on \(claim.link ?? "all links")", nil)
    }

    /// Of each message, how often a host got it again, on the average of all.
    private func duplicates(_ bound: Double) -> Finding {
        guard let duplicates = evidence.duplicates else { return notShown("envelopes that came twice") }
        let sent = evidence.mails.filter { $0.unsent == nil }.count
        guard sent > 0, expansion.cast.count > 0 else { return .notJudged("no message was sent") }
        return .figure(
            Double(duplicates) / Double(sent * expansion.cast.count), .atMost, bound, .ratio,
            "\(sent) messages came \(duplicates) times to a host that had them, of \(expansion.cast.count) hosts", nil)
    }

    private func notShown(_ what: String) -> Finding {
        .notJudged("not judged at this level: a run at \(evidence.level.rawValue) level does not show \(what)")
    }

    private func mails(_ claim: Claim) -> [Mail] {
        evidence.mails.filter { mail in
            (claim.priority == nil || mail.priority == claim.priority) && (!claim.isWhenConnected || mail.wasConnected)
                && mail.unsent == nil
        }
    }

    private func delivery(_ claim: Claim, _ bound: Double) -> Finding {
        let mails = mails(claim)
        let reachable = mails.filter { $0.oracle != nil }
        guard !reachable.isEmpty else {
            return .notJudged(
                mails.isEmpty ? "no such message was sent" : "no message could arrive, whoever carried it")
        }
        let delivered = reachable.filter { $0.arrived != nil }.count
        let missed = reachable.first { $0.arrived == nil }
        let share = Double(delivered) / Double(reachable.count)
        return .figure(
            share, .atLeast, bound, .share, "\(delivered) of \(reachable.count) messages arrived that could",
            missed.map { Violation(time: $0.expiry, host: expansion.cast.name($0.to)) })
    }

    private func medianDelay(_ claim: Claim, _ bound: Double) -> Finding {
        let both = mails(claim).filter { $0.arrived != nil && $0.oracle != nil }
        let own = DelaySummary(both.compactMap { mail in mail.arrived.map { $0 - mail.created } })
        let best = DelaySummary(both.compactMap { mail in mail.oracle.map { $0 - mail.created } })
        guard let own, let best else { return .notJudged("nothing was delivered") }
        guard best.p50 > 0 else { return .notJudged("the oracle delivers half of them at once") }
        return .figure(
            own.p50 / best.p50, .atMost, bound, .ratio,
            "half took \(Figure.seconds(own.p50)), the oracle's \(Figure.seconds(best.p50))", nil)
    }

    private func latency(_ claim: Claim, _ bound: TimeSpan) -> Finding {
        let mails = mails(claim).filter(\.isForeseen)
        // A message that could arrive and did not has taken longer than any bound.
        let late = mails.filter { $0.arrived == nil && $0.oracle != nil }.count
        let delays = mails.compactMap { mail in mail.arrived.map { $0 - mail.created } }.sorted()
        let total = delays.count + late
        guard total > 0 else { return .notJudged("no such message was sent") }
        let place = max(0, (total * 95 + 99) / 100 - 1)
        let measured = place < delays.count ? Double(delays[place]) / 1e6 : Double(evidence.duration) / 1e6
        let slow = mails.first { mail in
            mail.arrived.map { Double($0 - mail.created) / 1e6 > bound.seconds } ?? (mail.oracle != nil)
        }
        return .figure(
            measured, .atMost, bound.seconds, .seconds,
            place < delays.count
                ? "95 of 100 took up to \(Figure.seconds(measured))" : "\(late) of \(total) messages never arrived",
            slow.map { Violation(time: $0.created + UInt64(bound.microseconds), host: expansion.cast.name($0.to)) })
    }

    /// How evenly delivery falls on senders: each one's share of what the oracle could deliver for it.
    private func fairness(_ claim: Claim, _ bound: Double) -> Finding {
        var reachable = [Int](repeating: 0, count: expansion.cast.count)
        var delivered = reachable
        for mail in mails(claim) where mail.oracle != nil {
            reachable[Int(mail.from)] += 1
            if mail.arrived != nil { delivered[Int(mail.from)] += 1 }
        }
        let shares = reachable.indices.compactMap {
            reachable[$0] > 0 ? Double(delivered[$0]) / Double(reachable[$0]) : nil
        }
        guard !shares.isEmpty else { return .notJudged("no message could arrive") }
        return .figure(
            Fairness(name: "delivery by sender", shares: shares).jain, .atLeast, bound, .ratio,
            "senders fared unevenly, from \(Figure.percent(shares.min() ?? 0)) to \(Figure.percent(shares.max() ?? 0))",
            nil)
    }

    private func convergence(_ bound: TimeSpan) -> Finding {
        guard let heals = evidence.heals else { return notShown("what stores hold") }
        guard !heals.isEmpty else { return .notJudged("nothing was healed before the end") }
        var worst = 0.0
        for heal in heals {
            guard let took = heal.took else {
                let pair = heal.differing.map { "\(expansion.cast.name($0.0)) and \(expansion.cast.name($0.1))" }
                return .figure(
                    Double(heal.watched) / 1e6, .atMost, min(bound.seconds, Double(heal.watched) / 1e6 - 1e-6),
                    .seconds,
                    "\(pair ?? "two hosts") in contact still differ \(Figure.seconds(Double(heal.watched) / 1e6)) after the heal",
                    Violation(
                        time: heal.at + UInt64(bound.microseconds),
                        host: heal.differing.map { expansion.cast.name($0.0) }))
            }
            worst = max(worst, Double(took) / 1e6)
        }
        return .figure(
            worst, .atMost, bound.seconds, .seconds, "it took \(Figure.seconds(worst))",
            heals.first.map { Violation(time: $0.at + UInt64(bound.microseconds)) })
    }

    private func revocations(_ bound: TimeSpan) -> Finding {
        guard let spreads = evidence.revocations else { return notShown("what nodes know of revocations") }
        guard !spreads.isEmpty else { return .notJudged("nobody was revoked") }
        var worst = 0.0
        for spread in spreads {
            let name = expansion.cast.name(spread.device)
            guard let everywhere = spread.everywhere else {
                return .outcome(
                    false, "the revocation of \(name) was not known everywhere at the end",
                    Violation(time: spread.at + UInt64(bound.microseconds), host: name))
            }
            worst = max(worst, Double(everywhere - spread.at) / 1e6)
        }
        return .figure(
            worst, .atMost, bound.seconds, .seconds, "it took \(Figure.seconds(worst))",
            spreads.first.map { Violation(time: $0.at + UInt64(bound.microseconds)) })
    }

    /// Of the hosts that could hear of it over the contacts there were.
    private func revocations(_ bound: TimeSpan, _ share: Double) -> Finding {
        guard let spreads = evidence.revocations else { return notShown("what nodes know of revocations") }
        guard spreads.contains(where: { $0.reachable > 0 }) else { return .notJudged("nobody was revoked") }
        var worst = 0.0
        for spread in spreads where spread.reachable > 0 {
            let name = expansion.cast.name(spread.device)
            guard let took = spread.heard(by: share) else {
                return .outcome(
                    false,
                    "\(spread.delays.count) of \(spread.reachable) hosts that could heard of the revocation of \(name)",
                    Violation(time: spread.at + UInt64(bound.microseconds), host: name))
            }
            worst = max(worst, Double(took) / 1e6)
        }
        return .figure(
            worst, .atMost, bound.seconds, .seconds, "it took \(Figure.seconds(worst))",
            spreads.first.map { Violation(time: $0.at + UInt64(bound.microseconds)) })
    }

    private func extreme(
        _ extreme: Evidence.Extreme?, _ bound: Double, _ unit: CoveyReport.Quantity.Unit, _ what: String,
        _ source: String
    ) -> Finding {
        guard let extreme else { return notShown(source) }
        let host = extreme.host.map { expansion.cast.name($0) }
        return .figure(
            extreme.value, .atMost, bound, unit, "\(host ?? "a host") had \(Figure.decimal(extreme.value)) \(what)",
            Violation(time: extreme.time, host: host))
    }

    private func watch(_ name: String) -> Finding {
        guard let watch = evidence.watches[name] else { return notShown(name) }
        let first = watch.first
        return .outcome(
            watch.count == 0,
            watch.text.map { watch.count > 1 ? "\($0); \(watch.count) times in all" : $0 } ?? "it happened",
            first.map { Violation(time: $0.time, host: $0.host.map { expansion.cast.name($0) }) })
    }
}
