package import CoveyConversation
package import CoveyCore
import CoveyCrypto
package import CoveyLink
import CoveySync

/// The commons of a simulated world, with a count of what was found there instead of made again.
///
/// What ends stays until `expire`: envelopes, the tags of their recipients, bundles. Pages of rosters and bundle books stay
/// as long as a node holds them, and the last ones made: many rosters, as everybody who is behind comes by there; of beacons the last few; the keys of two devices, which do not
/// end, for good: one entry for each pair that ever wrote.
package final class CommonPool: Commons {
    /// How often something was held already, by what it was.
    package struct Counts: Hashable, Sendable {
        /// Envelopes kept once for all.
        package var envelopes = 0
        /// Envelopes that came again: no copy was made, and no id reckoned while checks are reused.
        package var envelopeHits = 0
        /// Bytes of envelopes of which no further copy was made.
        package var envelopeBytesSaved = 0
        /// Made once, and then there for all.
        package var rostersMade = 0
        package var bundlesMade = 0
        package var bundlePagesMade = 0
        package var agreementsMade = 0
        /// Entries and notes that nobody had to verify again, nor any table to be copied for.
        package var rosterSteps = 0
        package var bundleChecks = 0
        package var bundlePages = 0
        /// Beacons that somebody else on the segment had opened and verified.
        package var beaconChecks = 0
        package var beaconsMade = 0
        /// Bursts of links that were kept as they were before they were sealed, and those that were not opened then.
        package var burstsKept = 0
        package var burstsOpened = 0
        /// Key agreements that the other device of the pair had made.
        package var agreements = 0
        /// Envelopes that were looked at for whether they are one's own.
        package var recognitions = 0
    }

    /// How many there are now.
    package struct Held: Hashable, Sendable {
        package let envelopes: Int
        package let tags: Int
        package let bundles: Int
        package let beacons: Int
        package let pairs: Int
    }

    /// Whose a tag is, and until when some envelope bears it: all that two devices write each other in a day share four.
    private struct Parties {
        let sender: DeviceID
        let recipient: DeviceID
        var expiry: Hour
    }

    private struct Pair: Hashable {
        let own: DeviceID
        let peer: DeviceID
    }

    /// Beacons remembered.
    private static let mostBeacons = 4096

    package let reusesChecks: Bool
    package private(set) var counts = Counts()

    private var envelopes: [EnvelopeID: Envelope] = [:]
    private var rosters = PageTable<RosterHistory, RosterPage>(recentPages: 256)
    private var books = PageTable<BundleContent, BundlePage>(recentPages: 8)
    private var bundles: [BundleHash: VerifiedBundle] = [:]
    /// The last few: all who hear one hear it at about the same time.
    private var beacons: [Octets8: (datagram: [UInt8], beacon: CommonBeacon)] = [:]
    private var beaconsInOrder: [Octets8] = []
    private var oldestBeacon = 0
    private var bursts = BurstTable()
    private var pairs: [Pair: PairKeys] = [:]
    private var tags: [RecipientTag: Parties] = [:]

    /// - Parameter reusesChecks: off to have every node verify everything itself.
    package init(reusesChecks: Bool = true) { self.reusesChecks = reusesChecks }

    package var held: Held {
        Held(
            envelopes: envelopes.count, tags: tags.count, bundles: bundles.count, beacons: beacons.count,
            pairs: pairs.count)
    }

    /// Lets go of what no node takes in any more.
    package func expire(upTo hour: Hour) {
        envelopes = envelopes.filter { $0.value.header.expiry > hour }
        tags = tags.filter { $0.value.expiry > hour }
        bundles = bundles.filter { $0.value.bundle.expires.hour >= hour }
    }

    package func envelope(_ id: EnvelopeID, of bytes: RawSpan) -> Envelope? {
        guard reusesChecks, let known = envelopes[id], known.bytes.span.bytes.isEqual(to: bytes) else { return nil }
        counts.envelopeHits += 1
        counts.envelopeBytesSaved += bytes.byteCount
        return known
    }

    package func keep(_ envelope: Envelope) -> Envelope {
        if let known = envelopes[envelope.id] {
            // The id is a hash of the bytes, and the caller has reckoned it.
            counts.envelopeHits += 1
            counts.envelopeBytesSaved += envelope.bytes.count
            return known
        }
        counts.envelopes += 1
        envelopes[envelope.id] = envelope
        return envelope
    }

    package func page(after history: RosterHistory) -> RosterPage? {
        guard let page = rosters[history], page.history == history else { return nil }
        counts.rosterSteps += 1
        return page
    }

    package func reuse(_ page: RosterPage) { counts.rosterSteps += 1 }

    package func keep(_ page: RosterPage) {
        counts.rostersMade += 1
        rosters.keep(page, as: page.history)
    }

    package func bundle(_ hash: BundleHash) -> VerifiedBundle? {
        guard let known = bundles[hash] else { return nil }
        if reusesChecks { counts.bundleChecks += 1 }
        return known
    }

    package func keep(_ bundle: VerifiedBundle) {
        if bundles.updateValue(bundle, forKey: bundle.bundle.hash) == nil { counts.bundlesMade += 1 }
    }

    package func beacon(_ datagram: [UInt8]) -> CommonBeacon? {
        guard reusesChecks, let known = beacons[Self.name(datagram)], known.datagram == datagram else { return nil }
        counts.beaconChecks += 1
        return known.beacon
    }

    package func keep(_ beacon: CommonBeacon, of datagram: [UInt8]) {
        let name = Self.name(datagram)
        guard reusesChecks, beacons[name] == nil else { return }
        beacons[name] = (datagram, beacon)
        counts.beaconsMade += 1
        if beaconsInOrder.count < Self.mostBeacons {
            beaconsInOrder.append(name)
        } else {
            beacons[beaconsInOrder[oldestBeacon]] = nil
            beaconsInOrder[oldestBeacon] = name
            oldestBeacon = (oldestBeacon + 1) % Self.mostBeacons
        }
    }

    /// Its first bytes, which are drawn.
    private static func name(_ datagram: [UInt8]) -> Octets8 {
        Octets8(datagram.prefix(Octets8.byteCount)) ?? Octets8()
    }

    package func takeBurst(of bytes: [UInt8]) -> OpenBurst? {
        guard reusesChecks, let burst = bursts.take(bytes) else { return nil }
        counts.burstsOpened += 1
        return burst
    }

    package func keep(_ burst: OpenBurst, of bytes: [UInt8]) {
        guard reusesChecks else { return }
        counts.burstsKept += 1
        bursts.keep(burst, of: bytes)
    }

    package func page(of content: BundleContent) -> BundlePage? {
        guard let page = books[content], page.content == content else { return nil }
        counts.bundlePages += 1
        return page
    }

    package func keep(_ page: BundlePage) {
        counts.bundlePagesMade += 1
        books.keep(page, as: page.content)
    }

    package func pair(of own: DeviceID, with peer: DeviceID) -> PairKeys? {
        guard let pair = pairs[Pair(own: peer, peer: own)]?.reversed ?? pairs[Pair(own: own, peer: peer)] else {
            return nil
        }
        counts.agreements += 1
        return pair
    }

    package func keep(_ pair: PairKeys, of own: DeviceID, with peer: DeviceID) {
        if pairs.updateValue(pair, forKey: Pair(own: own, peer: peer)) == nil { counts.agreementsMade += 1 }
    }

    package func sealed(_ header: EnvelopeHeader, from sender: DeviceID, to recipient: DeviceID) {
        let expiry = max(header.expiry, tags[header.tag]?.expiry ?? header.expiry)
        tags[header.tag] = Parties(sender: sender, recipient: recipient, expiry: expiry)
    }

    package func parties(of tag: RecipientTag) -> (sender: DeviceID, recipient: DeviceID)? {
        counts.recognitions += 1
        return tags[tag].map { ($0.sender, $0.recipient) }
    }
}

