/// Why a run could not start or go on, as one sentence with what to do next.
package struct DriverFailure: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The address cannot be listened on, or the socket cannot be made.
        case cannotCreate
        case permission
        /// A node that runs answers there.
        case alreadyRunning
        /// The loop or its threads did not work.
        case system
    }

    package let kind: Kind
    package let description: String

    init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        description = sentence
    }
}
