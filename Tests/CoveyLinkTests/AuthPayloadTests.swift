import CoveyCore
import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyLink

@Suite("AuthPayload")
struct AuthPayloadTests {
    let member: Member

    init() throws { member = try Member(0) }

    @Test("every form of a payload comes back as it was written")
    func roundTrip() throws {
        var payload = member.payload
        payload.features = 0x0102_0304
        payload.buildHash = Octets32.random(from: member.random)
        for chain: AuthPayload.Chain in [
            .full([]), .full([payload.certificate]), .full([payload.certificate, payload.certificate]),
            .byHash(.random(from: member.random)),
        ] {
            for commits in [0, 1, LinkBounds.epochCommits] {
                payload.chain = chain
                payload.epochs = (0..<commits).map { _ in .random(from: member.random) }
                #expect(try AuthPayload(parsing: payload.encode()) == payload)
                #expect(try AuthPayload(padded: try payload.padded(mayBeShort: true)) == payload)
            }
        }
    }

    @Test("a payload cut at any byte is refused")
    func truncated() {
        let bytes = member.payload.encode()
        for size in bytes.indices {
            #expect(throws: Malformed.self) { try AuthPayload(parsing: Array(bytes[..<size])) }
        }
        #expect(throws: Malformed.self) { try AuthPayload(parsing: bytes + [0]) }
    }

    @Test("a chain both in full and by hash, or a clock neither trusted nor not, is refused")
    func contradictions() throws {
        var writer = CanonicalWriter(.authPayload)
        writer.field(0x01, bytes: member.payload.certificate.bytes)
        writer.field(0x02, list: [member.payload.certificate.bytes])
        writer.field(0x03, Octets32())
        writer.field(0x04, Octets32())
        writer.field(0x05, Octets24())
        writer.field(0x07, u32: 0)
        writer.field(0x08, bytes: [0, 0, 0, 0, 1])
        writer.field(0x09, Octets8())
        #expect(throws: Malformed.value(0x03)) { try AuthPayload(parsing: writer.bytes) }
        var bytes = member.payload.encode()
        // The last field is the salt, 11 bytes; the byte before it is the truth value.
        bytes[bytes.count - 12] = 2
        #expect(throws: Malformed.value(0x08)) { try AuthPayload(parsing: bytes) }
    }

    @Test("padding that is not zero, or a length beyond it, is refused")
    func padding() throws {
        let good = try member.payload.padded(mayBeShort: false)
        #expect(good.count == LinkBounds.fullPayload)
        var bytes = good
        bytes[bytes.count - 1] = 1
        #expect(throws: LinkFault.payload(.trailing)) { try AuthPayload(padded: bytes) }
        bytes = good
        bytes[0] = 0xFF
        #expect(throws: LinkFault.payload(.truncated)) { try AuthPayload(padded: bytes) }
        #expect(throws: LinkFault.payload(.truncated)) { try AuthPayload(padded: [0]) }
    }

    @Test("a chain that does not fit goes by hash; a certificate that does not fit is ours to mend")
    func fitting() throws {
        var payload = member.payload
        let key = SigningPrivateKey(from: member.random)
        let large = Signed(
            [UInt8](repeating: 7, count: 700), type: .object(.authorityCertificate), mesh: member.context.mesh,
            keys: [key])
        payload.chain = .full([large, large])
        let read = try AuthPayload(padded: try payload.padded(mayBeShort: false))
        #expect(
            read.chain == .byHash(AuthPayload.chainHash(device: payload.certificate, authorities: [large, large])))
        payload.certificate = Signed(
            [UInt8](repeating: 7, count: 1500), type: .object(.deviceCertificate), mesh: member.context.mesh,
            keys: [key])
        #expect(throws: LinkFault.payloadTooLarge) { try payload.padded(mayBeShort: false) }
    }

    @Test("random bytes make no payload and no trap")
    func garbage() {
        let random = SeededRandom(seed: 11)
        let good = member.payload.encode()
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...random.uniform(0...3) {
                bytes[random.uniform(0...bytes.count - 1)] = UInt8(random.uniform(256))
            }
            if let read = try? AuthPayload(parsing: bytes) {
                #expect((try? AuthPayload(parsing: read.encode())) == read)
            }
            _ = try? AuthPayload(padded: random.bytes(random.uniform(0...1600)))
        }
    }
}
