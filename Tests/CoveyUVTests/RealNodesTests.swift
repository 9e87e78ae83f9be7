import CoveyCrypto
import CoveyNode
import Glibc
import Testing

@testable import CoveyUV

@Suite("Real nodes on loopback")
struct RealNodesTests {
    @Test("three nodes find each other by multicast alone, link, and mail arrives")
    func multicast() throws {
        let mesh = try RealNodes(port: UInt16(20_000 + getpid() % 10_000 * 4))
        let hosts = try mesh.start(["ana", "bob", "eve"], multicast: true) { _ in [] }
        try mesh.bench.run(until: "all are linked") { hosts.allSatisfy { $0.log.links >= 2 } }
        var states: [SendState] = []
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            hosts[from].driver.submit(.send(to: hosts[to].device.hex, text: "from \(from) to \(to)")) { reply in
                if case .sent(_, let state) = reply { states.append(state) }
            }
        }
        try mesh.bench.run(until: "each has its letter") { hosts.allSatisfy { $0.log.delivered.count == 1 } }
        #expect(states.count == 3)
        #expect(hosts.map(\.log.delivered) == [["from 2 to 0"], ["from 0 to 1"], ["from 1 to 2"]])
    }

    @Test("a node that is only told an address dials it, and a thousand letters arrive, each once")
    func staticPeer() throws {
        let mesh = try RealNodes(port: 26117)
        let hosts = try mesh.start(["ana", "bob"], multicast: false) { $0.map(\.address) }
        try mesh.bench.run(until: "both are linked") { hosts.allSatisfy { $0.log.links >= 1 } }
        for number in 0..<1_000 {
            hosts[1].driver.submit(.send(to: hosts[0].device.hex, text: "\(number)")) { _ in }
        }
        try mesh.bench.run(until: "all letters are there") { hosts[0].log.delivered.count >= 1_000 }
        #expect(hosts[0].log.delivered.count == 1_000)
        #expect(Set(hosts[0].log.delivered) == Set((0..<1_000).map(String.init)))
    }
}
