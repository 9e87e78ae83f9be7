import CoveyContact
package import CoveyCore
import CoveyCrypto
package import CoveyNode

// What people at the hosts do and see.

extension World {
    /// One thing a node noticed.
    public struct Seen: Hashable, Sendable {
        /// Microseconds since the world began.
        public let time: UInt64
        /// Whose node it was.
        public let host: Host
        /// What it noticed.
        public let sighting: Sighting
    }

    /// Asks a node, now. Nil when no node runs there; a reply is given before its commit.
    @discardableResult
    package func command(_ command: Command, at host: Host) -> Reply? {
        checkIdle()
        begin()
        let machine = machines[host.index]
        guard machine.isUp, machine.resident != nil else { return nil }
        machine.commands += 1
        let id = CommandID(machine.commands)
        asked = id
        answer = nil
        turn(machine, .command(id, command))
        asked = nil
        return answer
    }

    /// A reply left the node, after its commit.
    func answered(_ machine: Machine, _ id: CommandID, _ reply: Reply) {
        guard case .sent(let message, _) = reply, let at = sentIndex[message] else { return }
        messages[at] = messages[at].taken()
    }

    /// The user of one host writes to another's.
    @discardableResult
    public func send(_ text: String, from: Host, to: Host) -> Message {
        guard let device = machines[to.index].identity?.id else {
            preconditionFailure("\(to.name) is enrolled, so that it can be written to")
        }
        let reply = command(.send(to: device.hex, text: text), at: from)
        let id: MessageID
        let state: Message.State
        switch reply {
        case .sent(let name, .sealed)?: (id, state) = (name, .sealed)
        case .sent(let name, .waitingForKeys)?: (id, state) = (name, .waitingForKeys)
        case .refused(let refusal)?: (id, state) = (MessageID(), .refused("\(refusal)"))
        case nil: (id, state) = (MessageID(), .unasked)
        case .status?, .peers?, .contacts?, .contact?, .announced?, .examined?, .suspended?, .revokedSelf?,
            .announcements?, .inbox?, .logHeads?, .logList?, .logNotes?, .logExport?, .renewals?, .releases?,
            .wipeSigned?, .wipes?, .logSubmitted?, .stopping?:
            preconditionFailure("the answer to a message says what became of it")
        }
        if let at = sentIndex[id] { return messages[at] }
        let message = Message(
            id: id, from: from, to: to, text: text, state: state, sent: time, received: nil, isFromRevoked: false,
            isTaken: false)
        return message
    }

    /// The command's answer is known before its commit: what a message is called is noted at once.
    func note(sent command: Command, _ reply: Reply, _ machine: Machine) {
        guard case .send(let device, let text) = command, case .sent(let id, let state) = reply,
            let to = DeviceID(hex: device).flatMap({ host(of: $0) })
        else { return }
        sentIndex[id] = messages.count
        messages.append(
            Message(
                id: id, from: machine.host, to: to, text: text,
                state: state == .sealed ? .sealed : .waitingForKeys, sent: time, received: nil, isFromRevoked: false,
                isTaken: false))
        report.sent += 1
    }

    /// What a host's user has received, the oldest first: what is on its disk, whether its node runs or not.
    public func inbox(of host: Host) -> [Message] {
        let machine = machines[host.index]
        return machine.store.records(.inbox, after: 0, limit: .max).map { record in
            do {
                return message(try InboxMessage(sequence: record.sequence, record: record.value), at: machine)
            } catch { preconditionFailure("the inbox is what the node wrote: \(error)") }
        }
    }

    func message(_ message: InboxMessage, at machine: Machine) -> Message {
        if let at = sentIndex[message.id], messages[at].to == machine.host {
            let sent = messages[at]
            return Message(
                id: message.id, from: self.host(of: message.from), to: machine.host, text: message.text,
                state: .sealed, sent: sent.sent, received: sent.received ?? time,
                isFromRevoked: message.senderSinceRevoked, isTaken: sent.isTaken)
        }
        return Message(
            id: message.id, from: self.host(of: message.from), to: machine.host, text: message.text, state: .sealed,
            sent: .zero, received: time, isFromRevoked: message.senderSinceRevoked, isTaken: true)
    }

    /// All messages that nodes took from their users, in the order of sending.
    public var sentMessages: [Message] { messages }

    /// What the nodes noticed, in order; empty without `Options.keepsSightings`.
    public var sightings: [Seen] { seen }

    /// What one node noticed, in order, over all its starts; empty without `Options.keepsSightings`.
    public func sightings(of host: Host) -> [Sighting] {
        seen.lazy.filter { $0.host == host }.map(\.sighting)
    }

    /// Whether mail flows between two hosts now.
    public func isLinked(_ a: Host, _ b: Host) -> Bool {
        guard let first = node(of: a), let second = node(of: b), let one = machines[a.index].identity?.id,
            let other = machines[b.index].identity?.id
        else { return false }
        return first.isOpen(to: other) && second.isOpen(to: one)
    }

    // MARK: Under the handle

    /// Nil when none runs, or something else speaks in its place.
    package func node(of host: Host) -> Node? { machines[host.index].resident as? Node }
    package func store(of host: Host) -> MemoryStore { machines[host.index].store }
    func patron(of host: Host) -> AuthorityCopy? { machines[host.index].patron }
    package func identity(of host: Host) -> DeviceIdentity? { machines[host.index].identity }
    package func resident(of host: Host) -> (any Resident)? { machines[host.index].resident }
    package func address(of host: Host) -> SocketAddress { machines[host.index].address }
    package func now(at host: Host) -> Now { machines[host.index].clock.now(now) }
    package var membership: Membership { enrolment.membership }
    package var logEntries: [LogEntry] { enrolment.entries }
    package var revocations: [RevokeNote] { enrolment.notes }
    package var epochs: [Welcome.Epoch] { enrolment.epochs }
    package var founding: Founding { enrolment.founding }
    func fork() -> (one: LogEntry, other: LogEntry) { enrolment.fork(now: minute) }

    /// An event of the test's own making, now.
    package func post(_ event: Event, to host: Host) {
        checkIdle()
        begin()
        turn(machines[host.index], event)
    }

    package func status(of host: Host) -> Status? {
        guard case .status(let status)? = command(.status, at: host) else { return nil }
        return status
    }

    package func peers(of host: Host) -> [PeerStatus] {
        guard case .peers(let peers)? = command(.peers, at: host) else { return [] }
        return peers
    }
}
