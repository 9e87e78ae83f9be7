import CoveyContact
import Testing

/// A short run: 10 kB messages over 250 kB/s take 40 ms, and a tick is a second, unless the story says otherwise.
private func run(
    _ router: OneSettings.Router, contacts: String, messages: String, nodes: Int = 5, end: Double = 200,
    tick: Double = 1, queue: OneSettings.Queue = .fifo, ttl: Int? = nil, buffer: Int = 1_000_000,
    shufflesNodes: Bool = true
) throws -> OneResult {
    func file(_ text: String) -> TraceFile {
        let lines = text.split(separator: ",").joined(separator: "\n")
        return TraceFile(path: "story", bytes: Array(lines.utf8))
    }
    let settings = OneSettings(
        nodes: nodes, end: end, tick: tick, router: router, queue: queue, ttl: ttl, buffer: buffer, speed: 250_000,
        shufflesNodes: shufflesNodes)
    return try OneEngine.run(
        settings, trace: ContactTrace(oneEvents: file(contacts), nodes: nodes),
        workload: [PlannedMessage](oneWorkload: file(messages), nodes: nodes))
}

extension OneResult {
    /// `name@time:path` of each delivery, in order.
    fileprivate var story: [String] {
        delivered.map { "\($0.name)@\($0.time):\($0.path.map { "\($0)" }.joined(separator: "-"))" }
    }
}

