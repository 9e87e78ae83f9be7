import CoveyCore
import CoveyNode
import Testing

@testable import CoveyUV

@Suite("Driver")
struct DriverTests {
    private let one = ConnectionID.dialled(1)

    /// A node that answers each piece of a stream with the same piece.
    private func echo() -> ScriptedNode {
        ScriptedNode { event, _, effects in
            if case .received(let id, let bytes) = event { effects.append(.send(id, bytes)) }
        }
    }

    @Test("a dialled connection carries bytes both ways, and its end is told to the other side")
    func roundTrip() throws {
        let bench = try Bench()
        let (server, client) = (echo(), ScriptedNode())
        _ = try bench.driver(server)
        let address = try #require(server.endpoints.first?.address)
        let driver = try bench.driver(client)
        client.answer = { [one] event, _, effects in
            switch event {
            case .command(_, .status): effects.append(.dial(one, address))
            case .connected(one): effects.append(.send(one, Array("hello".utf8)))
            case .received(one, _): effects.append(.close(one))
            default: break
            }
        }
        driver.submit(.status) { _ in }
        try bench.run(until: "the server sees the end") { !server.closed.isEmpty }
        #expect(client.connected == [one])
        #expect(client.received(on: one) == Array("hello".utf8))
        #expect(server.accepted == server.closed)
        #expect(client.closed.isEmpty, "the side that closed is told nothing")
    }

    @Test("the first event is where the node can be reached, with the port the system chose")
    func endpoints() throws {
        let bench = try Bench()
        let node = ScriptedNode()
        let driver = try bench.driver(node)
        guard case .endpoints(let list)? = node.events.first else {
            Issue.record("the first event names the endpoints")
            return
        }
        #expect(list.count == 1)
        #expect(list[0].isLoopback)
        #expect(list[0].address.port != 0)
        #expect(list == driver.endpoints)
    }

    @Test("a large send is drained when the other side has taken it, a small one at once")
    func drained() throws {
        let bench = try Bench()
        let (server, client) = (ScriptedNode(), ScriptedNode())
        _ = try bench.driver(server)
        let address = try #require(server.endpoints.first?.address)
        let driver = try bench.driver(client)
        let payload = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var takenWhenDrained: [Int] = []
        var taken = 0
        server.answer = { event, _, _ in if case .received(_, let bytes) = event { taken += bytes.count } }
        client.answer = { [one] event, _, effects in
            switch event {
            case .command: effects.append(.dial(one, address))
            case .connected:
                effects.append(.send(one, payload))
                effects.append(.reportDrained(one))
            case .drained:
                takenWhenDrained.append(taken)
                if takenWhenDrained.count == 1 {
                    effects.append(.send(one, [7]))
                    effects.append(.reportDrained(one))
                }
            default: break
            }
        }
        driver.submit(.status) { _ in }
        try bench.run(until: "all has come and both reports") {
            taken == payload.count + 1 && takenWhenDrained.count == 2
        }
        #expect(takenWhenDrained[0] > 0, "8 MB do not fit into the system's buffers")
        let id = try #require(server.accepted.first)
        #expect(server.received(on: id) == payload + [7])
    }

    @Test("a dial to where nobody listens fails, once, and the connection is gone")
    func dialFails() throws {
        let bench = try Bench()
        let other = ScriptedNode()
        let gone = try bench.driver(other)
        let address = try #require(other.endpoints.first?.address)
        gone.end()
        let client = ScriptedNode { [one] event, _, effects in
            if case .command = event {
                effects.append(.dial(one, address))
                effects.append(.send(one, [1]))
            }
        }
        let driver = try bench.driver(client)
        driver.submit(.status) { _ in }
        try bench.run(until: "the dial has failed") { !client.dialsFailed.isEmpty }
        #expect(client.dialsFailed == [one])
        #expect(client.dialFaults == ["connection refused"])
        #expect(client.closed.isEmpty)
    }

