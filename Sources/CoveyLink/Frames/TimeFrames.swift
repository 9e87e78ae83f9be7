package import CoveyCore
package import CoveyCrypto

extension Frame {
    /// TIME_REQ (7A): `nonce 16`. Asks a timekeeper for the hour.
    package struct TimeRequest: FrameBody, Equatable {
        package static let type = FrameType.timeRequest
        package let nonce: Octets16

        package init(nonce: Octets16) { self.nonce = nonce }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            nonce = try reader.octets()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) { out.append(nonce) }
    }

    /// TIME_RSP (7B): `time u32 | radius u16 | nonce 16 | signature 64`, times in minutes.
    package struct TimeResponse: FrameBody, Equatable {
        package static let type = FrameType.timeResponse
        package let attestation: TimeAttestation
        package let signature: Signature

        package init(_ attestation: TimeAttestation, signature: Signature) {
            self.attestation = attestation
            self.signature = signature
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            let time = Minute(try reader.u32())
            let radius = try reader.u16()
            attestation = TimeAttestation(time: time, radius: radius, nonce: try reader.octets())
            signature = try reader.octets()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(u32: attestation.time.value)
            out.append(u16: attestation.radius)
            out.append(attestation.nonce)
            out.append(signature)
        }
    }
}
