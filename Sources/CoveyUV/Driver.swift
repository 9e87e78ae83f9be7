import CUV
import CoveyControl
package import CoveyCore
package import CoveyCrypto
package import CoveyNode
import Glibc

/// Drives one node in the real world: sockets, timers and requests in as events, effects out after the commit.
///
/// ```
/// callbacks of one iteration ─▶ turns ─▶ effects ─▶ CommitQueue ─▶ performed, in order
///                                 └▶ store is dirty ─▶ one batch for all of them, written on another thread ─┘
/// ```
/// All of it runs on the loop's thread. It ends when the node says `stop`, by a fault of the store, or by `end`.
package final class Driver {
    package struct Configuration: Sendable {
        package var listen: [ListenAddress]
        package var multicast = MulticastUse.on
        /// Names of the interfaces to use; empty: all but the skipped ones (sync-routing.md §1.1).
        package var interfaces: [String] = []
        package var discoveryPort: UInt16 = 26117
        /// Microseconds a turn may wait for its commit before reading pauses.
        package var commitWithin: UInt64 = 200_000

        /// Addresses the node dials that stand for a name: the name's addresses of that moment are dialled instead, one
        /// at each dial, in turn.
        package var names: [SocketAddress: HostName] = [:]

        package init(listen: [ListenAddress]) { self.listen = listen }
    }

    private enum State { case new, running, ended }

    package let loop: Loop
    package let clock: Clock
    /// Why the run ended, when it was not asked to.
    package private(set) var failure: (any Error)?
    /// Where the node can be reached, as it was told last.
    package private(set) var endpoints: [LocalEndpoint] = []
    /// Called once, when the run has ended; connections may still hand over what was sent.
    package var ended: (() -> Void)?
    private let node: any Turning
    private let store: any CommittingStore
    private let configuration: Configuration
    private let observed: (Observation) -> Void
    /// Where the addresses of this machine are read.
    var interfaces: () -> [InterfaceAddress] = systemInterfaces

    private var state = State.new
    private var queue = CommitQueue()
    private var effects = Effects()
    /// Events that effects caused at once; they have their turns after the effects before them.
    private var pending: [Event] = []
    private var isPerforming = false

    private var listeners: [TCPListener] = []
    private var connections: [ConnectionID: TCPConnection] = [:]
    /// Closed by the node, by an effect that still waits: nothing more is told of them.
    private var leaving: Set<ConnectionID> = []
    /// Were sent something in this round of effects.
    private var gathering: [TCPConnection] = []
    /// Dials whose name is being looked up.
    private var lookups: Set<ConnectionID> = []
    private var dialsByName: [HostName: Int] = [:]
    private var lastAccepted: UInt32 = 0
    private var acceptedCount = 0
    private var isBehind = false

    private var replies: [CommandID: (Reply) -> Void] = [:]
    private var lastCommand: UInt64 = 0

    private var control: ControlSocket?
    private var discovery: DiscoverySockets?
    /// What the clock said of sleep at the last look at the interfaces.
    private var sleptBefore: UInt64?
    private var deadlineTimer: Timer?
    private var interfaceTimer: Timer?
    private var signals: [Signals] = []
    private var prepare: Handle<uv_prepare_t>?
    private var check: Handle<uv_check_t>?
    private var idle: Handle<uv_idle_t>?

    package init(
        _ node: any Turning, store: any CommittingStore, on loop: Loop, configuration: Configuration,
        clock: Clock = .system(), observed: @escaping (Observation) -> Void = { _ in }
    ) {
        self.node = node
        self.store = store
        self.loop = loop
        self.configuration = configuration
        self.clock = clock
        self.observed = observed
    }

    // MARK: Beginning and ending

    /// Opens all sockets and tells the node its endpoints. Throws `DriverFailure`, and nothing is open then.
    package func start() throws {
        precondition(state == .new, "a driver starts once")
        state = .running
        do {
            prepare = try Handle(holding: self) { uv_prepare_init(loop.raw, $0) }
            check = try Handle(holding: self) { uv_check_init(loop.raw, $0) }
            idle = try Handle(holding: self) { uv_idle_init(loop.raw, $0) }
            if let prepare, let check, let idle {
                uv_prepare_start(prepare.raw, beforePoll)
                uv_check_start(check.raw, afterPoll)
                for base in [prepare.base, check.base, idle.base] { uv_unref(base) }
            }
            deadlineTimer = try Timer(on: loop) {}
            interfaceTimer = try Timer(on: loop) { [unowned self] in lookAtInterfaces() }
            try listen()
        } catch {
            closeAll(aborting: true)
            throw error as? DriverFailure ?? DriverFailure(.system, "the event loop could not be set up: \(error)")
        }
        discovery = DiscoverySockets(
            configuration.multicast, port: configuration.discoveryPort, on: loop,
            heard: { [unowned self] in post(.datagram($0, from: $1, interface: $2)) },
            warn: { [unowned self] in observe(.warning($0)) })
        lookAtInterfaces()
    }

    /// Lets the node's owner ask it at a unix socket. Throws `DriverFailure`.
    ///
    /// `version` and `build`, the SHA-256 of the program, are what `node.version` answers.
    package func openControl(at path: String, version: String, build: Octets32?) throws {
        precondition(state == .running && control == nil, "the control socket is opened once, in a run")
        let version = VersionResult(version: version, build: build?.asHex, protocolVersion: 1, controlVersion: 1)
        control = try ControlSocket(at: path, version: version, driver: self, on: loop)
    }

    /// Ends cleanly at SIGINT and SIGTERM, and at once when told a second time.
    package func stopOnSignals() throws {
        var isAsked = false
        for number in [SIGINT, SIGTERM] {
            signals.append(
                try Signals(number, on: loop) { [unowned self] in
                    if isAsked { return end() }
                    isAsked = true
                    submit(.stop) { _ in }
                })
        }
    }

    /// Ends at once, after a last commit of what turns wrote. What waits for a commit is not performed.
    package func end() {
        guard state == .running else { return }
        closeAll(aborting: false)
        if !queue.isWriting { commitLast() }
        ended?()
    }

    private func fail(_ error: any Error) {
        guard state == .running else { return }
        failure = error
        closeAll(aborting: true)
        ended?()
    }

    private func closeAll(aborting: Bool) {
        state = .ended
        for listener in listeners { listener.close() }
        for connection in connections.values {
            if aborting { connection.abort() } else { connection.close() }
        }
        for signal in signals { signal.close() }
        control?.close()
        control = nil
        discovery?.close()
        deadlineTimer?.close()
        interfaceTimer?.close()
        prepare?.close()
        check?.close()
        idle?.close()
        (prepare, check, idle) = (nil, nil, nil)
        connections = [:]
        listeners = []
        signals = []
        replies = [:]
        pending = []
    }

    // MARK: Turns

    /// Asks something of the node. `answered` is called after the commit; never, when the run ends before.
    package func submit(_ command: Command, then answered: @escaping (Reply) -> Void) {
        guard state == .running else { return }
        lastCommand += 1
        let id = CommandID(lastCommand)
        replies[id] = answered
        post(.command(id, command))
    }

    /// Gives the event its turn, now or after those before it.
    private func post(_ event: Event) {
        guard state == .running else { return }
        if isPerforming || !pending.isEmpty { pending.append(event) } else { turn(event) }
    }

    private func turn(_ event: Event) {
        guard state == .running, !isSilenced(event) else { return }
        let now = clock.now
        do {
            try node.handle(event, at: now, store: store, into: &effects)
        } catch {
            return fail(error)
        }
        for effect in effects.list {
            switch effect {
            case .close(let id), .abort(let id): leaving.insert(id)
            case .dial, .send, .reportDrained, .multicast, .reply, .observe, .stop: break
            }
        }
        queue.append(effects.list, storeIsDirty: store.isDirty, at: now.uptime)
        effects.removeAll()
    }

    private func isSilenced(_ event: Event) -> Bool {
        !leaving.isEmpty && event.connection.map { leaving.contains($0) } ?? false
    }

    /// Runs before the loop waits and after it was woken: performs what may be performed, and sees to the next commit.
    fileprivate func flush() {
        guard state == .running else { return }
        if let deadline = node.nextDeadline, deadline <= clock.uptime() { post(.deadline) }
        var rounds = 0
        while state == .running, rounds < Bounds.roundsPerIteration {
            perform(queue.takeReady())
            if pending.isEmpty { break }
            var events: [Event] = []
            swap(&events, &pending)
            for event in events { turn(event) }
            rounds += 1
        }
        guard state == .running else { return }
        perform(queue.takeReady())
        guard state == .running else { return }
        if let idle {
            if pending.isEmpty { uv_idle_stop(idle.raw) } else { uv_idle_start(idle.raw, stayAwake) }
        }
        commit()
        setDeadline()
        adjustReading()
    }

    private func setDeadline() {
        guard let deadline = node.nextDeadline else { return deadlineTimer?.cancel() ?? () }
        let now = clock.uptime()
        // At least 1 ms: a deadline that stays in the past must not keep the loop from its sockets.
        let wait = deadline > now ? min((deadline - now + 999) / 1_000, 86_400_000) : 1
        deadlineTimer?.set(milliseconds: max(1, wait))
    }

    // MARK: Commits

    private func commit() {
        guard !queue.isWriting, store.isDirty, let batch = store.takeBatch() else { return }
        queue.begin()
        do {
            try Work.queue(on: loop, { try batch.write() }, ended: { [self] in committed(batch, $0) })
        } catch {
            fail(DriverFailure(.system, "no thread could be had to write to the store: \(error)"))
        }
    }

    private func committed(_ batch: any CommitBatch, _ outcome: Result<Void, any Error>) {
        switch outcome {
        case .failure(let error):
            if state == .ended { failure = failure ?? error } else { fail(error) }
        case .success:
            store.finished(batch)
            queue.end(at: clock.uptime())
            if state == .ended, failure == nil { commitLast() }
        }
    }

    private func commitLast() {
        guard store.isDirty, let batch = store.takeBatch() else { return }
        do {
            try batch.write()
            store.finished(batch)
        } catch {
            failure = failure ?? error
        }
    }

    /// Reads nothing more while commits are behind, so that peers wait and not our memory.
    private func adjustReading() {
        let late = queue.waitingSince.map { clock.uptime() > $0 + configuration.commitWithin } ?? false
        let behind = late || queue.waitingBytes > Bounds.waitingEffects
        guard behind != isBehind else { return }
        isBehind = behind
        for (_, connection) in connections.sorted(by: { $0.key.order < $1.key.order }) {
            if behind { connection.stream.pauseReading() } else { connection.stream.resumeReading() }
        }
    }

    // MARK: Effects

    private func perform(_ effects: [Effect]) {
        if effects.isEmpty { return }
        isPerforming = true
        defer { isPerforming = false }
        for effect in effects {
            guard state == .running else { break }
            perform(effect)
        }
        for connection in gathering { connection.flush() }
        gathering.removeAll(keepingCapacity: true)
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .dial(let id, let address): dial(id, address)
        case .send(let id, let bytes):
            if let connection = connections[id], connection.send(bytes) { gathering.append(connection) }
        case .reportDrained(let id):
            if let connection = connections[id], connection.reportDrained() { post(.drained(id)) }
        case .close(let id): remove(id)?.close()
        case .abort(let id): remove(id)?.abort()
        case .multicast(let bytes): discovery?.send(bytes)
        case .reply(let id, let reply): replies.removeValue(forKey: id)?(reply)
        case .observe(let observation): observe(observation)
        case .stop: end()
        }
    }

    private func observe(_ observation: Observation) {
        observed(observation)
        control?.observe(observation)
    }

    private func dial(_ id: ConnectionID, _ address: SocketAddress) {
        precondition(
            connections[id] == nil && !lookups.contains(id), "the node names a new connection at each dial")
        guard let name = configuration.names[address] else { return connect(id, address) }
        guard lookups.count < Bounds.lookups else { return post(.dialFailed(id)) }
        do {
            try NameLookup.begin(name, on: loop) { [self] in found($0, for: id, name) }
            lookups.insert(id)
        } catch {
            post(.dialFailed(id, because: "\(error)"))
        }
    }

    private func found(_ answer: Result<[SocketAddress], UVError>, for id: ConnectionID, _ name: HostName) {
        // Given up meanwhile.
        guard state == .running, lookups.remove(id) != nil else { return }
        switch answer {
        case .success(let addresses):
            let turn = dialsByName[name, default: 0]
            dialsByName[name] = turn &+ 1
            connect(id, addresses[turn % addresses.count])
        case .failure(let cause):
            post(.dialFailed(id, because: "its name has no address (\(cause))"))
        }
    }

    private func connect(_ id: ConnectionID, _ address: SocketAddress) {
        do {
            connections[id] = try TCPConnection(
                id, dialling: address, on: loop, timeout: Bounds.dialTimeout, owner: self)
        } catch {
            post(.dialFailed(id, because: "\(error)"))
        }
    }

    @discardableResult
    private func remove(_ id: ConnectionID) -> TCPConnection? {
        leaving.remove(id)
        lookups.remove(id)
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        if case .accepted = id { acceptedCount -= 1 }
        return connection
    }

    // MARK: Listening and interfaces

    private func listen() throws {
        var withoutIPv6: [SocketAddress] = []
        for wanted in configuration.listen {
            do {
                listeners.append(
                    try TCPListener(at: wanted, on: loop) { [unowned self] in accepted($0, from: $1, wanted.isStatic) })
            } catch let cause as UVError {
                let isMissing =
                    cause == .familyNotSupported || (cause == .addressNotAvailable && wanted.address.isWildcard)
                guard !wanted.address.isV4, isMissing else { throw Self.cannotListen(wanted.address, cause) }
                withoutIPv6.append(wanted.address)
            }
        }
        for address in withoutIPv6 {
            if listeners.isEmpty {
                throw DriverFailure(
                    .cannotCreate, "cannot listen on \(address): this machine has no IPv6; listen on an IPv4 address")
            }
            observe(.warning("this machine has no IPv6: not listening on \(address), going on with IPv4"))
        }
    }

    private static func cannotListen(_ address: SocketAddress, _ cause: UVError) -> DriverFailure {
        switch cause {
        case .addressInUse:
            DriverFailure(
                .cannotCreate,
                "cannot listen on \(address): another program uses the port; stop it, or choose another with --listen")
        case .addressNotAvailable:
            DriverFailure(
                .cannotCreate,
                "cannot listen on \(address): this machine has no such address; choose another with --listen")
        case .permission:
            DriverFailure(
                .permission,
                "cannot listen on \(address): ports below 1024 need privileges; choose another with --listen")
        default:
            DriverFailure(.cannotCreate, "cannot listen on \(address): \(cause)")
        }
    }

    private func accepted(_ stream: ByteStream, from address: SocketAddress, _ isStatic: Bool) {
        guard acceptedCount < Bounds.acceptedConnections else {
            stream.abort()
            return observe(.refused(address, .connections))
        }
        repeat { lastAccepted &+= 1 } while connections[.accepted(lastAccepted)] != nil
        let id = ConnectionID.accepted(lastAccepted)
        connections[id] = TCPConnection(id, accepted: stream, owner: self)
        acceptedCount += 1
        post(.accepted(id, from: address, isStatic: isStatic))
        if !isBehind { stream.resumeReading() }
    }

    /// Tells the node where it can be reached now, if that has changed or the machine has slept.
    func lookAtInterfaces() {
        guard state == .running else { return }
        interfaceTimer?.set(milliseconds: Bounds.interfaceInterval)
        let all = interfaces()
        let choice = InterfaceChoice(named: configuration.interfaces)
        let used = all.filter(choice.uses)
        discovery?.update(used, lacking: choice.lacking(in: all))
        let reachable = listeners.flatMap { Self.endpoints(of: $0.address, all: all, used: used) }
        let slept = clock.slept()
        if reachable != endpoints || sleptBefore.map({ slept > $0 + Bounds.sleep }) ?? true {
            endpoints = reachable
            post(.endpoints(reachable))
        }
        sleptBefore = slept
        endConnections(withoutAddressIn: all)
    }

    private static func endpoints(
        of listen: SocketAddress, all: [InterfaceAddress], used: [InterfaceAddress]
    ) -> [LocalEndpoint] {
        // An address that was named is meant, whatever interface has it.
        let chosen =
            listen.isWildcard
            ? used.filter { $0.address.isV4 == listen.isV4 }
            : all.filter { $0.isRunning && $0.address.hasHost(of: listen) }
        return chosen.map {
            var address = $0.address
            address.port = listen.port
            return LocalEndpoint(address: address, interface: $0.index, isLoopback: $0.isLoopback)
        }
    }

    /// A connection whose own address has gone would only time out.
    private func endConnections(withoutAddressIn all: [InterfaceAddress]) {
        for (_, connection) in connections.sorted(by: { $0.key.order < $1.key.order }) {
            guard let own = connection.localAddress, !own.isLoopback, !own.isWildcard,
                !all.contains(where: { $0.address.hasHost(of: own) })
            else { continue }
            connection.abort()
            lose(connection)
        }
    }

    private func lose(_ connection: TCPConnection) {
        let isSilent = leaving.contains(connection.id)
        remove(connection.id)
        if !isSilent { post(.closed(connection.id)) }
    }
}

