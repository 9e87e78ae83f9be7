package import CoveyCore
import CoveyCrypto

/// Whose first message an envelope is, told by its tag (protocol.md §3.2).
///
/// Tags of a day are made when the day is first seen, for every contact and each of four indices: 8 bytes are kept of
/// each. A lookup compares these, and the whole tag only when they match. Days beyond what the lifetime of mail
/// allows push out the earliest.
package struct TagIndex: Sendable {
    private struct Contact: Sendable {
        let device: DeviceID
        let key: SymmetricKey
    }

    private var contacts: [Contact] = []
    /// Ascending.
    private var days: [TagDay] = []

    package init() {}

    package var contactCount: Int { contacts.count }
    package var heldDays: [ExpiryDay] { days.map(\.day) }

    /// Adds a contact, also to the days that are held. Look at held envelopes again afterwards.
    package mutating func add(_ peer: PeerDevice) {
        precondition(contacts.count < ConversationBounds.contacts, "a mesh has at most a million devices")
        let contact = Contact(device: peer.id, key: peer.pair.incoming.tag)
        let number = UInt32(contacts.count)
        contacts.append(contact)
        for at in days.indices { Self.fill(&days[at], contact.key, number) }
    }

    /// The contact whose tag it is; nil for others' mail. The first time of a day costs the tags of all contacts.
    package mutating func sender(of header: EnvelopeHeader) -> DeviceID? {
        let day = header.expiryDay
        for at in days.indices where days[at].day == day { return find(header.tag, in: at) }
        let made = open(day)
        return find(header.tag, in: made)
    }

    private func find(_ tag: RecipientTag, in place: Int) -> DeviceID? {
        days[place].first(prefix: tag.prefix) { entry in
            let contact = contacts[Int(entry / 4)]
            let full = RecipientTag(day: days[place].day, index: UInt8(entry % 4), key: contact.key)
            return full == tag ? contact.device : nil
        }
    }

    /// Makes the tags of a day; returns its place.
    private mutating func open(_ day: ExpiryDay) -> Int {
        var made = TagDay(day, capacity: contacts.count * RecipientTag.indices.count)
        for (number, contact) in contacts.enumerated() { Self.fill(&made, contact.key, UInt32(number)) }
        if days.count == ConversationBounds.tagDays {
            // A day before all held ones means that the clock went back: then the latest is the one out of time.
            days.remove(at: day < days[0].day ? days.count - 1 : 0)
        }
        let place = days.firstIndex { day < $0.day } ?? days.count
        days.insert(made, at: place)
        return place
    }

    private static func fill(_ day: inout TagDay, _ key: SymmetricKey, _ number: UInt32) {
        for index in RecipientTag.indices {
            let tag = RecipientTag(day: day.day, index: index, key: key)
            day.insert(prefix: tag.prefix, entry: number * 4 + UInt32(index))
        }
    }
}

/// The tags of one day: open addressing, at most half full. Tags are as good as random, so a prefix is its own hash.
private struct TagDay: Sendable {
    private struct Slot: BitwiseCopyable {
        var prefix: UInt64
        /// Entry and 1; 0 is an empty slot.
        var mark: UInt32
    }

    let day: ExpiryDay
    private var slots: [Slot]
    private var count = 0

    init(_ day: ExpiryDay, capacity: Int) {
        self.day = day
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(prefix: 0, mark: 0), count: size)
    }

    mutating func insert(prefix: UInt64, entry: UInt32) {
        if (count + 1) * 2 > slots.count { grow() }
        place(Slot(prefix: prefix, mark: entry + 1))
        count += 1
    }

    /// The first answer of `check` among the entries with this prefix.
    @inline(__always)
    func first<Answer>(prefix: UInt64, _ check: (UInt32) -> Answer?) -> Answer? {
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: prefix) & mask
        while slots[at].mark != 0 {
            if slots[at].prefix == prefix, let answer = check(slots[at].mark - 1) { return answer }
            at = (at + 1) & mask
        }
        return nil
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: slot.prefix) & mask
        while slots[at].mark != 0 { at = (at + 1) & mask }
        slots[at] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(prefix: 0, mark: 0), count: old.count * 2)
        for slot in old where slot.mark != 0 { place(slot) }
    }
}

extension RecipientTag {
    /// The first 8 bytes.
    fileprivate var prefix: UInt64 {
        withUnsafeBytes(of: self) { $0.loadUnaligned(as: UInt64.self) }
    }
}
