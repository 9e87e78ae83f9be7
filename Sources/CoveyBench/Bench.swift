import Glibc

/// `covey-bench [measure …]`: numbers, one JSON object a line, with the names and fields of the peers' benches.
///
/// Without arguments all measures run. A measure that needs another node starts this program again, with a role.
@main
enum Bench {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if arguments.first == NodeRole.word { return try NodeRole(arguments).run() }
            let chosen = try arguments.isEmpty ? Measure.allCases : arguments.map(Measure.named)
            let failed = chosen.filter { !isMeasured($0, amongAll: arguments.isEmpty) }
            if !failed.isEmpty { exit(1) }
        } catch {
            say("\(error)")
            exit(1)
        }
    }

    /// A measure that fails, or misses its ceiling, does not keep the others from being taken.
    private static func isMeasured(_ measure: Measure, amongAll: Bool) -> Bool {
        if amongAll, let missing = measure.missing {
            say("\(measure.rawValue) is left out: \(missing)")
            return true
        }
        do {
            try measure.run()
            return true
        } catch {
            say("\(measure.rawValue): \(error)")
            return false
        }
    }

    private static func say(_ sentence: String) {
        let text = Array("covey-bench: \(sentence)\n".utf8)
        _ = write(STDERR_FILENO, text, text.count)
    }
}

/// A sentence for a person, and the end of the run.
struct Complaint: Error, CustomStringConvertible {
    let description: String
    init(_ text: String) { description = text }
}

/// What can be measured, in the order in which all are.
enum Measure: String, CaseIterable {
    case crypto
    case certificates
    case log
    case roster
    case admission
    case sending
    case rate
    case latency
    case drain
    case link
    case discovery
    case join
    case idle

    static func named(_ name: String) throws -> Measure {
        guard let measure = Measure(rawValue: name) else {
            let names = allCases.map(\.rawValue).joined(separator: ", ")
            throw Complaint("there is no measure \(name); there are \(names)")
        }
        return measure
    }

    /// What this machine lacks for it.
    var missing: String? {
        switch self {
        case .discovery: Segment.missing
        case .crypto, .certificates, .log, .roster, .admission, .sending, .rate, .latency, .drain, .link, .join, .idle:
            nil
        }
    }

    func run() throws {
        switch self {
        case .crypto: measureCrypto()
        case .certificates: try measureCertificates()
        case .log: try measureLog()
        case .roster: try measureRoster()
        case .admission: try measureAdmission()
        case .sending: try measureSending()
        case .rate: try measureRate()
        case .latency: try measureLatency()
        case .drain: try measureDrain()
        case .link: try measureLink()
        case .discovery: try measureDiscovery()
        case .join: try measureJoin()
        case .idle: try measureIdle()
        }
    }
}
