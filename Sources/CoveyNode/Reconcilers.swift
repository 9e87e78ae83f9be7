import CoveyCore
import CoveySync

/// The sets of a link that are made equal: notes, bundles, and mail of each priority. None before the peer is a member.
struct Reconcilers {
    private static let order = [Namespace.notes, .bundles] + Priority.allCases.map(Namespace.mail)
    private var all: [Reconciler] = []

    init() {}

    init(between ends: SyncEnds) { all = Self.order.map { Reconciler($0, between: ends) } }

    /// In ascending order.
    var namespaces: [Namespace] { all.isEmpty ? [] : Self.order }

    /// When one of them next wants to go on, in microseconds of uptime.
    var deadline: UInt64? {
        var next: UInt64?
        for reconciler in all { if let due = reconciler.deadline { next = min(next ?? due, due) } }
        return next
    }

    subscript(namespace: Namespace) -> Reconciler? {
        get { all.first { $0.namespace == namespace } }
        set {
            guard let newValue, let at = all.firstIndex(where: { $0.namespace == namespace }) else { return }
            all[at] = newValue
        }
    }
}
