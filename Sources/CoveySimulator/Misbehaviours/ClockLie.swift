/// Its HELLO says an hour that is far off.
final class ClockLie: Conduct {
    let clockError: Int64

    init(by difference: Duration) { clockError = difference.components.seconds }
}
