package import CoveyCrypto

/// A peer that this node validated. Only `Membership.admit` makes one.
package struct VerifiedMember: Sendable, Equatable {
    /// The current certificate, which may be newer than the one the peer showed.
    package let certificate: DeviceCertificate

    package var device: DeviceID { certificate.device }

    fileprivate init(certificate: DeviceCertificate) { self.certificate = certificate }
}

/// A peer that may be what it says, but not all of it can be told: log, note and certificate frames only.
package struct UnverifiedPeer: Sendable, Equatable {
    package let certificate: DeviceCertificate
    /// Its CertIssue is held and signed, only entries before it are missing: log entries may be sent to it.
    package let isProvisional: Bool

    package var device: DeviceID { certificate.device }

    fileprivate init(certificate: DeviceCertificate, isProvisional: Bool) {
        self.certificate = certificate
        self.isProvisional = isProvisional
    }
}

package enum CatchUpReason: Hashable, Sendable {
    /// Its certificate, or one of its authorities', is in no entry we accepted.
    case notInLog
    /// It named its chain by a hash that is not the one of a chain we know.
    case unknownChain
    /// Nobody we know signed it: by keys that may be those of a rotation we have not met, or of an issuer that is to be
    /// asked for. Anybody can make up such a certificate.
    case unproven
    case suspended
    /// Revoked, with a wipe order that it may not have heard of.
    case ordered
}

/// Why a peer is no peer. It sees the same silence for all of them.
package enum AdmissionRefusal: Error, Hashable, Sendable {
    case malformed(Malformed)
    case chainSignatures
    case attenuation(CertificateFault)
    /// The certificate is for another link key than the one that made the handshake.
    case linkKey
    case time(TimeFault)
    case revoked
    case noLinkCapability
    /// Our own certificate.
    case reflection
}

package enum Admission: Sendable, Equatable {
    case member(VerifiedMember)
    case catchUp(UnverifiedPeer, why: CatchUpReason)
    case refused(AdmissionRefusal)
}

/// How a peer shows who stands between its certificate and the root.
package enum PresentedChain: Sendable {
    /// At most two, the issuer first.
    case certificates([Signed])
    case hash(ChainHash)
}

/// BLAKE2b-256 of the concatenated certificate hashes of a chain, device first (protocol.md §2.2).
package struct ChainHash: FixedOctets {
    private var octets = Octets32()
    package init() {}

    package init(device: CertificateHash, authorities: [CertificateHash]) {
        var bytes: [UInt8] = []
        bytes.append(device)
        for authority in authorities { bytes.append(authority) }
        self = Blake2b.hash(bytes.span.bytes, personal: .certificate)
    }
}

extension Membership {
    /// Judges a peer by what its handshake payload shows. The order of checks is that of protocol.md §2.2.
    ///
    /// - Parameters:
    ///   - linkKey: the static key that made the handshake (Noise `rs`).
    ///   - own: the device that asks.
    package func admit(
        certificate signed: Signed, chain: PresentedChain, linkKey: AgreementPublicKey, own: DeviceID, time: TimeView
    ) -> Admission {
        // The entry that issued a logged certificate was verified, and vouches for this body: neither its form nor its
        // signatures need be looked at again.
        let logged = issued(DeviceCertificate.hash(of: signed))
        let shown: DeviceCertificate
        var authorities: [AuthorityCertificate] = []
        do {
            shown = try logged?.certificate ?? DeviceCertificate(parsing: signed, mesh: mesh)
            if case .certificates(let list) = chain {
                guard list.count <= Int(AuthorityLimits.root.depthLeft) else { throw Malformed.value(0x02) }
                for authority in list { authorities.append(try AuthorityCertificate(parsing: authority)) }
            }
        } catch let error as Malformed {
            return .refused(.malformed(error))
        } catch {
            preconditionFailure("certificates are malformed or not")
        }
        var catchUp: CatchUpReason?
        if let logged {
            // It may show what it had before a branch was chosen; what it has now is what counts.
            if let fault = fault(of: logged), currentCertificate(shown.device) == nil {
                return .refused(.attenuation(fault))
            }
        } else {
            catchUp = .notInLog
            switch verify(shown, authorities) {
            case .refused(let refusal): return .refused(refusal)
            // Named by its hash it can be asked for; shown whole, it says nothing of who issued this.
            case .unknownIssuer:
                if case .certificates = chain { return .refused(.chainSignatures) }
                catchUp = .unproven
            case .unknownKeys: catchUp = .unproven
            case .sound: break
            }
        }
        if catchUp != .unproven, !isKnown(chain, shown, authorities) {
            if case .hash = chain { catchUp = .unknownChain } else { catchUp = catchUp ?? .notInLog }
        }
        guard shown.link == linkKey else { return .refused(.linkKey) }
        if let fault = timeFault(of: shown, at: time) { return .refused(.time(fault)) }
        guard !isRevoked(shown.device) else { return .refused(.revoked) }
        guard shown.capabilities.contains(.link) else { return .refused(.noLinkCapability) }
        guard shown.device != own else { return .refused(.reflection) }
        if catchUp == nil, isSuspended(shown.device, at: time) { catchUp = .suspended }
        if let catchUp {
            let isProvisional = isProvisional(shown, authorities)
            return .catchUp(UnverifiedPeer(certificate: shown, isProvisional: isProvisional), why: catchUp)
        }
        guard let current = currentCertificate(shown.device) else { return .refused(.attenuation(.afterLimit)) }
        guard current.capabilities.contains(.link) else { return .refused(.noLinkCapability) }
        // An older one may run longer; what it has now is what counts.
        if let fault = current.timeFault(at: time) { return .refused(.time(fault)) }
        return .member(VerifiedMember(certificate: current))
    }

