import CoveyRouting

/// The policies that contacts are studied with, by name.
package enum ContactRouter: Hashable, Sendable {
    case flood
    case direct
    case epidemic
    /// 1 to 64 copies.
    case sprayAndWait(copies: UInt8)
    case firstContact
    case prophet

    /// Runs a world in which every host has this policy. Each has a world of its own type: nothing is boxed.
    package func run(
        _ source: some ContactSource, messages: [PlannedMessage], settings: ContactSettings, outages: [HostOutage] = []
    ) -> ContactResult {
        var source = source
        let pulled = PulledContacts { source.next() }
        return switch self {
        case .flood: run(Flood(), pulled, messages, settings, outages)
        case .direct: run(Direct(), pulled, messages, settings, outages)
        case .epidemic: run(Epidemic(), pulled, messages, settings, outages)
        case .sprayAndWait(let copies): run(SprayAndWait(copies: copies), pulled, messages, settings, outages)
        case .firstContact: run(FirstContact(), pulled, messages, settings, outages)
        case .prophet:
            ContactWorld(pulled, messages: messages, settings: settings, outages: outages) {
                PRoPHET(host: .host($0))
            }.run()
        }
    }

    private func run<Policy: ReplicationPolicy>(
        _ policy: Policy, _ source: PulledContacts, _ messages: [PlannedMessage], _ settings: ContactSettings,
        _ outages: [HostOutage]
    ) -> ContactResult {
        ContactWorld(source, messages: messages, settings: settings, outages: outages) { _ in policy }.run()
    }
}

/// Contacts of any source. So the worlds are compiled here for each policy, and not anew, or not at all, for each source.
private struct PulledContacts: ContactSource {
    let pull: () -> ContactChange?

    init(_ pull: @escaping () -> ContactChange?) { self.pull = pull }

    mutating func next() -> ContactChange? { pull() }
}