extension Driver: ConnectionOwner {
    func connected(_ connection: TCPConnection) {
        post(.connected(connection.id))
        if !isBehind { connection.stream.resumeReading() }
    }

    func dialFailed(_ connection: TCPConnection, because cause: UVError) {
        let isSilent = leaving.contains(connection.id)
        remove(connection.id)
        if !isSilent { post(.dialFailed(connection.id, because: "\(cause)")) }
    }

    func received(_ bytes: [UInt8], on connection: TCPConnection) { post(.received(connection.id, bytes)) }

    func drained(_ connection: TCPConnection) { post(.drained(connection.id)) }

    func ended(_ connection: TCPConnection, because cause: UVError) { lose(connection) }
}

extension ConnectionID {
    /// Dialled ones first, each kind by its number.
    fileprivate var order: UInt64 {
        switch self {
        case .dialled(let number): UInt64(number)
        case .accepted(let number): 1 << 32 | UInt64(number)
        }
    }
}

private func beforePoll(_ handle: UnsafeMutablePointer<uv_prepare_t>?) {
    owner(of: handle.unsafelyUnwrapped.pointee.data, as: Driver.self).flush()
}

private func afterPoll(_ handle: UnsafeMutablePointer<uv_check_t>?) {
    owner(of: handle.unsafelyUnwrapped.pointee.data, as: Driver.self).flush()
}

/// Its being there keeps the loop from waiting.
private func stayAwake(_: UnsafeMutablePointer<uv_idle_t>?) {}
