import CoveyCore
import CoveyCrypto
import CoveyKEM
import CoveyNode
import CoveyStore
import CoveyUV
import Glibc

/// The wiring of a running node: home, store, node, driver, control socket, log.
enum Daemon {
    /// Returns when the node was asked to stop, or throws why it could not start or go on.
    ///
    /// - Parameter authority: the directory of an authority that answers requests for renewal.
    static func run(_ configuration: Configuration, authority: String? = nil) throws {
        unblockSignals()
        let log = NodeLog(configuration)
        let home = try ProfileCheck.open(configuration.home)
        let keys = try DeviceKeyFile(home.deviceKey).read()
        let genesis = try Genesis(at: home.mesh, of: keys.mesh)
        let store = try DiskStore(in: home, key: keys.master)
        let desk = try authority.map { try DirectoryDesk($0, of: keys.mesh) }
        if let warning = Hardening.swapWarning { log.warn(warning) }
        for name in configuration.unknownVariables {
            log.warn("\(name) is no setting; there are \(Setting.all.map(\.environment).joined(separator: ", "))")
        }

        var node = NodeConfiguration(
            genesis: genesis,
            identity: DeviceIdentity(
                mesh: keys.mesh, signing: keys.signing, link: keys.link, message: keys.message))
        let peers = peers(configuration)
        node.peers = peers.static
        node.quota = configuration.quota
        node.multicast =
            switch configuration.multicast {
            case .on: .on
            case .listen: .listen
            case .off: .off
            }

        let clock = Clock.system()
        var sockets = try sockets(configuration)
        sockets.names = peers.names
        let loop = try Loop()
        let running = try Node(
            configuration: node, store: store, random: SystemRandom(), kem: MLKEM768(), now: clock.now, authority: desk)
        let lastWord = LastWord()
        weak var driven: Driver?
        let driver = Driver(
            running, store: store, on: loop, configuration: sockets, clock: clock,
            observed: {
                log.observed($0)
                lastWord.observed($0, on: loop) { driven?.submit(.stop) { _ in } }
            })
        driven = driver
        try driver.start()
        do {
            try driver.openControl(at: configuration.controlPath, version: Build.version, build: Build.running)
            try driver.stopOnSignals()
        } catch {
            driver.end()
            loop.run()
            throw error
        }
        driver.submit(.status) { [unowned driver] reply in
            guard case .status(let status) = reply else { return }
            log.ready(status, at: driver.endpoints.map(\.address), control: configuration.controlPath)
        }
        driver.ended = { lastWord.close() }
        loop.run()
        try lastWord.carryOut(in: home, master: keys.master, running, at: clock.now)
        if let failure = driver.failure { throw failure }
    }

    /// A parent may hand down a mask under which nobody could stop this process.
    private static func unblockSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }

    private static func sockets(_ configuration: Configuration) throws -> Driver.Configuration {
        var sockets = Driver.Configuration(
            listen: try configuration.listen.map { wanted in
                guard let address = SocketAddress(numericHost: wanted.host, port: wanted.port) else {
                    throw Complaint(
                        .usage,
                        "cannot listen on \"\(wanted.host)\": it is no address; give one such as 0.0.0.0 or [::]")
                }
                return ListenAddress(address, isStatic: configuration.answersStatic)
            })
        sockets.multicast = configuration.multicast
        sockets.interfaces = configuration.interfaces
        sockets.discoveryPort = configuration.discoveryPort
        sockets.commitWithin = configuration.commit * 1_000
        return sockets
    }

    /// Peers at addresses, and peers by name: the driver asks for the addresses of a name at each dial, so a name that
    /// nobody knows costs its peer, not the node.
    private static func peers(
        _ configuration: Configuration
    ) -> (static: [NodeConfiguration.StaticPeer], names: [SocketAddress: HostName]) {
        var peers: [NodeConfiguration.StaticPeer] = []
        var names: [SocketAddress: HostName] = [:]
        for (number, peer) in configuration.peers.enumerated() {
            let port = peer.at.port
            if let address = SocketAddress(numericHost: peer.at.host, port: port) {
                peers.append(
                    NodeConfiguration.StaticPeer(address: address, device: peer.device, name: address.description))
                continue
            }
            // Of the prefix that is for discarding (RFC 6666): no peer has it.
            let host: [UInt8] =
                [1, 0] + Array(repeating: 0, count: 12) + [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
            let standIn = SocketAddress(host: Octets16(copying: host.span.bytes), port: port)
            names[standIn] = HostName(host: peer.at.host, port: port)
            peers.append(
                NodeConfiguration.StaticPeer(
                    address: standIn, device: peer.device, name: "\(peer.at.host):\(port)"))
        }
        return (peers, names)
    }
}
