import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStoreChild
import Glibc
import Testing

@testable import CoveyStore

extension StoreTests {
    @Suite("A store on disk")
    struct DiskStoreTests {
        private func filled(_ scratch: Scratch) throws {
            let store = try scratch.open()
            for number in 0..<6 { try store.insert(Mail(number).record, Mail(number).bytes) }
            try store.insert(Mail(10).ghost())
            for number in 0..<50 as Range<UInt8> {
                try store.put(.notes, [number], [UInt8](repeating: number, count: 400))
            }
            try store.put(.log, 1, [1, 2, 3])
            try store.commit()
        }

        /// What went wrong, when all of the store is read.
        private func trouble(_ scratch: Scratch) -> StoreError? {
            do {
                _ = try Contents(of: scratch.open())
                return nil
            } catch {
                return error as? StoreError
            }
        }

        @Test("unlinks a segment's file when its hour has passed, and a ghost's a day later")
        func unlinks() throws {
            let scratch = Scratch()
            let store = try scratch.open()
            try store.insert(Mail(1, expiry: 492_000).record, Mail(1, expiry: 492_000).bytes)
            try store.insert(Mail(2, expiry: 492_006).record, Mail(2, expiry: 492_006).bytes)
            try store.insert(Mail(3, expiry: 492_000).ghost())
            try store.commit()
            #expect(scratch.segments() == ["492000-1.mail", "492000-3.ghosts", "492006-2.mail"])
            try store.expire(upTo: Hour(492_000))
            #expect(scratch.segments().count == 3)
            try store.commit()
            #expect(scratch.segments() == ["492000-3.ghosts", "492006-2.mail"])
            try store.expire(upTo: Hour(492_024))
            try store.commit()
            #expect(scratch.segments().isEmpty)
        }

        @Test("writes nothing that could be searched for: no id, no key, no text")
        func sealed() throws {
            let scratch = Scratch()
            let mail = Mail(1)
            let key = Array("the key of a record".utf8)
            let value = Array("what a person wrote".utf8)
            do {
                let store = try scratch.open()
                try store.put(.sessions, key, value)
                try store.put(.inbox, 1, value)
                try store.insert(mail.record, mail.bytes)
                try store.insert(Mail(2).ghost())
                try store.commit()
            }
            let files = ["store.sqlite"] + scratch.segments().map { "segments/" + $0 }
            #expect(files.count == 3)
            for file in files {
                let bytes = try scratch.read(file)
                for secret in [key, value, mail.id.array, Mail(2).id.array, Array(mail.bytes[40..<72])] {
                    #expect(!bytes.contains(run: secret), "\(file)")
                }
            }
        }

        @Test("makes files that only their owner reads")
        func modes() throws {
            let scratch = Scratch()
            let store = try scratch.open()
            try store.put(.state, [1], [1])
            try store.insert(Mail(1).record, Mail(1).bytes)
            try store.commit()
            for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "lock", "segments/492000-1.mail"] {
                #expect(try File(scratch.path + "/" + name, O_RDONLY).status().st_mode & 0o777 == 0o600, "\(name)")
            }
            #expect(try File(scratch.path + "/segments", O_RDONLY).status().st_mode & 0o777 == 0o700)
        }

