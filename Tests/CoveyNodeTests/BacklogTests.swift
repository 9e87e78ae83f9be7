import CoveyNode
import Testing

@Suite("A queue that never runs empty")
struct BacklogTests {
    @Test("What goes in comes out in order, and what is out takes no room")
    func steady() {
        var backlog = Backlog<Int>()
        for number in 0..<100 { backlog.append(number) }
        for number in 0..<20_000 {
            backlog.append(number + 100)
            #expect(backlog.popFirst() == number)
            #expect(backlog.count == 100)
            if backlog.capacity > 1024 { Issue.record("\(backlog.capacity) places for 100 items") }
        }
        for number in 20_000..<20_100 { #expect(backlog.popFirst() == number) }
        #expect(backlog.isEmpty && backlog.popFirst() == nil && backlog.capacity == 0)
    }
}
