import CoveyCore
import CoveyCrypto

/// An announcement that was heard here, or made.
struct HeardAnnouncement {
    let announcement: Announcement
    let received: Minute
    /// Of its most urgent envelope: anybody who holds the key may seal it anew with another.
    var priority: Priority
    /// The epoch it was sealed under; zeros while it waits.
    var epoch: EpochCommit
    /// Set while it is not sealed yet, as a former member could read it (protocol.md §1.10): how long it is to live.
    var waits: TTL?
    /// Another one that its author signed under the same number: the two prove that it says different things to different
    /// people.
    var conflict: Announcement?

    /// `version 1 | received 4 | priority 1 | commit 32 | size u16 | Signed | Signed of the conflict, if there is one`;
    /// of one that waits `version 2 | ttl 1 | received 4 …`.
    var record: [UInt8] {
        var bytes: [UInt8] = waits.map { [2, $0.rawValue] } ?? [1]
        bytes.append(u32: received.value)
        bytes.append(priority.rawValue)
        bytes.append(epoch)
        bytes.append(u16: UInt16(announcement.signed.bytes.count))
        bytes += announcement.signed.bytes
        bytes += conflict?.signed.bytes ?? []
        return bytes
    }

    init(
        _ announcement: Announcement, received: Minute, priority: Priority, epoch: EpochCommit, waits: TTL? = nil
    ) {
        self.announcement = announcement
        self.received = received
        self.priority = priority
        self.epoch = epoch
        self.waits = waits
    }

    init(record: [UInt8]) throws {
        do {
            var reader = ByteReader(record.span.bytes)
            switch try reader.u8() {
            case 1: waits = nil
            case 2:
                guard let ttl = TTL(rawValue: try reader.u8()) else { throw Malformed.value(0) }
                waits = ttl
            default: throw StoreError.newer("an announcement")
            }
            received = Minute(try reader.u32())
            guard let priority = Priority(rawValue: try reader.u8()) else { throw Malformed.value(0) }
            self.priority = priority
            epoch = try reader.octets()
            announcement = try Announcement(
                parsing: Signed(parsing: try reader.bytes(Int(try reader.u16()))))
            if !reader.isAtEnd {
                conflict = try Announcement(parsing: Signed(parsing: try reader.bytes(reader.remaining)))
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.damaged("an announcement is cut short")
        }
    }
}

/// All announcements this node has heard, by author and number, until a month after they end: so long a missing number can
/// be told from a forgotten one.
struct AnnouncementBook {
    private(set) var heard: [DeviceID: [UInt64: HeardAnnouncement]] = [:]
    private var count = 0
    /// Of each author those that do not wait.
    private var sentCounts: [DeviceID: Int] = [:]
    /// Numbers of our own that wait for a clean epoch, ascending.
    private(set) var waiting: [UInt64] = []
    /// Of emergencies among all the envelope that was taken in last since the start; it may have gone again.
    private var emergencies: [AnnouncementHash: EnvelopeID] = [:]

    static func key(_ author: DeviceID, _ sequence: UInt64) -> [UInt8] {
        var key = author.array
        key.append(u64: sequence)
        return key
    }

    subscript(author: DeviceID, sequence: UInt64) -> HeardAnnouncement? { heard[author]?[sequence] }

    mutating func load(_ store: any Store) throws {
        for record in try store.all(.announcements) { insert(try HeardAnnouncement(record: record.value)) }
    }

    private mutating func insert(_ entry: HeardAnnouncement) {
        let content = entry.announcement.content
        let before = heard[content.author, default: [:]].updateValue(entry, forKey: content.sequence)
        if before == nil { count += 1 }
        let wasSent = before.map { $0.waits == nil } ?? false
        if entry.waits == nil, !wasSent { sentCounts[content.author, default: 0] += 1 }
        // Only ours wait: what others said under the same number is nothing to them.
        if before?.waits != nil { waiting.removeAll { $0 == content.sequence } }
        if entry.waits != nil { waiting = (waiting + [content.sequence]).sorted() }
    }

    /// The envelope in which an emergency was taken in last.
    func carrier(ofEmergency announcement: Announcement) -> EnvelopeID? { emergencies[announcement.hash] }

    /// Whether an emergency is the first of its number, or with the first the other half of a proof.
    func mayCarry(emergency announcement: Announcement) -> Bool {
        let content = announcement.content
        guard let known = self[content.author, content.sequence], let conflict = known.conflict else { return true }
        return [known.announcement.hash, conflict.hash].contains(announcement.hash)
    }

