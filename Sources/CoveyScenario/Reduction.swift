import CoveyContact
package import CoveyReport

/// A run cut down: what is left of its faults, hosts, letters and time, as a scenario without chance.
///
/// Contacts are written out as the seed made them, so that a host that goes takes its letters, its links and its part
/// in faults with it and moves nobody else. Hosts that stay are numbered anew within their group.
package struct Reduction: Sendable {
    package enum Bounds {
        /// Contacts that are written out. Where there are more, the topology stays as it is, and so do all hosts.
        package static let contacts = 1_000_000
    }

    /// What stays, by ascending number.
    package struct Kept: Hashable, Sendable {
        /// In the expansion's deeds.
        package var deeds: [Int]
        package var hosts: [UInt32]
        /// In the expansion's letters.
        package var letters: [Int]
        package var duration: TimeSpan
    }

    private struct Contact: BitwiseCopyable {
        var a: UInt32
        var b: UInt32
        var from: UInt64
        /// `.max`: to the end of the run.
        var until: UInt64
        var link: UInt16
    }

    private let expansion: Expansion
    /// By layer of the topology; nil: they are too many.
    private let contacts: [[Contact]]?

    /// - Parameter level: on a LAN hosts have other contacts at each.
    package init(_ expansion: Expansion, level: DetailLevel) throws(ScenarioProblems) {
        self.expansion = expansion
        let density: LayerContacts.Density =
            switch level {
            case .full: .all
            case .contact: .linked(ContactRunner.linksOnLAN)
            }
        var layers: [[Contact]] = []
        var count = 0
        for source in try LayerContacts(expansion, density: density).sources() {
            let found = Self.read(source, until: UInt64(expansion.scenario.duration.microseconds))
            count += found.count
            if count > Bounds.contacts { break }
            layers.append(found)
        }
        contacts = count > Bounds.contacts ? nil : layers
    }

    /// With the topology as the file has it: hosts stay.
    package init(keepingContactsOf expansion: Expansion) {
        self.expansion = expansion
        contacts = nil
    }

    /// Whether hosts can go.
    package var dropsHosts: Bool { contacts != nil }

    package var everything: Kept {
        // What makes more traffic has made it already.
        let deeds = expansion.deeds.indices.filter { if case .load = expansion.deeds[$0].act { false } else { true } }
        return Kept(
            deeds: Array(deeds), hosts: Array(0..<UInt32(expansion.cast.count)),
            letters: Array(expansion.letters.indices), duration: expansion.scenario.duration)
    }

    /// What hosts are called now, and were called before; only those whose name changed.
    package func renamed(_ kept: Kept) -> [(now: String, before: String)] {
        let cast = Cast(groups(kept.hosts))
        return kept.hosts.enumerated().compactMap { place, host in
            let (now, before) = (cast.name(UInt32(place)), expansion.cast.name(host))
            return now == before ? nil : (now, before)
        }
    }

    /// - Parameter claims: names, as results have them, of the claims that stay.
    package func scenario(_ kept: Kept, claims: Set<String>) -> Scenario {
        var result = contacts == nil ? expansion.scenario : groups(kept.hosts)
        let cast = Cast(result)
        var numbers = [UInt32?](repeating: nil, count: expansion.cast.count)
        for (place, host) in kept.hosts.enumerated() { numbers[Int(host)] = UInt32(place) }
        let end = UInt64(kept.duration.microseconds)

        result.seed = expansion.seed
        result.swarm = []
        result.duration = kept.duration
        result.claims = expansion.scenario.claims.filter { claims.contains(Judge.name($0)) }
        if let contacts { result.topology = layers(contacts, cast, numbers, end: end) }
        let layers = Set(result.topology.map(\.handle))
        let deeds = kept.deeds.map { expansion.deeds[$0] }.filter { $0.at < end }.compactMap { deed in
            deed.moved(numbers, layers: layers)
        }
        let letters = kept.letters.map { expansion.letters[$0] }.filter { $0.at < end }.compactMap { letter in
            letter.moved(numbers)
        }
        return Expansion(result, seed: expansion.seed, cast: cast, deeds: deeds, letters: letters).frozen()
    }

    // MARK: Hosts and contacts

    private func groups(_ hosts: [UInt32]) -> Scenario {
        var result = expansion.scenario
        var counts = [Int](repeating: 0, count: result.groups.count)
        for host in hosts { counts[expansion.cast.members[Int(host)].group] += 1 }
        for number in result.groups.indices { result.groups[number].count = counts[number] }
        result.groups.removeAll { $0.count == 0 }
        return result
    }

    private static func read(_ source: any ContactSource, until end: UInt64) -> [Contact] {
        var source = source
        var open: [ContactChange: Int] = [:]
        var contacts: [Contact] = []
        while let change = source.next(), change.time < end, contacts.count <= Bounds.contacts {
            let pair = ContactChange(
                time: 0, a: min(change.a, change.b), b: max(change.a, change.b), link: change.link, isUp: true)
            if change.isUp {
                if open[pair] != nil { continue }
                open[pair] = contacts.count
                contacts.append(
                    Contact(a: pair.a, b: pair.b, from: change.time, until: .max, link: change.link))
            } else if let index = open.removeValue(forKey: pair) {
                contacts[index].until = change.time
            }
        }
        return contacts
    }

    /// A layer each, of the same name, as faults speak of it; without those in which nobody meets anybody.
    private func layers(_ contacts: [[Contact]], _ cast: Cast, _ numbers: [UInt32?], end: UInt64) -> [Layer] {
        contacts.enumerated().compactMap { number, contacts in
            let layer = expansion.scenario.topology[number]
            let own = layer.link.flatMap(expansion.scenario.linkNumber)
            let left = contacts.filter { contact in
                contact.from < end && numbers[Int(contact.a)] != nil && numbers[Int(contact.b)] != nil
            }
            if left.isEmpty { return nil }
            func term(_ host: UInt32) -> Term { cast.term(numbers[Int(host)] ?? 0) }
            let isFixed = left.allSatisfy { contact in
                contact.from == 0 && contact.until >= end && Int(contact.link) == own
            }
            if isFixed {
                return Layer(
                    name: layer.handle, shape: .edges(left.map { [term($0.a), term($0.b)] }), link: layer.link)
            }
            let plan = Layer.Plan(
                format: .ion,
                contacts: left.map { contact in
                    Layer.Plan.Contact(
                        a: term(contact.a), b: term(contact.b), at: TimeSpan(microseconds: Int64(contact.from)),
                        every: nil,
                        lasts: TimeSpan(microseconds: Int64(min(contact.until, end) - contact.from)),
                        link: Int(contact.link) == own ? nil : expansion.scenario.links[Int(contact.link)].name)
                }, file: nil, of: [.everyone])
            return Layer(name: layer.handle, shape: .plan(plan), link: layer.link)
        }
    }
}

