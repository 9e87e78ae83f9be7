import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

/// One signed golden object, with what makes it count.
private struct GoldenObject {
    let name: String
    let bytes: [UInt8]
    /// Whether the bytes parse and carry the signatures the object needs.
    let isValid: ([UInt8]) -> Bool

    static func all(_ golden: GoldenMesh) throws -> [GoldenObject] {
        let json = golden.json
        let (mesh, root) = (golden.mesh, golden.genesis.root)
        func accepted<Object>(_ bytes: [UInt8], _ parse: (Signed) throws -> Object, _ check: (Object) -> Bool) -> Bool {
            guard let signed = try? Signed(parsing: bytes), let object = try? parse(signed) else { return false }
            return check(object)
        }
        var objects = [
            GoldenObject(name: "genesis", bytes: json["genesis"]["signed"].bytes) { bytes in
                accepted(bytes, Genesis.init(parsing:)) { $0.meshID == mesh && $0.verify() }
            }
        ]
        for index in 0..<2 {
            objects.append(
                GoldenObject(name: "certificate", bytes: golden.device(index)["cert_signed_2of3"].bytes) { bytes in
                    accepted(bytes, { try DeviceCertificate(parsing: $0, mesh: mesh) }) {
                        root.approves($0.signed, as: .deviceCertificate, in: mesh)
                    }
                })
        }
        for entry in [json["log_first"], json["log_entry"], json["epoch"]["announce"]] {
            objects.append(
                GoldenObject(name: "entry", bytes: entry["signed"].bytes) { bytes in
                    accepted(bytes, { try LogEntry(parsing: $0, mesh: mesh) }) {
                        root.approves($0.signed, as: .logEntry, in: mesh)
                    }
                })
        }
        // Each note by the signers of its form; the membership knows alice, bob and the root.
        var membership = Membership(genesis: golden.genesis)
        try membership.take(golden.entry(json["log_first"]), golden.entry(json["log_entry"]))
        let known = membership
        for note in json["notes"].items {
            objects.append(
                GoldenObject(name: "note", bytes: note["signed"].bytes) { bytes in
                    var copy = known
                    guard let signed = try? Signed(parsing: bytes),
                        case .accepted = try? copy.accept(note: signed)
                    else { return false }
                    return true
                })
        }
        return objects
    }
}

/// protocol.md §7.2, items 13 to 23.
@Suite("Objects of the membership log are read strictly")
struct MembershipEncodingTests {
    @Test("Cut at any offset, a golden object is refused")
    func truncation() throws {
        for object in try GoldenObject.all(GoldenMesh()) {
            #expect(object.isValid(object.bytes), "\(object.name)")
            for length in 0..<object.bytes.count where object.isValid(Array(object.bytes[..<length])) {
                Issue.record("\(object.name) of \(length) bytes is accepted")
            }
        }
    }

    @Test("With any single bit flipped, a golden object is refused")
    func bitFlips() throws {
        for object in try GoldenObject.all(GoldenMesh()) {
            var bytes = object.bytes
            for index in bytes.indices {
                for bit in 0..<8 {
                    bytes[index] ^= 1 << bit
                    if object.isValid(bytes) { Issue.record("\(object.name): bit \(bit) of byte \(index)") }
                    bytes[index] ^= 1 << bit
                }
            }
        }
    }

    // MARK: Fields

    /// The fields of a golden body, to be rewritten.
    private func fields(of body: [UInt8]) -> [(tag: UInt8, value: [UInt8])] {
        var fields: [(tag: UInt8, value: [UInt8])] = []
        var at = 4
        while at < body.count {
            let size = Int(body[at + 1]) << 8 | Int(body[at + 2])
            fields.append((body[at], Array(body[at + 3..<at + 3 + size])))
            at += 3 + size
        }
        return fields
    }

    private func body(_ head: [UInt8], _ fields: [(tag: UInt8, value: [UInt8])]) -> [UInt8] {
        fields.reduce(into: head) { bytes, field in
            bytes.append(field.tag)
            bytes.append(u16: UInt16(field.value.count))
            bytes += field.value
        }
    }

    /// Signs altered fields with the root's keys, so that only the content can be at fault.
    private func refusal(
        _ golden: GoldenMesh, change: (inout [(tag: UInt8, value: [UInt8])]) -> Void
    ) -> Malformed? {
        let original = golden.device(1)["cert_body"].bytes
        var fields = fields(of: original)
        change(&fields)
        let signed = Signed(
            body(Array(original[..<4]), fields), type: .object(.deviceCertificate), mesh: golden.mesh,
            keys: golden.roots)
        do {
            _ = try DeviceCertificate(parsing: signed, mesh: golden.mesh)
            return nil
        } catch { return error }
    }

