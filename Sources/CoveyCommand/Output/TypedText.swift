import CoveyNode

/// Somebody's name, or a path, in a command that is shown to be typed.
extension String {
    /// As a shell takes it for one word.
    var word: String { AdvisedCommand.word(self) }

    /// A name for a file in this directory, of a label: letters, digits, `-`, `.` and `_`, and no option of any command.
    var fileName: String {
        let kept = map { character in
            character.isLetter || character.isNumber || "-._".contains(character) ? character : "-"
        }
        let name = String(kept.drop { "-.".contains($0) })
        return name.isEmpty ? "device" : name
    }
}
