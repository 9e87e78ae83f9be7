import CoveyControl

enum ControlEntry {
    /// One line of the control socket. An answer to it can always be written.
    static func run(_ input: [UInt8]) {
        let (id, call) = ControlCall.read(input)
        switch call {
        case .success: return
        case .failure(let error):
            guard let line = try? ControlLine.failure(error, id: id ?? .null) else {
                preconditionFailure("an error can be told")
            }
            precondition(line.count < 16_384, "an error is short, whatever the request was")
        }
    }
}
