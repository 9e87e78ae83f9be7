/// A settings file of The ONE for a run over a trace: lines of `Key = value`.
///
/// Only what decides such a run is read; keys of reports, maps and other routers are passed over. What The ONE would
/// take from its `default_settings.txt` has to be said here: this program has no such file.
package struct OneSettingsFile: Equatable, Sendable {
    package var name: String
    package var settings: OneSettings
    /// As the file says it, with `%BASE%` put in.
    package var tracePath: String
    package var workloadPath: String

    /// - Parameter base: what stands for `%BASE%`.
    package init(_ file: TraceFile, base: String) throws(TraceError) {
        let keys = try Keys(file, base: base)
        name = keys.text("Scenario.name")?.value ?? file.path
        for (key, only) in [
            ("Scenario.simulateConnections", "false"), ("Scenario.nrofHostGroups", "1"), ("Events.nrof", "2"),
            ("Events1.class", "ExternalEventsQueue"), ("Events2.class", "ExternalEventsQueue"),
            ("SprayAndWaitRouter.binaryMode", "true"),
        ] {
            // The ONE moves and connects nodes by itself unless it is told not to; the other keys have one group and
            // binary spraying where they are absent.
            guard let found = keys.text(key) else {
                if key == "Scenario.nrofHostGroups" || key == "SprayAndWaitRouter.binaryMode" { continue }
                throw keys.missing(key, only)
            }
            guard found.value == only else { throw keys.unsupported(found, "\(key) = \(found.value), only \(only)") }
        }
        let medium = try keys.needed("Group.interface1", "the name of an interface").value
        let router = try keys.needed("Group.router", "a router")
        let kind: OneSettings.Router
        switch router.value {
        case "EpidemicRouter": kind = .epidemic
        case "DirectDeliveryRouter": kind = .directDelivery
        case "FirstContactRouter": kind = .firstContact
        case "SprayAndWaitRouter":
            kind = .sprayAndWait(copies: try keys.whole("SprayAndWaitRouter.nrofCopies", "a number of copies"))
        case "ProphetRouter":
            var rules = OneProphet()
            rules.unit = Double(try keys.whole("ProphetRouter.secondsInTimeUnit", "a number of seconds"))
            if keys.text("ProphetRouter.beta") != nil { rules.beta = try keys.number("ProphetRouter.beta", "a factor") }
            kind = .prophet(rules)
        default: throw keys.unsupported(router, "the router \(router.value)")
        }
        let queueMode = try keys.whole("Group.sendQueue", "1 (random) or 2 (first in, first out)")
        let queue: OneSettings.Queue
        switch queueMode {
        case 1: queue = .random
        case 2: queue = .fifo
        default: throw keys.unsupported(try keys.needed("Group.sendQueue", ""), "the queue mode \(queueMode)")
        }
        let ttl = try keys.whole("Group.msgTtl", "a life in minutes, -1 for one without end")
        var shuffles = true
        if let found = keys.text("Optimization.randomizeUpdateOrder") {
            guard found.value == "true" || found.value == "false" else {
                throw keys.unsupported(found, "\(found.value) for true or false")
            }
            shuffles = found.value == "true"
        }
        settings = OneSettings(
            nodes: try keys.whole("Group.nrofHosts", "a number of hosts"),
            end: try keys.number("Scenario.endTime", "the end in seconds"),
            tick: try keys.number("Scenario.updateInterval", "a tick in seconds"), router: kind, queue: queue,
            ttl: ttl < 0 ? nil : ttl, buffer: try keys.whole("Group.bufferSize", "the bytes of a buffer"),
            speed: try keys.whole(medium + ".transmitSpeed", "bytes a second"), shufflesNodes: shuffles)
        tracePath = try keys.needed("Events1.filePath", "the contacts").value
        workloadPath = try keys.needed("Events2.filePath", "the messages").value
    }
}

/// The lines of a settings file by their keys; a later line overrides an earlier one.
private struct Keys {
    struct Entry {
        var value: String
        var line: Int
    }

    private let path: String
    private var entries: [String: Entry] = [:]

    init(_ file: TraceFile, base: String) throws(TraceError) {
        path = file.path
        let lines = file.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let text = String(decoding: bytes, as: UTF8.self).trimmed
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard let equals = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw TraceError(path: path, line: index + 1, mistake: .expected("Key = value", found: text))
            }
            let value = String(text[text.index(after: equals)...]).trimmed
            entries[String(text[..<equals]).trimmed] = Entry(
                value: value.replacing("%BASE%", with: base), line: index + 1)
        }
    }

    func text(_ key: String) -> Entry? { entries[key] }

    func needed(_ key: String, _ what: String) throws(TraceError) -> Entry {
        guard let entry = entries[key] else { throw missing(key, what) }
        return entry
    }

    func missing(_ key: String, _ what: String) -> TraceError {
        TraceError(path: path, line: 0, mistake: .expected("\(key) = \(what)", found: ""))
    }

    func unsupported(_ entry: Entry, _ what: String) -> TraceError {
        TraceError(path: path, line: entry.line, mistake: .unsupported(what))
    }

    /// The ONE's numbers may end in k, M or G, of a thousand each.
    func number(_ key: String, _ what: String) throws(TraceError) -> Double {
        let entry = try needed(key, what)
        var digits = Substring(entry.value)
        var factor = 1.0
        switch digits.last {
        case "k": factor = 1e3
        case "M": factor = 1e6
        case "G": factor = 1e9
        default: break
        }
        if factor != 1 { digits.removeLast() }
        guard let number = Double(digits), number.isFinite else {
            throw TraceError(path: path, line: entry.line, mistake: .expected(what, found: entry.value))
        }
        return number * factor
    }

    func whole(_ key: String, _ what: String) throws(TraceError) -> Int {
        let number = try number(key, what)
        guard let whole = Int(exactly: number) else {
            let entry = try needed(key, what)
            throw TraceError(path: path, line: entry.line, mistake: .expected(what, found: entry.value))
        }
        return whole
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = Substring(self)
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
