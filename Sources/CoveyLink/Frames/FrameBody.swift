package import CoveyCore

/// The body of one frame, parsed and bounded. `init(parsing:)` takes exactly the whole body.
package protocol FrameBody: Sendable {
    static var type: FrameType { get }
    init(parsing body: RawSpan) throws(Malformed)
    /// Appends the body.
    func encode(to out: inout [UInt8])
}

/// Typed bodies of the frames this room knows. Those of 20–23 belong to CoveySync, which gives and takes their bytes.
package enum Frame {}
