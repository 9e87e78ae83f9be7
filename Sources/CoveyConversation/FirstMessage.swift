package import CoveyCore
package import CoveyCrypto

/// A message that opens a session of its own (protocol.md §4.2).
///
/// Until sessions are kept, every message is one: its own key agreement, generation 1, number 0 of its chain. The
/// generations, tie rules and answers of protocol.md §4.4 come with the ratchet's state; what is sealed here is
/// already the form they read.
package enum FirstMessage {
    static let generation: UInt32 = 1

    package struct Sealed: Sendable {
        package let envelope: Envelope
        /// With it the sender may take the envelope back.
        package let purge: PurgeSecret
    }

    /// Seals to the smallest bucket that holds the message.
    ///
    /// Draws the purge secret from `random`, then what `Initiation` does. `now` is `mail_now`.
    package static func seal(
        _ plaintext: Plaintext, from own: OwnDevice, to peer: PeerDevice, bundle: VerifiedBundle, posting: Posting,
        now: Minute, random: any RandomSource, kem: some KEM
    ) throws(SealFailure) -> Sealed {
        let most = Initiation.mostPayload - plaintext.overhead
        guard plaintext.bodySize <= most else { throw .tooLong(bytes: plaintext.bodySize, most: most) }
        guard now < bundle.bundle.expires else { throw .bundleExpired }
        let purge = PurgeSecret.random(from: random)
        var initiation: Initiation
        do {
            initiation = try Initiation(
                from: own, to: peer, bundle: bundle, generation: generation, random: random, kem: kem)
        } catch {
            throw .badBundle(error)
        }
        var payload = plaintext.encoded(purge: purge)
        defer { payload.wipe() }
        let envelope = try initiation.seal(payload, posting: posting, purge: purge, now: now, random: random)
        return Sealed(envelope: envelope, purge: purge)
    }

    /// What the node does with an opened message, all of it or nothing, in one turn: remember `ephemeral` in the replay
    /// cache, keep `plaintext`.
    package struct Opened: Sendable {
        package let plaintext: Plaintext
        package let session: SessionID
        package let ephemeral: ReplayCache.Entry
        /// For the vaccine; nil when the sender's is not what the envelope commits to.
        package let purge: PurgeSecret?
    }

    /// Opens an envelope whose tag is one of `sender`'s pair keys. Changes nothing.
    ///
    /// The order is that of protocol.md §4.2: pair header, ids, replay, agreement, ratchet header, body.
    package static func open(
        _ envelope: Envelope, from sender: PeerDevice, as own: OwnDevice, prekeys: Prekeys,
        replays: ReplayCache, kem: some KEM
    ) throws(FirstMessageRefusal) -> Opened {
        var (payload, session, ephemeral) = try openPayload(
            envelope, from: sender, as: own, prekeys: prekeys, replays: replays, kem: kem)
        defer { payload.wipe() }
        do {
            let (plaintext, purge) = try Plaintext.parse(payload)
            let isRight = purge.map { PurgeCommit(to: $0) == envelope.header.purgeCommit } ?? false
            return Opened(
                plaintext: plaintext, session: session, ephemeral: ephemeral, purge: isRight ? purge : nil)
        } catch {
            throw .plaintext(error)
        }
    }

    /// The bytes that were sealed, whatever they say.
    static func openPayload(
        _ envelope: Envelope, from sender: PeerDevice, as own: OwnDevice, prekeys: Prekeys,
        replays: ReplayCache, kem: some KEM
    ) throws(FirstMessageRefusal) -> (payload: [UInt8], session: SessionID, ephemeral: ReplayCache.Entry) {
        let prefix = EnvelopeHeader.byteCount + 24 + PrekeyHeader.byteCount + 16
        let envelopeHeader = envelope.header
        guard envelopeHeader.kind == .pairwise, envelopeHeader.bucket >= Initiation.leastBucket else { throw .form }
        let whole = envelope.bytes.span.bytes

        let header = try pairHeader(
            whole.extracting(EnvelopeHeader.byteCount..<prefix), under: envelopeHeader, key: sender.pair.incoming.header
        )
        guard (1...ConversationBounds.generationWindow).contains(header.generation) else { throw .generation }
        guard let prekey = prekeys.prekey(for: header) else { throw .unknownPrekey }
        guard !replays.contains(header.ephemeral) else { throw .replayed }
        guard !replays.isFull else { throw .full }

        let keys: SessionKeys
        do {
            keys = try PQXDH.respond(as: own, to: sender, header: header, prekey: prekey, kem: kem)
        } catch {
            throw .agreement(error)
        }
        let message = whole.extracting(droppingFirst: prefix)
        guard
            let ratchetHeader = RatchetMessage.header(
                of: message, key: keys.initiatorHeader, session: keys.id, under: envelopeHeader)
        else { throw .ratchetHeader }
        guard ratchetHeader.previousCount == 0, ratchetHeader.number <= ConversationBounds.skippedMessages else {
            throw .chain
        }
        var chain: ChainKey
        do {
            var root = RootKey(keys.root)
            chain = root.step(try prekey.agreement.agree(with: ratchetHeader.ratchetKey)).chain
        } catch {
            throw .agreement(error)
        }
        for _ in 0..<ratchetHeader.number { chain.skip() }
        guard
            var payload = RatchetMessage.body(
                of: message, key: chain.next(), session: keys.id, under: envelopeHeader)
        else { throw .body }
        do {
            try Padding.unpad(&payload)
        } catch {
            throw .padding
        }
        return (payload, keys.id, ReplayCache.Entry(key: header.ephemeral, sequence: prekey.sequence))
    }

    private static func pairHeader(
        _ sealed: RawSpan, under envelopeHeader: EnvelopeHeader, key: SymmetricKey
    ) throws(FirstMessageRefusal) -> PrekeyHeader {
        let opened = envelopeHeader.withSpan { try? XChaCha20Poly1305.unbox(sealed, ad: $0, key: key) }
        guard let opened else { throw .pairHeader }
        guard let header = PrekeyHeader(parsing: opened.span.bytes) else { throw .suite }
        return header
    }
}

/// Why an envelope with our tag gave no message. The sender learns none of it; nothing of ours changed.
package enum FirstMessageRefusal: Error, Hashable, Sendable {
    /// Another kind, or too small for a prekey header.
    case form
    /// The prekey header is not sealed with this pair's key, or was altered.
    case pairHeader
    case suite
    case generation
    /// An id of a bundle that is not ours, or whose private halves are erased; or a one-time prekey we never gave.
    case unknownPrekey
    /// A first message with this ephemeral key was opened before.
    case replayed
    /// As many ephemeral keys are remembered as may be.
    case full
    /// A key of small order, or one the KEM refuses.
    case agreement(CryptoFailure)
    /// Also when the ciphertext of the KEM was altered: the keys are then others.
    case ratchetHeader
    /// A message that no first chain has.
    case chain
    case body
    case padding
    case plaintext(Malformed)
}
