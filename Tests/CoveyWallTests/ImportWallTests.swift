import CoveyVectors
import Foundation
import Testing

/// What each room imports, as docs/architecture.md says it: the table of the document is the one there is.
private enum WallTable {
    private static let path = "docs/architecture.md"
    private static let head = "| room | what it is | may import |"

    /// By room. A row is `| name in backquotes | what it is | modules, by commas |`.
    static func read() throws -> [String: Set<String>] {
        let text = try String(contentsOfFile: Shared.packageRoot + "/" + path, encoding: .utf8)
        let lines = text.components(separatedBy: "\n")
        let first = try #require(lines.firstIndex(of: head), "\(path) has the table under this head")
        var table: [String: Set<String>] = [:]
        for line in lines[(first + 2)...].prefix(while: { $0.hasPrefix("|") }) {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 3, "a row has three cells: \(line)")
            let room = cells[0].trimmingCharacters(in: ["`"])
            let modules = cells[2].components(separatedBy: ", ")
            for module in modules {
                try #require(module.allSatisfy { $0.isLetter || $0.isNumber }, "\(room): \(module) is no module")
            }
            try #require(Set(modules).count == modules.count, "\(room) names a module once")
            try #require(table.updateValue(Set(modules), forKey: room) == nil, "\(room) has one row")
        }
        return table
    }
}

/// Rooms that are told time and chance, and never ask the machine.
private let core = [
    "CoveyCrypto", "CoveyCore", "CoveyLink", "CoveyConversation", "CoveySync", "CoveyRouting", "CoveyNode",
]

@Suite("The wall between rooms")
struct ImportWallTests {
    @Test("Every room has a row in docs/architecture.md, and imports what stands there and nothing else")
    func imports() throws {
        let table = try WallTable.read()
        let sources = try Source.all()
        #expect(sources.count > 50, "the sources were found")
        var found: [String: Set<String>] = [:]
        for source in sources {
            let allowed = table[source.room] ?? []
            var modules = Set(source.imports)
            modules.remove("Synchronization")
            for module in modules.subtracting(allowed).sorted() {
                Issue.record("\(source.path) imports \(module), which is not in its row")
            }
            found[source.room, default: []].formUnion(modules)
        }
        #expect(found.keys.sorted() == table.keys.sorted(), "the rooms with code have rows, and no others")
        for (room, allowed) in table.sorted(by: { $0.key < $1.key }) {
            for module in allowed.subtracting(found[room] ?? []).sorted() {
                Issue.record("the row of \(room) names \(module), which nothing there imports")
            }
        }
        print("The wall: \(sources.count) files in \(table.count) rooms")
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
