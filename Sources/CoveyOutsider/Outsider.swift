import Glibc

/// `covey-outsider`: two who are not members and knock all the same. For the demo and the tests, never installed.
@main
struct Outsider {
    static func main() {
        do {
            let passed =
                switch try Arguments(Array(CommandLine.arguments.dropFirst())) {
                case .stranger(let target, let patience):
                    try Stranger(target: target, patience: patience).run()
                case .unlogged(let authority, let target, let isGreedy):
                    try Unlogged(authority: authority, target: target, isGreedy: isGreedy).run()
                }
            exit(passed ? 0 : 1)
        } catch {
            Line.write("covey-outsider: \(error)", to: STDERR_FILENO)
            exit(error is Arguments.Mistake ? 64 : 1)
        }
    }
}

/// One line, written at once, so that whoever reads a pipe has it.
enum Line {
    static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var text = text + "\n"
        text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
