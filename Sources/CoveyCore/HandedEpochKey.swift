package import CoveyCrypto

/// K_e on its way from an authority's directory into a node on the same machine.
///
/// The way is text, through a socket's buffers and a parser that keeps copies as it likes, so the key goes sealed, to a key
/// that the node made for this run and holds in guarded memory:
///
///     encapsulated 32 | HPKE(K_e; info "covey1:handed" | entry id, ad empty) 32 | tag 16
package enum HandedEpochKey {
    package static let byteCount = 80

    /// Nil for a receiver whose key is none.
    package static func seal(
        _ key: EpochKey, of entry: EntryID, to receiver: AgreementPublicKey, random: any RandomSource
    ) -> [UInt8]? {
        let sealed = key.exposing { key in
            try? HPKE.seal(key, ad: RawSpan(), to: receiver, info: info(entry), random: random)
        }
        guard let sealed else { return nil }
        return sealed.encapsulated.array + sealed.ciphertext
    }

    /// Nil for what was sealed to another key, as by whoever asked before the node was started anew, or of another entry.
    package static func open(_ bytes: [UInt8], of entry: EntryID, with key: AgreementPrivateKey) -> EpochKey? {
        guard bytes.count == byteCount else { return nil }
        let whole = bytes.span.bytes
        let opened = try? HPKE.openSecret(
            whole.extracting(droppingFirst: AgreementPublicKey.byteCount), ad: RawSpan(),
            encapsulated: AgreementPublicKey(copying: whole.extracting(first: AgreementPublicKey.byteCount)), with: key,
            info: info(entry))
        return opened?.exposing { EpochKey(copying: $0) }
    }

    private static func info(_ entry: EntryID) -> [UInt8] { HKDF.bytes(of: DerivationLabel.handed) + entry.array }
}
