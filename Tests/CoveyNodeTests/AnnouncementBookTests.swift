import CoveyCore
import CoveyCrypto
import Testing

@testable import CoveyNode

@Suite("The book of announcements")
struct AnnouncementBookTests {
    private static let key = SigningPrivateKey(seed: SymmetricKey(from: SeededRandom(seed: 1)))
    private let store = MemoryStore()

    private func author(_ number: UInt16) throws -> DeviceID {
        try #require(DeviceID([UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 0, count: 14)))
    }

    private func entry(
        _ author: UInt16, _ number: UInt64, _ text: String? = nil, waits: TTL? = nil
    ) throws -> HeardAnnouncement {
        let content = Announcement.Content(
            author: try self.author(author), sequence: number, issued: Minute(29_900_000), expires: Hour(500_000),
            severity: .information, text: text ?? "\(number)")
        return HeardAnnouncement(
            try Announcement.make(content, mesh: MeshID(), key: Self.key), received: Minute(29_900_000),
            priority: .normal, epoch: EpochCommit(), waits: waits)
    }

    @Test("What waits goes on waiting when another author says something under its number", arguments: [UInt16(1), 3])
    func waiting(other: UInt16) throws {
        var book = AnnouncementBook()
        try book.put(try entry(2, 1, waits: .day), store)
        try book.put(try entry(other, 1), store)
        #expect(book.waiting == [1])
        var loaded = AnnouncementBook()
        try loaded.load(store)
        #expect(loaded.waiting == [1])
        try loaded.put(try entry(2, 1), store)
        #expect(loaded.waiting.isEmpty)
    }

    @Test("An emergency has the place of the envelope that brought it last, and two texts of a number have places")
    func emergencies() throws {
        let random = SeededRandom(seed: 2)
        let envelopes = (0..<2).map { _ in EnvelopeID.random(from: random) }
        var heard = try entry(1, 1)
        let (other, third) = (try entry(1, 1, "other").announcement, try entry(1, 1, "third").announcement)
        var book = AnnouncementBook()
        #expect(book.mayCarry(emergency: third))
        try book.put(heard, store)
        for envelope in envelopes {
            book.carries(emergency: heard.announcement, in: envelope)
            #expect(book.carrier(ofEmergency: heard.announcement) == envelope)
        }
        #expect(book.mayCarry(emergency: other) && book.carrier(ofEmergency: other) == nil)
        heard.conflict = other
        try book.put(heard, store)
        book.carries(emergency: other, in: envelopes[0])
        book.carries(emergency: third, in: envelopes[0])
        #expect(book.mayCarry(emergency: heard.announcement) && book.mayCarry(emergency: other))
        #expect(book.carrier(ofEmergency: other) == envelopes[0])
        #expect(!book.mayCarry(emergency: third) && book.carrier(ofEmergency: third) == nil)
        // With its announcement it is forgotten.
        for number in 2...UInt64(Limits.announcementsOfAuthor) + 1 { try book.put(try entry(1, number), store) }
        #expect(book[try author(1), 1] == nil)
        for gone in [heard.announcement, other] { #expect(book.carrier(ofEmergency: gone) == nil) }
    }

    @Test("Of an author's more than 256 the oldest goes that does not wait")
    func share() throws {
        var book = AnnouncementBook()
        try book.put(try entry(1, 1, waits: .day), store)
        for number in 2...UInt64(Limits.announcementsOfAuthor) { #expect(try book.put(try entry(1, number), store)) }
        #expect(try book.put(try entry(1, 1_000), store))
        let (author, kept) = (try author(1), UInt64(Limits.announcementsOfAuthor))
        #expect(book[author, 1] != nil && book[author, 2] == nil && book[author, 3] != nil)
        #expect(try !book.put(try entry(1, 2), store))
        #expect(book.heard[author]?.count == Int(kept))
    }

    @Test("A full book takes a new author in: the oldest of the author who has most goes")
    func full() throws {
        var book = AnnouncementBook()
        let authors = UInt16(Limits.announcements / Limits.announcementsOfAuthor)
        for author in 1...authors {
            for number in 1...UInt64(Limits.announcementsOfAuthor) {
                let isKeptBack = author == authors && number <= 200
                try book.put(try entry(author, number, waits: isKeptBack ? .day : nil), store)
            }
        }
        for number in 1...100 as ClosedRange<UInt64> { #expect(try book.put(try entry(1_000, number), store)) }
        #expect(book.heard[try author(1_000)]?.count == 100)
        #expect(book.heard.values.reduce(0) { $0 + $1.count } == Limits.announcements)
        #expect(book.waiting.count == 200)
        // Who has most gives, one after the other; of the last of them most waits.
        let counts = try (1...authors).map { book.heard[try author($0)]?.count ?? 0 }
        #expect(counts.dropLast().allSatisfy { (249...250).contains($0) } && counts.last == 256)
        #expect(store.all(.announcements).count == Limits.announcements)
    }
}
