/// The hosts of a scenario by number, name, group and zone.
package struct Cast: Sendable {
    package struct Member: Hashable, Sendable {
        package var group: Int
        package var index: Int
        /// Zones are numbered from 0.
        package var zone: Int
    }

    package let groups: [HostGroup]
    package let members: [Member]
    package let zones: [String]
    /// Hosts of each group.
    package let ranges: [Range<UInt32>]
    private let groupNumbers: [String: Int]
    private let byZone: [[UInt32]]

    package init(_ scenario: Scenario) {
        groups = scenario.groups
        var members: [Member] = []
        var ranges: [Range<UInt32>] = []
        var numbers: [String: Int] = [:]
        var zones: [String] = []
        var zoneNumbers: [String: Int] = [:]
        func zone(_ name: String) -> Int {
            if let known = zoneNumbers[name] { return known }
            zones.append(name)
            zoneNumbers[name] = zones.count - 1
            return zones.count - 1
        }
        for (number, group) in scenario.groups.enumerated() {
            numbers[group.name] = number
            let first = UInt32(members.count)
            let homes = Self.homes(of: group, in: scenario)
            for index in 0..<group.count {
                let name = group.routingGroup ?? group.name
                let full = homes.map { "\(name)\(index % $0)" } ?? name
                members.append(Member(group: number, index: index, zone: zone(full)))
            }
            ranges.append(first..<UInt32(members.count))
        }
        var byZone = [[UInt32]](repeating: [], count: zones.count)
        for (host, member) in members.enumerated() { byZone[member.zone].append(UInt32(host)) }
        self.members = members
        self.ranges = ranges
        self.zones = zones
        self.byZone = byZone
        groupNumbers = numbers
    }

    /// Commuters whose zone is `home` have one a home.
    private static func homes(of group: HostGroup, in scenario: Scenario) -> Int? {
        guard group.routingGroup == "home" else { return nil }
        for layer in scenario.topology {
            if case .commute(let of, let commute) = layer.shape, of.contains(.group(group.name)) || of == [.everyone] {
                return commute.homes
            }
        }
        return nil
    }

    package var count: Int { members.count }

    package func name(_ host: UInt32) -> String {
        let member = members[Int(host)]
        return "\(groups[member.group].name).\(member.index)"
    }

    package func term(_ host: UInt32) -> Term {
        let member = members[Int(host)]
        return .host(group: groups[member.group].name, index: member.index)
    }

    package func group(_ host: UInt32) -> HostGroup { groups[members[Int(host)].group] }

    package func zone(_ host: UInt32) -> [UInt32] { byZone[members[Int(host)].zone] }

    package func hosts(ofGroup name: String) -> Range<UInt32> {
        guard let number = groupNumbers[name] else { preconditionFailure("the reader checked the names of groups") }
        return ranges[number]
    }

    /// In ascending order, each once.
    package func hosts(_ terms: [Term]) -> [UInt32] {
        if terms == [.everyone] { return Array(0..<UInt32(count)) }
        var all: [UInt32] = []
        for term in terms {
            switch term {
            case .everyone: return Array(0..<UInt32(count))
            case .group(let name): all += hosts(ofGroup: name)
            case .host(let group, let index): all.append(hosts(ofGroup: group).lowerBound + UInt32(index))
            }
        }
        all.sort()
        return all.enumerated().compactMap { $0.offset > 0 && all[$0.offset - 1] == $0.element ? nil : $0.element }
    }

    package func host(_ term: Term) -> UInt32 { hosts([term])[0] }

    /// As few names as say it: whole groups by theirs. `hosts` is ascending.
    package func terms(_ hosts: [UInt32]) -> [Term] {
        if hosts.count == count { return [.everyone] }
        var terms: [Term] = []
        var at = 0
        while at < hosts.count {
            let member = members[Int(hosts[at])]
            let range = ranges[member.group]
            if hosts[at] == range.lowerBound, at + range.count <= hosts.count,
                hosts[at + range.count - 1] == range.upperBound - 1
            {
                terms.append(.group(groups[member.group].name))
                at += range.count
            } else {
                terms.append(.host(group: groups[member.group].name, index: member.index))
                at += 1
            }
        }
        return terms
    }
}
