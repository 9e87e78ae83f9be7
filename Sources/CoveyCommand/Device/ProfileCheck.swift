import CoveyCore
import CoveyStore

/// Whether a directory holds a device that may work as one, and in one line why not.
enum ProfileCheck {
    /// - Throws: a `Complaint` for a device that was ordered to lock or erase itself.
    static func canRun(_ home: String) throws {
        switch ProfileState(of: home) {
        case .empty, .device: return
        case .locked: throw locked(home)
        case .reading:
            throw Complaint(
                .locked,
                "this device was locked by order and given back for reading: it is no member any more; read its messages with covey inbox --home \(home.word), or enrol a new device in another directory"
            )
        case .erasing:
            throw Complaint(
                .erased, "an erase by order was begun in \(home); covey run --home \(home.word) finishes it")
        }
    }

    static func locked(_ home: String) -> Complaint {
        Complaint(
            .locked,
            "this device is locked by order of the organisation; ask for it back with covey unlock --home \(home.word) -o FILE"
        )
    }

    static let erased = "this device is erased by order of the organisation: its keys and messages are gone"

    /// Opens the directory of a device, and finishes first what an order began there.
    static func open(_ path: String) throws -> HomeDirectory {
        switch ProfileState(of: path) {
        case .empty:
            let next =
                Disk.exists(path + "/pending")
                ? "its request waits for the welcome: covey device install FILE --home \(path.word)"
                : "enrol it first: covey device request INVITE -o FILE --home \(path.word)"
            throw Complaint(.failed, "there is no device in \(path); \(next)")
        case .device: return try HomeDirectory(path)
        case .locked:
            try LockedProfile.finish(HomeDirectory(path))
            throw locked(path)
        case .reading: try canRun(path)
        case .erasing:
            try Erasure.erase(HomeDirectory(path))
            throw Complaint(.erased, erased)
        }
        preconditionFailure("all other states were told")
    }
}
