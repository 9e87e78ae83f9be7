/// When during a day something goes on.
package struct DailyHours: Hashable, Sendable {
    /// µs.
    package static let day: UInt64 = 86_400_000_000

    /// µs of the day, disjoint, by ascending time.
    private let windows: [Range<UInt64>]
    /// The time of day at which the world begins, µs.
    private let begins: UInt64

    package static let always = DailyHours([0..<day])

    /// - Parameters:
    ///   - windows: µs of the day. One whose end is not after its beginning goes on past midnight.
    ///   - begins: the time of day at which the world begins, µs.
    package init(_ windows: [Range<UInt64>], begins: UInt64 = 0) {
        precondition(begins < Self.day, "a world begins at a time of day")
        precondition(
            !windows.isEmpty && windows.allSatisfy { !$0.isEmpty && $0.upperBound <= Self.day }, "hours of one day")
        self.windows = windows.sorted { $0.lowerBound < $1.lowerBound }
        for (one, two) in zip(self.windows, self.windows.dropFirst()) {
            precondition(one.upperBound <= two.lowerBound, "hours do not overlap")
        }
        self.begins = begins
    }

    /// From one time of day to another, past midnight if the second is not after the first.
    package init(from start: UInt64, to end: UInt64, begins: UInt64 = 0) {
        precondition(start < Self.day && end <= Self.day, "times of day")
        if start < end {
            self.init([start..<end], begins: begins)
        } else {
            self.init([0..<end, start..<Self.day].filter { !$0.isEmpty }, begins: begins)
        }
    }

    /// Of a day, µs.
    package var length: UInt64 { windows.reduce(0) { $0 + UInt64($1.count) } }

    /// The instant before which it has gone on for `open` µs since the world began.
    func time(open: UInt64) -> UInt64 {
        var before: UInt64 = 0
        for window in windows {
            before += min(max(begins, window.lowerBound), window.upperBound) - window.lowerBound
        }
        let total = open + before
        var rest = total % length
        for window in windows {
            let count = window.upperBound - window.lowerBound
            if rest < count { return total / length * Self.day + window.lowerBound + rest - begins }
            rest -= count
        }
        preconditionFailure("what is less than the whole falls into a part")
    }

    /// When it next ends, for an instant at which it goes on; `UInt64.max` when it always goes on.
    func closing(after time: UInt64) -> UInt64 {
        if length == Self.day { return .max }
        let midnight = (time + begins) / Self.day * Self.day
        let clock = time + begins - midnight
        guard let place = windows.firstIndex(where: { $0.contains(clock) }) else { return time }
        var end = windows[place].upperBound
        // Windows that touch are one, over midnight too; somewhere there is a gap.
        var next = place + 1
        var days: UInt64 = 0
        while true {
            if next == windows.count {
                guard end == Self.day else { break }
                next = 0
                days += Self.day
                end = 0
            }
            guard windows[next].lowerBound == end else { break }
            end = windows[next].upperBound
            next += 1
        }
        return midnight + days + end - begins
    }
}
