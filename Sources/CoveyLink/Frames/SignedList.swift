package import CoveyCore

/// A frame that is a list of signed objects, at least one: `n × (len u16 | Signed)`. Nothing in it is verified yet.
package protocol SignedList: FrameBody, Equatable {
    var items: [Signed] { get }
    init(_ items: [Signed])
}

extension SignedList {
    private static var itemHead: Int { 2 }

    package init(parsing body: RawSpan) throws(Malformed) {
        var reader = ByteReader(body)
        guard !reader.isAtEnd else { throw .truncated }
        var items: [Signed] = []
        while !reader.isAtEnd {
            let size = Int(try reader.u16())
            items.append(try Signed(parsing: try reader.bytes(size)))
        }
        self.init(items)
    }

    package func encode(to out: inout [UInt8]) {
        precondition(!items.isEmpty, "a list has an item")
        for item in items {
            out.append(u16: UInt16(item.bytes.count))
            out += item.bytes
        }
    }

    /// Whether an object can travel at all.
    package static func carries(_ item: Signed) -> Bool { item.bytes.count + itemHead <= LinkBounds.frameBody }

    /// The same items in as many frames as they need, each in order.
    func split() -> [Self] {
        var frames: [Self] = []
        var batch: [Signed] = []
        var size = 0
        for item in items {
            precondition(Self.carries(item), "an object fits one frame")
            let more = item.bytes.count + Self.itemHead
            if size + more > LinkBounds.frameBody {
                frames.append(Self(batch))
                batch = []
                size = 0
            }
            batch.append(item)
            size += more
        }
        if !batch.isEmpty { frames.append(Self(batch)) }
        return frames
    }
}

extension FrameSender {
    /// Sends all items, in several frames when one does not hold them; nothing when there are none.
    package mutating func append(all list: some SignedList) {
        for frame in list.split() { append(frame) }
    }
}
