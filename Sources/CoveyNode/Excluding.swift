import CoveyConversation
package import CoveyCore
import CoveyCrypto

// What this device signs against others, and against itself (protocol.md §1.6, §1.9).

/// What became of a Suspend that this device signed.
package struct SuspensionAnswer: Hashable, Sendable {
    package var device: DeviceID
    package var label: String
    /// Until when this device asks for it.
    package var asked: Minute
    /// When the device is let in again, as things stand; nil while too few ask.
    package var suspendedUntil: Minute?
    /// How many more members have to ask.
    package var missing: Int

    package init(device: DeviceID, label: String, asked: Minute, suspendedUntil: Minute?, missing: Int) {
        self.device = device
        self.label = label
        self.asked = asked
        self.suspendedUntil = suspendedUntil
        self.missing = missing
    }
}

extension Node {
    /// Asks in this device's name that another be kept out, and tells everybody linked.
    func suspend(
        _ device: DeviceID, _ reason: RevocationReason, days: Int, _ now: Now, _ store: any Store,
        _ effects: inout Effects
    ) throws -> SuspensionAnswer {
        guard (1...Limits.suspendDays).contains(days) else {
            throw CommandRefusal.bounds("a device is suspended for 1 to \(Limits.suspendDays) days")
        }
        guard device != own.id else {
            throw CommandRefusal.policy("a device does not suspend itself; it revokes itself (covey revoke-self)")
        }
        let membership = roster.membership
        let label = membership.currentCertificate(device)?.label ?? ""
        let minute = time(now).now
        guard !membership.isRevoked(device) else { throw CommandRefusal.policy("\(label) is revoked already") }
        guard membership.isMember(own.id, at: time(now)) else {
            throw CommandRefusal.policy("this device is revoked, suspended, or its certificate has expired")
        }
        let fault = membership.suspendFault(of: own.id, at: minute) ?? membership.suspendFault(on: device, at: minute)
        if let fault {
            throw CommandRefusal.policy(Self.words(fault, label, minute))
        }
        let suspend = Suspend.make(
            of: device, reason: reason, issued: minute, until: minute.adding(Int64(days) * 1440), mesh: own.mesh,
            key: configuration.identity.signing)
        do {
            _ = try take(suspend: suspend.signed, from: nil, now, store, &effects)
        } catch let refusal as SuspendRefusal {
            throw CommandRefusal.policy("the log does not take it: \(refusal)")
        }
        let standing = roster.membership.memberSuspension(of: device, at: minute)
        return SuspensionAnswer(
            device: device, label: label, asked: suspend.until, suspendedUntil: standing?.suspendedUntil,
            missing: standing?.missing ?? 0)
    }

    private static func words(_ fault: SuspendFault, _ label: String, _ now: Minute) -> String {
        switch fault {
        case .signer: "this device was no member of late"
        case .inForce(let end):
            "this device asks for a suspension already, one at a time; that one ends in \(end.span(from: now))"
        case .twice(let end):
            "this device has asked for two suspensions in 30 days; it may ask again in \(end.span(from: now))"
        case .protected:
            "\(label) may announce, or holds an authority's key: only an authority keeps it out (covey authority revoke)"
        case .spent:
            "members have kept \(label) out for seven of the last 30 days; only an authority can go on (covey authority revoke)"
        }
    }

    /// Revokes this device, for good, and tells everybody linked. The reply: how many were.
    func revokeOneself(
        _ reason: RevocationReason, since: Minute?, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws -> Int {
        guard !roster.membership.isRevoked(own.id) else {
            throw CommandRefusal.policy("this device is revoked already")
        }
        guard roster.membership.currentCertificate(own.id) != nil else {
            throw CommandRefusal.unavailable("the log does not know this device yet")
        }
        let minute = time(now).now
        let note = RevokeNote.make(
            RevokeNote.Content(
                device: own.id, reason: reason, suspectSince: min(since ?? minute, minute), issued: minute),
            mesh: own.mesh, keys: [configuration.identity.signing])
        let told = Set(links.filter { $0.isMember && $0.hearsNotes }.map(\.device)).count
        do {
            _ = try take(note: note.signed, from: nil, now, store, &effects)
        } catch let refusal as NoteRefusal {
            throw CommandRefusal.policy("the log does not take it: \(refusal)")
        }
        return told
    }
}

extension Minute {
    /// How long until then, for a person: whole days, or hours below two days.
    func span(from now: Minute) -> String {
        let hours = (max(0, Int64(value) - Int64(now.value)) + 59) / 60
        if hours >= 48 { return "\((hours + 23) / 24) days" }
        return hours == 1 ? "1 hour" : "\(hours) hours"
    }
}

extension PeerLink {
    /// Notes are passed on to it as they come.
    fileprivate var hearsNotes: Bool { if case .catchUp = stage { false } else { true } }
}
