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
    case started
    case heardBeacon(of: Host?)
    case dialling(Host?)
    case linkUp(with: Host?, isCatchUp: Bool)
    case linkDown(with: Host?, LinkEnding)
    /// A stranger or a faulty peer; the cause is the node's own words.
    case refused(String)
    case logAccepted(sequence: UInt64)
    case revocationLearnt(of: Host?)
    case epochLearnt(UInt32)
    case stored(MailID, from: Host?)
    case handedOn(MailID, to: Host?)
    case delivered(Message)
    case expired(Int)
    case warning(String)

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
        case .refused(_, let cause): .refused(cause)
        case .logAccepted(let head): .logAccepted(sequence: head.sequence)
        case .noteLearnt(_, let device): .revocationLearnt(of: host(of: device))
        case .epochLearnt(let number): .epochLearnt(number)
        case .stored(let id, let device): .stored(MailID(id), from: host(of: device))
        case .handedOn(let id, let device): .handedOn(MailID(id), to: host(of: device))
        case .delivered(let message): .delivered(self.message(message, at: machine))
        case .expired(let count): .expired(count)
        case .warning(let text): .warning(text)
        }
    }
}
