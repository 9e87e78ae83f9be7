/// Writes contacts as The ONE reads them, `time CONN a b up|down` with tabs in between, piece by piece.
package struct OneEventsWriter {
    /// Bytes after which a piece is handed on.
    private static let piece = 1 << 16

    private var bytes: [UInt8] = []
    private let sink: ([UInt8]) throws -> Void

    /// - Parameter sink: takes the next bytes of the file.
    package init(to sink: @escaping ([UInt8]) throws -> Void) { self.sink = sink }

    /// Kinds of link are not written: The ONE knows one interface to a file.
    /// - Returns: how many lines there are.
    @discardableResult
    package mutating func write(_ source: some ContactSource) throws -> Int {
        var source = source
        var lines = 0
        while let change = source.next() {
            lines += 1
            bytes += Self.seconds(change.time).utf8
            bytes += "\tCONN\t\(change.a)\t\(change.b)\t".utf8
            bytes += (change.isUp ? "up\n" : "down\n").utf8
            if bytes.count >= Self.piece { try flush() }
        }
        try flush()
        return lines
    }

    private mutating func flush() throws {
        guard !bytes.isEmpty else { return }
        try sink(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// As few digits as say it exactly.
    static func seconds(_ time: UInt64) -> String {
        let whole = String(time / 1_000_000)
        if time % 1_000_000 == 0 { return whole }
        var fraction = String(time % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return whole + "." + fraction
    }
}
