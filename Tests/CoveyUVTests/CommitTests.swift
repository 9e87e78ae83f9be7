import CoveyCore
import CoveyNode
import Testing

@testable import CoveyUV

@Suite("Commits")
struct CommitTests {
    /// Writes and answers; a status is answered without writing.
    private func node() -> ScriptedNode {
        ScriptedNode { event, store, effects in
            switch event {
            case .command(let id, .send):
                try store.put(.state, [1], [UInt8(truncatingIfNeeded: id.value)])
                effects.append(.reply(id, .stopping))
            case .command(let id, .status): effects.append(.reply(id, .stopping))
            default: break
            }
        }
    }

    @Test("what a turn asks for is done after its commit, in order, and turns meanwhile share the next commit")
    func afterCommit() throws {
        let bench = try Bench()
        let store = RecordingStore()
        let gate = Gate()
        store.gate = gate
        let driver = try bench.driver(node(), store)
        var story: [String] = []
        func send(_ name: String) {
            driver.submit(.send(to: "", text: name)) { _ in
                story.append("\(name) after \(store.batchesFinished)")
            }
        }
        send("first")
        try bench.run(until: "a batch is being written") { store.batchesTaken == 1 }
        #expect(story.isEmpty)
        // Turns go on while the first batch is written; a turn that wrote nothing waits for that batch alone.
        driver.submit(.status) { _ in story.append("status after \(store.batchesFinished)") }
        send("second")
        driver.submit(.status) { _ in story.append("later status after \(store.batchesFinished)") }
        send("third")
        #expect(story.isEmpty)
        gate.open(for: 2)
        try bench.run(until: "all are answered") { story.count == 5 }
        #expect(
            story == [
                "first after 1", "status after 1", "second after 2", "later status after 2", "third after 2",
            ])
        #expect(store.batchesTaken == 2)
    }

    @Test("a turn that wrote nothing, with nothing before it, is done at once")
    func cleanTurn() throws {
        let bench = try Bench()
        let store = RecordingStore()
        let driver = try bench.driver(node(), store)
        var answers = 0
        driver.submit(.status) { _ in answers += 1 }
        try bench.run(until: "it is answered") { answers == 1 }
        #expect(store.batchesTaken == 0)
    }

    @Test("a fault of the disk in a commit ends the run, and nothing that waited for it is done")
    func diskFault() throws {
        let bench = try Bench()
        let store = RecordingStore()
        store.failure = .full
        let driver = try bench.driver(node(), store)
        var answers = 0
        var ends = 0
        driver.ended = { ends += 1 }
        driver.submit(.send(to: "", text: "")) { _ in answers += 1 }
        try bench.run(until: "the run has ended") { ends == 1 }
        #expect(driver.failure as? StoreError == .full)
        #expect(answers == 0)
    }

    @Test("a fault of the disk in a turn ends the run")
    func turnFault() throws {
        let bench = try Bench()
        let driver = try bench.driver(
            ScriptedNode { event, _, _ in if case .command = event { throw StoreError.damaged("segment 3") } })
        driver.submit(.status) { _ in }
        #expect(driver.failure as? StoreError == .damaged("segment 3"))
    }

    @Test("while the disk is behind nothing more is read, and afterwards everything comes, in order")
    func pausesReading() throws {
        let bench = try Bench()
        let store = RecordingStore()
        let gate = Gate()
        store.gate = gate
        let one = ConnectionID.dialled(1)
        let server = ScriptedNode { event, store, effects in
            if case .received(let id, let bytes) = event {
                try store.put(.state, [1], [bytes[0]])
                effects.append(.send(id, [bytes[0]]))
            }
        }
        _ = try bench.driver(server, store, commitWithin: 0)
        let address = try #require(server.endpoints.first?.address)
        let payload = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        let client = ScriptedNode { event, _, effects in
            switch event {
            case .command: effects.append(.dial(one, address))
            case .connected:
                effects.append(.send(one, payload))
                effects.append(.reportDrained(one))
            default: break
            }
        }
        let driver = try bench.driver(client)
        driver.submit(.status) { _ in }
        try bench.run(until: "a commit is held") { store.batchesTaken == 1 }
        // The server would read all of it in these iterations, were it not paused; each wakes by the timer at least.
        let ticker = try Timer(on: bench.loop) {}
        func tick(_ times: Int) {
            for _ in 0..<times {
                ticker.set(milliseconds: 1)
                bench.loop.runOnce()
            }
        }
        let id = try #require(server.accepted.first)
        tick(5)
        let before = server.received(on: id).count
        tick(50)
        ticker.close()
        #expect(server.received(on: id).count == before)
        #expect(before < payload.count)
        store.gate = nil
        gate.open(for: 64)
        try bench.run(until: "everything came") { server.received(on: id).count == payload.count }
        #expect(server.received(on: id) == payload)
    }
}
