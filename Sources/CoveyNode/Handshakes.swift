import CoveyConversation
package import CoveyCore
import CoveyCrypto
import CoveyLink

// Connections on their way to being links: who shows whom what, and when (protocol.md §2.1, §2.2).

extension Node {
    // MARK: Dialling

    /// Dials whoever is due.
    func dial(_ now: Now, _ effects: inout Effects) {
        while liveLinks + pending.count < Limits.links {
            let connection = ConnectionID.dialled(lastDial &+ 1)
            guard
                let target = dialer.take(
                    at: now.uptime, as: connection, random: random, wanted: { isWanted($0, now) })
            else { break }
            lastDial &+= 1
            pending[connection] = PendingHandshake(state: .dialling, address: target.address, expected: target.device)
            deadlines.set(.link(connection), at: now.uptime + Limits.handshake)
            effects.append(.observe(.dialling(target.address)))
            effects.append(.dial(connection, target.address))
        }
        // When all places are taken, the end of a link or of a handshake comes back here.
        if liveLinks + pending.count < Limits.links, let next = dialer.next(wanted: { isWanted($0, now) }) {
            deadlines.set(.dial, at: max(next, now.uptime + 100_000))
        }
    }

    /// Links that do not wait for another to take their place.
    private var liveLinks: Int { links.count { !$0.isBeingReplaced } }

    private func isWanted(_ target: Dialer.Target, _ now: Now) -> Bool {
        guard !endpoints.contains(where: { $0.address == target.address }) else { return false }
        // Beyond a good number of neighbours others' places are left to those who have fewer.
        if target.kind != .static, liveLinks >= Limits.wantedLinks,
            !links.contains(where: { $0.isBeingReplaced && $0.device == target.device })
        {
            return false
        }
        if let device = target.device {
            guard device != own.id, !isLinked(to: device) else { return false }
            return !isShutOut(device, now)
        }
        // Whoever was met there may have dialled us, from a port of its own.
        if let met = target.met {
            if isLinked(to: met) { return false }
            // Who was given an address by hand is tried on: somebody else may have it by now.
            if target.kind != .static, isShutOut(met, now) { return false }
        }
        return !links.contains { $0.address == target.address && !$0.isBeingReplaced }
    }

    /// Revoked, and nothing is left to tell it.
    private func isShutOut(_ device: DeviceID, _ now: Now) -> Bool {
        roster.membership.isRevoked(device) && !owesOrders(to: device, now)
    }

    /// A dial came to nothing: the target waits, then the next one is looked at.
    func redial(
        after connection: ConnectionID, _ failure: Dialer.Failure, because fault: String?, _ now: Now,
        _ effects: inout Effects
    ) {
        let name = dialer.failed(connection, at: now.uptime, failure, because: fault, random: random)
        if let name, let fault { effects.append(.observe(.warning("peer \(name): \(fault); it is tried again"))) }
        deadlines.set(.dial, noLaterThan: now.uptime + 100_000)
    }

    func connected(_ connection: ConnectionID, _ now: Now, _ effects: inout Effects) throws {
        guard var handshake = pending[connection], let target = dialer.target(of: connection) else { return }
        let selection = epochSelection
        guard let (epoch, slot) = attempt(at: target, among: epochsByPreference(selection), now) else {
            drop(connection, cause: .noEpoch, now, &effects)
            return
        }
        let isAhead = epoch.keys.commit != selection.preferred?.commit
        let first = FirstPayload(isAhead: isAhead, slot: slot, answered: target.answered)
        var packet: [UInt8] = []
        let initiator = Initiator(context, psk: epoch.keys.psk.key, first: first, random: random, to: &packet)
        remember(initiator, epoch.keys.commit, now)
        handshake.state = .initiating(initiator)
        pending[connection] = handshake
        deadlines.set(.link(connection), at: now.uptime + Limits.epochTrial)
        effects.append(.send(connection, packet))
    }

