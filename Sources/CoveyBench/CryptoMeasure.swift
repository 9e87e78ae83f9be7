import CoveyCrypto

/// What one operation of CoveyCrypto costs, beside the same calls in C (`limit micro`).
func measureCrypto() {
    let random = SystemRandom()
    let key = SymmetricKey(from: random)
    let pair = SigningPrivateKey(from: random)
    for size in [100, 1024, 65536] {
        let message = random.bytes(size)
        let nonce = Nonce24.random(from: random)
        let nothing: [UInt8] = []
        var sealed: [UInt8] = []
        sealed.reserveCapacity(size + 16)

        var report = Report("crypto_us")
        report.set("size", size)
        let seal = Stopwatch.microseconds {
            sealed.removeAll(keepingCapacity: true)
            XChaCha20Poly1305.seal(
                message.span.bytes, ad: nothing.span.bytes, nonce: nonce, key: key, to: &sealed)
        }
        let open = Stopwatch.microseconds {
            let plaintext = try? XChaCha20Poly1305.open(
                sealed.span.bytes, ad: nothing.span.bytes, nonce: nonce, key: key)
            precondition(plaintext?.count == size, "what was sealed opens")
        }
        var signature = pair.sign(message.span.bytes)
        let sign = Stopwatch.microseconds { signature = pair.sign(message.span.bytes) }
        let verify = Stopwatch.microseconds {
            precondition(pair.publicKey.verify(signature, over: message.span.bytes), "an own signature is sound")
        }
        report.set("seal", seal, digits: 2)
        report.set("open", open, digits: 2)
        report.set("sign", sign, digits: 2)
        report.set("verify", verify, digits: 2)
        report.print()
    }
}
