import CoveyCore

/// A name or label as it was typed, in the form that may be signed.
enum CanonicalName {
    static func of(_ text: String, _ what: String, most: Int) throws -> String {
        guard let name = CanonicalText.normalised(text), (1...most).contains(name.utf8.count) else {
            throw Complaint(.usage, "\(what) has 1 to \(most) bytes of text without control characters; choose another")
        }
        return name
    }
}