    /// The epoch of the beacon, else the preferred one; after silence the next older (protocol.md §1.10). And our own slot.
    private func attempt(
        at target: Dialer.Target, among order: [EpochRing.Held], _ now: Now
    ) -> (epoch: EpochRing.Held, slot: UInt32)? {
        guard !order.isEmpty else { return nil }
        let tries = target.epochsTried
        if target.answered.isZero, links.isEmpty {
            // A believed clock is wrong less often than an epoch is old.
            let plain = time(now).isTrusted ? order.count : 0
            if tries >= plain { return guess(tries - plain, among: order, now) }
        }
        if tries == 0, let named = target.epoch, let held = epochs[named] { return (held, ownSlot(now)) }
        return (order[tries % order.count], ownSlot(now))
    }

    /// Who has nobody to ask for the hour calls configured peers with the time that has come for certain, and goes on from
    /// there in steps of four hours (decision 19). Every other call is under the preferred epoch, those between are under
    /// each of the rest.
    private func guess(
        _ tries: Int, among order: [EpochRing.Held], _ now: Now
    ) -> (epoch: EpochRing.Held, slot: UInt32) {
        let rest = order.count - 1
        let (place, round) =
            rest == 0 ? (0, tries) : tries % 2 == 0 ? (0, tries / 2) : (1 + tries / 2 % rest, tries / 2 / rest)
        let certain = max(ownSlot(now), BeaconSlot(of: clock.own).value)
        return (order[place], certain + UInt32(round % Limits.guessedSteps) * 2 * LinkBounds.firstSlots)
    }

    /// Our own first message coming back is a known one.
    private func remember(_ initiator: Initiator, _ epoch: EpochCommit, _ now: Now) {
        let slot = ownSlot(now)
        try? seenFirsts.insert(initiator.ephemeral, epoch: epoch, slot: slot, ownSlot: slot)
    }

    private func ownSlot(_ now: Now) -> UInt32 { BeaconSlot(of: mailNow(now)).value }

    // MARK: Accepting

    func accept(
        _ connection: ConnectionID, from address: SocketAddress, isStatic: Bool, _ now: Now, _ effects: inout Effects
    ) {
        do {
            guard liveLinks < Limits.links, pending.count < Limits.pending else {
                throw HandshakeBudget.Refusal.halfOpenFull
            }
            let ticket = try budget.begin(from: address, now: now.uptime)
            pending[connection] = PendingHandshake(state: .listening(ticket, isStatic: isStatic), address: address)
            deadlines.set(.link(connection), at: now.uptime + Limits.handshake)
        } catch {
            refuse(address, Refusal(error), &effects)
            effects.append(.abort(connection))
        }
    }

    // MARK: Packets

    func received(
        _ bytes: [UInt8], on connection: ConnectionID, _ now: Now, _ store: any Store, _ effects: inout Effects
    ) throws {
        if let link = link(of: connection) {
            try read(bytes, on: link, now, store, &effects)
            return
        }
        guard let handshake = pending[connection], !handshake.isRefused else { return }
        pending[connection]?.packets.append(bytes)
        do {
            while let packet = try pending[connection]?.packets.next() {
                try step(packet, on: connection, now, &effects)
                if let link = link(of: connection) {
                    try begin(link, now, store, &effects)
                    return
                }
            }
        } catch let error as StoreError {
            throw error
        } catch {
            rebuff(connection, Refusal(error), now, &effects)
        }
    }

    /// One packet of a handshake. What it throws ends the connection without a word.
    private func step(
        _ packet: HandshakePacket, on connection: ConnectionID, _ now: Now, _ effects: inout Effects
    ) throws {
        guard let handshake = pending[connection] else { return }
        switch handshake.state {
        case .dialling:
            throw LinkFault.outOfOrder(packet.kind)
        case .listening(let ticket, let isStatic):
            try answer(packet, ticket: ticket, isStatic: isStatic, connection, handshake, now, &effects)
        case .initiating(let initiator):
            if packet.kind == .first {
                try turn(packet, initiator, connection, handshake, now, &effects)
                return
            }
            let second = try initiator.open(packet)
            let admission: CoveyCore.Admission
            do { admission = try admit(second.claim, handshake, now) } catch {
                // Only of a device that our log names: anybody may answer at an address for once.
                if case HandshakeRefusal.notAdmitted(.attenuation) = error, namedDevice(of: second.claim) != nil {
                    pending[connection]?.isPeerRefused = true
                }
                throw error
            }
            let (bytes, transport) = try second.finish(ownPayload(now, epochSelection), now: now.uptime, random: random)
            effects.append(.send(connection, bytes))
            establish(connection, handshake, transport, second.claim, admission, isInitiator: true, now)
        case .responding(let responder, let ticket):
            let third = try responder.open(packet, now: now.uptime, random: random)
            let admission: CoveyCore.Admission
            do { admission = try admit(third.claim, handshake, now) } catch {
                if let device = namedDevice(of: third.claim) { budget.refuse(ticket, of: device, now: now.uptime) }
                throw error
            }
            budget.complete(ticket)
            establish(connection, handshake, third.transport, third.claim, admission, isInitiator: false, now)
        }
    }

