import CoveyCrypto
import Glibc

@testable import CoveyStore

/// What this process has in memory that is not guarded, read as a debugger or a core file would.
enum OwnMemory {
    private struct Region {
        let range: Range<UInt>
        var isGuarded: Bool
    }

    /// How many times `key` stands in plain memory. Pages count as guarded when they are locked, or hold `key` itself: the
    /// system may let a process lock few.
    static func plainCopies(of key: SymmetricKey) throws -> Int {
        let memory = try File("/proc/self/mem", O_RDONLY)
        let own = key.exposing { $0.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        let overlap = SymmetricKey.byteCount - 1
        var copies = 0
        for region in try regions() where !region.isGuarded && !region.range.contains(own) {
            var at = region.range.lowerBound
            while at < region.range.upperBound {
                let wanted = min(buffer.count, Int(region.range.upperBound - at))
                // What the kernel keeps for itself is not shown, and other threads give memory back meanwhile.
                let got = pread(memory.descriptor, buffer.baseAddress!, wanted, off_t(at))
                guard got > overlap else { break }
                copies += count(key, in: UnsafeRawBufferPointer(rebasing: buffer[..<got]))
                if got < wanted || at + UInt(got) == region.range.upperBound { break }
                at += UInt(got - overlap)
            }
        }
        return copies
    }

    private static func count(_ key: SymmetricKey, in bytes: UnsafeRawBufferPointer) -> Int {
        key.exposing { key in
            key.withUnsafeBytes { key in
                var (found, at) = (0, 0)
                while let hit = memchr(bytes.baseAddress! + at, Int32(key[0]), bytes.count - at) {
                    let start = UnsafeRawPointer(hit) - bytes.baseAddress!
                    guard bytes.count - start >= key.count else { break }
                    if memcmp(hit, key.baseAddress!, key.count) == 0 { found += 1 }
                    at = start + 1
                }
                return found
            }
        }
    }

    /// The readable ones, from `/proc/self/smaps`: a head `from-to perms …`, then lines `Name: value`.
    private static func regions() throws -> [Region] {
        var regions: [Region] = []
        var isReadable = false
        for line in String(decoding: try text("/proc/self/smaps"), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-")
            if ends.count == 2, let from = UInt(ends[0], radix: 16), let to = UInt(ends[1], radix: 16) {
                isReadable = words[1].hasPrefix("r")
                if isReadable { regions.append(Region(range: from..<to, isGuarded: false)) }
            } else if words[0] == "VmFlags:", isReadable, words.contains("lo") {
                regions[regions.count - 1].isGuarded = true
            }
        }
        return regions
    }

    /// A file whose size is not known beforehand.
    private static func text(_ path: String) throws -> [UInt8] {
        let file = try File(path, O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(1 << 16, at: bytes.count)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }
}
