package import CoveyCrypto

/// What a timekeeper says of the hour on one link, in answer to one challenge (protocol.md §1.5 rule 6).
///
///     signed under F2: handshake hash 32 | time u32 | radius u16 | nonce 16
///
/// The hash ties it to the link, the nonce to the question: no answer can be recorded and told again.
package struct TimeAttestation: Hashable, Sendable {
    package enum Bounds {
        /// Minutes on either side that are still an answer.
        package static let mostRadius: UInt16 = 60
    }

    package let time: Minute
    /// Minutes on either side of `time` in which the real time lies.
    package let radius: UInt16
    package let nonce: Octets16

    package init(time: Minute, radius: UInt16, nonce: Octets16) {
        self.time = time
        self.radius = radius
        self.nonce = nonce
    }

    package func sign(with key: SigningPrivateKey, link: Octets32, mesh: MeshID) -> Signature {
        key.sign(message(link, mesh).span.bytes)
    }

    package func isSigned(
        _ signature: Signature, by key: SigningPublicKey, link: Octets32, mesh: MeshID
    ) -> Bool {
        key.verify(signature, over: message(link, mesh).span.bytes)
    }

    private func message(_ link: Octets32, _ mesh: MeshID) -> [UInt8] {
        var body: [UInt8] = []
        body.append(link)
        body.append(u32: time.value)
        body.append(u16: radius)
        body.append(nonce)
        return Signed.message(body.span.bytes, type: .timeAttestation, mesh: mesh)
    }
}
