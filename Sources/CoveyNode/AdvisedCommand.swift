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
    // At a desk.
    case cosign
    case withdraw
    case takeFollowing
    case writeLog
    case importLogWithKeys
    case verifyRelease

    /// Every kind, of a device or an authority of this name.
    package static func all(of name: String) -> [AdvisedCommand] {
        [
            .renew(device: name), .renewAuthority(name), .announceEpoch, .confirm(device: name), .lift(device: name),
            .liftForNode(device: name), .revoke(device: name), .suspend(device: name), .importLog,
            .recoverFork(log: name), .recover(log: name), .listOrders, .cosign, .withdraw, .takeFollowing, .writeLog,
            .importLogWithKeys, .verifyRelease,
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
        case .cosign: "covey authority cosign FILE"
        case .withdraw: "covey authority withdraw"
        case .takeFollowing: "covey authority rotate --take FILE"
        case .writeLog: "covey authority log -o FILE.log"
        case .importLogWithKeys: "covey log import FILE.log --authority DIR"
        case .verifyRelease: "covey release verify FILE"
        }
    }

    /// A name as a shell takes it for one word.
    private static func word(_ name: String) -> String {
        // Letters, digits, - . _, and all beyond ASCII.
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
            default: false
            }
        }
        return isPlain
            ? name : "'" + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
