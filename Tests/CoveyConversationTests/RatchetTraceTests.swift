import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyConversation

/// The conversations of `double_ratchet.json`, by the roots and chains that there are (protocol.md §4.3).
///
/// Whoever gets a new ratchet key answers with one of its own, so the keys of a conversation stand in one order: Bob's
/// signed prekey, Alice's first, Bob's first, Alice's second, … and each makes a chain by agreeing with the one before.
/// When a side turns, what it keeps of skipped messages, and header keys, are the ratchet's, which is not built yet.
@Suite("Traces of the double ratchet")
struct RatchetTraceTests {
    /// One side's chains, by the ratchet key of who sends on them.
    private struct Side {
        private(set) var chains: [AgreementPublicKey: ChainKey] = [:]

        /// - Parameters:
        ///   - keys: the ratchet keys in their order.
        ///   - isAlice: which of them are this side's own; of the others it sees the public half.
        init(root: SymmetricKey, keys: [AgreementPrivateKey], isAlice: Bool, info: [UInt8]) throws {
            var root = RootKey(root)
            for at in 1..<keys.count {
                let isOwn = at.isMultiple(of: 2) != isAlice
                let (own, theirs) = isOwn ? (keys[at], keys[at - 1]) : (keys[at - 1], keys[at])
                chains[keys[at].publicKey] = root.step(try own.agree(with: theirs.publicKey), info: info).chain
            }
        }

        func messageKey(_ dh: AgreementPublicKey, _ number: Int) throws -> SymmetricKey {
            var chain = try #require(chains[dh], "the header names a ratchet key of the conversation")
            for _ in 0..<number { chain.skip() }
            return chain.next()
        }
    }

    /// What the header of a message says, and its key.
    private struct Sent: Equatable {
        let dh: AgreementPublicKey
        let previousCount: Int
        let number: Int
        let key: String

        init(_ event: JSON) {
            dh = event["dh"].octets()
            previousCount = event["pn"].int
            number = event["n"].int
            key = event["mk"].string
        }
    }

    /// Bob's signed prekey, then both sides' keys in turns.
    private func keys(_ row: JSON) -> [AgreementPrivateKey] {
        let (alice, bob) = (row["a_privs"].items, row["b_privs"].items)
        var keys: [AgreementPrivateKey] = [row["spk_priv"].key()]
        for turn in 0..<max(alice.count, bob.count) {
            if turn < alice.count { keys.append(alice[turn].key()) }
            if turn < bob.count { keys.append(bob[turn].key()) }
        }
        return keys
    }

    @Test("root and chain steps give the message keys of all 691 events, on both sides", .needsShared)
    func traces() throws {
        let rows = try VectorFile.shared("double_ratchet.json").rows()
        #expect(rows.count == 4)
        var counts = (events: 0, sent: 0, received: 0, steps: 0)
        for row in rows {
            // The file was made before the labels had their names; ours differs in nothing else.
            let info = Array(row["root_info"].string.utf8)
            let keys = keys(row)
            let alice = try Side(root: row["sk"].key(), keys: keys, isAlice: true, info: info)
            let bob = try Side(root: row["sk"].key(), keys: keys, isAlice: false, info: info)
            counts.steps += keys.count - 1
            var sent: [Int: Sent] = [:]
            var lengths: [AgreementPublicKey: Int] = [:]
            for event in row["events"].items {
                let message = Sent(event)
                let isAlice = event["who"].string == "A"
                let key = try (isAlice ? alice : bob).messageKey(message.dh, message.number)
                #expect(key.isEqual(to: event["mk"].key()))
                counts.events += 1
                let id = event["id"].int
                guard event["op"].string == "send" else {
                    #expect(sent[id] == message, "what comes in was sent so")
                    counts.received += 1
                    continue
                }
                counts.sent += 1
                let at = try #require(keys.firstIndex { $0.publicKey == message.dh })
                #expect(at.isMultiple(of: 2) != isAlice, "who sends names a key of its own")
                #expect(message.number == lengths[message.dh, default: 0])
                #expect(message.previousCount == (at < 2 ? 0 : lengths[keys[at - 2].publicKey, default: 0]))
                lengths[message.dh, default: 0] += 1
                #expect(sent.updateValue(message, forKey: id) == nil)
            }
        }
        #expect(counts.events == 691)
        print(
            "Double ratchet: \(rows.count) conversations, \(counts.steps) root steps, \(counts.events) message keys:",
            "\(counts.sent) sent, \(counts.received) received")
    }
}
