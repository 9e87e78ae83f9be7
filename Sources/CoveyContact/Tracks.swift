/// Somebody whose hosts have places: a report asks it where they are.
package protocol Moving {
    /// Metres, or nil for a host that has no place here. Cheapest by ascending times.
    mutating func position(of host: UInt32, at time: UInt64) -> (x: Double, y: Double)?
}

/// Groups of hosts that move on one ground, each group by its own motion.
package struct Tracks: Sendable {
    package struct Group: Sendable {
        package var motion: Motion
        /// As the world numbers them.
        package var hosts: [UInt32]
        /// How far a host's radio reaches, metres.
        package var range: Double
        /// Over which kind of link, as in `ContactChange`.
        package var link: UInt16

        package init(_ motion: Motion, hosts: [UInt32], range: Double, link: UInt16 = 0) {
            precondition(range > 0, "a radio reaches some way")
            self.link = link
            self.motion = motion
            self.hosts = hosts
            self.range = range
        }
    }

    package let ground: Ground
    package let groups: [Group]
    /// Hosts in all groups. Here they are numbered from 0, group after group.
    package let count: Int
    /// The world's number of each.
    let hosts: [UInt32]
    /// The group of each.
    let groupOf: [UInt16]
    /// The number of the first of each group.
    private let firstOf: [UInt32]
    private let dice: Dice
    private(set) var legs: [Leg] = []
    /// Which leg of its way each host is on.
    private(set) var numbers: [UInt32]

    package init(ground: Ground, groups: [Group], dice: Dice) {
        precondition(groups.count <= 1 << 16, "groups are numbered in 16 bits")
        self.ground = ground
        self.groups = groups
        self.dice = dice
        var hosts: [UInt32] = []
        var groupOf: [UInt16] = []
        var firstOf: [UInt32] = []
        for (index, group) in groups.enumerated() {
            firstOf.append(UInt32(hosts.count))
            hosts += group.hosts
            groupOf += repeatElement(UInt16(index), count: group.hosts.count)
        }
        count = hosts.count
        self.hosts = hosts
        self.groupOf = groupOf
        self.firstOf = firstOf
        numbers = Array(repeating: 0, count: count)
        legs.reserveCapacity(count)
        for index in 0..<count { legs.append(firstLeg(of: index)) }
    }

    /// The host goes on to its next leg.
    mutating func advance(_ index: Int) {
        let group = Int(groupOf[index])
        numbers[index] += 1
        var dice = dice(for: index)
        legs[index] = groups[group].motion.leg(
            after: legs[index], number: numbers[index], of: UInt32(index) - firstOf[group], &dice)
    }

    /// Where the host numbered `index` here is. What lies before its present leg is walked again from the beginning.
    mutating func position(index: Int, at time: UInt64) -> (x: Double, y: Double) {
        if time < legs[index].start {
            numbers[index] = 0
            legs[index] = firstLeg(of: index)
        }
        while time >= legs[index].until { advance(index) }
        return legs[index].position(at: time)
    }

    private func firstLeg(of index: Int) -> Leg {
        let group = Int(groupOf[index])
        var dice = dice(for: index)
        return groups[group].motion.firstLeg(of: UInt32(index) - firstOf[group], &dice)
    }

    /// Dice for one leg of one host.
    private func dice(for index: Int) -> Dice {
        dice.stream("legs", UInt64(hosts[index]) << 32 | UInt64(numbers[index]))
    }
}

extension Tracks: Moving {
    package mutating func position(of host: UInt32, at time: UInt64) -> (x: Double, y: Double)? {
        for (group, first) in zip(groups, firstOf) {
            guard let lowest = group.hosts.first, let highest = group.hosts.last else { continue }
            // A group is mostly a run of numbers.
            let guess = Int(host) - Int(lowest)
            if group.hosts.indices.contains(guess), group.hosts[guess] == host {
                return position(index: Int(first) + guess, at: time)
            }
            if Int(highest) - Int(lowest) == group.hosts.count - 1 { continue }
            if let place = group.hosts.firstIndex(of: host) { return position(index: Int(first) + place, at: time) }
        }
        return nil
    }
}
