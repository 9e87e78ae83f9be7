import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyRouting
import CoveySync

/// One link after its handshake: the peer, how far the exchange has come, and what is on its way.
///
/// A class for its identity: a frame being read, an acknowledgement and a deadline speak of the same link.
final class PeerLink {
    /// What the peer is to us, and how far the two have come (protocol.md §2.3, order after message 3).
    enum Stage {
        /// Its certificate is not in our log, or ours not in its: log frames only, until `deadline`.
        case catchUp
        /// Both are members to each other; the sets of notes are being made equal.
        case notes
        /// Notes are equal and our HELLO is sent.
        case hello
        /// Both HELLOs are through: mail flows.
        case open
    }

    struct Transfers {
        /// Items pushed and not acknowledged.
        var pushes = 0
        /// Items asked for and not here.
        var wants = 0

        var isEmpty: Bool { pushes <= 0 && wants <= 0 }
    }

    struct Outgoing {
        let id: EnvelopeID
        /// Set for mail that has just come in, so that it need not be read back.
        let bytes: [UInt8]?
        /// The set whose reconciliation waits for its acknowledgement.
        let run: Namespace?
        /// The peer saw the header and asked: it gets the bytes whatever the policy says, and no tokens.
        var isAsked = false
    }

    struct InFlight {
        let size: Int
        let run: Namespace?
        let handover: Handover

        var id: EnvelopeID { handover.id }
    }

    /// Rows of an OFFER that the peer has not answered.
    struct Shown {
        let session: UInt16
        let ids: [EnvelopeID]
    }

    let connection: ConnectionID
    let address: SocketAddress
    let isInitiator: Bool
    let handshakeHash: Octets32
    let shortIDs: ShortIDs
    let established: UInt64
    /// When its keys are to be renewed: after an hour, or soon after the epoch or a certificate changed.
    var rehandshakeDue: UInt64
    let hardStop: UInt64
    let device: DeviceID
    let label: String
    private(set) var certificate: Signed
    private(set) var chain: PresentedChain
    let linkKey: AgreementPublicKey
    /// First 8 bytes of the commits of the epochs the peer said to hold.
    var peerEpochs: Set<Octets8>
    var sender: FrameSender
    var receiver: FrameReceiver

    var stage: Stage
    /// Until when the link must be open, in microseconds of uptime.
    var stageDeadline: UInt64
    /// The peer as our log knows it; nil while its certificate is not in it.
    var member: VerifiedMember?
    /// Why it gets no more than log frames, when that is known: what else it sends is passed over.
    var isKeptToLog = false
    /// Nobody we know signed its certificate: it is told where our logs stand, and no more.
    var isUnproven = false
    /// Only entries before the one that issued its certificate are missing: it is sent log and notes (protocol.md §1.7).
    var isProvisional = false
    /// The hash by which the peer named a chain that our log does not have, until CERT shows it.
    private(set) var wantedChain: ChainHash?
    /// Set while the link of a device with a wipe order waits for its receipt: nothing else is taken on it.
    var awaitsReceipt = false
    /// Orders that the peer is told of, as soon as it has said how far its log goes.
    var ordersDue: [NoteHash] = []
    /// The peer's heads as it last told them; nil before it has told all for the first time.
    var peerHeads: PeerHeads?
    /// Those that it is telling.
    var headsBegun: PeerHeads?
    /// The last entry of each log that the peer's heads made us send.
    var entriesSent: [LogID: UInt64] = [:]
    var bundleRequests = Rate(Limits.bundleRequests, each: Rate.minute)
    /// What it brought that looked like ours and was not, while there was no room for it.
    var forgedLetters = Rate(Limits.forgedLetters, each: Rate.minute)
    var timeAnswers = Rate(Limits.timeAnswers, each: Rate.minute)
    /// The challenge a timekeeper has not answered yet, and when it gets the next.
    var timeNonce: Octets16?
    var timeDue: UInt64 = 0
    /// Logs whose fork was shown to the peer.
    var forksShown: Set<LogID> = []
    /// How we came to be a member was shown.
    var isInclusionSent = false
    var peerHello: Frame.Hello? {
        didSet {
            guard let hello = peerHello else { return }
            // No more than its certificate gives it: mail goes by them.
            let given = ZoneSet(member.map { $0.certificate.zones.map { ZoneHint($0) } } ?? [])
            peerView.zones = ZoneSet(hello.zones.map { ZoneHint($0) }).intersection(given)
            for priority in Priority.allCases { peerView.pressure[priority] = Pressure(hello.pressure[priority]) }
        }
    }
    var notesAreEqual = false
    /// Notes that went to the peer before HELLO. Where one is lacking still, the peer may not know whom it speaks of.
    var notesPushed: Set<ItemID> = []
    var reconcilers = Reconcilers()
    /// What the reconciliation of a set waits for.
    var transfers: [Namespace: Transfers] = [:]
    /// Runs of a set, one after the other, that did not end equal.
    var unequalRuns: [Namespace: Int] = [:]
    /// When digests are exchanged again, and the pause after that (Trickle, sync-routing.md §2.4).
    var digestAt: UInt64 = .max
    var digestPause: UInt64 = 0
    /// A new handshake was asked for: this link stays until the new one is up.
    var isBeingReplaced = false