    @Test("A certificate with wrong content is refused although the root signed it")
    func certificate() throws {
        let golden = try GoldenMesh()
        #expect(refusal(golden) { _ in } == nil)
        #expect(refusal(golden) { $0.append((0x7F, [1])) } == .unknownCritical(0x7F))
        #expect(refusal(golden) { $0.append((0x80, [1])) } == nil)
        #expect(refusal(golden) { $0.swapAt(0, 1) } == .tagOrder)
        #expect(refusal(golden) { $0.insert($0[0], at: 0) } == .tagOrder)
        #expect(refusal(golden) { $0.remove(at: 3) } == .missing(0x04))
        for index in 0..<10 {
            let tag = UInt8(index + 1)
            #expect(refusal(golden) { $0[index].value.removeLast() } == .width(tag))
            #expect(refusal(golden) { $0[index].value.append(0) } == .width(tag))
            #expect(refusal(golden) { $0[index].value = [] } == .width(tag))
        }
        #expect(refusal(golden) { $0[9].value = [0, 0, 0x40, 1] } == .value(0x0A))
        #expect(refusal(golden) { $0[10].value = [255] } == .value(0x0B))
        #expect(refusal(golden) { $0[10].value = [UInt8](repeating: 1, count: 17) } == .width(0x0B))
        #expect(refusal(golden) { $0[10].value = [] } == nil)
        #expect(refusal(golden) { $0[11].value = [] } == nil)
        #expect(refusal(golden) { $0[11].value = Array("e\u{301}".utf8) } == .text(0x0C))
        #expect(refusal(golden) { $0[11].value = Array("a\tb".utf8) } == .text(0x0C))
        #expect(refusal(golden) { $0[11].value = [0xFF] } == .text(0x0C))
        #expect(refusal(golden) { $0[11].value = [UInt8](repeating: 97, count: 33) } == .width(0x0C))
        #expect(refusal(golden) { $0[8].value = $0[7].value } == .value(0x09))
        #expect(refusal(golden) { $0.append((0x0D, [1])) } == .width(0x0D))
        #expect(refusal(golden) { $0.append((0x90, [UInt8](repeating: 0, count: 900))) } == .oversized)
    }

    @Test("A length beyond the object, or 65535 in a short one, is refused")
    func lengths() throws {
        let golden = try GoldenMesh()
        let original = golden.device(0)["cert_body"].bytes
        for size in [9, 0xFFFF] as [UInt16] {
            var bytes = Array(original[..<4])
            bytes.append(0x01)
            bytes.append(u16: size)
            bytes += [UInt8](repeating: 0, count: 8)
            let signed = Signed(bytes, type: .object(.deviceCertificate), mesh: golden.mesh, keys: golden.roots)
            #expect(throws: Malformed.truncated) { try DeviceCertificate(parsing: signed, mesh: golden.mesh) }
        }
        #expect(throws: Malformed.truncated) { try Signed(parsing: [0xFF, 0xFF, 1, 2, 3]) }
        #expect(throws: Malformed.signatures) { try Signed(parsing: [0, 1, 9, 0]) }
    }

    @Test("Keysets: other algorithms, repeated keys, half keys, none, eight, and impossible thresholds are refused")
    func keysets() throws {
        let keys = (0..<8).map { [UInt8(1)] + [UInt8](repeating: $0, count: 32) }
        func refusal(_ bytes: [[UInt8]], _ threshold: UInt8) -> Malformed? {
            do {
                _ = try Keyset(parsing: bytes.joined().map { $0 }[...], threshold: threshold, tags: (3, 4))
                return nil
            } catch { return error }
        }
        #expect(refusal(Array(keys[..<7]), 7) == nil)
        #expect(refusal(keys, 2) == .width(3))
        #expect(refusal([], 1) == .width(3))
        #expect(refusal([keys[0], [1, 2]], 1) == .width(3))
        #expect(refusal([keys[0], keys[0]], 1) == .value(3))
        #expect(refusal([[2] + keys[0][1...]], 1) == .value(3))
        #expect(refusal([keys[0]], 0) == .value(4))
        #expect(refusal([keys[0]], 2) == .value(4))
    }

    /// An entry of the root with this payload, byte for byte.
    private func refusal(_ golden: GoldenMesh, _ kind: LogPayload.Kind, _ payload: [UInt8]) -> Malformed? {
        var writer = CanonicalWriter(.logEntry)
        writer.field(0x01, golden.genesis.rootID)
        writer.field(0x02, u64: 1)
        writer.field(0x03, LogEntry.anchor(of: golden.mesh))
        writer.field(0x04, u32: 1)
        writer.field(0x05, u8: kind.rawValue)
        writer.field(0x06, bytes: payload)
        let signed = Signed(writer.bytes, type: .object(.logEntry), mesh: golden.mesh, keys: golden.roots)
        do {
            _ = try LogEntry(parsing: signed, mesh: golden.mesh)
            return nil
        } catch { return error }
    }

