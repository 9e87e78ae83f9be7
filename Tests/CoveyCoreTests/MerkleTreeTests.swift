import CoveyCrypto
import Testing

@testable import CoveyCore

@Suite("Merkle trees over certificates")
struct MerkleTreeTests {
    private static func leaves(_ count: Int, seed: UInt64 = 1) -> [CertificateHash] {
        let random = SeededRandom(seed: seed, stream: "leaves")
        return (0..<count).map { _ in CertificateHash.random(from: random) }
    }

    /// The roots that the public test suites of Certificate Transparency give for the first n of these leaves.
    @Test("The shape is that of RFC 6962: with its hashes, its published roots")
    func published() throws {
        let inputs = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
        ]
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        let leaves = try inputs.map { SHA256.hash(([0] + (try #require([UInt8](hex: $0)))).span.bytes) }
        func join(_ left: Octets32, _ right: Octets32) -> Octets32 {
            SHA256.hash(([1] + left.array + right.array).span.bytes)
        }
        for count in 1...leaves.count {
            let levels = MerkleShape.levels(over: Array(leaves[..<count]), joining: join)
            let root = try #require(levels.last?.first)
            #expect(root.hex == roots[count - 1])
            for index in 0..<count {
                let path = MerkleShape.path(to: index, in: levels)
                #expect(MerkleShape.root(of: leaves[index], at: index, of: count, path: path, joining: join) == root)
            }
        }
    }

    @Test("A tree splits at the largest power of two below its size, as RFC 6962 says it from above")
    func recursion() {
        func root(_ leaves: ArraySlice<MerkleHash>) -> MerkleHash {
            guard leaves.count > 1 else { return leaves.first ?? .ofNothing }
            var split = 1
            while split * 2 < leaves.count { split *= 2 }
            let middle = leaves.startIndex + split
            return MerkleHash(root(leaves[..<middle]), root(leaves[middle...]))
        }
        for count in 0...70 {
            let leaves = Self.leaves(count)
            #expect(MerkleTree(leaves).root == root(leaves.map(MerkleHash.init(leaf:))[...]))
        }
    }

    @Test("Every leaf is proved by at most log2 n hashes, and by no other leaf, place, size or path")
    func proofs() throws {
        let random = SeededRandom(seed: 7, stream: "proofs")
        for count in Array(1...40) + [257, 1000] {
            let leaves = Self.leaves(count, seed: UInt64(count))
            let tree = MerkleTree(leaves)
            for index in count <= 40 ? Array(0..<count) : (0..<20).map({ _ in random.uniform(0...count - 1) }) {
                let proof = tree.proof(at: index)
                let leaf = MerkleHash(leaf: leaves[index])
                #expect(proof.root(of: leaf) == tree.root)
                #expect(proof.path.count <= Int(UInt64.bitWidth - UInt64(count - 1).leadingZeroBitCount))
                #expect(proof.root(of: MerkleHash(leaf: .random(from: random))) != tree.root)
                if count > 1 {
                    let other = InclusionProof(index: (index + 1) % count, count: count, path: proof.path)
                    #expect(other.root(of: leaf) != tree.root)
                    let short = InclusionProof(index: index, count: count, path: Array(proof.path.dropLast()))
                    #expect(short.root(of: leaf) == nil)
                    var path = proof.path
                    path[random.uniform(0...path.count - 1)] = MerkleHash.random(from: random)
                    #expect(InclusionProof(index: index, count: count, path: path).root(of: leaf) != tree.root)
                }
                let long = InclusionProof(index: index, count: count, path: proof.path + [tree.root])
                #expect(long.root(of: leaf) == nil)
            }
            #expect(InclusionProof(index: count, count: count, path: []).root(of: tree.root) == nil)
            #expect(InclusionProof(index: -1, count: count, path: []).root(of: tree.root) == nil)
        }
    }

    @Test("A node is no leaf: what stands above two leaves proves no certificate")
    func domains() throws {
        let leaves = Self.leaves(4)
        let tree = MerkleTree(leaves)
        let left = MerkleHash(MerkleHash(leaf: leaves[0]), MerkleHash(leaf: leaves[1]))
        let right = MerkleHash(MerkleHash(leaf: leaves[2]), MerkleHash(leaf: leaves[3]))
        #expect(MerkleHash(left, right) == tree.root)
        let forged = InclusionProof(index: 0, count: 2, path: [right])
        #expect(forged.root(of: MerkleHash(leaf: CertificateHash(prefixOf: left))) != tree.root)
    }
}
