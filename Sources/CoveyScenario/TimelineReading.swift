// The timeline from its YAML and back.

extension TimelineEntry {
    static func read(_ item: Item) -> TimelineEntry? {
        guard var fields = item.fields() else { return nil }
        guard let moment = readMoment(&fields) else { return nil }
        let lasts = fields.optional("for") { $0.span() }
        let words = fields.entries.compactMap { Word(rawValue: $0.key) }
        guard let word = words.first, words.count == 1 else {
            if words.isEmpty {
                let strange = fields.entries.first { !["at", "every", "for", "from", "until"].contains($0.key) }
                item.problem(
                    "names nothing to do" + (strange.map { nearest($0.key, Word.allCases.map(\.rawValue)) } ?? ""))
            } else {
                item.problem("names more than one thing to do: \(words.map(\.rawValue).joined(separator: ", "))")
            }
            return nil
        }
        let verb = fields.take(word.rawValue).flatMap { readVerb(word, $0, &fields, lasts) }
        fields.close()
        guard let verb else { return nil }
        let entry = TimelineEntry(moment: moment, lasts: lasts, verb: verb)
        if lasts != nil, !entry.canEnd { item.problem("“for” has no meaning with \(word.rawValue)") }
        return entry
    }

    private static func readMoment(_ fields: inout Fields) -> Moment? {
        let at = fields.optional("at") { $0.span() }
        let every = fields.optional("every") { $0.span() }
        switch (at, every) {
        case (.some(let at), nil): return .at(at)
        case (nil, .some(let every)):
            guard every.microseconds >= 1_000_000 else {
                fields.item.problem("every \(every) is more often than once a second")
                return nil
            }
            let from = fields.optional("from") { $0.span() }
            return .every(every, from: from ?? every, until: fields.optional("until") { $0.span() })
        case (nil, nil):
            if !fields.has("at"), !fields.has("every") { fields.item.problem("lacks “at” or “every”") }
            return nil
        case (.some, .some):
            fields.item.problem("has “at” and “every”; one of them is meant")
            return nil
        }
    }

    /// Whether it is something that lasts and can be undone.
    private var canEnd: Bool {
        switch verb {
        case .partition, .cut, .hold, .linkDown, .asymLoss, .load, .diskFull, .byzantine, .setLink, .clockDrift: true
        case .heal, .uncut, .release, .crash, .restart, .kill, .powerCycle, .churn, .join, .revoke, .copyAuthority,
            .openOffice, .enrol, .revokeAuthority, .checkpoint, .newEpoch, .newKeys, .recoverFork, .clockJump,
            .sneakernet:
            false
        }
    }

