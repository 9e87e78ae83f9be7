import CoveyCore
import CoveyNode

// Carrying: sealed envelopes from one node's store to another's, over TCP of the loopback interface. The receiver
// acknowledges what is durable; both are processes of their own.

/// A payload and the envelope it stands in: what a later message of a conversation of this size has.
struct Load {
    let size: Int
    let bucket: Bucket

    static let small = Load(size: 100, bucket: .bytes512)
    static let page = Load(size: 1024, bucket: .bytes2048)

    func describe(_ report: inout Report) {
        report.set("size", size)
        report.set("bucket", bucket.size)
    }
}

/// The live rate: mail put in as fast as it is acknowledged, over three seconds.
func measureRate() throws {
    for load in [Load.small, .page] {
        let place = try Place(devices: 2)
        let (receiver, port) = try place.listen(place.role(1) { $0.bucket = load.bucket })
        let sender = try place.start(
            place.role(0) {
                $0.peers = [port]
                $0.bucket = load.bucket
                $0.feed = .steady(window: 4096)
            })
        let board = place.board
        try place.wait("two nodes are linked") { board.open(0) != 0 && board.open(1) != 0 }
        board[.go] = 1
        try place.wait("mail flows") { board[.stored] > 4096 }

        func reading() -> (time: UInt64, stored: UInt64, processor: UInt64, sender: UInt64, bytes: UInt64?) {
            let (a, b) = (sender.processor, receiver.processor)
            return (Stopwatch.now, board[.stored], a + b, a, Proc.loopbackBytes)
        }
        let before = reading()
        let end = before.time + 3_000_000_000
        try place.wait("three seconds") { Stopwatch.now >= end }
        let after = reading()

        let messages = Double(after.stored - before.stored)
        let seconds = Double(after.time - before.time) / 1e9
        var report = Report("rate")
        load.describe(&report)
        report.set("msgs", Int(messages))
        report.set("msgs_per_s", messages / seconds, digits: 0)
        report.set("MB_per_s", messages * Double(load.size) / seconds / 1e6, digits: 1)
        report.set("cpu_s_per_1000", Double(after.processor - before.processor) / 1e6 / messages, digits: 5)
        report.set("cpu_send_s_per_1000", Double(after.sender - before.sender) / 1e6 / messages, digits: 5)
        if let first = before.bytes, let last = after.bytes {
            report.set("wire_bytes_per_msg", Double(last - first) / messages, digits: 0)
        }
        report.print()
    }
}

/// One envelope in flight: from the sender's hands to the receiver's store.
func measureLatency() throws {
    let count = 300
    for isDurable in [false, true] {
        for load in [Load.small, .page] {
            let place = try Place(devices: 2)
            let (receiver, port) = try place.listen(place.role(1) { $0.isDurable = isDurable })
            let sender = try place.start(
                place.role(0) {
                    $0.isDurable = isDurable
                    $0.peers = [port]
                    $0.bucket = load.bucket
                    $0.feed = .singly(count: count)
                })
            let board = place.board
            try place.wait("two nodes are linked") { board.open(0) != 0 && board.open(1) != 0 }
            board[.go] = 1
            try place.wait("every envelope is acknowledged") { board[.handed] == UInt64(count) }
            let delays = board.delays(count).sorted()
            withExtendedLifetime((sender, receiver)) {}

            var report = Report("idle_latency")
            load.describe(&report)
            report.set("durable", isDurable ? 1 : 0)
            report.set("n", count)
            report.set("oneway_median_us", Double(delays[count / 2]) / 1_000, digits: 1)
            report.set("oneway_p99_us", Double(delays[count * 99 / 100]) / 1_000, digits: 1)
            report.print()
        }
    }
}

/// Ten thousand envelopes stored while the receiver is down; then it comes: from its link to the last one on its disk.
func measureDrain() throws {
    let count = 10_000
    let load = Load.page
    let place = try Place(devices: 2)
    let board = place.board
    let (sender, port) = try place.listen(
        place.role(0) {
            $0.bucket = load.bucket
            $0.feed = .ahead(count: count)
        })
    try place.wait("all mail is durable at the sender") { board[.fedDurable] != 0 }
    let (processor, bytes) = (sender.processor, Proc.loopbackBytes)
    let receiver = try place.start(place.role(1) { $0.peers = [port] })
    try place.wait("all mail is durable at the receiver") { board[.stored] == UInt64(count) }
    let used = sender.processor - processor + receiver.processor

    let messages = Double(count)
    let seconds = Double(board[.lastStored] - board.linkUp(1)) / 1e9
    var report = Report("store_forward")
    load.describe(&report)
    report.set("msgs", count)
    report.set("ingest_msgs_per_s", messages * 1e9 / Double(board[.fedDurable] - board[.fedSince]), digits: 0)
    report.set("drain_s", seconds, digits: 4)
    report.set("drain_msgs_per_s", messages / seconds, digits: 0)
    report.set("drain_cpu_s_per_1000", Double(used) / 1e6 / messages, digits: 5)
    if let bytes, let now = Proc.loopbackBytes {
        report.set("drain_wire_bytes_per_msg", Double(now - bytes) / messages, digits: 0)
    }
    report.print()
}
