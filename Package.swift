// swift-tools-version: 6.2
import PackageDescription

// One row a room. `COVEY_ROOMS=CoveyLink,CoveySync` builds and tests those rooms, and what they stand on, alone:
// the inner loop need not wait for swift-crypto or for code of a room that is being changed.
struct Room {
    enum Kind { case system(pkgConfig: String, apt: String), library, product, executable(product: String), child }
    var name: String
    var kind: Kind = .library
    var uses: [String] = []
    var products: [Target.Dependency] = []
    var tests: [String]? = nil
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

var rooms: [Room] = [
    Room(name: "CSodium", kind: .system(pkgConfig: "libsodium", apt: "libsodium-dev")),
    Room(name: "CUV", kind: .system(pkgConfig: "libuv", apt: "libuv1-dev")),
    Room(name: "CSQLite", kind: .system(pkgConfig: "sqlite3", apt: "libsqlite3-dev")),
    Room(name: "CZlib", kind: .system(pkgConfig: "zlib", apt: "zlib1g-dev")),
    Room(name: "CQREncode", kind: .system(pkgConfig: "libqrencode", apt: "libqrencode-dev")),
    Room(name: "CoveyCrypto", uses: ["CSodium"], tests: ["CoveyVectors"]),
    Room(name: "CoveyKEM", uses: ["CoveyCrypto"], products: [crypto], tests: ["CoveyVectors"]),
    Room(name: "CoveyCore", uses: ["CoveyCrypto"], tests: ["CoveyVectors"]),
    Room(name: "CoveyLink", uses: ["CoveyCore", "CoveyCrypto"], tests: ["CoveyVectors"]),
    Room(name: "CoveyConversation", uses: ["CoveyCore", "CoveyCrypto"], tests: ["CoveyVectors"]),
    Room(name: "CoveySync", uses: ["CoveyCore", "CoveyCrypto"], tests: []),
    Room(name: "CoveyRouting", uses: ["CoveyCore"], tests: ["CoveyCrypto"]),
    Room(
        name: "CoveyNode",
        uses: ["CoveyCore", "CoveyCrypto", "CoveyLink", "CoveyConversation", "CoveySync", "CoveyRouting"],
        tests: []),
    Room(
        name: "CoveyStore", uses: ["CoveyNode", "CoveyCore", "CoveyCrypto", "CSQLite"], tests: ["CoveyStoreChild"]),
    // A process of its own for the tests of CoveyStore to kill; not a product.
    Room(name: "CoveyStoreChild", kind: .child, uses: ["CoveyStore", "CoveyNode", "CoveyCore", "CoveyCrypto"]),
    Room(name: "CoveyControl", tests: []),
    Room(name: "CoveyQR", uses: ["CoveyCore", "CoveyCrypto", "CQREncode", "CZlib"], tests: ["CoveyVectors"]),
    Room(name: "CoveyUV", uses: ["CoveyNode", "CoveyCore", "CoveyCrypto", "CoveyControl", "CUV"], tests: []),
    Room(
        name: "CoveyCommand", kind: .executable(product: "covey"),
        uses: [
            "CoveyUV", "CoveyStore", "CoveyNode", "CoveyConversation", "CoveyCore", "CoveyCrypto", "CoveyKEM",
            "CoveyControl", "CoveyQR",
        ],
        products: [argumentParser, logging, toml], tests: []),
    Room(
        name: "CoveyBench", kind: .executable(product: "covey-bench"),
        uses: [
            "CoveyUV", "CoveyStore", "CoveyNode", "CoveyConversation", "CoveyLink", "CoveySync", "CoveyCore",
            "CoveyCrypto", "CoveyKEM",
        ]),
    Room(
        name: "CoveyOutsider", kind: .executable(product: "covey-outsider"),
        uses: ["CoveyLink", "CoveyCore", "CoveyCrypto"], tests: []),
    // The simulated world. Contacts alone know nothing of nodes; the world runs them; scenarios are files over both.
    Room(
        name: "CoveyContact", uses: ["CoveyRouting", "CoveyCore", "CoveyCrypto", "CZlib"], tests: ["CoveyVectors"]),
    Room(
        name: "CoveySimulator", kind: .product,
        uses: [
            "CoveyContact", "CoveyNode", "CoveyConversation", "CoveySync", "CoveyRouting", "CoveyLink", "CoveyCore",
            "CoveyCrypto",
        ], tests: []),
    Room(name: "CoveyReport", tests: []),
    Room(
        name: "CoveyScenario",
        uses: [
            "CoveySimulator", "CoveyContact", "CoveyReport", "CoveyNode", "CoveyRouting", "CoveyCore", "CoveyCrypto",
        ],
        products: [yaml], tests: ["CoveyVectors"]),
    Room(
        name: "CoveySimCommand", kind: .executable(product: "covey-sim"),
        uses: [
            "CoveyScenario", "CoveySimulator", "CoveyContact", "CoveyReport", "CoveyNode", "CoveyCore", "CoveyCrypto",
        ], products: [argumentParser], tests: []),
    Room(name: "CoveyVectors", uses: ["CoveyCrypto"]),
    // Every reader of strangers' bytes as a function, for the corpus in `make test` and for the fuzzer.
    Room(
        name: "CoveyCorpus",
        uses: [
            "CoveyNode", "CoveyConversation", "CoveyLink", "CoveySync", "CoveyCore", "CoveyCrypto", "CoveyControl",
            "CoveyQR",
        ],
        tests: ["CoveyVectors"]),
    Room(name: "CoveyWall", tests: ["CoveyVectors"]),
]

// Links with libFuzzer only (`make fuzz`), so no other build may see it.
if Context.environment["COVEY_FUZZ"] != nil {
    rooms.append(Room(name: "CoveyFuzz", kind: .child, uses: ["CoveyCorpus"]))
}

let wanted: Set<String> = {
    guard let list = Context.environment["COVEY_ROOMS"], !list.isEmpty else { return Set(rooms.map(\.name)) }
    var open = list.split(separator: ",").map(String.init)
    var found = Set(open)
    for name in open { open += rooms.first { $0.name == name }?.tests ?? [] }
    found.formUnion(open)
    while let name = open.popLast() {
        for use in rooms.first(where: { $0.name == name })?.uses ?? [] where found.insert(use).inserted {
            open.append(use)
        }
    }
    return found
}()
let tested: Set<String> = {
    guard let list = Context.environment["COVEY_ROOMS"], !list.isEmpty else { return wanted }
    return Set(list.split(separator: ",").map(String.init))
}()

let settings: [SwiftSetting] = [
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Libraries that only their own room knows: its tests do not import them.
let hidden: Set<String> = ["CSQLite", "CZlib", "CQREncode"]

var targets: [Target] = []
var products: [Product] = []
var packages: [Package.Dependency] = []
for room in rooms where wanted.contains(room.name) {
    let uses = room.uses.map { Target.Dependency.target(name: $0) }
    switch room.kind {
    case .system(let pkgConfig, let apt):
        targets.append(.systemLibrary(name: room.name, pkgConfig: pkgConfig, providers: [.apt([apt])]))
    case .library, .product:
        // The wall has no code of its own: its test reads the imports of all other rooms.
        if room.name == "CoveyWall" { break }
        let path = ["CoveyVectors", "CoveyCorpus"].contains(room.name) ? "Tests/\(room.name)" : nil
        targets.append(
            .target(name: room.name, dependencies: uses + room.products, path: path, swiftSettings: settings))
        if case .product = room.kind { products.append(.library(name: room.name, targets: [room.name])) }
    case .executable(let product):
        targets.append(
            .executableTarget(name: room.name, dependencies: uses + room.products, swiftSettings: settings))
        products.append(.executable(name: product, targets: [room.name]))
    case .child:
        targets.append(.executableTarget(name: room.name, dependencies: uses, swiftSettings: settings))
    }
    if let tests = room.tests, tested.contains(room.name) {
        let own = room.name == "CoveyWall" ? [] : [Target.Dependency.target(name: room.name)]
        targets.append(
            .testTarget(
                name: room.name + "Tests",
                dependencies: own + room.uses.filter { !hidden.contains($0) }.map { .target(name: $0) }
                    + tests.map { .target(name: $0) },
                swiftSettings: settings))
    }
}
if wanted.contains("CoveyKEM") {
    packages.append(.package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"))
}
if wanted.contains("CoveyCommand") || wanted.contains("CoveySimCommand") {
    packages.append(.package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"))
}
if wanted.contains("CoveyScenario") {
    packages.append(.package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"))
}
if wanted.contains("CoveyCommand") {
    packages += [
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    ]
}

let package = Package(
    name: "covey",
    products: products,
    dependencies: packages,
    targets: targets,
    swiftLanguageModes: [.v6])
