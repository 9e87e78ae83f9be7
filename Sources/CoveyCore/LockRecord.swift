package import CoveyCrypto

/// What a locked device's store is sealed under, until the organisation gives it back. Short enough to be read out.
package struct UnlockKey: SecretKey {
    package static let byteCount = 16
    package let secret: Secret
    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "an unlock key has 16 bytes")
        self.secret = secret
    }
}

/// What a device writes when it locks itself (CE 0x0D), signed by SIG before that key is destroyed: which order it obeyed,
/// and its unlock key in shares, sealed to those who may give it back.
///
///     01 device_id 16 · 02 order_id 16 · 03 note hash 32 · 04 locked 4 · 05 shares n × 82
///     share: authority_id 16 | number u8 | threshold u8 | enc 32 | HPKE base( share 16 ) 32
///
/// Each authority from the device's issuer up to the root has the whole key in shares of its own: one for each key of its
/// keyset, as many of which give the key back as that authority needs signatures. A share is sealed to the X25519 form of
/// the officer's Ed25519 key, under the info `"covey1:lock" | mesh_id | body through tag 04 | authority_id | number |
/// threshold`, so it opens for this device and this order alone.
package struct LockRecord: Sendable, Equatable {
    package enum Bounds {
        /// Keysets of at most seven keys; root, regional and field.
        package static let shares = 3 * Keyset.mostKeys
    }

    private struct SealedShare: Sendable, Equatable {
        static let byteCount = 82
        let authority: AuthorityID
        let number: UInt8
        let threshold: UInt8
        let encapsulated: AgreementPublicKey
        let ciphertext: [UInt8]
    }

    private static let schema = ObjectSchema(
        .lockRecord,
        [
            FieldRule(0x01, .exact(16)), FieldRule(0x02, .exact(16)), FieldRule(0x03, .exact(32)),
            FieldRule(0x04, .exact(4)),
            FieldRule(0x05, .items(size: SealedShare.byteCount, least: 1, most: Bounds.shares)),
        ])

    package let signed: Signed
    package let device: DeviceID
    package let order: Octets16
    package let note: NoteHash
    package let locked: Minute
    private let shares: [SealedShare]

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        let signed = try Signed(parsing: bytes)
        let object = try CanonicalObject(parsing: signed, schema: Self.schema)
        device = object.octets(0x01)
        order = object.octets(0x02)
        note = object.octets(0x03)
        locked = Minute(object.u32(0x04))
        var reader = ByteReader(object.bytes(0x05).span.bytes)
        var shares: [SealedShare] = []
        while !reader.isAtEnd {
            let share = SealedShare(
                authority: try reader.octets(), number: try reader.u8(), threshold: try reader.u8(),
                encapsulated: try reader.octets(), ciphertext: try reader.bytes(32))
            guard share.number >= 1, (1...Keyset.mostKeys).contains(Int(share.threshold)),
                !shares.contains(where: { $0.authority == share.authority && $0.number == share.number })
            else { throw .value(0x05) }
            shares.append(share)
        }
        self.shares = shares
        self.signed = signed
    }

    /// A new key, and the record that gives it to the authorities of the device's chain. An authority whose keys are no
    /// longer trusted gets no share.
    package static func make(
        of order: WipeOrder, in note: NoteHash, by device: DeviceID, _ membership: Membership, now: Minute,
        key: SigningPrivateKey, random: any RandomSource
    ) -> (record: LockRecord, key: UnlockKey) {
        var writer = writer(device, order.order, note, now)
        let unlock = UnlockKey(from: random)
        let head = writer.bytes
        var shares: [UInt8] = []
        for authority in membership.unlockers(of: device) {
            guard let keyset = membership.logs[authority]?.keyset else { continue }
            let parts = SecretSharing.split(
                unlock, threshold: keyset.threshold, count: keyset.keys.count, random: random)
            for (at, (part, holder)) in zip(parts, keyset.keys).enumerated() {
                let (number, threshold) = (UInt8(at + 1), UInt8(keyset.threshold))
                let info = info(head, membership.mesh, authority, number, threshold)
                guard let receiver = holder.agreement,
                    let sealed = try? part.exposing({
                        try HPKE.seal($0, ad: [UInt8]().span.bytes, to: receiver, info: info, random: random)
                    })
                else { continue }
                shares.append(authority)
                shares += [number, threshold]
                shares.append(sealed.encapsulated)
                shares += sealed.ciphertext
            }
        }
        writer.field(0x05, bytes: shares)
        let signed = Signed(writer.bytes, type: .object(.lockRecord), mesh: membership.mesh, keys: [key])
        guard let record = try? LockRecord(parsing: signed.bytes) else {
            preconditionFailure("what we write, we can read: the root has a keyset")
        }
        return (record, unlock)
    }

    /// The body through tag 04.
    private static func writer(
        _ device: DeviceID, _ order: Octets16, _ note: NoteHash, _ locked: Minute
    ) -> CanonicalWriter {
        var writer = CanonicalWriter(.lockRecord)
        writer.field(0x01, device)
        writer.field(0x02, order)
        writer.field(0x03, note)
        writer.field(0x04, u32: locked.value)
        return writer
    }

    private static func info(
        _ head: [UInt8], _ mesh: MeshID, _ authority: AuthorityID, _ number: UInt8, _ threshold: UInt8
    ) -> [UInt8] {
        var info = HKDF.bytes(of: DerivationLabel.lock)
        info.append(mesh)
        info += head
        info.append(authority)
        return info + [number, threshold]
    }

    /// The key that the store's key is sealed under.
    package func sealingKey(_ key: UnlockKey) -> SymmetricKey {
        var info = HKDF.bytes(of: DerivationLabel.lock)
        info.append(device)
        info.append(order)
        return HKDF.derive(from: key, info: info)
    }

    // MARK: At the authority

    /// Whether the device itself wrote it.
    package func isSigned(by key: SigningPublicKey, in mesh: MeshID) -> Bool {
        signed.signers(among: [key], type: .object(.lockRecord), mesh: mesh)?.count == 1
    }

    /// The shares that these keys open, as codes for the person at the device, and how many codes that takes there. Of
    /// several authorities the one that lacks the fewest.
    package func codes(for keys: [SigningPrivateKey], in mesh: MeshID) -> (codes: [UnlockCode], needed: Int) {
        let head = Self.writer(device, order, note, locked).bytes
        let receivers = keys.map(\.agreement)
        var best: (codes: [UnlockCode], needed: Int) = ([], 0)
        var lacking = Int.max
        for authority in Set(shares.map(\.authority)).sorted() {
            var codes: [UnlockCode] = []
            var needed = 0
            for (at, share) in shares.enumerated() where share.authority == authority {
                let info = Self.info(head, mesh, authority, share.number, share.threshold)
                needed = Int(share.threshold)
                guard codes.count < needed, let opened = Self.open(share, receivers, info) else { continue }
                codes.append(UnlockCode(number: UInt8(at), share: opened, of: self))
            }
            guard !codes.isEmpty, needed - codes.count < lacking else { continue }
            lacking = needed - codes.count
            best = (codes, needed)
        }
        return best
    }

    private static func open(
        _ share: SealedShare, _ receivers: [AgreementPrivateKey], _ info: [UInt8]
    ) -> UnlockKey? {
        for receiver in receivers {
            let opened = try? HPKE.openSecret(
                share.ciphertext.span.bytes, ad: [UInt8]().span.bytes, encapsulated: share.encapsulated,
                with: receiver, info: info)
            if let opened { return opened.exposing { UnlockKey(copying: $0) } }
        }
        return nil
    }

    // MARK: At the device

    package enum Opening: Sendable {
        case key(UnlockKey)
        /// So many more codes of one authority are needed.
        case missing(Int)
    }

    /// The key, from codes that `UnlockCode.init(_:of:)` took.
    package func open(_ codes: [UnlockCode]) -> Opening {
        var best = Keyset.mostKeys
        for authority in Set(shares.map(\.authority)).sorted() {
            var found: [(number: UInt8, share: UnlockKey)] = []
            var threshold = Keyset.mostKeys
            for code in codes {
                let share = shares[Int(code.number)]
                guard share.authority == authority, !found.contains(where: { $0.number == share.number }) else {
                    continue
                }
                found.append((share.number, code.share))
                threshold = Int(share.threshold)
            }
            guard !found.isEmpty else { continue }
            if found.count >= threshold { return .key(SecretSharing.combine(Array(found.prefix(threshold)))) }
            best = min(best, threshold - found.count)
        }
        if codes.isEmpty { best = Int(shares.map(\.threshold).min() ?? 1) }
        return .missing(best)
    }

    fileprivate var shareCount: Int { shares.count }
}

