extension BinaryInteger {
    /// With the noun that it counts: `1 entry`, `2 entries`.
    package func counting(_ one: String, _ many: String) -> String { "\(self) \(self == 1 ? one : many)" }
}

extension Int {
    /// So many minutes: cut off to hours from two hours on, and to days from two days on.
    package var inWordsOfTime: String {
        switch self {
        case ..<120: counting("minute", "minutes")
        case ..<2_880: "\(self / 60) hours"
        default: "\(self / 1_440) days"
        }
    }
}
