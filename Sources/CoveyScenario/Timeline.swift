/// Something that happens to the world: an entry of the timeline.
package struct TimelineEntry: Hashable, Sendable {
    package enum Moment: Hashable, Sendable {
        case at(TimeSpan)
        /// First after one span, then again and again.
        case every(TimeSpan, from: TimeSpan, until: TimeSpan?)
    }

    package enum Verb: Hashable, Sendable {
        /// Hosts of different sides no longer reach one another; who is on no side reaches all, who is on two reaches both.
        case partition(sides: [[Term]], affects: String?, isOneWay: Bool)
        /// Ends partitions and cuts; within `ramp`, and from now on over another kind of link.
        case heal(ramp: TimeSpan, link: String?)
        case cut(Term, Term)
        case uncut(Term, Term)
        /// Packets wait, and come when released.
        case hold(from: [Term], to: [Term])
        case release
        case setLink(String, LinkChange)
        case linkDown(String, of: [Term])
        case asymLoss(from: [Term], to: [Term], loss: Double)
        case crash(Who, Crash)
        case restart(Who)
        /// Never comes back.
        case kill(Who)
        case powerCycle(Who, losesUnsynced: Bool, off: TimeSpan)
        case churn(Who, off: TimeSpan)
        case join(Who)
        case revoke(device: Term, by: Term, wipe: Wipe?)
        /// From now on what this host's officer signs follows a copy of the authority's key and log: a thief's, or that of a
        /// second office.
        case copyAuthority(Term)
        /// From now on the authority works beside this host's node, and answers requests for renewal.
        case openOffice(Term)
        /// Has no device until then. In secret: with a copied key, and the entry is shown to nobody.
        case enrol(device: Term, by: Term, isSecret: Bool)
        /// The root ends the authority as of when it was copied, and names another one.
        case revokeAuthority(since: Term, by: Term)
        case checkpoint(Term)
        case newEpoch(Term)
        /// The root and the field authority go over to the keys they promised.
        case newKeys(Term)
        /// The cold keys say that the branch of the field authority in office stands.
        case recoverFork(Term)
        case clockJump(Who, by: TimeSpan)
        case clockDrift(Who, ppm: Double)
        /// Traffic times this.
        case load(Double)
        case sneakernet(Sneakernet)
        case diskFull(Who)
        case byzantine(Who, [Behaviour])
    }

    package struct LinkChange: Hashable, Sendable {
        package var hasMulticast: Bool?
        package var rate: BitRate?
        package var latency: LinkKind.Latency?
        package var loss: LinkKind.Loss?
    }

    package struct Crash: Hashable, Sendable {
        /// Nil: down until a `restart`.
        package var restartAfter: TimeSpan?
        package var losesUnsynced: Bool
        package var isWriteTorn: Bool
        package var corruptsDisk: Bool
    }

    /// What a revoked device is ordered to do besides.
    package enum Wipe: String, CaseIterable, Sendable { case lock, erase }

    /// What a host writes on a stick goes in a bag to another.
    package struct Sneakernet: Hashable, Sendable {
        package var from: Term
        package var to: Term
        package var capacity: ByteCount
        package var travel: TimeSpan
        /// Chance that an item cannot be read at the end.
        package var damage: Double
    }

    /// How a member breaks the rules (sync-routing.md §5.2).
    package struct Behaviour: Hashable, Sendable, CustomStringConvertible {
        package enum Kind: String, CaseIterable, Sendable {
            case replay, flood, equivocate, blackhole, greyhole, utilityLie, tokenInflate, corruptChunks, sketchGarbage
            case summaryLie, wantFlood, fakeVaccine, oldEpochBeacon, clockLie, idCollide, rejoinRevoked, slowloris
        }
        package var kind: Kind
        /// Of `flood:20/s`.
        package var rate: Frequency?
        /// Of `greyhole:0.5`.
        package var chance: Double?

        package var description: String {
            if let rate { return "\(kind.rawValue):\(rate)" }
            if let chance { return "\(kind.rawValue):\(Numeral.text(chance))" }
            return kind.rawValue
        }

        init(_ kind: Kind, rate: Frequency? = nil, chance: Double? = nil) {
            self.kind = kind
            self.rate = rate
            self.chance = chance
        }

        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard let kind = parts.first.flatMap(Kind.init(rawValue:)) else { return nil }
            switch (kind, parts.count == 2) {
            case (.flood, true):
                guard let rate = Frequency(parts[1]), rate.microsecondsBetween >= 100 else { return nil }
                self.init(kind, rate: rate)
            case (.greyhole, true):
                guard let chance = Double(parts[1]), (0...1).contains(chance) else { return nil }
                self.init(kind, chance: chance)
            case (_, false): self.init(kind)
            case (_, true): return nil
            }
        }
    }

    package var moment: Moment
    /// After which it is undone. Nil: it stays.
    package var lasts: TimeSpan?
    package var verb: Verb

    package enum Word: String, CaseIterable, Sendable {
        case partition, heal, cut, uncut, hold, release, setLink, linkDown, asymLoss, crash, restart, kill, powerCycle
        case churn, join, revoke, copyAuthority, openOffice, enrol, revokeAuthority, checkpoint, newEpoch, newKeys
        case recoverFork, clockJump
        case clockDrift, load, sneakernet, diskFull, byzantine
    }

    package var word: Word {
        switch verb {
        case .partition: .partition
        case .heal: .heal
        case .cut: .cut
        case .uncut: .uncut
        case .hold: .hold
        case .release: .release
        case .setLink: .setLink
        case .linkDown: .linkDown
        case .asymLoss: .asymLoss
        case .crash: .crash
        case .restart: .restart
        case .kill: .kill
        case .powerCycle: .powerCycle
        case .churn: .churn
        case .join: .join
        case .revoke: .revoke
        case .copyAuthority: .copyAuthority
        case .openOffice: .openOffice
        case .enrol: .enrol
        case .revokeAuthority: .revokeAuthority
        case .checkpoint: .checkpoint
        case .newEpoch: .newEpoch
        case .newKeys: .newKeys
        case .recoverFork: .recoverFork
        case .clockJump: .clockJump
        case .clockDrift: .clockDrift
        case .load: .load
        case .sneakernet: .sneakernet
        case .diskFull: .diskFull
        case .byzantine: .byzantine
        }
    }
}
