/// A handshake pattern as data: what each side knows beforehand, and the tokens of each message (Noise §7).
package struct HandshakePattern: Sendable, Equatable {
    package enum Token: Sendable, Equatable { case e, s, ee, es, se, ss, psk }

    package let name: String
    /// Static keys known to the other side before the first message.
    package let initiatorKnown: Bool
    package let responderKnown: Bool
    /// The initiator writes the messages of even index; a one-way pattern has a single one.
    package let messages: [[Token]]
    /// In `psk` handshakes an ephemeral key is mixed into the chaining key as well (Noise §9.2).
    package let usesPSK: Bool

    package var isOneWay: Bool { messages.count == 1 }
    package var pskCount: Int { messages.joined().count { $0 == .psk } }

    private init(
        _ name: String, initiatorKnown: Bool = false, responderKnown: Bool = false, _ messages: [Token]...
    ) {
        self.init(name: name, initiatorKnown: initiatorKnown, responderKnown: responderKnown, messages: messages)
    }

    private init(name: String, initiatorKnown: Bool, responderKnown: Bool, messages: [[Token]]) {
        self.name = name
        self.initiatorKnown = initiatorKnown
        self.responderKnown = responderKnown
        self.messages = messages
        usesPSK = messages.joined().contains(.psk)
    }

    /// The modifiers psk0, psk1, …: 0 stands at the start of the first message, n at the end of message n (Noise §9.4).
    package func withPSK(at places: Int...) -> HandshakePattern { withPSK(at: places) }

    package func withPSK(at places: [Int]) -> HandshakePattern {
        var messages = messages
        for place in places.sorted(by: >) {
            precondition((0...messages.count).contains(place), "a psk modifier names a message of the pattern")
            if place == 0 { messages[0].insert(.psk, at: 0) } else { messages[place - 1].append(.psk) }
        }
        return HandshakePattern(
            name: name + places.sorted().map { "psk\($0)" }.joined(separator: "+"), initiatorKnown: initiatorKnown,
            responderKnown: responderKnown, messages: messages)
    }

    // One-way patterns (Noise §7.4).
    package static let n = HandshakePattern("N", responderKnown: true, [.e, .es])
    package static let k = HandshakePattern("K", initiatorKnown: true, responderKnown: true, [.e, .es, .ss])
    package static let x = HandshakePattern("X", responderKnown: true, [.e, .es, .s, .ss])

    // Interactive patterns (Noise §7.5).
    package static let nn = HandshakePattern("NN", [.e], [.e, .ee])
    package static let nk = HandshakePattern("NK", responderKnown: true, [.e, .es], [.e, .ee])
    package static let nx = HandshakePattern("NX", [.e], [.e, .ee, .s, .es])
    package static let kn = HandshakePattern("KN", initiatorKnown: true, [.e], [.e, .ee, .se])
    package static let kk = HandshakePattern(
        "KK", initiatorKnown: true, responderKnown: true, [.e, .es, .ss], [.e, .ee, .se])
    package static let kx = HandshakePattern("KX", initiatorKnown: true, [.e], [.e, .ee, .se, .s, .es])
    package static let xn = HandshakePattern("XN", [.e], [.e, .ee], [.s, .se])
    package static let xk = HandshakePattern("XK", responderKnown: true, [.e, .es], [.e, .ee], [.s, .se])
    package static let xx = HandshakePattern("XX", [.e], [.e, .ee, .s, .es], [.s, .se])
    package static let `in` = HandshakePattern("IN", [.e, .s], [.e, .ee, .se])
    package static let ik = HandshakePattern("IK", responderKnown: true, [.e, .es, .s, .ss], [.e, .ee, .se])
    package static let ix = HandshakePattern("IX", [.e, .s], [.e, .ee, .se, .s, .es])

    /// The responder proves itself one message later (Noise §7.6).
    package static let xx1 = HandshakePattern("XX1", [.e], [.e, .ee, .s], [.es, .s, .se])

    package static let all: [HandshakePattern] = [
        n, k, x, nn, nk, nx, kn, kk, kx, xn, xk, xx, `in`, ik, ix, xx1,
    ]

    /// What a link of Covey uses (protocol.md §2.1).
    package static let xxpsk0 = xx.withPSK(at: 0)
}
