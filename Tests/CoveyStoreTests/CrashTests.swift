import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStoreChild
import Glibc
import Testing

@testable import CoveyStore

extension StoreTests {
    /// A process that writes is ended by the kernel, or finds no room; what it said was committed must be there.
    @Suite("A store after its process died")
    struct CrashTests {
        /// A batch holds at most four turns and the one under way, so a commit that nobody heard of is this near.
        private static let mostUnheard = 8
        /// COVEY_KILLS asks for more than the usual dozen.
        private static let rounds = getenv("COVEY_KILLS").flatMap { UInt64(String(cString: $0)) } ?? 12

        /// Whether the directory holds what a number of turns leaves, `heard` or a few more.
        private func isCommit(_ scratch: Scratch, seed: UInt64, heard: Int) throws -> Bool {
            let found = try Contents(of: scratch.open())
            let model = MemoryStore()
            var turns = Turns(seed: seed)
            for _ in 0..<heard { try turns.turn(model) }
            for _ in 0...Self.mostUnheard {
                if try Contents(of: model) == found { return true }
                try turns.turn(model)
            }
            return false
        }

        @Test(
            "has every acknowledged turn, and no half of another, wherever kill -9 struck",
            arguments: 1...rounds)
        func killed(seed: UInt64) throws {
            let scratch = Scratch()
            let dice = SeededRandom(seed: seed, stream: "kill")
            let child = Child(["turns", scratch.path, "\(seed)"])
            var heard = 0
            for _ in 0..<dice.uniform(40) { heard = try Int(#require(child.line())) ?? heard }
            // Lets the writer go on to any point of its next commits.
            for _ in 0..<dice.uniform(3000) { sched_yield() }
            child.kill()
            while let line = child.line() { heard = Int(line) ?? heard }
            #expect(try isCommit(scratch, seed: seed, heard: heard))
        }

        @Test(
            "says that the disk is full, and opens with all that was acknowledged",
            arguments: [150_000, 260_000, 700_000])
        func full(bytes: Int) throws {
            let scratch = Scratch()
            let seed = UInt64(bytes)
            // No file may grow over the limit: what an unprivileged process can have of a full disk.
            let child = Child(["limited", scratch.path, "\(seed)", "\(bytes)"])
            var heard = 0
            var last = ""
            while let line = child.line() {
                heard = Int(line) ?? heard
                last = line
            }
            child.wait()
            #expect(last == "full")
            #expect(heard > 0)
            #expect(try isCommit(scratch, seed: seed, heard: heard))
        }

        @Test("says that the disk is full when a segment cannot grow, and keeps the commit before")
        func noRoomForMail() throws {
            let scratch = Scratch()
            do {
                let store = try scratch.open()
                try store.put(.state, [1], [1])
                try store.commit()
                // A device that has no room for anything, where the segment's file will be.
                try #require(symlink("/dev/full", scratch.path + "/segments/492000-1.mail") == 0)
                try store.put(.state, [1], [2])
                try store.insert(Mail(1).record, Mail(1).bytes)
                #expect(throws: StoreError.full) { try store.commit() }
            }
            let store = try scratch.open()
            #expect(try store.get(.state, [1]) == [1])
            #expect(try store.known().held.isEmpty)
            #expect(scratch.segments().isEmpty)
        }

        @Test("cuts what stands behind the last commit, however much of it there is", arguments: ["mail", "ghosts"])
        func tornTail(ending: String) throws {
            let scratch = Scratch()
            let mail = Mail(1)
            let later = Mail(2)
            func second(_ store: DiskStore) throws {
                try store.insert(later.record, later.bytes)
                try store.insert(Mail(4).ghost())
            }
            do {
                let store = try scratch.open()
                try store.insert(mail.record, mail.bytes)
                try store.insert(Mail(3).ghost())
                try store.commit()
            }
            let name = try #require(scratch.segments(ending).first)
            let before = try scratch.read("segments/" + name)
            do {
                let store = try scratch.open()
                try second(store)
                // The frames of the batch reach the disk; its transaction does not.
                let batch = try #require(store.takeBatch() as? DiskBatch)
                let elsewhere = try Database(":memory:", patience: 0)
                try DiskWriter(
                    StorePaths(home: scratch.path), elsewhere, RecordSealer(testKey), SeededRandom(seed: 3),
                    SegmentTable()
                ).write(batch.appends)
            }
            let after = try scratch.read("segments/" + name)
            #expect(after.count > before.count)
            for end in before.count...after.count {
                try scratch.write("segments/" + name, Array(after[..<end]))
                let known = try scratch.open().known()
                #expect(known.held == [mail.record] && known.ghosts == [Mail(3).ghost()])
                #expect(try scratch.read("segments/" + name) == before)
            }
            // What follows is written where the torn tail stood.
            try second(scratch.open())
            let store = try scratch.open()
            try second(store)
            try store.commit()
            #expect(try store.known().held == [mail.record, later.record].sorted { $0.id < $1.id })
            #expect(try store.envelope(later.id) == later.bytes)
            #expect(try store.known().ghosts.count == 2)
        }

        @Test("has a batch of mail alone whole or not at all, though the database does not tell of it")
        func wholeBatch() throws {
            let scratch = Scratch()
            let (first, second, third) = (Mail(1), Mail(2), Mail(3))
            var start = 0
            do {
                let store = try scratch.open()
                try store.insert(first.record, first.bytes)
                try store.commit()
                start = try scratch.read("segments/" + #require(scratch.segments("mail").first)).count
                try store.insert(second.record, second.bytes)
                try store.insert(third.record, third.bytes)
                try store.commit()
            }
            let name = try #require(scratch.segments("mail").first)
            let whole = try scratch.read("segments/" + name)
            let all = [first.record, second.record, third.record].sorted { $0.id < $1.id }
            #expect(try scratch.open().known().held == all)
            #expect(try scratch.open().envelope(third.id) == third.bytes)

            // Cut short, or with a byte of it changed, the batch is gone, and nothing else.
            for end in stride(from: start, to: whole.count, by: 97) {
                try scratch.write("segments/" + name, Array(whole[..<end]))
                #expect(try scratch.open().known().held == [first.record])
            }
            for at in stride(from: start, to: whole.count, by: 97) {
                var bytes = whole
                bytes[at] ^= 1
                try scratch.write("segments/" + name, bytes)
                #expect(try scratch.open().known().held == [first.record])
            }

            // With a batch after it, it was durable: then it is no crash that took it.
            try scratch.write("segments/" + name, whole)
            do {
                let store = try scratch.open()
                try store.insert(Mail(5).record, Mail(5).bytes)
                try store.commit()
            }
            var broken = try scratch.read("segments/" + name)
            broken[start + 200] ^= 1
            try scratch.write("segments/" + name, broken)
            #expect(throws: StoreError.self) { try scratch.open() }

            // Records that come with mail wait for their transaction, and the database then tells of all frames.
            try scratch.write("segments/" + name, whole)
            do {
                let store = try scratch.open()
                try store.insert(Mail(4).record, Mail(4).bytes)
                try store.put(.state, [1], [1])
                try store.commit()
            }
            try scratch.write("segments/" + name, Array(try scratch.read("segments/" + name).dropLast()))
            #expect(throws: StoreError.self) { try scratch.open() }
        }

        @Test("unlinks a segment that no commit knows")
        func leftover() throws {
            let scratch = Scratch()
            do {
                let store = try scratch.open()
                try store.insert(Mail(1).record, Mail(1).bytes)
                try store.commit()
            }
            try scratch.write("segments/492000-77.mail", [1, 2, 3])
            try scratch.write("segments/notes.txt", [1])
            #expect(try scratch.open().known().held == [Mail(1).record])
            #expect(scratch.segments() == ["492000-1.mail", "notes.txt"])
        }
    }
}
