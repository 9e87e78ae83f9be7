import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc
import Testing

@testable import CoveyUV

@Suite("The machine changes")
struct MachineTests {
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
