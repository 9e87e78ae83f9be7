import CoveyCore
import Glibc
import Testing

@testable import CoveyOutsider

/// A door on the loopback interface that says the same to everybody, and closes.
private final class Door {
    private let listener: Int32
    let address: SocketAddress

    init() {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) | listen(descriptor, 32) | getsockname(descriptor, $0, &size)
            }
        }
        guard status == 0 else { fatalError("a test can listen on the loopback interface") }
        address = SocketAddress(v4: 127, 0, 0, 1, port: UInt16(bigEndian: name.sin_port))
    }

    deinit { close(listener) }

    /// Connections stand in the listener's queue until they are let in here.
    func open(saying word: [UInt8], times: Int) {
        let work = Work(listener: dup(listener), word: word, times: times)
        var thread = pthread_t()
        guard pthread_create(&thread, nil, keepDoor, Unmanaged.passRetained(work).toOpaque()) == 0 else {
            fatalError("a test can start a thread")
        }
        pthread_detach(thread)
    }

    final class Work {
        let listener: Int32
        let word: [UInt8]
        let times: Int

        init(listener: Int32, word: [UInt8], times: Int) {
            self.listener = listener
            self.word = word
            self.times = times
        }

        func run() {
            for _ in 0..<times {
                let guest = accept(listener, nil, nil)
                if !word.isEmpty { send(guest, word, word.count, Int32(MSG_NOSIGNAL)) }
                shutdown(guest, Int32(SHUT_RDWR))
                close(guest)
            }
            close(listener)
        }
    }
}

private func keepDoor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<Door.Work>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}

@Suite("A stranger at a door")
struct StrangerTests {
    private static let knocks = 11

    @Test("A door that stays shut has told nothing")
    func shut() throws {
        let door = Door()
        #expect(try Stranger(target: door.address, patience: 20).run())
    }

    @Test("A door that closes without a word has told nothing")
    func closing() throws {
        let door = Door()
        door.open(saying: [], times: Self.knocks)
        #expect(try Stranger(target: door.address, patience: 5_000).run())
    }

    @Test("A single byte to a single stranger is found")
    func telling() throws {
        let door = Door()
        door.open(saying: [0], times: 1)
        door.open(saying: [], times: Self.knocks - 1)
        #expect(try !Stranger(target: door.address, patience: 5_000).run())
    }

    @Test("Where nobody listens is said in a sentence")
    func nobody() throws {
        let address = Door().address
        #expect(throws: Connection.Failure.self) { try Stranger(target: address, patience: 20).run() }
    }
}
