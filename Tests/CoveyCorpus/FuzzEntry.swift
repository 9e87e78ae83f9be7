/// The readers of strangers' bytes, one by one. Each takes any input whatever and comes back: what it finds wrong with
/// the input is no matter, what it finds wrong with us is a trap.
package enum FuzzEntry: String, CaseIterable, Sendable {
    // Objects.
    case signed
    case certificate
    case entry
    case note
    case bundle
    case plaintext
    case invitation
    case request
    case welcome
    case coveyfile
    case proof
    case keyfile
    /// Entries and notes that hold, of authorities and devices that mean harm.
    case membership

    // Pictures of codes.
    case code
    case image

    // Mail and beacons.
    case envelope
    case beacon

    // A link.
    case packet
    case authpayload
    case frames
    case dataframe
    case transport
    case sync
    case reconciler

    case controlLine = "control-line"

    // A whole node.
    case nodeStranger = "node-stranger"
    case nodeMember = "node-member"

    /// The entry as a function. What it needs is made once, so call this once and the function often.
    package func function() -> ([UInt8]) -> Void {
        switch self {
        case .signed: return ObjectEntries.signed
        case .certificate: return ObjectEntries.certificate
        case .entry: return ObjectEntries.entry
        case .note: return ObjectEntries.note
        case .bundle: return ObjectEntries.bundle
        case .plaintext: return ObjectEntries.plaintext
        case .invitation: return ObjectEntries.invitation
        case .coveyfile: return ObjectEntries.coveyfile
        case .proof: return ProofEntry().run
        case .keyfile: return ObjectEntries.keyfile
        case .request: return EnrolmentEntries().request
        case .welcome: return EnrolmentEntries().welcome
        case .membership: return MembershipEntry().run
        case .code: return CodeEntries.code
        case .image: return CodeEntries.image
        case .envelope: return MailEntries.envelope
        case .beacon: return MailEntries.beacon
        case .packet: return LinkEntries.packet
        case .authpayload: return LinkEntries.authpayload
        case .frames: return LinkEntries.frame
        case .dataframe: return LinkEntries.data
        case .transport: return TransportEntry().run
        case .sync: return SyncEntries.frame
        case .reconciler: return SyncEntries.reconciler
        case .controlLine: return ControlEntry.run
        case .nodeStranger: return StrangerEntry().run
        case .nodeMember: return MemberEntry().run
        }
    }
}
