/// So much of something in a minute or a day, counted in whole ones from the first use on.
struct Rate {
    /// Microseconds.
    static let minute: UInt64 = 60_000_000
    static let day = 24 * 60 * minute

    let most: Int
    private let span: UInt64
    private var began: UInt64 = 0
    private var used = 0

    init(_ most: Int, each span: UInt64) {
        self.most = most
        self.span = span
    }

    func isUsedUp(at uptime: UInt64) -> Bool { used >= most && !isOver(at: uptime) }

    /// Nothing of it is used now: it is as good as new.
    func isOver(at uptime: UInt64) -> Bool { used == 0 || uptime >= began + span }

    /// How many of `count` may be had at `uptime`; these are used then.
    @discardableResult
    mutating func take(_ count: Int, at uptime: UInt64) -> Int {
        if isOver(at: uptime) {
            began = uptime
            used = 0
        }
        let given = min(count, most - used)
        used += given
        return given
    }
}