    @Test("a peer known by name is looked up at each dial, and its addresses are dialled in turn")
    func dialsName() throws {
        let bench = try Bench()
        let server = ScriptedNode()
        _ = try bench.driver(server)
        let port = try #require(server.endpoints.first?.address.port)
        let standIn = SocketAddress(v4: 203, 0, 113, 1, port: 1)
        let unknown = SocketAddress(v4: 203, 0, 113, 2, port: 1)
        var attempts: UInt32 = 0
        let client = ScriptedNode { event, _, effects in
            switch event {
            case .command: effects.append(.dial(.dialled(100), unknown))
            // "localhost" may be an IPv6 address first, where nobody listens.
            case .dialFailed:
                attempts += 1
                effects.append(.dial(.dialled(attempts), standIn))
            default: break
            }
        }
        let names = [standIn: HostName(host: "localhost", port: port), unknown: HostName(host: "a..b", port: 1)]
        let driver = try bench.driver(client, configure: { $0.names = names })
        driver.submit(.status) { _ in }
        try bench.run(until: "it is connected") { !client.connected.isEmpty }
        #expect(client.dialsFailed.first == .dialled(100))
        #expect(client.dialFaults.first?.hasPrefix("its name has no address (") == true)
        #expect(client.connected == [.dialled(attempts)])
        #expect(attempts <= 4)
    }

    @Test("a dial that is given up while its name is looked up is heard of no more")
    func abortedLookup() throws {
        let bench = try Bench()
        let standIn = SocketAddress(v4: 203, 0, 113, 1, port: 1)
        let client = ScriptedNode { [one] event, _, effects in
            guard case .command(let id, _) = event else { return }
            effects.append(.dial(one, standIn))
            effects.append(.abort(one))
            effects.append(.reply(id, .stopping))
        }
        let driver = try bench.driver(client, configure: { $0.names = [standIn: HostName(host: "a..b", port: 1)] })
        var hasEnded = false
        driver.ended = { hasEnded = true }
        driver.submit(.status) { _ in driver.submit(.stop) { _ in } }
        try bench.run(until: "the run has ended") { hasEnded }
        #expect(client.dialsFailed.isEmpty)
    }

    @Test("a second listener on a port is refused with what to do, and opens nothing")
    func portInUse() throws {
        let bench = try Bench()
        let node = ScriptedNode()
        _ = try bench.driver(node)
        let taken = try #require(node.endpoints.first?.address)
        let second = Driver(
            ScriptedNode(), store: RecordingStore(), on: bench.loop,
            configuration: Driver.Configuration(listen: [ListenAddress(taken)]))
        let failure = try #require(throws: DriverFailure.self) { try second.start() }
        #expect(failure.kind == .cannotCreate)
        #expect(
            failure.description
                == "cannot listen on \(taken): another program uses the port; stop it, or choose another with --listen")
    }

    @Test("a deadline comes when its time has come and not before")
    func deadline() throws {
        let bench = try Bench()
        let node = ScriptedNode()
        var due: [UInt64] = []
        let driver = try bench.driver(node)
        node.answer = { [unowned node] event, _, effects in
            guard let now = node.times.last?.uptime else { return }
            switch event {
            case .command: node.nextDeadline = now + 3_500
            case .deadline:
                due.append(now - (node.nextDeadline ?? .max))
                node.nextDeadline = due.count < 3 ? now + 2_000 : nil
            default: break
            }
        }
        driver.submit(.status) { _ in }
        try bench.run(until: "three deadlines came") { due.count == 3 }
        #expect(node.nextDeadline == nil)
    }

    @Test("stop answers first, then ends: listeners and connections are closed and the loop has nothing left")
    func stop() throws {
        let loop = try Loop()
        let node = ScriptedNode()
        let store = RecordingStore()
        node.answer = { event, store, _ in
            if case .command = event { try store.put(.state, [1], [2]) }
        }
        var configuration = Driver.Configuration(listen: [ListenAddress(SocketAddress(v4: 127, 0, 0, 1, port: 0))])
        configuration.multicast = .off
        let driver = Driver(node, store: store, on: loop, configuration: configuration)
        var story: [String] = []
        driver.ended = { story.append("ended") }
        try driver.start()
        driver.submit(.stop) { reply in
            if case .stopping = reply { story.append("answered after \(store.batchesFinished) commit") }
        }
        loop.run()
        #expect(story == ["answered after 1 commit", "ended"])
        #expect(driver.failure == nil)
    }

    @Test("no more than 64 accepted connections are open; the next is refused")
    func acceptedBound() throws {
        let bench = try Bench()
        let (server, client) = (ScriptedNode(), ScriptedNode())
        var refused = 0
        _ = try bench.driver(server) { if case .refused = $0 { refused += 1 } }
        let address = try #require(server.endpoints.first?.address)
        client.answer = { event, _, effects in
            guard case .command = event else { return }
            for number in 1...65 { effects.append(.dial(.dialled(UInt32(number)), address)) }
        }
        let driver = try bench.driver(client)
        driver.submit(.status) { _ in }
        try bench.run(until: "one is refused") { refused == 1 && client.closed.count == 1 }
        #expect(server.accepted.count == 64)
    }
}
