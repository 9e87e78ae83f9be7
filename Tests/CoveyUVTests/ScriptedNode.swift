import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyUV
import Glibc

/// Stands where the node stands: keeps what it is told, and answers by a closure.
final class ScriptedNode: Turning {
    typealias Answer = (Event, any Store, inout Effects) throws -> Void

    var nextDeadline: UInt64?
    var answer: Answer
    private(set) var events: [Event] = []
    private(set) var times: [Now] = []

    init(_ answer: @escaping Answer = { _, _, _ in }) { self.answer = answer }

    func handle(_ event: Event, at now: Now, store: any Store, into effects: inout Effects) throws {
        events.append(event)
        times.append(now)
        if case .command(let id, .stop) = event {
            effects.append(.reply(id, .stopping))
            effects.append(.stop)
        }
        try answer(event, store, &effects)
    }

    var endpoints: [LocalEndpoint] {
        for case .endpoints(let list) in events.reversed() { return list }
        return []
    }

    var accepted: [ConnectionID] {
        events.compactMap { if case .accepted(let id, _, _) = $0 { id } else { nil } }
    }

    var connected: [ConnectionID] {
        events.compactMap { if case .connected(let id) = $0 { id } else { nil } }
    }

    var dialsFailed: [ConnectionID] {
        events.compactMap { if case .dialFailed(let id, _) = $0 { id } else { nil } }
    }

    var dialFaults: [String] {
        events.compactMap { if case .dialFailed(_, let cause) = $0 { cause } else { nil } }
    }

    var closed: [ConnectionID] {
        events.compactMap { if case .closed(let id) = $0 { id } else { nil } }
    }

    var drained: [ConnectionID] {
        events.compactMap { if case .drained(let id) = $0 { id } else { nil } }
    }

    var datagrams: [[UInt8]] {
        events.compactMap { if case .datagram(let bytes, _, _) = $0 { bytes } else { nil } }
    }

    func received(on id: ConnectionID) -> [UInt8] {
        events.flatMap { if case .received(id, let bytes) = $0 { bytes } else { [] as [UInt8] } }
    }
}

/// A store of single values that records when it was committed, and can be held in the middle of it.
final class RecordingStore: CommittingStore {
    final class Batch: CommitBatch {
        private let gate: Gate?
        private let failure: StoreError?

        init(_ gate: Gate?, _ failure: StoreError?) {
            self.gate = gate
            self.failure = failure
        }

        func write() throws {
            gate?.pass()
            if let failure { throw failure }
        }
    }

    private(set) var isDirty = false
    private(set) var batchesTaken = 0
    private(set) var batchesFinished = 0
    private var values: [[UInt8]: [UInt8]] = [:]
    /// When set, each batch waits to be let through.
    var gate: Gate?
    var failure: StoreError?

    func takeBatch() -> (any CommitBatch)? {
        guard isDirty else { return nil }
        isDirty = false
        batchesTaken += 1
        return Batch(gate, failure)
    }

    func finished(_ batch: any CommitBatch) { batchesFinished += 1 }

    func put(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]) {
        values[[table.rawValue] + key] = value
        isDirty = true
    }

    func delete(_ table: KeyedTable, _ key: [UInt8]) {
        values[[table.rawValue] + key] = nil
        isDirty = true
    }

    func get(_ table: KeyedTable, _ key: [UInt8]) -> [UInt8]? { values[[table.rawValue] + key] }

    func all(_ table: KeyedTable) -> [(key: [UInt8], value: [UInt8])] {
        values.filter { $0.key.first == table.rawValue }
            .map { (Array($0.key.dropFirst()), $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    // The scripts keep single values only.
    func put(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes) throws { throw unused }
    func delete(_ table: SecretTable, _ key: [UInt8]) throws { throw unused }
    func all(_ table: SecretTable) throws -> [(key: [UInt8], value: SecretBytes)] { throw unused }
    func put(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]) throws { throw unused }
    func delete(_ table: SequenceTable, _ sequence: UInt64) throws { throw unused }
    func records(
        _ table: SequenceTable, after: UInt64, limit: Int
    ) throws -> [(sequence: UInt64, value: [UInt8])] { throw unused }
    func insert(_ record: EnvelopeRecord, _ bytes: [UInt8]) throws { throw unused }
    func envelope(_ id: EnvelopeID) throws -> [UInt8]? { throw unused }
    func replace(_ id: EnvelopeID, with ghost: Ghost) throws { throw unused }
    func insert(_ ghost: Ghost) throws { throw unused }
    func expire(upTo hour: Hour) throws { throw unused }
    func known() throws -> (held: [EnvelopeRecord], ghosts: [Ghost]) { throw unused }

    private var unused: StoreError { .io("the scripts of these tests keep single values only") }
}

/// Holds one thread until another lets it through.
final class Gate: Sendable {
    private let ends: (read: Int32, write: Int32)

    init() {
        var both: [Int32] = [-1, -1]
        precondition(pipe(&both) == 0, "the system has pipes")
        ends = (both[0], both[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func pass() {
        var byte: UInt8 = 0
        _ = read(ends.read, &byte, 1)
    }

    func open(for count: Int = 1) {
        var bytes = [UInt8](repeating: 1, count: count)
        _ = write(ends.write, &bytes, count)
    }
}

/// A loop run until something is so, and never longer than a bound.
final class Bench {
    struct TooLong: Error, CustomStringConvertible { let description: String }

    let loop: Loop
    private let guardian: Timer
    private var isExpired = false
    private var drivers: [Driver] = []

    init() throws {
        loop = try Loop()
        var expire: () -> Void = {}
        guardian = try Timer(on: loop) { expire() }
        expire = { [unowned self] in isExpired = true }
    }

    deinit {
        for driver in drivers { driver.end() }
        guardian.close()
        loop.run()
    }

    func driver(
        _ node: ScriptedNode, _ store: RecordingStore = RecordingStore(), multicast: MulticastUse = .off,
        port: UInt16 = 26117, commitWithin: UInt64 = 200_000, observed: @escaping (Observation) -> Void = { _ in },
        configure: (inout Driver.Configuration) -> Void = { _ in }
    ) throws -> Driver {
        var configuration = Driver.Configuration(listen: [ListenAddress(SocketAddress(v4: 127, 0, 0, 1, port: 0))])
        configuration.interfaces = ["lo"]
        configuration.multicast = multicast
        configuration.discoveryPort = port
        configuration.commitWithin = commitWithin
        configure(&configuration)
        let driver = Driver(node, store: store, on: loop, configuration: configuration, observed: observed)
        drivers.append(driver)
        try driver.start()
        return driver
    }

    /// Ends the driver with the bench.
    func adopt(_ driver: Driver) { drivers.append(driver) }

    func run(until what: String, turns: Int = 100_000, _ condition: () -> Bool) throws {
        isExpired = false
        guardian.set(milliseconds: 20_000)
        defer { guardian.cancel() }
        for _ in 0..<turns {
            // Without waiting first: what is performed before the loop waits may be what is waited for.
            if condition() { return }
            loop.poll()
            if condition() { return }
            if isExpired { break }
            loop.runOnce()
        }
        throw TooLong(description: "waited too long until \(what)")
    }
}
