import CoveyCrypto

/// How far a draft is, in one of its passes.
package struct DraftProgress: Sendable, Equatable {
    package enum Pass: Sendable, Equatable {
        /// Officers sign the certificates that the entry will hold.
        case certificates
        /// Officers sign the entry.
        case entry
        case note
    }

    package let pass: Pass
    /// 1 or 2: how often the draft goes round in all.
    package let passes: Int
    /// Numbers, from 1, of the keys that signed in this pass: their places in the keyset.
    package let signed: [Int]
    /// Numbers of those that may sign yet.
    package let others: [Int]
    /// Signatures that are missing in this pass.
    package let missing: Int

    package init(pass: Pass, passes: Int, signed: [Int], others: [Int], missing: Int) {
        self.pass = pass
        self.passes = passes
        self.signed = signed
        self.others = others
        self.missing = missing
    }

    package var isComplete: Bool { pass != .certificates && missing == 0 }

    /// From 1.
    package var passNumber: Int { pass == .entry && passes == 2 ? 2 : 1 }
}

/// Why an officer does not sign a draft. Each says what to do next.
package enum DraftRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case anotherMesh
    /// The log does not know the authority, or knows it with other keys than these.
    case notOurs
    /// A signature is wrong, or of a stranger.
    case signatures
    /// An act stands at its place already.
    case movedOn(place: UInt64)
    /// It is in the log.
    case done
    /// It stands on entries that are not here.
    case behind(place: UInt64, here: UInt64)
    /// At its place in the log stands another history than here.
    case otherHistory(place: UInt64)
    /// These keys signed something else for the same place.
    case signedOther(place: UInt64, when: Minute)
    /// These keys signed it in this pass.
    case signedAlready
    /// More open acts than the record holds.
    case recordFull
    /// Dated before the entry before it, or too far ahead of this machine's clock.
    case time
    /// It covers entries or notes that are not here.
    case covers
    case fault(CertificateFault)
    /// A new device without its request, or a request of other keys.
    case request
    case alreadyRevoked
    /// The log would not take it, or it would have no effect there.
    case act(AuthorityRefusal)
    case malformed(Malformed)

    package var description: String {
        switch self {
        case .anotherMesh: "The draft belongs to another mesh."
        case .notOurs: "The draft is of an authority whose keys are not here."
        case .signatures:
            "A signature on the draft is wrong; go back to the copy that the officer before you signed."
        case .movedOn(let place):
            "The log has moved on: another act took place \(place); bring the log up to date and draft this one anew."
        case .done: "This act is in the log already; there is nothing left to sign."
        case .behind(let place, let here):
            "The draft is for place \(place) of the log, and the log ends at \(here) here; import the entries between, then sign."
        case .otherHistory(let place):
            "The draft continues another history of the log than the one here, before place \(place); do not sign it, and compare your logs."
        case .signedOther(let place, _):
            "You signed another act for place \(place) of this log; two there would freeze the log for everybody. Finish that draft; or, when every copy of it is destroyed, withdraw it."
        case .signedAlready: "You signed this draft already; it waits for the other officers."
        case .recordFull: "Too many acts that you signed are not in the log yet; finish or withdraw some."
        case .time:
            "The draft is dated before the last entry of the log, or in the future; set the clocks and draft it anew."
        case .covers: "The draft covers entries or revocations that are missing here; import the log, then sign."
        case .fault(let fault): "The draft would grant nothing: \(fault.words)."
        case .request: "The draft does not hold the request of the device it is to enrol, or holds another one."
        case .alreadyRevoked: "This device is revoked already."
        case .act(let refusal): refusal.description
        case .malformed(let cause): "The draft is malformed: \(cause)."
        }
    }
}

extension Draft {
    /// Which keysets must sign the entry. New keys sign too; the cold keys alone recover the log they write in.
    func entryKeysets(_ matter: Matter, _ own: Keyset) -> [Keyset] {
        guard case .act(let payload) = matter else { return [own] }
        switch payload {
        case .authorityRotate(let rotation): return [own, rotation.keyset]
        case .recoverFork(let recovery):
            return (recovery.log == authority ? [] : [own]) + [recovery.recovery]
                + (recovery.newKeys.map { [$0.keyset] } ?? [])
        case .policySet, .authorityAdd, .authorityRevoke, .certIssue, .certRevoke, .epochAnnounce, .checkpoint,
            .groupDefinition, .releaseManifest:
            return [own]
        }
    }

    /// Certificates inside, what type they are of, and how many signatures each needs.
    func inner(_ matter: Matter, _ own: Keyset) -> [(signed: Signed, type: ObjectType, needed: Int)] {
        switch matter {
        case .issue(let certificates, _):
            certificates.map {
                let isPrivileged = !$0.capabilities.isDisjoint(with: .privileged)
                return ($0.signed, .deviceCertificate, isPrivileged ? max(2, own.threshold) : own.threshold)
            }
        case .addAuthority(let certificate): [(certificate.signed, .authorityCertificate, own.threshold)]
        case .act: []
        }
    }

