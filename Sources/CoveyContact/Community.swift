/// Members of one place that meet two by two at random: any two as likely as any other two, at any time (Poisson).
package struct Community: ContactSource, Sendable {
    package enum Length: Sendable {
        /// Each contact is as long as the mean.
        case fixed
        /// Exponential about the mean: many short ones and few long ones.
        case drawn
    }

    package struct Parameters: Sendable {
        package var members: [UInt32]
        /// Meetings of one member in an hour.
        package var meets: Double
        /// How long a contact is on average, µs.
        package var contact: UInt64
        package var length: Length
        /// Nobody meets at other times; contacts end when the hours do.
        package var hours: DailyHours
        package var link: UInt16
        /// No contact begins after this, µs.
        package var until: UInt64

        package init(
            members: [UInt32], meets: Double, contact: UInt64, length: Length = .drawn, hours: DailyHours = .always,
            link: UInt16 = 0, until: UInt64
        ) {
            precondition(meets > 0 && contact > 0, "a community meets")
            self.members = members
            self.meets = meets
            self.contact = contact
            self.length = length
            self.hours = hours
            self.link = link
            self.until = until
        }
    }

    private struct End: Sendable, BitwiseCopyable {
        var a: UInt32
        var b: UInt32
    }

    private let parameters: Parameters
    private var dice: Dice
    /// Between two meetings of anybody, µs.
    private let pace: Double
    /// µs of its hours that went by up to the next meeting.
    private var open: Double = 0
    private var meeting: UInt64?
    private var ends = EventWheel<End>()
    /// When those who are together part, by pair; only ever asked for one pair.
    private var together: [UInt64: UInt64] = [:]

    package init(_ parameters: Parameters, dice: Dice) {
        self.parameters = parameters
        self.dice = dice
        pace = 3_600_000_000 / (parameters.meets * Double(parameters.members.count) / 2)
        plan()
    }

    package mutating func next() -> ContactChange? {
        while true {
            // Ends are whole ticks of the wheel, never before their time.
            if let end = ends.nextTime, end <= meeting ?? .max {
                guard let (time, pair) = ends.pop() else { return nil }
                let key = UInt64(pair.a) << 32 | UInt64(pair.b)
                // They met again before they parted.
                if let later = together[key], later > time { continue }
                guard together.removeValue(forKey: key) != nil else { continue }
                return ContactChange(time: time, a: pair.a, b: pair.b, link: parameters.link, isUp: false)
            }
            guard let time = meeting else { return nil }
            let pair = draw()
            let mean = Double(parameters.contact)
            let length: Double =
                switch parameters.length {
                case .fixed: mean
                case .drawn: mean * dice.exponential()
                }
            let end = min(time + max(1, UInt64(length)), parameters.hours.closing(after: time))
            plan()
            let key = UInt64(pair.a) << 32 | UInt64(pair.b)
            let known = together[key]
            if end > known ?? 0 {
                together[key] = end
                ends.push(at: end, pair)
            }
            if known == nil {
                return ContactChange(time: time, a: pair.a, b: pair.b, link: parameters.link, isUp: true)
            }
        }
    }

    private mutating func plan() {
        meeting = nil
        guard parameters.members.count > 1 else { return }
        open += pace * dice.exponential()
        guard open < Double(parameters.until) else { return }
        let time = parameters.hours.time(open: UInt64(open))
        if time <= parameters.until { meeting = time }
    }

    private mutating func draw() -> End {
        let one = dice.below(parameters.members.count)
        let other = dice.below(parameters.members.count - 1)
        let a = parameters.members[one]
        let b = parameters.members[other < one ? other : other + 1]
        return End(a: min(a, b), b: max(a, b))
    }
}
