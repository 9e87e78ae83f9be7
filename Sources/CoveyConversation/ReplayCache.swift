package import CoveyCore
package import CoveyCrypto

/// The ephemeral keys of first messages that were opened: each opens one session, also after a restart
/// (protocol.md §4.1).
///
/// Keys are kept until the private prekey they were used with is erased: from then on the message cannot be opened.
package struct ReplayCache: Sendable {
    /// A key, and the bundle it was used with. A record of the table `firstMessages`: key `EK 32`, value `bundle_seq u32`.
    package struct Entry: Hashable, Sendable {
        package let key: AgreementPublicKey
        package let sequence: UInt32

        package init(key: AgreementPublicKey, sequence: UInt32) {
            self.key = key
            self.sequence = sequence
        }

        package var record: (key: [UInt8], value: [UInt8]) {
            var value: [UInt8] = []
            value.append(u32: sequence)
            return (key.array, value)
        }
    }

    private var sequences: [AgreementPublicKey: UInt32] = [:]

    package init() {}

    /// What the store gives back at the start.
    package init(records: [(key: [UInt8], value: [UInt8])]) throws(Malformed) {
        sequences.reserveCapacity(records.count)
        for record in records {
            guard let key = AgreementPublicKey(record.key), record.value.count == 4 else { throw .truncated }
            sequences[key] = record.value.reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    package var count: Int { sequences.count }

    /// Then no first message is opened: to forget a key early would let its message in twice.
    package var isFull: Bool { sequences.count >= ConversationBounds.replayKeys }

    package func contains(_ key: AgreementPublicKey) -> Bool { sequences[key] != nil }

    package mutating func insert(_ entry: Entry) { sequences[entry.key] = entry.sequence }

    /// Forgets all keys used with erased prekeys, and returns them in order: their records go too.
    package mutating func forget(prekeys erased: [UInt32]) -> [AgreementPublicKey] {
        guard !erased.isEmpty else { return [] }
        let gone = sequences.filter { erased.contains($0.value) }.map(\.key).sorted()
        for key in gone { sequences[key] = nil }
        return gone
    }
}
