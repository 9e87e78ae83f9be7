package import CoveyCore
package import CoveyCrypto

extension Frame {
    /// LOG_HEADS (70): `n × (log_id[16] | seq u64 | id[16])`, one row a log, ascending; none from a node that has only the
    /// genesis. A full frame goes on in the next one, which may be empty.
    package struct LogHeads: FrameBody, Equatable {
        package struct Row: Sendable, Equatable {
            package let log: LogID
            package let sequence: UInt64
            /// First 16 bytes of the entry's id.
            package let id: Octets16

            package init(log: LogID, sequence: UInt64, id: Octets16) {
                self.log = log
                self.sequence = sequence
                self.id = id
            }
        }

        package static let type = FrameType.logHeads
        package static let mostRows = LinkBounds.frameBody / rowSize
        private static let rowSize = 40
        package let rows: [Row]

        package init(_ rows: [Row]) {
            precondition(rows.count <= Self.mostRows, "the heads fit one frame")
            self.rows = rows
        }

        package var isContinued: Bool { rows.count == Self.mostRows }

        /// One list, in as many frames as it takes.
        ///
        /// - Parameter heads: ascending by log.
        package static func list(_ heads: [CoveredRow]) -> [LogHeads] {
            let rows = heads.map { Row(log: $0.log, sequence: $0.sequence, id: Octets16(prefixOf: $0.id)) }
            return stride(from: 0, through: rows.count, by: mostRows).map { start in
                LogHeads(Array(rows[start..<min(start + mostRows, rows.count)]))
            }
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            rows = try reader.rows(of: Self.rowSize, least: 0, most: Self.mostRows) { reader throws(Malformed) in
                let log = try reader.octets(LogID.self)
                let sequence = try reader.u64()
                return Row(log: log, sequence: sequence, id: try reader.octets())
            }
        }

        package func encode(to out: inout [UInt8]) {
            for row in rows {
                out.append(row.log)
                out.append(u64: row.sequence)
                out.append(row.id)
            }
        }
    }

    /// LOG_GET (71): `log_id[16] | from u64 | max u16`, entries of one log from a sequence on.
    package struct LogGet: FrameBody, Equatable {
        package static let type = FrameType.logGet
        package let log: LogID
        package let from: UInt64
        package let most: UInt16

        package init(log: LogID, from: UInt64, most: UInt16) {
            self.log = log
            self.from = from
            self.most = most
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            log = try reader.octets()
            from = try reader.u64()
            most = try reader.u16()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(log)
            out.append(u64: from)
            out.append(u16: most)
        }
    }

    /// LOG_PUT (72): entries of logs.
    package struct LogPut: SignedList {
        package static let type = FrameType.logPut
        package let items: [Signed]
        package init(_ items: [Signed]) { self.items = items }
    }

    /// NOTE_PUT (73): RevokeNotes, Suspends, both entries of a fork.
    package struct NotePut: SignedList {
        package static let type = FrameType.notePut
        package let items: [Signed]
        package init(_ items: [Signed]) { self.items = items }
    }

    /// EPOCH_KEY (74): `entry id[32] | K_e[32]`, to a validated peer only.
    package struct EpochKey: FrameBody {
        package static let type = FrameType.epochKey
        package let entry: EntryID
        package let key: CoveyCore.EpochKey

        package init(entry: EntryID, key: CoveyCore.EpochKey) {
            self.entry = entry
            self.key = key
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            entry = try reader.octets()
            key = CoveyCore.EpochKey(copying: try reader.span(CoveyCore.EpochKey.byteCount))
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(entry)
            key.exposing { out.append(copying: $0) }
        }
    }

    /// WANT_CERT (75): `hash[32]`, of a certificate or of a chain.
    package struct WantCert: FrameBody, Equatable {
        package static let type = FrameType.wantCert
        package let hash: Octets32

        package init(_ hash: Octets32) { self.hash = hash }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            hash = try reader.octets()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) { out.append(hash) }
    }

    /// CERT (76): certificates.
    package struct Cert: SignedList {
        package static let type = FrameType.cert
        package let items: [Signed]
        package init(_ items: [Signed]) { self.items = items }
    }

    /// BUNDLE_GET (77): `n × (device_id[16] | have_seq u32)`.
    package struct BundleGet: FrameBody, Equatable {
        package struct Row: Sendable, Equatable {
            package let device: DeviceID
            /// 0 for none.
            package let have: UInt32

            package init(device: DeviceID, have: UInt32) {
                self.device = device
                self.have = have
            }
        }

        package static let type = FrameType.bundleGet
        private static let rowSize = 20
        package static let mostRows = LinkBounds.frameBody / rowSize
        package let rows: [Row]

        package init(_ rows: [Row]) {
            precondition((1...Self.mostRows).contains(rows.count), "the rows fit one frame, and there are some")
            self.rows = rows
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            rows = try reader.rows(of: Self.rowSize, most: Self.mostRows) { reader throws(Malformed) in
                let device = try reader.octets(DeviceID.self)
                return Row(device: device, have: try reader.u32())
            }
        }

        package func encode(to out: inout [UInt8]) {
            for row in rows {
                out.append(row.device)
                out.append(u32: row.have)
            }
        }
    }

    /// BUNDLE_PUT (78): prekey bundles.
    package struct BundlePut: SignedList {
        package static let type = FrameType.bundlePut
        package let items: [Signed]
        package init(_ items: [Signed]) { self.items = items }
    }
}
