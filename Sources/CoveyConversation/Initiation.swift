package import CoveyCore
package import CoveyCrypto

/// An initiator's session until the first reply: every message repeats the prekey header, on one sending chain.
///
///     header 40 | nonce24 | X(K_hdr, prekey header 1141) | ratchet message        (protocol.md §3.1)
///
/// Messages are numbered from 0. Never seal twice from one copy: persist what `seal` left behind first.
package struct Initiation: Sendable {
    /// Bytes of an envelope that are not plaintext.
    static let overhead = EnvelopeHeader.byteCount + 24 + PrekeyHeader.byteCount + 16 + RatchetMessage.overhead
    /// The smallest bucket that holds a prekey header.
    static let leastBucket = Bucket.bytes2048

    package let session: SessionID
    package let header: PrekeyHeader
    private let pair: PairKeys.Direction
    private let headerKey: SymmetricKey
    private let ratchetKey: AgreementPublicKey
    private var chain: ChainKey
    private var number: UInt32 = 0

    /// Agrees on a new session with the owner of `bundle`.
    ///
    /// Draws from `random`: the ephemeral key, what the KEM needs, the ratchet key.
    package init(
        from own: OwnDevice, to peer: PeerDevice, bundle: VerifiedBundle, generation: UInt32,
        random: any RandomSource, kem: some KEM
    ) throws(CryptoFailure) {
        let (keys, header) = try PQXDH.initiate(
            from: own, to: peer, bundle: bundle, generation: generation, random: random, kem: kem)
        let ratchet = AgreementPrivateKey(from: random)
        var root = RootKey(keys.root)
        chain = root.step(try ratchet.agree(with: bundle.bundle.signedPrekey)).chain
        session = keys.id
        self.header = header
        pair = peer.pair.outgoing
        headerKey = keys.initiatorHeader
        ratchetKey = ratchet.publicKey
    }

    /// The next envelope of the chain.
    ///
    /// Draws from `random`: the tag's index, the nonces of prekey header, ratchet header and body.
    package mutating func seal(
        _ payload: [UInt8], posting: Posting, purge: PurgeSecret, now: Minute, random: any RandomSource
    ) throws(SealFailure) -> Envelope {
        guard let bucket = Bucket(holding: max(Self.leastBucket.size, payload.count + Self.overhead + 1)) else {
            throw .tooLong(bytes: payload.count, most: Self.mostPayload)
        }
        let expiry = Hour.expiry(of: posting.ttl, priority: posting.priority, from: now)
        let tag = RecipientTag(day: ExpiryDay(of: expiry), key: pair.tag, random: random)
        let envelopeHeader = EnvelopeHeader(
            kind: .pairwise, priority: posting.priority, ttl: posting.ttl, bucket: bucket, zone: posting.zone,
            expiry: expiry, tag: tag, purgeCommit: PurgeCommit(to: purge))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bucket.size)
        bytes.append(envelopeHeader.octets)
        let nonce = Nonce24.random(from: random)
        bytes.append(nonce)
        let start = bytes.count
        header.append(to: &bytes)
        let sealed = envelopeHeader.withSpan { data in
            Tail.seal(&bytes, from: start, ad: data, nonce: nonce, key: pair.header)
        }
        bytes.append(sealed)
        RatchetMessage.seal(
            payload, RatchetHeader(ratchetKey: ratchetKey, previousCount: 0, number: number), headerKey: headerKey,
            messageKey: chain.next(), session: session, under: envelopeHeader, random: random, to: &bytes)
        number += 1
        do {
            return try Envelope(parsing: bytes)
        } catch {
            preconditionFailure("an envelope made here is one that relays take")
        }
    }

    /// Bytes of the longest payload that has an envelope; its padding takes one more.
    static let mostPayload = Bucket.bytes16384.size - overhead - 1
}

/// What a sender chooses about an envelope (protocol.md §3.1, §3.3).
package struct Posting: Hashable, Sendable {
    package let priority: Priority
    package let ttl: TTL
    /// The recipient's home zone.
    package let zone: ZoneHint

    package init(priority: Priority, ttl: TTL, zone: ZoneHint) {
        precondition(priority != .emergency, "priority 0 is for announcements")
        self.priority = priority
        self.ttl = ttl
        self.zone = zone
    }
}

/// Why a message was not sealed. Nothing was sent, and nothing weaker is ever tried.
package enum SealFailure: Error, Hashable, Sendable {
    /// A body of `bytes` bytes, where `most` fit.
    case tooLong(bytes: Int, most: Int)
    /// Wait for a newer bundle.
    case bundleExpired
    /// The primitives refuse a key of the bundle, though its owner signed it.
    case badBundle(CryptoFailure)
}
