import CoveyCore
import CoveyCrypto
import CoveyUV
import Logging

/// How a node is set up: flag over environment over file over default.
struct Configuration: Equatable {
    enum LogFormat: String, CaseIterable { case text, json }

    /// `host:port`, with brackets around an IPv6 address.
    struct HostPort: Equatable {
        var host: String
        var port: UInt16

        init?(_ text: String) {
            let host: Substring
            let rest: Substring
            if text.hasPrefix("[") {
                guard let close = text.firstIndex(of: "]") else { return nil }
                host = text[text.index(after: text.startIndex)..<close]
                rest = text[text.index(after: close)...]
            } else {
                guard let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon else { return nil }
                host = text[..<colon]
                rest = text[colon...]
            }
            guard rest.first == ":", let port = UInt16(rest.dropFirst()), !host.isEmpty else { return nil }
            self.host = String(host)
            self.port = port
        }

        init(_ host: String, _ port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// `host:port#device`: the device, all 32 hex digits of it, need not be told.
    struct Peer: Equatable {
        var at: HostPort
        var device: DeviceID?

        init?(_ text: String) {
            let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            guard let at = HostPort(String(parts[0])), at.port > 0 else { return nil }
            self.at = at
            if parts.count > 1 {
                guard let device = DeviceID(hex: String(parts[1])) else { return nil }
                self.device = device
            }
        }
    }

    static let port: UInt16 = 26117

    var home: String
    var listen = [HostPort("::", port), HostPort("0.0.0.0", port)]
    /// Answers dials that name no beacon of ours, so that others may have this node as a configured peer.
    var answersStatic = true
    var control: String?
    var peers: [Peer] = []
    var multicast = MulticastUse.on
    /// Empty: all but the loopback and those of tunnels and containers.
    var interfaces: [String] = []
    var discoveryPort = port
    /// Bytes.
    var quota: UInt64 = 1 << 30
    /// Milliseconds a commit may wait under load.
    var commit: UInt64 = 200
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text
    /// Variables of the environment that are named like settings and are none.
    var unknownVariables: [String] = []

    init(home: String) { self.home = home }

    var controlPath: String { control ?? home + "/control.sock" }
}

extension Configuration {
    /// - Parameters:
    ///   - flags: what the command line says, by the key of the setting.
    ///   - file: the path that was named; else `covey.toml` of the home is read when it is there.
    static func load(
        flags: [String: [String]] = [:], file: String? = nil, environment: [String: String]
    ) throws -> Configuration {
        let home = try flags["home"]?.first ?? named("COVEY_HOME", environment) ?? defaultHome(environment)
        var configuration = Configuration(home: home)
        let path = file ?? home + "/covey.toml"
        let bytes = try Disk.readIfThere(path, most: Disk.Bounds.configuration)
        if let bytes {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Complaint(.usage, "\(path) is not UTF-8 text; write it again")
            }
            try configuration.apply(ConfigurationFile(text, name: path))
        } else if file != nil {
            throw Disk.cannot("read", path, 2)
        }
        for setting in Setting.all {
            guard let value = named(setting.environment, environment) else { continue }
            let values = setting.isList ? value.split(separator: ",").map(String.init) : [value]
            if let wanted = setting.apply(&configuration, values) {
                throw Complaint(.usage, "\(setting.environment) is \"\(value)\"; it takes \(wanted)")
            }
        }
        for setting in Setting.all {
            guard let values = flags[setting.key], !values.isEmpty else { continue }
            if let wanted = setting.apply(&configuration, values) {
                throw Complaint(.usage, "--\(setting.flag) is \"\(values.joined(separator: ","))\"; it takes \(wanted)")
            }
        }
        let known = Setting.all.map(\.environment) + otherVariables
        configuration.unknownVariables =
            environment.keys.filter { $0.hasPrefix("COVEY_") && !known.contains($0) }.sorted()
        return configuration
    }

    /// Read by commands at a desk, or by the build and the tests.
    private static let otherVariables = [
        "COVEY_AUTHORITY", "COVEY_FUZZ", "COVEY_FUZZ_TARGET", "COVEY_KILLS", "COVEY_ROOMS", "COVEY_SEED",
        "COVEY_SHARED", "COVEY_SIM", "COVEY_SKIP_BUILD", "COVEY_STUDIES", "COVEY_WRITE_DOCS", "COVEY_WRITE_SAMPLES",
    ]

    private mutating func apply(_ file: ConfigurationFile) throws {
        for row in file.rows {
            guard let setting = Setting.all.first(where: { $0.key == row.key }) else {
                let known = Setting.all.map(\.key).joined(separator: ", ")
                throw Complaint(
                    .usage, "\(file.name), line \(row.line): there is no setting \"\(row.key)\"; there are \(known)")
            }
            let wanted: String?
            if let values = row.values, setting.isList == row.isList {
                wanted = setting.apply(&self, values)
            } else {
                wanted = setting.isList ? "a list of texts, such as [\"…\"]" : "one text, number or truth"
            }
            if let wanted {
                throw Complaint(.usage, "\(file.name), line \(row.line): \"\(row.key)\" takes \(wanted)")
            }
        }
    }

    /// An empty variable is as good as none.
    private static func named(_ name: String, _ environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func defaultHome(_ environment: [String: String]) throws -> String {
        if let data = named("XDG_DATA_HOME", environment) { return data + "/covey" }
        if let home = named("HOME", environment) { return home + "/.local/share/covey" }
        throw Complaint(.usage, "there is no home directory: name one with --home DIR or COVEY_HOME")
    }
}
