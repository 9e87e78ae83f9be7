import CoveyCrypto

/// Gives recorded values in the order in which they are drawn. A draw of another length, or one too many, is a fault of
/// the test.
final class ScriptedRandom: RandomSource {
    private var script: [[UInt8]]

    init(_ script: [[UInt8]] = []) { self.script = script.reversed() }

    var isSpent: Bool { script.isEmpty }

    func append(_ values: [[UInt8]]) { script.insert(contentsOf: values.reversed(), at: 0) }

    func fill(_ bytes: inout MutableRawSpan) {
        guard let next = script.popLast() else { fatalError("the script is spent") }
        precondition(next.count == bytes.byteCount, "the draw has the length of the script's value")
        bytes.withUnsafeMutableBytes { $0.copyBytes(from: next) }
    }

    /// The draw that makes `uniform` of a power of two give `value`.
    static func word(_ value: UInt8) -> [UInt8] { [value] + [UInt8](repeating: 0, count: 7) }
}
