/// Nothing that a user wrote is on any wire (invariant 17). Texts of at least sixteen bytes are looked for.
public final class NoPlaintext: Checker, WireTap {
    public let name = "no plaintext"
    /// The first eight bytes of a text, as a number, and its text.
    private var texts: [UInt64: [UInt8]] = [:]
    private var taken = 0

    public init() {}

    public func begin(in world: World) { world.add(tap: self) }

    package func heard(datagram: [UInt8], from host: Host, in world: World) { look(at: datagram, from: host, world) }

    package func heard(stream: [UInt8], from host: Host, to other: Host, in world: World) {
        look(at: stream, from: host, world)
    }

    private func look(at bytes: [UInt8], from host: Host, _ world: World) {
        let sent = world.sentMessages
        while taken < sent.count {
            let text = Array(sent[taken].text.utf8)
            taken += 1
            if text.count >= 16 { texts[text.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }] = Array(text.prefix(16)) }
        }
        if texts.isEmpty { return }
        var window: UInt64 = 0
        for at in bytes.indices {
            window = window << 8 | UInt64(bytes[at])
            guard at >= 7, let text = texts[window], bytes.count - (at - 7) >= text.count,
                bytes[(at - 7)..<(at - 7 + text.count)].elementsEqual(text)
            else { continue }
            return world.violate(name, "\"\(String(decoding: text, as: UTF8.self))…\" is on the wire", at: host)
        }
    }
}
