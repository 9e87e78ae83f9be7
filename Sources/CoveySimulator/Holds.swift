import CoveyCore

// Holding what is under way between two hosts, and letting it go, all at once or piece by piece.

extension World {
    /// One piece that is held.
    public struct HeldPiece: Hashable, Sendable {
        /// Who sent it.
        public let from: Host
        /// Where it would have arrived.
        public let to: Host
        /// Bytes; 0 for the beginning or the end of a stream.
        public let size: Int
        /// Else it is part of a stream.
        public let isDatagram: Bool
    }

    /// What one host sends to the other does not arrive until it is released; the other way too, unless `oneWay`.
    /// Streams stand meanwhile. What asks for a new connection is asked again in vain.
    public func hold(_ a: Host, _ b: Host, oneWay: Bool = false) {
        checkIdle()
        add(hold: UInt32(a.index), UInt32(b.index))
        if !oneWay { add(hold: UInt32(b.index), UInt32(a.index)) }
    }

    private func add(hold from: UInt32, _ to: UInt32) {
        if !holds.contains(where: { $0.from == from && $0.to == to }) { holds.append((from, to)) }
        note(.fault, number: UInt64(from) << 32 | UInt64(to))
    }

    /// Ends a hold: all that was held arrives now, in the order of arrival.
    public func release(_ a: Host, _ b: Host, oneWay: Bool = false) {
        checkIdle()
        let (first, second) = (UInt32(a.index), UInt32(b.index))
        holds.removeAll { $0.from == first && $0.to == second || !oneWay && $0.from == second && $0.to == first }
        note(.fault, number: UInt64(first) << 32 | UInt64(second))
        letGo(from: first, to: second)
        if !oneWay { letGo(from: second, to: first) }
    }

    /// Ends all holds.
    public func releaseAll() {
        checkIdle()
        let ended = holds
        holds = []
        note(.fault, number: 0)
        for hold in ended { letGo(from: hold.from, to: hold.to) }
    }

    private func letGo(from: UInt32, to: UInt32) {
        let freed = heldDatagrams.filter { $0.subject == from && $0.host == to }
        heldDatagrams.removeAll { $0.subject == from && $0.host == to }
        for occurrence in freed { hear(occurrence, machines[Int(to)]) }
        for (index, half) in heldStreams(from, to) { flushParked(index, half) }
    }

    /// Streams with parts that could arrive but for a hold.
    private func heldStreams(_ from: UInt32, _ to: UInt32) -> [(index: UInt32, half: Int)] {
        streams.indices.flatMap { index in
            (0...1).compactMap { half in
                let stream = streams[index]
                guard stream.stalledSince == .max, !stream.halves[half].parked.isEmpty,
                    stream.halves[half].host == from, stream.halves[1 - half].host == to
                else { return nil }
                return (UInt32(index), half)
            }
        }
    }

    /// What is held on the way from one host to the other: datagrams first.
    public func held(from: Host, to: Host) -> [HeldPiece] {
        let (first, second) = (UInt32(from.index), UInt32(to.index))
        return heldDatagrams.filter { $0.subject == first && $0.host == second }.map {
            HeldPiece(from: from, to: to, size: payloads[$0.payload].count, isDatagram: true)
        }
            + heldStreams(first, second).flatMap { index, half in
                streams[Int(index)].halves[half].parked.map {
                    HeldPiece(
                        from: from, to: to, size: $0.kind == .data ? payloads[$0.payload].count : 0, isDatagram: false)
                }
            }
    }

    /// Lets the first held piece through, while all others stay. False when none is held.
    @discardableResult
    public func step(from: Host, to: Host) -> Bool {
        checkIdle()
        let (first, second) = (UInt32(from.index), UInt32(to.index))
        if let at = heldDatagrams.firstIndex(where: { $0.subject == first && $0.host == second }) {
            hear(heldDatagrams.remove(at: at), machines[to.index])
            return true
        }
        guard let (index, half) = heldStreams(first, second).first else { return false }
        flushParked(index, half, most: 1)
        return true
    }
}
