/// What comes to a user is what another user of this world sent to them, letter by letter, and before it came
/// (invariant 7).
public final class DeliveredAsSent: Checker {
    public let name = "delivered as sent"

    public init() {}

    public func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        guard case .delivered(let message) = sighting else { return }
        guard let sent = world.sent(message.id) else {
            return world.violate(name, "nobody sent \"\(message.text)\"", at: host)
        }
        if sent.from != message.from { world.violate(name, "\"\(message.text)\" is not from whom it says", at: host) }
        if sent.to != host { world.violate(name, "\"\(message.text)\" was meant for \(sent.to)", at: host) }
        if sent.text != message.text {
            world.violate(name, "\"\(sent.text)\" came as \"\(message.text)\"", at: host)
        }
        if world.time < sent.sent { world.violate(name, "\"\(message.text)\" came before it was sent", at: host) }
    }
}