    /// The entry with the signatures it has, perhaps none.
    func entry(
        _ matter: Matter, _ place: LogPlace, _ attestations: [Signed.Attestation]
    ) throws(DraftRefusal) -> Signed {
        do {
            return Signed(
                body: try LogEntry.body(log: authority, place, payload: matter.payload), attestations: attestations)
        } catch {
            throw .malformed(error)
        }
    }

    /// Signs the entry with those keys that are among `allowed`, and gives its id.
    mutating func addToEntry(
        _ keys: [SigningPrivateKey], among allowed: [SigningPublicKey]
    ) throws(DraftRefusal) -> EntryID {
        guard case .entry(let matter, let place, let attestations) = content else {
            preconditionFailure("the draft is of an entry")
        }
        let unsigned = try entry(matter, place, attestations)
        let signed: Signed
        do {
            signed = try unsigned.adding(
                keys.filter { allowed.contains($0.publicKey) }, type: .object(.logEntry), mesh: mesh)
        } catch {
            throw .malformed(error)
        }
        guard signed.attestations.count > attestations.count else { throw .signedAlready }
        content = .entry(matter, place, signed.attestations)
        return LogEntry.id(of: signed)
    }

    /// Verifies all signatures, and says which are missing.
    package func progress(among own: Keyset) throws(DraftRefusal) -> DraftProgress {
        switch content {
        case .note(let note):
            let signers = try signers(of: note.signed, .revokeNote, among: own.keys)
            return Self.progress(.note, passes: 1, signers, own.keys, missing: own.threshold - signers.count)
        case .entry(let matter, let place, let attestations):
            let inner = inner(matter, own)
            var common = own.keys
            var missing = 0
            for object in inner {
                let signers = try signers(of: object.signed, object.type, among: own.keys)
                common.removeAll { !signers.contains($0) }
                missing = max(missing, object.needed - signers.count)
            }
            let passes = inner.isEmpty || own.keys.count == 1 ? 1 : 2
            if missing > 0 {
                // The entry has no body to sign yet.
                guard attestations.isEmpty else { throw .signatures }
                return Self.progress(.certificates, passes: passes, common, own.keys, missing: missing)
            }
            let keysets = entryKeysets(matter, own)
            var keys: [SigningPublicKey] = []
            for key in keysets.flatMap(\.keys) where !keys.contains(key) { keys.append(key) }
            let signers = try signers(of: entry(matter, place, attestations), .logEntry, among: keys)
            let short = keysets.map { keyset in
                max(0, keyset.threshold - signers.filter(keyset.keys.contains).count)
            }
            return Self.progress(.entry, passes: passes, signers, keys, missing: short.reduce(0, +))
        }
    }

    private func signers(
        of signed: Signed, _ type: ObjectType, among keys: [SigningPublicKey]
    ) throws(DraftRefusal) -> [SigningPublicKey] {
        guard let signers = signed.signers(among: keys, type: .object(type), mesh: mesh) else { throw .signatures }
        return signers
    }

    private static func progress(
        _ pass: DraftProgress.Pass, passes: Int, _ signers: [SigningPublicKey], _ keys: [SigningPublicKey], missing: Int
    ) -> DraftProgress {
        let numbered = keys.enumerated().map { (number: $0.offset + 1, hasSigned: signers.contains($0.element)) }
        return DraftProgress(
            pass: pass, passes: passes, signed: numbered.filter(\.hasSigned).map(\.number),
            others: numbered.filter { !$0.hasSigned }.map(\.number), missing: max(0, missing))
    }
}

extension CertificateFault {
    /// For people: what the certificate does that it may not.
    package var words: String {
        switch self {
        case .issuer: "it is not its authority's to give"
        case .authority: "its authority has no right itself; look at that one's certificate"
        case .capabilities: "it holds rights that its authority may not give"
        case .zones: "it holds zones that its authority may not give"
        case .validity: "it is good for longer, or for more devices, than its authority may allow"
        case .depth: "its authority may have no authority below it"
        case .privilege: "announce, wipe-officer and timekeeper need the signatures of two keys"
        case .keyEncoding: "a key of the device is not in its one form"
        case .deviceKeys: "the device is known with other keys"
        case .linkKey: "another device has this link key"
        case .authorityQuota: "its authority has added as many authorities as one below the root may"
        case .quota: "its authority has as many devices as it may; revoke one first"
        case .afterLimit: "its log is frozen, or its authority revoked"
        }
    }
}
