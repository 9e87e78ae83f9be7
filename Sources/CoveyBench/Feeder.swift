import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV

/// A node that is fed: after each of its turns, mail is put in as its role says. Writes on the board what happens.
final class Feeder: Turning {
    /// Envelopes put in in one turn at most.
    private static let mostATurn = 64
    /// Microseconds between one envelope's acknowledgement and the next.
    private static let pause: UInt64 = 5_000

    private let node: Node
    private let role: NodeRole
    private let peers: [DeviceID]
    private let board: Board
    private let random = SystemRandom()
    private var source: EnvelopeSource
    private var fed: UInt64 = 0
    private var handed: UInt64 = 0
    private var stored: UInt64 = 0
    private var isOpen = false
    private var isWritten = false
    /// Uptime before which nothing is put in.
    private var notBefore: UInt64 = 0

    init(_ node: Node, role: NodeRole, peers: [DeviceID], board: Board) {
        self.node = node
        self.role = role
        self.peers = peers
        self.board = board
        source = EnvelopeSource(role.bucket, now: role.founded, random: random)
    }

    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws {
        try node.handle(event, at: now, store: store, into: &effects)
        if role.feed == .letter, !isWritten {
            isWritten = true
            let text = Command.send(to: peers[(role.device + 1) % peers.count].hex, text: "I have just joined.")
            try node.handle(.command(CommandID(1), text), at: now, store: store, into: &effects)
        }
        if !isOpen, peers.contains(where: node.isOpen) {
            isOpen = true
            board.setOpen(role.device, Stopwatch.now)
        }
        let due = count(now)
        if due > 0 { try feed(due, now, store, &effects) }
    }

    var nextDeadline: UInt64? {
        guard let wanted = wants else { return node.nextDeadline }
        return min(node.nextDeadline ?? .max, wanted)
    }

    /// When something is to be put in; nil when there is nothing.
    private var wants: UInt64? {
        switch role.feed {
        case .none, .letter:
            return nil
        case .steady(let window):
            return isOpen && board[.go] == 1 && fed - handed < UInt64(window) ? 0 : nil
        case .singly(let count):
            return isOpen && board[.go] == 1 && fed == handed && fed < UInt64(count) ? notBefore : nil
        case .ahead(let count):
            return fed < UInt64(count) ? 0 : nil
        }
    }

    private func count(_ now: Now) -> Int {
        guard let wanted = wants, wanted <= now.uptime else { return 0 }
        switch role.feed {
        case .none, .letter: return 0
        case .steady(let window): return min(Self.mostATurn, window - Int(fed - handed))
        case .singly: return 1
        case .ahead(let count): return min(Self.mostATurn, count - Int(fed))
        }
    }

    private func feed(_ count: Int, _ now: Now, _ store: any Store, _ effects: inout Effects) throws {
        if fed == 0 { board[.fedSince] = Stopwatch.now }
        var envelopes: [Envelope] = []
        envelopes.reserveCapacity(count)
        for number in 0..<count {
            board.stampFed(fed + UInt64(number))
            envelopes.append(source.next())
        }
        let taken = try node.carry(envelopes, at: now, store: store, into: &effects)
        precondition(taken == count, "there is room for what is fed")
        fed += UInt64(count)
        board[.fed] = fed
        // Performed after the commit like any effect, so it tells when all of it is durable here.
        if case .ahead(let all) = role.feed, fed == UInt64(all) { effects.append(.observe(.started(node.device))) }
    }

    func observed(_ observation: Observation) {
        switch observation {
        case .stored:
            let time = Stopwatch.now
            board.stampStored(stored, time)
            stored += 1
            board[.lastStored] = time
            board[.stored] = stored
        case .handedOn:
            handed += 1
            notBefore = 0
            board[.handed] = handed
        case .linkUp:
            board.setLinkUp(role.device, Stopwatch.now)
        case .dialling:
            board.setDial(role.device, Stopwatch.now)
        case .started:
            board[.fedDurable] = Stopwatch.now
        case .delivered:
            board[.delivered] = Stopwatch.now
        case .heardBeacon, .linkDown, .refused, .logAccepted, .noteLearnt, .epochLearnt, .announced,
            .expired, .warning, .suspendLearnt, .quarantined, .staleness, .wipeAccepted, .wipeRefused, .wipeReceipt:
            break
        }
    }
}
