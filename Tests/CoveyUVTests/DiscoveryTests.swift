import CoveyCore
import CoveyCrypto
import CoveyNode
import Glibc
import Testing

@testable import CoveyUV

@Suite("Discovery")
struct DiscoveryTests {
    /// A port of its own for each test and process, so that runs side by side do not hear each other.
    private static func port(_ test: UInt16) -> UInt16 { 20_000 + UInt16(getpid() % 10_000) * 4 + test }

    @Test("what one node says on the loopback group is heard by another, from its own address")
    func loopback() throws {
        let bench = try Bench()
        let (speaker, hearer) = (ScriptedNode(), ScriptedNode())
        var warnings: [String] = []
        let port = Self.port(1)
        _ = try bench.driver(hearer, multicast: .listen, port: port) {
            if case .warning(let text) = $0 { warnings.append(text) }
        }
        let driver = try bench.driver(speaker, multicast: .on, port: port)
        let beacon = (0..<220).map { UInt8($0) }
        speaker.answer = { event, _, effects in if case .command = event { effects.append(.multicast(beacon)) } }
        driver.submit(.status) { _ in }
        try bench.run(until: "the beacon is heard") { !hearer.datagrams.isEmpty }
        #expect(hearer.datagrams == [beacon])
        #expect(warnings.isEmpty)
        for case .datagram(_, let from, let interface) in hearer.events {
            #expect(from.isLoopback)
            #expect(interface == hearer.endpoints.first?.interface)
        }
    }

    @Test("a node that only listens says nothing")
    func listenOnly() throws {
        let bench = try Bench()
        let (quiet, hearer) = (ScriptedNode(), ScriptedNode())
        let port = Self.port(2)
        let say: ScriptedNode.Answer = { event, _, effects in
            if case .command(let id, _) = event {
                effects.append(.multicast([1]))
                effects.append(.reply(id, .stopping))
            }
        }
        let first = try bench.driver(quiet, multicast: .listen, port: port)
        let second = try bench.driver(hearer, multicast: .on, port: port)
        (quiet.answer, hearer.answer) = (say, say)
        first.submit(.status) { _ in second.submit(.status) { _ in } }
        try bench.run(until: "the one that speaks is heard by both") {
            !quiet.datagrams.isEmpty && !hearer.datagrams.isEmpty
        }
        #expect(quiet.datagrams.count == 1)
        #expect(hearer.datagrams.count == 1)
    }

    @Test("an interface that takes no multicast is warned of once, and the others go on")
    func refusedInterface() throws {
        let loop = try Loop()
        var warnings: [String] = []
        let discovery = DiscoverySockets(
            .on, port: 26117, on: loop, heard: { _, _, _ in }, warn: { warnings.append($0) })
        let lo = InterfaceAddress(
            name: "lo", index: 1, address: SocketAddress(v4: 127, 0, 0, 1, port: 0), isLoopback: true,
            isPointToPoint: false)
        var gone = lo
        gone.name = "gone0"
        gone.index = 4_711
        gone.address = SocketAddress(v4: 203, 0, 113, 9, port: 0)
        discovery.update([lo, gone])
        discovery.update([lo, gone])
        #expect(discovery.count == 1)
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("no IPv4 multicast on gone0 (") == true)
        discovery.update([lo])
        discovery.update([lo, gone])
        #expect(warnings.count == 2, "it came back, so it is said again")
        discovery.close()
    }

    @Test("a named interface that is not there, and none to find peers on, are each told once until that changes")
    func lackingInterface() throws {
        let bench = try Bench()
        let node = ScriptedNode()
        var warnings: [String] = []
        let driver = try bench.driver(node, multicast: .listen, port: Self.port(3)) {
            if case .warning(let text) = $0 { warnings.append(text) }
        } configure: {
            $0.interfaces = ["nosuch0"]
        }
        let none = [
            "there is no interface nosuch0 with an address; it is used when it comes",
            "no interface to find peers on; until one comes they are found by `peers` alone",
        ]
        #expect(warnings == none)
        driver.lookAtInterfaces()
        #expect(warnings == none)
        driver.interfaces = {
            systemInterfaces().filter(\.isLoopback).map {
                var interface = $0
                interface.name = "nosuch0"
                return interface
            }
        }
        driver.lookAtInterfaces()
        #expect(warnings == none)
        driver.interfaces = systemInterfaces
        driver.lookAtInterfaces()
        #expect(warnings == none + none)
        var silent: [String] = []
        _ = try bench.driver(ScriptedNode()) {
            if case .warning(let text) = $0 { silent.append(text) }
        } configure: {
            $0.interfaces = []
        }
        #expect(silent.isEmpty, "who does not find peers by multicast needs no interface for it")
    }

    @Test(
        "interfaces of containers, bridges, tunnels and the machine itself are skipped",
        arguments: [
            ("eth0", true), ("wlan0", true), ("usb0", true), ("lo", false), ("docker0", false), ("docker_gw", false),
            ("veth12ab", false), ("br-77", false), ("br0", true), ("virbr0", false),
        ])
    func skipped(name: String, isUsed: Bool) {
        let interface = InterfaceAddress(
            name: name, index: 2, address: SocketAddress(v4: 192, 0, 2, 1, port: 0), isLoopback: false,
            isPointToPoint: false)
        #expect(InterfaceChoice(named: []).uses(interface) == isUsed)
        #expect(InterfaceChoice(named: [name]).uses(interface))
        #expect(!InterfaceChoice(named: ["other"]).uses(interface))
        var tunnel = interface
        tunnel.isPointToPoint = true
        #expect(!InterfaceChoice(named: []).uses(tunnel))
        #expect(InterfaceChoice(named: [name]).uses(tunnel))
        var unplugged = interface
        unplugged.isRunning = false
        #expect(!InterfaceChoice(named: [name]).uses(unplugged))
    }

    @Test("addresses come back from the system's form as they were")
    func systemAddress() throws {
        let linkLocal = SocketAddress(
            host: try #require(Octets16(hex: "fe800000000000000202b3fffe1e8329")), port: 26117, scope: 3)
        for address in [SocketAddress(v4: 192, 0, 2, 7, port: 1), linkLocal] {
            #expect(address.withSystemAddress { SocketAddress($0) } == address)
        }
        #expect(SocketAddress(v4: 192, 0, 2, 7, port: 1).hostText == "192.0.2.7")
    }

    @Test(
        "addresses are shown as RFC 5952 has them",
        arguments: [
            ("00000000000000000000000000000000", "[::]:7"), ("00000000000000000000000000000001", "[::1]:7"),
            ("20010db8000000000000000000000000", "[2001:db8::]:7"),
            ("20010db8000000010000000000000001", "[2001:db8:0:1::1]:7"),
            ("20010db8000000000001000000000001", "[2001:db8::1:0:0:1]:7"),
            ("20010db8000000010001000100010001", "[2001:db8:0:1:1:1:1:1]:7"),
            ("20010db8000100010001000100010001", "[2001:db8:1:1:1:1:1:1]:7"),
            ("fe800000000000000202b3fffe1e8329", "[fe80::202:b3ff:fe1e:8329]:7"),
            ("00000000000000000000ffffc0000207", "192.0.2.7:7"),
        ])
    func shown(host: String, text: String) throws {
        #expect(SocketAddress(host: try #require(Octets16(hex: host)), port: 7).description == text)
    }
}