    @Test("A payload with a wrong list, a wrong order or a foreign field is refused")
    func payloads() throws {
        let golden = try GoldenMesh()
        func payload(_ fields: (tag: UInt8, value: [UInt8])...) -> [UInt8] { body([], fields) }
        let certificate = golden.device(0)["cert_signed_2of3"].bytes
        func item(_ bytes: [UInt8]) -> [UInt8] {
            var list: [UInt8] = []
            list.append(u16: UInt16(bytes.count))
            return list + bytes
        }
        #expect(refusal(golden, .certIssue, payload((1, item(certificate)))) == nil)
        #expect(refusal(golden, .certIssue, payload((1, []))) == .width(1))
        #expect(refusal(golden, .certIssue, []) == .width(6))
        #expect(refusal(golden, .certIssue, payload((1, item(certificate) + [0]))) == .width(1))
        #expect(refusal(golden, .certIssue, payload((1, item(certificate.dropLast())))) == .truncated)
        #expect(refusal(golden, .certIssue, payload((1, item(certificate + [0])))) == .trailing)
        #expect(refusal(golden, .certIssue, payload((1, item(certificate)), (2, [1]))) == .unknownCritical(2))
        #expect(
            refusal(golden, .certIssue, payload((1, (0..<33).flatMap { _ in item([1, 2, 3]) }))) == .width(1))
        #expect(refusal(golden, .policySet, payload((1, [0, 0, 0, 1]), (2, [0, 4, 0, 0, 0, 1, 0]))) == .width(2))
        let unordered: [UInt8] = [0, 4, 0, 0, 0, 1, 0, 3, 0, 0, 0, 1]
        #expect(refusal(golden, .policySet, payload((1, [0, 0, 0, 1]), (2, unordered))) == .value(2))
        #expect(refusal(golden, .certRevoke, payload((1, [UInt8](repeating: 3, count: 33)))) == .value(1))
        let row = CoveredRow.encode([CoveredRow(log: golden.genesis.rootID, sequence: 1, id: EntryID())])
        func announce(_ rows: [UInt8]) -> [UInt8] {
            payload(
                (1, [0, 0, 0, 1]), (2, [UInt8](repeating: 0, count: 32)), (3, rows), (5, [0, 0, 0, 1]), (6, [0, 30]))
        }
        #expect(refusal(golden, .epochAnnounce, announce(row)) == nil)
        #expect(refusal(golden, .epochAnnounce, announce([])) == .width(3))
        #expect(refusal(golden, .epochAnnounce, announce(row + row)) == .value(3))
        #expect(refusal(golden, .epochAnnounce, announce(row.dropLast())) == .width(3))
    }

    @Test("An object above its bound is refused: certificate 1024, entry 16384, others 4096 bytes")
    func sizes() throws {
        let golden = try GoldenMesh()
        #expect(refusal(golden, .certIssue, [UInt8](repeating: 0, count: 16400)) == .oversized)
        var note = golden.json["notes"][0]["body"].bytes
        note += [0x80, 0x10, 0x00] + [UInt8](repeating: 0, count: 4096)
        let signed = Signed(note, type: .object(.revokeNote), mesh: golden.mesh, keys: [golden.roots[0]])
        #expect(throws: Malformed.oversized) { try RevokeNote(parsing: signed) }
    }

    @Test("A note with an unknown reason or an unknown wipe mode is refused")
    func notes() throws {
        let golden = try GoldenMesh()
        let original = golden.json["notes"][2]["body"].bytes
        for (index, value, malformed) in [
            (1, [UInt8(6)], Malformed.value(2)), (1, [0], .value(2)),
            (6, [3] + [UInt8](repeating: 0, count: 28), .value(7)),
            (6, [UInt8](repeating: 1, count: 28), .width(7)), (6, [], .width(7)),
        ] {
            var fields = fields(of: original)
            fields[index].value = value
            let signed = Signed(
                body(Array(original[..<4]), fields), type: .object(.revokeNote), mesh: golden.mesh, keys: golden.roots)
            #expect(throws: malformed) { try RevokeNote(parsing: signed) }
        }
    }

    @Test("A Suspend lasts seven days at most")
    func suspends() throws {
        let golden = try GoldenMesh()
        func suspend(minutes: UInt32) throws -> Suspend {
            var writer = CanonicalWriter(.suspend)
            writer.field(0x01, DeviceID())
            writer.field(0x02, u32: 1000)
            writer.field(0x03, u32: 1000 + minutes)
            writer.field(0x04, u8: 2)
            return try Suspend(
                parsing: Signed(
                    writer.bytes, type: .object(.suspend), mesh: golden.mesh, keys: [golden.signing(0)]))
        }
        #expect(try suspend(minutes: 7 * 1440).until == Minute(1000 + 7 * 1440))
        #expect(throws: Malformed.value(0x03)) { try suspend(minutes: 7 * 1440 + 1) }
        #expect(throws: Malformed.value(0x03)) { try suspend(minutes: 0) }
    }
}
