import CoveyVectors
import Foundation
import Testing

/// What each room may import. The same table stands in docs/architecture.md for people.
private let table: [String: Set<String>] = [
    "CoveyCrypto": ["CSodium"],
    "CoveyKEM": ["CoveyCrypto", "Crypto", "FoundationEssentials"],
    "CoveyCore": ["CoveyCrypto", "Swift"],
    "CoveyLink": ["CoveyCore", "CoveyCrypto"],
    "CoveyConversation": ["CoveyCore", "CoveyCrypto"],
    "CoveySync": ["CoveyCore", "CoveyCrypto"],
    "CoveyRouting": ["CoveyCore", "CoveyCrypto"],
    "CoveyNode": ["CoveyConversation", "CoveyCore", "CoveyCrypto", "CoveyLink", "CoveyRouting", "CoveySync"],
    "CoveyStore": ["CSQLite", "CoveyCore", "CoveyCrypto", "CoveyNode", "Glibc"],
    "CoveyControl": ["FoundationEssentials", "Glibc"],
    "CoveyQR": ["CQREncode", "CZlib", "CoveyCore", "CoveyCrypto", "Glibc"],
    "CoveyUV": ["CUV", "CoveyControl", "CoveyCore", "CoveyCrypto", "CoveyNode", "Glibc"],
    "CoveyCommand": [
        "ArgumentParser", "CoveyControl", "CoveyConversation", "CoveyCore", "CoveyCrypto", "CoveyKEM", "CoveyNode",
        "CoveyQR", "CoveyStore", "CoveyUV", "FoundationEssentials", "Glibc", "Logging", "TOMLKit",
    ],
    "CoveyBench": [
        "CoveyConversation", "CoveyCore", "CoveyCrypto", "CoveyKEM", "CoveyLink", "CoveyNode", "CoveyStore",
        "CoveySync", "CoveyUV", "Glibc",
    ],
    "CoveyContact": ["CZlib", "CoveyCore", "CoveyCrypto", "CoveyRouting", "Glibc"],
    "CoveySimulator": [
        "CoveyContact", "CoveyConversation", "CoveyCore", "CoveyCrypto", "CoveyLink", "CoveyNode", "CoveyRouting",
        "CoveySync", "Glibc",
    ],
    "CoveyReport": ["FoundationEssentials", "Glibc"],
    "CoveyScenario": [
        "CoveyContact", "CoveyCore", "CoveyCrypto", "CoveyNode", "CoveyReport", "CoveyRouting", "CoveySimulator",
        "Glibc", "Yams",
    ],
    "CoveySimCommand": [
        "ArgumentParser", "CoveyContact", "CoveyCore", "CoveyCrypto", "CoveyNode", "CoveyReport", "CoveyScenario",
        "CoveySimulator", "FoundationEssentials", "Glibc",
    ],
    "CoveyOutsider": ["CoveyControl", "CoveyCore", "CoveyCrypto", "CoveyLink", "Glibc"],
    "CoveyFuzz": ["CoveyCorpus", "Glibc"],
    "CoveyStoreChild": ["CoveyCore", "CoveyCrypto", "CoveyNode", "CoveyStore", "Glibc"],
]

/// Rooms that are told time and chance, and never ask the machine.
private let core = [
    "CoveyCrypto", "CoveyCore", "CoveyLink", "CoveyConversation", "CoveySync", "CoveyRouting", "CoveyNode",
]

private struct Source {
    let room: String
    let path: String
    let lines: [String]

    static func all() throws -> [Source] {
        let root = Shared.packageRoot + "/Sources"
        let files = try #require(FileManager.default.enumerator(atPath: root))
        var sources: [Source] = []
        for case let path as String in files where path.hasSuffix(".swift") {
            let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
            sources.append(
                Source(
                    room: String(path.prefix { $0 != "/" }), path: path, lines: text.components(separatedBy: "\n")))
        }
        return sources
    }

    var imports: [String] {
        lines.compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || Self.access.contains(first) { words.removeFirst() }
            guard words.first == "import", words.count > 1 else { return nil }
            return words[1].split(separator: ".").first.map(String.init)
        }
    }

    private static let access: Set<String> = ["package", "internal", "private", "fileprivate", "public"]
}

@Suite("The wall between rooms")
struct ImportWallTests {
    @Test("Every import stands in the table of its room")
    func imports() throws {
        let sources = try Source.all()
        #expect(sources.count > 50, "the sources were found")
        for source in sources {
            let allowed = try #require(table[source.room], "\(source.room) has a row in the table")
            for module in source.imports where module != "Synchronization" {
                #expect(allowed.contains(module), "\(source.path) imports \(module)")
            }
        }
    }

    @Test("The core reads no clock, no file and no global generator")
    func told() throws {
        let forbidden = [
            "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "Date()", "clock_gettime",
            ".random(in:", "Task.sleep", "DispatchQueue", " print(",
        ]
        for source in try Source.all() where core.contains(source.room) {
            for (number, line) in source.lines.enumerated() {
                for word in forbidden where line.contains(word) {
                    Issue.record("\(source.path):\(number + 1) says \(word)")
                }
            }
        }
    }

    @Test("Only the sodium room imports libsodium, only the store SQLite, only the loop libuv")
    func adapters() throws {
        let owners: [String: Set<String>] = [
            "CSodium": ["CoveyCrypto"], "CSQLite": ["CoveyStore"], "CUV": ["CoveyUV"], "Crypto": ["CoveyKEM"],
            "CZlib": ["CoveyContact", "CoveyQR"], "CQREncode": ["CoveyQR"], "Yams": ["CoveyScenario"],
        ]
        for source in try Source.all() {
            for module in source.imports {
                if let owners = owners[module] {
                    #expect(owners.contains(source.room), "\(source.path) imports \(module)")
                }
            }
        }
    }
}
