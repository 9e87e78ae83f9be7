import CoveyCore
import CoveyCrypto

/// Entries and notes under signatures that hold: of the root, of an authority, of a device. The input says what they say.
///
///     step = what u8 | …      what & 7:
///     0 entry      who u8 | kind u8 | payload         the next of that authority's log
///     1 device     certificate body                   issued by the field authority
///     2 authority  who u8 | certificate body          added by the root or by the field authority
///     3 note       who u8 | body
///     4 loose      who u8 | kind u8 | seq u8 | payload      an entry anywhere in a log, behind nothing
///     5 bytes      of a Signed, taken for an entry and for a note
///     6 add        days u8: an authority that holds, with the root's own keys
struct MembershipEntry {
    private let mesh = SmallMesh()

    func run(_ input: [UInt8]) {
        var script = Script(input)
        var membership = mesh.membership
        var taken = mesh.entries.map(\.signed)
        var notes: [Signed] = []
        func accept(_ signed: Signed) {
            let heads = membership.heads
            do {
                switch try membership.accept(signed) {
                case .accepted(let intake):
                    taken += intake.entries.map(\.signed)
                    notes += intake.notes.map(\.signed)
                case .known, .held: precondition(membership.heads == heads)
                }
            } catch { precondition(membership.heads == heads, "what is refused changes nothing") }
        }
        func note(_ signed: Signed) {
            guard case .accepted(let note, _, let dropped)? = try? membership.accept(note: signed) else { return }
            notes.removeAll { one in dropped.contains { $0 == (try? RevokeNote(parsing: one))?.id } }
            notes.append(note.signed)
        }
        var steps = 0
        while !script.isAtEnd, steps < 48 {
            steps += 1
            switch script.u8() & 7 {
            case 0:
                let who = script.u8()
                guard let body = entry(who, kind: script.u8(), script.block(), membership) else { return }
                accept(Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: keys(who)))
            case 1:
                let certificate = Signed(
                    script.block(most: 4096), type: .object(.deviceCertificate), mesh: mesh.mesh, keys: keys(0))
                var payload = CanonicalWriter()
                payload.field(1, list: [certificate.bytes])
                guard let body = entry(0, kind: 6, payload.bytes, membership) else { return }
                accept(Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: keys(0)))
            case 2:
                let who = script.u8()
                let certificate = Signed(
                    script.block(most: 4096), type: .object(.authorityCertificate), mesh: mesh.mesh, keys: keys(who))
                var payload = CanonicalWriter()
                payload.field(1, bytes: certificate.bytes)
                guard let body = entry(who, kind: 3, payload.bytes, membership) else { return }
                accept(Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: keys(who)))
            case 3:
                let who = script.u8()
                note(Signed(script.block(most: 4096), type: .object(.revokeNote), mesh: mesh.mesh, keys: keys(who)))
            case 4:
                let who = script.u8()
                let kind = script.u8()
                let sequence = UInt64(script.u8())
                guard
                    let body = Self.entry(
                        log: log(who), sequence, EntryID(prefixOf: Octets32()), kind: kind, script.block())
                else { return }
                accept(Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: keys(who)))
            case 5:
                guard let signed = try? Signed(parsing: script.block()) else { continue }
                accept(signed)
                note(signed)
            case 6:
                let own = mesh.founding.field.next.keyset
                let certificate = try? AuthorityCertificate.make(
                    AuthorityCertificate.Content(
                        parent: mesh.founding.genesis.rootID, serial: 2, keyset: own, depthLeft: 0, grantable: [.link],
                        mostDays: UInt16(script.u8()), mostDevices: 2, notBefore: SmallMesh.minute,
                        notAfter: SmallMesh.minute.adding(1440), label: "second", nextCommit: own.commit),
                    mesh: mesh.mesh, keys: keys(1))
                guard let certificate else { continue }
                var payload = CanonicalWriter()
                payload.field(1, bytes: certificate.signed.bytes)
                guard let body = entry(1, kind: 3, payload.bytes, membership) else { return }
                accept(Signed(body, type: .object(.logEntry), mesh: mesh.mesh, keys: keys(1)))
            default: continue
            }
        }
        look(membership)
        again(taken, notes, as: membership)
    }

    private func keys(_ who: UInt8) -> [SigningPrivateKey] {
        switch who & 3 {
        case 0: mesh.founding.field.current.keys
        case 1: mesh.founding.root.current.keys
        case 2: [mesh.there.identity.signing]
        default: mesh.founding.field.next.keys
        }
    }

    private func log(_ who: UInt8) -> LogID {
        who & 3 == 1 ? mesh.founding.genesis.rootID : mesh.founding.field.authority
    }

    private func entry(_ who: UInt8, kind: UInt8, _ payload: [UInt8], _ membership: Membership) -> [UInt8]? {
        let log = log(who)
        guard let head = membership.heads.first(where: { $0.log == log }) else { return nil }
        return Self.entry(log: log, head.sequence + 1, head.id, kind: kind, payload)
    }

    private static func entry(
        log: LogID, _ sequence: UInt64, _ previous: EntryID, kind: UInt8, _ payload: [UInt8]
    ) -> [UInt8]? {
        guard payload.count <= 16_384 else { return nil }
        var writer = CanonicalWriter(.logEntry)
        writer.field(0x01, log)
        writer.field(0x02, u64: sequence)
        writer.field(0x03, previous)
        writer.field(0x04, u32: SmallMesh.minute.value)
        writer.field(0x05, u8: kind)
        writer.field(0x06, bytes: payload)
        return writer.bytes
    }

    /// Everything a node asks of its membership.
    private func look(_ membership: Membership) {
        for now in [Minute(0), SmallMesh.minute, Minute(.max)] {
            let time = TimeView(now: now, isTrusted: now != Minute(0), floor: min(now, SmallMesh.minute))
            _ = membership.staleness(at: time)
            for device in membership.devices {
                _ = membership.isMember(device, at: time)
                _ = membership.isSuspended(device, at: time)
                guard let certificate = membership.currentCertificate(device) else { continue }
                let chain = membership.authorityChain(of: certificate.issuer) ?? []
                _ = membership.admit(
                    certificate: certificate.signed, chain: .certificates(chain.map(\.signed)),
                    linkKey: certificate.link, own: mesh.here.identity.id, time: time)
            }
        }
        let selection = membership.select(held: [mesh.keys.commit])
        precondition(selection.clean.count + selection.tainted.count <= 1, "one epoch is held")
        _ = membership.headsDigest
        _ = membership.forks
        _ = membership.policy
    }

    /// What was accepted makes the same membership when a node starts again.
    private func again(_ entries: [Signed], _ notes: [Signed], as membership: Membership) {
        var restored = Membership(genesis: membership.genesis)
        do {
            for entry in entries { _ = try restored.restore(entry) }
            for note in notes { _ = try restored.accept(note: note) }
        } catch {
            preconditionFailure("what was accepted once is accepted again: \(error)")
        }
        precondition(restored.heads == membership.heads, "a restart changes no head")
        precondition(restored.devices == membership.devices, "a restart changes no member")
        for device in membership.devices {
            precondition(restored.isRevoked(device) == membership.isRevoked(device), "a restart revokes nobody")
        }
    }
}