extension Letter {
    /// Nil when its sender or recipient is gone.
    fileprivate func moved(_ numbers: [UInt32?]) -> Letter? {
        guard let from = numbers[Int(from)] else { return nil }
        var letter = self
        letter.from = from
        if let to {
            guard let moved = numbers[Int(to)] else { return nil }
            letter.to = moved
        }
        return letter
    }
}

extension Deed {
    /// Among those that are left; nil when nothing is left of it.
    fileprivate func moved(_ numbers: [UInt32?], layers: Set<String>) -> Deed? {
        func these(_ hosts: [UInt32]) -> [UInt32]? {
            let left = hosts.compactMap { numbers[Int($0)] }
            return left.isEmpty ? nil : left
        }
        func one(_ host: UInt32) -> UInt32? { numbers[Int(host)] }
        func both(_ a: [UInt32], _ b: [UInt32]) -> ([UInt32], [UInt32])? {
            guard let a = these(a), let b = these(b) else { return nil }
            return (a, b)
        }
        func pair(_ a: UInt32, _ b: UInt32) -> (UInt32, UInt32)? {
            guard let a = one(a), let b = one(b) else { return nil }
            return (a, b)
        }
        let moved: Act? =
            switch act {
            case .partition(let sides, let affects, let isOneWay):
                affects.map { layers.contains($0) } ?? true
                    ? { left in left.count < 2 ? nil : .partition(sides: left, affects: affects, isOneWay: isOneWay) }(
                        sides.compactMap(these)) : nil
            case .heal, .release, .setLink, .load: act
            case .cut(let a, let b): pair(a, b).map { .cut($0.0, $0.1) }
            case .uncut(let a, let b): pair(a, b).map { .uncut($0.0, $0.1) }
            case .hold(let from, let to): both(from, to).map { .hold(from: $0.0, to: $0.1) }
            case .linkDown(let link, let of): these(of).map { .linkDown(link, of: $0) }
            case .asymLoss(let from, let to, let loss):
                both(from, to).map { .asymLoss(from: $0.0, to: $0.1, loss: loss) }
            case .crash(let hosts, let loses, let torn, let corrupts):
                these(hosts).map { .crash($0, losesUnsynced: loses, isWriteTorn: torn, corruptsDisk: corrupts) }
            case .restart(let hosts): these(hosts).map { .restart($0) }
            case .kill(let hosts): these(hosts).map { .kill($0) }
            case .join(let hosts): these(hosts).map { .join($0) }
            case .revoke(let device, let by, let wipe):
                pair(device, by).map { .revoke(device: $0.0, by: $0.1, wipe: wipe) }
            case .copyAuthority(let by): one(by).map { .copyAuthority(by: $0) }
            case .openOffice(let at): one(at).map { .openOffice(at: $0) }
            case .enrol(let device, let by, let isSecret):
                pair(device, by).map { .enrol(device: $0.0, by: $0.1, isSecret: isSecret) }
            case .revokeAuthority(let since, let by): pair(since, by).map { .revokeAuthority(since: $0.0, by: $0.1) }
            case .checkpoint(let by): one(by).map { .checkpoint(by: $0) }
            case .newEpoch(let by): one(by).map { .newEpoch(by: $0) }
            case .newKeys(let by): one(by).map { .newKeys(by: $0) }
            case .recoverFork(let by): one(by).map { .recoverFork(by: $0) }
            case .clockJump(let hosts, let by): these(hosts).map { .clockJump($0, by: by) }
            case .clockDrift(let hosts, let ppm): these(hosts).map { .clockDrift($0, ppm: ppm) }
            case .sneakernet(let from, let to, let capacity, let travel, let damage):
                pair(from, to).map {
                    .sneakernet(from: $0.0, to: $0.1, capacity: capacity, travel: travel, damage: damage)
                }
            case .diskFull(let hosts): these(hosts).map { .diskFull($0) }
            case .byzantine(let hosts, let behaviours): these(hosts).map { .byzantine($0, behaviours) }
            }
        guard let moved else { return nil }
        var deed = self
        deed.act = moved
        return deed
    }
}
