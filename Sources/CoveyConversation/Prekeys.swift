package import CoveyCore
package import CoveyCrypto

/// The private halves of one bundle of our own.
package struct Prekey: Sendable {
    /// bundle_seq; also the id of both keys.
    package let sequence: UInt32
    package let created: Minute
    package let expires: Minute
    /// Serial of the certificate the bundle names.
    package let serial: UInt64
    package let bundle: BundleHash
    /// SHA-256 of the public KEM key.
    package let kemPrekeyHash: Octets32
    let agreement: AgreementPrivateKey
    let kem: KEMPrivateKey

    /// The earliest minute at which the private halves may go (protocol.md §4.1).
    package var keptUntil: Minute {
        max(
            created.adding(ConversationBounds.prekeysKept), expires.adding(ConversationBounds.prekeysKeptAfterExpiry))
    }
}

/// Our own prekeys: makes bundles, finds the private halves that a first message names, and erases them in time.
///
/// A record of the table `prekeys` has the key `sequence u32` and the value
///
///     version u8 | created 4 | expires 4 | serial 8 | bundle hash 32 | SHA-256(ek) 32 | SPK private 32 | KEM seed 64
///
/// The highest sequence is a record of its own in `state`: it outlives the keys, so that no number is used twice.
package struct Prekeys: Sendable {
    private static let version: UInt8 = 1
    private static let recordSize = 177

    /// The highest bundle_seq ever made here; 0 before the first.
    package private(set) var sequence: UInt32
    /// Ascending by sequence. The last is of the current bundle.
    package private(set) var held: [Prekey]

    /// A device that has made no bundle yet.
    package init() {
        sequence = 0
        held = []
    }

    /// What the store gives back at the start.
    package init(records: [(key: [UInt8], value: SecretBytes)], sequence: UInt32) throws(Malformed) {
        self.sequence = sequence
        held = []
        for record in records {
            held.append(
                try record.value.exposing { (value) throws(Malformed) in
                    try Self.decode(key: record.key, value: value)
                })
        }
        held.sort { $0.sequence < $1.sequence }
        if let last = held.last, last.sequence > sequence { throw .value(0) }
    }

    /// Whether a new bundle is to be made: there is none, it is 7 days old, or it names another certificate.
    ///
    /// A bundle from days ahead was made by a clock that was wrong; its successor must not wait for that day.
    package func isDue(now: Minute, serial: UInt64) -> Bool {
        guard let last = held.last else { return true }
        return last.serial != serial || now >= last.created.adding(ConversationBounds.bundlePeriod)
            || now.adding(ConversationBounds.bundlePeriod) < last.created
    }

    /// When to look at `isDue` and `erase` again; nil before the first bundle.
    package var nextDeadline: Minute? {
        guard let last = held.last else { return nil }
        let renewal = last.created.adding(ConversationBounds.bundlePeriod)
        guard held.count > 1 else { return renewal }
        return held.dropLast().reduce(renewal) { min($0, $1.keptUntil) }
    }

    /// Makes a bundle and keeps its private halves.
    ///
    /// The record and the sequence must be durable before the bundle leaves the device; a turn's commit does that.
    package mutating func renew(
        for own: OwnDevice, signing: SigningPrivateKey, serial: UInt64, headsDigest: Octets32, now: Minute,
        life: Int64 = ConversationBounds.bundleLife, random: any RandomSource, kem: some KEM
    ) throws(CryptoFailure) -> VerifiedBundle {
        precondition(sequence < .max, "a bundle a week does not use up 32 bits")
        precondition(
            (1...ConversationBounds.longestBundleLife).contains(life), "a bundle lives up to 30 days")
        let agreement = AgreementPrivateKey(from: random)
        let privateKEM = KEMPrivateKey(from: random)
        let made = Bundle.make(
            device: own.id, serial: serial, sequence: sequence + 1, created: now, signedPrekey: agreement.publicKey,
            kemPrekey: try kem.publicKey(of: privateKEM), headsDigest: headsDigest, life: life, signing: signing,
            mesh: own.mesh)
        sequence += 1
        held.append(
            Prekey(
                sequence: sequence, created: now, expires: made.bundle.expires, serial: serial,
                bundle: made.bundle.hash, kemPrekeyHash: made.kemPrekeyHash, agreement: agreement, kem: privateKEM))
        return made
    }

    /// Lets go of private halves whose time is over, never of the current bundle's. Delete the records of the
    /// sequences it returns, and have the replay cache forget them.
    package mutating func erase(now: Minute) -> [UInt32] {
        let gone = held.dropLast().filter { $0.keptUntil <= now }.map(\.sequence)
        held.removeAll { gone.contains($0.sequence) }
        return gone
    }

    /// The private halves that a first message names; nil when one of its ids is unknown, erased or of another bundle.
    package func prekey(for header: PrekeyHeader) -> Prekey? {
        guard header.oneTimePrekeyID == 0, header.signedPrekeyID == header.bundleSequence,
            header.kemPrekeyID == header.bundleSequence
        else { return nil }
        return held.first { $0.sequence == header.bundleSequence }
    }

    /// Whether a bundle that carries our own signature was made by this state of ours (protocol.md §4.9).
    ///
    /// False is proof of a rollback or a clone: stop sending. A mere number, without a signature, never comes here.
    package func made(_ own: VerifiedBundle) -> Bool {
        guard own.bundle.sequence <= sequence else { return false }
        guard let known = held.first(where: { $0.sequence == own.bundle.sequence }) else {
            return own.bundle.sequence < sequence
        }
        return known.bundle == own.bundle.hash
    }

    /// The key of a record.
    package static func key(of sequence: UInt32) -> [UInt8] {
        var key: [UInt8] = []
        key.append(u32: sequence)
        return key
    }

    /// The record of a held sequence.
    package func record(of sequence: UInt32) -> SecretBytes {
        guard let prekey = held.first(where: { $0.sequence == sequence }) else {
            preconditionFailure("only a held prekey has a record")
        }
        return SecretBytes(byteCount: Self.recordSize) { value in
            value.append(bigEndian: Self.version)
            value.append(bigEndian: prekey.created.value)
            value.append(bigEndian: prekey.expires.value)
            value.append(bigEndian: prekey.serial)
            value.append(prekey.bundle)
            value.append(prekey.kemPrekeyHash)
            value.append(prekey.agreement)
            value.append(prekey.kem)
        }
    }

    private static func decode(key: [UInt8], value: RawSpan) throws(Malformed) -> Prekey {
        guard key.count == 4, value.byteCount == recordSize else { throw .truncated }
        var number = ByteReader(key.span.bytes)
        var reader = ByteReader(value)
        let version = try reader.u8()
        guard version == Self.version else { throw .unknownVersion(version) }
        return Prekey(
            sequence: try number.u32(), created: Minute(try reader.u32()), expires: Minute(try reader.u32()),
            serial: try reader.u64(), bundle: try reader.octets(), kemPrekeyHash: try reader.octets(),
            agreement: AgreementPrivateKey(copying: try reader.span(AgreementPrivateKey.byteCount)),
            kem: KEMPrivateKey(copying: try reader.span(KEMPrivateKey.byteCount)))
    }
}
