package import CoveyCore
package import CoveyCrypto

extension Frame {
    /// What stands before the bytes of a DATA frame.
    ///
    ///     tokens u8 | hops u8 | flags u8 | [device_id8[8] | sig[64]] | env_id[32] | total varint | offset varint | bytes
    ///
    /// Flags bit 0: the origin follows; other bits are 0.
    package struct DataHeader: Sendable, Equatable {
        /// Whoever first sent the envelope, where the mesh's policy wants it open (protocol.md §3.6).
        package struct Origin: Sendable, Equatable {
            package let device: Octets8
            package let signature: Signature

            package init(device: Octets8, signature: Signature) {
                self.device = device
                self.signature = signature
            }
        }

        /// Floods.
        package static let floodTokens: UInt8 = 255
        package static let mostTokens: UInt8 = 64
        package static let mostHops: UInt8 = 32
        /// The largest bucket (protocol.md §3.1).
        package static let mostTotal = 16_384
        private static let originFlag: UInt8 = 1

        package let tokens: UInt8
        package let hops: UInt8
        package let origin: Origin?
        package let id: EnvelopeID
        /// Bytes of the whole envelope.
        package let total: Int
        /// Where in it the bytes begin.
        package let offset: Int

        package init(
            id: EnvelopeID, tokens: UInt8, hops: UInt8, total: Int, offset: Int = 0, origin: Origin? = nil
        ) {
            precondition((1...Self.mostTotal).contains(total), "an envelope has 1 to 16384 bytes")
            precondition((0...total).contains(offset), "a piece begins inside its envelope")
            precondition(hops <= Self.mostHops, "an envelope goes at most 32 hops")
            self.id = id
            self.tokens = tokens
            self.hops = hops
            self.total = total
            self.offset = offset
            self.origin = origin
        }

        var encodedCount: Int {
            3 + (origin == nil ? 0 : 72) + EnvelopeID.byteCount + Varint.byteCount(UInt64(total))
                + Varint.byteCount(UInt64(offset))
        }

        func encode(to out: inout [UInt8]) {
            out.append(tokens)
            out.append(hops)
            out.append(origin == nil ? 0 : Self.originFlag)
            if let origin {
                out.append(origin.device)
                out.append(origin.signature)
            }
            out.append(id)
            out.append(varint: UInt64(total))
            out.append(varint: UInt64(offset))
        }

        @_lifetime(reader: copy reader)
        init(from reader: inout ByteReader) throws(Malformed) {
            let tokens = try reader.u8()
            // 65–254 are nobody's to give: clamped, not refused.
            self.tokens = tokens == Self.floodTokens ? tokens : min(tokens, Self.mostTokens)
            hops = try reader.u8()
            guard hops <= Self.mostHops else { throw .value(hops) }
            let flags = try reader.u8()
            guard flags & ~Self.originFlag == 0 else { throw .value(flags) }
            if flags & Self.originFlag != 0 {
                let device = try reader.octets(Octets8.self)
                origin = Origin(device: device, signature: try reader.octets())
            } else {
                origin = nil
            }
            id = try reader.octets()
            let total = try reader.varint()
            let offset = try reader.varint()
            guard total >= 1, total <= UInt64(Self.mostTotal), offset < total else { throw .oversized }
            self.total = Int(total)
            self.offset = Int(offset)
        }
    }

    /// DATA (40): one piece of an envelope, or the whole of it. The bytes are a view into the link's buffer.
    package struct Data: ~Escapable {
        package let header: DataHeader
        package let bytes: RawSpan

        @_lifetime(copy body)
        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            header = try DataHeader(from: &reader)
            let bytes = reader.takeRest()
            guard !bytes.isEmpty else { throw .truncated }
            guard bytes.byteCount <= header.total - header.offset else { throw .oversized }
            self.bytes = bytes
        }

        package var isWhole: Bool { header.offset == 0 && bytes.byteCount == header.total }
    }
}
