/// What runs scenarios, as results name it.
package enum Build {
    /// The version of CHANGELOG.md that is being made.
    package static let version = "0.1.0"

    /// `0.1.0 release`: which version, and compiled how.
    package static let name = version + (isChecked ? " debug" : " release")

    private static var isChecked: Bool {
        var isChecked = false
        // An assertion is looked at in debug builds alone.
        assert(isOn(&isChecked))
        return isChecked
    }

    private static func isOn(_ flag: inout Bool) -> Bool {
        flag = true
        return true
    }
}
