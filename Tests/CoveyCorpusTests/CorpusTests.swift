import CoveyCorpus
import CoveyCrypto
import CoveyVectors
import Foundation
import Testing

@Suite("What strangers may send")
struct CorpusTests {
    /// Inputs that once were interesting, in the order of their names.
    private static func corpus(of entry: FuzzEntry) throws -> [[UInt8]] {
        let folder = Shared.packageRoot + "/Tests/Corpus/" + entry.rawValue
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            try VectorFile(path: folder + "/" + name).bytes()
        }
    }

    /// How many damaged inputs an entry gets; a whole node takes its time.
    private static func count(_ entry: FuzzEntry) -> Int {
        switch entry {
        case .nodeMember, .nodeStranger: 200
        case .membership, .welcome: 400
        case .signed, .certificate, .entry, .note, .bundle, .plaintext, .invitation, .request, .coveyfile, .proof,
            .keyfile, .code, .image, .envelope, .beacon, .packet, .authpayload, .frames, .dataframe, .transport, .sync,
            .reconciler,
            .controlLine:
            2_500
        }
    }

    @Test(
        "Every reader comes back from its corpus, and from thousands of damaged copies of it",
        arguments: FuzzEntry.allCases)
    func comesBack(_ entry: FuzzEntry) throws {
        let corpus = try Self.corpus(of: entry)
        #expect(!corpus.isEmpty, "Tests/Corpus has inputs for \(entry.rawValue)")
        let run = entry.function()
        run([])
        for input in corpus { run(input) }
        let random = SeededRandom(seed: 1, stream: entry.rawValue)
        for _ in 0..<Self.count(entry) {
            run(Damage.damaged(corpus[random.uniform(0...corpus.count - 1)], corpus, random))
        }
    }

    @Test("The corpus stays small")
    func size() throws {
        var total = 0
        for entry in FuzzEntry.allCases { total += try Self.corpus(of: entry).reduce(0) { $0 + $1.count } }
        #expect(total < 1 << 20)
    }
}
