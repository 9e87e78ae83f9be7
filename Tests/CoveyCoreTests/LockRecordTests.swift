import CoveyCore
import CoveyCrypto
import Testing

@Suite("The record of a device that locked itself")
struct LockRecordTests {
    private let mesh: TestMesh
    private let membership: Membership
    private let target: TestDevice
    private let record: LockRecord
    private let key: UnlockKey

    init() throws {
        var mesh = try TestMesh()
        target = mesh.device()
        let certificate = try mesh.certificate(target, by: mesh.root) { $0.capabilities.insert(.orgOwned) }
        var membership = try mesh.membership()
        try membership.take(mesh.root.append(.certIssue([certificate])))
        let wipe = WipeOrder(
            mode: .lock, order: .random(from: mesh.random), serial: certificate.serial, expires: TestMesh.start)
        (record, key) = LockRecord.make(
            of: wipe, in: .random(from: mesh.random), by: certificate.device, membership, now: TestMesh.start,
            key: target.signing, random: mesh.random)
        self.mesh = mesh
        self.membership = membership
    }

    @Test("It is the device's own, and reads back as it was written")
    func form() throws {
        #expect(try LockRecord(parsing: record.signed.bytes) == record)
        #expect(record.isSigned(by: target.signing.publicKey, in: mesh.mesh))
        #expect(!record.isSigned(by: mesh.roots[0].publicKey, in: mesh.mesh))
        for size in record.signed.bytes.indices.dropLast() {
            #expect(throws: Malformed.self) { try LockRecord(parsing: Array(record.signed.bytes[..<size])) }
        }
    }

    @Test("Two officers of a 2-of-3 root give the key back, by code; one does not, nor a stranger")
    func threshold() throws {
        let typed = mesh.roots.map { root in record.codes(for: [root], in: mesh.mesh) }
        for one in typed { #expect(one.codes.count == 1 && one.needed == 2) }
        func open(_ texts: [String]) throws -> LockRecord.Opening {
            record.open(try texts.map { try #require(UnlockCode($0, of: record)) })
        }
        let texts = typed.map { $0.codes[0].text }
        guard case .missing(2) = record.open([]) else {
            Issue.record("two are missing")
            return
        }
        guard case .missing(1) = try open([texts[1], texts[1]]) else {
            Issue.record("one code twice is one code")
            return
        }
        for pair in [[0, 1], [1, 2], [2, 0]] {
            guard case .key(let found) = try open(pair.map { texts[$0].lowercased().replacing("0", with: "o") }) else {
                Issue.record("two codes open it")
                continue
            }
            #expect(found.isEqual(to: key))
            #expect(record.sealingKey(found).isEqual(to: record.sealingKey(key)))
        }
        #expect(record.codes(for: [SigningPrivateKey(from: mesh.random)], in: mesh.mesh).codes.isEmpty)
        let both = record.codes(for: Array(mesh.roots), in: mesh.mesh)
        #expect(both.codes.count == 2, "no more than it takes")
    }

    @Test("A code is 32 characters in groups of four; a mistyped one is none, nor one for another order")
    func codes() throws {
        let text = record.codes(for: [mesh.roots[0]], in: mesh.mesh).codes[0].text
        #expect(text.split(separator: "-").map(\.count) == [4, 4, 4, 4, 4, 4, 4, 4])
        for (at, character) in text.enumerated() where character != "-" {
            var wrong = Array(text)
            wrong[at] = character == "7" ? "8" : "7"
            #expect(UnlockCode(String(wrong), of: record) == nil)
        }
        #expect(UnlockCode(String(text.dropLast()), of: record) == nil)
        #expect(UnlockCode(text + "0", of: record) == nil)
        #expect(UnlockCode("", of: record) == nil)
        let other = LockRecord.make(
            of: WipeOrder(mode: .lock, order: Octets16(), serial: 1, expires: TestMesh.start), in: record.note,
            by: record.device, membership, now: TestMesh.start, key: target.signing, random: mesh.random)
        #expect(UnlockCode(text, of: other.record) == nil)
    }
}
