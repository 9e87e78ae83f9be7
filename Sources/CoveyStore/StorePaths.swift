/// Where a store keeps its files.
struct StorePaths: Sendable {
    let database: String
    let segments: String

    init(home: String) {
        database = home + "/store.sqlite"
        segments = home + "/segments"
    }

    func file(of segment: SegmentName) -> String { segments + "/" + segment.file }
}
