import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

/// One way in which an insider is not what it should be. What it leaves out, the insider does as it should.
protocol Conduct: AnyObject {
    /// Mail may flow on a link.
    func opened(_ link: InsiderLink, of insider: Insider)
    /// It was given mail that it did not have.
    func took(_ envelope: Envelope, of insider: Insider)
    /// It was given something for the log or the notes.
    func took(_ type: FrameType, _ body: [UInt8], of insider: Insider)
    /// What goes in the place of an envelope that it passes on; nil for nothing.
    func handsOn(_ envelope: HandedOn, of insider: Insider) -> HandedOn?
    /// True when the frame was dealt with.
    func answered(_ frame: SyncFrame, on link: InsiderLink, of insider: Insider) -> Bool
    func heard(datagram: [UInt8], of insider: Insider)
    /// A first message of its own went to somebody.
    func knocked(_ packet: [UInt8], of insider: Insider)
    /// Seconds that its clock is ahead.
    var clockError: Int64 { get }
    /// Each second.
    func ticked(_ insider: Insider)
}

/// An envelope as it is passed on: the name need not be that of the bytes.
struct HandedOn {
    var id: EnvelopeID
    var bytes: [UInt8]
}

extension Conduct {
    func opened(_ link: InsiderLink, of insider: Insider) {}
    func took(_ envelope: Envelope, of insider: Insider) {}
    func took(_ type: FrameType, _ body: [UInt8], of insider: Insider) {}
    func handsOn(_ envelope: HandedOn, of insider: Insider) -> HandedOn? { envelope }
    func answered(_ frame: SyncFrame, on link: InsiderLink, of insider: Insider) -> Bool { false }
    func heard(datagram: [UInt8], of insider: Insider) {}
    func knocked(_ packet: [UInt8], of insider: Insider) {}
    var clockError: Int64 { 0 }
    func ticked(_ insider: Insider) {}
}

/// Of what it takes from others and of what it does. It is hostile, not boundless: the world has to go on.
enum InsiderBounds {
    /// Envelopes kept; what comes beyond is acknowledged and forgotten.
    static let held = 4_096
    /// Things of one kind recorded; the oldest go.
    static let recorded = 64
    /// Connections at once, links and others.
    static let connections = 48
    /// Microseconds from a dial to the end of its handshake.
    static let handshake: UInt64 = 10_000_000
    /// Microseconds from one dial of a host to the next, first and at most.
    static let redial: ClosedRange<UInt64> = 6_000_000...60_000_000
    /// Bytes of envelopes it makes in one second.
    static let made = 1 << 20
}

/// The newest of what came, up to a number.
struct Recording<Element> {
    private(set) var items: [Element] = []

    mutating func add(_ item: Element) {
        if items.count == InsiderBounds.recorded { items.removeFirst() }
        items.append(item)
    }

    func any(_ random: SeededRandom) -> Element? {
        items.isEmpty ? nil : items[Int(random.uniform(UInt64(items.count)))]
    }
}
