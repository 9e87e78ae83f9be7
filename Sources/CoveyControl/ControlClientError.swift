/// Why a node could not be asked, as a sentence with what to do next.
package enum ControlClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody listens at the path. With the command that starts a node there.
    case noNode(String, start: String = "covey run")
    case pathTooLong(String)
    case permission(String)
    case closed
    case timedOut(seconds: Int)
    /// The answer was not one of ours.
    case garbled
    case system(String)

    package var description: String {
        switch self {
        case .noNode(let path, let start): "no node answers at \(path); start one with: \(start)"
        case .pathTooLong(let path):
            "the path of the control socket is over 107 bytes: \(path); choose a shorter one with --control"
        case .permission(let path): "not allowed to talk to the node at \(path); run this as the user who runs the node"
        case .closed: "the node closed the connection; it may be stopping"
        case .timedOut(let seconds): "the node did not answer within \(seconds) s; try again"
        case .garbled: "the answer cannot be read; the node may be of another version"
        case .system(let cause): "talking to the node failed: \(cause)"
        }
    }
}
