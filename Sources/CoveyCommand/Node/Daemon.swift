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
    static func run(_ configuration: Configuration) throws {
        unblockSignals()
        let log = NodeLog(configuration)
        let home = try open(configuration.home)
        let keys = try DeviceKeyFile(home.deviceKey).read()
        let genesis = try genesis(in: home, of: keys.mesh)
        let store = try DiskStore(in: home, key: keys.master)
        if let warning = Hardening.swapWarning { log.warn(warning) }

        var node = NodeConfiguration(
            genesis: genesis,
            identity: DeviceIdentity(
                mesh: keys.mesh, signing: keys.signing, link: keys.link, message: keys.message))
        node.peers = peers(configuration, log)
        node.quota = configuration.quota
        node.multicast =
            switch configuration.multicast {
            case .on: .on
            case .listen: .listen
            case .off: .off
            }

        let clock = Clock.system()
        let loop = try Loop()
        let driver = Driver(
            try Node(configuration: node, store: store, random: SystemRandom(), kem: MLKEM768(), now: clock.now),
            store: store, on: loop, configuration: try sockets(configuration), clock: clock,
            observed: { log.observed($0) })
        try driver.start()
        do {
            try driver.openControl(at: configuration.controlPath, version: Build.version)
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
        loop.run()
        if let failure = driver.failure { throw failure }
    }

    /// A parent may hand down a mask under which nobody could stop this process.
    private static func unblockSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }

    private static func open(_ path: String) throws -> HomeDirectory {
        guard Disk.exists(path + "/device.key") else {
            let next =
                Disk.exists(path + "/pending")
                ? "its request waits for the welcome: covey device install FILE --home \(path)"
                : "enrol it first: covey device request INVITE -o FILE --home \(path)"
            throw Complaint(.failed, "there is no device in \(path); \(next)")
        }
        return try HomeDirectory(path)
    }

    private static func genesis(in home: HomeDirectory, of mesh: MeshID) throws -> Genesis {
        let bytes = try Disk.read(home.mesh)
        guard let genesis = try? Genesis(parsing: Signed(parsing: bytes)), genesis.meshID == mesh, genesis.verify()
        else {
            throw Complaint(
                .failed,
                "\(home.mesh) is damaged; put back a copy of it, the file is the same on every device of the mesh")
        }
        return genesis
    }

    private static func sockets(_ configuration: Configuration) throws -> Driver.Configuration {
        var sockets = Driver.Configuration(
            listen: try configuration.listen.map { wanted in
                let found = SocketAddress.lookUp(wanted.host, port: wanted.port, isNumeric: true)
                guard let address = found.first else {
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

    /// A name that nobody knows now costs its peer, not the node.
    private static func peers(_ configuration: Configuration, _ log: NodeLog) -> [NodeConfiguration.StaticPeer] {
        configuration.peers.flatMap { peer -> [NodeConfiguration.StaticPeer] in
            let addresses = SocketAddress.lookUp(peer.at.host, port: peer.at.port)
            if addresses.isEmpty {
                log.warn(
                    "cannot find the address of the peer \(peer.at.host); going on without it until the next start")
            }
            return addresses.map { NodeConfiguration.StaticPeer(address: $0, device: peer.device) }
        }
    }
}
