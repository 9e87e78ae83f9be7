package import CoveyCore
package import CoveyCrypto

extension Frame {
    /// DATA_ACK (41): `n × (id8 | status u8)`.
    package struct DataAck: FrameBody, Equatable {
        package enum Status: UInt8, Sendable, CaseIterable {
            /// Durable here.
            case stored = 0
            /// Durable, and held until expiry or purge.
            case storedCustody = 1
            case duplicate = 2
            case quota = 3
            case policy = 4
            case expired = 5
            case badSignature = 6
            case revoked = 7
            case tooBig = 8
        }

        package struct Row: Sendable, Equatable {
            package let id: Octets8
            package let status: Status

            package init(id: Octets8, status: Status) {
                self.id = id
                self.status = status
            }
        }

        package static let type = FrameType.dataAck
        private static let rowSize = 9
        package static let mostRows = LinkBounds.frameBody / rowSize
        package let rows: [Row]

        package init(_ rows: [Row]) {
            precondition((1...Self.mostRows).contains(rows.count), "the rows fit one frame, and there are some")
            self.rows = rows
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            rows = try reader.rows(of: Self.rowSize, most: Self.mostRows) { reader throws(Malformed) in
                let id = try reader.octets(Octets8.self)
                let number = try reader.u8()
                guard let status = Status(rawValue: number) else { throw .value(number) }
                return Row(id: id, status: status)
            }
        }

        package func encode(to out: inout [UInt8]) {
            for row in rows {
                out.append(row.id)
                out.append(row.status.rawValue)
            }
        }
    }

    /// OFFER (38): what the sender holds and does not give unasked, so that a recipient finds its own mail.
    ///
    ///     sid u16 | n × (id8 | header bytes 0–23 | tokens u8)
    package struct Offer: FrameBody, Equatable {
        package struct Row: Sendable, Equatable {
            package let id: Octets8
            /// The header up to its tag; the rest of what stands here is zero.
            package let header: EnvelopeHeader
            package let tokens: UInt8

            package init(id: Octets8, header: EnvelopeHeader, tokens: UInt8) {
                self.id = id
                self.header = header.shown
                self.tokens = tokens
            }
        }

        package static let type = FrameType.offer
        package static let rowSize = 33
        package static let mostRows = (LinkBounds.frameBody - 2) / rowSize
        package let session: UInt16
        package let rows: [Row]

        package init(session: UInt16, _ rows: [Row]) {
            precondition((1...Self.mostRows).contains(rows.count), "the rows fit one frame, and there are some")
            self.session = session
            self.rows = rows
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            session = try reader.u16()
            rows = try reader.rows(of: Self.rowSize, most: Self.mostRows) { reader throws(Malformed) in
                let id = try reader.octets(Octets8.self)
                let shown = try reader.octets(Octets24.self)
                guard let header = EnvelopeHeader(shown: shown) else { throw .value(shown.array[0]) }
                return Row(id: id, header: header, tokens: try reader.u8())
            }
        }

        package func encode(to out: inout [UInt8]) {
            out.append(u16: session)
            for row in rows {
                out.append(row.id)
                out.append(row.header.shownOctets)
                out.append(row.tokens)
            }
        }
    }

    /// WANT (39): what the sender asks for.
    ///
    ///     00 | n × (id8 | offset varint)        01 | sid u16 | bitmap over the rows of that OFFER
    ///
    /// Bit 0 of the bitmap's first byte is the offer's first row.
    package enum Want: FrameBody, Equatable {
        package struct Row: Sendable, Equatable {
            package let id: Octets8
            /// Bytes the sender has already.
            package let offset: Int

            package init(id: Octets8, offset: Int = 0) {
                precondition((0..<DataHeader.mostTotal).contains(offset), "an offset lies inside an envelope")
                self.id = id
                self.offset = offset
            }
        }

        case ids([Row])
        case offered(session: UInt16, bitmap: [UInt8])

        package static let type = FrameType.want
        /// Rows of the largest size.
        package static let mostRows = (LinkBounds.frameBody - 1) / 11
        /// One bit a row; an offer's rows have 33 bytes.
        package static let mostBitmap = LinkBounds.frameBody / Offer.rowSize / 8 + 1

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            let form = try reader.u8()
            switch form {
            case 0:
                var rows: [Row] = []
                rows.reserveCapacity(min(Self.mostRows, reader.remaining / 9))
                repeat {
                    let id = try reader.octets(Octets8.self)
                    let offset = try reader.varint()
                    guard offset < UInt64(DataHeader.mostTotal), rows.count < Self.mostRows else { throw .oversized }
                    rows.append(Row(id: id, offset: Int(offset)))
                } while !reader.isAtEnd
                self = .ids(rows)
            case 1:
                let session = try reader.u16()
                guard !reader.isAtEnd else { throw .truncated }
                guard reader.remaining <= Self.mostBitmap else { throw .oversized }
                self = .offered(session: session, bitmap: try reader.bytes(reader.remaining))
            default:
                throw .value(form)
            }
        }

        package func encode(to out: inout [UInt8]) {
            switch self {
            case .ids(let rows):
                precondition((1...Self.mostRows).contains(rows.count), "the rows fit one frame, and there are some")
                out.append(0)
                for row in rows {
                    out.append(row.id)
                    out.append(varint: UInt64(row.offset))
                }
            case .offered(let session, let bitmap):
                precondition((1...Self.mostBitmap).contains(bitmap.count), "a bitmap covers one offer")
                out.append(1)
                out.append(u16: session)
                out += bitmap
            }
        }
    }

    /// NOTHAVE (3A): ids that were wanted and are not held, or no longer.
    package struct NotHave: ShortIDList {
        package static let type = FrameType.notHave
        package let ids: [Octets8]
        package init(_ ids: [Octets8]) { self.ids = ids }
    }

    /// CANCEL (42): ids not to be sent any more.
    package struct Cancel: ShortIDList {
        package static let type = FrameType.cancel
        package let ids: [Octets8]
        package init(_ ids: [Octets8]) { self.ids = ids }
    }
}

/// A frame that is a list of short ids, at least one: `n × id8`.
package protocol ShortIDList: FrameBody, Equatable {
    var ids: [Octets8] { get }
    init(_ ids: [Octets8])
}

extension ShortIDList {
    package static var mostRows: Int { LinkBounds.frameBody / Octets8.byteCount }

    package init(parsing body: RawSpan) throws(Malformed) {
        var reader = ByteReader(body)
        self.init(
            try reader.rows(of: Octets8.byteCount, most: Self.mostRows) { reader throws(Malformed) in
                try reader.octets(Octets8.self)
            })
    }

    package func encode(to out: inout [UInt8]) {
        precondition((1...Self.mostRows).contains(ids.count), "the ids fit one frame, and there are some")
        for id in ids { out.append(id) }
    }
}