    /// One is carried here: another envelope of the same is not needed while this one stays.
    mutating func carries(emergency announcement: Announcement, in envelope: EnvelopeID) {
        let known = self[announcement.content.author, announcement.content.sequence]
        guard let known, [known.announcement.hash, known.conflict?.hash].contains(announcement.hash) else { return }
        emergencies[announcement.hash] = envelope
    }

    /// Of what an author has more than its share the oldest goes; of what all have together the oldest of the author who
    /// has most, so that nobody keeps others out. What waits stays. False when that is this one.
    @discardableResult
    mutating func put(_ entry: HeardAnnouncement, _ store: any Store) throws -> Bool {
        let content = entry.announcement.content
        try store.put(.announcements, Self.key(content.author, content.sequence), entry.record)
        insert(entry)
        let excess: DeviceID?
        if heard[content.author, default: [:]].count > Limits.announcementsOfAuthor {
            excess = content.author
        } else {
            excess = count > Limits.announcements ? fullest(orElse: content.author) : nil
        }
        guard let excess, let oldest = sent(of: excess).min() else { return true }
        try drop(excess, oldest, store)
        return (excess, oldest) != (content.author, content.sequence)
    }

    /// Numbers of an author but for those that wait.
    private func sent(of author: DeviceID) -> [UInt64] {
        heard[author, default: [:]].filter { $0.value.waits == nil }.map(\.key)
    }

    /// Of whom most is remembered; `author` when nobody has more.
    private func fullest(orElse author: DeviceID) -> DeviceID {
        let most = sentCounts.values.max()
        if sentCounts[author] == most { return author }
        return sentCounts.filter { $0.value == most }.keys.min() ?? author
    }

    private mutating func drop(_ author: DeviceID, _ sequence: UInt64, _ store: any Store) throws {
        guard let gone = heard[author]?.removeValue(forKey: sequence) else { return }
        if gone.waits != nil {
            waiting.removeAll { $0 == sequence }
        } else if let count = sentCounts[author] {
            sentCounts[author] = count > 1 ? count - 1 : nil
        }
        for announcement in [gone.announcement, gone.conflict] {
            if let hash = announcement?.hash { emergencies[hash] = nil }
        }
        if heard[author]?.isEmpty == true { heard[author] = nil }
        count -= 1
        try store.delete(.announcements, Self.key(author, sequence))
    }

    mutating func forget(upTo hour: Hour, _ store: any Store) throws {
        let gone = heard.values.flatMap(\.values).map(\.announcement.content).filter {
            $0.expires.adding(Limits.announcementMemory) <= hour
        }.sorted { ($0.author, $0.sequence) < ($1.author, $1.sequence) }
        for content in gone { try drop(content.author, content.sequence, store) }
    }

    /// Numbers between the lowest and the highest heard of an author that were not heard; at most `Limits.page` of them.
    func gaps(of author: DeviceID) -> [UInt64] {
        guard let numbers = heard[author]?.keys, let first = numbers.min(), let last = numbers.max() else { return [] }
        var gaps: [UInt64] = []
        var expected = first
        for number in numbers.sorted() {
            while expected < number, gaps.count < Limits.page {
                gaps.append(expected)
                expected += 1
            }
            expected = number == last ? number : number + 1
        }
        return gaps
    }
}

/// Which epoch an announcement's tag is made with, by day: what is not for anybody with an epoch we hold is not looked at.
struct AnnouncementTags {
    private var epochs: [EpochCommit] = []
    private var days: [ExpiryDay: [RecipientTag: EpochCommit]] = [:]
    /// Days of the future that a header may name, and one more.
    private static let mostDays = 17

    mutating func epoch(of header: EnvelopeHeader, among held: [EpochRing.Held]) -> EpochCommit? {
        if epochs != held.map(\.keys.commit) {
            epochs = held.map(\.keys.commit)
            days = [:]
        }
        let day = header.expiryDay
        if let known = days[day] { return known[header.tag] }
        if days.count >= Self.mostDays, let oldest = days.keys.min() { days[oldest] = nil }
        var tags: [RecipientTag: EpochCommit] = [:]
        for epoch in held {
            for index in RecipientTag.indices {
                tags[RecipientTag(day: day, index: index, key: epoch.keys.announcement.key)] = epoch.keys.commit
            }
        }
        days[day] = tags
        return tags[header.tag]
    }
}
