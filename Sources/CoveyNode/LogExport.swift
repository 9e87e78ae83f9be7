package import CoveyCore
import CoveyCrypto

/// Where an export of the log goes on: entries come first, in the order of acceptance, then the notes by their ids.
/// Suspends and the receipts of wipe orders are no part of the log: each come alone, to whoever asks for them, Suspends by
/// their ids and receipts by the notes with the orders.
package enum ExportMark: Hashable, Sendable {
    /// After this position; 0 begins.
    case entry(UInt64)
    case note(NoteID)
    case suspend(NoteID)
    case receipt(NoteHash)

    /// `entry:12`, or `note:` or `suspend:` and the id, or `receipt:` and the hash.
    package init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "entry":
            guard let position = UInt64(parts[1]) else { return nil }
            self = .entry(position)
        case "note":
            guard let id = NoteID(hex: String(parts[1])) else { return nil }
            self = .note(id)
        case "suspend":
            guard let id = NoteID(hex: String(parts[1])) else { return nil }
            self = .suspend(id)
        case "receipt":
            guard let hash = NoteHash(hex: String(parts[1])) else { return nil }
            self = .receipt(hash)
        default: return nil
        }
    }

    package var text: String {
        switch self {
        case .entry(let position): "entry:\(position)"
        case .note(let id): "note:\(id.hex)"
        case .suspend(let id): "suspend:\(id.hex)"
        case .receipt(let note): "receipt:\(note.hex)"
        }
    }
}

/// A Signed object as a `.log` file has it, and the mark that comes after it.
package struct ExportedObject: Hashable, Sendable {
    package let mark: ExportMark
    package let bytes: [UInt8]

    package init(mark: ExportMark, bytes: [UInt8]) {
        self.mark = mark
        self.bytes = bytes
    }
}

extension Node {
    /// At most `limit` objects after a mark; fewer when these are the last. Keys of epochs are no part of the log.
    func exported(after mark: ExportMark, limit: Int, _ store: any Store) throws -> [ExportedObject] {
        func notes(after last: NoteID?, _ limit: Int) -> [ExportedObject] {
            let all = roster.notes
            let first = last.map { last in all.partitioningIndex { $0.id > last } } ?? 0
            return all[first...].prefix(limit).map {
                ExportedObject(mark: .note($0.id), bytes: $0.signed.bytes)
            }
        }
        switch mark {
        case .entry(let position):
            let entries = try roster.entries(after: position, limit: limit, store: store).map {
                ExportedObject(mark: .entry($0.position), bytes: $0.bytes)
            }
            return entries + notes(after: nil, limit - entries.count)
        case .note(let last): return notes(after: last, limit)
        case .suspend(let last):
            return roster.suspends.filter { $0.id > last }.prefix(limit).map {
                ExportedObject(mark: .suspend($0.id), bytes: $0.signed.bytes)
            }
        case .receipt(let last):
            return receipts.values.filter { $0.note > last }.sorted { $0.note < $1.note }.prefix(limit).map {
                ExportedObject(mark: .receipt($0.note), bytes: $0.signed.bytes)
            }
        }
    }
}
