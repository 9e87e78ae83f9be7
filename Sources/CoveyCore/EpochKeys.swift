package import CoveyCrypto

/// K_e: 32 random bytes that every member of an epoch holds (protocol.md §1.10).
package struct EpochKey: SecretKey {
    package static let byteCount = 32
    package let secret: Secret
    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "an epoch key has 32 bytes")
        self.secret = secret
    }

    package var commit: EpochCommit { exposing { Blake2b.hash($0, personal: .epochCommit) } }
}

/// First 4 bytes of an epoch's commit: how beacons and HELLO name it, so that two epochs with one number stay apart.
package struct EpochPrefix: FixedOctets {
    private var a: UInt32 = 0
    package init() {}
    package init(of commit: EpochCommit) { self.init(prefixOf: commit) }
}

/// The pre-shared key of the link handshake.
package struct EpochPSK: Sendable { package let key: SymmetricKey }
/// Recognises and opens beacons.
package struct BeaconKey: Sendable { package let key: SymmetricKey }
/// Seals announcements and makes their tags.
package struct AnnouncementKey: Sendable { package let key: SymmetricKey }
/// Seals the pages of a memory stick.
package struct StickKey: Sendable { package let key: SymmetricKey }
/// Salts the hours of a shared radio channel.
package struct RadioKey: Sendable { package let key: SymmetricKey }

/// An epoch's keys, one for each use, so that none can stand in another's place.
///
/// Each is `HKDF(salt empty, K_e, info "covey1:epoch-…", 32)` (protocol.md §1.10).
package struct EpochKeys: Sendable {
    package let commit: EpochCommit
    package let psk: EpochPSK
    package let beacon: BeaconKey
    package let announcement: AnnouncementKey
    package let stick: StickKey
    package let radio: RadioKey

    package init(_ key: EpochKey) {
        var material = HKDF.Material()
        material.append(key)
        let extracted = HKDF.extract(salt: Octets32(), material: material)
        func derived(_ label: StaticString) -> SymmetricKey {
            HKDF.expand(extracted, info: HKDF.bytes(of: label), count: 1)[0]
        }
        commit = key.commit
        psk = EpochPSK(key: derived(DerivationLabel.epochPSK))
        beacon = BeaconKey(key: derived(DerivationLabel.epochBeacon))
        announcement = AnnouncementKey(key: derived(DerivationLabel.epochAnnouncement))
        stick = StickKey(key: derived(DerivationLabel.epochStick))
        radio = RadioKey(key: derived(DerivationLabel.epochRadio))
    }

    package var prefix: EpochPrefix { EpochPrefix(of: commit) }
}
