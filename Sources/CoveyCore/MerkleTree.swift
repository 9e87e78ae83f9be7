import CoveyCrypto

/// BLAKE2b-256 of a leaf or of two nodes of a Merkle tree.
package struct MerkleHash: FixedOctets {
    private var octets = Octets32()
    package init() {}

    /// `certificate hash 32` under "covey1:leaf".
    package init(leaf certificate: CertificateHash) {
        self = certificate.withSpan { Blake2b.hash($0, personal: .leaf) }
    }

    /// `left 32 | right 32` under "covey1:node": no leaf can be taken for a node.
    package init(_ left: MerkleHash, _ right: MerkleHash) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        bytes.append(left)
        bytes.append(right)
        self = Blake2b.hash(bytes.span.bytes, personal: .node)
    }

    /// The root of a tree without leaves: "covey1:node" over nothing.
    package static let ofNothing: MerkleHash = {
        let nothing: [UInt8] = []
        return Blake2b.hash(nothing.span.bytes, personal: .node)
    }()
}

/// Where a leaf stands in a tree, with the hashes beside its way to the root, from below: 32·log2 n bytes.
package struct InclusionProof: Hashable, Sendable {
    package let index: Int
    /// Leaves of the tree.
    package let count: Int
    package let path: [MerkleHash]

    package init(index: Int, count: Int, path: [MerkleHash]) {
        self.index = index
        self.count = count
        self.path = path
    }

    /// The root of the tree that has the leaf there; nil when the path does not fit the place.
    package func root(of leaf: MerkleHash) -> MerkleHash? {
        MerkleShape.root(of: leaf, at: index, of: count, path: path, joining: MerkleHash.init(_:_:))
    }
}

/// A Merkle tree over certificates (protocol.md §1.8): the shape of RFC 6962 §2.1, other hashes.
package struct MerkleTree: Sendable {
    /// From the leaves up to the root; no level when there is no leaf.
    private let levels: [[MerkleHash]]

    package init(_ certificates: some Sequence<CertificateHash>) {
        levels = MerkleShape.levels(over: certificates.map(MerkleHash.init(leaf:)), joining: MerkleHash.init(_:_:))
    }

    package var count: Int { levels.first?.count ?? 0 }

    package var root: MerkleHash { levels.last?.first ?? .ofNothing }

    package func proof(at index: Int) -> InclusionProof {
        precondition((0..<count).contains(index), "a proof is of a leaf that the tree has")
        return InclusionProof(index: index, count: count, path: MerkleShape.path(to: index, in: levels))
    }
}

/// What RFC 6962 says of the shape, whatever the hashes are: a tree of n leaves splits at the largest power of two below
/// n. From below that is: neighbours join in pairs, and one without a neighbour moves up as it is.
enum MerkleShape {
    static func levels<Hash>(over leaves: [Hash], joining join: (Hash, Hash) -> Hash) -> [[Hash]] {
        guard !leaves.isEmpty else { return [] }
        var levels = [leaves]
        var level = leaves
        while level.count > 1 {
            var above: [Hash] = []
            above.reserveCapacity((level.count + 1) / 2)
            for left in stride(from: 0, to: level.count, by: 2) {
                above.append(left + 1 < level.count ? join(level[left], level[left + 1]) : level[left])
            }
            levels.append(above)
            level = above
        }
        return levels
    }

    static func path<Hash>(to index: Int, in levels: [[Hash]]) -> [Hash] {
        var path: [Hash] = []
        var at = index
        for level in levels.dropLast() {
            let beside = at ^ 1
            if beside < level.count { path.append(level[beside]) }
            at /= 2
        }
        return path
    }

    static func root<Hash>(
        of leaf: Hash, at index: Int, of count: Int, path: [Hash], joining join: (Hash, Hash) -> Hash
    ) -> Hash? {
        guard index >= 0, index < count else { return nil }
        var rest = path[...]
        var at = index
        var width = count
        var hash = leaf
        while width > 1 {
            if at ^ 1 < width {
                guard let beside = rest.popFirst() else { return nil }
                hash = at & 1 == 1 ? join(beside, hash) : join(hash, beside)
            }
            at /= 2
            width = (width + 1) / 2
        }
        return rest.isEmpty ? hash : nil
    }
}
