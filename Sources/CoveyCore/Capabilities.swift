/// What a certificate lets its device do, or an authority grant (protocol.md §1.2). Unknown bits are critical.
package struct Capabilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let link = Capabilities(rawValue: 1 << 0)
    package static let send = Capabilities(rawValue: 1 << 1)
    /// Store envelopes for others.
    package static let carry = Capabilities(rawValue: 1 << 2)
    package static let announce = Capabilities(rawValue: 1 << 3)
    package static let groupOwn = Capabilities(rawValue: 1 << 4)
    package static let urgent = Capabilities(rawValue: 1 << 5)
    package static let timekeeper = Capabilities(rawValue: 1 << 6)
    package static let enrolProxy = Capabilities(rawValue: 1 << 7)
    package static let wipeOfficer = Capabilities(rawValue: 1 << 8)
    package static let auditor = Capabilities(rawValue: 1 << 9)
    package static let gateway = Capabilities(rawValue: 1 << 10)
    package static let bulk = Capabilities(rawValue: 1 << 11)
    /// The device accepts wipe orders.
    package static let orgOwned = Capabilities(rawValue: 1 << 12)
    package static let releaseMirror = Capabilities(rawValue: 1 << 13)

    package static let all = Capabilities(rawValue: 0x3FFF)

    /// Granted only with two authority signatures, whatever the threshold (protocol.md §1.3).
    package static let privileged: Capabilities = [.announce, .wipeOfficer, .timekeeper]

    /// As people type and read them. What every member has comes first.
    package static let names: [(name: String, capability: Capabilities)] = [
        ("link", .link), ("send", .send), ("carry", .carry), ("group-own", .groupOwn), ("urgent", .urgent),
        ("gateway", .gateway), ("bulk", .bulk), ("auditor", .auditor), ("enrol-proxy", .enrolProxy),
        ("release-mirror", .releaseMirror), ("org-owned", .orgOwned), ("announce", .announce),
        ("wipe-officer", .wipeOfficer), ("timekeeper", .timekeeper),
    ]

    package var words: [String] { Self.names.filter { contains($0.capability) }.map(\.name) }

    /// Nil when a bit is set that this version does not know.
    package init?(known bits: UInt32) {
        guard bits & ~Capabilities.all.rawValue == 0 else { return nil }
        self.init(rawValue: bits)
    }
}
