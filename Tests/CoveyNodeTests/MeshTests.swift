import CoveyCore
import CoveyCrypto
import CoveyNode
import Testing

@Suite("A few nodes")
struct MeshTests {
    @Test("Two devices on one network find each other and a message arrives, once")
    func pair() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 10) { ana.delivered.isEmpty && mesh.isLinked(ana, bo) })
        mesh.send("The bridge at Nordby is out.", from: ana, to: bo)
        #expect(try mesh.run(seconds: 10) { !bo.delivered.isEmpty })
        try mesh.run(seconds: 60)
        #expect(bo.delivered.map(\.text) == ["The bridge at Nordby is out."])
        #expect(bo.delivered.first?.label == "ana")
        #expect(ana.delivered.isEmpty)
        #expect(try mesh.peers(of: ana).count == 1)
    }

    @Test("Whoever learns on a link that the peer is a member goes on with that link")
    func caughtUp() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana")
        let bo = try mesh.enrol("bo")
        try mesh.begin(ana, multicast: .off)
        try mesh.begin(bo, peers: [ana], multicast: .off)
        #expect(try mesh.run(seconds: 5) { mesh.isLinked(ana, bo) })
        try mesh.run(seconds: 5)
        #expect(ana.linkEnds.isEmpty)
        #expect(bo.linkEnds.isEmpty)
    }

    @Test("A third device carries a message to one that was away when it was written")
    func ferry() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let ferry = try mesh.add("ferry")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, ferry) })
        mesh.partition([[ana, ferry], [bo]])
        mesh.send("Fuel at the north quay.", from: ana, to: bo)
        try mesh.run(seconds: 60)
        #expect(bo.delivered.isEmpty)
        mesh.partition([[ana], [ferry, bo]])
        #expect(try mesh.run(seconds: 120) { !bo.delivered.isEmpty })
        #expect(bo.delivered.map(\.text) == ["Fuel at the north quay."])
        #expect(ferry.delivered.isEmpty)
    }

    @Test("A message to a device whose keys are not here yet waits, and leaves when they come")
    func waiting() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let other = try mesh.enrol("other")
        let bo = try mesh.add("bo")
        // Ana was enrolled before both: she learns of the other one from bo's log, but not its keys.
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        mesh.partition([[ana], [bo], [other]])
        try mesh.begin(other)
        mesh.send("Are you there?", from: ana, to: other)
        try mesh.run(seconds: 30)
        guard case .sent(_, let state)? = ana.replies.last else {
            Issue.record("the message was not taken: \(String(describing: ana.replies.last))")
            return
        }
        #expect(state == .waitingForKeys)
        mesh.partition(nil)
        #expect(try mesh.run(seconds: 180) { !other.delivered.isEmpty })
        #expect(other.delivered.map(\.text) == ["Are you there?"])
    }

    @Test("What was acknowledged is there after a crash, and a delivered message is not delivered again")
    func crash() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        #expect(try mesh.run(seconds: 20) { mesh.isLinked(ana, bo) })
        mesh.send("One.", from: ana, to: bo)
        #expect(try mesh.run(seconds: 10) { bo.delivered.count == 1 })
        mesh.stop(bo)
        try mesh.begin(bo)
        #expect(try mesh.run(seconds: 60) { mesh.isLinked(ana, bo) })
        mesh.send("Two.", from: ana, to: bo)
        #expect(try mesh.run(seconds: 20) { bo.delivered.count == 2 })
        try mesh.run(seconds: 60)
        #expect(bo.delivered.map(\.text) == ["One.", "Two."])
        mesh.command(.inbox(after: 0, limit: 10), at: bo)
        try mesh.run(seconds: 0)
        guard case .inbox(let messages)? = bo.replies.last else {
            Issue.record("no inbox")
            return
        }
        #expect(messages.map(\.text) == ["One.", "Two."])
    }

    @Test("35: a revoked device loses its links, and its mail is no longer taken; the others go on under a new epoch")
    func revocation() throws {
        let mesh = try TestMesh()
        let ana = try mesh.add("ana")
        let bo = try mesh.add("bo")
        let ferry = try mesh.add("ferry")
        #expect(try mesh.run(seconds: 20) { mesh.areLinked(ana, bo, ferry) })
        try mesh.revoke(bo, reason: .lost, at: ana)
        #expect(try mesh.run(seconds: 20) { !mesh.isLinked(ana, bo) && !mesh.isLinked(ferry, bo) })
        try mesh.run(seconds: 300)
        #expect(!mesh.isLinked(ana, bo) && !mesh.isLinked(ferry, bo))
        #expect(mesh.isLinked(ana, ferry))
        #expect(ana.linkEnds.contains(.revoked))
        #expect(try mesh.status(of: ferry)?.epoch == 2)
        #expect(try mesh.status(of: ferry)?.isHolding == false)
        mesh.send("Who hears me?", from: ana, to: bo)
        try mesh.run(seconds: 5)
        guard case .refused(.policy(let why))? = ana.replies.last else {
            Issue.record("a message to a revoked device was taken")
            return
        }
        #expect(why == "that device is revoked (lost)")
    }

    @Test("Who writes to a device whose certificate is over, or has one itself, is told since when")
    func expired() throws {
        let mesh = try TestMesh()
        let ana = try mesh.enrol("ana", days: 30)
        let bo = try mesh.enrol("bo", days: 400)
        mesh.skip(seconds: 34 * 86_400)
        try mesh.announceEpoch()
        var refusals: [String] = []
        for (host, other) in [(ana, bo), (bo, ana)] {
            try mesh.begin(host)
            mesh.command(.logSubmit(mesh.entries.map(\.signed.bytes), epochKeys: []), at: host)
            mesh.send("Are you there?", from: host, to: other)
            try mesh.run(seconds: 5)
            if case .refused(.policy(let why))? = host.replies.last { refusals.append(why) }
        }
        #expect(
            refusals == [
                "this device has a certificate that ended 4 days ago",
                "that device has a certificate that ended 4 days ago",
            ])
    }
}
