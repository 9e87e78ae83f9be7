import CoveyCore
import CoveyCrypto

/// A proof of membership, as somebody gets it who holds the genesis alone.
struct ProofEntry {
    private let genesis: Genesis
    /// What one checkpoint proves of the two devices.
    private let proofs: [MembershipProof]

    init() {
        let mesh = SmallMesh()
        genesis = mesh.founding.genesis
        var membership = mesh.membership
        do {
            let checkpoint = try mesh.authority.checkpoint(into: &membership, now: SmallMesh.minute)
            let audit = LogAudit(
                of: genesis, (mesh.founding.entries + mesh.entries + [checkpoint]).map(\.signed), now: SmallMesh.minute)
            proofs = try [mesh.here, mesh.there].map { try audit.proof(of: $0.identity.id) }
        } catch {
            preconditionFailure("what an authority signed now is proven: \(error)")
        }
    }

    func run(_ input: [UInt8]) {
        guard let proof = try? MembershipProof(parsing: input, mesh: genesis.meshID) else { return }
        precondition(proof.bytes == input, "a proof has one form")
        guard let member = try? proof.verified(by: genesis, now: SmallMesh.minute) else { return }
        let known = proofs.first { $0.certificate.device == member.device }
        precondition(known?.certificate == proof.certificate, "nobody but the members is proven to be one")
    }
}
