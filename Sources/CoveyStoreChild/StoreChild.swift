import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStore
import Glibc

/// A process that writes to a store and says what was committed, for tests that kill it.
///
///     CoveyStoreChild turns HOME SEED             turns without end; "N" for each N turns that are committed
///     CoveyStoreChild limited HOME SEED BYTES     the same, with no file allowed to grow over BYTES
///     CoveyStoreChild measure HOME COUNT BATCH segments|sqlite
///
/// A `StoreError` is printed as its last line.
@main
struct StoreChild {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch (words.first, words.count) {
            case ("turns", 3): try turns(words[1], seed: number(words[2]))
            case ("limited", 4):
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: rlim_t(number(words[3])), rlim_max: .max)
                guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(1) }
                try turns(words[1], seed: number(words[2]))
            case ("measure", 5):
                try measure(
                    words[1], count: Int(number(words[2])), batch: Int(number(words[3])),
                    inSegments: words[4] == "segments")
            default: say("usage: see StoreChild.swift")
            }
        } catch {
            say("\(error)")
        }
    }

    private static func number(_ text: String) -> UInt64 {
        guard let number = UInt64(text) else {
            say("\(text) is not a number")
            exit(64)
        }
        return number
    }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }

    private static func open(_ home: String) throws -> DiskStore {
        try DiskStore(in: HomeDirectory(home), key: Turns.key)
    }

    /// Batches are written by another thread while turns go on, as in the daemon.
    private static func turns(_ home: String, seed: UInt64) throws {
        let store = try open(home)
        var turns = Turns(seed: seed)
        let dice = SeededRandom(seed: seed, stream: "batches")
        var done = 0
        while true {
            done += 1
            try turns.turn(store)
            guard let batch = store.takeBatch() else { continue }
            let inBatch = done
            let worker = Worker(batch)
            for _ in 0..<dice.uniform(4) {
                done += 1
                try turns.turn(store)
            }
            try worker.join()
            store.finished(batch)
            say("\(inBatch)")
        }
    }

    /// Prints what `count` envelopes of 2 KiB cost: taken in, found at the next start, read, and let go.
    private static func measure(_ home: String, count: Int, batch: Int, inSegments: Bool) throws {
        let source = SystemRandom()
        let model = Mail(1, bucket: .bytes2048)
        let ids = (0..<count).map { _ in EnvelopeID.random(from: source) }
        var turns = 0.0
        try step("taken in", count) {
            let store = try open(home)
            for (at, id) in ids.enumerated() {
                var bytes = model.bytes
                bytes[100] = UInt8(truncatingIfNeeded: at)
                let before = time(CLOCK_THREAD_CPUTIME_ID)
                if inSegments {
                    let record = EnvelopeRecord(
                        id: id, header: model.record.header, tokens: 255, hops: 1, isOwn: false,
                        ingress: model.record.ingress)
                    try store.insert(record, bytes)
                } else {
                    try store.put(.bundles, id.array, bytes)
                }
                turns += time(CLOCK_THREAD_CPUTIME_ID) - before
                if (at + 1).isMultiple(of: batch) { try store.commit() }
            }
            try store.commit()
        }
        say("  of that in the turn: \(tenths(turns / Double(count) * 1e6)) µs")
        var store: DiskStore?
        try step("found at the start", count) {
            store = try open(home)
            let found = try inSegments ? store?.known().held.count : store?.all(.bundles).count
            guard found == count else { throw StoreError.damaged("\(found ?? 0) of \(count) are there") }
        }
        guard let store else { return }
        let order = (0..<count).map { _ in ids[source.uniform(0...count - 1)] }
        try step("read", count) {
            for id in order {
                let bytes = try inSegments ? store.envelope(id) : store.get(.bundles, id.array)
                guard bytes?.count == 2048 else { throw StoreError.damaged("an envelope is not there") }
            }
        }
        try step("let go", count) {
            if inSegments {
                try store.expire(upTo: model.record.header.expiry)
            } else {
                for id in ids { try store.delete(.bundles, id.array) }
            }
            try store.commit()
        }
    }

    private static func step(_ name: String, _ count: Int, _ body: () throws -> Void) throws {
        let start = (wall: time(CLOCK_MONOTONIC), cpu: time(CLOCK_PROCESS_CPUTIME_ID))
        try body()
        let wall = time(CLOCK_MONOTONIC) - start.wall
        let cpu = time(CLOCK_PROCESS_CPUTIME_ID) - start.cpu
        say("\(name): \(Int(Double(count) / wall)) a second, \(tenths(cpu / Double(count) * 1e6)) µs of processor each")
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    private static func time(_ clock: clockid_t) -> Double {
        var now = timespec()
        clock_gettime(clock, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

/// One batch, written by a thread of its own.
private final class Worker {
    private final class Job {
        let batch: any CommitBatch
        var failure: (any Error)?
        init(_ batch: any CommitBatch) { self.batch = batch }
    }

    private let job: Job
    private var thread = pthread_t()

    init(_ batch: any CommitBatch) {
        job = Job(batch)
        let status = pthread_create(&thread, nil, runJob, Unmanaged.passRetained(job).toOpaque())
        precondition(status == 0, "a thread can be started")
    }

    func join() throws {
        pthread_join(thread, nil)
        if let failure = job.failure { throw failure }
    }

    fileprivate static func run(_ pointer: UnsafeMutableRawPointer) {
        let job = Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue()
        do { try job.batch.write() } catch { job.failure = error }
    }
}

private func runJob(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Worker.run(pointer!)
    return nil
}
