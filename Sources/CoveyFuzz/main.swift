import CoveyCorpus
import Glibc

// libFuzzer over one entry: COVEY_FUZZ_TARGET names it, the arguments are libFuzzer's own.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private let names = FuzzEntry.allCases.map(\.rawValue).joined(separator: " ")

private func chosen() -> FuzzEntry {
    guard let name = getenv("COVEY_FUZZ_TARGET"), let entry = FuzzEntry(rawValue: String(cString: name)) else {
        print(names)
        exit(2)
    }
    return entry
}

nonisolated(unsafe) private let run = chosen().function()

private func one(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

private func fuzz() -> CInt {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    return runDriver(&count, &arguments, one)
}

exit(fuzz())