    /// A first message on an accepted connection: answer, turn the roles, or stay silent.
    private func answer(
        _ packet: HandshakePacket, ticket: HandshakeBudget.Ticket, isStatic: Bool, _ connection: ConnectionID,
        _ handshake: PendingHandshake, _ now: Now, _ effects: inout Effects
    ) throws {
        let selection = epochSelection
        let first = try CoveyLink.FirstMessage.open(packet, context: context, held: psks(selection), expecting: .fresh)
        guard nonces.mayAnswer(first.payload.answered, isStatic: isStatic, now: now.uptime) else {
            throw HandshakeRefusal.notOurBeacon
        }
        let ownSlot = ownSlot(now)
        // What answers a beacon of ours is fresh by that, however wrong the sender's clock is. What answers none may be a
        // recording: by its slot it is judged, if we know the hour ourselves.
        let isJudged = first.payload.answered.isZero && time(now).isTrusted
        if isJudged, first.payload.isPast(at: ownSlot) { throw HandshakeRefusal.anotherHour }
        try seenFirsts.insert(
            first.ephemeral, epoch: first.epoch, slot: isJudged ? first.payload.slot : ownSlot, ownSlot: ownSlot)
        let isVouched =
            dialer.isStatic(handshake.address) || sightings.vouch(for: handshake.address, at: now.uptime)
        let decision = FirstAnswer.decide(
            isPreferred: first.epoch == selection.preferred?.commit, isUntainted: selection.isClean(first.epoch),
            isAhead: first.payload.isAhead, isVouched: isVouched)
        var next = handshake
        switch decision {
        case .silent:
            throw HandshakeRefusal.aheadUnderTainted
        case .respondCounted:
            guard budget.answerVouched(now: now.uptime) else { throw HandshakeRefusal.tooManyVouched }
            fallthrough
        case .respond:
            try budget.answer(ticket, now: now.uptime)
            let (bytes, responder) = try first.respond(ownPayload(now, selection), random: random)
            next.state = .responding(responder, ticket)
            effects.append(.send(connection, bytes))
        case .reverse:
            let (bytes, initiator) = first.reverse(slot: ownSlot, random: random)
            budget.abandon(ticket)
            remember(initiator, first.epoch, now)
            next.state = .initiating(initiator)
            effects.append(.send(connection, bytes))
        }
        pending[connection] = next
    }

    /// The answer to our first message is a first message: the peer wants us to show ourselves first.
    private func turn(
        _ packet: HandshakePacket, _ initiator: Initiator, _ connection: ConnectionID,
        _ handshake: PendingHandshake, _ now: Now, _ effects: inout Effects
    ) throws {
        let selection = epochSelection
        let first = try CoveyLink.FirstMessage.open(
            packet, context: context, held: psks(selection), expecting: initiator.expectation)
        // It names the key of our own message: fresh by that.
        let ownSlot = ownSlot(now)
        try seenFirsts.insert(first.ephemeral, epoch: first.epoch, slot: ownSlot, ownSlot: ownSlot)
        let decision = FirstAnswer.decide(
            isPreferred: first.epoch == selection.preferred?.commit, isUntainted: selection.isClean(first.epoch),
            isAhead: true,
            isVouched: dialer.isStatic(handshake.address) || sightings.vouch(for: handshake.address, at: now.uptime))
        switch decision {
        case .reverse, .silent:
            throw HandshakeRefusal.aheadUnderTainted
        case .respondCounted:
            guard budget.answerVouched(now: now.uptime) else { throw HandshakeRefusal.tooManyVouched }
            fallthrough
        case .respond:
            let own = try ownPayload(now, selection)
            let ticket = try budget.answerTurned(to: handshake.address, now: now.uptime)
            let (bytes, responder) = try first.respond(own, random: random)
            var next = handshake
            next.state = .responding(responder, ticket)
            pending[connection] = next
            deadlines.set(.link(connection), at: now.uptime + Limits.handshake)
            effects.append(.send(connection, bytes))
        }
    }

