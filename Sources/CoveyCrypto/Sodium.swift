internal import CSodium

/// libsodium asks to be initialised once before anything else; every door into it passes here.
enum Sodium {
    private static let started: Bool = {
        let status = sodium_init()
        precondition(status >= 0, "libsodium starts on every machine Covey supports")
        return true
    }()

    @inline(__always)
    static func start() { _ = started }
}