    /// A revoked device whose certificate stands in the log: it is told of the order that it was given, and of nothing
    /// else.
    package func orderedPeer(_ shown: Signed) -> Admission? {
        guard let certificate = issued(DeviceCertificate.hash(of: shown))?.certificate else { return nil }
        return .catchUp(UnverifiedPeer(certificate: certificate, isProvisional: false), why: .ordered)
    }

    /// A device that was renewed while it was away shows the certificate it knows of, with the same keys: it is let in by
    /// the next one, and is given the entry that holds it.
    private func timeFault(of shown: DeviceCertificate, at time: TimeView) -> TimeFault? {
        guard let fault = shown.timeFault(at: time) else { return nil }
        guard let current = currentCertificate(shown.device), current.deviceHash == shown.deviceHash,
            current.serial > shown.serial, current.timeFault(at: time) == nil
        else { return fault }
        return nil
    }

    /// The chain hash a device shows when it names its chain by hash; nil when it has no current certificate.
    package func chainHash(of device: DeviceID) -> ChainHash? {
        guard let certificate = currentCertificate(device), let chain = authorityChain(of: certificate.issuer) else {
            return nil
        }
        return ChainHash(device: certificate.hash, authorities: chain.map(\.hash))
    }

    /// The certificates from an authority up to the one below the root, all with the right to act; empty for the root.
    package func authorityChain(of authority: AuthorityID) -> [AuthorityCertificate]? {
        var chain: [AuthorityCertificate] = []
        var at = authority
        while at != genesis.rootID {
            guard chain.count < Int(AuthorityLimits.root.depthLeft), let certificate = self.authority(at) else {
                return nil
            }
            chain.append(certificate)
            at = certificate.parent
        }
        return chain
    }

    /// The same; where one of them has no right here, by the certificate that its parent gave it last. Another log may say
    /// more of it than ours.
    package func latestAuthorityChain(of authority: AuthorityID) -> [AuthorityCertificate] {
        var chain: [AuthorityCertificate] = []
        var at = authority
        while at != genesis.rootID, chain.count < Int(AuthorityLimits.root.depthLeft),
            let certificate = self.authority(at) ?? latestGrant(of: at)
        {
            chain.append(certificate)
            at = certificate.parent
        }
        return chain
    }

    private enum ChainCheck {
        case sound, unknownIssuer
        /// Signed by keys that may be those of a rotation we have not met.
        case unknownKeys
        case refused(AdmissionRefusal)
    }

    /// Whether a certificate that no entry vouches for is signed and attenuated down from the root.
    private func verify(_ shown: DeviceCertificate, _ presented: [AuthorityCertificate]) -> ChainCheck {
        let issuer: (keysets: [Keyset], limits: AuthorityLimits)
        switch standing(of: shown.issuer, presented, levels: Int(AuthorityLimits.root.depthLeft)) {
        case .found(let keysets, let limits): issuer = (keysets, limits)
        case .unknown: return presented.isEmpty ? .unknownIssuer : .refused(.chainSignatures)
        case .unknownKeys: return .unknownKeys
        case .refused(let refusal): return .refused(refusal)
        }
        guard let signers = signers(of: shown.signed, as: .deviceCertificate, among: issuer.keysets) else {
            return isByStrangers(shown.signed, issuer.keysets) ? .unknownKeys : .refused(.chainSignatures)
        }
        if let fault = issuer.limits.fault(in: shown.content) { return .refused(.attenuation(fault)) }
        guard shown.capabilities.isDisjoint(with: .privileged) || signers.count >= 2 else {
            return .refused(.attenuation(.privilege))
        }
        guard shown.link.isCanonical, shown.message.isCanonical else { return .refused(.attenuation(.keyEncoding)) }
        return .sound
    }

    private enum IssuerStanding {
        /// Under every keyset the authority had.
        case found([Keyset], AuthorityLimits)
        case unknown
        case unknownKeys
        case refused(AdmissionRefusal)
    }

