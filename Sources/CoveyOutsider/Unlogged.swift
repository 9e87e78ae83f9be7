import CoveyCore
import CoveyCrypto

/// A device that a stolen authority key made: a good certificate, a good network key, and no entry in any log.
///
/// It gets the frames of a catch-up link and nothing else, and is closed after ten seconds (protocol.md §1.7, §2.3).
struct Unlogged {
    let authority: String
    let target: SocketAddress
    let isGreedy: Bool

    private enum Bounds {
        /// Milliseconds after which the link should have been closed.
        static let open = 15_000
        /// Milliseconds that a node gives a catch-up link; a timer may be late, it is never early.
        static let catchUp = 9_500...12_000
    }

    /// True when it was given what it may have, and no more.
    func run() throws -> Bool {
        let random = SystemRandom()
        let thief = try UnloggedDevice(
            StolenAuthority(directory: authority), now: Minute.current, random: random)
        let connection = try Connection(to: target)
        let watch = Stopwatch()
        var visit = try thief.dial(connection)
        Line.write("linked to \(visit.peer.label) (\(visit.peer.device)) after \(watch.seconds) s")
        let linked = Stopwatch()
        try visit.ask(greedily: isGreedy)
        let isClosed = try visit.record(until: Bounds.open, linked)
        let time = linked.milliseconds
        for (frame, count) in visit.counts { Line.write("frame \(frame): \(count)") }
        for mistake in visit.mistakes { Line.write("it should not have been given: \(mistake)") }
        Line.write("unlogged: \(isClosed ? "closed" : "still open") after \(linked.seconds) s")
        guard isClosed else { return false }
        // Who asks for more than a catch-up link gives is closed at once.
        let inTime = isGreedy ? time <= Bounds.catchUp.upperBound : Bounds.catchUp.contains(time)
        if !inTime { Line.write("it should have been closed after 10 s") }
        return visit.mistakes.isEmpty && inTime && !visit.counts.isEmpty
    }
}
