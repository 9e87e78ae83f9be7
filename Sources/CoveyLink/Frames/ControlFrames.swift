package import CoveyCore

extension Frame {
    /// BYE (02): `reason u8 | retryAfter u16 (s)`.
    package struct Bye: FrameBody, Equatable {
        package enum Reason: UInt8, Sendable {
            /// The other link between the two stays.
            case duplicate = 1
            case shutdown = 2
            case revoked = 3
            case policy = 4
            case overload = 5
        }

        package static let type = FrameType.bye
        package let reason: Reason
        /// Seconds.
        package let retryAfter: UInt16

        package init(_ reason: Reason, retryAfter: UInt16 = 0) {
            self.reason = reason
            self.retryAfter = retryAfter
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            let number = try reader.u8()
            guard let reason = Reason(rawValue: number) else { throw .value(number) }
            self.reason = reason
            retryAfter = try reader.u16()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(reason.rawValue)
            out.append(u16: retryAfter)
        }
    }

    /// PING (03): `time u32 | echo u32 | queueMs u16`. The clocks are milliseconds of each sender's own, and wrap.
    package struct Ping: FrameBody, Equatable {
        package static let type = FrameType.ping
        package let time: UInt32
        /// The time last heard from the peer.
        package let echo: UInt32
        /// How long the sender's queue is.
        package let queueMilliseconds: UInt16

        package init(time: UInt32, echo: UInt32 = 0, queueMilliseconds: UInt16 = 0) {
            self.time = time
            self.echo = echo
            self.queueMilliseconds = queueMilliseconds
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            time = try reader.u32()
            echo = try reader.u32()
            queueMilliseconds = try reader.u16()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(u32: time)
            out.append(u32: echo)
            out.append(u16: queueMilliseconds)
        }
    }

    /// PONG (04): as PING, whose time it echoes.
    package struct Pong: FrameBody, Equatable {
        package static let type = FrameType.pong
        package let time: UInt32
        package let echo: UInt32
        package let queueMilliseconds: UInt16

        package init(to ping: Ping, time: UInt32, queueMilliseconds: UInt16 = 0) {
            self.time = time
            echo = ping.time
            self.queueMilliseconds = queueMilliseconds
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            let ping = try Ping(parsing: body)
            time = ping.time
            echo = ping.echo
            queueMilliseconds = ping.queueMilliseconds
        }

        package func encode(to out: inout [UInt8]) {
            Ping(time: time, echo: echo, queueMilliseconds: queueMilliseconds).encode(to: &out)
        }
    }

    /// CREDIT (05): `class u8 | bytes varint | items varint`, what the sender has room for besides what it granted before.
    package struct Credit: FrameBody, Equatable {
        package static let type = FrameType.credit
        package let priority: Priority
        package let bytes: UInt64
        package let items: UInt64

        package init(_ priority: Priority, bytes: UInt64, items: UInt64) {
            self.priority = priority
            self.bytes = bytes
            self.items = items
        }

        package init(parsing body: RawSpan) throws(Malformed) {
            var reader = ByteReader(body)
            let number = try reader.u8()
            guard let priority = Priority(rawValue: number) else { throw .value(number) }
            self.priority = priority
            bytes = try reader.varint()
            items = try reader.varint()
            try reader.end()
        }

        package func encode(to out: inout [UInt8]) {
            out.append(priority.rawValue)
            out.append(varint: bytes)
            out.append(varint: items)
        }
    }
}
