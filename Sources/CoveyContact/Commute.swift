/// People who live, ride and work together: three circles of acquaintance each, at three times of the day.
///
/// Each has a home, a work and a train, drawn. From the evening ride to the morning one it meets who is at its home, for
/// the rides who is on its train, and in between who is at its work.
package struct Commute: ContactSource {
    package struct Parameters: Sendable {
        package var people: [UInt32]
        package var homes: Int
        package var works: Int
        package var trains: Int
        /// When trains leave, µs of the day.
        package var morning: UInt64
        package var evening: UInt64
        /// On a train, µs.
        package var ride: UInt64
        /// Meetings of one person in an hour at home, at work and on a train.
        package var meetsAtHome: Double
        package var meetsAtWork: Double
        package var meetsOnTrain: Double
        /// How long a contact is on average, µs.
        package var contact: UInt64
        /// The time of day at which the world begins, µs.
        package var begins: UInt64
        package var link: UInt16
        /// µs.
        package var until: UInt64

        package init(
            people: [UInt32], homes: Int, works: Int, trains: Int, morning: UInt64, evening: UInt64,
            ride: UInt64 = Commute.usualRide, meetsAtHome: Double = 1, meetsAtWork: Double = 2,
            meetsOnTrain: Double = 12, contact: UInt64 = 120_000_000, begins: UInt64 = 0, link: UInt16 = 0,
            until: UInt64
        ) {
            precondition(homes > 0 && works > 0 && trains > 0, "who commutes has a home, a work and a train")
            precondition(
                morning + ride < evening && evening + ride <= DailyHours.day, "both rides are over within their day")
            self.people = people
            self.homes = homes
            self.works = works
            self.trains = trains
            self.morning = morning
            self.evening = evening
            self.ride = ride
            self.meetsAtHome = meetsAtHome
            self.meetsAtWork = meetsAtWork
            self.meetsOnTrain = meetsOnTrain
            self.contact = contact
            self.begins = begins
            self.link = link
            self.until = until
        }
    }

    /// On a train, µs.
    package static let usualRide: UInt64 = 2_400_000_000

    private var circles: MergedContacts

    package init(_ parameters: Parameters, dice: Dice) {
        var draw = dice.stream("commute")
        let rides = [
            parameters.morning..<parameters.morning + parameters.ride,
            parameters.evening..<parameters.evening + parameters.ride,
        ]
        let home = DailyHours(
            from: rides[1].upperBound % DailyHours.day, to: parameters.morning, begins: parameters.begins)
        let work = DailyHours([rides[0].upperBound..<parameters.evening], begins: parameters.begins)
        let train = DailyHours(rides, begins: parameters.begins)
        var sources: [any ContactSource] = []
        for (count, meets, hours) in [
            (parameters.homes, parameters.meetsAtHome, home), (parameters.works, parameters.meetsAtWork, work),
            (parameters.trains, parameters.meetsOnTrain, train),
        ] {
            var members = [[UInt32]](repeating: [], count: count)
            for person in parameters.people { members[draw.below(count)].append(person) }
            for members in members where members.count > 1 && meets > 0 {
                let circle = Community.Parameters(
                    members: members, meets: meets, contact: parameters.contact, hours: hours, link: parameters.link,
                    until: parameters.until)
                sources.append(Community(circle, dice: dice.stream("circle", UInt64(sources.count))))
            }
        }
        circles = MergedContacts(sources)
    }

    package mutating func next() -> ContactChange? { circles.next() }
}
