import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyConversation

@Suite("Own prekeys")
struct PrekeysTests {
    private static let day: Int64 = 1440

    private func renew(_ prekeys: inout Prekeys, _ pair: Acquaintance, day: Int64, serial: UInt64 = 1) throws -> Bundle
    {
        try prekeys.renew(
            for: pair.ben, signing: pair.benSigning, serial: serial, headsDigest: Octets32(),
            now: Acquaintance.start.adding(day * Self.day), random: pair.random, kem: HollowKEM()
        ).bundle
    }

    private func records(_ prekeys: Prekeys) -> [(key: [UInt8], value: SecretBytes)] {
        prekeys.held.map { (key: Prekeys.key(of: $0.sequence), value: prekeys.record(of: $0.sequence)) }
    }

    @Test("a bundle is made at once, then every seven days, and for every new certificate")
    func due() throws {
        let pair = try Acquaintance(seed: 20)
        var prekeys = Prekeys()
        let start = Acquaintance.start
        #expect(prekeys.isDue(now: start, serial: 1))
        #expect(prekeys.nextDeadline == nil)
        #expect(try renew(&prekeys, pair, day: 0).sequence == 1)
        #expect(!prekeys.isDue(now: start, serial: 1))
        #expect(prekeys.isDue(now: start, serial: 2))
        #expect(!prekeys.isDue(now: start.adding(7 * Self.day - 1), serial: 1))
        #expect(prekeys.isDue(now: start.adding(7 * Self.day), serial: 1))
        #expect(prekeys.nextDeadline == start.adding(7 * Self.day))
        // A clock that ran ten days ahead made the bundle: it is replaced.
        #expect(!prekeys.isDue(now: start.adding(-Self.day), serial: 1))
        #expect(prekeys.isDue(now: start.adding(-10 * Self.day), serial: 1))
        #expect(try renew(&prekeys, pair, day: 7).sequence == 2)
        #expect(try renew(&prekeys, pair, day: 7, serial: 2).sequence == 3)
    }

    @Test("private halves go 29 days after they were made, and only when a newer bundle is there")
    func timeline() throws {
        let pair = try Acquaintance(seed: 21)
        var prekeys = Prekeys()
        let start = Acquaintance.start
        _ = try renew(&prekeys, pair, day: 0)
        // A device that was off for two months still reads what was sealed to its only bundle.
        #expect(prekeys.erase(now: start.adding(60 * Self.day)).isEmpty)
        #expect(prekeys.held.map(\.sequence) == [1])
        for week in 1...5 as ClosedRange<Int64> { _ = try renew(&prekeys, pair, day: 7 * week) }
        #expect(prekeys.nextDeadline == start.adding(29 * Self.day))
        #expect(prekeys.erase(now: start.adding(29 * Self.day - 1)).isEmpty)
        #expect(prekeys.erase(now: start.adding(29 * Self.day)) == [1])
        #expect(prekeys.held.map(\.sequence) == [2, 3, 4, 5, 6])
        #expect(prekeys.erase(now: start.adding(43 * Self.day)) == [2, 3])
        #expect(prekeys.erase(now: start.adding(1000 * Self.day)) == [4, 5])
        #expect(prekeys.held.map(\.sequence) == [6])
        #expect(prekeys.sequence == 6)
    }

    @Test("a bundle of 30 days is kept 45")
    func longLife() throws {
        let pair = try Acquaintance(seed: 22)
        var prekeys = Prekeys()
        let start = Acquaintance.start
        _ = try prekeys.renew(
            for: pair.ben, signing: pair.benSigning, serial: 1, headsDigest: Octets32(), now: start,
            life: ConversationBounds.longestBundleLife, random: pair.random, kem: HollowKEM())
        _ = try renew(&prekeys, pair, day: 7)
        #expect(prekeys.erase(now: start.adding(45 * Self.day - 1)).isEmpty)
        #expect(prekeys.erase(now: start.adding(45 * Self.day)) == [1])
    }

