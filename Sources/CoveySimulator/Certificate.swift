import CoveyCore

/// What a device's certificate says besides its keys.
public struct Certificate: Hashable, Sendable {
    /// What it may besides carrying and sending mail.
    public var roles: Roles
    /// How long it is good for, in whole days, 400 at most; nil: as the mesh's policy has it, 90 days.
    public var life: Duration?
    /// The teams it belongs to, 0 to 254, at most 16: the first is the one its mail is sent towards.
    public var zones: [UInt8]

    /// - Parameters:
    ///   - life: rounded down to days.
    ///   - zones: at most 16, each 0 to 254.
    public init(roles: Roles = [], life: Duration? = nil, zones: [UInt8] = []) {
        precondition(zones.count <= 16 && !zones.contains(255), "a device has at most 16 zones, of 0 to 254")
        self.roles = roles
        self.life = life
        self.zones = zones
    }

    /// May do what everybody may.
    public static let member = Certificate()

    /// What not everybody may, or is asked.
    public struct Roles: OptionSet, Hashable, Sendable {
        /// One bit a role. The bits are this type's own and not those of a certificate on the wire.
        public let rawValue: Int

        /// - Parameter rawValue: bits that stand for no role are kept and grant nothing.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Its clock is one that others may set theirs by.
        public static let timekeeper = Roles(rawValue: 1)
        /// May announce to the whole mesh.
        public static let announcer = Roles(rawValue: 2)
        /// May order that devices of the organisation lock or erase themselves.
        public static let wipeOfficer = Roles(rawValue: 4)
        /// The organisation may lock and erase it.
        public static let organisationOwned = Roles(rawValue: 8)

        /// Whether two officers have to sign for it.
        var needsTwo: Bool { !isDisjoint(with: [.timekeeper, .announcer, .wipeOfficer]) }
    }

    var days: UInt16? { life.map { UInt16(clamping: $0.components.seconds / 86_400) } }

    var grant: Grant {
        var capabilities = Grant.member
        if roles.contains(.timekeeper) { capabilities.formUnion(.timekeeper) }
        if roles.contains(.announcer) { capabilities.formUnion(.announce) }
        if roles.contains(.wipeOfficer) { capabilities.formUnion(.wipeOfficer) }
        if roles.contains(.organisationOwned) { capabilities.formUnion(.orgOwned) }
        return Grant(capabilities: capabilities, zones: zones, days: days)
    }
}

extension World {
    /// How many keys an authority has, and how many of them have to sign.
    public struct Officers: Hashable, Sendable, CustomStringConvertible {
        /// How many have to sign, 1 to `keys`.
        public let threshold: Int
        /// How many there are, 1 to 7.
        public let keys: Int

        /// - Parameters:
        ///   - threshold: 1 to `keys`.
        ///   - keys: 1 to 7.
        public init(_ threshold: Int, of keys: Int) {
            precondition((1...7).contains(keys) && (1...keys).contains(threshold), "one to all of at most seven sign")
            self.threshold = threshold
            self.keys = keys
        }

        /// One key, and whoever has it has the mesh.
        public static let one = Officers(1, of: 1)

        public var description: String { "\(threshold) of \(keys)" }
    }
}
