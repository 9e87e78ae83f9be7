import CoveyCore
import CoveyCrypto

extension KeysetShape {
    /// Whether its keys are handed out one by one. Keys of which two groups could sign apart stay together.
    var isShared: Bool { count > 1 && isMajority }
}

extension AuthorityKeys {
    var shape: KeysetShape { KeysetShape(current.threshold, of: current.keyset.keys.count) }
    /// Whether they are handed out one by one.
    var isShared: Bool { shape.isShared }
}

extension SigningKeyset {
    init(_ shape: KeysetShape, random: any RandomSource) {
        self.init(count: shape.count, threshold: shape.threshold, random: random)
    }
}

/// What is left to do with keys that were made together and are for several officers.
enum HandOut {
    static func text(_ directory: String) -> String {
        """
        the keys in \(directory)/cold are for one officer each: hand them out with copies of mesh and log, then
        at each officer: covey authority open KEYFILE --from FOLDER --authority DIR
        """
    }
}

/// How many keys each keyset of a new mesh has, and how many of them must sign.
struct FoundingKeys {
    var root = KeysetShape.single
    var field = KeysetShape.single
    /// Nil: like the root's.
    var recovery: KeysetShape?
    var release: KeysetShape?

    /// As it was typed: "2of3".
    static func shape(_ text: String, _ option: String, mayBeKeptTogether: Bool = false) throws -> KeysetShape {
        let parts = text.split(separator: "of", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let threshold = parts[0], let count = parts[1], (1...Keyset.mostKeys).contains(count),
            (1...count).contains(threshold)
        else {
            throw Complaint(
                .usage,
                "\(option) is \"\(text)\"; it takes how many of how many keys must sign, as 2of3, at most 7 keys")
        }
        let shape = KeysetShape(threshold, of: count)
        guard mayBeKeptTogether || count == 1 || shape.isMajority else {
            throw Complaint(
                .usage,
                "\(option) is \"\(text)\": two groups of officers could each sign a history of their own; take \(count / 2 + 1)of\(count)"
            )
        }
        return shape
    }
}
