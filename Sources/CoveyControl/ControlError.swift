/// Why a request was not done: a kind to programs, a sentence to people, and what to do next.
package struct ControlError: Error, Hashable, Sendable, Codable {
    package enum Kind: String, CaseIterable, Sendable, Codable {
        /// The line is no JSON.
        case parse
        /// JSON, but no request of JSON-RPC 2.0.
        case invalidRequest
        case unknownMethod
        case invalidParameters
        /// A fault of the node.
        case `internal`
        /// Cannot be done now; later it may.
        case unavailable
        case notFound
        /// The mesh's rules do not allow it.
        case policy
        /// Too long, too many, too often.
        case bounds
        /// A name fits several; the hint lists them.
        case ambiguous

        package var code: Int {
            switch self {
            case .parse: -32700
            case .invalidRequest: -32600
            case .unknownMethod: -32601
            case .invalidParameters: -32602
            case .internal: -32603
            case .unavailable: -32000
            case .notFound: -32001
            case .policy: -32002
            case .bounds: -32003
            case .ambiguous: -32004
            }
        }
    }

    private struct Details: Hashable, Codable {
        var kind: Kind
        var hint: String
    }

    package let code: Int
    package let message: String
    private let data: Details

    package init(_ kind: Kind, _ message: String, hint: String) {
        code = kind.code
        self.message = message
        data = Details(kind: kind, hint: hint)
    }

    package var kind: Kind { data.kind }
    package var hint: String { data.hint }
}
