/// Hosts alike: `{name: north, count: 90, profile: laptop, store: 50MB}`. They are called `north.0` … `north.89`.
package struct HostGroup: Hashable, Sendable {
    package enum Profile: String, CaseIterable, Sendable {
        case phone, laptop, server, embedded

        /// What a device of this kind keeps when the file does not say.
        package var store: ByteCount {
            switch self {
            case .phone: ByteCount(256_000_000)
            case .laptop: ByteCount(1_000_000_000)
            case .server: ByteCount(4_000_000_000)
            case .embedded: ByteCount(16_000_000)
            }
        }
    }

    /// How a clock is wrong.
    package struct Clock: Hashable, Sendable {
        /// Standard deviation of the error at the start.
        package var skew: TimeSpan
        /// Parts per million that it runs fast; half of the hosts run as much slow.
        package var driftPpm: Double
        /// Keeps time without power.
        package var rtc: Bool

        package static let right = Clock(skew: .zero, driftPpm: 0, rtc: true)
    }

    package struct Power: Hashable, Sendable {
        /// Milliampere hours.
        package var battery: Double
        /// Milliamperes while the radio is on a link.
        package var radio: Double
    }

    package var name: String
    package var count: Int
    package var profile: Profile
    package var store: ByteCount
    /// The zone. Nil: the group is no zone of its own.
    package var routingGroup: String?
    package var policy: String?
    package var clock: Clock
    package var power: Power?

    static func read(_ item: Item) -> HostGroup? {
        item.map { fields in
            let name = fields.required("name") { $0.name() }
            let count = fields.required("count") { $0.integer(1...ScenarioBounds.hosts) }
            // Known from now on, also when something else is wrong with it: what names it is not to blame.
            if let name, fields.findings.hosts.updateValue(count ?? ScenarioBounds.hosts, forKey: name) != nil {
                fields.item.problem("two groups are called “\(name)”")
            }
            let profile = fields.optional("profile") { $0.choice(Profile.self) } ?? .laptop
            let store = fields.optional("store") { $0.bytes() } ?? profile.store
            let zone = fields.optional("routingGroup") { $0.name() }
            let policy = fields.optional("policy") { $0.name() }
            let clock = fields.optional("clock") { $0.map { readClock(&$0) } } ?? .right
            let power = fields.optional("power") { $0.map { readPower(&$0) } }
            guard let name, let count else { return nil }
            return HostGroup(
                name: name, count: count, profile: profile, store: store, routingGroup: zone, policy: policy,
                clock: clock, power: power)
        }
    }

    private static func readClock(_ fields: inout Fields) -> Clock? {
        Clock(
            skew: fields.optional("skew") { $0.span() } ?? .zero,
            driftPpm: fields.optional("driftPpm") { $0.number(0...10_000) } ?? 0,
            rtc: fields.optional("rtc") { $0.boolean() } ?? true)
    }

    private static func readPower(_ fields: inout Fields) -> Power? {
        let battery = fields.required("battery") { $0.number(0...1e9) }
        let radio = fields.required("radio") { $0.number(0...1e6) }
        guard let battery, let radio else { return nil }
        return Power(battery: battery, radio: radio)
    }

    var yaml: YAMLValue {
        .map([
            ("name", .text(name)), ("count", .text(count)), ("profile", .text(profile.rawValue)),
            ("store", store == profile.store ? nil : .text(store)), ("routingGroup", routingGroup.map { .text($0) }),
            ("policy", policy.map { .text($0) }),
            (
                "clock",
                clock == .right
                    ? nil
                    : .map([
                        ("skew", clock.skew == .zero ? nil : .text(clock.skew)),
                        ("driftPpm", clock.driftPpm == 0 ? nil : .text(Numeral.text(clock.driftPpm))),
                        ("rtc", clock.rtc ? nil : .text("false")),
                    ])
            ),
            (
                "power",
                power.map {
                    .map([("battery", .text(Numeral.text($0.battery))), ("radio", .text(Numeral.text($0.radio)))])
                }
            ),
        ])
    }
}
