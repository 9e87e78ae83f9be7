import CoveyCore

/// What is done with the discovery groups: `discovery.multicast` of the configuration.
package enum MulticastUse: String, Sendable {
    case on
    case listen
    case off
}

/// The sockets of the discovery groups, one for each interface in use and each family it has.
final class DiscoverySockets {
    private struct Place: Hashable {
        var group: DiscoveryGroup
        var own: InterfaceAddress
    }

    private let use: MulticastUse
    private let port: UInt16
    private let loop: Loop
    private let heard: ([UInt8], SocketAddress, UInt32) -> Void
    private let warn: (String) -> Void
    /// In the order of interfaces and groups.
    private var sockets: [(place: Place, socket: MulticastSocket)] = []
    /// Told once, until the place changes.
    private var refused: Set<Place> = []
    /// Likewise: of the interfaces that were named and are not there, and that there is none at all.
    private var lacking: Set<String> = []
    private var hasNone = false

    init(
        _ use: MulticastUse, port: UInt16, on loop: Loop, heard: @escaping ([UInt8], SocketAddress, UInt32) -> Void,
        warn: @escaping (String) -> Void
    ) {
        self.use = use
        self.port = port
        self.loop = loop
        self.heard = heard
        self.warn = warn
    }

    var count: Int { sockets.count }

    /// Joins the groups on interfaces that came, and leaves them on those that went.
    ///
    /// - Parameter lacking: names of interfaces that are to be used and are not there.
    func update(_ interfaces: [InterfaceAddress], lacking names: [String] = []) {
        let wanted = use == .off ? [] : Self.places(in: interfaces)
        for name in names where lacking.insert(name).inserted {
            warn("there is no interface \(name) with an address; it is used when it comes")
        }
        lacking.formIntersection(names)
        let isNew = use != .off && wanted.isEmpty && !hasNone
        hasNone = use != .off && wanted.isEmpty
        if isNew { warn("no interface to find peers on; until one comes they are found by `peers` alone") }
        for (place, socket) in sockets where !wanted.contains(place) { socket.close() }
        var kept: [(Place, MulticastSocket)] = []
        for place in wanted {
            if let standing = sockets.first(where: { $0.place == place }) {
                kept.append(standing)
            } else if let socket = join(place) {
                kept.append((place, socket))
            }
        }
        sockets = kept
        refused.formIntersection(wanted)
    }

    func send(_ bytes: [UInt8]) {
        guard use == .on else { return }
        for (_, socket) in sockets { socket.send(bytes) }
    }

    func close() {
        for (_, socket) in sockets { socket.close() }
        sockets = []
    }

    private func join(_ place: Place) -> MulticastSocket? {
        do {
            let index = place.own.index
            return try MulticastSocket(place.group, port: port, on: place.own, loop: loop) { [heard] bytes, from in
                heard(bytes, from, index)
            }
        } catch {
            if refused.insert(place).inserted {
                let family = place.group == .v4 ? "IPv4" : "IPv6"
                warn("no \(family) multicast on \(place.own.name) (\(error)); discovery goes on without it")
            }
            return nil
        }
    }

    /// One address for each interface and family. IPv6 multicast does not work on the loopback interface.
    private static func places(in interfaces: [InterfaceAddress]) -> [Place] {
        var places: [Place] = []
        for group in DiscoveryGroup.allCases {
            for candidate in interfaces where candidate.address.isV4 == (group == .v4) {
                if group == .v6, candidate.isLoopback { continue }
                let rival = places.firstIndex { $0.group == group && $0.own.index == candidate.index }
                guard let rival else {
                    places.append(Place(group: group, own: candidate))
                    continue
                }
                if group == .v6, candidate.address.isLinkLocal, !places[rival].own.address.isLinkLocal {
                    places[rival].own = candidate
                }
            }
        }
        return places
    }
}
