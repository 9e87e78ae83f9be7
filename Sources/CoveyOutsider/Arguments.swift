import CoveyCore

/// What to play, and against whom.
enum Arguments {
    /// - Parameter patience: milliseconds to wait for an answer.
    case stranger(target: SocketAddress, patience: Int)
    /// - Parameters:
    ///   - authority: the directory of the authority whose key was stolen.
    ///   - isGreedy: asks for mail and keys, instead of keeping to the frames of a catch-up link.
    case unlogged(authority: String, target: SocketAddress, isGreedy: Bool)

    struct Mistake: Error, CustomStringConvertible {
        let description: String

        init(_ what: String) { description = what + "\n" + Arguments.usage }
    }

    static let usage = """
        usage: covey-outsider stranger --to ADDRESS:PORT [--wait MILLISECONDS]
               covey-outsider unlogged --to ADDRESS:PORT --authority DIR [--greedy]
        """

    /// Milliseconds a stranger waits: a refusal comes within 500 ms, so an answer would have come by then.
    private static let patience = 2_000
    private static let mostPatience = 60_000

    init(_ words: [String]) throws {
        var target: SocketAddress?
        var authority: String?
        var patience = Self.patience
        var isGreedy = false
        var rest = words.dropFirst()
        func value(_ option: String) throws -> String {
            guard let value = rest.popFirst() else { throw Mistake("\(option) takes a value") }
            return value
        }
        while let option = rest.popFirst() {
            switch option {
            case "--to":
                let text = try value(option)
                guard let address = SocketAddress(v4Text: text) else {
                    throw Mistake("--to is \"\(text)\"; it takes an IPv4 address and a port, as 127.0.0.1:26117")
                }
                target = address
            case "--authority": authority = try value(option)
            case "--wait":
                guard let number = Int(try value(option)), (1...Self.mostPatience).contains(number) else {
                    throw Mistake("--wait takes 1 to \(Self.mostPatience) milliseconds")
                }
                patience = number
            case "--greedy": isGreedy = true
            default: throw Mistake("\"\(option)\" is no option")
            }
        }
        guard let target else { throw Mistake("whom to dial? name it with --to") }
        switch words.first {
        case "stranger": self = .stranger(target: target, patience: patience)
        case "unlogged":
            guard let authority else { throw Mistake("whose key was stolen? name its directory with --authority") }
            self = .unlogged(authority: authority, target: target, isGreedy: isGreedy)
        default: throw Mistake("the first word says who comes: stranger or unlogged")
        }
    }
}

extension SocketAddress {
    /// `127.0.0.1:26117`.
    init?(v4Text text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0 else { return nil }
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard numbers.count == 4, let a = numbers[0], let b = numbers[1], let c = numbers[2], let d = numbers[3] else {
            return nil
        }
        self.init(v4: a, b, c, d, port: port)
    }
}
