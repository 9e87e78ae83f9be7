import CoveyCore
import CoveyCrypto
import CoveyLink

/// Everything it was given, given again: to whoever it is linked with, and datagrams and first messages to others than
/// they were meant for.
final class Replay: Conduct {
    private static let envelopesAtOnce = 4
    /// Seconds between two first messages played again.
    private static let knockEvery = 10
    private var envelopes = Recording<Envelope>()
    private var frames = Recording<(type: FrameType, body: [UInt8])>()
    private var datagrams = Recording<[UInt8]>()
    private var knocks = Recording<[UInt8]>()
    private var ticks = 0

    func took(_ envelope: Envelope, of insider: Insider) { envelopes.add(envelope) }
    func took(_ type: FrameType, _ body: [UInt8], of insider: Insider) { frames.add((type, body)) }
    func heard(datagram: [UInt8], of insider: Insider) { datagrams.add(datagram) }
    func knocked(_ packet: [UInt8], of insider: Insider) { knocks.add(packet) }

    func ticked(_ insider: Insider) {
        ticks += 1
        for link in insider.links where link.isOpen {
            for _ in 0..<Self.envelopesAtOnce {
                guard let old = envelopes.any(insider.random) else { break }
                link.say(HandedOn(id: old.id, bytes: old.bytes))
            }
            if let old = frames.any(insider.random) { link.say(old.type, old.body) }
        }
        if let old = datagrams.any(insider.random) { insider.multicast(old) }
        let reach = insider.reach
        if ticks % Self.knockEvery == 0, !reach.isEmpty, let old = knocks.any(insider.random) {
            insider.dial(
                reach[Int(insider.random.uniform(UInt64(reach.count)))], saying: old, for: InsiderBounds.handshake)
        }
    }
}
