import CoveyCrypto
import CoveyVectors
import Testing

@Suite("Vector files")
struct VectorFileTests {
    @Test("the golden file is with the package and names its mesh")
    func golden() throws {
        let golden = try Golden.json()
        #expect(golden["genesis"]["mesh_id"].octets(as: Octets32.self).isZero == false)
        #expect(golden["devices"].items.count == 2)
        #expect(golden["devices"][0]["name"].string == "alice")
        #expect(golden["nothing of that name"].isNull)
    }

    @Test("an outside suite has the rows its head counts", .needsShared)
    func outside() throws {
        let json = try VectorFile.shared("wp_x25519.json").json()
        #expect(try VectorFile.shared("wp_x25519.json").rows().count == json["count"].int)
    }

    @Test("a file that is not there is an error with its path")
    func missing() {
        #expect(throws: VectorFileMissing.self) { try VectorFile.own("no-such-file.json").json() }
    }
}
