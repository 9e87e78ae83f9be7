internal import Glibc
package import Testing

/// The folder of outside vectors, which is never part of the package: `COVEY_SHARED`, or `shared` beside the checkout.
package enum Shared {
    /// The folder that holds Package.swift.
    package static let packageRoot = parent(of: parent(of: parent(of: #filePath)))

    package static let folder: String = {
        if let named = getenv("COVEY_SHARED"), named.pointee != 0 { return String(cString: named) }
        return parent(of: packageRoot) + "/shared"
    }()

    package static let isPresent = access(folder + "/vectors/ORIGINS.md", R_OK) == 0

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }
}

extension Trait where Self == ConditionTrait {
    /// The test is skipped, and says so, when the shared folder is not beside this checkout.
    package static var needsShared: Self {
        .enabled(
            if: Shared.isPresent,
            "the shared vectors are not beside this checkout; set COVEY_SHARED to the folder that holds vectors/")
    }
}