    // MARK: Judging

    /// The checks of protocol.md §2.2, in their order, by the membership.
    private func admit(_ claim: PeerClaim, _ handshake: PendingHandshake, _ now: Now) throws -> CoveyCore.Admission {
        var admission = roster.membership.admit(
            certificate: claim.payload.certificate, chain: claim.payload.chain.presented, linkKey: claim.linkKey,
            own: own.id,
            time: time(now))
        if admission.mayBeOfOrdered, let ordered = admitOrdered(claim.payload.certificate, now) { admission = ordered }
        if admission == .refused(.revoked),
            let shown = try? DeviceCertificate(parsing: claim.payload.certificate, mesh: own.mesh)
        {
            dialer.met(shown.device, at: handshake.address)
        }
        let device: DeviceID
        switch admission {
        case .refused(let refusal): throw HandshakeRefusal.notAdmitted(refusal)
        case .member(let member): device = member.device
        case .catchUp(let peer, let why):
            device = peer.device
            // Anybody can make up as many of them as there are places.
            if why == .unproven, links.count(where: { !$0.isEnded && $0.isUnproven }) >= Limits.unprovenLinks {
                throw HandshakeRefusal.tooManyLinks
            }
        }
        if let expected = handshake.expected, expected != device { throw HandshakeRefusal.anotherDevice }
        guard links.count(where: { $0.device == device }) < Limits.linksOfDevice,
            liveLinks < Limits.links || isLinked(to: device)
        else { throw HandshakeRefusal.tooManyLinks }
        return admission
    }

    /// Who has just shown a link key, when our log names that device: the id is a hash of its keys.
    private func namedDevice(of claim: PeerClaim) -> DeviceID? {
        guard let shown = try? DeviceCertificate(parsing: claim.payload.certificate, mesh: own.mesh),
            shown.link == claim.linkKey, roster.membership.names(shown.device)
        else { return nil }
        return shown.device
    }

    /// Certificates may count that did not: who was refused for that is dialled, and what it used up is given back.
    func reviewRefused(_ now: Now) {
        dialer.retryRefused(at: now.uptime)
        for device in budget.refusedDevices where roster.membership.isMember(device, at: time(now)) {
            budget.forgive(device)
        }
    }

    private func ownPayload(_ now: Now, _ selection: EpochSelection) throws -> AuthPayload {
        // Our log may have forked before our certificate: whoever knows how that was decided judges, and tells us.
        guard let certificate = roster.membership.latestCertificate(own.id) else {
            throw HandshakeRefusal.notEnrolled
        }
        let view = time(now)
        let root = roster.rootHead
        return AuthPayload(
            certificate: certificate.signed, chain: .full(roster.chain(of: certificate)),
            headsDigest: Octets32(prefixOf: roster.membership.headsDigest), rootSequence: root?.sequence ?? 0,
            rootID: root.map { Octets16(prefixOf: $0.id) } ?? Octets16(),
            epochs: epochsByPreference(selection).prefix(LinkBounds.epochCommits)
                .map { Octets8(prefixOf: $0.keys.commit) },
            time: view.now, timeIsTrusted: view.isTrusted, bootSalt: instance)
    }

