import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@testable import CoveySimulator

/// Every checker finds the fault it is there for, and nothing where there is none.
@Suite("Invariants are checked, and each checker finds a planted fault")
struct InvariantTests {
    /// Two hosts that have met, of which the second does what the twist makes of its node's wishes.
    private func twisted(
        _ checker: some Checker, certificate: Certificate = .member,
        twist: @escaping (World, Event, [Effect]) -> [Effect]
    ) -> (world: World, ana: Host, bo: Host) {
        let world = World(seed: 5)
        world.add(checker)
        let ana = world.addHost("ana")
        let bo = world.addHost("bo", isEnrolled: true, certificate: certificate) { world, host in
            TwistedNode(try world.makeNode(for: host)) { [unowned world] event, effects in
                twist(world, event, effects)
            }
        }
        world.run(for: .minutes(1))
        return (world, ana, bo)
    }

    private func found(_ world: World) -> [String] { world.finish().verdicts.compactMap { $0.violation?.text } }

    @Test(
        "A busy life with partitions, crashes, a revocation and a stick breaks none of them",
        arguments: 1...2 as ClosedRange<UInt64>)
    func sound(seed: UInt64) {
        let world = World(seed: seed)
        for checker in Invariants.all() { world.add(checker) }
        let everything = EverythingArrives()
        world.add(everything)
        let hosts = (0..<6).map { world.addHost("host \($0)") }
        var dice = seed
        func say() {
            dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let from = Int(dice >> 33) % 5
            let to = (from + 1 + Int(dice >> 40) % 4) % 5
            world.send("a text of more than sixteen bytes, \(dice)", from: hosts[from], to: hosts[to])
        }
        for _ in 0..<10 { say() }
        world.run(for: .minutes(5))
        world.partition(Array(hosts[0...2]), Array(hosts[3...5]))
        for _ in 0..<10 { say() }
        world.run(for: .minutes(20))
        world.crash(hosts[1])
        world.crash(hosts[3], losing: .tornWrite, at: .beforeCommit)
        say()
        world.revoke(hosts[5], by: hosts[0])
        world.sneakernet(from: hosts[0], to: hosts[4], capacity: 1 << 20, travel: .minutes(10))
        world.run(for: .minutes(20))
        world.restart(hosts[1])
        world.restart(hosts[3])
        world.heal()
        for _ in 0..<5 { say() }
        world.run(for: .minutes(10))
        let report = world.finish()
        #expect(report.isSound, "\(world)")
        #expect(report.verdicts.count == Invariants.all().count + 1)
        #expect(report.delivered >= 25)
    }

    @Test("A message told twice is found")
    func twice() {
        let (world, ana, bo) = twisted(ExactlyOnce()) { _, _, effects in
            effects + effects.filter { if case .observe(.delivered) = $0 { true } else { false } }
        }
        world.send("once, please", from: ana, to: bo)
        world.run(for: .minutes(1))
        #expect(found(world) == ["\"once, please\" came a second time"])
    }

    @Test("An altered text and one that nobody wrote are found")
    func altered() {
        let (world, ana, bo) = twisted(DeliveredAsSent()) { _, _, effects in
            effects.map { effect in
                guard case .observe(.delivered(var message)) = effect else { return effect }
                message.text = "all is well"
                return .observe(.delivered(message))
            }
        }
        world.send("we are hungry", from: ana, to: bo)
        world.run(for: .minutes(1))
        #expect(found(world) == ["\"we are hungry\" came as \"all is well\""])

        let (other, _, _) = twisted(DeliveredAsSent()) { world, event, effects in
            guard case .endpoints = event else { return effects }
            return effects + [
                .observe(
                    .delivered(
                        InboxMessage(
                            sequence: 1, id: MessageID(), from: DeviceID(), label: "ana", sent: Minute(0),
                            received: Minute(0), text: "from nowhere", senderSinceRevoked: false)))
            ]
        }
        #expect(found(other) == ["nobody sent \"from nowhere\""])
    }

