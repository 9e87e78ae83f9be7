import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStore
import CoveyUV

/// A running node was ordered to lock or erase itself: its receipt leaves on the links there are, the run ends, and then
/// the order is carried out (protocol.md §6).
final class LastWord {
    enum Bounds {
        /// Milliseconds for links to take the receipt, or for one to come up that does.
        static let wait: UInt64 = 5_000
        /// Milliseconds that the last link's end is followed by.
        static let rest: UInt64 = 100
    }

    struct Order {
        let mode: WipeOrder.Mode
        let id: Octets16
    }

    private(set) var order: Order?
    private var links = 0
    private var timer: Timer?

    /// - Parameter stop: asks the node for a clean end.
    func observed(_ observation: Observation, on loop: Loop, stop: @escaping () -> Void) {
        switch observation {
        case .linkUp: links += 1
        case .linkDown:
            links -= 1
            // Whoever took the receipt has no more to say to this device.
            if order != nil, links == 0 { timer?.set(milliseconds: Bounds.rest) }
        case .wipeAccepted(let mode, let id):
            guard order == nil else { return }
            order = Order(mode: mode, id: id)
            timer = try? Timer(on: loop, stop)
            // Without a timer there is nothing to wait with.
            if let timer { timer.set(milliseconds: Bounds.wait) } else { stop() }
        case .started, .heardBeacon, .dialling, .refused, .logAccepted, .noteLearnt, .suspendLearnt, .epochLearnt,
            .stored, .handedOn, .delivered, .quarantined, .staleness, .wipeRefused, .wipeReceipt, .announced,
            .expired, .warning:
            break
        }
    }

    func close() { timer?.close() }

    /// Carries the order out. The run is over, and nothing is written to the store any more.
    func carryOut(in home: HomeDirectory, master: SymmetricKey, _ node: Node, at now: Now) throws {
        guard let order else { return }
        switch order.mode {
        case .erase:
            try Erasure.erase(home)
            throw Complaint(.erased, ProfileCheck.erased)
        case .lock:
            guard let made = node.lock(order.id, at: now) else {
                preconditionFailure("an order that was taken stands in a note that is known")
            }
            try LockedProfile.lock(home, made.record, under: made.key, master: master, random: SystemRandom())
            throw ProfileCheck.locked(home.path)
        }
    }
}
