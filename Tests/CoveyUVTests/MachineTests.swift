import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc
import Testing

@testable import CoveyUV

@Suite("The machine changes")
struct MachineTests {
    private static let lo = systemInterfaces().first { $0.isLoopback && $0.address.isV4 }
    /// Addresses of this machine that are not its loopback's, if it has any.
    private static let outside = systemInterfaces().first { $0.isRunning && !$0.isLoopback && $0.address.isV4 }
    private static let linkLocal = systemInterfaces().first {
        $0.isRunning && !$0.isLoopback && !$0.address.isV4 && $0.address.isLinkLocal
    }

    private func driver(
        _ node: ScriptedNode, on loop: Loop, listen: SocketAddress, clock: Clock = .system()
    ) -> Driver {
        var configuration = Driver.Configuration(listen: [ListenAddress(listen)])
        configuration.multicast = .off
        return Driver(node, store: RecordingStore(), on: loop, configuration: configuration, clock: clock)
    }

    @Test("a listener on all addresses is reached at those of the interfaces in use, and the node is told of changes")
    func endpoints() throws {
        let loop = try Loop()
        let node = ScriptedNode()
        let driver = driver(node, on: loop, listen: SocketAddress(v4: 0, 0, 0, 0, port: 0))
        func interface(_ name: String, _ index: UInt32, _ last: UInt8, v6: Bool = false) -> InterfaceAddress {
            var address = SocketAddress(v4: 203, 0, 113, last, port: 0)
            if v6, let host = Octets16(hex: "fd000000000000000000000000000001") { address.host = host }
            return InterfaceAddress(
                name: name, index: index, address: address, isLoopback: false, isPointToPoint: false)
        }
        var present = [interface("eth0", 2, 1), interface("docker0", 3, 2), interface("eth0", 2, 3, v6: true)]
        driver.interfaces = { present }
        try driver.start()
        #expect(node.endpoints.map(\.address.hostText) == ["203.0.113.1"])
        #expect(node.endpoints.first?.address.port != 0)
        driver.lookAtInterfaces()
        #expect(node.events.count == 1, "nothing changed, nothing is told")
        present.append(interface("wlan0", 4, 9))
        driver.lookAtInterfaces()
        #expect(node.events.count == 2)
        #expect(node.endpoints.map(\.interface) == [2, 4])
        driver.end()
        loop.run()
    }

    @Test("after the machine has slept the node is told its endpoints again, so that it looks for others anew")
    func wake() throws {
        let loop = try Loop()
        let node = ScriptedNode()
        var slept: UInt64 = 1_000_000_000
        let driver = driver(
            node, on: loop, listen: SocketAddress(v4: 127, 0, 0, 1, port: 0),
            clock: Clock(uptime: { 1 }, wall: { 2 }, slept: { slept }))
        try driver.start()
        slept += Bounds.sleep
        driver.lookAtInterfaces()
        #expect(node.events.count == 1)
        slept += Bounds.sleep + 1
        driver.lookAtInterfaces()
        driver.lookAtInterfaces()
        #expect(node.events.count == 2)
        #expect(node.times == [Now(uptime: 1, wall: 2), Now(uptime: 1, wall: 2)])
        driver.end()
        loop.run()
    }

    @Test("a connection whose own address has gone ends at once", .enabled(if: outside != nil))
    func vanished() throws {
        let bench = try Bench()
        let own = try #require(Self.outside)
        let (server, client) = (ScriptedNode(), ScriptedNode())
        var address = own.address
        address.port = 0
        let listening = driver(server, on: bench.loop, listen: address)
        try listening.start()
        let target = try #require(server.endpoints.first?.address)
        client.answer = { event, _, effects in
            if case .command = event { effects.append(.dial(.dialled(1), target)) }
        }
        let dialling = try bench.driver(client)
        dialling.submit(.status) { _ in }
        try bench.run(until: "both are connected") { !client.connected.isEmpty && !server.accepted.isEmpty }
        dialling.interfaces = {
            systemInterfaces().map {
                var unplugged = $0
                unplugged.isRunning = false
                return unplugged
            }
        }
        dialling.lookAtInterfaces()
        #expect(client.closed.isEmpty, "a cable that is out may come back")
        dialling.interfaces = { systemInterfaces().filter { $0.address.host != own.address.host } }
        dialling.lookAtInterfaces()
        #expect(client.closed == client.connected)
        try bench.run(until: "the other side sees it") { server.closed == server.accepted }
        listening.end()
    }

    @Test(
        "the IPv6 group carries a beacon on an interface, from its link-local address", .enabled(if: linkLocal != nil))
    func linkLocalGroup() throws {
        let bench = try Bench()
        let own = try #require(Self.linkLocal)
        let port = UInt16(20_000 + getpid() % 10_000 * 4) + 3
        var heard: [(bytes: [UInt8], from: SocketAddress, interface: UInt32)] = []
        var warnings: [String] = []
        let speaker = DiscoverySockets(
            .on, port: port, on: bench.loop, heard: { _, _, _ in }, warn: { warnings.append($0) })
        let hearer = DiscoverySockets(
            .listen, port: port, on: bench.loop, heard: { heard.append(($0, $1, $2)) }, warn: { warnings.append($0) })
        let elsewhere = DiscoverySockets(
            .listen, port: port, on: bench.loop, heard: { _, _, _ in Issue.record("heard on another interface") },
            warn: { warnings.append($0) })
        speaker.update([own])
        hearer.update([own])
        elsewhere.update([try #require(Self.lo)])
        #expect(warnings.isEmpty)
        #expect(speaker.count == 1)
        let beacon = [UInt8](repeating: 7, count: 220)
        speaker.send(beacon)
        try bench.run(until: "it is heard") { !heard.isEmpty }
        #expect(heard.count == 1)
        #expect(heard.first?.bytes == beacon)
        #expect(heard.first?.from.host == own.address.host)
        #expect(heard.first?.from.scope == own.index)
        #expect(heard.first?.interface == own.index)
        for sockets in [speaker, hearer, elsewhere] { sockets.close() }
    }

    @Test("a signal asks the node to stop, and the run ends without a fault")
    func signal() throws {
        let bench = try Bench()
        let node = ScriptedNode()
        let driver = try bench.driver(node)
        var hasEnded = false
        driver.ended = { hasEnded = true }
        try driver.stopOnSignals()
        // To the process: the thread of a test may have signals blocked.
        kill(getpid(), SIGTERM)
        try bench.run(until: "the run has ended") { hasEnded }
        #expect(driver.failure == nil)
        guard case .command(_, .stop)? = node.events.last else {
            Issue.record("the node is asked to stop")
            return
        }
    }
}
