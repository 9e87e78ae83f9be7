import CUV
package import CoveyCore
import CoveyCrypto
import CoveyNode

/// One TCP connection for a command that does one thing after the other: each call lets the loop run until it is done,
/// or until its time is over. Enrolment nearby is such an exchange; a node never uses it.
package final class Exchange: ConnectionOwner {
    private enum State { case dialling, open, failed(UVError), ended }

    private let loop: Loop
    private var connection: TCPConnection?
    private var state: State
    private var received: [UInt8] = []
    private var timer: Timer?
    private var isLate = false

    fileprivate init(accepted stream: ByteStream, on loop: Loop) throws {
        self.loop = loop
        state = .open
        timer = try Timer(on: loop) { [weak self] in self?.isLate = true }
        connection = TCPConnection(.accepted(0), accepted: stream, owner: self)
    }

    /// Connects. A name is looked up first, and its addresses are tried in turn.
    package static func dial(_ name: HostName, on loop: Loop, milliseconds: UInt64) throws -> Exchange {
        var cause = DriverFailure(.system, "there is no address for \(name.host); give one, such as 192.0.2.9")
        for address in try addresses(of: name, on: loop) {
            do {
                return try dial(address, on: loop, milliseconds: milliseconds)
            } catch let failure as DriverFailure {
                cause = failure
            }
        }
        throw cause
    }

    package static func dial(_ address: SocketAddress, on loop: Loop, milliseconds: UInt64) throws -> Exchange {
        do {
            return try Exchange(dialling: address, on: loop, milliseconds: milliseconds)
        } catch let error as UVError {
            throw DriverFailure(.system, "nothing answers at \(address): \(error)")
        }
    }

    private static func addresses(of name: HostName, on loop: Loop) throws -> [SocketAddress] {
        if let address = SocketAddress(numericHost: name.host, port: name.port) { return [address] }
        var found: [SocketAddress]?
        try NameLookup.begin(name, on: loop) { found = (try? $0.get()) ?? [] }
        while found == nil, loop.runOnce() {}
        return found ?? []
    }

    private init(dialling address: SocketAddress, on loop: Loop, milliseconds: UInt64) throws {
        self.loop = loop
        state = .dialling
        timer = try Timer(on: loop) { [weak self] in self?.isLate = true }
        connection = try TCPConnection(
            .dialled(0), dialling: address, on: loop, timeout: milliseconds, owner: self)
        while case .dialling = state { loop.runOnce() }
        if case .failed(let cause) = state {
            close()
            throw cause
        }
    }

    /// Exactly so many bytes; nil when they did not come in time, or the other end went away.
    package func read(_ count: Int, within milliseconds: UInt64) -> [UInt8]? {
        isLate = false
        timer?.set(milliseconds: milliseconds)
        defer { timer?.cancel() }
        while received.count < count, !isLate, case .open = state {
            // Not more than was asked for, and one read of the system beyond it.
            connection?.stream.resumeReading()
            loop.runOnce()
        }
        connection?.stream.pauseReading()
        guard received.count >= count else { return nil }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// Queued; leaves with the next `read` or with `finish`.
    package func send(_ bytes: [UInt8]) {
        guard let connection else { return }
        _ = connection.send(bytes)
        connection.flush()
    }

    /// Closes when what was sent has left.
    package func finish() {
        guard let connection else { return }
        connection.close()
        while !connection.stream.isClosed, loop.runOnce() {}
        close()
    }

    /// Closes at once, without a word.
    package func close() {
        connection?.abort()
        connection = nil
        timer?.close()
        timer = nil
        state = .ended
    }

    func connected(_ connection: TCPConnection) { state = .open }
    func dialFailed(_ connection: TCPConnection, because cause: UVError) { state = .failed(cause) }
    func received(_ bytes: [UInt8], on connection: TCPConnection) { received += bytes }
    func drained(_ connection: TCPConnection) {}
    func ended(_ connection: TCPConnection, because cause: UVError) { state = .ended }
}

/// Waits for exchanges, one at a time: whoever comes while one is open is turned away.
package final class ExchangeListener {
    private let loop: Loop
    private var listener: TCPListener?
    private var waiting: ByteStream?
    private var isAsked = false

    package init(at address: SocketAddress, on loop: Loop) throws {
        self.loop = loop
        do {
            listener = try TCPListener(at: ListenAddress(address), on: loop) { [weak self] stream, _ in
                guard let self, isAsked, waiting == nil else { return stream.abort() }
                waiting = stream
            }
        } catch let error as UVError {
            throw DriverFailure(
                error == .permission ? .permission : .cannotCreate,
                "cannot listen on \(address): \(error); choose another address with --listen")
        }
    }

    /// With the port that the system chose.
    package var address: SocketAddress? { listener?.address }

    /// The addresses at which others of the network reach this machine, with the port.
    package var reachable: [SocketAddress] {
        guard let own = address else { return [] }
        guard own.host.array.allSatisfy({ $0 == 0 }) || own.hostText == "0.0.0.0" else { return [own] }
        let choice = InterfaceChoice(named: [])
        return systemInterfaces().filter { choice.uses($0) && $0.address.isV4 == own.isV4 }.map { interface in
            var address = interface.address
            address.port = own.port
            return address
        }
    }

    /// Whoever comes next; nil when nobody came in time.
    package func next(within milliseconds: UInt64) throws -> Exchange? {
        var isLate = false
        let timer = try Timer(on: loop) { isLate = true }
        timer.set(milliseconds: milliseconds)
        defer { timer.close() }
        isAsked = true
        while waiting == nil, !isLate { loop.runOnce() }
        isAsked = false
        guard let stream = waiting else { return nil }
        waiting = nil
        return try Exchange(accepted: stream, on: loop)
    }

    package func close() {
        listener?.close()
        listener = nil
    }
}
