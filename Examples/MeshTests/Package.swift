// swift-tools-version: 6.2
import PackageDescription

// A package of one's own that tests something over Covey: it depends on the simulator, and on nothing else of Covey.
// Elsewhere the dependency is `.package(url: …)`; here it is the repository this example lies in.
let package = Package(
    name: "MeshTests",
    dependencies: [.package(name: "covey", path: "../..")],
    targets: [
        .testTarget(name: "MeshTests", dependencies: [.product(name: "CoveySimulator", package: "covey")])
    ],
    swiftLanguageModes: [.v6])
