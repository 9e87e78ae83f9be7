/// How large a code may be, and how much of it may be spoilt before it cannot be read.
package struct CodeShape: Equatable, Sendable {
    /// Levels of error correction (ISO/IEC 18004): a screen spoils nothing, paper is folded and smeared.
    package enum Level: Sendable { case low, medium }

    /// 1 to 20: the side has 17 + 4 × version modules.
    package let version: Int
    package let level: Level

    package init(version: Int, level: Level) {
        precondition((1...CodeBounds.version).contains(version), "a code of ours has version 1 to 20")
        self.version = version
        self.level = level
    }

    /// The largest shape whose drawing has room in so many columns and lines of a terminal; nil when none has.
    package init?(columns: Int, lines: Int, level: Level) {
        let fitting = (CodeBounds.smallestVersion...CodeBounds.version).last { version in
            let size = TerminalDrawing.size(modules: 17 + 4 * version)
            return size.columns <= columns && size.lines <= lines
        }
        guard let fitting else { return nil }
        self.init(version: fitting, level: level)
    }

    package var modules: Int { 17 + 4 * version }

    /// Characters of the alphanumeric mode.
    var characters: Int {
        switch level {
        case .low: Self.low[version - 1]
        case .medium: Self.medium[version - 1]
        }
    }

    // ISO/IEC 18004, table 7. The tests ask the encoder for each of them.
    private static let low = [
        25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153, 1249,
    ]
    private static let medium = [
        20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656, 734, 816, 909, 970,
    ]
}
