package import CoveyCore
import CoveyCrypto
import CoveyNode

/// Names sealed mail the same on all hosts.
public struct MailID: Hashable, Sendable, CustomStringConvertible {
    package let envelope: EnvelopeID

    package init(_ envelope: EnvelopeID) { self.envelope = envelope }

    public var description: String { String(envelope.hex.prefix(12)) }
}

/// What a host's node noticed. Hosts are nil where no host of the world is meant: a stranger, or an address.
public enum Sighting: Hashable, Sendable {
    /// Its node runs.
    case started
    /// It verified a beacon of somebody with whom it has no link, and is about to dial an address in it.
    case heardBeacon(of: Host?)
    case dialling(Host?)
    /// Handshake and certificates are through; on a catch-up link only entries of the log go over.
    case linkUp(with: Host?, isCatchUp: Bool)
    case linkDown(with: Host?, LinkEnding)
    /// A stranger or a faulty peer; the cause is the node's own words.
    case refused(String)
    /// An entry of a log, by its number there.
    case logAccepted(sequence: UInt64)
    case revocationLearnt(of: Host?)
    /// The number of an epoch whose key it has now.
    case epochLearnt(UInt32)
    /// Sealed mail came over a link and is kept.
    case stored(MailID, from: Host?)
    case handedOn(MailID, to: Host?)
    case delivered(Message)
    /// Of a host's author, by its number.
    case announced(by: Host?, sequence: UInt64)
    /// The time of so many envelopes that it held or knew is over.
    case expired(Int)
    case warning(String)
    case suspensionLearnt(of: Host?)
    /// Came after its sender was revoked: not in the inbox.
    case quarantined(Message)
    /// How long ago the host heard of an authority, against the policy of its mesh.
    case staleness(Grade)
    /// The host was ordered to lock or erase itself, and the order holds.
    case wipeAccepted(erases: Bool)
    case wipeRefused(String)
    /// Another host said that it obeys such an order.
    case wipeReceipt(of: Host?, erases: Bool)

    /// How stale a log is (protocol.md §1.9); by how many days, the policy says.
    public enum Grade: Hashable, Sendable {
        case fresh, stale, stranded

        init(_ staleness: Staleness) {
            self =
                switch staleness {
                case .fresh: .fresh
                case .stale: .stale
                case .stranded: .stranded
                }
        }
    }

    /// What a host does with another that it should do with members only: the other, and the deed in words that go on with
    /// its name.
    var dealing: (with: Host, deed: String)? {
        switch self {
        case .linkUp(with: let other?, isCatchUp: false): (other, "it takes for a member")
        case .stored(_, from: let other?): (other, "it takes mail from")
        case .handedOn(_, to: let other?): (other, "it gives mail to")
        case .linkUp, .stored, .handedOn, .started, .heardBeacon, .dialling, .linkDown, .refused, .logAccepted,
            .revocationLearnt, .epochLearnt, .delivered, .announced, .expired, .warning, .suspensionLearnt,
            .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            nil
        }
    }

    /// Why a link ended.
    public enum LinkEnding: Hashable, Sendable {
        case closedByPeer, duplicate, revoked, notAdmitted, catchUpTimeout, silent, shutdown, protocolFault, rehandshake

        init(_ end: LinkEnd) {
            self =
                switch end {
                case .closedByPeer: .closedByPeer
                case .duplicate: .duplicate
                case .revoked: .revoked
                case .notAdmitted: .notAdmitted
                case .catchUpTimeout: .catchUpTimeout
                case .silent: .silent
                case .shutdown: .shutdown
                case .protocolFault: .protocolFault
                case .rehandshake: .rehandshake
                }
        }
    }
}

extension World {
    /// The same in the words of the library. A new kind of observation does not compile until it is mirrored here.
    func sighting(_ observation: Observation, at machine: Machine) -> Sighting {
        switch observation {
        case .started: .started
        case .heardBeacon(let device, _): .heardBeacon(of: host(of: device))
        case .dialling(let address): .dialling(hostIndex(at: address).map { machines[$0].host })
        case .linkUp(let device, _, let isCatchUp): .linkUp(with: host(of: device), isCatchUp: isCatchUp)
        case .linkDown(let device, let end): .linkDown(with: host(of: device), Sighting.LinkEnding(end))
        case .refused(_, let cause): .refused("\(cause)")
        case .logAccepted(let head): .logAccepted(sequence: head.sequence)
        case .noteLearnt(_, let device): .revocationLearnt(of: host(of: device))
        case .epochLearnt(let number): .epochLearnt(number)
        case .stored(let id, let device): .stored(MailID(id), from: host(of: device))
        case .handedOn(let id, let device): .handedOn(MailID(id), to: host(of: device))
        case .delivered(let message): .delivered(self.message(message, at: machine))
        case .announced(let line): .announced(by: host(of: line.author), sequence: line.sequence)
        case .expired(let count): .expired(count)
        case .warning(let text): .warning(text)
        case .suspendLearnt(_, let device): .suspensionLearnt(of: host(of: device))
        case .quarantined(let message): .quarantined(self.message(message, at: machine))
        case .staleness(let staleness): .staleness(Sighting.Grade(staleness))
        case .wipeAccepted(let mode, _): .wipeAccepted(erases: mode == .erase)
        case .wipeRefused(let refusal): .wipeRefused("\(refusal)")
        case .wipeReceipt(let device, let mode): .wipeReceipt(of: host(of: device), erases: mode == .erase)
        }
    }
}
