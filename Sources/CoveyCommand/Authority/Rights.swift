import CoveyCore

/// The names of what a device may do.
enum Rights {
    /// Adds what was typed to what is there.
    static func adding(_ words: [String], to given: Capabilities) throws -> Capabilities {
        var given = given
        for word in words {
            guard let found = Capabilities.names.first(where: { $0.name == word }) else {
                let known = Capabilities.names.map(\.name).joined(separator: ", ")
                throw Complaint(.usage, "--grant is \"\(word)\"; it takes \(known)")
            }
            given.insert(found.capability)
        }
        return given
    }

    static func text(_ capabilities: Capabilities) -> String {
        capabilities.words.joined(separator: ", ")
    }

    static func zones(_ zones: [Int]) throws -> [UInt8] {
        guard zones.count <= DeviceCertificate.mostZones, zones.allSatisfy({ (0...254).contains($0) }),
            Set(zones).count == zones.count
        else { throw Complaint(.usage, "--zone takes numbers from 0 to 254, each once, at most 16") }
        return zones.map { UInt8($0) }
    }
}
