import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveySync

/// Says of sets of mail what is not so: by turns that it knows just what the other knows, so that nothing is compared, and
/// that it knows a great deal, so that much is compared for nothing.
final class SummaryLie: Conduct {
    private static let claimed: UInt32 = 1 << 20
    /// Seconds between two digests that nobody asked for.
    private static let digestEvery = 3
    private var digests = 0
    private var isModest = true
    private var ticks = 0

    func ticked(_ insider: Insider) {
        ticks += 1
        guard ticks % Self.digestEvery == 0 else { return }
        isModest = false
        for link in insider.links where link.isOpen {
            for priority in Priority.allCases {
                let digest = Digest(
                    namespace: .mail(priority), floor: insider.minute.hour, count: Self.claimed,
                    fingerprint: .random(from: insider.random))
                link.say(.digest, digest.body)
            }
        }
    }

    func answered(_ frame: SyncFrame, on link: InsiderLink, of insider: Insider) -> Bool {
        guard let type = FrameType(rawValue: frame.type) else { return true }
        switch frame {
        case .digest(var digest):
            digests += 1
            isModest = digests % 2 == 0
            if !isModest {
                digest.count = Self.claimed
                digest.fingerprint = .random(from: insider.random)
            }
            link.say(type, digest.body)
        case .summary(let summary): if !isModest { link.say(type, garbled(summary, insider)) }
        case .recon(var recon):
            if isModest { break }
            for index in recon.parts.indices {
                switch recon.parts[index].mode {
                case .fingerprint: recon.parts[index].mode = .fingerprint(.random(from: insider.random))
                case .list(let ids): recon.parts[index].mode = .list(ids.map { _ in .random(from: insider.random) })
                case .wideList(let ids):
                    recon.parts[index].mode = .wideList(ids.map { _ in .random(from: insider.random) })
                case .skip, .all: break
                }
            }
            link.say(type, recon.body)
        case .done(var done):
            done.fingerprint = .random(from: insider.random)
            link.say(type, done.body)
        }
        return true
    }

    /// A summary of the other's with another fingerprint somewhere, and still a summary.
    private func garbled(_ summary: Summary, _ insider: Insider) -> [UInt8] {
        let honest = summary.body
        for _ in 0..<8 {
            var body = honest
            let at = insider.random.uniform(0...body.count - 1)
            body[at] ^= UInt8(insider.random.uniform(1...127))
            if let frame = try? SyncFrame(type: FrameType.summary.rawValue, body: body.span.bytes),
                frame.namespace == summary.namespace
            {
                return body
            }
        }
        return honest
    }
}
