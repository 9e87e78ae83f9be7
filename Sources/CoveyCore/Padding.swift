/// ISO/IEC 7816-4 padding inside an AEAD: the message, 0x80, zeroes to the end (protocol.md §3.1).
///
///     message | 80 | 00*
package enum Padding {
    package enum Failure: Error, Equatable, Sendable {
        /// No 0x80 before the zeroes at the end.
        case missing
    }

    /// Fills `message` up to `size` bytes. It must be shorter: the mark takes one byte.
    package static func pad(_ message: inout [UInt8], to size: Int) {
        precondition(message.count < size, "a message leaves room for its padding mark")
        message.reserveCapacity(size)
        message.append(0x80)
        message.append(contentsOf: repeatElement(0, count: size - message.count))
    }

    /// Takes the padding off.
    package static func unpad(_ padded: inout [UInt8]) throws(Failure) {
        guard let mark = padded.lastIndex(where: { $0 != 0 }), padded[mark] == 0x80 else { throw .missing }
        padded.removeLast(padded.count - mark)
    }
}
