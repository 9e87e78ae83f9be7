import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

@Suite("Bodies of frames")
struct FrameTests {
    let random = SeededRandom(seed: 41)

    private func encoded(_ frame: some FrameBody) -> [UInt8] {
        var bytes: [UInt8] = []
        frame.encode(to: &bytes)
        return bytes
    }

    /// A frame comes back as it was, and no part or extension of it is a frame of that type.
    private func roundTrip<Body: FrameBody & Equatable>(
        _ frame: Body, truncatable: Bool = true, source: SourceLocation = #_sourceLocation
    ) throws {
        let bytes = encoded(frame)
        #expect(bytes.count <= LinkBounds.frameBody, sourceLocation: source)
        #expect(try Body(parsing: bytes.span.bytes) == frame, sourceLocation: source)
        guard truncatable else { return }
        for size in bytes.indices {
            #expect(throws: Malformed.self, sourceLocation: source) {
                try Body(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
        let longer = bytes + [0]
        #expect(throws: Malformed.self, sourceLocation: source) { try Body(parsing: longer.span.bytes) }
    }

    private func ids(_ count: Int) -> [Octets8] { (0..<count).map { _ in .random(from: random) } }

    private func signed() throws -> [Signed] {
        let golden = try Golden.json()
        let names = [golden["log_first"], golden["log_entry"], golden["bundle"]]
        return try names.map { try Signed(parsing: $0["signed"].bytes) }
    }

    private func hello() -> Frame.Hello {
        var modes = Frame.PerPriority(repeating: Frame.Mode.full)
        modes[.bulk] = .lean
        var credits = Frame.PerPriority(repeating: UInt64(1 << 20))
        credits[.emergency] = 0
        credits[.bulk] = UInt64(1) << 63 - 1
        var pressure = Frame.PerPriority(repeating: UInt8(3))
        pressure[.urgent] = 255
        return Frame.Hello(
            instance: .random(from: random), clock: 1_800_000_000_000, timeIsTrusted: true,
            epoch: .random(from: random), digests: [[1], [2, 3], random.bytes(32)], mostFrame: 0xABCDEF, rateHint: 900,
            flags: [.metered, .dutyCycle], modes: modes, credits: credits, zones: [7, 0, 254], pressure: pressure)
    }

    @Test("HELLO comes back as it was, whole or with nothing in its lists")
    func helloRoundTrip() throws {
        try roundTrip(hello())
        try roundTrip(
            Frame.Hello(
                instance: Octets8(), clock: 0, timeIsTrusted: false, epoch: EpochPrefix(),
                credits: .init(repeating: 0)))
        var full = hello()
        full.zones = (0..<16).map { UInt8($0) }
        full.digests = (0..<Frame.Hello.mostDigests).map { _ in random.bytes(Frame.Hello.mostDigestSize) }
        try roundTrip(full, truncatable: false)
    }

    @Test("HELLO stands as it is drawn")
    func helloLayout() {
        let frame = Frame.Hello(
            instance: Octets8(hex: "0102030405060708")!, clock: 0x11_2233_4455, timeIsTrusted: true,
            epoch: EpochPrefix(hex: "a1a2a3a4")!, digests: [[0xD1, 0xD2]], mostFrame: 0x010203, rateHint: 0x0405,
            flags: [.battery],
            modes: {
                var modes = Frame.PerPriority(repeating: Frame.Mode.full)
                modes[.normal] = .lean
                return modes
            }(), credits: .init(repeating: 0x80), zones: [9], pressure: .init(repeating: 6))
        #expect(
            encoded(frame).hex == "01" + "0102030405060708" + "0000001122334455" + "01" + "a1a2a3a4" + "01" + "02d1d2"
                + "010203" + "0405" + "02" + "0100" + "8001800180018001" + "01" + "09" + "06060606")
    }

    @Test("HELLO of another version, with unknown flags, modes, truth values or too many zones is refused")
    func helloRefusals() throws {
        let good = encoded(hello())
        func refused(_ at: Int, _ value: UInt8, _ cause: Malformed) {
            var bytes = good
            bytes[at] = value
            #expect(throws: cause) { try Frame.Hello(parsing: bytes.span.bytes) }
        }
        refused(0, 2, .unknownVersion(2))
        refused(17, 2, .value(2))
        refused(22, 24, .oversized)
        refused(23, 0, .oversized)
        refused(23, 33, .oversized)
        // After three digests of 1, 2 and 32 bytes: rxMaxFrame, rateHint, flags, modes.
        let tail = 23 + 2 + 3 + 33
        refused(tail + 5, 0x11, .value(0x11))
        refused(tail + 6, 0x20, .value(2))
        var zones = hello()
        zones.zones = [255]
        let bytes = encoded(zones)
        #expect(throws: Malformed.value(255)) { try Frame.Hello(parsing: bytes.span.bytes) }
    }

    @Test("BYE, PING, PONG and CREDIT come back as they were")
    func control() throws {
        try roundTrip(Frame.Bye(.duplicate, retryAfter: 65535))
        for reason in 1...5 { try roundTrip(Frame.Bye(try #require(.init(rawValue: UInt8(reason))))) }
        #expect(throws: Malformed.value(6)) { try Frame.Bye(parsing: ([6, 0, 0] as [UInt8]).span.bytes) }
        let ping = Frame.Ping(time: .max, echo: 5, queueMilliseconds: 60)
        try roundTrip(ping)
        let pong = Frame.Pong(to: ping, time: 9)
        #expect(pong.echo == .max)
        try roundTrip(pong)
        for priority in Priority.allCases {
            try roundTrip(Frame.Credit(priority, bytes: UInt64(1) << 63 - 1, items: 127))
        }
        #expect(throws: Malformed.value(4)) { try Frame.Credit(parsing: ([4, 0, 0] as [UInt8]).span.bytes) }
    }

    @Test("LOG_HEADS, LOG_GET, WANT_CERT and BUNDLE_GET come back as they were")
    func logFrames() throws {
        let heads = (0..<3).map { number in
            Frame.LogHeads.Row(log: .random(from: random), sequence: UInt64(number), id: .random(from: random))
        }
        try roundTrip(Frame.LogHeads([]), truncatable: false)
        try roundTrip(Frame.LogHeads(heads), truncatable: false)
        let bytes = encoded(Frame.LogHeads(heads))
        for size in bytes.indices where !size.isMultiple(of: 40) {
            #expect(throws: Malformed.truncated) {
                try Frame.LogHeads(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
        for count in [0, 1, Frame.LogHeads.mostRows - 1, Frame.LogHeads.mostRows, 2 * Frame.LogHeads.mostRows + 7] {
            let logs = (0..<count).map { _ in LogID.random(from: random) }.sorted()
            let list = Frame.LogHeads.list(logs.map { CoveredRow(log: $0, sequence: 1, id: .random(from: random)) })
            #expect(list.flatMap { $0.rows.map(\.log) } == logs)
            #expect(list.map(\.isContinued) == Array(repeating: true, count: list.count - 1) + [false])
        }
        try roundTrip(Frame.LogGet(log: .random(from: random), from: .max, most: 100))
        try roundTrip(Frame.WantCert(.random(from: random)))
        try roundTrip(Frame.BundleGet([.init(device: .random(from: random), have: 0)]))
        let rows = (0..<Frame.BundleGet.mostRows).map { Frame.BundleGet.Row(device: DeviceID(), have: UInt32($0)) }
        try roundTrip(Frame.BundleGet(rows), truncatable: false)
    }

    @Test("lists of signed objects come back as they were, and are never empty")
    func signedLists() throws {
        let items = try signed()
        try roundTrip(Frame.LogPut([items[0]]))
        try roundTrip(Frame.NotePut(items), truncatable: false)
        try roundTrip(Frame.Cert(items), truncatable: false)
        try roundTrip(Frame.BundlePut([items[2]]))
        #expect(throws: Malformed.truncated) { try Frame.LogPut(parsing: RawSpan()) }
        #expect(throws: Malformed.truncated) { try Frame.LogPut(parsing: ([0, 0] as [UInt8]).span.bytes) }
    }

    @Test("a long list goes in as many frames as it needs, in order")
    func splitting() throws {
        let items = try signed()
        let many = (0..<200).map { items[$0 % items.count] }
        var (sender, receiver) = TransportTests.pair()
        sender.append(all: Frame.LogPut(many))
        sender.append(all: Frame.NotePut([]))
        var seen: [Signed] = []
        var frames = 0
        try receiver.receive(sender.take().span.bytes) { type, body in
            #expect(type == .logPut)
            frames += 1
            seen += try Frame.LogPut(parsing: body).items
        }
        #expect(seen == many)
        #expect(frames > 1)
    }

    @Test("EPOCH_KEY carries the key and its entry")
    func epochKey() throws {
        let frame = Frame.EpochKey(entry: .random(from: random), key: EpochKey(from: random))
        let bytes = encoded(frame)
        #expect(bytes.count == 64)
        let read = try Frame.EpochKey(parsing: bytes.span.bytes)
        #expect(read.entry == frame.entry)
        #expect(read.key.isEqual(to: frame.key))
        for size in 0..<64 {
            #expect(throws: Malformed.truncated) {
                try Frame.EpochKey(parsing: bytes.span.bytes.extracting(first: size))
            }
        }
        let longer = bytes + [0]
        #expect(throws: Malformed.trailing) { try Frame.EpochKey(parsing: longer.span.bytes) }
    }

    @Test("DATA_ACK, WANT, NOTHAVE and CANCEL come back as they were, up to their bounds")
    func mailFrames() throws {
        for status in Frame.DataAck.Status.allCases {
            try roundTrip(Frame.DataAck([.init(id: ids(1)[0], status: status)]))
        }
        try roundTrip(
            Frame.DataAck(ids(Frame.DataAck.mostRows).map { .init(id: $0, status: .stored) }), truncatable: false)
        try roundTrip(Frame.Want.ids([.init(id: ids(1)[0], offset: 16_383)]))
        try roundTrip(
            Frame.Want.ids(ids(Frame.Want.mostRows).map { .init(id: $0, offset: 16_383) }), truncatable: false)
        try roundTrip(Frame.Want.offered(session: 7, bitmap: [0xA5]), truncatable: false)
        try roundTrip(
            Frame.Want.offered(session: 7, bitmap: random.bytes(Frame.Want.mostBitmap)), truncatable: false)
        try roundTrip(Frame.NotHave(ids(1)))
        try roundTrip(Frame.NotHave(ids(Frame.NotHave.mostRows)), truncatable: false)
        try roundTrip(Frame.Cancel(ids(2)), truncatable: false)

        var bytes = encoded(Frame.Want.ids([.init(id: ids(1)[0])]))
        bytes.removeLast()
        bytes.append(varint: 16_384)
        #expect(throws: Malformed.oversized) { try Frame.Want(parsing: bytes.span.bytes) }
        bytes[0] = 2
        #expect(throws: Malformed.value(2)) { try Frame.Want(parsing: bytes.span.bytes) }
        let bitmap: [UInt8] = [1, 0, 7] + [UInt8](repeating: 1, count: Frame.Want.mostBitmap + 1)
        #expect(throws: Malformed.oversized) { try Frame.Want(parsing: bitmap.span.bytes) }
    }

    @Test("IHAVE, GRAFT and PRUNE come back as they were, up to their bounds")
    func treeFrames() throws {
        let header = EnvelopeHeader(
            kind: .announcement, priority: .urgent, ttl: .week, bucket: .bytes16384, zone: .any,
            expiry: Hour(492_168), tag: .random(from: random), purgeCommit: .random(from: random))
        let row = Frame.IHave.Row(id: ids(1)[0], header: header, origin: Hour(492_010))
        #expect(row.slotDelta == 26)
        let bytes = encoded(Frame.IHave([row]))
        #expect(bytes.count == 11 && bytes[8] == 4 << 5 | 1 << 3 | 4)
        try roundTrip(Frame.IHave([row]))
        try roundTrip(
            Frame.IHave(
                ids(Frame.IHave.mostRows).map { Frame.IHave.Row(id: $0, header: header, origin: Hour(492_000)) }),
            truncatable: false)
        var other = bytes
        other[8] = 7 << 5
        #expect(throws: Malformed.value(7 << 5)) { try Frame.IHave(parsing: other.span.bytes) }
        try roundTrip(Frame.Graft(ids(1)))
        try roundTrip(Frame.Graft(ids(Frame.Graft.mostRows)), truncatable: false)
        try roundTrip(Frame.Prune())
    }

    @Test("UTIL comes back as it was up to its bounds, and refuses a zone that stands twice or is none")
    func utility() throws {
        func row(_ zone: UInt8) -> ZoneReport {
            ZoneReport(zone: ZoneHint(zone), likelihood: 250, hops: 1, origin: 0x0203)
        }
        let bytes = encoded(Frame.Utility(sequence: 5, [row(7)]))
        #expect(bytes == [0, 0, 0, 5, 7, 250, 1, 2, 3])
        try roundTrip(Frame.Utility(sequence: 5, [row(7)]), truncatable: false)
        try roundTrip(Frame.Utility(sequence: 0, []), truncatable: false)
        try roundTrip(Frame.Utility(sequence: .max, (0..<255).map(row)), truncatable: false)
        for zones: [UInt8] in [[7, 7], [8, 7], [255]] {
            let bytes = encoded(Frame.Utility(sequence: 5, zones.map(row)))
            #expect(throws: Malformed.value(zones[zones.count - 1])) {
                try Frame.Utility(parsing: bytes.span.bytes)
            }
        }
        let short = Array(bytes.dropLast())
        #expect(throws: Malformed.truncated) { try Frame.Utility(parsing: short.span.bytes) }
    }

    @Test("OFFER shows headers up to the tag, comes back as it was up to its bounds, and refuses what is no header")
    func offer() throws {
        func row(_ number: UInt8) -> Frame.Offer.Row {
            let header = EnvelopeHeader(
                kind: .pairwise, priority: .normal, ttl: .week, bucket: .bytes2048, zone: ZoneHint(number),
                expiry: Hour(492_000), tag: .random(from: random), purgeCommit: .random(from: random))
            let row = Frame.Offer.Row(id: .random(from: random), header: header, tokens: number)
            #expect(
                row.header.tag == header.tag && row.header.zone == header.zone && row.header.expiry == header.expiry)
            #expect(row.header.purgeCommit.isZero)
            return row
        }
        try roundTrip(Frame.Offer(session: 513, [row(1)]))
        try roundTrip(
            Frame.Offer(session: 1, (0..<Frame.Offer.mostRows).map { row(UInt8($0 & 63)) }), truncatable: false)
        var bytes = encoded(Frame.Offer(session: 7, [row(2)]))
        #expect(bytes.count == 2 + 33)
        bytes[10] = 9
        #expect(throws: Malformed.value(9)) { try Frame.Offer(parsing: bytes.span.bytes) }
        let many = [UInt8](repeating: 0, count: 2 + 33 * (Frame.Offer.mostRows + 1))
        #expect(throws: Malformed.oversized) { try Frame.Offer(parsing: many.span.bytes) }
    }

    // MARK: DATA

    private func data(_ header: Frame.DataHeader, _ bytes: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        header.encode(to: &body)
        #expect(body.count == header.encodedCount)
        return body + bytes
    }

    @Test("DATA gives id, tokens, hops, place and a view of the bytes")
    func dataRoundTrip() throws {
        let origin = Frame.DataHeader.Origin(device: .random(from: random), signature: .random(from: random))
        for header in [
            Frame.DataHeader(id: .random(from: random), tokens: 255, hops: 32, total: 512),
            Frame.DataHeader(id: .random(from: random), tokens: 64, hops: 0, total: 16_384, offset: 16_000),
            Frame.DataHeader(id: .random(from: random), tokens: 0, hops: 3, total: 4096, offset: 1, origin: origin),
        ] {
            let bytes = random.bytes(min(300, header.total - header.offset))
            let body = data(header, bytes)
            let frame = try Frame.Data(parsing: body.span.bytes)
            let (read, carried) = (frame.header, [UInt8](copying: frame.bytes))
            #expect(read == header)
            #expect(carried == bytes)
            let start = body.span.bytes.withUnsafeBytes { $0.baseAddress! }
            let place = frame.bytes.withUnsafeBytes { $0.baseAddress! }
            #expect(place == start + body.count - bytes.count)
            for size in 0..<body.count - bytes.count + 1 {
                #expect(throws: Malformed.self) { _ = try Frame.Data(parsing: body.span.bytes.extracting(first: size)) }
            }
        }
    }

    @Test("59: tokens 65 to 254 count as 64, and more than 32 hops are refused")
    func tokensAndHops() throws {
        let header = Frame.DataHeader(id: EnvelopeID(), tokens: 1, hops: 0, total: 512)
        var body = data(header, [1])
        for tokens in UInt8.min...UInt8.max {
            body[0] = tokens
            let read = try Frame.Data(parsing: body.span.bytes).header.tokens
            #expect(read == (tokens == 255 ? 255 : min(tokens, 64)))
        }
        for hops in UInt8.min...UInt8.max {
            body[1] = hops
            if hops <= 32 {
                let read = try Frame.Data(parsing: body.span.bytes).header.hops
                #expect(read == hops)
            } else {
                #expect(throws: Malformed.value(hops)) { _ = try Frame.Data(parsing: body.span.bytes) }
            }
        }
    }

    @Test("DATA beyond its envelope, without bytes, of no or too large an envelope, or with unknown flags is refused")
    func dataRefusals() throws {
        func body(total: UInt64, offset: UInt64, bytes: Int, flags: UInt8 = 0) -> [UInt8] {
            var body: [UInt8] = [1, 0, flags]
            body.append(EnvelopeID())
            body.append(varint: total)
            body.append(varint: offset)
            return body + [UInt8](repeating: 0, count: bytes)
        }
        func refused(_ bytes: [UInt8], _ cause: Malformed) {
            #expect(throws: cause) { _ = try Frame.Data(parsing: bytes.span.bytes) }
        }
        refused(body(total: 512, offset: 0, bytes: 513), .oversized)
        refused(body(total: 512, offset: 500, bytes: 13), .oversized)
        refused(body(total: 512, offset: 512, bytes: 1), .oversized)
        refused(body(total: 512, offset: UInt64(1) << 63 - 1, bytes: 1), .oversized)
        refused(body(total: 512, offset: 0, bytes: 0), .truncated)
        refused(body(total: 0, offset: 0, bytes: 1), .oversized)
        refused(body(total: 16_385, offset: 0, bytes: 1), .oversized)
        refused(body(total: UInt64(1) << 63 - 1, offset: 0, bytes: 1), .oversized)
        refused(body(total: 512, offset: 0, bytes: 1, flags: 2), .value(2))
        refused(body(total: 512, offset: 0, bytes: 1, flags: 0x81), .value(0x81))
    }

    // MARK: Strangers' bytes

    @Test("a challenge and its answer have the sizes of the table")
    func time() throws {
        let nonce = Octets16.random(from: random)
        try roundTrip(Frame.TimeRequest(nonce: nonce))
        let attestation = TimeAttestation(time: Minute(0x0102_0304), radius: 0x0506, nonce: nonce)
        let response = Frame.TimeResponse(attestation, signature: Signature())
        try roundTrip(response)
        #expect(encoded(response) == [1, 2, 3, 4, 5, 6] + nonce.array + [UInt8](repeating: 0, count: 64))
        for size in 0..<86 {
            #expect(throws: Malformed.truncated) {
                try Frame.TimeResponse(parsing: [UInt8](repeating: 0, count: size).span.bytes)
            }
        }
    }

    @Test("random and half-right bytes never trap, and what parses encodes to itself")
    func fuzz() throws {
        func check<Body: FrameBody>(_: Body.Type, _ bytes: [UInt8]) {
            if let frame = try? Body(parsing: bytes.span.bytes) { #expect(encoded(frame) == bytes) }
        }
        func checkAll(_ bytes: [UInt8]) {
            check(Frame.Hello.self, bytes)
            check(Frame.Bye.self, bytes)
            check(Frame.Ping.self, bytes)
            check(Frame.Pong.self, bytes)
            check(Frame.Credit.self, bytes)
            check(Frame.LogHeads.self, bytes)
            check(Frame.LogGet.self, bytes)
            check(Frame.LogPut.self, bytes)
            check(Frame.NotePut.self, bytes)
            check(Frame.EpochKey.self, bytes)
            check(Frame.WantCert.self, bytes)
            check(Frame.Cert.self, bytes)
            check(Frame.BundleGet.self, bytes)
            check(Frame.BundlePut.self, bytes)
            check(Frame.DataAck.self, bytes)
            check(Frame.Want.self, bytes)
            check(Frame.Offer.self, bytes)
            check(Frame.NotHave.self, bytes)
            check(Frame.IHave.self, bytes)
            check(Frame.Graft.self, bytes)
            check(Frame.Prune.self, bytes)
            check(Frame.Cancel.self, bytes)
            check(Frame.TimeRequest.self, bytes)
            check(Frame.TimeResponse.self, bytes)
            if let frame = try? Frame.Data(parsing: bytes.span.bytes), frame.header.tokens == bytes[0] {
                let rest = data(frame.header, [UInt8](copying: frame.bytes))
                #expect(rest == bytes)
            }
        }
        let seeds = [
            encoded(hello()), encoded(Frame.LogPut([try signed()[0]])), encoded(Frame.Want.ids([.init(id: ids(1)[0])])),
            encoded(Frame.DataAck([.init(id: ids(1)[0], status: .quota)])),
            data(Frame.DataHeader(id: EnvelopeID(), tokens: 1, hops: 0, total: 512), [1, 2, 3]),
        ]
        for turn in 0..<3000 {
            if turn.isMultiple(of: 2) {
                checkAll(random.bytes(random.uniform(0...120)))
            } else {
                var bytes = seeds[random.uniform(0...seeds.count - 1)]
                for _ in 0...random.uniform(0...3) {
                    bytes[random.uniform(0...bytes.count - 1)] = UInt8(random.uniform(256))
                }
                if random.uniform(4) == 0 { bytes.removeLast(random.uniform(0...bytes.count - 1)) }
                checkAll(bytes)
            }
        }
    }
}