    @Test("after a restart the same messages open, and numbers go on where they were")
    func restart() throws {
        let pair = try Acquaintance(seed: 23)
        let sealed = try pair.seal(pair.plaintext(.text("before the restart")))
        var restarted = try Prekeys(records: records(pair.benPrekeys), sequence: pair.benPrekeys.sequence)
        #expect(restarted.held.map(\.sequence) == [1])
        #expect(restarted.held.map(\.created) == [Acquaintance.start])
        let opened = try FirstMessage.open(
            sealed.envelope, from: pair.annSeen, as: pair.ben, prekeys: restarted, replays: ReplayCache(),
            kem: HollowKEM())
        #expect(opened.plaintext.content == .text("before the restart"))
        #expect(try renew(&restarted, pair, day: 7).sequence == 2)
        // Erased keys do not give their numbers back.
        var emptied = try Prekeys(records: [], sequence: 9)
        #expect(try renew(&emptied, pair, day: 7).sequence == 10)
    }

    @Test("a message to an erased bundle is refused")
    func erased() throws {
        var pair = try Acquaintance(seed: 24)
        let sealed = try pair.seal(pair.plaintext(.text("kept too long by a relay")))
        _ = try renew(&pair.benPrekeys, pair, day: 7)
        #expect(try pair.open(sealed.envelope).plaintext.content == .text("kept too long by a relay"))
        #expect(pair.benPrekeys.erase(now: Acquaintance.start.adding(29 * Self.day)) == [1])
        #expect(throws: FirstMessageRefusal.unknownPrekey) { try pair.open(sealed.envelope) }
    }

    @Test("records that are not what was written are refused")
    func damaged() throws {
        let pair = try Acquaintance(seed: 25)
        let held = records(pair.benPrekeys)[0]
        let record = (key: held.key, value: held.value.exposing { [UInt8](copying: $0) })
        #expect(record.value.count == 177)
        func load(_ key: [UInt8], _ value: [UInt8], _ sequence: UInt32 = 1) throws {
            _ = try Prekeys(records: [(key: key, value: SecretBytes(copying: value.span.bytes))], sequence: sequence)
        }
        try load(record.key, record.value)
        for count in 1..<record.value.count {
            #expect(throws: Malformed.truncated) { try load(record.key, Array(record.value[..<count])) }
        }
        #expect(throws: Malformed.truncated) { try load(record.key, record.value + [0]) }
        #expect(throws: Malformed.truncated) { try load([1], record.value) }
        #expect(throws: Malformed.unknownVersion(2)) { try load(record.key, [2] + record.value.dropFirst()) }
        #expect(throws: Malformed.value(0)) { try load(record.key, record.value, 0) }
    }

    @Test("our own bundle with a number we never gave, or another body, proves a rollback")
    func rollback() throws {
        let pair = try Acquaintance(seed: 26)
        let snapshot = pair.benPrekeys
        var prekeys = snapshot
        #expect(prekeys.made(pair.bundle))
        func renewed(_ prekeys: inout Prekeys, day: Int64) throws -> VerifiedBundle {
            try prekeys.renew(
                for: pair.ben, signing: pair.benSigning, serial: 1, headsDigest: Octets32(),
                now: Acquaintance.start.adding(day * Self.day), random: pair.random, kem: HollowKEM())
        }
        let second = try renewed(&prekeys, day: 7)
        #expect(prekeys.made(second))
        #expect(prekeys.made(pair.bundle))
        #expect(!snapshot.made(second))
        var restored = snapshot
        let other = try renewed(&restored, day: 8)
        #expect(restored.made(other))
        #expect(!restored.made(second))
        #expect(!prekeys.made(other))
        // Of an erased bundle nothing is known any more, and it proves nothing.
        _ = prekeys.erase(now: Acquaintance.start.adding(29 * Self.day))
        #expect(prekeys.made(pair.bundle))
    }
}
