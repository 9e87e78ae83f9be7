import CoveyContact

/// The timeline with every choice made, by time.
enum Schedule {
    static func deeds(_ scenario: Scenario, _ cast: Cast, seed: UInt64) -> [Deed] {
        let dice = Dice(seed: seed)
        let end = scenario.duration.microseconds
        var deeds: [Deed] = []
        for (number, entry) in scenario.timeline.enumerated() {
            var own = dice.stream("timeline", UInt64(number))
            for moment in moments(entry.moment, end: end) where deeds.count < ScenarioBounds.deeds {
                deeds += resolve(entry, number, at: moment, scenario, cast, &own)
            }
        }
        // Entries of one moment happen in the order of the file.
        return deeds.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private static func moments(_ moment: TimelineEntry.Moment, end: Int64) -> [UInt64] {
        switch moment {
        case .at(let at): return at.microseconds <= end ? [UInt64(at.microseconds)] : []
        case .every(let every, let from, let until):
            let last = min(until?.microseconds ?? end, end)
            guard from.microseconds <= last else { return [] }
            return stride(from: from.microseconds, through: last, by: Int(every.microseconds)).map { UInt64($0) }
        }
    }

    private static func resolve(
        _ entry: TimelineEntry, _ number: Int, at: UInt64, _ scenario: Scenario, _ cast: Cast, _ dice: inout Dice
    ) -> [Deed] {
        func deed(_ act: Deed.Act, for span: TimeSpan? = nil) -> Deed {
            let lasts = span ?? entry.lasts
            return Deed(at: at, until: lasts.map { at + UInt64($0.microseconds) }, entry: number, act: act)
        }
        func linkNumber(_ name: String) -> Int {
            guard let link = scenario.linkNumber(name) else {
                preconditionFailure("the reader checked the names of links")
            }
            return link
        }
        func crash(_ hosts: [UInt32], loses: Bool, torn: Bool = false, corrupt: Bool = false) -> Deed.Act {
            .crash(hosts, losesUnsynced: loses, isWriteTorn: torn, corruptsDisk: corrupt)
        }
        switch entry.verb {
        case .partition(let sides, let affects, let isOneWay):
            return [deed(.partition(sides: sides.map { cast.hosts($0) }, affects: affects, isOneWay: isOneWay))]
        case .heal(let ramp, let link):
            return [deed(.heal(ramp: UInt64(ramp.microseconds), link: link.map(linkNumber)))]
        case .cut(let a, let b): return [deed(.cut(cast.host(a), cast.host(b)))]
        case .uncut(let a, let b): return [deed(.uncut(cast.host(a), cast.host(b)))]
        case .hold(let from, let to): return [deed(.hold(from: cast.hosts(from), to: cast.hosts(to)))]
        case .release: return [deed(.release)]
        case .setLink(let link, let change): return [deed(.setLink(linkNumber(link), change))]
        case .linkDown(let link, let of): return [deed(.linkDown(linkNumber(link), of: cast.hosts(of)))]
        case .asymLoss(let from, let to, let loss):
            return [deed(.asymLoss(from: cast.hosts(from), to: cast.hosts(to), loss: loss))]
        case .crash(let who, let crash):
            let act = Deed.Act.crash(
                pick(who, cast, &dice), losesUnsynced: crash.losesUnsynced, isWriteTorn: crash.isWriteTorn,
                corruptsDisk: crash.corruptsDisk)
            return [deed(act, for: crash.restartAfter)]
        case .restart(let who): return [deed(.restart(pick(who, cast, &dice)))]
        case .kill(let who): return [deed(.kill(pick(who, cast, &dice)))]
        case .powerCycle(let who, let loses, let off):
            return [deed(crash(pick(who, cast, &dice), loses: loses), for: off)]
        case .churn(let who, let off): return [deed(crash(pick(who, cast, &dice), loses: false), for: off)]
        case .join(let who): return [deed(.join(pick(who, cast, &dice)))]
        case .revoke(let device, let by, let wipe):
            return [deed(.revoke(device: cast.host(device), by: cast.host(by), wipe: wipe))]
        case .copyAuthority(let by): return [deed(.copyAuthority(by: cast.host(by)))]
        case .openOffice(let host): return [deed(.openOffice(at: cast.host(host)))]
        case .enrol(let device, let by, let isSecret):
            return [deed(.enrol(device: cast.host(device), by: cast.host(by), isSecret: isSecret))]
        case .revokeAuthority(let since, let by):
            return [deed(.revokeAuthority(since: cast.host(since), by: cast.host(by)))]
        case .checkpoint(let by): return [deed(.checkpoint(by: cast.host(by)))]
        case .newEpoch(let by): return [deed(.newEpoch(by: cast.host(by)))]
        case .newKeys(let by): return [deed(.newKeys(by: cast.host(by)))]
        case .recoverFork(let by): return [deed(.recoverFork(by: cast.host(by)))]
        case .clockJump(let who, let by): return [deed(.clockJump(pick(who, cast, &dice), by: by.microseconds))]
        case .clockDrift(let who, let ppm): return [deed(.clockDrift(pick(who, cast, &dice), ppm: ppm))]
        case .load(let factor): return [deed(.load(factor))]
        case .sneakernet(let bag):
            let act = Deed.Act.sneakernet(
                from: cast.host(bag.from), to: cast.host(bag.to), capacity: bag.capacity.bytes,
                travel: UInt64(bag.travel.microseconds), damage: bag.damage)
            return [deed(act)]
        case .diskFull(let who): return [deed(.diskFull(pick(who, cast, &dice)))]
        case .byzantine(let who, let behaviours): return [deed(.byzantine(pick(who, cast, &dice), behaviours))]
        }
    }

    private static func pick(_ who: Who, _ cast: Cast, _ dice: inout Dice) -> [UInt32] {
        switch who {
        case .these(let terms): return cast.hosts(terms)
        case .fraction(let fraction, let of):
            let all = cast.hosts(of)
            return draw(Int((Double(all.count) * fraction).rounded()), of: all, &dice)
        case .number(let count, let of): return draw(count, of: cast.hosts(of), &dice)
        }
    }

    /// Some of `all`, each as likely as any other, in ascending order.
    static func draw(_ count: Int, of all: [UInt32], _ dice: inout Dice) -> [UInt32] {
        var rest = all
        let count = min(count, rest.count)
        for index in 0..<count { rest.swapAt(index, index + dice.below(rest.count - index)) }
        return rest[..<count].sorted()
    }

    /// The same deeds as entries of a timeline in which nothing is left to chance.
    static func entries(_ deeds: [Deed], _ scenario: Scenario, _ cast: Cast) -> [TimelineEntry] {
        deeds.compactMap { deed in
            guard let verb = verb(deed, scenario, cast) else { return nil }
            let at = TimeSpan(microseconds: Int64(deed.at))
            let lasts = deed.until.map { TimeSpan(microseconds: Int64($0 - deed.at)) }
            if case .crash = deed.act { return TimelineEntry(moment: .at(at), lasts: nil, verb: verb) }
            return TimelineEntry(moment: .at(at), lasts: lasts, verb: verb)
        }
    }

    /// Nil for what falls on nobody.
    private static func verb(_ deed: Deed, _ scenario: Scenario, _ cast: Cast) -> TimelineEntry.Verb? {
        func these(_ hosts: [UInt32]) -> Who? { hosts.isEmpty ? nil : .these(cast.terms(hosts)) }
        func term(_ host: UInt32) -> Term { cast.terms([host])[0].single(cast, host) }
        switch deed.act {
        case .partition(let sides, let affects, let isOneWay):
            return .partition(sides: sides.map { cast.terms($0) }, affects: affects, isOneWay: isOneWay)
        case .heal(let ramp, let link):
            return .heal(ramp: TimeSpan(microseconds: Int64(ramp)), link: link.map { scenario.links[$0].name })
        case .cut(let a, let b): return .cut(term(a), term(b))
        case .uncut(let a, let b): return .uncut(term(a), term(b))
        case .hold(let from, let to): return .hold(from: cast.terms(from), to: cast.terms(to))
        case .release: return .release
        case .setLink(let link, let change): return .setLink(scenario.links[link].name, change)
        case .linkDown(let link, let of): return .linkDown(scenario.links[link].name, of: cast.terms(of))
        case .asymLoss(let from, let to, let loss):
            return .asymLoss(from: cast.terms(from), to: cast.terms(to), loss: loss)
        case .crash(let hosts, let loses, let torn, let corrupt):
            let crash = TimelineEntry.Crash(
                restartAfter: deed.until.map { TimeSpan(microseconds: Int64($0 - deed.at)) }, losesUnsynced: loses,
                isWriteTorn: torn, corruptsDisk: corrupt)
            return these(hosts).map { .crash($0, crash) }
        case .restart(let hosts): return these(hosts).map { .restart($0) }
        case .kill(let hosts): return these(hosts).map { .kill($0) }
        case .join(let hosts): return these(hosts).map { .join($0) }
        case .revoke(let device, let by, let wipe): return .revoke(device: term(device), by: term(by), wipe: wipe)
        case .copyAuthority(let by): return .copyAuthority(term(by))
        case .openOffice(let host): return .openOffice(term(host))
        case .enrol(let device, let by, let isSecret):
            return .enrol(device: term(device), by: term(by), isSecret: isSecret)
        case .revokeAuthority(let since, let by): return .revokeAuthority(since: term(since), by: term(by))
        case .checkpoint(let by): return .checkpoint(term(by))
        case .newEpoch(let by): return .newEpoch(term(by))
        case .newKeys(let by): return .newKeys(term(by))
        case .recoverFork(let by): return .recoverFork(term(by))
        case .clockJump(let hosts, let by): return these(hosts).map { .clockJump($0, by: TimeSpan(microseconds: by)) }
        case .clockDrift(let hosts, let ppm): return these(hosts).map { .clockDrift($0, ppm: ppm) }
        case .load: return nil
        case .sneakernet(let from, let to, let capacity, let travel, let damage):
            return .sneakernet(
                TimelineEntry.Sneakernet(
                    from: term(from), to: term(to), capacity: ByteCount(capacity),
                    travel: TimeSpan(microseconds: Int64(travel)), damage: damage))
        case .diskFull(let hosts): return these(hosts).map { .diskFull($0) }
        case .byzantine(let hosts, let behaviours): return these(hosts).map { .byzantine($0, behaviours) }
        }
    }
}

extension Term {
    /// A group of one is still named by its host where one host is meant.
    fileprivate func single(_ cast: Cast, _ host: UInt32) -> Term {
        let member = cast.members[Int(host)]
        return .host(group: cast.groups[member.group].name, index: member.index)
    }
}
