package import CoveyCore

extension Frame {
    /// UTIL (60): how well the sender reaches zones (sync-routing.md §3.3). It takes the place of the one before.
    ///
    ///     seq u32 | n × (zone u8 | likelihood u8 | hops u8 | origin's seq u16)
    ///
    /// The zones ascend, so that each stands once; without rows the sender reaches none.
    package struct Utility: FrameBody, Equatable {
        package static let type = FrameType.util
        private static let rowSize = 5
        /// One for each zone.
        package static let mostRows = 255
        package let sequence: UInt32
        package let rows: [ZoneReport]

        package init(sequence: UInt32, _ rows: [ZoneReport]) {
            precondition(rows.count <= Self.mostRows, "a zone has one row")
            self.sequence = sequence
            self.rows = rows
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            sequence = try reader.u32()
            var above = -1
            rows = try reader.rows(of: Self.rowSize, least: 0, most: Self.mostRows) { reader throws(Malformed) in
                let zone = try reader.u8()
                guard zone != 255, Int(zone) > above else { throw .value(zone) }
                above = Int(zone)
                return ZoneReport(
                    zone: ZoneHint(zone), likelihood: try reader.u8(), hops: try reader.u8(), origin: try reader.u16())
            }
        }

        package func encode(to out: inout [UInt8]) {
            out.append(u32: sequence)
            for row in rows {
                out.append(row.zone.value)
                out.append(row.likelihood)
                out.append(row.hops)
                out.append(u16: row.origin)
            }
        }
    }
}