    private static func readVerb(_ word: Word, _ item: Item, _ fields: inout Fields, _ lasts: TimeSpan?) -> Verb? {
        switch word {
        case .partition: return readPartition(item, &fields)
        case .heal:
            let link = fields.optional("link") { $0.link() }
            let ramp = fields.optional("ramp") { $0.span() } ?? .zero
            guard item.word() == "*" else {
                item.problem("heals everything: heal: \"*\"")
                return nil
            }
            return .heal(ramp: ramp, link: link)
        case .cut: return item.pair().map { .cut($0[0], $0[1]) }
        case .uncut: return item.pair().map { .uncut($0[0], $0[1]) }
        case .hold:
            return item.map { fields in
                let from = fields.required("from") { $0.terms() }
                let to = fields.required("to") { $0.terms() }
                guard let from, let to else { return nil }
                return .hold(from: from, to: to)
            }
        case .release: return item.word() == nil ? nil : .release
        case .setLink:
            let link = item.link()
            let change = LinkChange(
                hasMulticast: fields.optional("multicast") { $0.boolean() },
                rate: fields.optional("rate") { $0.rate() },
                latency: fields.optional("latency") { LinkKind.Latency.read($0) },
                loss: fields.optional("loss") { LinkKind.Loss.read($0) })
            guard let link else { return nil }
            return .setLink(link, change)
        case .linkDown:
            let of = fields.optional("of") { $0.terms() } ?? [.everyone]
            return item.link().map { .linkDown($0, of: of) }
        case .asymLoss:
            return item.map { fields in
                let from = fields.required("from") { $0.terms() }
                let to = fields.required("to") { $0.terms() }
                let loss = fields.required("p") { $0.probability() }
                guard let from, let to, let loss else { return nil }
                return .asymLoss(from: from, to: to, loss: loss)
            }
        case .crash:
            let crash = Crash(
                restartAfter: fields.optional("restartAfter") { $0.span() },
                losesUnsynced: fields.flag("losesUnsynced"), isWriteTorn: fields.flag("tornWrite"),
                corruptsDisk: fields.flag("corrupt"))
            return item.who().map { .crash($0, crash) }
        case .restart: return item.who().map { .restart($0) }
        case .kill: return item.who().map { .kill($0) }
        case .powerCycle:
            return item.map { fields in
                let who = Who.read(&fields)
                let loses = fields.flag("losesUnsynced")
                let off = fields.optional("off") { $0.span() } ?? .seconds(30)
                return who.map { .powerCycle($0, losesUnsynced: loses, off: off) }
            }
        case .churn:
            return item.map { fields in
                let who = Who.read(&fields)
                let off = fields.required("off") { $0.span() }
                guard let who, let off else { return nil }
                return .churn(who, off: off)
            }
        case .join: return item.who().map { .join($0) }
        case .revoke:
            return item.map { fields in
                let device = fields.required("device") { $0.host() }
                let by = fields.required("by") { $0.host() }
                let wipe = fields.optional("wipe") { $0.choice(TimelineEntry.Wipe.self) }
                guard let device, let by else { return nil }
                return .revoke(device: device, by: by, wipe: wipe)
            }
        case .copyAuthority: return item.host().map { .copyAuthority($0) }
        case .openOffice: return item.host().map { .openOffice($0) }
        case .enrol:
            return item.map { fields in
                let device = fields.required("device") { $0.host() }
                let by = fields.required("by") { $0.host() }
                let isSecret = fields.flag("secretly")
                guard let device, let by else { return nil }
                return .enrol(device: device, by: by, isSecret: isSecret)
            }
        case .revokeAuthority:
            return item.map { fields in
                let since = fields.required("since") { $0.host() }
                let by = fields.required("by") { $0.host() }
                guard let since, let by else { return nil }
                return .revokeAuthority(since: since, by: by)
            }
        case .checkpoint: return item.host().map { .checkpoint($0) }
        case .newEpoch: return item.host().map { .newEpoch($0) }
        case .newKeys: return item.host().map { .newKeys($0) }
        case .recoverFork: return item.host().map { .recoverFork($0) }
        case .clockJump:
            return item.map { fields in
                let who = Who.read(&fields)
                let by = fields.required("by") { $0.jump() }
                guard let who, let by else { return nil }
                return .clockJump(who, by: by)
            }
        case .clockDrift:
            return item.map { fields in
                let who = Who.read(&fields)
                let ppm = fields.required("ppm") { $0.number(-10_000...10_000) }
                guard let who, let ppm else { return nil }
                return .clockDrift(who, ppm: ppm)
            }
        case .load:
            return item.parsed(
                { text in
                    guard text.hasPrefix("x"), let factor = Double(text.dropFirst()), (0...1000).contains(factor) else {
                        return nil
                    }
                    return factor
                }, "a factor such as x10"
            ).map { .load($0) }
        case .sneakernet:
            return item.map { fields in
                let from = fields.required("from") { $0.host() }
                let to = fields.required("to") { $0.host() }
                let capacity = fields.required("capacity") { $0.bytes() }
                let travel = fields.required("travel") { $0.span() }
                let damage = fields.optional("damage") { $0.probability() } ?? 0
                guard let from, let to, let capacity, let travel else { return nil }
                return .sneakernet(Sneakernet(from: from, to: to, capacity: capacity, travel: travel, damage: damage))
            }
        case .diskFull: return item.who().map { .diskFull($0) }
        case .byzantine:
            return item.map { fields in
                let who = Who.read(&fields)
                let behaviours = fields.required("behaviours") { item -> [Behaviour]? in
                    let items = item.items()
                    let known = items.compactMap { $0.behaviour() }
                    return known.count == items.count && !known.isEmpty ? known : nil
                }
                guard let who, let behaviours else { return nil }
                return .byzantine(who, behaviours)
            }
        }
    }

