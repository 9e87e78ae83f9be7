import CoveyReport
import Testing

@Suite("Level of detail")
struct DetailLevelTests {
    @Test("A result names its level by one word")
    func names() { #expect(DetailLevel(rawValue: "contact") == .contact) }
}