    var branch = Branch()

    private(set) var peerView: PeerView
    /// Zones that the peer reaches better than we do.
    var nearer: ZoneSet {
        get { peerView.nearer }
        set { peerView.nearer = newValue }
    }
    /// Zones to which a way leads from us.
    var reached: ZoneSet {
        get { peerView.reached }
        set { peerView.reached = newValue }
    }
    /// UTIL frames the peer may still send: it tells a second after something changed at the earliest.
    var reachReports = Rate(Limits.reachReports, each: Rate.minute)
    /// Zones whose mail was shown since `gainedSince`, as the peer came to be nearer: each once a minute.
    private var gainedZones = ZoneSet()
    private var gainedSince: UInt64 = 0
    /// UTIL frames sent.
    var utilities: UInt32 = 0
    var acks: [Frame.DataAck.Row] = []
    var outgoing = Backlog<Outgoing>()
    var inFlight: [Octets8: InFlight] = [:]
    var unacknowledged = 0
    /// What is in line to be shown, and what was shown, the oldest first.
    var showing = Backlog<EnvelopeID>()
    var shown: [Shown] = []
    /// When what is in line is shown, in microseconds of uptime; nil while nothing is.
    var showAt: UInt64?
    var offers: UInt16 = 0
    var awaitsDrain = false

    var heardAt: UInt64
    var pingedAt: UInt64?
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0

    init(
        connection: ConnectionID, address: SocketAddress, isInitiator: Bool, transport: Transport, claim: PeerClaim,
        admission: CoveyCore.Admission, now: UInt64
    ) {
        switch admission {
        case .member(let member):
            self.member = member
            device = member.device
            label = member.certificate.label
        case .catchUp(let peer, let why):
            device = peer.device
            label = peer.certificate.label
            isKeptToLog = why == .suspended || why == .ordered
            awaitsReceipt = why == .ordered
            isProvisional = peer.isProvisional
            isUnproven = why == .unproven
            if isUnproven || why == .unknownChain, case .hash(let hash) = claim.payload.chain.presented {
                wantedChain = hash
            }
        case .refused:
            preconditionFailure("a refused peer was thrown out before")
        }
        self.connection = connection
        self.address = address
        self.isInitiator = isInitiator
        handshakeHash = transport.handshakeHash
        shortIDs = transport.shortIDs
        established = transport.established
        rehandshakeDue = transport.rehandshakeDue
        hardStop = transport.hardStop
        sender = transport.sender
        receiver = transport.receiver
        certificate = claim.payload.certificate
        chain = claim.payload.chain.presented
        linkKey = claim.linkKey
        peerEpochs = Set(claim.payload.epochs)
        stage = .catchUp
        stageDeadline = now + Limits.catchUp
        peerView = PeerView(device: device, zones: ZoneSet())
        heardAt = now
    }

    /// What the log has of the same bytes takes the place of what the peer presented.
    func share(_ known: Signed, issuedBy authorities: [Signed]) {
        if certificate == known { certificate = known }
        if case .certificates(let presented) = chain, presented == authorities { chain = .certificates(authorities) }
    }

    /// What the peer had named by its hash.
    func present(_ authorities: [Signed]) {
        chain = .certificates(authorities)
        wantedChain = nil
    }

    var phase: LinkPhase {
        switch stage {
        case .catchUp: .catchUp
        case .notes, .hello: .beforeHello
        case .open: .open
        }
    }

    /// Of zones that the peer came to be nearer to, those whose mail was not shown to it within the last minute.
    func gain(_ zones: ZoneSet, at uptime: UInt64) -> ZoneSet {
        if uptime >= gainedSince + Rate.minute {
            gainedSince = uptime
            gainedZones = ZoneSet()
        }
        let new = zones.subtracting(gainedZones)
        gainedZones = gainedZones.union(new)
        return new
    }

    /// Set once, when the link is gone.
    var isEnded = false

    var isOpen: Bool {
        if case .open = stage { true } else { false }
    }

    /// Notes are being made equal, and nothing else is spoken of.
    var isGettingOpen: Bool {
        if case .notes = stage { true } else { false }
    }

    var isMember: Bool { member != nil }
    /// Whether we validated it, provisionally or before it was suspended: others get no entries (protocol.md §1.7).
    var getsLog: Bool { isMember || isProvisional || isKeptToLog }
    var isGateway: Bool { member?.certificate.capabilities.contains(.gateway) ?? false }

    /// How many more envelopes may be put in line.
    var room: Int { max(0, Limits.outgoing - outgoing.count) }
}
