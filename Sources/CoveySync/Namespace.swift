package import CoveyCore

/// A set that two nodes make equal, and its number on the wire (sync-routing.md §2.1, §2.5).
package struct Namespace: Hashable, Comparable, Sendable {
    package let number: UInt64

    private init(_ number: UInt64) { self.number = number }

    /// Nil for a number that names no set.
    package init?(number: UInt64) {
        switch number {
        case 1...7, 256...510: self.number = number
        default: return nil
        }
    }

    /// RevokeNotes, Suspends, fork proofs.
    package static let notes = Namespace(1)
    /// Prekey bundles, the newest of each device.
    package static let bundles = Namespace(2)
    /// Purge rows.
    package static let vaccines = Namespace(3)

    /// Mail of one priority.
    package static func mail(_ priority: Priority) -> Namespace { Namespace(4 + UInt64(priority.rawValue)) }

    /// Mail of one zone, when both sides list it. Nil for the hint that says any.
    package static func mail(of zone: ZoneHint) -> Namespace? {
        zone.isAny ? nil : Namespace(256 + UInt64(zone.value))
    }

    package static func < (left: Namespace, right: Namespace) -> Bool { left.number < right.number }

    /// The id of a bundle begins with its device, and two bundles of one device differ in the second half alone. Sums and
    /// 16-byte ids are taken from the half that tells items apart, else an old bundle would count as the new one.
    var summedHalf: ItemID.Half { self == .bundles ? .second : .first }
}