/// One share of an unlock key, as a person types it: 32 letters and digits in groups of four.
///
///     base32( share number u8 | share 16 | check 3 )      check: of BLAKE2b-128( device | order | the 17 bytes before )
///
/// The alphabet is Crockford's: without I, L, O and U, and whoever types I, L or O is understood.
package struct UnlockCode: Sendable {
    fileprivate let number: UInt8
    fileprivate let share: UnlockKey
    package let text: String

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private static let byteCount = 20
    private static let digitCount = byteCount * 8 / 5

    fileprivate init(number: UInt8, share: UnlockKey, of record: LockRecord) {
        self.number = number
        self.share = share
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(number)
        share.exposing { bytes.append(copying: $0) }
        bytes += Self.check(bytes[...], record)
        var characters: [UInt8] = []
        characters.reserveCapacity(Self.digitCount * 2)
        var groups = Self.groups(bytes, from: 8, to: 5)
        defer {
            bytes.wipe()
            groups.wipe()
            characters.wipe()
        }
        for (at, group) in groups.enumerated() {
            if at > 0, at.isMultiple(of: 4) { characters.append(UInt8(ascii: "-")) }
            characters.append(Self.alphabet[Int(group)])
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// Nil for what is mistyped, or is for another device or order. Spaces and hyphens do not count.
    package init?(_ typed: String, of record: LockRecord) {
        var digits: [UInt8] = []
        // An array that grows leaves its old bytes behind: room for all, and one too many is refused.
        digits.reserveCapacity(Self.digitCount)
        defer { digits.wipe() }
        for character in typed.uppercased().utf8 {
            let digit: Int?
            switch character {
            case UInt8(ascii: "-"), UInt8(ascii: " "): continue
            case UInt8(ascii: "O"): digit = 0
            case UInt8(ascii: "I"), UInt8(ascii: "L"): digit = 1
            default: digit = Self.alphabet.firstIndex(of: character)
            }
            guard let digit, digits.count < Self.digitCount else { return nil }
            digits.append(UInt8(digit))
        }
        guard digits.count == Self.digitCount else { return nil }
        var bytes = Self.groups(digits, from: 5, to: 8)
        defer { bytes.wipe() }
        guard Self.check(bytes[..<17], record).elementsEqual(bytes[17...]),
            Int(bytes[0]) < record.shareCount
        else { return nil }
        number = bytes[0]
        share = UnlockKey(copying: bytes.span.bytes.extracting(1..<17))
        text = typed
    }

    private static func check(_ bytes: ArraySlice<UInt8>, _ record: LockRecord) -> [UInt8] {
        var whole: [UInt8] = []
        whole.reserveCapacity(32 + bytes.count)
        whole.append(record.device)
        whole.append(record.order)
        whole += bytes
        defer { whole.wipe() }
        return Array(Blake2b.hash128(whole.span.bytes, personal: .unlock).array[..<3])
    }

    /// The bits of groups of one size, in groups of another.
    private static func groups(_ values: [UInt8], from size: Int, to other: Int) -> [UInt8] {
        var groups: [UInt8] = []
        groups.reserveCapacity(values.count * size / other)
        var (held, count) = (UInt32(0), 0)
        for value in values {
            held = held << UInt32(size) | UInt32(value)
            count += size
            while count >= other {
                count -= other
                groups.append(UInt8(truncatingIfNeeded: held >> UInt32(count)) & UInt8((1 << other) - 1))
            }
            held &= (1 << UInt32(count)) - 1
        }
        return groups
    }
}

extension Membership {
    /// The authorities that may give a locked device's messages back: from its issuer up to the root, where all of them
    /// have the right to act; else the root alone.
    fileprivate func unlockers(of device: DeviceID) -> [AuthorityID] {
        let chain = currentCertificate(device).flatMap { authorityChain(of: $0.issuer) } ?? []
        return chain.map(\.authority) + [genesis.rootID]
    }
}
