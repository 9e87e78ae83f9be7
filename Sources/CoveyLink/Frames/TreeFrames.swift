package import CoveyCore
package import CoveyCrypto

// The tree along which live mail goes (sync-routing.md §2.4).

extension Frame {
    /// IHAVE (30): mail that came in lately and is not sent unasked on this link.
    ///
    ///     n × (id8 | classSize u8 = kind 3 bits, priority 2, bucket 3 | slotDelta u16 = T0 - slot + 16, hours)
    package struct IHave: FrameBody, Equatable {
        package struct Row: Sendable, Equatable {
            package let id: Octets8
            package let kind: EnvelopeKind
            package let priority: Priority
            package let bucket: Bucket
            package let slotDelta: UInt16

            /// - Parameter origin: T0, the hour of the earlier clock.
            package init(id: Octets8, header: EnvelopeHeader, origin: Hour) {
                self.id = id
                kind = header.kind
                priority = header.priority
                bucket = header.bucket
                slotDelta = UInt16(clamping: Int64(origin.value) - Int64(header.slot.value) + 16)
            }

            fileprivate init(from reader: inout ByteReader) throws(Malformed) {
                id = try reader.octets(Octets8.self)
                let bits = try reader.u8()
                guard let kind = EnvelopeKind(rawValue: bits >> 5), let priority = Priority(rawValue: bits >> 3 & 3),
                    let bucket = Bucket(rawValue: bits & 7)
                else { throw .value(bits) }
                self.kind = kind
                self.priority = priority
                self.bucket = bucket
                slotDelta = try reader.u16()
            }

            fileprivate var classSize: UInt8 { kind.rawValue << 5 | priority.rawValue << 3 | bucket.rawValue }
        }

        package static let type = FrameType.iHave
        private static let rowSize = 11
        package static let mostRows = LinkBounds.frameBody / rowSize
        package let rows: [Row]

        package init(_ rows: [Row]) {
            precondition((1...Self.mostRows).contains(rows.count), "the rows fit one frame, and there are some")
            self.rows = rows
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            rows = try reader.rows(of: Self.rowSize, most: Self.mostRows) { reader throws(Malformed) in
                try Row(from: &reader)
            }
        }

        package func encode(to out: inout [UInt8]) {
            for row in rows {
                out.append(row.id)
                out.append(row.classSize)
                out.append(u16: row.slotDelta)
            }
        }
    }

    /// GRAFT (31): announced mail that did not come another way. From now on mail goes on this link at once.
    package struct Graft: ShortIDList {
        package static let type = FrameType.graft
        package let ids: [Octets8]
        package init(_ ids: [Octets8]) { self.ids = ids }
    }

    /// PRUNE (32), no body: what came on this link had come another way. From now on mail is announced on it.
    package struct Prune: FrameBody, Equatable {
        package static let type = FrameType.prune

        package init() {}

        package init(parsing body: RawSpan) throws(Malformed) {
            guard body.byteCount == 0 else { throw .trailing }
        }

        package func encode(to out: inout [UInt8]) {}
    }
}
