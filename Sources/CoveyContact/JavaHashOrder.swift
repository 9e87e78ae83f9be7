/// In what order `java.util.HashMap` walks over keys that are strings.
///
/// A map has a power of two of buckets. It is walked bucket by bucket, and within a bucket in the order of insertion;
/// a map that doubles keeps that order. So the walk over a map is a list, sorted by bucket, whose items never swap
/// within one: `OneBuffers` keeps its copies so and needs no buckets.
package enum JavaHashOrder {
    /// Buckets of a map that was never large.
    static let smallest: Int32 = 16
    /// A bucket that would hold more than this makes a map of fewer than `smallestWithTrees` buckets double.
    static let fullBucket = 8
    static let smallestWithTrees: Int32 = 64

    /// `String.hashCode`, its upper half mixed into the lower: the low bits of it name the bucket.
    package static func spread(_ name: String) -> UInt32 {
        var hash: UInt32 = 0
        for unit in name.utf16 { hash = hash &* 31 &+ UInt32(unit) }
        return hash ^ hash >> 16
    }

    /// Whether a map of so many keys doubles when it has so many buckets.
    static func isFull(_ count: Int, buckets: Int32) -> Bool { 4 * count > 3 * Int(buckets) }
}
