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

    /// Prints envelopes a second, and the processor's time for each, of `count` envelopes of 2 KiB.
    private static func measure(_ home: String, count: Int, batch: Int, inSegments: Bool) throws {
        let store = try open(home)
        let body = SystemRandom().bytes(2048)
        let model = Mail(1, bucket: .bytes2048).record
        let source = SystemRandom()
        let start = (wall: time(CLOCK_MONOTONIC), cpu: time(CLOCK_PROCESS_CPUTIME_ID))
        var turns = 0.0
        for at in 0..<count {
            let before = time(CLOCK_THREAD_CPUTIME_ID)
            let id = EnvelopeID.random(from: source)
            if inSegments {
                let record = EnvelopeRecord(
                    id: id, header: model.header, tokens: 255, hops: 1, isOwn: false, ingress: model.ingress)
                var bytes = body
                bytes[100] = UInt8(truncatingIfNeeded: at)
                try store.insert(record, bytes)
            } else {
                try store.put(.bundles, id.array, body)
            }
            turns += time(CLOCK_THREAD_CPUTIME_ID) - before
            if (at + 1) % batch == 0 { try store.commit() }
        }
        try store.commit()
        let wall = time(CLOCK_MONOTONIC) - start.wall
        let cpu = time(CLOCK_PROCESS_CPUTIME_ID) - start.cpu
        let each = cpu / Double(count) * 1e6
        let inTurn = tenths(turns / Double(count) * 1e6)
        say("\(Int(Double(count) / wall)) a second, \(tenths(each)) µs of processor each, \(inTurn) of it in the turn")
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
