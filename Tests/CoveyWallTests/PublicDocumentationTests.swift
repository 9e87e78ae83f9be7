import CoveyVectors
import Foundation
import Testing

/// What the package promises to others: the rooms that are library products.
@Suite("The documentation of what is public")
struct PublicDocumentationTests {
    /// Where a protocol has the words already. Checkers are made with `init()` unless they need to be told something.
    private static let saidElsewhere: Set<String> = [
        "func begin(", "func noticed(", "func turned(", "func sampled(", "func changed(", "func ended(", "let name",
        "init()",
        "var description", "static func ==", "func hash(into",
    ]

    /// Names of rooms, from rows of Package.swift with `name: "…", kind: .product`.
    private func products() throws -> [String] {
        let text = try String(contentsOfFile: Shared.packageRoot + "/Package.swift", encoding: .utf8)
        return text.components(separatedBy: "\n").filter { $0.contains("kind: .product,") }
            .compactMap { $0.components(separatedBy: "\"").dropFirst().first }
    }

    @Test("Every public declaration of a library product says what it is")
    func documented() throws {
        let products = try products()
        #expect(products == ["CoveySimulator"], "the package's library products")
        var count = 0
        for source in try Source.all() where products.contains(source.room) {
            for (at, line) in source.lines.enumerated() {
                let declaration = line.trimmingCharacters(in: .whitespaces)
                guard declaration.hasPrefix("public "), !declaration.hasPrefix("public import ") else { continue }
                let said = declaration.dropFirst("public ".count)
                if Self.saidElsewhere.contains(where: { said.hasPrefix($0) }) { continue }
                count += 1
                let above = source.lines[..<at].last { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("@") }
                if above?.trimmingCharacters(in: .whitespaces).hasPrefix("///") != true {
                    Issue.record("\(source.path):\(at + 1) has no words: \(declaration)")
                }
            }
        }
        #expect(count > 200, "the declarations were found")
        print("Public declarations with their words: \(count)")
    }
}
