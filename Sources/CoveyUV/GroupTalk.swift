package import CoveyCore

/// What a command says to everybody on the network: the groups of the beacons, on a port of its own.
package final class GroupTalk {
    /// A datagram, and who sent it. Our own come, too.
    package var heard: (([UInt8], SocketAddress) -> Void)?
    private var sockets: DiscoverySockets?
    private let loop: Loop

    /// - Parameter interfaces: names; empty for all that nodes are found on.
    package init(port: UInt16, interfaces: [String], on loop: Loop) {
        self.loop = loop
        let sockets = DiscoverySockets(
            .on, port: port, on: loop, heard: { [weak self] bytes, from, _ in self?.heard?(bytes, from) },
            warn: { _ in })
        let choice = InterfaceChoice(named: interfaces)
        sockets.update(systemInterfaces().filter(choice.uses))
        self.sockets = sockets
    }

    /// Whether there is a network to speak on.
    package var isSomewhere: Bool { (sockets?.count ?? 0) > 0 }

    package func send(_ bytes: [UInt8]) { sockets?.send(bytes) }

    /// Lets come what comes, until it is over or the time is.
    package func listen(milliseconds: UInt64, until isOver: () -> Bool) throws {
        var isLate = false
        let timer = try Timer(on: loop) { isLate = true }
        timer.set(milliseconds: milliseconds)
        defer { timer.close() }
        while !isLate, !isOver() { loop.runOnce() }
    }

    package func close() {
        sockets?.close()
        sockets = nil
        heard = nil
    }
}