    private static func readPartition(_ item: Item, _ fields: inout Fields) -> Verb? {
        let affects = fields.optional("affects") { item -> String? in
            guard let name = item.name() else { return nil }
            guard item.findings.layers.contains(name) else {
                item.problem(
                    "nothing in the topology is called “\(name)”" + nearest(name, item.findings.layers.sorted()))
                return nil
            }
            return name
        }
        let isOneWay = fields.flag("oneWay")
        guard let items = item.list(atMost: ScenarioBounds.sides) else { return nil }
        var sides = items.compactMap { $0.terms() }
        guard sides.count == items.count else { return nil }
        guard sides.count >= 2 else {
            item.problem("has \(sides.count) sides; two are the least")
            return nil
        }
        // Somebody with two interfaces stands on two sides.
        if let dual = fields.take("dualHomed"), let homes = dual.fields() {
            for entry in homes.entries {
                let here = Item(
                    value: YAMLValue(line: entry.line, .text(entry.key)), path: dual.path, findings: item.findings)
                guard let host = here.host() else { return nil }
                let value = Item(value: entry.value, path: dual.path.key(entry.key), findings: item.findings)
                for name in value.items() {
                    guard let term = name.term() else { return nil }
                    guard let side = sides.firstIndex(where: { $0.contains(term) }) else {
                        name.problem("“\(term)” is not on a side of the partition")
                        return nil
                    }
                    sides[side].append(host)
                }
            }
        }
        return .partition(sides: sides, affects: affects, isOneWay: isOneWay)
    }
}

extension Item {
    /// A name, a list of names, or a map with `node`, `pick`, `fraction` or `count`.
    func who() -> Who? {
        switch value.content {
        case .text, .list: terms().map { .these($0) }
        case .map: map { Who.read(&$0) }
        }
    }

    /// Of a clock: forward or back.
    func jump() -> TimeSpan? {
        guard let span = parsed({ TimeSpan($0) }, "a jump such as +3d or -50y") else { return nil }
        let most = ScenarioBounds.clockJump
        guard (-most...most).contains(span.microseconds) else {
            problem("\(span) is more than \(TimeSpan(microseconds: most))")
            return nil
        }
        return span
    }

    func behaviour() -> TimelineEntry.Behaviour? {
        guard let text = word() else { return nil }
        if let behaviour = TimelineEntry.Behaviour(text) { return behaviour }
        let name = String(text.prefix { $0 != ":" })
        problem("“\(text)” is not a behaviour" + nearest(name, TimelineEntry.Behaviour.Kind.allCases.map(\.rawValue)))
        return nil
    }
}

extension TimelineEntry {
    var yaml: YAMLValue {
        var entries: [(String, YAMLValue?)]
        switch moment {
        case .at(let at): entries = [("at", .text(at))]
        case .every(let every, let from, let until):
            entries = [
                ("every", .text(every)), ("from", from == every ? nil : .text(from)),
                ("until", until.map { .text($0) }),
            ]
        }
        return .map(entries + verb.entries(word.rawValue) + [("for", lasts.map { .text($0) })])
    }
}

