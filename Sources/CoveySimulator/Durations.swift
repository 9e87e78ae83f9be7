extension Duration {
    /// Sixty seconds each.
    public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }

    /// Sixty minutes each.
    public static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }

    /// Twenty-four hours each.
    public static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }

    /// Whole microseconds, rounded down; nothing is before the world began.
    package var simulated: UInt64 {
        let (seconds, attoseconds) = components
        precondition(seconds >= 0 && attoseconds >= 0, "time goes forward")
        return UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
    }

    /// The same, either way.
    package var signedMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    package init(simulated microseconds: UInt64) { self = .microseconds(Int64(clamping: microseconds)) }
}
