import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode
import CoveySync

/// A link of an insider after its handshake. A class for its identity.
final class InsiderLink {
    let connection: ConnectionID
    let host: Host
    var transport: Transport
    var saidHello = false
    var isOpen = false
    var reconcilers: [Namespace: Reconciler] = [:]
    /// Envelopes pushed in a run and not acknowledged, by their short ids.
    var pushed: [Octets8: Namespace] = [:]
    /// Items of a set asked for and not here.
    var wanted: [Namespace: Int] = [:]

    init(_ connection: ConnectionID, with host: Host, transport: Transport, own: DeviceID, peer: DeviceID) {
        self.connection = connection
        self.host = host
        self.transport = transport
        let salts = Salts(handshakeHash: transport.handshakeHash)
        for namespace in Priority.allCases.map(Namespace.mail) {
            reconcilers[namespace] = Reconciler(namespace: namespace, own: own, peer: peer, salts: salts)
        }
    }

    func say(_ frame: some FrameBody) { transport.sender.append(frame) }

    func say(_ type: FrameType, _ body: [UInt8]) { transport.sender.append(type, body.span.bytes) }

    func say(_ envelope: HandedOn, tokens: UInt8 = 8) {
        transport.sender.append(
            Frame.DataHeader(id: envelope.id, tokens: tokens, hops: 1, total: envelope.bytes.count),
            envelope.bytes.span.bytes)
    }

    /// Whether a run of a set waits for nothing any more.
    func isSettled(_ namespace: Namespace) -> Bool {
        wanted[namespace, default: 0] <= 0 && !pushed.values.contains(namespace)
    }
}
