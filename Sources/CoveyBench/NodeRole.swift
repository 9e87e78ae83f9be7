import CoveyCore
import CoveyCrypto
import CoveyKEM
import CoveyNode
import CoveyStore
import CoveyUV
import Glibc

/// What a child process is to be: one device of the mesh, with its store, its links and what it puts in.
struct NodeRole {
    /// Where the mail comes from that a sender puts in.
    enum Feed: Equatable {
        case none
        /// As fast as the receiver acknowledges, with so many under way.
        case steady(window: Int)
        /// One at a time, with a pause after each.
        case singly(count: Int)
        /// All at once, before anybody is linked.
        case ahead(count: Int)
        /// One text to the next device, written before anybody is linked.
        case letter
    }

    var directory: String
    var founded: Minute
    var devices: Int
    var device: Int
    var isDurable = true
    var isMulticast = false
    /// 0: listens where the system chooses.
    var port: UInt16 = 0
    /// Dials these ports of the loopback address.
    var peers: [UInt16] = []
    var bucket = Bucket.bytes2048
    var feed = Feed.none
    /// Devices in the log that are not here, and whom part of the log is kept from.
    var crowd = 0
    var late = BenchMesh.Late.nobody

    static let word = "--role"

    var arguments: [String] {
        let plan: String =
            switch feed {
            case .none: "none"
            case .steady(let window): "steady:\(window)"
            case .singly(let count): "singly:\(count)"
            case .ahead(let count): "ahead:\(count)"
            case .letter: "letter"
            }
        return [
            Self.word, directory, "\(founded.value)", "\(devices)", "\(device)", isDurable ? "disk" : "memory",
            isMulticast ? "multicast" : "static", "\(port)", peers.map(String.init).joined(separator: ","),
            "\(bucket.rawValue)", plan, "\(crowd)", late.rawValue,
        ]
    }

    init(directory: String, founded: Minute, devices: Int, device: Int) {
        self.directory = directory
        self.founded = founded
        self.devices = devices
        self.device = device
    }

    /// Of arguments that `arguments` made.
    init(_ words: [String]) throws {
        guard words.count == 13, let founded = UInt32(words[2]), let devices = Int(words[3]),
            let device = Int(words[4]), let port = UInt16(words[7]), let size = UInt8(words[9]),
            let bucket = Bucket(rawValue: size), let crowd = Int(words[11]),
            let late = BenchMesh.Late(rawValue: words[12])
        else { throw Complaint("a role is for this program to give") }
        self.init(directory: words[1], founded: Minute(founded), devices: devices, device: device)
        isDurable = words[5] == "disk"
        isMulticast = words[6] == "multicast"
        self.port = port
        peers = words[8].split(separator: ",").compactMap { UInt16($0) }
        self.bucket = bucket
        self.crowd = crowd
        self.late = late
        let plan = words[10].split(separator: ":")
        let count = plan.count > 1 ? Int(plan[1]) ?? 0 : 0
        switch plan.first {
        case "steady": feed = .steady(window: count)
        case "singly": feed = .singly(count: count)
        case "ahead": feed = .ahead(count: count)
        case "letter": feed = .letter
        default: feed = .none
        }
    }

    /// Runs the node until it is told to end; the child's whole life.
    func run() throws {
        // Nobody is left behind: not when the parent dies, not when a measure hangs.
        alarm(300)
        let board = try Board(directory + "/board")
        let mesh = try BenchMesh(devices: devices, seed: 1, founded: founded, crowd: crowd, late: late)
        let store: any CommittingStore
        var home: HomeDirectory?
        if isDurable {
            let directory = try HomeDirectory(directory + "/\(device)")
            home = directory
            store = try DiskStore(in: directory, key: SymmetricKey(from: SystemRandom()))
        } else {
            store = MemoryStore()
        }
        try mesh.install(device, in: store)
        var configuration = mesh.configuration(of: device)
        configuration.multicast = isMulticast ? .on : .off
        configuration.quota = 32 << 30
        configuration.peers = peers.map {
            NodeConfiguration.StaticPeer(address: SocketAddress(v4: 127, 0, 0, 1, port: $0))
        }
        let clock = Clock.system()
        let node = try Node(
            configuration: configuration, store: store, random: SystemRandom(), kem: MLKEM768(), now: clock.now)
        try store.commit()

        let feeder = Feeder(node, role: self, peers: mesh.identities.map(\.id), board: board)
        let loop = try Loop()
        var listening: [ListenAddress] = [
            ListenAddress(SocketAddress(v4: 127, 0, 0, 1, port: port), isStatic: true)
        ]
        if isMulticast { listening = [ListenAddress(SocketAddress(v4: 0, 0, 0, 0, port: 0))] }
        var driving = Driver.Configuration(listen: listening)
        driving.multicast = isMulticast ? .on : .off
        let driver = Driver(
            feeder, store: store, on: loop, configuration: driving, clock: clock, observed: feeder.observed)
        try driver.start()
        try driver.stopOnSignals()
        if let own = driver.endpoints.first?.address { board[.port] = UInt64(own.port) }
        loop.run()
        withExtendedLifetime(home) {}
        if let failure = driver.failure { throw failure }
    }
}
