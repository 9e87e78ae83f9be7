import ArgumentParser
import CoveyControl

struct PeersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "peers", abstract: "Neighbours linked now.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let result = try node.connect().call(PeersList())
        let answer = NodeAnswer(result) { result in
            if result.peers.isEmpty { return "no neighbours" }
            return Columns.text(
                result.peers.map {
                    [
                        Output.harmless($0.label), LogText.short($0.device.description), $0.address,
                        "since \(CalendarText.local($0.since))", "in \($0.bytesIn) out \($0.bytesOut)",
                        $0.isCatchUp ? "catching up" : "",
                    ]
                })
        }
        try answer.show(asJSON: output.json)
    }
}
