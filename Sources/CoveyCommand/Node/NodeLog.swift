import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV
import Glibc
import Logging

/// What a running node tells those who watch it: the ready line on the standard output, and log lines.
final class NodeLog {
    enum Bounds {
        /// Lines about refused strangers in one minute: whoever can reach a port could fill a disk with them.
        static let refusals = 20
    }

    private let logger: Logger
    private let format: Configuration.LogFormat
    private var minute: Int = 0
    private var refused = 0
    /// Known from the ready line on.
    private var device: DeviceID?

    init(_ configuration: Configuration) {
        format = configuration.logFormat
        let handler = StandardErrorLog(format, level: configuration.logLevel)
        logger = Logger(label: "covey") { _ in handler }
    }

    func warn(_ text: String) { logger.warning("\(text)") }

    func observed(_ observation: Observation) {
        let level = Self.level(of: observation)
        guard level >= logger.logLevel else { return }
        let now = time(nil)
        if case .refused = observation, !mayTellRefusal(at: now / 60) { return }
        let event = EventEntry(observation, at: Time(secondsSince1970: Int64(now)))
        var fields = event.fields.mapValues { Logger.MetadataValue.string($0) }
        fields["event"] = .string(event.kind)
        logger.log(level: level, "\(event.text)", metadata: fields)
        if case .noteLearnt(_, device) = observation { warn(Self.revokedWords) }
    }

    /// Of a node whose store was removed, or put back empty.
    static let nobodyWords =
        "the store here does not know this device: put back a copy of it, or give it back the membership at the desk's machine, covey log import ALL.log --authority DIR, or enrol it anew"
    private static let revokedWords = "this device is revoked, and no member any more; it only passes the log on"

    private func mayTellRefusal(at minute: Int) -> Bool {
        if minute != self.minute {
            if refused > Bounds.refusals {
                logger.info("refused \(refused - Bounds.refusals) more; covey status counts them all")
            }
            self.minute = minute
            refused = 0
        }
        refused += 1
        return refused <= Bounds.refusals
    }

    private static func level(of observation: Observation) -> Logger.Level {
        switch observation {
        case .heardBeacon, .dialling, .stored, .handedOn, .expired: .debug
        case .started, .linkUp, .linkDown, .refused, .logAccepted, .epochLearnt, .delivered: .info
        case .announced, .noteLearnt, .suspendLearnt, .quarantined, .staleness, .wipeReceipt: .notice
        case .warning, .wipeAccepted, .wipeRefused: .warning
        }
    }

    private struct Ready: Answer {
        let device: String
        let label: String
        let mesh: String
        let meshName: String
        let listen: [String]
        let control: String
        let ready = true

        var text: String {
            let places = listen.isEmpty ? "no address yet" : listen.joined(separator: ", ")
            let name = label.isEmpty ? "no member" : label
            return "ready: \(name) (\(LogText.short(device))) of \(meshName), listening on \(places)"
        }
    }

    /// Scripts wait for this line.
    func ready(_ status: Status, at addresses: [SocketAddress], control: String) {
        let ready = Ready(
            device: status.device.hex, label: status.label, mesh: status.mesh.hex, meshName: status.meshName,
            listen: addresses.map(\.description), control: control)
        do { try ready.show(asJSON: format == .json) } catch { warn("\(error)") }
        let isNearlyRight = status.clockBehind.map { $0 < MeshClock.Bounds.mostBehind } ?? false
        if !status.timeIsTrusted, !isNearlyRight {
            warn("this machine's clock is not to be trusted; mail goes by the clocks of neighbours until it is set")
        }
        device = status.device
        if status.label.isEmpty { warn(Self.nobodyWords) }
        if let reason = status.revoked { warn(Self.revokedWords + " (\(reason.word))") }
        if status.isHolding {
            warn(
                "the network key is known to a revoked device; messages go on, but an authority must announce a new key"
            )
        }
    }
}
