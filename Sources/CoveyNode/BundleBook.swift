import CoveyConversation
import CoveyCore
import CoveyCrypto
package import CoveySync

extension Membership {
    /// How long bundles live, in minutes: the policy may make it longer, up to 30 days (protocol.md §4.1).
    var bundleLife: Int64 {
        let asked = Int64(self[policy: .bundleLifeDays]) * 24 * 60
        return min(max(asked, ConversationBounds.bundleLife), ConversationBounds.longestBundleLife)
    }
}

/// Names a set of bundles by what is in it, whatever the order in which they came.
package typealias BundleContent = Aggregate

/// One state of the book, which all nodes that hold the same bundles may share.
package final class BundlePage {
    var bundles: [DeviceID: VerifiedBundle] = [:]
    /// The same as they are reconciled.
    var items: KnownSet
    /// No bundle ends before this.
    fileprivate var firstEnd = Minute(.max)
    /// By the membership with this past all were judged, and are good until one ends: whoever shares both need not look
    /// again.
    fileprivate var judgedBy: RosterHistory?

    package var content: BundleContent { items.content }

    init(seed: UInt64) { items = KnownSet(.bundles, seed: seed) }

    fileprivate init(_ other: BundlePage) {
        bundles = other.bundles
        items = other.items
        firstEnd = other.firstEnd
    }

    fileprivate func insert(_ bundle: VerifiedBundle) {
        let device = bundle.bundle.device
        if let old = bundles[device] { items.remove(Self.item(of: old).id) }
        bundles[device] = bundle
        items.insert(Self.item(of: bundle))
        judgedBy = nil
        firstEnd = min(firstEnd, bundle.bundle.expires)
    }

    fileprivate func remove(_ bundle: VerifiedBundle) {
        bundles[bundle.bundle.device] = nil
        items.remove(Self.item(of: bundle).id)
    }

    /// The place of a bundle in its set: `device_id 16 | first 16 bytes of its hash` (sync-routing.md §2.1).
    fileprivate static func item(of bundle: VerifiedBundle) -> Item {
        let id = bundle.bundle.device.array + bundle.bundle.hash.array.prefix(16)
        guard let item = ItemID(id) else { preconditionFailure("16 and 16 bytes are 32") }
        return Item(slot: bundle.bundle.created.hour, id: item, expiry: nil)
    }
}

/// The newest bundle of each device, this one's own among them.
///
/// A burst brings many at once. What came and went waits beside the page until somebody asks for the whole: one page is then
/// made for all of it, or found.
struct BundleBook {
    private var page: BundlePage
    /// Of these devices the page has what was there before; nil takes it away.
    private var changes: [DeviceID: VerifiedBundle?] = [:]
    /// At the start too: the log may know more than when the page was made.
    private var isInDoubt = true
    private let commons: (any Commons)?

    init(_ page: BundlePage, commons: (any Commons)?) {
        self.page = page
        self.commons = commons
    }

    subscript(device: DeviceID) -> VerifiedBundle? { changes[device] ?? page.bundles[device] }

    /// The set of bundles, to be reconciled: asking sorts it, and changes nothing in it.
    mutating func withSet<Result>(_ body: (inout KnownSet) throws -> Result) rethrows -> Result {
        settle()
        return try body(&page.items)
    }

    /// In the place of the device's older one.
    mutating func insert(_ bundle: VerifiedBundle) { changes[bundle.bundle.device] = .some(bundle) }

    mutating func remove(_ device: DeviceID) { changes[device] = .some(nil) }

    /// Who may issue, or whose certificates count, has changed since all were judged: a device's own changes are looked at
    /// when they come.
    mutating func doubt() { isInDoubt = true }

    /// Whose bundles are to be judged: all when in doubt, else those that have ended. In the order of their ids; nil when
    /// nothing has happened that could end one.
    mutating func due(now: Minute, by membership: RosterHistory) -> [DeviceID]? {
        settle()
        if page.judgedBy == membership { isInDoubt = false }
        if isInDoubt { return page.bundles.keys.sorted() }
        guard now >= page.firstEnd else { return nil }
        return page.bundles.filter { $0.value.bundle.expires <= now }.map(\.key).sorted()
    }

    /// All that are left are good.
    mutating func setJudged(by membership: RosterHistory) {
        settle()
        isInDoubt = false
        page.judgedBy = membership
        page.firstEnd = page.bundles.values.reduce(Minute(.max)) { min($0, $1.bundle.expires) }
    }

    /// Brings the changes into the page.
    mutating func settle() {
        if changes.isEmpty { return }
        let sorted = changes.sorted { $0.key < $1.key }
        changes = [:]
        let old = sorted.compactMap { page.bundles[$0.key] }
        let new = sorted.compactMap(\.value)
        if old.isEmpty, new.isEmpty { return }
        let content = page.items.content(
            without: old.map { BundlePage.item(of: $0).id }, with: new.map { BundlePage.item(of: $0).id })
        turn(to: content) { page in
            for bundle in old { page.remove(bundle) }
            for bundle in new { page.insert(bundle) }
        }
    }

    /// The page that somebody left who holds the same; else one's own is written over, or a copy when others hold it too.
    private mutating func turn(to content: BundleContent, _ change: (BundlePage) -> Void) {
        guard let commons else { return change(page) }
        if let known = commons.page(of: content) {
            page = known
            return
        }
        if !isKnownUniquelyReferenced(&page) { page = BundlePage(page) }
        change(page)
        commons.keep(page)
    }
}
