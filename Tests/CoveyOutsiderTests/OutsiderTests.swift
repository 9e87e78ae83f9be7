import CoveyCore
import CoveyCrypto
import CoveyLink
import Testing

@testable import CoveyOutsider

@Suite("Who knocks without being a member")
struct OutsiderTests {
    @Test("Nothing that a stranger says opens under a network key it does not have")
    func knocks() throws {
        let mesh = try StolenMesh(seed: 1)
        let knocks = try Knock.all(now: StolenMesh.now, random: mesh.random)
        #expect(knocks.count > 10)
        for knock in knocks {
            var buffer = PacketBuffer()
            buffer.append(knock.bytes)
            var opened = 0
            do {
                while let packet = try buffer.next() {
                    _ = try FirstMessage.open(packet, context: mesh.context, held: mesh.held, expecting: .fresh)
                    opened += 1
                }
            } catch {
                // A silent close.
            }
            #expect(opened == 0, "\(knock.name)")
        }
    }

    @Test("The same first message opens where the key is known: the knocks fail for want of it")
    func control() throws {
        let mesh = try StolenMesh(seed: 2)
        var bytes: [UInt8] = []
        _ = Initiator(
            mesh.context, psk: mesh.held[0].psk, first: FirstPayload(isAhead: false, slot: 1), random: mesh.random,
            to: &bytes)
        var buffer = PacketBuffer()
        buffer.append(bytes)
        let packet = try #require(try buffer.next())
        _ = try FirstMessage.open(packet, context: mesh.context, held: mesh.held, expecting: .fresh)
    }

    @Test("The certificate that a thief signs is good in all but the log")
    func certificate() throws {
        let mesh = try StolenMesh(seed: 3)
        let thief = try StolenAuthority(directory: mesh.directory)
        let device = try UnloggedDevice(thief, now: StolenMesh.now, random: mesh.random)
        let admission = mesh.membership.admit(
            certificate: device.certificate.signed, chain: .certificates(thief.chain.map(\.signed)),
            linkKey: device.identity.link.publicKey, own: mesh.node.id,
            time: TimeView(now: StolenMesh.now, isTrusted: true, floor: StolenMesh.now))
        guard case .catchUp(let peer, why: .notInLog) = admission else {
            Issue.record("it was judged \(admission)")
            return
        }
        #expect(peer.device == device.identity.id)
        #expect(!peer.isProvisional)
    }

    private func visit(_ mesh: StolenMesh, _ frames: [PlayedNode.Said]) throws -> (CatchUpVisit, isClosed: Bool) {
        let device = try UnloggedDevice(
            StolenAuthority(directory: mesh.directory), now: StolenMesh.now, random: mesh.random)
        var visit = try device.dial(Connection(adopting: PlayedNode.play(mesh, saying: frames)))
        let isClosed = try visit.record(until: 5_000, Stopwatch())
        return (visit, isClosed)
    }

    private func put(_ entries: [LogEntry]) -> PlayedNode.Said {
        var body: [UInt8] = []
        Frame.LogPut(entries.map(\.signed)).encode(to: &body)
        return PlayedNode.Said(type: .logPut, body: body)
    }

    @Test("A node that sends heads and how it became a member has said nothing wrong")
    func modest() throws {
        let mesh = try StolenMesh(seed: 4)
        let (visit, isClosed) = try visit(mesh, [PlayedNode.Said(type: .logHeads, body: []), put(mesh.entries)])
        #expect(isClosed)
        #expect(visit.peer.device == mesh.node.id)
        #expect(visit.counts.map(\.frame) == ["70 logHeads", "72 logPut"])
        #expect(visit.mistakes.isEmpty)
    }

    @Test(
        "Any frame that is not of a catch-up link is found",
        arguments: [FrameType.hello, .epochKey, .data, .offer, .bundlePut, .digest, .pairPrekey])
    func talkative(frame: FrameType) throws {
        let mesh = try StolenMesh(seed: 5)
        let (visit, isClosed) = try visit(
            mesh, [PlayedNode.Said(type: .logHeads, body: []), PlayedNode.Said(type: frame, body: [1, 2, 3])])
        #expect(isClosed)
        #expect(visit.mistakes.count == 1)
    }

    @Test("A node that tells who else is a member is found")
    func roster() throws {
        let mesh = try StolenMesh(seed: 6)
        let (visit, _) = try visit(mesh, [put(mesh.entries + [try mesh.enrolAnother()])])
        #expect(visit.mistakes == ["the certificate of bo"])
    }

    @Test("A wrong key or a closed door is said in a sentence")
    func closedDoor() throws {
        let mesh = try StolenMesh(seed: 7)
        let other = try StolenMesh(seed: 8)
        let device = try UnloggedDevice(
            StolenAuthority(directory: other.directory), now: StolenMesh.now, random: mesh.random)
        #expect(throws: UnloggedDevice.Failure.self) {
            try device.dial(Connection(adopting: PlayedNode.play(mesh, saying: [])))
        }
    }

    @Test("Words that say nothing are refused with how to say it")
    func arguments() throws {
        for words in [
            [], ["stranger"], ["stranger", "--to"], ["stranger", "--to", "127.0.0.1"],
            ["stranger", "--to", "1.2.3.4:0"],
            ["stranger", "--to", "1.2.3.256:9"], ["unlogged", "--to", "127.0.0.1:9"], ["thief", "--to", "127.0.0.1:9"],
            ["stranger", "--to", "127.0.0.1:9", "--loud"], ["stranger", "--to", "127.0.0.1:9", "--wait", "0"],
        ] {
            #expect(throws: Arguments.Mistake.self) { try Arguments(words) }
        }
        guard
            case .unlogged(let authority, let target, let isGreedy) = try Arguments([
                "unlogged", "--to", "127.0.0.1:26117", "--authority", "desk", "--greedy",
            ])
        else {
            Issue.record("the words were understood otherwise")
            return
        }
        #expect(authority == "desk")
        #expect(target == SocketAddress(v4: 127, 0, 0, 1, port: 26117))
        #expect(isGreedy)
    }
}
