package import CoveyRouting

/// Who is given what: the policy of a node's mail between two persons.
public enum RoutingPolicy: Hashable, Sendable {
    /// Everything to every neighbour.
    case flood
    /// From the sender to the recipient alone.
    case direct
    /// Everything to every neighbour, as a policy of its own right: nothing is surplus.
    case epidemic
    /// So many copies, half of them at each meeting; the last only to the recipient.
    case sprayAndWait(copies: Int)
    /// One copy that goes with whoever is met first.
    case firstContact
    /// So many copies as the mesh's meetings make it take, towards the zone of the recipient's certificate, in which everybody
    /// gets one. Mail to a device without a zone is sprayed.
    case adaptive

    /// - Precondition: 1 to 64 copies.
    package var routing: Routing {
        switch self {
        case .flood: return .flood
        case .direct: return .direct
        case .epidemic: return .epidemic
        case .sprayAndWait(let copies):
            precondition((1...64).contains(copies), "a message is sprayed in 1 to 64 copies")
            return .sprayAndWait(copies: UInt8(copies))
        case .firstContact: return .firstContact
        case .adaptive: return .adaptive
        }
    }
}
