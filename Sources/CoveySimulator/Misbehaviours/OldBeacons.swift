/// Plays the beacons of others again: who is fooled dials where nobody is, or where somebody is linked already.
final class OldBeacons: Conduct {
    private static let perSecond = 4
    private var datagrams = Recording<[UInt8]>()

    func heard(datagram: [UInt8], of insider: Insider) { datagrams.add(datagram) }

    func ticked(_ insider: Insider) {
        for _ in 0..<Self.perSecond {
            if let old = datagrams.any(insider.random) { insider.multicast(old) }
        }
    }
}
