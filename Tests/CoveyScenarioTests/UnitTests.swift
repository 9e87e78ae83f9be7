import CoveyScenario
import Testing

@Suite("Units")
struct UnitTests {
    @Test("A span is read with any of its units, and written with the largest that divides it")
    func spans() {
        let spans: [(String, Int64, String)] = [
            ("72h", 259_200_000_000, "3d"), ("15m", 900_000_000, "15m"), ("8h5m", 29_100_000_000, "485m"),
            ("400ms", 400_000, "400ms"), ("1500us", 1500, "1500us"), ("0.5s", 500_000, "500ms"), ("0", 0, "0s"),
            ("-50y", -1_576_800_000_000_000, "-50y"), ("+3d", 259_200_000_000, "3d"), ("30h", 108_000_000_000, "30h"),
        ]
        for (text, microseconds, written) in spans {
            #expect(TimeSpan(text)?.microseconds == microseconds)
            #expect(TimeSpan(text)?.description == written)
            #expect(TimeSpan(written)?.microseconds == microseconds)
        }
        for wrong in ["", "5", "h", "5x", "-", "5h-", "9999999999999999d", "1e3s"] { #expect(TimeSpan(wrong) == nil) }
    }

    @Test("Sizes and rates")
    func sizes() {
        #expect(ByteCount("50MB")?.bytes == 50_000_000 && ByteCount("64KiB")?.bytes == 65_536)
        #expect(ByteCount("700")?.bytes == 700 && ByteCount("1.5KB")?.bytes == 1500 && ByteCount("7XB") == nil)
        #expect(BitRate("10Mbit")?.bitsPerSecond == 10_000_000 && BitRate("9600bit")?.description == "9600bit")
        #expect(BitRate("64kbit/s")?.description == "64kbit" && BitRate("10") == nil && BitRate("0bit") == nil)
        for text in ["50MB", "200GB", "64KB", "700B"] { #expect(ByteCount(text)?.description == text) }
    }

    @Test("Distances, areas and speeds")
    func distances() {
        #expect(Distance("5km")?.metres == 5000 && Distance("1200m")?.description == "1200m" && Distance("5") == nil)
        #expect(Area("1200m x 800m")?.height.metres == 800 && Area("200km x 120km")?.description == "200km x 120km")
        #expect(Area("1200m") == nil && Area("0m x 5m") == nil)
        #expect(SpeedRange("0.5-1.5mps") == SpeedRange(slowest: 0.5, fastest: 1.5))
        #expect(SpeedRange("6mps")?.description == "6mps" && SpeedRange("0.5-1.5mps")?.description == "0.5-1.5mps")
        #expect(SpeedRange("6") == nil && SpeedRange("3-2mps") == nil && SpeedRange("0mps") == nil)
    }

    @Test("How often, and when in the day")
    func frequencies() {
        let mail = Frequency("15/day/node")
        #expect(mail?.isPerNode == true && mail?.microsecondsBetween == 5_760_000_000)
        #expect(Frequency("3/h")?.microsecondsBetween == 1_200_000_000 && Frequency("20/s")?.description == "20/s")
        #expect(Frequency("3") == nil && Frequency("3/h/tree") == nil && Frequency("0/h") == nil)
        #expect(HoursOfDay("06-20")?.to.minutes == 1200 && HoursOfDay("06-20")?.description == "06-20")
        #expect(HoursOfDay("07:30-17:30")?.description == "07:30-17:30" && HoursOfDay("20-06") == nil)
        #expect(ClockTime("07:30")?.minutes == 450 && ClockTime("25:00") == nil && ClockTime("07:61") == nil)
    }
}
