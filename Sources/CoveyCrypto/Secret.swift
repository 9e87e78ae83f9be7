internal import CSodium

/// Secret bytes in guarded memory, wiped when the last holder lets go.
///
/// Keys, and records with a few of them, live in slots of an arena; more, as a passphrase may have, in guarded pages of
/// its own.
/// Has no description and compares in constant time. Typed keys are structs over it.
package final class Secret: @unchecked Sendable {
    package let byteCount: Int
    private let slot: UnsafeMutableRawPointer

    /// Zero bytes, to be filled by a function of this room.
    init(byteCount: Int) {
        precondition(byteCount > 0, "a secret has at least one byte")
        self.byteCount = byteCount
        slot = SecretArena.take(byteCount: byteCount)
    }

    convenience init(copying bytes: RawSpan) {
        self.init(byteCount: bytes.byteCount)
        bytes.withUnsafeBytes { slot.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    convenience init(byteCount: Int, from source: any RandomSource) {
        self.init(byteCount: byteCount)
        fill { source.fill(&$0) }
    }

    deinit { SecretArena.give(slot, byteCount: byteCount) }

    /// The pointer stays valid while `self` lives; it is used inside this room only, and never kept.
    var pointer: UnsafePointer<UInt8> { UnsafePointer(slot.assumingMemoryBound(to: UInt8.self)) }

    /// Writes into a secret that is still being made.
    func fill<Result>(_ body: (inout MutableRawSpan) -> Result) -> Result {
        defer { withExtendedLifetime(self) {} }
        var span = UnsafeMutableRawBufferPointer(start: slot, count: byteCount).mutableBytes
        return body(&span)
    }

    func withMutablePointer<Result>(_ body: (UnsafeMutablePointer<UInt8>) -> Result) -> Result {
        defer { withExtendedLifetime(self) {} }
        return body(slot.assumingMemoryBound(to: UInt8.self))
    }

    func withSpan<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: slot, count: byteCount).bytes)
    }

    static func equal(_ left: Secret, _ right: Secret) -> Bool {
        guard left.byteCount == right.byteCount else { return false }
        defer { withExtendedLifetime((left, right)) {} }
        return sodium_memcmp(left.slot, right.slot, left.byteCount) == 0
    }
}

/// A key that can be written to sealed storage or to a link, at places a reader can search for by name.
package protocol SecretKey: Sendable {
    static var byteCount: Int { get }
    var secret: Secret { get }
    init(taking secret: Secret)
}

extension SecretKey {
    /// Copies secret bytes that came from sealed storage, a key file or a frame. Wipe the source afterwards.
    package init(copying bytes: RawSpan) {
        precondition(bytes.byteCount == Self.byteCount, "the bytes have the length of the key")
        self.init(taking: Secret(copying: bytes))
    }

    package init(from source: any RandomSource) {
        self.init(taking: Secret(byteCount: Self.byteCount, from: source))
    }

    /// Shows the secret to `body`, for sealing or for a frame inside a link. Never log, format or keep it.
    package func exposing<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try secret.withSpan(body)
    }

    package func isEqual(to other: Self) -> Bool { Secret.equal(secret, other.secret) }
}

/// 32 bytes for a cipher, a MAC, a keyed hash or a key derivation.
package struct SymmetricKey: SecretKey {
    package static let byteCount = 32
    package let secret: Secret
    package init(taking secret: Secret) {
        precondition(secret.byteCount == Self.byteCount, "a symmetric key has 32 bytes")
        self.secret = secret
    }
}
