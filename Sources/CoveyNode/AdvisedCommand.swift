package import CoveyCore
import CoveyCrypto

/// A command that a finding advises, whole, as it is typed. Words in capitals are for whoever types it to fill in.
package enum AdvisedCommand: Hashable, Sendable, CustomStringConvertible {
    /// Of a device, at the authority that enrolled it.
    case renew(device: String)
    /// Of an authority, at the one above it.
    case renewAuthority(String)
    case announceEpoch
    case confirm(device: String)
    case lift(device: String)
    case liftForNode(device: String)
    case revoke(device: String)
    case suspend(device: String)
    case importLog
    case recoverFork(log: String)
    case recover(log: String)
    case listOrders
    case run
    // At a desk.
    case cosign
    case withdraw
    case takeFollowing
    case writeLog
    case importAtDesk
    case importLogWithKeys
    case verifyRelease

    /// Every kind, of a device or an authority of this name.
    package static func all(of name: String) -> [AdvisedCommand] {
        [
            .renew(device: name), .renewAuthority(name), .announceEpoch, .confirm(device: name), .lift(device: name),
            .liftForNode(device: name), .revoke(device: name), .suspend(device: name), .importLog,
            .recoverFork(log: name), .recover(log: name), .listOrders, .run, .cosign, .withdraw, .takeFollowing,
            .writeLog, .importAtDesk, .importLogWithKeys, .verifyRelease,
        ]
    }

    package var description: String {
        switch self {
        case .renew(let device): "covey authority renew \(Self.word(device))"
        case .renewAuthority(let label): "covey authority add \(Self.word(label)) --renew -o FILE.log"
        case .announceEpoch: "covey authority epoch"
        case .confirm(let device): "covey authority verdict \(Self.word(device)) --confirm"
        case .lift(let device): "covey authority verdict \(Self.word(device)) --lift"
        case .liftForNode(let device): "covey authority verdict \(Self.word(device)) --lift --node SOCKET"
        case .revoke(let device): "covey authority revoke \(Self.word(device)) --reason lost"
        case .suspend(let device): "covey suspend \(Self.word(device)) --reason lost"
        case .importLog: "covey log import FILE"
        case .recoverFork(let log): "covey authority recover-fork \(Self.word(log)) --branch ENTRY --key FILE"
        case .recover(let log): "covey authority recover \(Self.word(log)) --branch ENTRY --key FILE --from DIR"
        case .listOrders: "covey wipe --list"
        case .run: "covey run"
        case .cosign: "covey authority cosign FILE"
        case .withdraw: "covey authority withdraw"
        case .takeFollowing: "covey authority rotate --take FILE"
        case .writeLog: "covey authority log -o FILE.log"
        case .importAtDesk: "covey authority import FILE.log --authority DIR"
        case .importLogWithKeys: "covey log import FILE.log --authority DIR"
        case .verifyRelease: "covey release verify FILE"
        }
    }

    /// A name as a shell takes it for one word.
    package static func word(_ name: String) -> String {
        // Letters, digits, - . / _, and all beyond ASCII.
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x2D...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
            default: false
            }
        }
        return isPlain
            ? name : "'" + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

/// How a command names devices and authorities: by the label, and by the id where that is none, begins like an option, or
/// means another as well.
package struct CommandNames {
    private let membership: Membership
    private let devices: [String: [DeviceID]]
    private let authorities: [String: [AuthorityID]]

    package init(of membership: Membership) {
        self.membership = membership
        devices = Dictionary(grouping: membership.devices) { membership.currentCertificate($0)?.label ?? "" }
        authorities = Dictionary(grouping: membership.authoritiesUnder(membership.genesis.rootID)) {
            membership.authority($0)?.content.label ?? ""
        }
    }

    package func name(of holder: Expiry.Holder) -> String {
        switch holder {
        case .device(let device): name(of: device)
        case .authority(let authority): name(of: authority)
        }
    }

    package func name(of device: DeviceID) -> String {
        let label = membership.currentCertificate(device)?.label ?? ""
        var namesakes = devices[label] ?? []
        // A revoked device does not take its successor's name away.
        if namesakes.count > 1 { namesakes.removeAll(where: membership.isRevoked) }
        return Self.isWord(label) && namesakes == [device] ? label : device.hex
    }

    /// Of an authority's log, the root's among them.
    package func name(of log: LogID) -> String {
        if log == membership.genesis.rootID { return Self.root }
        let label = membership.authority(log)?.content.label ?? ""
        return Self.isWord(label) && label != Self.root && authorities[label] == [log] ? label : log.hex
    }

    private static let root = "root"

    private static func isWord(_ label: String) -> Bool { !label.isEmpty && !label.hasPrefix("-") }
}