    /// Looks an authority up in the log, then among the presented certificates, going up at most `levels` steps.
    private func standing(
        of authority: AuthorityID, _ presented: [AuthorityCertificate], levels: Int
    ) -> IssuerStanding {
        if let log = logs[authority] {
            guard let limits = limits(of: authority) else { return .refused(.attenuation(.authority)) }
            return .found(log.tree.keysets, limits)
        }
        guard let certificate = presented.first(where: { $0.authority == authority }) else { return .unknown }
        guard levels > 0 else { return .refused(.attenuation(.depth)) }
        switch standing(of: certificate.parent, presented, levels: levels - 1) {
        case .unknown: return .unknown
        case .unknownKeys: return .unknownKeys
        case .refused(let refusal): return .refused(refusal)
        case .found(let keysets, let limits):
            guard signers(of: certificate.signed, as: .authorityCertificate, among: keysets) != nil else {
                return isByStrangers(certificate.signed, keysets) ? .unknownKeys : .refused(.chainSignatures)
            }
            // Another keyset than the first one: which rotations lead to it is in a log that we lack.
            guard certificate.keyset.authorityID == authority else { return .unknownKeys }
            if let fault = limits.fault(in: certificate.content) { return .refused(.attenuation(fault)) }
            return .found([certificate.keyset], AuthorityLimits(certificate.content))
        }
    }

    /// Whether entries that only wait for those before them issue a certificate: its own, and where its authority is not in
    /// the log yet, those that added it, up to an authority that is (provisional admission, protocol.md §1.7).
    private func isProvisional(_ shown: DeviceCertificate, _ presented: [AuthorityCertificate]) -> Bool {
        isSaid(in: shown.issuer, presented) { payload in
            guard case .certIssue(let certificates) = payload else { return false }
            return certificates.contains { $0.hash == shown.hash }
        }
    }

    private func isSaid(
        in log: LogID, _ presented: [AuthorityCertificate], _ says: (LogPayload) -> Bool
    ) -> Bool {
        let levels = Int(AuthorityLimits.root.depthLeft)
        guard case .found(let keysets, _) = standing(of: log, presented, levels: levels) else { return false }
        let isLogged = logs[log] != nil
        let limit = isLogged ? grantLimit(of: log) : .max
        let isWaiting = waiting(in: log).contains {
            $0.sequence <= limit && says($0.payload) && signers(of: $0.signed, as: .logEntry, among: keysets) != nil
        }
        guard isWaiting, !isLogged else { return isWaiting }
        guard let added = presented.first(where: { $0.authority == log }) else { return false }
        return isSaid(in: added.parent, presented) { payload in
            guard case .authorityAdd(let certificate) = payload else { return false }
            return certificate.authority == log && certificate.keyset == added.keyset
        }
    }

    /// The signers of the first keyset of which enough signed, and nobody else.
    private func signers(of signed: Signed, as type: ObjectType, among keysets: [Keyset]) -> [SigningPublicKey]? {
        for keyset in keysets {
            if let signers = signed.signers(among: keyset.keys, type: .object(type), mesh: mesh),
                signers.count >= keyset.threshold
            {
                return signers
            }
        }
        return nil
    }

    /// Whether some signature claims a key we have not met. That is no proof of anything, so it earns no more than one of
    /// few links on which we say where our logs stand and take entries: a node that slept through a rotation must be able
    /// to hear of it, and the others, whose logs know us, tell it.
    func isByStrangers(_ signed: Signed, _ keysets: [Keyset]) -> Bool {
        let known = keysets.flatMap(\.keys).map { KeyHint(of: $0) }
        return signed.attestations.contains { !known.contains($0.hint) }
    }

    /// Whether a presented chain is one that our log holds, link by link up to the root.
    private func isKnown(
        _ chain: PresentedChain, _ shown: DeviceCertificate, _ presented: [AuthorityCertificate]
    ) -> Bool {
        switch chain {
        case .certificates:
            var at = shown.issuer
            for certificate in presented {
                guard certificate.authority == at, let log = logs[at],
                    log.grants.contains(where: { $0.certificate.hash == certificate.hash && $0.place.log == log.parent }
                    )
                else { return false }
                at = certificate.parent
            }
            return at == genesis.rootID
        case .hash(let hash):
            return knownChains(from: shown.issuer).contains { ChainHash(device: shown.hash, authorities: $0) == hash }
        }
    }

    /// Every way up from an authority: more than one only when its certificate was renewed.
    private func knownChains(from authority: AuthorityID) -> [[CertificateHash]] {
        if authority == genesis.rootID { return [[]] }
        guard let log = logs[authority], let parent = log.parent else { return [] }
        return log.grants.filter { $0.place.log == parent }.suffix(4).flatMap { grant in
            knownChains(from: parent).map { [grant.certificate.hash] + $0 }
        }
    }
}
