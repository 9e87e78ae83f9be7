import CoveyConversation
package import CoveyCore
import CoveyCrypto

// How a certificate is renewed with nobody at a desk (protocol.md §1.6).
//
//     a third of the life left ─ RenewReq into the set of notes ─ from link to link ─ a node with an authority at hand
//     ─ CertIssue into its log ─ from link to link ─ the request is gone wherever the entry is known

/// What was said last of the end of a certificate.
struct RenewalWarning: Equatable {
    let certificate: CertificateHash
    let isOver: Bool
}

/// A request for renewal that nobody has answered.
package struct WaitingRenewal: Hashable, Sendable {
    package var device: DeviceID
    package var label: String
    package var certificateExpires: Minute
    package var issuer: AuthorityID
}

extension Node {
    /// Asks for our next certificate when it is time, and says so when nobody answers.
    func askRenewal(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        guard let current = roster.membership.currentCertificate(own.id), !roster.membership.isRevoked(own.id) else {
            return
        }
        let minute = time(now).now
        if minute >= current.renewalDue, minute < current.renewalEnds, roster.renewals[own.id] == nil {
            let request = RenewRequest.make(
                of: own.id, serial: current.serial, mesh: own.mesh, key: configuration.identity.signing, random: random)
            do {
                _ = try take(renewal: request.signed, from: nil, now, store, &effects)
            } catch RenewRefusal.over {
                // An authority has written long after its end: it is for people to renew.
            }
        }
        guard minute >= current.lastSixth else { return }
        let warning = RenewalWarning(certificate: current.hash, isOver: minute > current.notAfter)
        guard warning != renewalWarned else { return }
        renewalWarned = warning
        let days = (Int(current.notAfter.value) - Int(minute.value)) / 1440
        effects.append(
            .observe(
                .warning(
                    warning.isOver
                        ? "this device's certificate has ended, and no authority has renewed it; meet one of its devices"
                        : "no authority has answered the request for a new certificate; the present one ends in \(days) days"
                )))
    }

    func take(
        renewal signed: Signed, from source: PeerLink?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Bool {
        guard case .accepted(let request, _) = try roster.accept(renewal: signed, store: store) else { return false }
        passOn([request.signed], except: source)
        if authority != nil { deadlines.set(.renewals, noLaterThan: now.uptime + Limits.renewalPause) }
        return true
    }

    /// Answers what the authority at hand may answer, those whose certificates end first.
    func answerRenewals(_ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        guard let authority else { return }
        let view = time(now)
        var waiting: [(ends: Minute, device: DeviceID)] = []
        for record in roster.renewals.all {
            let device = record.request.device
            if authority.obstacle(to: device, roster.membership, at: view) == nil,
                let current = roster.membership.currentCertificate(device)
            {
                waiting.append((current.notAfter, device))
            }
        }
        guard !waiting.isEmpty else {
            authorityComplaint = nil
            return
        }
        waiting.sort { ($0.ends, $0.device) < ($1.ends, $1.device) }
        do {
            let devices = waiting.prefix(Authority.mostRenewals).map(\.device)
            let entries = try authority.renew(devices, roster.membership, at: view)
            var isNew = false
            for entry in entries where try take(entry: entry.signed, from: nil, now, store, &effects) == .new {
                isNew = true
            }
            authorityComplaint = nil
            // More of them, or the desk had to catch us up first.
            if isNew { deadlines.set(.renewals, noLaterThan: now.uptime + Limits.renewalPause) }
        } catch let error as StoreError {
            throw error
        } catch {
            // It will be tried again; said once.
            let complaint = "the authority at hand cannot answer requests for renewal: \(error)"
            if complaint != authorityComplaint { effects.append(.observe(.warning(complaint))) }
            authorityComplaint = complaint
        }
    }

    /// When the current certificate of a device ends; nil when it has none.
    package func certificateExpires(_ device: DeviceID) -> Minute? {
        roster.membership.currentCertificate(device)?.notAfter
    }

    func waitingRenewals() -> [WaitingRenewal] {
        roster.renewals.all.compactMap { record in
            roster.membership.currentCertificate(record.request.device).map {
                WaitingRenewal(
                    device: $0.device, label: $0.label, certificateExpires: $0.notAfter, issuer: $0.issuer)
            }
        }
    }
}
