import CoveyUV
import Logging

/// One setting: how it is called in the file, the environment and on the command line, and what it does.
struct Setting: Sendable {
    /// As in the file, with its section.
    let key: String
    let flag: String
    let isList: Bool
    /// Takes at least one value unless it is a list. Returns what would be understood, or nil when it was.
    let apply: @Sendable (inout Configuration, [String]) -> String?

    /// `COVEY_` and the key, in capitals.
    var environment: String {
        "COVEY_" + String(key.uppercased().map { $0 == "." ? "_" : $0 })
    }

    private init(
        _ key: String, flag: String? = nil, isList: Bool = false,
        apply: @escaping @Sendable (inout Configuration, [String]) -> String?
    ) {
        self.key = key
        self.flag = flag ?? key
        self.isList = isList
        self.apply = apply
    }

    private enum Bounds {
        /// Bytes. Below this the store could not take in a burst of one neighbour.
        static let leastQuota: UInt64 = 16 << 20
        /// Milliseconds (surface.md, "Durability").
        static let mostCommit: UInt64 = 200
        /// Listeners, and configured peers.
        static let addresses = 64
    }

    static let all: [Setting] = [
        Setting("home") {
            guard !$1[0].isEmpty else { return "a directory" }
            $0.home = $1[0]
            return nil
        },
        Setting("listen", isList: true) { configuration, values in
            let parsed = values.compactMap(Configuration.HostPort.init)
            guard (1...Bounds.addresses).contains(values.count), parsed.count == values.count else {
                return "addresses such as \"0.0.0.0:26117\" or \"[::]:26117\""
            }
            configuration.listen = parsed
            return nil
        },
        Setting("answer_static", flag: "answer-static") { configuration, values in
            guard let value = Bool(values[0]) else { return "true or false" }
            configuration.answersStatic = value
            return nil
        },
        Setting("control") {
            guard !$1[0].isEmpty else { return "the path of a socket" }
            $0.control = $1[0]
            return nil
        },
        Setting("peers", flag: "peer", isList: true) { configuration, values in
            let parsed = values.compactMap(Configuration.Peer.init)
            guard values.count <= Bounds.addresses, parsed.count == values.count else {
                return "peers such as \"192.0.2.9:26117\", or \"host:26117#\" and the 32 digits of a device"
            }
            configuration.peers = parsed
            return nil
        },
        Setting("discovery.multicast", flag: "multicast") {
            guard let value = MulticastUse(rawValue: $1[0]) else { return "on, listen or off" }
            $0.multicast = value
            return nil
        },
        Setting("discovery.interfaces", flag: "interface", isList: true) {
            guard $1.allSatisfy({ !$0.isEmpty }) else { return "names of interfaces, such as \"eth0\"" }
            $0.interfaces = $1
            return nil
        },
        Setting("discovery.port", flag: "discovery-port") {
            guard let value = UInt16($1[0]), value > 0 else { return "a port from 1 to 65535" }
            $0.discoveryPort = value
            return nil
        },
        Setting("store.quota", flag: "quota") {
            guard let value = bytes($1[0]), value >= Bounds.leastQuota else {
                return "a size of at least 16MiB, such as \"1GiB\""
            }
            $0.quota = value
            return nil
        },
        Setting("store.commit", flag: "commit") {
            guard let value = milliseconds($1[0]), value <= Bounds.mostCommit else {
                return "at most 200ms, such as \"50ms\""
            }
            $0.commit = value
            return nil
        },
        Setting("log.level", flag: "log-level") {
            let levels: [Logger.Level] = [.debug, .info, .notice, .warning, .error]
            let name = $1[0]
            guard let value = levels.first(where: { $0.rawValue == name }) else {
                return "debug, info, notice, warning or error"
            }
            $0.logLevel = value
            return nil
        },
        Setting("log.format", flag: "log-format") {
            guard let value = Configuration.LogFormat(rawValue: $1[0]) else { return "text or json" }
            $0.logFormat = value
            return nil
        },
    ]

    /// `1GiB`, `16MiB`, `512KiB`, or a number of bytes.
    private static func bytes(_ text: String) -> UInt64? {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where text.hasSuffix(unit) {
            guard let count = UInt64(text.dropLast(unit.count)), count <= 1 << 20 else { return nil }
            return count << UInt64(shift)
        }
        guard let count = UInt64(text), count <= 1 << 50 else { return nil }
        return count
    }

    private static func milliseconds(_ text: String) -> UInt64? {
        text.hasSuffix("ms") ? UInt64(text.dropLast(2)) : nil
    }
}
