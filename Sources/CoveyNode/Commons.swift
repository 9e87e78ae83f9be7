package import CoveyConversation
package import CoveyCore
package import CoveyCrypto
package import CoveyLink

/// What nodes of one process hold in common: bytes, and what follows from bytes and keys alone.
///
/// A daemon has none. A simulated world has thousands of nodes that get the same envelopes, entries and bundles; the second
/// to get them keeps no copy of its own and, while `reusesChecks`, hashes and verifies nothing again. No decision is
/// here that rests on a node's own state or on time: those stay with each node.
package protocol Commons: AnyObject {
    /// Off: every node checks everything itself, and only memory is shared.
    var reusesChecks: Bool { get }

    /// The envelope held under this id, if these are its bytes: its id was reckoned from them once.
    func envelope(_ id: EnvelopeID, of bytes: RawSpan) -> Envelope?
    /// The one to go on with: an equal one that was kept before, else this.
    func keep(_ envelope: Envelope) -> Envelope

    /// The roster that this history leads to.
    func page(after history: RosterHistory) -> RosterPage?
    func keep(_ page: RosterPage)
    /// It was come to by a step that somebody had taken before.
    func reuse(_ page: RosterPage)

    func bundle(_ hash: BundleHash) -> VerifiedBundle?
    func keep(_ bundle: VerifiedBundle)
    /// The set of bundles with this content.
    func page(of content: BundleContent) -> BundlePage?
    func keep(_ page: BundlePage)

    /// What this datagram was found to be.
    func beacon(_ datagram: [UInt8]) -> CommonBeacon?
    func keep(_ beacon: CommonBeacon, of datagram: [UInt8])

    /// What these very bytes of a link were before they were sealed, once; nil for equal bytes in another place.
    func takeBurst(of bytes: [UInt8]) -> OpenBurst?
    func keep(_ burst: OpenBurst, of bytes: [UInt8])

    /// The keys of two devices, which both can compute, as `own` sees them.
    func pair(of own: DeviceID, with peer: DeviceID) -> PairKeys?
    func keep(_ pair: PairKeys, of own: DeviceID, with peer: DeviceID)

    /// Whom an envelope is for. Whoever seals one says so; nobody else can make a tag that its recipient recognises.
    func sealed(_ header: EnvelopeHeader, from sender: DeviceID, to recipient: DeviceID)
    func parties(of tag: RecipientTag) -> (sender: DeviceID, recipient: DeviceID)?
}

/// A datagram that was opened and verified once: by which epoch's key, and whose.
package struct CommonBeacon: Sendable {
    package let verified: VerifiedBeacon
    package let epoch: EpochCommit
    package let signer: SigningPublicKey
}
