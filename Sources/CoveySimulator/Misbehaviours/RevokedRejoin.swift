import CoveyCore
import CoveyCrypto

/// Goes on after its revocation as if nothing were: it dials with its old certificate under its old epochs, by turns
/// claiming to be ahead, and sends beacons of its own and recorded ones.
final class RevokedRejoin: Conduct {
    private var datagrams = Recording<[UInt8]>()
    private var sequence: UInt32 = 0
    private let instance = Octets8()

    func heard(datagram: [UInt8], of insider: Insider) {
        // What comes later it could not have made, nor can it be read; what it holds it plays.
        if !insider.isRevoked { datagrams.add(datagram) }
    }

    func ticked(_ insider: Insider) {
        guard insider.isRevoked, let epoch = insider.epochKeys else { return }
        sequence += 1
        if sequence % 2 == 0, let old = datagrams.any(insider.random) { return insider.multicast(old) }
        let beacon = LANBeacon(
            flags: .solicit, epoch: epoch.prefix, wallTime: insider.minute, device: insider.identity.id,
            instance: instance, sequence: sequence, tcpPort: insider.address.port, addresses: [insider.address],
            degree: 0, freeSlots: 24, controlDigest: Octets8(), meshDigest: Octets8())
        insider.multicast(
            beacon.sealed(
                key: epoch.beacon, nonce: Nonce24.random(from: insider.random), signer: insider.identity.signing,
                mesh: insider.mesh))
    }
}
