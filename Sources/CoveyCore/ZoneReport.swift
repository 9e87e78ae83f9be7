/// How well a device reaches a zone, as it tells its neighbours (sync-routing.md §3.3).
package struct ZoneReport: Hashable, Sendable, BitwiseCopyable {
    /// Only meetings lead to the zone.
    package static let noWay: UInt8 = 255

    package var zone: ZoneHint
    /// 255 is certain.
    package var likelihood: UInt8
    /// Links to the nearest device of the zone, 0 for one's own; or `noWay`.
    package var hops: UInt8
    /// Devices of a zone count the minutes: a way whose number stands still leads nowhere any more.
    package var origin: UInt16

    package init(zone: ZoneHint, likelihood: UInt8, hops: UInt8, origin: UInt16) {
        self.zone = zone
        self.likelihood = likelihood
        self.hops = hops
        self.origin = origin
    }
}
