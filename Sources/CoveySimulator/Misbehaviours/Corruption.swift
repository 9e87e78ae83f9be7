import CoveyCore
import CoveyCrypto

/// One byte of the sealed part of what it passes on is another. Under the old name the receiver sees that at once; under
/// the name that fits the altered bytes only the recipient can.
final class Corruption: Conduct {
    private var count = 0

    func handsOn(_ envelope: HandedOn, of insider: Insider) -> HandedOn? {
        var altered = envelope
        let at = insider.random.uniform(EnvelopeHeader.byteCount...envelope.bytes.count - 1)
        altered.bytes[at] ^= UInt8(insider.random.uniform(1...255))
        count += 1
        if count % 2 == 0, let forged = try? Envelope(parsing: altered.bytes) { altered.id = forged.id }
        return altered
    }
}
