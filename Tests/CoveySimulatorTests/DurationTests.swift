import CoveySimulator
import Testing

@Suite("Durations")
struct DurationTests {
    @Test("A day is twenty-four hours of sixty minutes")
    func day() { #expect(Duration.days(2) == .hours(48) && Duration.hours(1) == .minutes(60)) }
}