@Suite("Runs in The ONE's semantics, as stories")
struct OneStoryTests {
    @Test("A transfer begins at the event and ends at the first tick after its bytes are over")
    func ticks() throws {
        let contacts = "0 CONN 0 1 up"
        let message = "5 C M 0 1 10000"
        #expect(try run(.directDelivery, contacts: contacts, messages: message).story == ["M@6.0:0-1"])
        #expect(try run(.directDelivery, contacts: contacts, messages: message, tick: 10).story == ["M@10.0:0-1"])
        #expect(
            try run(.directDelivery, contacts: contacts, messages: "5.5 C M 0 1 500000").story == ["M@8.0:0-1"],
            "two seconds of bytes from half past five")
    }

    @Test("The end is rounded up to a whole tick, and events up to it still happen")
    func end() throws {
        let result = try run(.directDelivery, contacts: "", messages: "10.8 C M 0 1 1,11.2 C N 0 1 1", end: 10.5)
        #expect(result.counters.created == 1)
    }

    @Test("A contact of no length starts a transfer, aborts it, and delivers nothing")
    func zeroLength() throws {
        let result = try run(.epidemic, contacts: "10 CONN 0 1 up,10 CONN 0 1 down", messages: "0 C M 0 1 10000")
        #expect(result.counters.started == 1)
        #expect(result.counters.aborted == 1)
        #expect(result.counters.relayed == 0)
    }

    @Test("A transfer whose bytes are over when its link goes down is delivered then")
    func downAfterTheBytes() throws {
        let result = try run(.epidemic, contacts: "10 CONN 0 1 up,10.5 CONN 0 1 down", messages: "0 C M 0 1 10000")
        #expect(result.story == ["M@10.5:0-1"])
        #expect(result.counters.aborted == 0)
    }

    @Test("The first down closes a link that came up twice, and a second down says nothing")
    func overlaps() throws {
        let result = try run(
            .epidemic, contacts: "10 CONN 0 1 up,12 CONN 1 0 up,13 CONN 0 1 down,20 CONN 1 0 down",
            messages: "14 C M 0 1 10000")
        #expect(result.counters.started == 0)
        let again = try run(
            .epidemic, contacts: "10 CONN 0 1 up,12 CONN 1 0 up,13 CONN 0 1 down,20 CONN 1 0 up",
            messages: "14 C M 0 1 10000")
        #expect(again.story == ["M@21.0:0-1"])
    }

    @Test("From a minute before its nominal end a message is refused by all but its destination")
    func expiry() throws {
        func started(at time: Int) throws -> Int {
            try run(.epidemic, contacts: "\(time) CONN 0 1 up", messages: "0 C M 0 2 10000", end: 110, ttl: 2)
                .counters.started
        }
        #expect(try started(at: 60) == 1)
        #expect(try started(at: 61) == 0)
        let late = try run(.epidemic, contacts: "100 CONN 0 2 up", messages: "0 C M 0 2 10000", ttl: 2)
        #expect(late.story == ["M@101.0:0-2"])
    }

    @Test("A node looks for expired copies every 60 s, and counts them as dropped")
    func looks() throws {
        func dropped(end: Double) throws -> Int {
            try run(.epidemic, contacts: "", messages: "0 C M 0 2 10000", end: end, ttl: 2).counters.dropped
        }
        #expect(try dropped(end: 119) == 0, "at 60 s a whole minute was left")
        #expect(try dropped(end: 120) == 1)
    }

    @Test("A full buffer drops what it received first")
    func oldest() throws {
        let result = try run(
            .directDelivery, contacts: "10 CONN 0 1 up",
            messages: "1 C A 0 1 10000,2 C B 0 1 10000,3 C C 0 1 10000", buffer: 20_000)
        #expect(result.counters.dropped == 1)
        #expect(result.story == ["B@11.0:0-1", "C@12.0:0-1"])
    }

    @Test("Room is made when a transfer begins, also for one that is aborted")
    func roomAtTheStart() throws {
        let result = try run(
            .epidemic, contacts: "10 CONN 0 1 up,10 CONN 0 1 down", messages: "0 C X 1 3 10000,5 C Y 0 2 10000",
            buffer: 10_000)
        #expect(result.counters.aborted == 1)
        // One of the two was first to offer, and the other one lost its copy.
        #expect(result.counters.dropped == 1)
    }

    @Test("A message larger than a buffer is created and kept, and nobody takes it")
    func tooLarge() throws {
        let result = try run(
            .epidemic, contacts: "10 CONN 0 1 up", messages: "0 C M 0 1 10001", buffer: 10_000)
        #expect(result.counters.created == 1)
        #expect(result.counters.started == 0)
        #expect(result.counters.dropped == 0)
    }

    @Test("A node takes one message at a time: the other sender waits for the tick")
    func busy() throws {
        let result = try run(
            .directDelivery, contacts: "10 CONN 0 1 up,10 CONN 0 2 up", messages: "0 C A 1 0 10000,0 C B 2 0 10000",
            shufflesNodes: false)
        #expect(result.story == ["A@11.0:1-0", "B@12.0:2-0"])
    }

    @Test("What is for a neighbour goes before what is only passed on")
    func deliverablesFirst() throws {
        let result = try run(
            .epidemic, contacts: "10 CONN 0 1 up", messages: "0 C A 0 3 10000,1 C B 0 1 10000", shufflesNodes: false)
        #expect(result.story == ["B@11.0:0-1"])
        #expect(result.counters.relayed == 2)
    }

    @Test("Copies are halved where they leave and where they arrive, and the last one waits for the destination")
    func spray() throws {
        let result = try run(
            .sprayAndWait(copies: 4),
            contacts: """
                10 CONN 0 1 up,12 CONN 0 1 down,20 CONN 1 2 up,22 CONN 1 2 down,30 CONN 2 4 up,32 CONN 2 4 down,\
                40 CONN 2 3 up
                """, messages: "0 C M 0 3 10000")
        #expect(result.story == ["M@41.0:0-1-2-3"])
        #expect(result.counters.relayed == 3)
    }

    @Test("FirstContact gives its only copy away, and never back to who had it")
    func firstContact() throws {
        let result = try run(
            .firstContact, contacts: "10 CONN 0 1 up,50 CONN 1 2 up", messages: "0 C M 0 2 10000")
        #expect(result.story == ["M@51.0:0-1-2"])
        #expect(result.counters.removed == 2)
        #expect(result.counters.relayed == 2)
    }

    @Test("With FirstContact, who refuses a message has already made room for it")
    func refusedWithRoom() throws {
        let result = try run(
            .firstContact, contacts: "10 CONN 1 0 up,12 CONN 1 0 down,30 CONN 0 1 up",
            messages: "0 C M 1 3 10000,20 C N 1 4 10000", buffer: 10_000, shufflesNodes: false)
        // At 30 s node 0 is first and offers M back to 1, which drops N and then finds itself on M's way.
        #expect(result.counters.dropped == 1)
        #expect(result.counters.relayed == 1)
        #expect(result.counters.started == 1)
    }

    @Test("PRoPHET hands a message to who has met its destination, and to nobody else")
    func prophet() throws {
        let result = try run(
            .prophet(OneProphet()),
            contacts: """
                10 CONN 1 2 up,12 CONN 1 2 down,15 CONN 0 3 up,17 CONN 0 3 down,20 CONN 0 1 up,22 CONN 0 1 down,\
                30 CONN 1 2 up
                """, messages: "13 C M 0 2 10000")
        #expect(result.story == ["M@31.0:0-1-2"])
        #expect(result.counters.relayed == 2)
    }

    @Test("Averages and upper medians are over what arrived")
    func averages() throws {
        let result = try run(
            .directDelivery, contacts: "10 CONN 0 1 up,20 CONN 0 2 up", messages: "0 C A 0 1 1,0 C B 0 2 1,0 C C 0 4 1")
        #expect(result.latencyAverage == 16)
        #expect(result.latencyMedian == 21)
        #expect(result.hopAverage == 1)
        #expect(result.deliveryProbability == 2.0 / 3)
        #expect(result.overheadRatio == 0)
    }

    @Test("What cannot be run is said before it is run")
    func mistakes() {
        let trace = ContactTrace(nodes: 3, changes: [ContactChange(time: 1, a: 0, b: 2, isUp: true)])
        let message = PlannedMessage(name: "M", time: 0, from: 0, to: 7, size: 1)
        let fine = OneSettings(nodes: 3, end: 1, router: .epidemic)
        func mistake(_ change: (inout OneSettings) -> Void, _ workload: [PlannedMessage] = []) -> OneMistake? {
            var settings = fine
            change(&settings)
            do {
                _ = try OneEngine(settings, trace: trace, workload: workload)
                return nil
            } catch {
                return error
            }
        }
        #expect(mistake { _ in } == nil)
        #expect(mistake { $0.nodes = 0 } == .noNodes)
        #expect(mistake { $0.nodes = 2 } == .contactHost(2, nodes: 2))
        #expect(mistake { $0.tick = 0 } == .tick)
        #expect(mistake { $0.tick = .nan } == .tick)
        #expect(mistake { $0.end = .infinity } == .end)
        #expect(mistake { $0.speed = 0 } == .speed)
        #expect(mistake { $0.buffer = -1 } == .buffer)
        #expect(mistake { $0.ttl = -1 } == .ttl)
        #expect(mistake { $0.router = .sprayAndWait(copies: 0) } == .copies)
        #expect(mistake({ _ in }, [message]) == .messageHost("M", nodes: 3))
    }
}
