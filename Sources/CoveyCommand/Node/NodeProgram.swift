import CoveyControl
import CoveyCrypto
import CoveyNode

/// The program that runs a node, beside the releases and beside the one that asks: a new file changes a node only when it is
/// started again.
struct NodeProgram {
    /// SHA-256, as the node read it when it began; nil when it could not.
    let build: Octets32?
    /// Of the program that asks.
    let asking: Octets32?
    /// Nil where the node does not say what it runs.
    let standing: ReleaseStanding?
    private let askingStanding: ReleaseStanding?

    init(of client: ControlClient) throws {
        build = try client.call(NodeVersion()).build.flatMap { Octets32($0.bytes) }
        asking = Build.running
        let releases = try client.call(ReleaseList())
        standing = build.map { ReleaseStanding($0, in: releases) }
        askingStanding = asking.map { ReleaseStanding($0, in: releases) }
    }

    /// A row of `covey status`; nil while the mesh lists no releases.
    var text: String? {
        guard let standing else { return "the node cannot say which one it runs" }
        return standing.text
    }

    /// Another program asks than runs the node.
    var difference: String? {
        guard let build, let asking, build != asking else { return nil }
        return "the node runs another program (\(short(build))) than the one that asks (\(short(asking))"
            + (askingStanding?.text.map { ", \($0)" } ?? "") + ")"
    }

    /// What `covey doctor` says.
    var findings: [FindingEntry] {
        guard let standing else {
            return [
                FindingEntry(
                    kind: "program", isUrgent: false, text: "the node cannot say which program it runs",
                    advice: "see that it can read /proc/self/exe, and start it again: \(AdvisedCommand.run)")
            ]
        }
        let differing = difference.map {
            FindingEntry(
                kind: "program", isUrgent: false, text: $0,
                advice: "if the one that asks was installed since, stop the node and start it again: "
                    + "\(AdvisedCommand.run)")
        }
        return [standing.finding, differing].compactMap { $0 }
    }

    private func short(_ hash: Octets32) -> String { LogText.short(hash.hex) }
}