    /// Two hosts, one of which holds a message of the other's, and the message's record.
    private func carried(
        _ checker: some Checker, options: World.Options = World.Options()
    ) throws -> (world: World, hosts: [Host], record: EnvelopeRecord) {
        let world = World(seed: 6, options: options)
        world.add(checker)
        let hosts = [world.addHost("ana"), world.addHost("bo")]
        world.run(for: .minutes(1))
        world.send("to be kept", from: hosts[0], to: hosts[1])
        world.run(for: .minutes(2))
        return (world, hosts, try #require(world.store(of: hosts[1]).known().held.first))
    }

    @Test("Mail that is lost before its time, and acknowledged mail that a start does not find, are found")
    func lost() throws {
        let (world, hosts, _) = try carried(HeldInTime())
        world.store(of: hosts[1]).expire(upTo: Hour(.max))
        #expect(found(world).count == 1 && found(world)[0].hasSuffix("is gone before its time"))

        let (other, pair, _) = try carried(AcknowledgedIsKept())
        other.crash(pair[1])
        other.store(of: pair[1]).expire(upTo: Hour(.max))
        other.store(of: pair[1]).commit()
        other.restart(pair[1])
        #expect(
            found(other).count == 1 && found(other)[0].hasSuffix("was acknowledged and is not there after the start"))
    }

    @Test("Mail that was let go of and comes back, and mail beyond its time, are found")
    func resurrected() throws {
        let (world, hosts, record) = try carried(HeldInTime())
        let store = world.store(of: hosts[1])
        let bytes = try #require(store.envelope(record.id))
        store.insert(
            Ghost(
                id: record.id, expiry: record.header.expiry, ttlHours: 336, priority: record.header.priority,
                reason: .deleted))
        world.run(for: .minutes(2))
        #expect(world.violations.isEmpty)
        store.insert(record, bytes)
        #expect(found(world).count == 1 && found(world)[0].hasSuffix("was let go of and is held again"))

        var rarely = World.Options()
        rarely.sampleEvery = .hours(6)
        let (other, pair, late) = try carried(HeldInTime(), options: rarely)
        let sealed = try #require(other.store(of: pair[1]).envelope(late.id))
        other.crash(pair[0])
        other.run(for: .days(15))
        #expect(other.store(of: pair[1]).known().held.isEmpty)
        other.store(of: pair[1]).insert(late, sealed)
        #expect(found(other).count == 1 && found(other)[0].hasSuffix("is held beyond its time"))
    }

    @Test("A log that was rewritten and a revocation that was forgotten are found")
    func rewritten() throws {
        let (world, hosts, _) = try carried(LogOnlyGrows())
        // What the world began with is on no disk; what came later is.
        world.join("later", by: hosts[0])
        world.run(for: .minutes(2))
        let entry = try #require(world.store(of: hosts[1]).records(.log, after: 0, limit: 1).first)
        world.store(of: hosts[1]).delete(.log, entry.sequence)
        world.run(for: .minutes(1))
        #expect(found(world) == ["its log is not what it was, and more"])

        let (other, pair, _) = try carried(LogOnlyGrows())
        let late = other.join("late", by: pair[0])
        other.run(for: .minutes(1))
        other.revoke(late, by: pair[0])
        other.run(for: .minutes(2))
        let note = try #require(other.store(of: pair[1]).all(.notes).first)
        other.store(of: pair[1]).delete(.notes, note.key)
        other.run(for: .minutes(1))
        #expect(found(other) == ["it forgot a revocation"])
    }

    /// What a node does with a device of which it says at a given moment that it is revoked, and goes on as if it were not.
    enum Deed: String, CaseIterable {
        case link = "it links with ana"
        case take = "it takes mail from ana"
        case give = "it gives mail to ana"
    }

