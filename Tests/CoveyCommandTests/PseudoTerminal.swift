import Foundation
import Testing

/// A terminal at which somebody types; of ioctl_tty(2), TIOCSPTLCK and TIOCGPTN.
final class PseudoTerminal {
    private let keyboard: FileHandle
    let line: FileHandle

    init(typing text: String = "") throws {
        let (lock, number) = (UInt(0x4004_5431), UInt(0x8004_5430))
        keyboard = FileHandle(
            fileDescriptor: Foundation.open("/dev/ptmx", O_RDWR | O_NOCTTY), closeOnDealloc: true)
        var (off, name): (Int32, Int32) = (0, 0)
        try #require(ioctl(keyboard.fileDescriptor, lock, &off) == 0)
        try #require(ioctl(keyboard.fileDescriptor, number, &name) == 0)
        line = FileHandle(
            fileDescriptor: Foundation.open("/dev/pts/\(name)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
        try #require(line.fileDescriptor >= 0)
        try type(text)
    }

    func type(_ text: String) throws { try keyboard.write(contentsOf: Data(text.utf8)) }
}
