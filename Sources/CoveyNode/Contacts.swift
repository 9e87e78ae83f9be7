import CoveyConversation
import CoveyCore
import CoveyCrypto

/// The devices of the log that mail may come from or go to: their pair keys, and the tags of their first messages.
///
/// Alone, a node computes the keys of every device when it learns of it, and keeps the one by which it recognises its tags;
/// the others are made again when there is mail. Among nodes that share what they compute, all keys are made when they
/// are needed, and whoever sealed an envelope has said whom it is for.
struct Contacts {
    private let own: OwnDevice
    private let commons: (any Commons)?
    /// With whom there was mail.
    private var peers: [DeviceID: PeerDevice] = [:]
    /// Whose tags are in the index.
    private var recognised: Set<DeviceID> = []
    private var tags = TagIndex()

    init(of own: OwnDevice, commons: (any Commons)?) {
        self.own = own
        self.commons = commons.flatMap { $0.reusesChecks ? $0 : nil }
    }

    /// Whether every device is to be added before its mail can be recognised.
    var isComplete: Bool { commons == nil }

    /// Whether its mail is recognised. Alone that is not said by keys that were made to write to it; among others they were
    /// made when there was mail.
    func isKnown(_ device: DeviceID) -> Bool {
        isComplete ? recognised.contains(device) : peers[device] != nil
    }

    /// A device of the log: its tags are recognised from now on.
    mutating func add(_ certificate: DeviceCertificate) {
        guard !recognised.contains(certificate.device), let peer = make(certificate) else { return }
        recognised.insert(certificate.device)
        tags.add(peer)
    }

    /// Nil for our own, for one that is not in the log, and for one with whom no keys can be made.
    mutating func peer(_ device: DeviceID, in membership: Membership) -> PeerDevice? {
        if let known = peers[device] { return known }
        guard let certificate = membership.currentCertificate(device), let made = make(certificate) else { return nil }
        peers[device] = made
        return made
    }

    private func make(_ certificate: DeviceCertificate) -> PeerDevice? {
        let device = certificate.device
        guard device != own.id else { return nil }
        if let pair = commons?.pair(of: own.id, with: device) {
            return PeerDevice(hash: certificate.deviceHash, message: certificate.message, pair: pair)
        }
        // A MSG key of small order belongs to nobody who could read an answer.
        guard let made = try? PeerDevice(certificate, of: own) else { return nil }
        commons?.keep(made.pair, of: own.id, with: device)
        return made
    }

    /// The device that sealed an envelope for us, by its tag; nil for others' mail.
    mutating func sender(of header: EnvelopeHeader) -> DeviceID? {
        guard let commons else { return tags.sender(of: header) }
        guard let parties = commons.parties(of: header.tag), parties.recipient == own.id else { return nil }
        return parties.sender
    }

    func sealed(_ header: EnvelopeHeader, to recipient: DeviceID) {
        commons?.sealed(header, from: own.id, to: recipient)
    }
}
