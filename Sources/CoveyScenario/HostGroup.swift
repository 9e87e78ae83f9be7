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
        /// The year with whose first day it begins, at the start of the run or, without `rtc`, at each start; nil: now.
        package var year: Int?

        package static let right = Clock(skew: .zero, driftPpm: 0, rtc: true, year: nil)

        /// Seconds since 1970 of the first day of `year`.
        package var shows: Int64? {
            year.map { year in
                let before = Int64(year) - 1
                let days = 365 * before + before / 4 - before / 100 + before / 400
                return (days - 719_162) * 86_400
            }
        }
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
    package var roles: [Role]
    /// How long certificates are good for; nil: 90 days.
    package var certificate: TimeSpan?

    /// What a certificate grants besides what every member may.
    package enum Role: String, CaseIterable, Sendable { case timekeeper, announcer, wipeOfficer, organisationOwned }

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
            let roles = fields.optional("roles") { item -> [Role]? in
                item.list(atMost: Role.allCases.count)?.compactMap { $0.choice(Role.self) }
            }
            let certificate = fields.optional("certificate") { item -> TimeSpan? in
                guard let span = item.span() else { return nil }
                guard span >= .hours(24), span <= .hours(400 * 24) else {
                    item.problem("certificates are good for 1 to 400 days")
                    return nil
                }
                return span
            }
            guard let name, let count else { return nil }
            return HostGroup(
                name: name, count: count, profile: profile, store: store, routingGroup: zone, policy: policy,
                clock: clock, power: power, roles: roles ?? [], certificate: certificate)
        }
    }

    private static func readClock(_ fields: inout Fields) -> Clock? {
        Clock(
            skew: fields.optional("skew") { $0.span() } ?? .zero,
            driftPpm: fields.optional("driftPpm") { $0.number(0...10_000) } ?? 0,
            rtc: fields.optional("rtc") { $0.boolean() } ?? true,
            year: fields.optional("year") { $0.integer(1970...2105) })
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
                        ("rtc", clock.rtc ? nil : .text("false")), ("year", clock.year.map { .text($0) }),
                    ])
            ),
            (
                "power",
                power.map {
                    .map([("battery", .text(Numeral.text($0.battery))), ("radio", .text(Numeral.text($0.radio)))])
                }
            ), ("roles", roles.isEmpty ? nil : .list(roles.map { .text($0.rawValue) })),
            ("certificate", certificate.map { .text($0) }),
        ])
    }
}
