import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveySync

struct SyncFrameTests {
    private let fingerprint = Octets8([1, 2, 3, 4, 5, 6, 7, 8])!

    private func check(_ frame: SyncFrame, _ hex: String) throws {
        #expect(frame.body.hex == hex)
        let bytes = try #require([UInt8](hex: hex))
        #expect(try SyncFrame(type: frame.type, body: bytes.span.bytes) == frame)
        for count in 0..<bytes.count where frame.type != 0x22 {
            #expect(throws: SyncFault.self) {
                _ = try SyncFrame(type: frame.type, body: [UInt8](bytes.prefix(count)).span.bytes)
            }
        }
    }

    @Test("DIGEST has 14 bytes for small sets: set, floor, count, fingerprint")
    func digest() throws {
        let digest = Digest(namespace: .mail(.normal), floor: Hour(492_002), count: 100, fingerprint: fingerprint)
        try check(.digest(digest), "06" + "e2831e" + "64" + "0102030405060708")
    }

    @Test("RECON says each bound as a step in hours and the shortest prefix")
    func recon() throws {
        let hour = Hour(492_000)
        let recon = Recon(
            namespace: .mail(.normal), session: SessionID(run: 1, round: 0),
            parts: [
                .init(upper: Bound(slot: hour), mode: .skip),
                .init(upper: Bound(slot: hour, prefix: 0xAB00 << 48), mode: .fingerprint(fingerprint)),
                .init(upper: Bound(slot: hour.adding(3)), mode: .list([ShortID(fingerprint)])),
                .init(upper: .end, mode: .all),
            ])
        try check(
            .recon(recon), "060004" + "e1831e00" + "0111ab0102030405060708" + "0402010102030405060708" + "0006")
    }

    @Test("in round 2 a list has 16 bytes an id")
    func wide() throws {
        let id = Octets16([UInt8](1...16))!
        let recon = Recon(
            namespace: .notes, session: SessionID(run: 0, round: 2), parts: [.init(upper: .end, mode: .wideList([id]))])
        try check(.recon(recon), "010002" + "000201" + id.hex)
    }

    @Test("RECON_DONE counts what was asked for and pushed")
    func done() throws {
        let done = ReconDone(
            namespace: Namespace.mail(of: ZoneHint(3))!, session: SessionID(run: 0x3FFF, round: 1), wanted: 3,
            pushed: 200, fingerprint: fingerprint)
        try check(.done(done), "8302" + "fffd" + "03" + "c801" + "0102030405060708")
    }

    @Test("SUMMARY of 10,000 items stays near 200 bytes, and its buckets cover all time, each hour once")
    func summary() throws {
        let dice = SeededRandom(seed: 1, stream: "summary")
        var set = KnownSet(.mail(.bulk), seed: 0)
        let origin = Hour(TwoStores.hour)
        for _ in 0..<10_000 {
            set.insert(Item(slot: origin.adding(6 - Int64(dice.uniform(1200))), id: .random(from: dice), expiry: nil))
        }
        let summary = Summary(of: &set, origin: origin, floor: Hour(0), salt: Salt(key: .random(from: dice)))
        #expect(summary.body.count <= 210)
        #expect(try SyncFrame(type: 0x21, body: summary.body.span.bytes) == .summary(summary))
        #expect(summary.buckets.reduce(0) { $0 + $1.count } == 10_000)
        for origin in [0, 1, 700, TwoStores.hour, .max] as [UInt32] {
            let ranges = (0..<Summary.buckets).reversed().map { Summary.range($0, origin: Hour(origin)) }
            #expect(ranges.first?.lowerBound == .start)
            #expect(ranges.last?.upperBound == .end)
            for (older, newer) in zip(ranges, ranges.dropFirst()) { #expect(older.upperBound == newer.lowerBound) }
        }
    }

    @Test("a link's two salts differ, and so do the salts of two links")
    func salts() {
        let dice = SeededRandom(seed: 2, stream: "salts")
        let id = ItemID.random(from: dice)
        let links = (0..<2).map { _ in Salts(handshakeHash: .random(from: dice)) }
        let short = links.flatMap { [$0.first.shortID(of: id), $0.second.shortID(of: id)] }
        #expect(Set(short).count == 4)
    }
}
