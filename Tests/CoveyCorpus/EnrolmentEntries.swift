import CoveyCore
import CoveyCrypto
import CoveyNode

/// What goes from hand to hand when a device is enrolled.
struct EnrolmentEntries {
    private let mesh = SmallMesh()

    /// A request as an authority gets it.
    func request(_ input: [UInt8]) {
        guard let request = try? EnrolmentRequest(parsing: input) else { return }
        precondition(request.signed.bytes == input, "a request has one form")
        precondition(request.shortString.utf8.count == 29)
        guard let verified = try? mesh.open.verify(request, now: SmallMesh.minute) else { return }
        precondition(verified.request.signed.body == mesh.joining.request.signed.body, "only the invited can ask")
    }

    /// What somebody who knows the invitation's secret seals: the input is the plaintext.
    func welcome(_ input: [UInt8]) {
        guard input.count < 1 << 16 else { return }
        let pending = mesh.joining
        _ = try? Welcome(opening: input, of: pending)
        let head: [UInt8] = [0x63, 0x31, 0x0A, 1]
        let psk = HPKE.PreSharedKey(
            key: pending.invitation.secret.key, id: SHA256.hash(pending.request.signed.bytes.span.bytes).array)
        guard
            let sealed = try? HPKE.seal(
                input.span.bytes, ad: head.span.bytes, to: pending.request.welcomeKey,
                info: pending.request.hash.array, psk: psk, random: SeededRandom(seed: 1))
        else { preconditionFailure("a key of our own can be sealed to") }
        guard let welcome = try? Welcome(opening: head + sealed.encapsulated.array + sealed.ciphertext, of: pending)
        else { return }
        guard let membership = try? welcome.membership(of: pending) else { return }
        precondition(membership.mesh == mesh.mesh)
        let store = MemoryStore()
        do {
            try Installation.write(welcome, to: store)
            _ = try Node(
                configuration: NodeConfiguration(genesis: welcome.genesis, identity: pending.identity), store: store,
                random: SeededRandom(seed: 1), kem: HollowKEM(), now: Now(uptime: 0, wall: SmallMesh.start))
        } catch {
            preconditionFailure("a node starts from the welcome it took: \(error)")
        }
    }
}
