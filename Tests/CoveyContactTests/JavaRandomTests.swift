import Testing

@testable import CoveyContact

@Suite("Java's generator and the order of its maps")
struct JavaRandomTests {
    @Test("The generator throws what a Java machine throws, powers of two and second throws included")
    func known() {
        let bounds: [Int32] = [10, 16, 1000, 7, 1_073_741_825, 2_147_483_647, 1_000_000_007, 2]
        let cases: [(Int64, [Int32])] = [
            (0, [0, 13, 29, 2, 663_681_053, 1_182_054_491, 251_269_761, 1]),
            (1, [5, 1, 847, 0, 446_064_254, 77_814_904, 714_504_434, 1]),
            (42, [0, 0, 248, 3, 662_969_970, 2_023_087_525, 595_021_505, 1]),
            (86400, [5, 1, 290, 2, 958_010_980, 2_003_721_112, 660_160_002, 0]),
            (30832, [8, 2, 821, 1, 254_498_614, 88_074_816, 482_063_053, 0]),
            (1_234_567_890_123, [0, 8, 178, 5, 458_291_080, 470_392_121, 942_516_023, 1]),
        ]
        for (seed, expected) in cases {
            var dice = JavaRandom(seed: seed)
            #expect(bounds.map { dice.below($0) } == expected, "seed \(seed)")
        }
    }

    @Test("A list is shuffled as Java shuffles it")
    func shuffle() {
        var list = Array(0..<12)
        var dice = JavaRandom(seed: 5)
        dice.shuffle(&list)
        #expect(list == [2, 7, 6, 8, 10, 9, 0, 3, 5, 4, 1, 11])
    }

    @Test("Three rounds leave the nodes where three shuffles of a list leave them")
    func rounds() {
        for (first, expected) in [
            (Int64(5), [8, 7, 11, 4, 0, 2, 1, 6, 3, 9, 5, 10]), (30832, [11, 6, 5, 2, 9, 8, 3, 1, 4, 7, 0, 10]),
        ] {
            var order = OneRoundOrder(nodes: 12, isShuffled: true)
            for second in first..<first + 3 { order.advance(second: second) }
            order.settle()
            #expect(expected.map { Int(order.places[$0]) } == Array(0..<12))
        }
    }

    @Test("Rounds that are settled together, late or one by one give the same places, for many nodes")
    func settling() {
        for nodes in [1, 2, 3, 64, 98, 1000] {
            var late = OneRoundOrder(nodes: nodes, isShuffled: true)
            var list = Array(0..<nodes)
            for round in 0..<300 {
                late.advance(second: Int64(round / 3))
                list = LiteralRandom(seed: Int64(round / 3)).shuffled(list)
                if round % 7 == 0 { late.settle() }
            }
            late.settle()
            #expect(list.map { Int(late.places[$0]) } == Array(0..<nodes), "\(nodes) nodes")
        }
    }

    @Test("A string's hash is over UTF-16, with its upper half mixed in")
    func hashes() {
        let cases: [(String, UInt32)] = [
            ("", 0), ("M1", 2436), ("M165", 2_342_752), ("Straße", 2_486_874_092), ("😀x", 54_959_155),
        ]
        for (name, spread) in cases { #expect(JavaHashOrder.spread(name) == spread, "\(name)") }
    }

    private func buffers(_ names: [String]) -> OneBuffers {
        OneBuffers(
            nodes: 1, names: names, sizes: names.map { _ in 1 }, capacity: 1 << 20, sprays: false)
    }

    private func put(_ buffers: inout OneBuffers, _ message: Int) {
        buffers.put(0, OneCopy(message: Int32(message), copies: 1, hops: 0, path: -1, received: 0))
    }

    private func walk(_ buffers: OneBuffers, _ names: [String]) -> String {
        buffers.copies[0].map { names[Int($0.message)] }.joined(separator: " ")
    }

    @Test("A map that grows, shrinks and takes a key again is walked as Java walks it")
    func growth() {
        let names = (1...12).map { "M\($0 * 37 % 101)" } + ["M999", "M5"]
        var map = buffers(names)
        for message in 0..<12 { put(&map, message) }
        #expect(walk(map, names) == "M37 M47 M3 M84 M40 M94 M20 M74 M30 M10 M57 M67")
        put(&map, 12)
        #expect(walk(map, names) == "M3 M84 M40 M94 M20 M74 M30 M10 M57 M67 M999 M37 M47", "it doubled")
        for message in 0..<8 { map.remove(0, at: map.place(0, message)) }
        #expect(walk(map, names) == "M3 M40 M30 M67 M999", "and does not shrink")
        put(&map, 0)
        put(&map, 13)
        put(&map, 12)
        #expect(walk(map, names) == "M3 M40 M5 M30 M67 M999 M37", "a key that is there keeps its place")
    }

    @Test("The ninth key of one bucket makes a small map double")
    func crowded() {
        let names = ["K18", "K29", "K90", "K150", "K161", "K172", "K183", "K194", "K260", "K271"]
        var map = buffers(names)
        for message in 0..<8 { put(&map, message) }
        #expect(walk(map, names) == "K18 K29 K90 K150 K161 K172 K183 K194", "in the order of insertion")
        put(&map, 8)
        #expect(walk(map, names) == "K90 K150 K161 K172 K183 K194 K260 K18 K29")
        put(&map, 9)
        #expect(walk(map, names) == "K90 K150 K161 K172 K183 K194 K260 K271 K18 K29")
    }
}
