/// What the node takes from outside and what it keeps, with units. One table (sync-routing.md §1, protocol.md §2.3).
package enum Limits {
    /// Links at once.
    package static let links = 24
    /// Links up to which devices heard by beacons are dialled; the other places are for those who dial us.
    package static let wantedLinks = 12
    /// Steps of four hours by which a device without a clock guesses the hour to a configured peer: thirty days.
    package static let guessedSteps = 180
    /// Links at once with peers whose certificates nobody we know has signed.
    package static let unprovenLinks = 2
    /// Microseconds a catch-up link may take to become a member's link.
    package static let catchUp: UInt64 = 10_000_000
    /// Microseconds from the first byte of a handshake to its end.
    package static let handshake: UInt64 = 10_000_000
    /// Microseconds until somebody is dialled again whose certificate our log gives no right, give or take half: at most four
    /// of the six answers that the other side gives in an hour.
    package static let refusedPause: UInt64 = 1_800_000_000
    /// Microseconds, at most, from a refusal to the silent close.
    package static let rebuff: UInt64 = 500_000
    /// Microseconds an initiator waits for message 2 before it tries the next older epoch (protocol.md §1.10).
    package static let epochTrial: UInt64 = 5_000_000
    /// Microseconds without a frame after which a link is asked for a sign of life.
    package static let pingAfter: UInt64 = 15_000_000
    /// Microseconds without an answer after which it is dead.
    package static let deadAfter: UInt64 = 10_000_000
    /// Microseconds of the first and of the longest pause between digests on a quiet link (Trickle: 2 s, 8 doublings).
    package static let digestFirst: UInt64 = 2_000_000
    /// Microseconds after a change of epoch or certificate in which links are renewed. Later than the ten seconds in which
    /// two links count as set up at once, and spread, so that not all are renewed together.
    package static let renewal: ClosedRange<Int> = 15_000_000...60_000_000
    /// The first pause after HELLO, in microseconds: its digests were a round already, and a stream loses nothing.
    package static let digestAfterHello: UInt64 = 32_000_000
    package static let digestLongest: UInt64 = 512_000_000
    /// Bytes of envelopes sent on a link and not acknowledged.
    package static let unacknowledged = 8 << 20
    /// Bytes given to the driver at once before it has to report that they left.
    package static let burst = 256 << 10
    /// Places that an empty table of a link keeps for what comes next.
    static let kept = 16
    /// Envelopes in line for one link. What is over is found by the next reconciliation.
    package static let outgoing = 1 << 18
    /// Heads that a peer may tell of logs which we do not know.
    static let heads = 4096
    /// Entries before the head sent to a peer whose log parts from ours: as many as a branch is kept of.
    package static let forkEntries: UInt64 = 256
    /// Ids announced on a link that the peer may ask for, those that it announced and that are waited for, and the last mail
    /// that came in.
    static let told = 512
    static let awaited = 4096
    static let recent = 256
    /// Hops after which mail neither follows the tree nor shapes it.
    static let treeHops: UInt8 = 8
    /// Microseconds that ids of new mail wait for others before they are announced (sync-routing.md §2.4).
    static let announceAfter: UInt64 = 50_000
    /// UTIL frames that a peer may send in a minute.
    static let reachReports = 120
    /// Microseconds that headers of mail that is kept wait for others before they are shown.
    static let showAfter: UInt64 = 2_000_000
    /// Microseconds until mail that was announced and did not come is asked for: 200 ms and a long round trip.
    static let graftAfter: UInt64 = 500_000
    /// Microseconds from one PRUNE to the next on a link whose peer goes on sending.
    static let pruneAgain: UInt64 = 1_000_000
    /// Rows of one OFFER, and OFFERs of a link that wait for their answer. What is over waits.
    package static let offerRows = 64
    package static let offers = 64
    /// Hops with which a writer's own neighbour may get a letter: it starts with a random number below this.
    package static let maskedHops: UInt8 = 4
    /// Microseconds the link of a device that has a wipe order waits for its receipt.
    package static let receipt: UInt64 = 3_000_000
    /// Wipe orders remembered as taken.
    package static let wipes = 64
    /// Authorities between a device and the root.
    package static let authoritiesOfChain = 2
    /// Microseconds after which a revoked device is told again of an order that it has not answered.
    package static let orderAgain: UInt64 = 86_400_000_000
    /// Log entries sent for one LOG_GET.
    package static let entries = 64
    /// Bundles given on a link in a minute to a peer that asks for them.
    package static let bundleRequests = 4
    /// Answers a timekeeper gives on a link in a minute; microseconds between two challenges to one; minutes that the real
    /// time may lie beside its clock: they are cut, not rounded, and the answer took a while.
    package static let timeAnswers = 4
    package static let timeRequestPause: UInt64 = 1_800_000_000
    package static let timeRadius: UInt16 = 2
    /// Letters of one sender taken to the inbox in a minute while there is no room for their envelopes.
    package static let unkeptLetters = 10
    /// And of all senders in a day: some 57 MB at the most.
    package static let unkeptLettersOfAll = 1 << 12
    /// First messages remembered as opened from which on none is opened that there is no room to carry: the other half of
    /// what may be remembered (`ConversationBounds.replayKeys`) is for what is carried.
    package static let openedWithoutRoom = 1 << 17
    /// Envelopes of one link with a tag of ours that do not open, tried in a minute while there is no room for them. Whoever
    /// saw a letter can make such copies without end; each costs a key agreement.
    package static let forgedLetters = 10
    /// Runs of a set that end unequal, one after the other, before they are no longer a reason to look again at once.
    package static let unequalRuns = 3
    /// Microseconds for which requests for renewal are gathered before an authority answers them in one entry.
    package static let renewalPause: UInt64 = 2_000_000
    /// Connections on their way to being links.
    package static let pending = 64
    /// Links of one device at once: one, the one that takes its place, and one that crossed it.
    package static let linksOfDevice = 3
    /// Causes of refusals counted apart. Some name a number of the stranger's choice.
    package static let causes = 256
    /// Envelopes one log frame or note frame carries at most, in bytes of body.
    package static let frameBody = 15 << 10
    /// Outgoing dials at once, and new ones in a second (sync-routing.md §1.4).
    package static let dials = 8
    package static let dialsPerSecond = 4
    /// Microseconds between two beacons that make a target be dialled afresh.
    package static let beaconRefresh: UInt64 = 60_000_000
    /// Microseconds from one own beacon to the next that answers somebody.
    package static let beaconAnswer: UInt64 = 1_000_000
    /// Beacons of devices that no entry names, of which the sender is dialled, in a minute; and how long the other has to dial
    /// first, in microseconds.
    package static let strangers = 4
    package static let strangerPatience: UInt64 = 10_000_000
    /// Nonces of tiny beacons remembered: the same one again is a recording.
    package static let tinyBeacons = 256
    /// Minutes for which a checkpoint is news: only then its root is counted again.
    static let checkpointNews: Int64 = 48 * 60
    /// Characters of a text message, in bytes.
    package static let text = 14_000
    /// Days that one member may ask another to be kept out.
    package static let suspendDays = 7
    /// Messages that wait for a recipient's keys.
    package static let waiting = 1_000
    /// Announcements remembered of one author, and of all.
    package static let announcementsOfAuthor = 256
    package static let announcements = 4_096
    /// Emergencies remembered that were not taken in; what is over is brought again. Authors of announcements that could be
    /// opened and not decided; beyond that anybody may be one.
    static let turnedAway = 1_024
    static let undecidedAuthors = 1_024
    /// Hours that one is remembered beyond its end.
    package static let announcementMemory: Int64 = 30 * 24
    /// Devices that one finding names.
    static let namesShown = 8
    /// Rows an inbox page has at most.
    package static let page = 500
    /// Where a node listens unless it is told otherwise (sync-routing.md §1.1).
    package static let port: UInt16 = 26117
    /// A verified beacon vouches for its addresses this long, in microseconds.
    package static let beaconVouches: UInt64 = 10 * 60 * 1_000_000
    /// Addresses and devices remembered from beacons.
    package static let heard = 4_096
    /// Ids of one priority that are known and not held: four for each of the smallest envelopes that the store may hold, a
    /// million at most. What ends first goes first (sync-routing.md §2.2).
    static func ghosts(quota: UInt64) -> Int { Int(min(quota / 512 * 4, 1_000_000)) }
}
