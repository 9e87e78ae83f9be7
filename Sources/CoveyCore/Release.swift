/// A release as its log lists it (protocol.md §1.11). Carried and shown, never executed.
package struct Release: Sendable, Equatable {
    /// Hours between the entry and the day it may be installed, at least.
    package static let soakHours: Int64 = 72

    package let entry: EntryID
    /// In the release log, where 1 says the keyset.
    package let sequence: UInt64
    package let time: Minute
    package let manifest: ReleaseManifest

    /// When it has been public long enough, whatever its manifest says.
    package var soaked: Minute { max(manifest.notBefore, time.adding(Self.soakHours * 60)) }
}
