import CoveyCore
import CoveyCrypto
import CoveyLink
import CoveyNode

/// Streams and datagrams from anybody, and from somebody who holds the keys of the link but does as he likes in the
/// handshake. The first byte says how far it goes in order; then come pieces, `len u16 | bytes`.
struct StrangerEntry {
    private let node = NodeUnderTest()

    func run(_ input: [UInt8]) {
        var script = Script(input)
        node.begin()
        let connection = ConnectionID.accepted(1)
        switch script.u8() % 8 {
        case 0: accept(connection, script.u8())
        case 1: answered(connection)
        case 2:
            // A first message that says anything.
            accept(connection, script.u8())
            var caller = Caller(node.mesh, .initiator)
            say(caller.write(script.take(FirstPayload.byteCount).sized(FirstPayload.byteCount), .first), connection)
        case 3:
            // A third message that shows anything.
            var caller = answered(connection)
            say(caller.write(Caller.padded(script.block(most: 1534)), .third), connection)
        case 4: return datagrams(&script)
        case 5:
            // The node dials, and hears anything.
            guard let dialled = dial() else { return }
            pieces(&script, dialled.connection)
            node.check()
            return
        case 6:
            // The node dials, and is shown anything.
            guard let dialled = dial() else { return }
            var caller = Caller(node.mesh, .responder)
            guard caller.read(dialled.packet) != nil else { preconditionFailure("the node dials under its epoch") }
            say(caller.write(Caller.padded(script.block(most: 1534)), .second), dialled.connection)
            pieces(&script, dialled.connection)
            node.check()
            return
        default:
            // The node dials, and is asked to show itself first.
            guard let dialled = dial() else { return }
            var caller = Caller(node.mesh, .initiator, isReverse: true)
            say(
                caller.write(
                    script.take(FirstPayload.byteCount).sized(FirstPayload.byteCount), .first, isReverse: true),
                dialled.connection)
            pieces(&script, dialled.connection)
            node.check()
            return
        }
        pieces(&script, connection)
        node.check()
    }

    private func say(_ bytes: [UInt8], _ connection: ConnectionID) { node.handle(.received(connection, bytes)) }

    private func accept(_ connection: ConnectionID, _ flags: UInt8) {
        node.handle(.accepted(connection, from: NodeUnderTest.peer, isStatic: flags & 1 == 0))
    }

    /// A member's first message, and the node's answer.
    @discardableResult
    private func answered(_ connection: ConnectionID) -> Caller {
        accept(connection, 0)
        var caller = Caller(node.mesh, .initiator)
        say(caller.write(Caller.first, .first), connection)
        guard caller.read(node.takeSent(connection)) != nil else { preconditionFailure("a member is answered") }
        return caller
    }

    private func dial() -> (connection: ConnectionID, packet: [UInt8])? {
        node.wait(1_000_000)
        guard let connection = node.dialled.first else { return nil }
        node.handle(.connected(connection))
        return (connection, node.takeSent(connection))
    }

    private func pieces(_ script: inout Script, _ connection: ConnectionID) {
        var count = 0
        while !script.isAtEnd, count < 64 {
            count += 1
            say(script.block(), connection)
            if node.closed.contains(connection) { break }
        }
        if count % 3 == 0 { node.handle(.closed(connection)) }
        node.wait(15_000_000)
    }

    private func datagrams(_ script: inout Script) {
        var count = 0
        while !script.isAtEnd, count < 64 {
            count += 1
            let kind = script.u8()
            let bytes = script.take(Int(script.u8()))
            let datagram: [UInt8]
            switch kind & 3 {
            case 0: datagram = bytes
            case 1:
                // A member's beacon, altered in what the member may choose.
                var head = LANBeacon(
                    flags: [.solicit], epoch: node.mesh.keys.prefix, wallTime: SmallMesh.minute,
                    device: node.mesh.there.identity.id, instance: Octets8(), sequence: UInt32(count), tcpPort: 26_117,
                    addresses: [NodeUnderTest.listener], degree: 0, freeSlots: 3, controlDigest: Octets8(),
                    meshDigest: Octets8()
                ).bytes
                for (offset, byte) in bytes.enumerated() where byte != 0 { head[offset % head.count] ^= byte }
                datagram = MailEntries.sealed(
                    head, signer: node.mesh.there.identity.signing, mesh: node.mesh.mesh, key: node.mesh.keys.beacon)
            default:
                datagram =
                    TinyBeacon(
                        slot: BeaconSlot(
                            UInt32(truncatingIfNeeded: Int(BeaconSlot(of: SmallMesh.minute).value) + bytes.count)),
                        key: node.mesh.keys.beacon, nonce: BeaconNonce()
                    ).bytes
            }
            node.handle(.datagram(datagram, from: NodeUnderTest.peer, interface: 1))
            if kind & 0x10 != 0 { node.wait(UInt64(kind) * 50_000) }
        }
        node.wait(5_000_000)
        node.check()
    }
}
