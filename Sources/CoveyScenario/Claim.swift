package import CoveyCore

/// What a run has to show: an entry of `assert`.
package struct Claim: Hashable, Sendable {
    package enum Invariant: String, CaseIterable, Sendable {
        case plaintextOnWire, duplicateToApp, deliverAfterExpiry, acceptFromRevokedAfterKnown, deliverToRevoked
        case expireByBadClock, stealthMember, voidGrant, floorMovedByOthers, certificateLapsed
    }

    package enum Condition: String, CaseIterable, Sendable { case storeWithinQuota, ordersObeyed }

    package enum Measure: Hashable, Sendable {
        /// Part of what the oracle could deliver.
        case deliveryVsOracle(Double)
        case convergedWithin(TimeSpan)
        case revocationEverywhereWithin(TimeSpan)
        /// For this share of the hosts that could hear of it.
        case revocationWithin(TimeSpan, share: Double)
        /// From coming into reach, members that are up are linked, directly or over others.
        case lockedOutAtMost(TimeSpan)
        case p95Latency(TimeSpan)
        /// Copies on the air for each message delivered.
        case overheadAtMost(Double)
        case reconBytesPerDiffAtMost(Double)
        case reconBytesAtMost(ByteCount)
        case linkShareAtMost(Double)
        case dutyCycleNever
        case jainFairnessAtLeast(Double)
        case duplicatesPerNodeAtMost(Double)
        case bytesPerNodePerDayAtMost(ByteCount)
        case degreeAtMost(Int)
        /// Median delay over the oracle's.
        case medianDelayVsOracle(Double)
        case maxFrame(Int)
        case wallClockAtMost(TimeSpan)
        case crashSafe
        case resumed
        case never(Invariant)
        case always(Condition)
    }

    package enum Word: String, CaseIterable, Sendable {
        case deliveryVsOracle, convergedWithin, revocationEverywhereWithin, revocationWithin, lockedOutAtMost
        case p95Latency, overheadAtMost
        case reconBytesPerDiffAtMost, reconBytesAtMost, linkShareAtMost, dutyCycleNever, jainFairnessAtLeast
        case duplicatesPerNodeAtMost, bytesPerNodePerDayAtMost, degreeAtMost, medianDelayVsOracle, maxFrame
        case wallClockAtMost, crashSafe, resumed, never, always
    }

    package var measure: Measure
    /// Only messages of this priority.
    package var priority: Priority?
    /// Only this kind of link.
    package var link: String?
    /// `when: connected`: only messages whose sender and recipient were connected all the time.
    package var isWhenConnected: Bool
    /// `what: control`: the part of control frames, not of a priority.
    package var isControl: Bool
    /// Nil: it is expected to hold. Else why it cannot yet.
    package var knownMiss: String?

    package var word: Word {
        switch measure {
        case .deliveryVsOracle: .deliveryVsOracle
        case .convergedWithin: .convergedWithin
        case .revocationEverywhereWithin: .revocationEverywhereWithin
        case .revocationWithin: .revocationWithin
        case .lockedOutAtMost: .lockedOutAtMost
        case .p95Latency: .p95Latency
        case .overheadAtMost: .overheadAtMost
        case .reconBytesPerDiffAtMost: .reconBytesPerDiffAtMost
        case .reconBytesAtMost: .reconBytesAtMost
        case .linkShareAtMost: .linkShareAtMost
        case .dutyCycleNever: .dutyCycleNever
        case .jainFairnessAtLeast: .jainFairnessAtLeast
        case .duplicatesPerNodeAtMost: .duplicatesPerNodeAtMost
        case .bytesPerNodePerDayAtMost: .bytesPerNodePerDayAtMost
        case .degreeAtMost: .degreeAtMost
        case .medianDelayVsOracle: .medianDelayVsOracle
        case .maxFrame: .maxFrame
        case .wallClockAtMost: .wallClockAtMost
        case .crashSafe: .crashSafe
        case .resumed: .resumed
        case .never: .never
        case .always: .always
        }
    }

    static func read(_ item: Item) -> Claim? {
        guard var fields = item.fields() else { return nil }
        let words = fields.entries.compactMap { Word(rawValue: $0.key) }
        guard let word = words.first, words.count == 1 else {
            if words.isEmpty {
                let known = Word.allCases.map(\.rawValue)
                item.problem("claims nothing" + (fields.entries.first.map { nearest($0.key, known) } ?? ""))
            } else {
                item.problem("claims more than one thing: \(words.map(\.rawValue).joined(separator: ", "))")
            }
            return nil
        }
        let measure = fields.take(word.rawValue).flatMap { readMeasure(word, $0, &fields) }
        let priority = fields.optional("priority") { $0.priority() } ?? fields.optional("class") { $0.priority() }
        let link = fields.optional("link") { $0.link() }
        let connected = fields.optional("when") { $0.only("connected") } != nil
        let control = fields.optional("what") { $0.only("control") } != nil
        let expected = fields.optional("expected") { $0.boolean() } ?? true
        let because = fields.optional("because") { $0.word() }
        fields.close()
        if !expected, because == nil { item.problem("is not expected to hold, but “because” does not say why") }
        if expected, because != nil { item.problem("has “because” without “expected: false”") }
        if case .linkShareAtMost = measure, control == (priority != nil) {
            item.problem("is the share of either a priority or “what: control”")
        }
        guard let measure else { return nil }
        return Claim(
            measure: measure, priority: priority, link: link, isWhenConnected: connected, isControl: control,
            knownMiss: expected ? nil : because)
    }

    private static func readMeasure(_ word: Word, _ item: Item, _ fields: inout Fields) -> Measure? {
        switch word {
        case .deliveryVsOracle: return item.probability().map { .deliveryVsOracle($0) }
        case .convergedWithin:
            _ = fields.required("after") { $0.only("heal") }
            return item.span().map { .convergedWithin($0) }
        case .revocationEverywhereWithin: return item.span().map { .revocationEverywhereWithin($0) }
        case .revocationWithin:
            let share = fields.required("share") { $0.probability() }
            let span = item.span()
            guard let span, let share else { return nil }
            return .revocationWithin(span, share: share)
        case .lockedOutAtMost: return item.span().map { .lockedOutAtMost($0) }
        case .p95Latency: return item.span().map { .p95Latency($0) }
        case .overheadAtMost: return item.number(0...1e9).map { .overheadAtMost($0) }
        case .reconBytesPerDiffAtMost: return item.number(0...1e9).map { .reconBytesPerDiffAtMost($0) }
        case .reconBytesAtMost:
            _ = fields.required("per") { $0.only("window") }
            return item.bytes().map { .reconBytesAtMost($0) }
        case .linkShareAtMost: return item.probability().map { .linkShareAtMost($0) }
        case .dutyCycleNever: return item.only("exceeded").map { _ in .dutyCycleNever }
        case .jainFairnessAtLeast: return item.probability().map { .jainFairnessAtLeast($0) }
        case .duplicatesPerNodeAtMost: return item.number(0...1e9).map { .duplicatesPerNodeAtMost($0) }
        case .bytesPerNodePerDayAtMost: return item.bytes().map { .bytesPerNodePerDayAtMost($0) }
        case .degreeAtMost: return item.integer(0...ScenarioBounds.hosts).map { .degreeAtMost($0) }
        case .medianDelayVsOracle: return item.number(0...1e9).map { .medianDelayVsOracle($0) }
        case .maxFrame: return item.integer(1...1_000_000_000).map { .maxFrame($0) }
        case .wallClockAtMost: return item.span().map { .wallClockAtMost($0) }
        case .crashSafe: return item.only("true").map { _ in .crashSafe }
        case .resumed: return item.only("atLeastOnce").map { _ in .resumed }
        case .never: return item.choice(Invariant.self).map { .never($0) }
        case .always: return item.choice(Condition.self).map { .always($0) }
        }
    }

    var yaml: YAMLValue {
        let after: (String, YAMLValue?) =
            switch measure {
            case .convergedWithin: ("after", .text("heal"))
            case .reconBytesAtMost: ("per", .text("window"))
            case .revocationWithin(_, let share): ("share", .text(share))
            case .deliveryVsOracle, .revocationEverywhereWithin, .lockedOutAtMost, .p95Latency, .overheadAtMost,
                .reconBytesPerDiffAtMost,
                .linkShareAtMost, .dutyCycleNever, .jainFairnessAtLeast, .duplicatesPerNodeAtMost,
                .bytesPerNodePerDayAtMost, .degreeAtMost, .medianDelayVsOracle, .maxFrame, .wallClockAtMost, .crashSafe,
                .resumed, .never, .always:
                ("after", nil)
            }
        return .map([
            (word.rawValue, .text(bound)), after, ("priority", priority.map { .text($0.word) }),
            ("what", isControl ? .text("control") : nil), ("link", link.map { .text($0) }),
            ("when", isWhenConnected ? .text("connected") : nil), ("expected", knownMiss == nil ? nil : .text(false)),
            ("because", knownMiss.map { .text($0) }),
        ])
    }

    /// The bound as the file has it.
    package var bound: String {
        switch measure {
        case .deliveryVsOracle(let number), .overheadAtMost(let number), .reconBytesPerDiffAtMost(let number),
            .linkShareAtMost(let number), .jainFairnessAtLeast(let number), .duplicatesPerNodeAtMost(let number),
            .medianDelayVsOracle(let number):
            Numeral.text(number)
        case .convergedWithin(let span), .revocationEverywhereWithin(let span), .revocationWithin(let span, _),
            .lockedOutAtMost(let span), .p95Latency(let span),
            .wallClockAtMost(let span):
            "\(span)"
        case .reconBytesAtMost(let count), .bytesPerNodePerDayAtMost(let count): "\(count)"
        case .degreeAtMost(let count), .maxFrame(let count): "\(count)"
        case .dutyCycleNever: "exceeded"
        case .crashSafe: "true"
        case .resumed: "atLeastOnce"
        case .never(let invariant): invariant.rawValue
        case .always(let condition): condition.rawValue
        }
    }
}

extension Item {
    /// The one word that is understood here.
    func only(_ word: String) -> String? {
        guard let text = self.word() else { return nil }
        guard text == word else {
            problem("“\(text)” is not known; known: \(word)")
            return nil
        }
        return text
    }
}
