import CoveyCore
import CoveyCrypto
import CoveyNode

/// What a hostile member does (sync-routing.md §5.2). All but `rejoinRevoked` are done while its links last.
public enum Misbehaviour: Hashable, Sendable {
    /// Gives envelopes and log entries again that it was given, to everybody, and plays datagrams and first messages again
    /// at others.
    case replay
    /// So many envelopes a second to each neighbour, of valid form, with nothing in them.
    case flood(perSecond: Int)
    /// Takes all mail, acknowledges it, and gives none.
    case blackhole
    /// Keeps this share of the mail, from 0 to 1, and passes the rest on.
    case greyhole(share: Double)
    /// Alters what it passes on: half of it under the old name, half under a name that fits.
    case corrupt
    /// With a stolen authority key: two log entries of one sequence, one for every other neighbour.
    case equivocate
    /// Says an hour in its HELLO that is so far off.
    case clockLiar(by: Duration)
    /// Says of every set that it is the same, or that it is something it is not.
    case summaryLiar
    /// Grinds envelopes whose ids, and whose short ids under a guessed key, begin alike.
    case idCollision
    /// Once it is revoked, it knocks on with what it has: its certificate, its epochs, beacons made with them.
    case rejoinRevoked
    /// Sends the beacons of others again, for as long as it lasts.
    case oldBeacons
    /// Takes up connections and says a byte of a first message now and then, or nothing.
    case slowloris

    private static func random(of host: Host, in world: World) -> SeededRandom {
        SeededRandom(seed: world.seed, stream: "grey hole \(host.index) at \(world.time.simulated)")
    }

    fileprivate func conduct(of host: Host, in world: World) -> any Conduct {
        switch self {
        case .replay: Replay()
        case .flood(let rate): Flood(perSecond: rate)
        case .blackhole: Greyhole(share: 1, random: Self.random(of: host, in: world))
        case .greyhole(let share): Greyhole(share: share, random: Self.random(of: host, in: world))
        case .corrupt: Corruption()
        case .equivocate: Equivocation(world.fork())
        case .clockLiar(let difference): ClockLie(by: difference)
        case .summaryLiar: SummaryLie()
        case .idCollision: IDCollision()
        case .rejoinRevoked: RevokedRejoin()
        case .oldBeacons: OldBeacons()
        case .slowloris: Slowloris()
        }
    }
}

extension World {
    /// An enrolled device that means harm. Nobody sits at it: `send` from it comes to nothing.
    ///
    /// - Parameter begin: until then it has a node like any other.
    @discardableResult
    public func addHost(
        _ name: String, misbehaving misbehaviours: [Misbehaviour], from begin: Duration = .zero,
        segments: [Segment]? = nil
    ) -> Host {
        guard begin > time else {
            return addHost(name, isEnrolled: true, segments: segments) { world, host in
                Insider(in: world, on: host, misbehaviours.map { $0.conduct(of: host, in: world) })
            }
        }
        let host = addHost(name, segments: segments)
        at(begin) { $0.turn(host, misbehaviours) }
        return host
    }

    /// A device's owner changes sides: its node is killed, and what was on its disk is in the hands of what comes instead.
    public func turn(_ host: Host, _ misbehaviours: [Misbehaviour]) {
        checkIdle()
        let machine = machines[host.index]
        precondition(machine.identity != nil, "\(host.name) is enrolled, so that it is a member")
        machine.makeResident = { world, host in
            Insider(in: world, on: host, misbehaviours.map { $0.conduct(of: host, in: world) })
        }
        guard machine.resident != nil else { return }
        kill(host)
        restart(host)
    }

    /// A device is in right hands again: a node takes over, with what was on its disk when it changed sides.
    public func turnBack(_ host: Host) {
        checkIdle()
        let machine = machines[host.index]
        precondition(machine.identity != nil, "\(host.name) is enrolled, so that it can have a node")
        machine.makeResident = nil
        guard machine.resident is Insider else { return }
        kill(host)
        restart(host)
    }

    /// Somebody who is no member, and has a device, a certificate and an epoch of a mesh of their own making. They hear
    /// everything that is on any wire, dial every host again and again, and say what might draw an answer: what they make
    /// themselves, and what they have recorded.
    @discardableResult
    public func addOutsider(_ name: String, segments: [Segment]? = nil) -> Host {
        addHost(name, isEnrolled: false, segments: segments) { world, host in
            let outsider = Outsider(in: world, on: host)
            world.add(tap: outsider)
            return outsider
        }
    }

    /// Whether a node as it should be lives on a host, or did last.
    func isHonest(_ host: Host) -> Bool {
        let machine = machines[host.index]
        return machine.identity != nil && !(machine.resident is Insider)
    }

    /// Whether bytes could go from one host to another, were nothing cut or held.
    func reaches(_ from: Host, _ to: Host) -> Bool { route(UInt32(from.index), UInt32(to.index)) != nil }
}