extension TimelineEntry.Verb {
    fileprivate func entries(_ word: String) -> [(String, YAMLValue?)] {
        switch self {
        case .partition(let sides, let affects, let isOneWay):
            [
                (word, .list(sides.map { .list($0.map { .text($0) }) })), ("affects", affects.map { .text($0) }),
                ("oneWay", isOneWay ? .text(true) : nil),
            ]
        case .heal(let ramp, let link):
            [(word, .text("*")), ("ramp", ramp == .zero ? nil : .text(ramp)), ("link", link.map { .text($0) })]
        case .cut(let a, let b), .uncut(let a, let b): [(word, .list([.text(a), .text(b)]))]
        case .hold(let from, let to): [(word, .map([("from", from.yaml), ("to", to.yaml)]))]
        case .release: [(word, .text("*"))]
        case .setLink(let link, let change):
            [
                (word, .text(link)), ("multicast", change.hasMulticast.map { .text($0) }),
                ("rate", change.rate.map { .text($0) }), ("latency", change.latency.map { $0.yaml ?? .text("0") }),
                ("loss", change.loss.map { $0.yaml ?? .text(0) }),
            ]
        case .linkDown(let link, let of): [(word, .text(link)), ("of", of == [.everyone] ? nil : of.yaml)]
        case .asymLoss(let from, let to, let loss):
            [(word, .map([("from", from.yaml), ("to", to.yaml), ("p", .text(loss))]))]
        case .crash(let who, let crash):
            [
                (word, who.yaml), ("restartAfter", crash.restartAfter.map { .text($0) }),
                ("losesUnsynced", crash.losesUnsynced ? .text(true) : nil),
                ("tornWrite", crash.isWriteTorn ? .text(true) : nil),
                ("corrupt", crash.corruptsDisk ? .text(true) : nil),
            ]
        case .restart(let who), .kill(let who), .join(let who), .diskFull(let who): [(word, who.yaml)]
        case .powerCycle(let who, let loses, let off):
            [
                (
                    word,
                    .map(
                        who.entries + [
                            ("losesUnsynced", loses ? .text(true) : nil),
                            ("off", off == .seconds(30) ? nil : .text(off)),
                        ])
                )
            ]
        case .churn(let who, let off): [(word, .map(who.entries + [("off", .text(off))]))]
        case .revoke(let device, let by, let wipe):
            [
                (
                    word,
                    .map([
                        ("device", .text(device)), ("by", .text(by)), ("wipe", wipe.map { .text($0.rawValue) }),
                    ])
                )
            ]
        case .copyAuthority(let by), .openOffice(let by), .checkpoint(let by), .newEpoch(let by), .newKeys(let by),
            .recoverFork(let by):
            [(word, .text(by))]
        case .enrol(let device, let by, let isSecret):
            [
                (
                    word,
                    .map([
                        ("device", .text(device)), ("by", .text(by)), ("secretly", isSecret ? .text(true) : nil),
                    ])
                )
            ]
        case .revokeAuthority(let since, let by): [(word, .map([("since", .text(since)), ("by", .text(by))]))]
        case .clockJump(let who, let by):
            [(word, .map(who.entries + [("by", .text(by > .zero ? "+\(by)" : "\(by)"))]))]
        case .clockDrift(let who, let ppm): [(word, .map(who.entries + [("ppm", .text(Numeral.text(ppm)))]))]
        case .load(let factor): [(word, .text("x\(Numeral.text(factor))"))]
        case .sneakernet(let bag):
            [
                (
                    word,
                    .map([
                        ("from", .text(bag.from)), ("to", .text(bag.to)), ("capacity", .text(bag.capacity)),
                        ("travel", .text(bag.travel)), ("damage", bag.damage == 0 ? nil : .text(bag.damage)),
                    ])
                )
            ]
        case .byzantine(let who, let behaviours):
            [(word, .map(who.entries + [("behaviours", .list(behaviours.map { .text($0) }))]))]
        }
    }
}

extension Who {
    /// Names alone where they are enough.
    var yaml: YAMLValue {
        switch self {
        case .these(let terms): terms.yaml
        case .fraction, .number: .map(entries)
        }
    }
}