    private func establish(
        _ connection: ConnectionID, _ handshake: PendingHandshake, _ transport: Transport, _ claim: PeerClaim,
        _ admission: Admission, isInitiator: Bool, _ now: Now
    ) {
        let link = PeerLink(
            connection: connection, address: handshake.address, isInitiator: isInitiator, transport: transport,
            claim: claim, admission: admission, now: now.uptime)
        if traffic != nil { link.sender.startTally() }
        if let commons, commons.reusesChecks { link.sender.keepOpened() }
        if let known = roster.membership.currentCertificate(link.device) {
            link.share(known.signed, issuedBy: roster.chain(of: known))
        }
        if link.awaitsReceipt { promiseOrders(on: link, now) }
        links.append(link)
        dialer.established(connection, with: link.device)
    }

    // MARK: Epochs

    /// Found out anew each time, over all revocations: whoever asks more than one thing of it asks once.
    var epochSelection: EpochSelection { roster.membership.select(held: epochs.commits) }

    func preferredEpoch() -> EpochRing.Held? { epochSelection.preferred.flatMap { epochs[$0.commit] } }

    /// The preferred one first, then the other clean ones, then the tainted ones.
    func epochsByPreference(_ selection: EpochSelection) -> [EpochRing.Held] {
        (selection.clean + selection.tainted).compactMap { epochs[$0.commit] }
    }

    func isTainted(_ commit: EpochCommit) -> Bool { !epochSelection.isClean(commit) }

    private func psks(_ selection: EpochSelection) -> [HeldPSK] {
        epochsByPreference(selection).map { HeldPSK(epoch: $0.keys.commit, psk: $0.keys.psk.key) }
    }

    // MARK: Ending

    /// A handshake failed. The other side hears nothing, and the time of the end tells nothing either: it is drawn, so that
    /// a check that fails late looks like one that fails early (protocol.md §2.2).
    private func rebuff(_ connection: ConnectionID, _ cause: Refusal, _ now: Now, _ effects: inout Effects) {
        guard let address = pending[connection]?.address else { return }
        refuse(address, cause, &effects)
        pending[connection]?.isRefused = true
        pending[connection]?.packets = PacketBuffer()
        deadlines.set(.link(connection), at: now.uptime + random.uniform(Limits.rebuff + 1))
    }

    /// Ends a connection that is not a link yet, without a word to the other side.
    func drop(_ connection: ConnectionID, cause: Refusal?, _ now: Now, _ effects: inout Effects) {
        guard let handshake = pending.removeValue(forKey: connection) else { return }
        deadlines.clear(.link(connection))
        if let cause {
            refuse(handshake.address, cause, &effects)
            effects.append(.abort(connection))
        }
        switch handshake.state {
        case .listening(let ticket, _): budget.abandon(ticket)
        case .responding(_, let ticket): budget.abandon(ticket)
        case .dialling, .initiating: break
        }
        if case .dialled = connection {
            let failure: Dialer.Failure
            var fault: String? = "no answer in time"
            if handshake.isPeerRefused {
                failure = .refused
            } else if case .initiating = handshake.state {
                failure = .silent
                // It may hold an older network key than the one that was tried.
                let isLastKey = dialer.target(of: connection).map { $0.epochsTried + 1 >= epochs.commits.count }
                fault =
                    isLastKey ?? true
                    ? "it does not answer this device: its network key or clock may be another, or it answers beacons only"
                    : nil
            } else {
                failure = .unreachable
            }
            if handshake.isRefused { fault = "who answers there is refused; covey status says why" }
            redial(after: connection, failure, because: fault, now, &effects)
        } else {
            deadlines.set(.dial, noLaterThan: now.uptime + 100_000)
        }
    }
}

/// Why a handshake that was well-formed ends. For us only.
package enum HandshakeRefusal: Error, Hashable, Sendable {
    case notOurBeacon
    /// It answers nothing of ours, and its slot is more than two hours before our own: a recording, or one of the two
    /// clocks is wrong.
    case anotherHour
    case aheadUnderTainted
    case tooManyVouched
    case notAdmitted(AdmissionRefusal)
    case anotherDevice
    case tooManyLinks
    case notEnrolled
}

extension AuthPayload.Chain {
    var presented: PresentedChain {
        switch self {
        case .full(let authorities): .certificates(authorities)
        case .byHash(let hash): .hash(ChainHash(prefixOf: hash))
        }
    }
}
