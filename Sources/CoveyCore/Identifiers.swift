package import CoveyCrypto

// Every id is a type of its own: a device cannot be looked up by an entry, nor a mesh by a certificate.
// All are BLAKE2b values with the personalisation of their kind, whole or cut (protocol.md §0.4, §1).

/// An id that is a hash, whole or cut: in tables its first word stands for it, as many that begin alike cannot be made.
/// They can be written: where keys are what peers name, and not what was computed here, the table is one of plain octets.
package protocol HashedOctets: FixedOctets {}

extension HashedOctets {
    @inlinable
    package var firstWord: UInt64 { withUnsafeBytes(of: self) { $0.load(as: UInt64.self) } }

    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(firstWord) }

    /// What a table asks for: of a whole word it comes at half the price.
    @inlinable
    package func _rawHashValue(seed: Int) -> Int { firstWord._rawHashValue(seed: seed) }
}

/// BLAKE2b-256 of the genesis body (protocol.md §1.4).
package struct MeshID: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// First 16 bytes of a device hash (protocol.md §1.1).
package struct DeviceID: HashedOctets {
    private var octets = Octets16()
    package init() {}
}

/// BLAKE2b-256 over mesh and the three public keys; what `device_id` is cut from (protocol.md §4.2).
package struct DeviceHash: FixedOctets {
    private var octets = Octets32()
    package init() {}

    package init(mesh: MeshID, signing: SigningPublicKey, link: AgreementPublicKey, message: AgreementPublicKey) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        bytes.append(mesh)
        bytes.append(signing)
        bytes.append(link)
        bytes.append(message)
        self = Blake2b.hash(bytes.span.bytes, personal: .deviceID)
    }

    package var deviceID: DeviceID { DeviceID(prefixOf: self) }
}

/// A person or unit, with up to eight devices.
package struct SubjectID: FixedOctets {
    private var octets = Octets16()
    package init() {}
}

/// First 16 bytes of the hash of an authority's first keyset; also the id of its log (protocol.md §1.4, §1.8).
package struct AuthorityID: HashedOctets {
    private var octets = Octets16()
    package init() {}
}

package typealias LogID = AuthorityID

/// First 8 bytes of the hash of a public key; only a hint at who signed (protocol.md §0.4).
package struct KeyHint: FixedOctets {
    private var octets = Octets8()
    package init() {}

    package init(of key: SigningPublicKey) {
        let hash: Octets32 = key.withSpan { Blake2b.hash($0, personal: .keyID) }
        self.init(prefixOf: hash)
    }
}

/// BLAKE2b-256 of a certificate body, device's or authority's.
package struct CertificateHash: HashedOctets {
    private var octets = Octets32()
    package init() {}
}

/// BLAKE2b-256 of a log entry's body.
package struct EntryID: HashedOctets {
    private var octets = Octets32()
    package init() {}
}

/// BLAKE2b-256 of a RevokeNote's body.
package struct NoteHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// BLAKE2b-256 of an epoch key: names the epoch (protocol.md §1.10).
package struct EpochCommit: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// BLAKE2b-256 of a prekey bundle's body.
package struct BundleHash: FixedOctets {
    private var octets = Octets32()
    package init() {}
}

/// BLAKE2b-256 over envelope header and body hash (protocol.md §3.1).
package struct EnvelopeID: HashedOctets {
    private var octets = Octets32()
    package init() {}
}

/// What a recipient recognises its mail by (protocol.md §3.2).
package struct RecipientTag: FixedOctets {
    private var octets = Octets16()
    package init() {}
}

/// BLAKE2b-128 of a purge secret (protocol.md §3.1).
package struct PurgeCommit: FixedOctets {
    private var octets = Octets16()
    package init() {}

    package init(to secret: PurgeSecret) {
        self = secret.withSpan { Blake2b.hash($0, personal: .purge) }
    }
}

/// Whoever shows it may delete the envelope that commits to it.
package struct PurgeSecret: FixedOctets {
    private var octets = Octets16()
    package init() {}
}

package struct MessageID: FixedOctets {
    private var octets = Octets16()
    package init() {}
}

package struct ConversationID: FixedOctets {
    private var octets = Octets16()
    package init() {}
}