    @Test("Dealings with a device that is known to be revoked are found", arguments: Deed.allCases)
    func revoked(_ deed: Deed) {
        var knows = deed == .link
        let (world, ana, bo) = twisted(RevokedIsShutOut()) { world, _, effects in
            guard knows, let late = world.identity(of: world.hosts[0]) else { return effects }
            knows = false
            return [.observe(.noteLearnt(NoteHash(), late.id))] + effects
        }
        if deed != .link {
            #expect(world.violations.isEmpty)
            knows = true
        }
        switch deed {
        case .link: break
        case .take: world.send("from the revoked", from: ana, to: bo)
        case .give: world.send("to the revoked", from: bo, to: ana)
        }
        world.run(for: .minutes(2))
        #expect(found(world) == ["\(deed.rawValue), of whom it knows that it is revoked"])
    }

    @Test("A node that shuts a revoked device out is not accused")
    func shutOut() {
        let (world, ana, _) = twisted(RevokedIsShutOut()) { _, _, effects in effects }
        let late = world.join("late", by: ana)
        world.run(for: .minutes(1))
        world.revoke(late, by: ana)
        world.send("to the revoked", from: ana, to: late)
        world.run(for: .minutes(2))
        #expect(found(world).isEmpty)
    }

    @Test("An answer to a stranger is found")
    func answered() {
        let world = World(seed: 8)
        world.add(StrangersHearNothing())
        let bo = world.addHost("bo", isEnrolled: true) { world, host in
            TwistedNode(try world.makeNode(for: host)) { event, effects in
                guard case .accepted(let connection, _, _) = event else { return effects }
                return effects + [.send(connection, [1, 2, 3])]
            }
        }
        world.run(for: .seconds(1))
        let address = world.address(of: bo)
        world.addHost("stranger", isEnrolled: false) { _, _ in Dialling(address) }
        world.run(for: .minutes(1))
        #expect(found(world) == ["3 bytes went to stranger, a stranger"])
    }

    /// Connects once and listens.
    private final class Dialling: Resident {
        private let address: SocketAddress
        let nextDeadline: UInt64? = nil

        init(_ address: SocketAddress) { self.address = address }

