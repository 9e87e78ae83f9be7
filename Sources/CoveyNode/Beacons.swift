import CoveyConversation
import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

// Being found, and finding (sync-routing.md §1.1, protocol.md §1.10).

extension Node {
    func sendBeacon(_ now: Now, _ effects: inout Effects) {
        let solicits = schedule.solicits
        let turn = schedule.turn
        deadlines.set(.beacon, at: schedule.next(after: now.uptime, peersHeard: sightings.count, random: random))
        guard !endpoints.isEmpty, !roster.membership.isRevoked(own.id) else { return }
        emitBeacon(under: earlierEpoch(of: turn) ?? preferredEpoch(), solicits: solicits, now, &effects)
    }

    func answerBeacon(_ now: Now, _ effects: inout Effects) {
        emitBeacon(under: preferredEpoch(), solicits: false, now, &effects)
    }

    /// Two sides of a partition that have each announced an epoch share only those before: every fourth beacon is sent
    /// under one of these in turn, the newest first. Nil when it is not the turn of one, or none is clean.
    private func earlierEpoch(of turn: Int) -> EpochRing.Held? {
        guard turn % 4 == 3 else { return nil }
        let earlier = epochSelection.clean.dropFirst()
        guard !earlier.isEmpty else { return nil }
        return epochs[earlier[earlier.startIndex + turn / 4 % earlier.count].commit]
    }

    private func emitBeacon(
        under epoch: EpochRing.Held?, solicits: Bool, _ now: Now, _ effects: inout Effects
    ) {
        guard let epoch else { return }
        beaconSentAt = now.uptime
        if isTainted(epoch.keys.commit) {
            let beacon = TinyBeacon(
                slot: BeaconSlot(of: mailNow(now)), key: epoch.keys.beacon, nonce: BeaconNonce.random(from: random))
            nonces.remember(Octets8(prefixOf: beacon.nonce), now: now.uptime)
            deadlines.set(.beacon, at: now.uptime + 120_000_000)
            effects.append(.multicast(beacon.bytes))
            return
        }
        beaconSequence += 1
        var flags: LANBeacon.Flags = solicits ? [.solicit] : []
        if links.count >= Limits.links { flags.insert(.full) }
        // Link-local ones last: whoever hears a beacon can use them, others only where there is nothing else.
        let listening = endpoints.map(\.address)
        let addresses = listening.filter { !$0.isLinkLocal } + listening.filter(\.isLinkLocal)
        let floor = mailNow(now).hour.adding(2)
        var digest: [UInt8] = []
        for priority in Priority.allCases {
            let aggregate = shelf.aggregate(priority, floor: floor)
            digest.append(u32: aggregate.count)
            digest.append(u64: UInt64(truncatingIfNeeded: aggregate.sum))
        }
        let beacon = LANBeacon(
            flags: flags, epoch: epoch.keys.prefix, wallTime: mailNow(now), device: own.id, instance: instance,
            sequence: beaconSequence, tcpPort: addresses.first?.port ?? 0,
            addresses: Array(addresses.prefix(LANBeacon.mostAddresses)), degree: UInt8(clamping: links.count),
            freeSlots: UInt8(clamping: Limits.links - links.count),
            controlDigest: Octets8(prefixOf: roster.membership.headsDigest),
            meshDigest: Octets8(prefixOf: SHA256.hash(digest.span.bytes)))
        let nonce = Nonce24.random(from: random)
        nonces.remember(Octets8(prefixOf: nonce), now: now.uptime)
        let signing = configuration.identity.signing
        let datagram = beacon.sealed(key: epoch.keys.beacon, nonce: nonce, signer: signing, mesh: own.mesh)
        if let commons, commons.reusesChecks {
            // Whoever hears it would find what was just signed.
            commons.keep(
                CommonBeacon(
                    verified: beacon.verified(nonce: nonce), epoch: epoch.keys.commit, signer: signing.publicKey),
                of: datagram)
        }
        effects.append(.multicast(datagram))
    }

    /// A datagram of the group: a beacon of ours under some held epoch, or nothing to us.
    func hear(
        _ bytes: [UInt8], from source: SocketAddress, interface: UInt32, _ now: Now, _ effects: inout Effects
    ) {
        guard configuration.multicast != .off else { return }
        if bytes.count == TinyBeacon.byteCount {
            hearTiny(bytes, from: source, now)
            return
        }
        if let known = commons?.beacon(bytes), epochs[known.epoch] != nil {
            // Another node of this process opened it with the same key; whether its device is a member here is our own
            // question.
            let device = known.verified.beacon.device
            guard roster.membership.names(device) else {
                heard(
                    stranger: known.verified.beacon, known.verified.nonce, under: known.epoch, from: source,
                    interface: interface, now)
                return
            }
            guard device != own.id, roster.membership.currentCertificate(device)?.signing == known.signer else {
                return
            }
            if roster.membership.isMember(device, at: time(now)) {
                heard(known.verified, under: known.epoch, from: source, interface: interface, now, &effects)
            } else if owesOrders(to: device, now) {
                heardOrdered(known.verified, under: known.epoch, from: source, interface: interface, now)
            }
            return
        }
        for epoch in epochsByPreference(epochSelection) {
            guard let opened = try? UnverifiedBeacon(opening: bytes.span.bytes, key: epoch.keys.beacon) else {
                continue
            }
            guard roster.membership.names(opened.device) else {
                heard(
                    stranger: opened.beacon, opened.nonce, under: epoch.keys.commit, from: source,
                    interface: interface, now)
                return
            }
            guard opened.device != own.id, let certificate = roster.membership.currentCertificate(opened.device)
            else { return }
            let isMember = roster.membership.isMember(opened.device, at: time(now))
            guard isMember || owesOrders(to: opened.device, now),
                let verified = opened.verified(by: certificate.signing, mesh: own.mesh)
            else { return }
            guard isMember else {
                heardOrdered(verified, under: epoch.keys.commit, from: source, interface: interface, now)
                return
            }
            commons?.keep(
                CommonBeacon(verified: verified, epoch: epoch.keys.commit, signer: certificate.signing), of: bytes)
            heard(verified, under: epoch.keys.commit, from: source, interface: interface, now, &effects)
            return
        }
    }