/// Objects by name, for as long as somebody else holds them, and the last few in any case.
///
/// A page that was written over has another name then: whoever looks one up compares.
private struct PageTable<Name: Hashable, Page: AnyObject> {
    private struct Weak {
        weak var page: Page?
    }

    /// Between one node's step and the next one's the page may be held by nobody.
    private let recentPages: Int

    private var pages: [Name: Weak] = [:]
    private var recent: [Page] = []
    private var next = 0
    private var sweepAt = 64

    init(recentPages: Int) { self.recentPages = recentPages }

    subscript(name: Name) -> Page? { pages[name]?.page }

    mutating func keep(_ page: Page, as name: Name) {
        pages[name] = Weak(page: page)
        if recent.count < recentPages { recent.append(page) } else { recent[next] = page }
        next = (next + 1) % recentPages
        if pages.count >= sweepAt {
            pages = pages.filter { $0.value.page != nil }
            sweepAt = max(64, pages.count * 2)
        }
    }
}

/// What links carry at the moment, by where its bytes lie: they stay there and as they are while the table holds them too.
private struct BurstTable {
    private struct Entry {
        let bytes: [UInt8]
        let burst: OpenBurst
    }

    /// Bytes after which what is older is forgotten: most of it never came to where it was to go.
    private static var mostBytes: Int { 16 << 20 }

    private var young: [UInt: Entry] = [:]
    private var old: [UInt: Entry] = [:]
    private var youngBytes = 0

    mutating func keep(_ burst: OpenBurst, of bytes: [UInt8]) {
        if youngBytes > Self.mostBytes {
            old = young
            young = [:]
            youngBytes = 0
        }
        youngBytes += bytes.count
        young[Self.place(bytes)] = Entry(bytes: bytes, burst: burst)
    }

    mutating func take(_ bytes: [UInt8]) -> OpenBurst? {
        let place = Self.place(bytes)
        if let entry = young.removeValue(forKey: place) {
            youngBytes -= entry.bytes.count
            return entry.burst
        }
        return old.isEmpty ? nil : old.removeValue(forKey: place)?.burst
    }

    private static func place(_ bytes: [UInt8]) -> UInt {
        bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }
}
