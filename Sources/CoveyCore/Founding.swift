package import CoveyCrypto

/// How long a node believes itself up to date without hearing from an authority (protocol.md §1.9).
package enum MeshProfile: String, CaseIterable, Sendable {
    /// A town, an office: fresh for 7 days, stale up to 30.
    case standard
    /// A ship, a party in the mountains: fresh for 30 days, stale up to 120.
    case expedition

    package var policy: Policy {
        let days: (fresh: UInt32, stale: UInt32) =
            switch self {
            case .standard: (7, 30)
            case .expedition: (30, 120)
            }
        return Policy(
            number: 1,
            settings: [
                Policy.Setting(.freshDays, days.fresh), Policy.Setting(.staleDays, days.stale),
                Policy.Setting(.bundleLifeDays, Policy.Key.bundleLifeDays.standard),
                Policy.Setting(.epochGraceDays, Policy.Key.epochGraceDays.standard),
                Policy.Setting(.certificateLifeDays, Policy.Key.certificateLifeDays.standard),
            ])
    }
}

/// How many keys an authority has and how many must sign.
package struct KeysetShape: Hashable, Sendable {
    package let count: Int
    package let threshold: Int

    package init(_ threshold: Int, of count: Int) {
        precondition(
            (1...Keyset.mostKeys).contains(count) && (1...count).contains(threshold),
            "a keyset has 1 to 7 keys, and a threshold of at least 1 and at most all of them")
        self.count = count
        self.threshold = threshold
    }

    package static let single = KeysetShape(1, of: 1)

    /// Whether any two groups that are enough to sign have a key in common. Only such a keyset is given to officers one
    /// key each: where no key signs two entries for one place, the log of such an authority cannot fork.
    package var isMajority: Bool { 2 * threshold > count }
}

/// The first objects of a mesh (protocol.md §1.4): genesis, the root's PolicySet and AuthorityAdd of one field authority.
/// The founder's certificate and the first epoch follow as soon as there is a device: they stand in the field's log.
///
/// One root key alone is the default, and a stolen one is then the whole mesh; m of n is for whoever can keep n keys
/// apart: it happens on one device, and then `AuthorityKeys.part` gives each officer its key. What needs two signatures
/// (ANNOUNCE, WIPE_OFFICER, TIMEKEEPER) an authority of one key cannot grant.
package struct Founding: Sendable {
    /// Days that the field authority's own certificate is good for.
    package static let fieldDays: Int64 = 5 * 365
    /// Devices with a live certificate under the field authority.
    package static let fieldDevices: UInt16 = 5000
    package static let longestCertificateDays: UInt16 = 400

    package let genesis: Genesis
    /// The root's log so far, in order.
    package let entries: [LogEntry]
    package let root: AuthorityKeys
    package let field: AuthorityKeys
    /// To be kept cold: chooses a branch after a fork, or replaces lost keys.
    package let recovery: SigningKeyset
    /// Signs releases, and nothing else.
    package let release: SigningKeyset

    /// - Parameters:
    ///   - name: 1 to 64 bytes of canonical text.
    ///   - recovery: nil: like the root's.
    ///   - release: nil: like the root's.
    ///   - fieldDevices: live devices the field authority may have at once.
    package static func found(
        name: String, profile: MeshProfile, root rootShape: KeysetShape = .single,
        field fieldShape: KeysetShape = .single, recovery recoveryShape: KeysetShape? = nil,
        release releaseShape: KeysetShape? = nil, fieldLabel: String = "field",
        fieldDevices: UInt16 = Founding.fieldDevices, random: any RandomSource, now: Minute
    ) throws(Malformed) -> Founding {
        let nameBytes = Array(name.utf8)
        guard (1...64).contains(nameBytes.count), CanonicalText.isValid(nameBytes[...]) else { throw .text(0x01) }
        func keys(_ shape: KeysetShape) -> SigningKeyset {
            SigningKeyset(count: shape.count, threshold: shape.threshold, random: random)
        }
        let rootKeys = keys(rootShape)
        let nextRoot = keys(rootShape)
        let recovery = keys(recoveryShape ?? rootShape)
        let release = keys(releaseShape ?? rootShape)
        let policy = profile.policy
        let genesis = Genesis.make(
            name: name, created: now, threshold: rootShape.threshold, nextCommit: nextRoot.keyset.commit,
            recoveryCommit: recovery.keyset.commit, policyHash: policy.hash, releaseCommit: release.keyset.commit,
            keys: rootKeys.keys)
        let mesh = genesis.meshID

        let fieldKeys = keys(fieldShape)
        let nextField = keys(fieldShape)
        let certificate = try AuthorityCertificate.make(
            AuthorityCertificate.Content(
                parent: genesis.rootID, serial: 1, keyset: fieldKeys.keyset, depthLeft: 0,
                grantable: fieldShape.count >= 2 ? .all : .all.subtracting(.privileged),
                mostDays: longestCertificateDays, mostDevices: fieldDevices, notBefore: now,
                notAfter: now.adding(fieldDays * 1440), label: fieldLabel, nextCommit: nextField.keyset.commit),
            mesh: mesh, keys: rootKeys.keys)
        let first = try LogEntry.make(
            log: genesis.rootID, sequence: 1, previous: LogEntry.anchor(of: mesh), time: now,
            payload: .policySet(policy), mesh: mesh, keys: rootKeys.keys)
        let second = try LogEntry.make(
            log: genesis.rootID, sequence: 2, previous: first.id, time: now, payload: .authorityAdd(certificate),
            mesh: mesh, keys: rootKeys.keys)
        return Founding(
            genesis: genesis, entries: [first, second],
            root: AuthorityKeys(mesh: mesh, authority: genesis.rootID, current: rootKeys, next: nextRoot),
            field: AuthorityKeys(
                mesh: mesh, authority: certificate.authority, current: fieldKeys, next: nextField),
            recovery: recovery, release: release)
    }

    package var mesh: MeshID { genesis.meshID }

    /// The membership of nobody yet, with both authorities in place.
    package func membership() -> Membership {
        var membership = Membership(genesis: genesis)
        for entry in entries {
            guard case .accepted? = try? membership.accept(entry.signed) else {
                preconditionFailure("a founding makes entries that every node accepts")
            }
        }
        return membership
    }
}