    private func heard(
        _ verified: VerifiedBeacon, under epoch: EpochCommit, from source: SocketAddress, interface: UInt32,
        _ now: Now, _ effects: inout Effects
    ) {
        let beacon = verified.beacon
        guard sightings.isNew(beacon) else { return }
        sightings.hear(beacon, under: epoch, at: now.uptime)
        if beacon.flags.contains(.solicit), case .on = configuration.multicast {
            deadlines.set(
                .beaconAnswer,
                noLaterThan: max(
                    now.uptime + BeaconSchedule.answerDelay(peersHeard: sightings.count, random: random),
                    beaconSentAt.map { $0 + Limits.beaconAnswer } ?? 0))
        }
        guard !isLinked(to: beacon.device), !beacon.flags.contains(.full) else { return }
        // The smaller id dials at once; the other gives it a moment, so that mostly one link comes of it.
        let patience: UInt64 = own.id < beacon.device ? 0 : 400_000
        for address in Self.addresses(of: beacon, from: source, interface) {
            effects.append(.observe(.heardBeacon(beacon.device, address)))
            dial(address, beacon.device, verified.nonce, epoch, notBefore: now.uptime + patience)
        }
    }

    /// Somebody whom no entry here names, and who holds the key of a clean epoch: perhaps enrolled where our log does not
    /// reach. Without a certificate nothing is proved, so the beacon is good for the address it came from and no other, a few
    /// times a minute, and nothing else of it is remembered. Who knows us has dialled us by then.
    private func heard(
        stranger beacon: LANBeacon, _ nonce: BeaconNonce, under epoch: EpochCommit, from source: SocketAddress,
        interface: UInt32, _ now: Now
    ) {
        guard !strangersHeard.isUsedUp(at: now.uptime), !isTainted(epoch), !beacon.flags.contains(.full),
            !isLinked(to: beacon.device),
            var address = beacon.addresses.first(where: { $0.host == source.host }),
            dialer.isFree(address, for: beacon.device), strangersHeard.take(1, at: now.uptime) == 1
        else { return }
        if address.isLinkLocal { address.scope = interface }
        let due = now.uptime + Limits.strangerPatience
        dial(address, beacon.device, nonce, epoch, notBefore: due)
    }

    /// A revoked device that has not answered its wipe order is there: it is dialled to be told, and vouches for nothing.
    private func heardOrdered(
        _ verified: VerifiedBeacon, under epoch: EpochCommit, from source: SocketAddress, interface: UInt32, _ now: Now
    ) {
        let beacon = verified.beacon
        guard !isLinked(to: beacon.device) else { return }
        for address in Self.addresses(of: beacon, from: source, interface) {
            dial(address, beacon.device, verified.nonce, epoch, notBefore: now.uptime)
        }
    }

    private static func addresses(
        of beacon: LANBeacon, from source: SocketAddress, _ interface: UInt32
    ) -> [SocketAddress] {
        beacon.addresses.filter { !$0.isLoopback || source.isLoopback }.map { address in
            var address = address
            if address.isLinkLocal { address.scope = interface }
            return address
        }
    }

    private func dial(
        _ address: SocketAddress, _ device: DeviceID, _ nonce: BeaconNonce, _ epoch: EpochCommit, notBefore: UInt64
    ) {
        dialer.hear(
            address, device: device, answered: Octets8(prefixOf: nonce), epoch: epoch, notBefore: notBefore)
        deadlines.set(.dial, noLaterThan: notBefore)
    }

    /// HOLD: somebody of ours is there who may not say who. The source is dialled (sync-routing.md §1.1).
    private func hearTiny(_ bytes: [UInt8], from source: SocketAddress, _ now: Now) {
        guard let beacon = TinyBeacon(parsing: bytes.span.bytes) else { return }
        let view = time(now)
        for epoch in epochsByPreference(epochSelection) {
            let slot = BeaconSlot(of: mailNow(now))
            guard
                beacon.recognised(by: epoch.keys.beacon, around: slot, clock: view.isTrusted ? .trusted : .untrusted)
                    != nil
            else { continue }
            let nonce = Octets8(prefixOf: beacon.nonce)
            // Our own that comes back, or one played again from elsewhere.
            guard !nonces.mayAnswer(nonce, isStatic: false, now: now.uptime), sightings.isNew(tiny: nonce) else {
                return
            }
            guard !links.contains(where: { $0.address.host == source.host }) else { return }
            var address = source
            address.port = sightings.port(at: source.host) ?? Limits.port
            dialer.hear(
                address, device: nil, answered: nonce, epoch: epoch.keys.commit,
                notBefore: now.uptime)
            deadlines.set(.dial, noLaterThan: now.uptime)
            return
        }
    }
}
