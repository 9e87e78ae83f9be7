package import CoveyCore
package import CoveyCrypto

extension Frame {
    /// How the mail of one priority is found on a link (sync-routing.md §2.1).
    package enum Mode: UInt8, Sendable {
        /// Reconciliation.
        case full = 0
        /// Offers.
        case lean = 1
    }

    /// One value for each priority, 0 to 3.
    package struct PerPriority<Value: Sendable & Equatable>: Sendable, Equatable {
        package var values: [Value]

        package init(repeating value: Value) {
            values = Array(repeating: value, count: Priority.allCases.count)
        }

        package subscript(priority: Priority) -> Value {
            get { values[Int(priority.rawValue)] }
            set { values[Int(priority.rawValue)] = newValue }
        }
    }

    /// HELLO (01): what a node is like and what it has, once the log and the notes are settled (sync-routing.md §2.5).
    ///
    ///     ver u8 (1) | instance[8] | clock u64 (ms of mail_now since 1970) | timeOk u8 | epoch[4]
    ///     | n u8 | n × (len u8 | DIGEST body)
    ///     | rxMaxFrame u24 | rateHint u16 (kbit/s, 65535 = that or more) | flags u8 | modes u16
    ///     | 4 × credit varint (bytes; priorities 0 to 3) | n u8 | n × zone u8 | 4 × pressure u8
    ///
    /// `modes` has four bits a priority, priority 0 in the lowest. Everything unknown is refused: a later version has
    /// another first byte.
    package struct Hello: FrameBody, Equatable {
        package struct Flags: OptionSet, Sendable {
            package let rawValue: UInt8
            package init(rawValue: UInt8) { self.rawValue = rawValue }
            package static let metered = Flags(rawValue: 1)
            package static let battery = Flags(rawValue: 2)
            package static let shared = Flags(rawValue: 4)
            package static let dutyCycle = Flags(rawValue: 8)
            fileprivate static let known: Flags = [.metered, .battery, .shared, .dutyCycle]
        }

        package static let type = FrameType.hello
        package static let version: UInt8 = 1
        package static let mostZones = 16
        /// Three sets, four priorities, and the zones.
        package static let mostDigests = 3 + 4 + mostZones
        package static let mostDigestSize = 32
        /// Milliseconds since 1970 that whole minutes of 32 bits can say: times beyond are nobody's.
        package static let mostClock = UInt64(UInt32.max) * 60_000

        /// New at each start of a node.
        package var instance: Octets8
        /// Milliseconds of mail_now since 1970.
        package var clock: UInt64
        package var timeIsTrusted: Bool
        /// The preferred epoch.
        package var epoch: EpochPrefix
        /// Encoded bodies of DIGEST, which CoveySync makes and reads.
        package var digests: [[UInt8]]
        /// Bytes of the largest frame body the sender takes.
        package var mostFrame: UInt32
        /// kbit/s.
        package var rateHint: UInt16
        package var flags: Flags
        package var modes: PerPriority<Mode>
        /// Bytes of envelopes the sender has room for.
        package var credits: PerPriority<UInt64>
        /// The sender's own.
        package var zones: [UInt8]
        /// How full the quota of a priority is, 0 to 255.
        package var pressure: PerPriority<UInt8>

        package init(
            instance: Octets8, clock: UInt64, timeIsTrusted: Bool, epoch: EpochPrefix, digests: [[UInt8]] = [],
            mostFrame: UInt32 = UInt32(LinkBounds.frameBody), rateHint: UInt16 = .max, flags: Flags = [],
            modes: PerPriority<Mode> = .init(repeating: .full), credits: PerPriority<UInt64>, zones: [UInt8] = [],
            pressure: PerPriority<UInt8> = .init(repeating: 0)
        ) {
            self.instance = instance
            self.clock = clock
            self.timeIsTrusted = timeIsTrusted
            self.epoch = epoch
            self.digests = digests
            self.mostFrame = mostFrame
            self.rateHint = rateHint
            self.flags = flags
            self.modes = modes
            self.credits = credits
            self.zones = zones
            self.pressure = pressure
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            let version = try reader.u8()
            guard version == Self.version else { throw .unknownVersion(version) }
            instance = try reader.octets()
            clock = try reader.u64()
            guard clock <= Self.mostClock else { throw .oversized }
            timeIsTrusted = try reader.bool()
            epoch = try reader.octets()
            digests = []
            let digestCount = Int(try reader.u8())
            guard digestCount <= Self.mostDigests else { throw .oversized }
            for _ in 0..<digestCount {
                let size = Int(try reader.u8())
                guard (1...Self.mostDigestSize).contains(size) else { throw .oversized }
                digests.append(try reader.bytes(size))
            }
            mostFrame = try reader.u24()
            rateHint = try reader.u16()
            flags = Flags(rawValue: try reader.u8())
            guard flags.isSubset(of: .known) else { throw .value(flags.rawValue) }
            let packedModes = try reader.u16()
            modes = PerPriority(repeating: .full)
            for priority in Priority.allCases {
                let nibble = UInt8(truncatingIfNeeded: packedModes >> (4 * UInt16(priority.rawValue)) & 0xF)
                guard let mode = Mode(rawValue: nibble) else { throw .value(nibble) }
                modes[priority] = mode
            }
            credits = PerPriority(repeating: 0)
            for priority in Priority.allCases { credits[priority] = try reader.varint() }
            let zoneCount = Int(try reader.u8())
            guard zoneCount <= Self.mostZones else { throw .oversized }
            zones = try reader.bytes(zoneCount)
            guard !zones.contains(255) else { throw .value(255) }
            pressure = PerPriority(repeating: 0)
            for priority in Priority.allCases { pressure[priority] = try reader.u8() }
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            precondition(clock <= Self.mostClock, "a clock is a time of this protocol")
            precondition(digests.count <= Self.mostDigests, "HELLO has a digest for each set at most")
            precondition(zones.count <= Self.mostZones, "a device has at most 16 zones")
            out.append(Self.version)
            out.append(instance)
            out.append(u64: clock)
            out.append(timeIsTrusted ? 1 : 0)
            out.append(epoch)
            out.append(UInt8(digests.count))
            for digest in digests {
                precondition((1...Self.mostDigestSize).contains(digest.count), "a digest has 1 to 32 bytes")
                out.append(UInt8(digest.count))
                out += digest
            }
            out.append(UInt8(truncatingIfNeeded: mostFrame >> 16))
            out.append(u16: UInt16(truncatingIfNeeded: mostFrame))
            out.append(u16: rateHint)
            out.append(flags.rawValue)
            var packedModes: UInt16 = 0
            for priority in Priority.allCases {
                packedModes |= UInt16(modes[priority].rawValue) << (4 * UInt16(priority.rawValue))
            }
            out.append(u16: packedModes)
            for priority in Priority.allCases { out.append(varint: credits[priority]) }
            out.append(UInt8(zones.count))
            out += zones
            for priority in Priority.allCases { out.append(pressure[priority]) }
        }
    }
}
