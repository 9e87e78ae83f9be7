package import CoveyNode

// What a node refuses and why links end, in words for people.

extension Refusal.Code {
    /// For people: what was refused, and what to do where something can be done.
    package var sentence: String {
        switch self {
        case .tooMany: "more connections at once than a node takes; they come again by themselves"
        case .tooOften: "calls from one address faster than a node answers"
        case .timedOut: "calls that came to no end in time"
        case .noNetworkKey:
            "no network key here to call them with: at the desk's machine, \(AdvisedCommand.importLogWithKeys), "
                + "hands it over; where none that counts was announced, an officer announces one: "
                + "\(AdvisedCommand.announceEpoch)"
        case .networkKey:
            "calls under no network key that is held here: strangers, or members that missed the newest one"
        case .suspectKey: "calls under a network key that a revoked device knows"
        case .notOurBeacon:
            "calls that answer no beacon of this node; name it among their peers, or let them hear its beacon"
        case .anotherHour:
            "calls dated more than two hours before this node's clock: recordings, or one of the two clocks is wrong"
        case .wireVersion: "programs of another version; update covey on the older side"
        case .packet: "bytes that are no packets of a mesh, or come out of turn"
        case .handshake: "handshakes that were altered or malformed"
        case .replayed: "first messages that came before, or more of them than are remembered"
        case .unasked: "answers to no call of this node"
        case .ownMessage: "this node's own messages or certificate, sent back"
        case .certificate: "certificates that are damaged, or with a chain that leads nowhere"
        case .certificateSignatures: "certificates that their authority did not sign"
        case .certificateRights:
            "certificates that grant nothing here: beyond what their authority may give, or void; covey log verify tells which"
        case .certificateKey: "certificates of another device than the one that called"
        case .certificateExpired: "certificates that have expired; an officer renews them: covey authority renew NAME"
        case .certificateNotYetValid: "certificates that have not begun; compare the clocks of both devices"
        case .revoked: "devices that are revoked"
        case .mayNotLink: "devices whose certificate does not let them link"
        case .anotherDevice: "other devices than those that were called; correct the #device of a peer in covey.toml"
        case .notEnrolled: "links that this device cannot make, as its log does not hold its own certificate"
        case .frame: "frames that the protocol does not allow; the link ended"
        case .notAMember: "frames that only members may send; the link ended"
        case .sync: "frames of sync that break its rules; the link ended"
        case .logEntry: "entries of the log that the rules do not take"
        case .logBacklog: "entries of the log that wait for missing ones, beyond those kept; they come again"
        case .revocation: "revocations that the rules do not take"
        case .suspension: "requests to keep a device out that the rules do not take"
        case .receipt: "receipts of no order that is known here"
        case .renewal: "requests for renewal that are malformed, or not of their device"
        case .epochKey: "network keys that nobody announced in the log"
        case .bundle:
            "keys for letters that are expired, or not of their device, or under a certificate that is not in the log here"
        case .envelope: "mail with a header that the rules do not take"
        case .envelopeExpired: "mail that had expired, or is dated too far ahead"
        case .message: "letters to this device that do not open"
        case .messageAgain:
            "letters to this device that were opened before, or first ones beyond those that are remembered"
        case .announcement: "announcements that are forged, or by somebody who may not announce"
        case .other: "what none of these names"
        }
    }

    /// The codes as a table of docs/control-api.md, which a test holds to this.
    package static var markdown: String {
        (["| code | what was refused |", "|---|---|"] + allCases.map { "| `\($0.rawValue)` | \($0.sentence) |" })
            .joined(separator: "\n")
    }
}

extension Refusal {
    /// For the lines of a log.
    var words: String { code.sentence + (detail.map { ": \($0)" } ?? "") }

    /// As `node.status` counts them.
    static func counts(_ refusals: [Refusal: UInt64]) -> [String: UInt64] {
        refusals.reduce(into: [:]) { $0[$1.key.code.rawValue, default: 0] += $1.value }
    }
}

extension LinkEnd {
    /// For the lines of a log.
    var words: String {
        switch self {
        case .closedByPeer: "the other side closed it"
        case .duplicate: "there is another one to the same device"
        case .revoked: "the device is revoked"
        case .notAdmitted: "its certificate ended, or the right of those who signed it"
        case .catchUpTimeout: "it did not become a member in time"
        case .silent: "nothing came any more"
        case .shutdown: "this node is stopping"
        case .protocolFault: "it sent what the protocol does not allow"
        case .rehandshake: "a new one takes its place"
        }
    }
}
