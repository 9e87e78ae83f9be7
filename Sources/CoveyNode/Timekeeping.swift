import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink

// The hour from members whose certificate says that they keep time (protocol.md §1.5 rule 6). Each open link to one is asked
// when it opens and every half hour after, with a challenge of its own.

extension Node {
    /// Asks a peer that keeps time, when it is due.
    func askTime(_ link: PeerLink, _ now: Now) {
        guard link.isOpen, keepsTime(link.member?.certificate), now.uptime >= link.timeDue else { return }
        let nonce = Octets16.random(from: random)
        link.timeNonce = nonce
        link.timeDue = now.uptime + Limits.timeRequestPause
        link.sender.append(Frame.TimeRequest(nonce: nonce))
        touch(link)
    }

    /// Answers when we are a timekeeper and our own clock is believed; silence says that one of the two is not so.
    func receive(_ request: Frame.TimeRequest, on link: PeerLink, _ now: Now) {
        guard keepsTime(roster.membership.currentCertificate(own.id)), time(now).isTrusted,
            link.timeAnswers.take(1, at: now.uptime) == 1
        else { return }
        let attestation = TimeAttestation(
            time: Minute(wall: now.wall), radius: Limits.timeRadius, nonce: request.nonce)
        let signature = attestation.sign(
            with: configuration.identity.signing, link: link.handshakeHash, mesh: own.mesh)
        link.sender.append(Frame.TimeResponse(attestation, signature: signature))
        touch(link)
    }

    func receive(
        _ response: Frame.TimeResponse, on link: PeerLink, _ now: Now, _ effects: inout Effects
    ) throws {
        guard let member = link.member, keepsTime(member.certificate), link.timeNonce == response.attestation.nonce,
            response.attestation.isSigned(
                response.signature, by: member.certificate.signing, link: link.handshakeHash, mesh: own.mesh)
        else { throw LinkRefusal.timeAttestation }
        link.timeNonce = nil
        let fault = clock.fault(now: now)
        switch clock.hear(response.attestation, from: member.certificate.subject, now: now) {
        case .agreed, .near:
            if clock.fault(now: now) == .contradicted, fault != .contradicted {
                effects.append(.observe(.warning("two timekeepers say that this machine's clock is wrong")))
            }
            // Whoever is expired at the new floor is so now.
            deadlines.set(.expiry, at: now.uptime)
        case .alone, .unused: break
        }
    }

    /// The word of a revoked timekeeper is void (protocol.md §1.9).
    func disbelieve(_ device: DeviceID) {
        clock.forget(device)
        guard let certificate = roster.membership.currentCertificate(device), keepsTime(certificate) else { return }
        clock.disbelieve(certificate.subject)
    }

    private func keepsTime(_ certificate: DeviceCertificate?) -> Bool {
        certificate?.capabilities.contains(.timekeeper) ?? false
    }
}
