import CoveyCore

/// Envelopes of valid form with nothing in them: nobody but their recipients could tell, and they have none.
final class Flood: Conduct {
    private let perSecond: Int

    init(perSecond: Int) {
        precondition(perSecond >= 0, "a rate is not negative")
        self.perSecond = min(perSecond, InsiderBounds.made / Bucket.bytes512.size)
    }

    func ticked(_ insider: Insider) {
        guard insider.links.contains(where: \.isOpen) else { return }
        for _ in 0..<perSecond {
            let envelope = insider.makeEnvelope()
            insider.keep(envelope)
            for link in insider.links where link.isOpen { link.say(HandedOn(id: envelope.id, bytes: envelope.bytes)) }
        }
    }
}
