/// So much of something a minute, counted in whole minutes from the first use on.
struct PerMinute {
    let most: Int
    private var began: UInt64 = 0
    private var used = 0

    init(_ most: Int) { self.most = most }

    func isUsedUp(at uptime: UInt64) -> Bool { used >= most && uptime < began + 60_000_000 }

    /// How many of `count` may be had at `uptime`; these are used then.
    mutating func take(_ count: Int, at uptime: UInt64) -> Int {
        if used == 0 || uptime >= began + 60_000_000 {
            began = uptime
            used = 0
        }
        let given = min(count, most - used)
        used += given
        return given
    }
}
