import CoveyCrypto
import CoveyNode

/// Records written by turns and not in the database yet; nil stands for a deletion.
struct Overlay {
    private(set) var keyed: [KeyedTable: [[UInt8]: [UInt8]?]] = [:]
    private(set) var secrets: [SecretTable: [[UInt8]: SecretBytes?]] = [:]
    private(set) var sequences: [SequenceTable: [UInt64: [UInt8]?]] = [:]

    var isEmpty: Bool { keyed.isEmpty && secrets.isEmpty && sequences.isEmpty }

    mutating func set(_ table: KeyedTable, _ key: [UInt8], _ value: [UInt8]?) {
        keyed[table, default: [:]].updateValue(value, forKey: key)
    }

    mutating func set(_ table: SecretTable, _ key: [UInt8], _ value: SecretBytes?) {
        secrets[table, default: [:]].updateValue(value, forKey: key)
    }

    mutating func set(_ table: SequenceTable, _ sequence: UInt64, _ value: [UInt8]?) {
        sequences[table, default: [:]].updateValue(value, forKey: sequence)
    }
}
