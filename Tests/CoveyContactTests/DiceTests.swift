import CoveyContact
import Testing

@Suite("Dice")
struct DiceTests {
    @Test("The same seed throws the same numbers, and another stream others")
    func streams() {
        var one = Dice(seed: 7).stream("network")
        var two = Dice(seed: 7).stream("network")
        var three = Dice(seed: 7).stream("network", 1)
        var four = Dice(seed: 7).stream("faults")
        let numbers = (0..<8).map { _ in one.next() }
        #expect(numbers == (0..<8).map { _ in two.next() })
        #expect(numbers != (0..<8).map { _ in three.next() })
        #expect(numbers != (0..<8).map { _ in four.next() })
    }

    @Test("A stream does not depend on what was thrown before it was made")
    func independence() {
        let fresh = Dice(seed: 9)
        var used = fresh
        for _ in 0..<5 { _ = used.next() }
        var one = fresh.stream("moves")
        var two = used.stream("moves")
        #expect(one.next() == two.next())
    }

    @Test("Throws fill their range evenly")
    func uniform() {
        var dice = Dice(seed: 3)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[dice.below(6)] += 1 }
        for count in counts { #expect((9_600...10_400).contains(count)) }
    }
}
