import CoveyCore
import CoveyCrypto
import Testing

/// Everything that arrives as a file or datagram, damaged at random: refused or read, never a trap.
@Suite("Damaged bytes")
struct DamagedBytesTests {
    /// Some bytes changed, cut out, repeated or cut off.
    static func damaged(_ bytes: [UInt8], _ random: SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.uniform(1...4) where !bytes.isEmpty {
            let at = random.uniform(0...bytes.count - 1)
            let end = min(bytes.count, at + random.uniform(1...16))
            switch random.uniform(0...5) {
            case 0: bytes[at] = UInt8(random.uniform(0...255))
            case 1: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.uniform(0...4)]
            case 2: bytes.removeSubrange(at..<end)
            case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 4: bytes.removeSubrange(at...)
            default: bytes.replaceSubrange(at..<end, with: random.bytes(end - at))
            }
        }
        return bytes
    }

    @Test("no file, beacon or row traps, whatever happened to its bytes")
    func noTraps() throws {
        let random = SeededRandom(seed: 1, stream: "damage")
        let story = try WelcomeStory(seed: 9)
        let pending = story.enrolment.pending
        let welcome = try story.welcome().sealed(for: story.request, random: random)
        let log = CoveyFile.log(story.entries.map(\.signed), mesh: story.enrolment.founding.mesh)
        let row = try PurgeRowTests.rows()[0].row
        let beacon = try LANBeaconTests.golden().datagram
        let keys = EpochKeys(story.epochKey)
        var read = 0
        for _ in 0..<3_000 {
            let invitation = Self.damaged(pending.invitation.bytes, random)
            if (try? Invitation(parsing: invitation)) != nil { read += 1 }
            let request = Self.damaged(pending.request.signed.bytes, random)
            if let request = try? EnrolmentRequest(parsing: request) {
                read += 1
                #expect(
                    request.signed == pending.request.signed || story.enrolment.refusal(request) != nil)
            }
            let open = Self.damaged(story.enrolment.open.bytes, random)
            if (try? OpenInvitation(parsing: open.span.bytes)) != nil { read += 1 }
            let waiting = Self.damaged(pending.bytes, random)
            if (try? PendingEnrolment(parsing: waiting.span.bytes)) != nil { read += 1 }
            let authority = Self.damaged(story.enrolment.founding.root.bytes, random)
            if (try? AuthorityKeys(parsing: authority.span.bytes)) != nil { read += 1 }
            let file = Self.damaged(log.bytes, random)
            if let file = try? CoveyFile(parsing: file), (try? file.log(of: file.mesh)) != nil { read += 1 }
            let purge = Self.damaged(row, random)
            if (try? PurgeRow(parsing: purge.span.bytes)) != nil { read += 1 }
            let damaged = Self.damaged(welcome, random)
            if damaged != welcome { #expect(WelcomeStory.refusal(damaged, pending) != nil) }
            let heard = Self.damaged(beacon, random)
            #expect(throws: BeaconRefusal.self) {
                try UnverifiedBeacon(opening: heard.span.bytes, key: keys.beacon)
            }
        }
        // Labels, times and secrets may be anything: some damage is not to be seen.
        #expect(read > 100)
    }

    @Test("what a holder of the keys seals, damaged before the seal, is refused or read, and never a trap")
    func insiders() throws {
        let random = SeededRandom(seed: 2, stream: "damage")
        let story = try WelcomeStory(seed: 10)
        var whole: [UInt8] = []
        whole.append(u32: UInt32(story.enrolment.founding.genesis.signed.bytes.count))
        whole += story.enrolment.founding.genesis.signed.bytes
        whole.append(u32: 4)
        for entry in story.entries {
            whole.append(u32: UInt32(entry.signed.bytes.count))
            whole += entry.signed.bytes
        }
        whole += [UInt8](repeating: 0, count: 12)
        #expect(WelcomeStory.refusal(try WelcomeTests.sealed(whole, story), story.enrolment.pending) == nil)
        for _ in 0..<500 {
            let sealed = try WelcomeTests.sealed(Self.damaged(whole, random), story)
            guard let welcome = try? Welcome(opening: sealed, of: story.enrolment.pending) else { continue }
            guard let membership = try? welcome.membership(of: story.enrolment.pending) else { continue }
            #expect(membership.mesh == story.enrolment.founding.mesh)
        }
        let golden = try LANBeaconTests.golden()
        for _ in 0..<500 {
            var head = golden.head
            for _ in 0..<random.uniform(1...4) {
                head[random.uniform(0...115)] = UInt8(random.uniform(0...255))
            }
            let datagram = LANBeaconTests.sealed(head, like: (golden.keys, golden.mesh, golden.signer))
            guard let opened = try? UnverifiedBeacon(opening: datagram.span.bytes, key: golden.keys.beacon) else {
                continue
            }
            let beacon = try #require(opened.verified(by: golden.signer.publicKey, mesh: golden.mesh)).beacon
            #expect(beacon.addresses.count <= LANBeacon.mostAddresses)
        }
    }
}