        @Test("takes a batch of more envelopes than its buffers hold")
        func largeBatch() throws {
            let scratch = Scratch()
            let model = Mail(1)
            let source = SeededRandom(seed: 9)
            let ids = (0..<11_000).map { _ in EnvelopeID.random(from: source) }
            do {
                let store = try scratch.open()
                for id in ids {
                    let record = EnvelopeRecord(
                        id: id, header: model.record.header, tokens: 1, hops: 0, isOwn: false,
                        ingress: model.record.ingress)
                    try store.insert(record, model.bytes)
                }
                try store.commit()
            }
            let store = try scratch.open()
            #expect(try store.known().held.map(\.id) == ids.sorted())
            for id in [ids[0], ids[5000], ids[10_999]] { #expect(try store.envelope(id) == model.bytes) }
        }

        @Test("tells a byte changed in a segment from a tail that was torn, wherever the byte is")
        func damagedSegment() throws {
            let scratch = Scratch()
            try filled(scratch)
            for name in scratch.segments() {
                let sound = try scratch.read("segments/" + name)
                for at in stride(from: 0, to: sound.count, by: 7) {
                    var bytes = sound
                    bytes[at] ^= 1
                    try scratch.write("segments/" + name, bytes)
                    switch trouble(scratch) {
                    case .damaged(let text): #expect(text.contains(name))
                    // The version of the format is a byte too.
                    case .newer where at == 4: break
                    case let other: Issue.record("byte \(at) of \(name): \(other.map { "\($0)" } ?? "nothing")")
                    }
                }
                try scratch.write("segments/" + name, Array(sound.dropLast()))
                guard case .damaged = trouble(scratch) else { throw Unexpected() }
                unlink(scratch.path + "/segments/" + name)
                guard case .damaged(let text) = trouble(scratch) else { throw Unexpected() }
                #expect(text.contains("missing"))
                try scratch.write("segments/" + name, sound)
            }
            #expect(trouble(scratch) == nil)
        }

        @Test("gives all records or says that it is damaged, whatever byte of the database changes")
        func damagedDatabase() throws {
            let scratch = Scratch()
            try filled(scratch)
            let sound = try scratch.read("store.sqlite")
            let contents = try Contents(of: scratch.open())
            var found = 0
            for at in stride(from: 0, to: sound.count, by: 401) {
                var bytes = sound
                bytes[at] ^= 0x10
                try scratch.write("store.sqlite", bytes)
                do {
                    let read = try Contents(of: scratch.open())
                    // Nothing reads that byte.
                    #expect(read == contents, "byte \(at)")
                } catch let error as StoreError {
                    switch error {
                    case .damaged(let text): #expect(text.contains("store.sqlite") || text.contains("segments"))
                    case .newer, .io: break
                    case .full, .locked, .permission: Issue.record("byte \(at): \(error)")
                    }
                    found += 1
                }
                for suffix in ["-wal", "-shm"] { unlink(scratch.path + "/store.sqlite" + suffix) }
            }
            #expect(found > 30)
            try scratch.write("store.sqlite", Array("This is a letter, not a database.".utf8))
            guard case .damaged = trouble(scratch) else { throw Unexpected() }
        }

        @Test("says that another key sealed it")
        func otherKey() throws {
            let scratch = Scratch()
            try filled(scratch)
            do {
                _ = try scratch.open(SymmetricKey(from: SeededRandom(seed: 2, stream: "master")))
                Issue.record("it opened")
            } catch StoreError.damaged(let text) {
                #expect(text.contains("another device key"))
            }
            #expect(trouble(scratch) == nil)
        }

        @Test("does not open what a newer version wrote")
        func newer() throws {
            let scratch = Scratch()
            try filled(scratch)
            do {
                let database = try Database(scratch.path + "/store.sqlite", patience: 0)
                try database.run("PRAGMA user_version = 999")
            }
            guard case .newer(let text) = trouble(scratch) else { throw Unexpected() }
            #expect(text.contains("999"))
        }

        @Test("does not open another program's database")
        func foreign() throws {
            let scratch = Scratch()
            do {
                let database = try Database(scratch.path + "/store.sqlite", patience: 0)
                try database.run("CREATE TABLE recipes (title TEXT)")
            }
            guard case .damaged(let text) = trouble(scratch) else { throw Unexpected() }
            #expect(text.contains("not a store of Covey"))
        }

        @Test("says that another process writes to it")
        func locked() throws {
            let scratch = Scratch()
            let store = try scratch.open(patience: 0)
            let other = try Database(scratch.path + "/store.sqlite", patience: 0)
            try other.run("BEGIN IMMEDIATE")
            try store.put(.state, [1], [1])
            #expect(throws: StoreError.locked) { try store.commit() }
        }

        @Test("says so before it is used when another process writes already")
        func lockedFromTheStart() throws {
            let scratch = Scratch()
            do { _ = try scratch.open() }
            let other = try Database(scratch.path + "/store.sqlite", patience: 0)
            try other.run("BEGIN IMMEDIATE")
            #expect(throws: StoreError.locked) { try scratch.open(patience: 0) }
        }

        @Test("tells a file that may not be written from other trouble")
        func permission() {
            for code in [EACCES, EPERM, EROFS] {
                guard case .permission(let text) = StoreError(errno: code, "write", "store.sqlite") else {
                    Issue.record("\(code)")
                    continue
                }
                #expect(text.contains("cannot write store.sqlite"))
            }
        }

        @Test(
            "rewrites a segment of which little lives, and gives its room back, also over a crash",
            arguments: [false, true])
        func rewrites(isCut: Bool) throws {
            let scratch = Scratch()
            var open = try scratch.open() as DiskStore?
            let mail = (0..<200).map { Mail($0, bucket: .bytes16384) }
            let lost = mail[199]
            do {
                let store = try #require(open)
                for one in mail { try store.insert(one.record, one.bytes) }
                try store.commit()
                for one in mail[..<150] { try store.replace(one.id, with: one.ghost(.evicted)) }
                #expect(scratch.segments(".mail") == ["492000-1.mail"])
                let batch = try #require(store.takeBatch())
                // While the batch is written, one of the moved goes too.
                try store.replace(lost.id, with: lost.ghost(.evicted))
                try batch.write()
                for one in mail[150..<199] { #expect(try store.envelope(one.id) == one.bytes) }
                #expect(scratch.segments(".mail") == ["492000-1.mail", "492000-3.mail"])
                if !isCut { store.finished(batch) }
            }
            if isCut {
                open = nil
                open = try scratch.open()
                try open?.replace(lost.id, with: lost.ghost(.evicted))
            }
            let store = try #require(open)
            try store.commit()
            #expect(scratch.segments(".mail") == ["492000-3.mail"])
            #expect(try scratch.read("segments/492000-3.mail").count < 60 * 17_000)
            #expect(try store.known().held == mail[150..<199].map(\.record).sorted { $0.id < $1.id })
            for one in mail[150..<199] { #expect(try store.envelope(one.id) == one.bytes) }
            #expect(try store.known().ghosts.count == 151)
        }

        @Test("reads from more segments than it keeps open")
        func manySegments() throws {
            let scratch = Scratch()
            let store = try scratch.open()
            let mail = (0..<150).map { Mail($0, expiry: 492_000 + UInt32($0) * 6) }
            for one in mail { try store.insert(one.record, one.bytes) }
            try store.commit()
            for one in mail + mail.reversed() { #expect(try store.envelope(one.id) == one.bytes) }
            // Other tests of this process have files open too.
            let open = try Directory.names(in: "/proc/self/fd").filter { number in
                guard let target = realpath("/proc/self/fd/\(number)", nil) else { return false }
                defer { free(target) }
                return String(cString: target).hasPrefix(scratch.path)
            }
            #expect(open.count < 100)
        }
    }
}

struct Unexpected: Error {}

extension [UInt8] {
    func contains(run: [UInt8]) -> Bool {
        guard count >= run.count else { return false }
        return (0...count - run.count).contains { self[$0] == run[0] && self[$0..<$0 + run.count].elementsEqual(run) }
    }
}
