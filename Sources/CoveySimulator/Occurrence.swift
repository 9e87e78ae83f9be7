/// What happens next, in the world's one queue. Bytes lie in `Payloads`.
struct Occurrence: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// A node's timer.
        case deadline
        /// A dialler asks again.
        case dial
        /// Parts of a stream come to the other end.
        case syn, synAck, ack, data, fin, reset
        case dialTimeout, drained, retry, streamTimeout
        case datagram
        case committed
        case script, sample, hour
        /// A stick is plugged in.
        case stick
    }

    var kind: Kind
    /// Streams: which half sent it.
    var half: UInt8 = 0
    /// Of the stream, so that what was meant for another of the same number passes by. Datagrams: the interface.
    var generation: UInt16 = 0
    /// Who it comes to.
    var host: UInt32 = 0
    /// Stream, sender of a datagram, or number of a script.
    var subject: UInt32 = 0
    var payload: UInt32 = 0
}

/// Bytes under way, each by its number; a datagram to many lies here once.
struct Payloads {
    private var bytes: [[UInt8]] = []
    private var uses: [UInt32] = []
    /// By which transmission on a shared medium each goes; 0 elsewhere.
    private var transmissions: [UInt32] = []
    private var free: [UInt32] = []

    /// - Parameter uses: how often it will be let go.
    mutating func keep(_ new: [UInt8], uses count: UInt32 = 1, transmission: UInt32 = 0) -> UInt32 {
        if let index = free.popLast() {
            transmissions[Int(index)] = transmission
            bytes[Int(index)] = new
            uses[Int(index)] = count
            return index
        }
        bytes.append(new)
        uses.append(count)
        transmissions.append(transmission)
        return UInt32(bytes.count - 1)
    }

    func transmission(_ index: UInt32) -> UInt32 { transmissions[Int(index)] }

    mutating func use(_ index: UInt32) { uses[Int(index)] += 1 }

    subscript(index: UInt32) -> [UInt8] { bytes[Int(index)] }

    /// Gives the bytes, and forgets them at the last use.
    mutating func take(_ index: UInt32) -> [UInt8] {
        let taken = bytes[Int(index)]
        release(index)
        return taken
    }

    mutating func release(_ index: UInt32) {
        uses[Int(index)] -= 1
        if uses[Int(index)] == 0 {
            bytes[Int(index)] = []
            free.append(index)
        }
    }
}
