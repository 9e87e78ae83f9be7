import CQREncode
import CoveyCrypto

/// A code as it is seen: a square of dark and light modules, without the quiet zone around it.
package struct CodeMatrix: Equatable, Sendable {
    /// Modules of white that the standard wants on each side.
    package static let quietZone = 4

    /// Modules of one side.
    package let size: Int
    /// Row by row.
    private let dark: [Bool]

    /// Draws text of the alphanumeric alphabet, in a code of at least this version.
    package init(text: [UInt8], level: CodeShape.Level, version: Int = 1) {
        let correction =
            switch level {
            case .low: QR_ECLEVEL_L
            case .medium: QR_ECLEVEL_M
            }
        guard let input = QRinput_new2(Int32(version), correction) else {
            preconditionFailure("the encoder knows the version and has memory")
        }
        defer { QRinput_free(input) }
        guard QRinput_append(input, QR_MODE_AN, Int32(text.count), text) == 0, let code = QRcode_encodeInput(input)
        else { preconditionFailure("the text is of the alphanumeric alphabet and fits a code") }
        defer { QRcode_free(code) }
        size = Int(code.pointee.width)
        // The lowest bit is the colour; the others say what the module is for.
        dark = (0..<size * size).map { code.pointee.data[$0] & 1 == 1 }
    }

    /// What the codes of one object look like, all of one size.
    package static func matrices(of parts: [CodePart], level: CodeShape.Level) -> [CodeMatrix] {
        var version = 1
        return parts.map { part in
            var text = part.text
            defer { text.wipe() }
            let matrix = CodeMatrix(text: text, level: level, version: version)
            // The first piece is the longest.
            version = (matrix.size - 17) / 4
            return matrix
        }
    }

    /// Light outside of the code.
    package func isDark(_ column: Int, _ row: Int) -> Bool {
        guard column >= 0, row >= 0, column < size, row < size else { return false }
        return dark[row * size + column]
    }
}
