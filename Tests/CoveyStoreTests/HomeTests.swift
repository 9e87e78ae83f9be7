import CoveyCore
import CoveyCrypto
import CoveyStoreChild
import Glibc
import Testing

@testable import CoveyStore

extension StoreTests {
    @Suite("A node's directory")
    struct HomeTests {
        @Test("is made with its parents, for its owner alone")
        func made() throws {
            let scratch = Scratch()
            let home = try HomeDirectory(scratch.path + "/share/covey")
            for path in ["/share", "/share/covey"] {
                #expect(try File(scratch.path + path, O_RDONLY).status().st_mode & 0o777 == 0o700)
            }
            #expect(home.deviceKey == scratch.path + "/share/covey/device.key")
        }

        @Test("belongs to one process at a time, and names it")
        func running() throws {
            let scratch = Scratch()
            var first = try HomeDirectory(scratch.path) as HomeDirectory?
            #expect(throws: HomeDirectory.Failure.running(pid: getpid())) { try HomeDirectory(scratch.path) }
            #expect("\(HomeDirectory.Failure.running(pid: 12))" == "already running, pid 12")
            #expect(first != nil)
            first = nil
            _ = try HomeDirectory(scratch.path)
        }

        @Test("keeps no key when it is locked, nor what a crash left of one half written")
        func locked() throws {
            let scratch = Scratch()
            let home = try HomeDirectory(scratch.path)
            let keys = ["device.key", "device.key.new", "device.key.17.new", "pending", "pending.17.new"]
            let others = ["device.locked", "pending.txt", "mesh.new"]
            for name in keys + others { try Destruction.replace(scratch.path + "/" + name, [1, 2, 3]) }
            try LockedProfile.finish(home)
            let names = try Directory.names(in: scratch.path)
            #expect(names.filter(keys.contains) == [])
            #expect(Set(names).isSuperset(of: others))
        }

        @Test("is refused when others may look into it")
        func exposed() throws {
            let scratch = Scratch()
            chmod(scratch.path, 0o750)
            #expect(throws: HomeDirectory.Failure.exposed(scratch.path, mode: 0o750)) {
                try HomeDirectory(scratch.path)
            }
        }
    }
}

extension StoreTests {
    @Suite("A key file")
    struct DeviceKeyFileTests {
        private let scratch = Scratch()
        private let random = SeededRandom(seed: 5)
        private var file: DeviceKeyFile { DeviceKeyFile(scratch.path + "/device.key") }

        private func write() throws -> DeviceKeys {
            let keys = DeviceKeys(mesh: .random(from: random), from: random)
            try file.write(keys, from: random)
            return keys
        }

        @Test("gives back the keys, and nobody else may read it")
        func round() throws {
            let keys = try write()
            let read = try file.read()
            #expect(read.mesh == keys.mesh && read.device == keys.device)
            #expect(read.master.isEqual(to: keys.master))
            #expect(read.signing.isEqual(to: keys.signing))
            #expect(read.link.isEqual(to: keys.link) && read.message.isEqual(to: keys.message))
            #expect(try File(file.path, O_RDONLY).status().st_mode & 0o777 == 0o600)
            #expect(try Directory.names(in: scratch.path) == ["device.key"])
            #expect(!(try scratch.read("device.key").contains(run: keys.signing.exposing { [UInt8](copying: $0) })))
        }

        @Test("is never overwritten")
        func exists() throws {
            let keys = try write()
            #expect(throws: DeviceKeyFile.Failure.exists(file.path)) { try write() }
            #expect(try file.read().device == keys.device)
            #expect(try Directory.names(in: scratch.path) == ["device.key"])
        }

        @Test("is refused when others may read or write it", arguments: [0o640, 0o604, 0o620, 0o666])
        func exposed(mode: UInt32) throws {
            _ = try write()
            chmod(file.path, mode)
            #expect(throws: DeviceKeyFile.Failure.exposed(file.path, mode: mode)) { try file.read() }
        }

        @Test("is refused when it is missing, cut, lengthened or changed in any byte")
        func damaged() throws {
            #expect(throws: DeviceKeyFile.Failure.missing(file.path)) { try file.read() }
            _ = try write()
            let sound = try scratch.read("device.key")
            for at in sound.indices {
                var bytes = sound
                bytes[at] ^= 1
                try scratch.write("device.key", bytes)
                #expect(throws: at == 6 || at == 7 ? .newer(file.path) : DeviceKeyFile.Failure.damaged(file.path)) {
                    try file.read()
                }
            }
            for bytes in [[], Array(sound.dropLast()), sound + [0]] {
                try scratch.write("device.key", bytes)
                #expect(throws: DeviceKeyFile.Failure.damaged(file.path)) { try file.read() }
            }
        }
    }
}
