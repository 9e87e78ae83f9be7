/// What a link does to what is sent over it, each direction alike.
public struct LinkQuality: Hashable, Sendable {
    /// How long the first bit is under way.
    public enum Latency: Hashable, Sendable {
        case constant(Duration)
        case uniform(ClosedRange<Duration>)
        /// `least`, and an exponentially distributed part whose mean is `mean`.
        case exponential(least: Duration, mean: Duration)
        /// Half of all are below `median`; `sigma` is the standard deviation of the logarithm.
        case logNormal(median: Duration, sigma: Double)
    }

    /// Which packets do not arrive.
    public enum Loss: Hashable, Sendable {
        case none
        /// Each by itself.
        case bernoulli(Double)
        /// In bursts (Gilbert and Elliott): before each packet the link may turn bad, or good again.
        case gilbert(toBad: Double, toGood: Double, whenGood: Double = 0, whenBad: Double = 1)
    }

    /// Bits a second; nil: as many as are sent.
    public var rate: UInt64?
    /// Drawn anew for each datagram and each write to a stream.
    public var latency: Latency
    /// What is lost of a stream is sent again and comes later; a datagram is gone.
    public var loss: Loss
    /// Share of datagrams that others overtake.
    public var reorder: Double
    /// Share of datagrams that arrive twice.
    public var duplicate: Double
    /// Share of bits that arrive turned over. Datagrams arrive altered; of a byte stream the segment counts as lost.
    public var bitErrors: Double
    /// Bytes of one packet. Loss falls on packets.
    public var mtu: Int
    /// Bytes that wait to be sent: datagrams above it are dropped, a stream's writer is told to wait.
    public var queue: Int
    /// Largest share of time a host may send: after each packet it is silent so long that the share is kept.
    public var duty: Double
    /// One transmission at a time among those who hear each other; two at once at one receiver are both lost.
    public var isShared: Bool
    /// Whether datagrams to the group go over it.
    public var multicast: Bool

    /// - Parameters:
    ///   - rate: above 0; has to be given where the medium is shared.
    ///   - reorder, duplicate, bitErrors: shares, 0 to 1.
    ///   - mtu: 256 at least, so that a beacon fits.
    ///   - duty: above 0, at most 1.
    public init(
        rate: UInt64? = nil, latency: Latency = .constant(.milliseconds(1)), loss: Loss = .none, reorder: Double = 0,
        duplicate: Double = 0, bitErrors: Double = 0, mtu: Int = 1500, queue: Int = 256 << 10, duty: Double = 1,
        isShared: Bool = false, multicast: Bool = true
    ) {
        precondition(rate != 0, "a link that carries nothing is not there")
        precondition(mtu >= 256, "a beacon fits one packet")
        precondition(duty > 0 && duty <= 1, "the share of time is above 0 and at most 1")
        precondition(!isShared || rate != nil, "a transmission on a shared medium takes time")
        self.rate = rate
        self.latency = latency
        self.loss = loss
        self.reorder = reorder
        self.duplicate = duplicate
        self.bitErrors = bitErrors
        self.mtu = mtu
        self.queue = queue
        self.duty = duty
        self.isShared = isShared
        self.multicast = multicast
    }

    /// A cable and a switch: 100 Mbit/s, up to a millisecond.
    public static let lan = LinkQuality(
        rate: 100_000_000, latency: .uniform(.microseconds(200) ... .microseconds(1_000)))

    /// 20 Mbit/s that are shared, some milliseconds, a packet in a thousand lost.
    public static let wifi = LinkQuality(
        rate: 20_000_000, latency: .exponential(least: .milliseconds(1), mean: .milliseconds(3)),
        loss: .bernoulli(0.001))

    /// A slow radio: 9600 bit/s, shared, bursts of loss.
    public static let packetRadio = LinkQuality(
        rate: 9_600, latency: .constant(.milliseconds(30)),
        loss: .gilbert(toBad: 0.02, toGood: 0.3, whenBad: 0.7), mtu: 256, queue: 16 << 10, isShared: true)
}
