/// The frames of a link (protocol.md §2.3). 00 is padding and no frame.
///
/// An unknown number from 0x80 on is skipped by its length, an unknown one below closes the link.
package enum FrameType: UInt8, Sendable, CaseIterable {
    case hello = 0x01
    case bye = 0x02
    case ping = 0x03
    case pong = 0x04
    case credit = 0x05
    case join = 0x10
    case forwardJoin = 0x11
    case neighbor = 0x12
    case neighborReply = 0x13
    case shuffle = 0x14
    case shuffleReply = 0x15
    case digest = 0x20
    case summary = 0x21
    case recon = 0x22
    case reconDone = 0x23
    case iHave = 0x30
    case graft = 0x31
    case prune = 0x32
    case iDontWant = 0x33
    case offer = 0x38
    case want = 0x39
    case notHave = 0x3A
    case data = 0x40
    case dataAck = 0x41
    case cancel = 0x42
    case vax = 0x48
    case util = 0x60
    case logHeads = 0x70
    case logGet = 0x71
    case logPut = 0x72
    case notePut = 0x73
    case epochKey = 0x74
    case wantCert = 0x75
    case cert = 0x76
    case bundleGet = 0x77
    case bundlePut = 0x78
    case pairPrekey = 0x79
    case timeRequest = 0x7A
    case timeResponse = 0x7B

    static let padding: UInt8 = 0x00
    static let firstSkippable: UInt8 = 0x80
}

/// How far a link has come; what may be said depends on it.
package enum LinkPhase: Sendable {
    /// Message 3 is through, but not both HELLOs: the membership log, notes, the set `note`, and the epoch key.
    case beforeHello
    /// Both HELLOs are through.
    case open
    /// The peer is not yet a member in our log (protocol.md §1.7).
    case catchUp
}

extension FrameType {
    /// Whether a peer may send this frame in `phase`. Before HELLO, frames 20–23, WANT and NOTHAVE are about the set `note`
    /// only, which whoever opens them checks.
    package func isAllowed(in phase: LinkPhase) -> Bool {
        switch phase {
        case .open: true
        case .beforeHello: isAllowedBeforeHello
        case .catchUp: isAllowedOnCatchUp
        }
    }

    private var isAllowedBeforeHello: Bool {
        switch self {
        case .hello, .bye, .ping, .pong, .digest, .summary, .recon, .reconDone, .logHeads, .logGet, .logPut, .notePut,
            .epochKey, .wantCert, .cert, .want, .notHave:
            true
        case .credit, .join, .forwardJoin, .neighbor, .neighborReply, .shuffle, .shuffleReply, .iHave, .graft, .prune,
            .iDontWant, .offer, .data, .dataAck, .cancel, .vax, .util, .bundleGet, .bundlePut, .pairPrekey,
            .timeRequest, .timeResponse:
            false
        }
    }

    private var isAllowedOnCatchUp: Bool {
        switch self {
        case .bye, .ping, .pong, .logHeads, .logGet, .logPut, .notePut, .wantCert, .cert: true
        case .hello, .credit, .join, .forwardJoin, .neighbor, .neighborReply, .shuffle, .shuffleReply, .digest,
            .summary, .recon, .reconDone, .iHave, .graft, .prune, .iDontWant, .offer, .want, .notHave, .data, .dataAck,
            .cancel, .vax, .util, .epochKey, .bundleGet, .bundlePut, .pairPrekey, .timeRequest, .timeResponse:
            false
        }
    }
}
