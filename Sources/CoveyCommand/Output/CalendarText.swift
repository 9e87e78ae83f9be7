import CoveyControl
import CoveyCore
import Glibc

/// Times as people and programs read them.
enum CalendarText {
    /// RFC 3339, UTC, as in `2026-11-21T22:53:00Z`.
    static func utc(_ minute: Minute) -> String { RFC3339.text(secondsSince1970: Int64(minute.value) * 60) }

    /// As the clock on this machine's wall shows it: `2026-11-21 23:53`.
    static func local(_ moment: Time) -> String {
        var time = time_t(moment.secondsSince1970)
        var parts = tm()
        localtime_r(&time, &parts)
        let bytes = [CChar](unsafeUninitializedCapacity: 64) { buffer, count in
            count = strftime(buffer.baseAddress!, 64, "%Y-%m-%d %H:%M", &parts)
        }
        return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Nil unless `text` is a day, `2026-11-21`, or RFC 3339 in UTC.
    static func minute(parsing text: String) -> Minute? {
        let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
        guard let seconds = RFC3339.seconds(whole), seconds >= 0 else { return nil }
        return Minute(UInt32(clamping: seconds / 60))
    }

    /// The minute that this machine's clock shows.
    static var now: Minute { Minute(UInt32(clamping: max(0, time(nil) / 60))) }
}