        func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) {
            if case .endpoints = event { effects.append(.dial(.dialled(1), address)) }
        }
    }

    @Test("Beacons of another size, beacons that repeat, and beacons that are not noise are found")
    func beacons() {
        func found(_ datagrams: @escaping ([UInt8]) -> [[UInt8]]) -> [String] {
            let (world, ana, _) = twisted(BeaconsTellNothing()) { _, _, effects in
                effects.flatMap { effect in
                    guard case .multicast(let bytes) = effect else { return [effect] }
                    return datagrams(bytes).map { .multicast($0) }
                }
            }
            world.crash(ana)
            world.run(for: .hours(2))
            return self.found(world)
        }
        #expect(found { [$0] } == [])
        #expect(found { [$0 + [0]] } == ["a datagram has 221 bytes"])
        #expect(found { [$0, $0] } == ["eight bytes of a datagram were seen before"])
        var count: UInt8 = 0
        let plain = found { bytes in
            count &+= 1
            return [bytes.enumerated().map { $0 % 4 == 0 ? count : $1 & 0x7f }]
        }
        #expect(plain.count == 1 && plain[0].hasPrefix("some byte values are commoner"))
    }

    @Test("An order that is not obeyed, one that is obeyed twice, and obeying nobody's order are found")
    func orders() {
        func isObedience(_ effect: Effect) -> Bool {
            if case .observe(.wipeAccepted) = effect { true } else { false }
        }
        func found(
            _ certificate: Certificate, _ twist: @escaping ([Effect]) -> [Effect]
        ) -> [String] {
            let (world, ana, bo) = twisted(OrdersAreObeyed(), certificate: certificate) { _, _, effects in
                twist(effects)
            }
            world.orderWipe(bo, erasing: true, by: ana)
            world.run(for: .minutes(5))
            return self.found(world)
        }
        let owned = Certificate(roles: .organisationOwned)
        #expect(found(owned) { $0 } == [])
        #expect(
            found(owned) { $0.filter { !isObedience($0) } }
                == ["it was ordered to lock or erase itself, and never did"])
        #expect(found(owned) { $0 + $0.filter(isObedience) } == ["it obeys twice"])
        #expect(
            found(owned) { effects in
                effects.map { effect in
                    guard case .observe(.wipeAccepted(.erase, let order)) = effect else { return effect }
                    return .observe(.wipeAccepted(.lock, order))
                }
            } == ["it obeys an order that it must not obey"])
        #expect(found(.member) { $0 } == [])
        var isSaid = false
        let unbidden = found(.member) { effects in
            let refused = effects.contains { if case .observe(.wipeRefused) = $0 { true } else { false } }
            guard refused, !isSaid else { return effects }
            isSaid = true
            return effects + [.observe(.wipeAccepted(.erase, Octets16()))]
        }
        #expect(unbidden == ["it obeys an order that it must not obey"])
    }

    @Test("A text on the wire is found, wherever it stands in the packet")
    func plaintext() {
        let (world, ana, bo) = twisted(NoPlaintext()) { world, event, effects in
            guard case .deadline = event, let sent = world.sentMessages.first else { return effects }
            return effects + [.multicast([UInt8](repeating: 9, count: 101) + Array(sent.text.utf8) + [9])]
        }
        world.send("the convoy leaves at five", from: ana, to: bo)
        world.run(for: .minutes(5))
        #expect(found(world) == ["\"the convoy leave…\" is on the wire"])
    }

    @Test("Mail beyond the quota, and own mail that made room, are found")
    func quota() throws {
        let world = World(seed: 9)
        world.add(StoreStaysWithinQuota())
        let ana = world.addHost("ana", quota: 4096)
        let bo = world.addHost("bo")
        world.run(for: .minutes(1))
        world.send("mine", from: ana, to: bo)
        world.run(for: .minutes(2))
        #expect(world.violations.isEmpty)
        let record = try #require(world.store(of: ana).known().held.first)
        let bytes = try #require(world.store(of: ana).envelope(record.id))
        world.store(of: ana).insert(
            Ghost(
                id: record.id, expiry: record.header.expiry, ttlHours: 336, priority: record.header.priority,
                reason: .evicted))
        world.run(for: .minutes(1))
        #expect(found(world).count == 1 && found(world)[0].hasSuffix("made room for others' mail"))

        let (other, _, _) = try carried(StoreStaysWithinQuota())
        let small = other.addHost("small", quota: 100)
        other.run(for: .minutes(1))
        other.store(of: small).insert(record, bytes)
        other.run(for: .minutes(1))
        #expect(found(other) == ["\(record.header.bucket.size) bytes of mail, 100 are allowed"])
    }

    @Test("Two links between two devices that stay, and dials like a storm, are found")
    func links() {
        let (world, ana, _) = twisted(OneLinkEach()) { _, _, effects in
            effects + effects.filter { if case .observe(.linkUp) = $0 { true } else { false } }
        }
        world.run(for: .minutes(3))
        #expect(found(world).first?.hasPrefix("2 links with \(ana) for") ?? false)

        let (other, _, _) = twisted(DialsAreBounded()) { _, _, effects in
            effects.flatMap { effect in
                if case .observe(.dialling) = effect { [Effect](repeating: effect, count: 5) } else { [effect] }
            }
        }
        other.run(for: .minutes(1))
        #expect(found(other) == ["5 dials within a second"])
    }

    @Test("A message that a host took and lost, and mail that only one of two knows, are found in the end")
    func missing() throws {
        let world = World(seed: 10)
        world.add(EverythingArrives())
        let hosts = [world.addHost("ana"), world.addHost("bo")]
        world.run(for: .minutes(1))
        world.partition([hosts[0]], [hosts[1]])
        world.run(for: .minutes(5))
        world.send("lost at home", from: hosts[0], to: hosts[1])
        world.run(for: .minutes(1))
        world.crash(hosts[0])
        world.store(of: hosts[0]).expire(upTo: Hour(.max))
        world.store(of: hosts[0]).commit()
        world.restart(hosts[0])
        world.heal()
        world.run(for: .minutes(10))
        #expect(world.islands == [hosts])
        #expect(found(world) == ["\"lost at home\" from ana has not arrived"])

        let (other, pair, _) = try carried(EverythingArrives())
        other.store(of: pair[1]).expire(upTo: Hour(.max))
        #expect(found(other) == ["ana and bo do not know the same mail: 1 differ"])
    }

    @Test("A peer that a node no longer tries is found, one that is only away is not")
    func givenUp() {
        let world = World(seed: 11)
        world.add(StaticPeersAreTried())
        let away = world.addHost("away", isStarted: false)
        world.addHost("bo", peers: [away])
        let cy = world.addHost("cy", isEnrolled: true, peers: [away]) { world, host in
            TwistedNode(try world.makeNode(for: host)) { [unowned world] _, effects in
                effects.filter { effect in
                    if case .dial(_, let address) = effect { return world.isTried(address, away) }
                    if case .observe(.dialling(let address)) = effect { return world.isTried(address, away) }
                    return true
                }
            }
        }
        world.run(for: .minutes(30))
        #expect(world.violations.isEmpty)
        world.run(for: .minutes(10))
        #expect(world.violations.map(\.host) == [cy])
        #expect(world.violations.first?.text.hasPrefix("nothing was tried with away for ") ?? false)
    }

    @Test("Tokens out of nothing, and a sender that gives its last one away, are found")
    func tokens() throws {
        var options = World.Options()
        options.routing = .sprayAndWait(copies: 4)
        func changed(_ change: (inout EnvelopeRecord) -> Void, at index: Int) throws -> [String] {
            let world = World(seed: 12, options: options)
            world.add(TokensAreConserved())
            let hosts = (0..<3).map { world.addHost("host \($0)") }
            world.run(for: .minutes(1))
            world.send("a few copies", from: hosts[0], to: hosts[1])
            world.run(for: .minutes(5))
            #expect(world.violations.isEmpty)
            let store = world.store(of: hosts[index])
            var record = try #require(store.known().held.first)
            let bytes = try #require(store.envelope(record.id))
            change(&record)
            store.insert(record, bytes)
            return found(world)
        }
        let more = try changed({ $0.tokens += 4 }, at: 1)
        #expect(more.count == 1 && more[0].contains(" tokens, and may have "))
        let none = try changed({ $0.tokens = 0 }, at: 0)
        #expect(none.count == 1 && none[0].hasSuffix("gave away its last copy"))
    }

    @Test("Tokens are conserved through crashes, cuts, a stick and a torn write", arguments: [1, 4, 16])
    func tokensSound(copies: Int) {
        var options = World.Options()
        options.routing = copies == 1 ? .firstContact : .sprayAndWait(copies: copies)
        let world = World(seed: UInt64(copies), options: options)
        world.add(TokensAreConserved())
        let hosts = (0..<6).map { world.addHost("host \($0)") }
        world.run(for: .minutes(2))
        for number in 0..<6 { world.send("to each", from: hosts[number], to: hosts[(number + 2) % 6]) }
        world.run(for: .milliseconds(40))
        world.crash(hosts[1])
        world.crash(hosts[3], losing: .tornWrite, at: .beforeCommit)
        world.run(for: .minutes(3))
        world.restart(hosts[1])
        world.restart(hosts[3])
        world.partition([hosts[0], hosts[1]], [hosts[2], hosts[3], hosts[4], hosts[5]])
        for number in 0..<6 { world.send("behind a cut", from: hosts[number], to: hosts[(number + 3) % 6]) }
        world.sneakernet(from: hosts[0], to: hosts[4], capacity: 1 << 20, travel: .minutes(1))
        world.run(for: .minutes(10))
        world.heal()
        world.run(for: .minutes(10))
        #expect(world.finish().isSound, "\(world)")
    }

    @Test("Mail that crosses a link before the revocations is found")
    func mailFirst() throws {
        let world = World(seed: 13)
        world.add(NotesBeforeMail())
        let ana = world.addHost("ana")
        var isHasty = false
        let bo = world.addHost("bo", isEnrolled: true) { world, host in
            TwistedNode(try world.makeNode(for: host)) { [unowned world] _, effects in
                effects.flatMap { effect in
                    // Takes mail in with the handshake.
                    guard isHasty, case .observe(.linkUp(let device, _, _)) = effect,
                        device == world.identity(of: world.hosts[0])?.id
                    else { return [effect] }
                    return [effect, .observe(.stored(EnvelopeID(), from: device))]
                }
            }
        }
        let late = world.addHost("late")
        world.run(for: .minutes(1))
        func meetAgain() {
            world.partition([ana], [bo, late])
            world.run(for: .minutes(5))
            world.heal()
            world.run(for: .minutes(5))
        }
        world.send("after the notes", from: ana, to: bo)
        isHasty = true
        meetAgain()
        #expect(world.violations.isEmpty)
        world.partition([ana], [bo, late])
        world.revoke(late, by: ana)
        meetAgain()
        #expect(found(world) == ["mail crosses its link with ana, and 1 revocations have not"])
    }

    @Test("Who is taken for a member and stands in no log is found")
    func unnamed() {
        func found(_ isTwisted: Bool) -> [String] {
            let world = World(seed: 14)
            world.add(OnlyLoggedAreMembers())
            world.addHost("ana")
            // Takes whoever has a certificate for a member.
            world.addHost("bo", isEnrolled: true) { world, host in
                TwistedNode(try world.makeNode(for: host)) { _, effects in
                    effects.map { effect in
                        guard isTwisted, case .observe(.linkUp(let device, let address, isCatchUp: true)) = effect
                        else {
                            return effect
                        }
                        return .observe(.linkUp(device, address, isCatchUp: false))
                    }
                }
            }
            world.run(for: .minutes(1))
            let thief = world.copyAuthority()
            thief.enrolInSecret(world.reserveHost("spy"))
            world.run(for: .minutes(3))
            return self.found(world)
        }
        #expect(found(false) == [])
        #expect(found(true) == ["it takes for a member spy, whom its log does not name"])
    }

    enum VoidGrant: CaseIterable {
        case forked, afterTheLastGood
    }

    @Test(
        "Who goes on with a member is found whom a forked log or a dismissed authority enrolled",
        arguments: VoidGrant.allCases)
    func voidMember(_ grant: VoidGrant) {
        let world = World(seed: 15)
        world.add(VoidGrantsAdmitNobody())
        let ana = world.addHost("ana")
        let late = world.reserveHost("late")
        var isStubborn = false
        let bo = world.addHost("bo", isEnrolled: true) { world, host in
            TwistedNode(try world.makeNode(for: host)) { [unowned world] event, effects in
                // Takes mail from the late one, whatever its log has come to say.
                guard isStubborn, case .deadline = event, let device = world.identity(of: late)?.id else {
                    return effects
                }
                return effects + [.observe(.stored(EnvelopeID(), from: device))]
            }
        }
        world.run(for: .minutes(1))
        let other = world.copyAuthority()
        world.enrol(late, by: ana)
        world.run(for: .minutes(2))
        isStubborn = true
        world.run(for: .minutes(2))
        #expect(world.violations.isEmpty)
        switch grant {
        case .forked: other.rotateEpoch(by: ana)
        case .afterTheLastGood: world.revokeAuthority(since: other, by: ana)
        }
        world.run(for: .minutes(2))
        #expect(found(world) == ["it takes mail from late, whose enrolment is void"])
        #expect(world.violations.first?.host == bo)
    }

    @Test("A certificate that ends with no authority at work is found once, a revoked device's is not")
    func lapse() {
        var options = World.Options()
        options.sampleEvery = .minutes(10)
        let world = World(seed: 17, options: options)
        world.add(NoCertificateLapses())
        let ana = world.addHost("ana")
        let bo = world.addHost("bo", certificate: Certificate(life: .days(1)))
        let cy = world.addHost("cy", certificate: Certificate(life: .days(1)))
        world.revoke(cy, by: ana)
        world.run(for: .hours(23))
        #expect(world.violations.isEmpty)
        world.run(for: .hours(3))
        #expect(world.violations.map(\.host) == [bo])
        #expect(found(world)[0].hasPrefix("its certificate ended at"))
    }

    @Test("A floor that somebody else's clock has moved is found, one that the log or a timekeeper moved is not")
    func floor() {
        let world = World(seed: 16)
        world.add(FloorIsNobodyElses())
        world.addHost("ana")
        let bo = world.addHost("bo", clock: ClockQuality(hasRTC: false, wake: 0))
        world.addHost("liar", misbehaving: [.clockLiar(by: .days(4_000))])
        world.run(for: .hours(3))
        #expect(world.violations.isEmpty)
        world.crash(bo)
        // As if it had taken an hour from a HELLO for more than the date of mail.
        let later = world.minute.adding(3 * 1_440)
        world.store(of: bo).put(
            .state, Array("floor".utf8),
            [0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: later.value >> (24 - 8 * $0)) })
        world.store(of: bo).commit()
        world.restart(bo)
        world.run(for: .minutes(5))
        #expect(found(world).count == 1 && found(world)[0].hasSuffix("minutes after any clock it may go by"))
    }

    @Test("A member that finds nobody who lets it in is found, one that is cut off is not")
    func lockedOut() {
        let world = World(seed: 17)
        world.add(NobodyIsLockedOut(within: .minutes(10)))
        let ana = world.addHost("ana")
        let bo = world.addHost("bo")
        world.run(for: .minutes(1))
        world.partition([ana], [bo])
        world.run(for: .minutes(30))
        world.heal()
        world.run(for: .minutes(20))
        #expect(world.violations.isEmpty)
        // Without the key of an epoch that others hold it hears no beacon and opens no handshake.
        world.crash(bo)
        for record in world.store(of: bo).all(.epochs) { world.store(of: bo).delete(.epochs, record.key) }
        world.store(of: bo).commit()
        world.restart(bo)
        world.run(for: .minutes(20))
        #expect(found(world).count == 1 && found(world)[0].hasSuffix("without a link"))
    }

    @Test("Hosts that differ longer than they may are found, those that come together in time are not")
    func divergence() throws {
        let (world, hosts, _) = try carried(ConvergesInTime(within: .seconds(90)))
        world.partition([hosts[0]], [hosts[1]])
        for number in 0..<20 { world.send("number \(number)", from: hosts[number % 2], to: hosts[1 - number % 2]) }
        world.run(for: .minutes(30))
        world.heal()
        world.run(for: .minutes(5))
        #expect(world.islands == [hosts] && world.violations.isEmpty)
        world.store(of: hosts[1]).expire(upTo: Hour(.max))
        world.run(for: .minutes(3))
        #expect(found(world).first?.hasPrefix("ana and bo differ in 21, left alone for ") ?? false)
    }
}

extension World {
    /// Half an hour's patience with a host that is away.
    fileprivate func isTried(_ address: SocketAddress, _ host: Host) -> Bool {
        time < .minutes(30) || address != self.address(of: host)
    }
}
