import CoveyCrypto

/// BLAKE2b-256 of the payload of a PolicySet.
package struct PolicyHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// The rules of a mesh, set by its root (log kind 2; keys in protocol.md appendix C).
///
///     01 policy_no 4 · 02 n × ( key u16 | value u32 ), keys ascending
package struct Policy: Hashable, Sendable {
    package enum Key: UInt16, Sendable, CaseIterable {
        case freshDays = 1
        case staleDays = 2
        case bundleLifeDays = 3
        case epochGraceDays = 4
        case certificateLifeDays = 5
        case zone255Forced = 6
        case originOpen = 7
        case relayWhileLocked = 8
        case duressAllowed = 9
        /// Minutes.
        case messageTimerLeast = 10
        case messageTimerMost = 11

        package var standard: UInt32 {
            switch self {
            case .freshDays: 7
            case .staleDays: 30
            case .bundleLifeDays: 14
            case .epochGraceDays: 30
            case .certificateLifeDays: 90
            case .zone255Forced, .originOpen, .relayWhileLocked, .duressAllowed: 0
            case .messageTimerLeast, .messageTimerMost: 0
            }
        }
    }

    package struct Setting: Hashable, Sendable {
        /// A `Key`, or one that this version does not know and ignores.
        package let key: UInt16
        package let value: UInt32

        package init(_ key: Key, _ value: UInt32) {
            self.key = key.rawValue
            self.value = value
        }

        fileprivate init(raw key: UInt16, _ value: UInt32) {
            self.key = key
            self.value = value
        }
    }

    private static let settingSize = 6
    private static let mostSettings = 256
    private static let rules = [
        FieldRule(0x01, .exact(4)), FieldRule(0x02, .items(size: settingSize, least: 1, most: mostSettings)),
    ]

    package let number: UInt32
    package let settings: [Setting]
    /// As it stands in the entry, fields we ignore included.
    package let payload: [UInt8]

    /// `settings` ascend by key, at least one.
    package init(number: UInt32, settings: [Setting]) {
        precondition(!settings.isEmpty && settings.count <= Self.mostSettings, "a policy has 1 to 256 settings")
        precondition(
            zip(settings, settings.dropFirst()).allSatisfy { $0.key < $1.key }, "settings ascend by their keys")
        self.number = number
        self.settings = settings
        var writer = CanonicalWriter()
        writer.field(0x01, u32: number)
        var value: [UInt8] = []
        for setting in settings {
            value.append(u16: setting.key)
            value.append(u32: setting.value)
        }
        writer.field(0x02, bytes: value)
        payload = writer.bytes
    }

    init(parsing payload: ArraySlice<UInt8>) throws(Malformed) {
        let fields = try CanonicalFields(parsing: payload, rules: Self.rules)
        number = UInt32(fields.integer(0x01))
        let bytes = fields.bytes(0x02)
        var settings: [Setting] = []
        for start in stride(from: 0, to: bytes.count, by: Self.settingSize) {
            let key = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
            let value = bytes[start + 2..<start + 6].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            if let last = settings.last, last.key >= key { throw .value(0x02) }
            settings.append(Setting(raw: key, value))
        }
        self.settings = settings
        self.payload = Array(payload)
    }

    /// The policy that follows: what is named is changed, everything else stays, keys that we do not know too. Numbers may
    /// be used up.
    package func changing(_ changes: [Key: UInt32]) throws(AuthorityRefusal) -> Policy {
        guard number < .max else { throw .serials }
        var values = Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.value) })
        for (key, value) in changes { values[key.rawValue] = value }
        return Policy(number: number + 1, settings: values.sorted { $0.key < $1.key }.map(Setting.init(raw:_:)))
    }

    package subscript(key: Key) -> UInt32 {
        settings.first { $0.key == key.rawValue }?.value ?? key.standard
    }

    package var hash: PolicyHash { Blake2b.hash(payload.span.bytes, personal: .policy) }
}
