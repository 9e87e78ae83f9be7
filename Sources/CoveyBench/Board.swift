import Glibc
import Synchronization

/// Memory that the processes of one measure share: what they tell each other costs no system call.
struct Board: @unchecked Sendable {
    /// One number each, unless said otherwise. Times are nanoseconds of the monotonic clock.
    enum Place: Int {
        /// The parent's: the sender may begin.
        case go
        /// Of the listener.
        case port
        /// Envelopes the sender has put in, and when it began.
        case fed
        case fedSince
        /// When all that was fed is durable at the sender.
        case fedDurable
        /// Envelopes that the receiver has acknowledged as stored.
        case handed
        /// Envelopes durable at the receiver, and the time of the newest.
        case stored
        case lastStored
        /// When a message came to the inbox of the receiver.
        case delivered
    }

    static let mostDevices = 32
    /// Envelopes whose times are kept, from the first.
    static let mostStamps = 4096

    private enum Area {
        static let linkUp = 32
        static let open = linkUp + mostDevices
        static let dial = open + mostDevices
        static let fed = dial + mostDevices
        static let stored = fed + mostStamps
        static let end = stored + mostStamps
    }

    private let numbers: UnsafeMutablePointer<Atomic<UInt64>>

    /// Maps the file at `path`, made if it is not there.
    init(_ path: String) throws {
        let size = Area.end * 8
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, off_t(size)) == 0 else { throw Complaint("cannot make \(path)") }
        defer { close(file) }
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), base != MAP_FAILED else {
            throw Complaint("cannot map \(path)")
        }
        numbers = base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    subscript(place: Place) -> UInt64 {
        get { numbers[place.rawValue].load(ordering: .acquiring) }
        nonmutating set { numbers[place.rawValue].store(newValue, ordering: .releasing) }
    }

    /// When a device's newest link came through its handshake; 0 before.
    func linkUp(_ device: Int) -> UInt64 { read(Area.linkUp + device) }
    func setLinkUp(_ device: Int, _ time: UInt64) { write(Area.linkUp + device, time) }

    /// When mail first could flow; 0 before.
    func open(_ device: Int) -> UInt64 { read(Area.open + device) }
    func setOpen(_ device: Int, _ time: UInt64) { write(Area.open + device, time) }

    /// When a device's newest dial began.
    func dial(_ device: Int) -> UInt64 { read(Area.dial + device) }
    func setDial(_ device: Int, _ time: UInt64) { write(Area.dial + device, time) }

    func stampFed(_ number: UInt64) { if number < Self.mostStamps { write(Area.fed + Int(number), Stopwatch.now) } }
    func stampStored(_ number: UInt64, _ time: UInt64) {
        if number < Self.mostStamps { write(Area.stored + Int(number), time) }
    }

    /// Nanoseconds from the sender's hands to the receiver's disk, of the first `count` envelopes.
    func delays(_ count: Int) -> [UInt64] {
        (0..<min(count, Self.mostStamps)).map { read(Area.stored + $0) &- read(Area.fed + $0) }
    }

    private func read(_ index: Int) -> UInt64 { numbers[index].load(ordering: .acquiring) }
    private func write(_ index: Int, _ value: UInt64) { numbers[index].store(value, ordering: .releasing) }
}
