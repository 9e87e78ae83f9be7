/// How likely a node reaches destinations, as it tells its neighbours on contact (sync-routing.md §3.3).
package struct UtilityVector: Sendable {
    /// Ascending.
    package var destinations: [Destination] = []
    /// 0 to 1, one for each destination, as of `step`.
    package var values: [Double] = []
    /// Steps of 30 s of the neighbour's uptime that its values have aged.
    package var step: UInt64 = 0

    @inlinable
    package init() {}

    /// 0 for what is not listed.
    @inlinable
    package func value(_ destination: Destination) -> Double {
        var low = 0
        var high = destinations.count
        while low < high {
            let middle = (low + high) / 2
            if destinations[middle] < destination { low = middle + 1 } else { high = middle }
        }
        return low < destinations.count && destinations[low] == destination ? values[low] : 0
    }
}
