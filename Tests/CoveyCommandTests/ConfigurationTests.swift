import CoveyCrypto
import CoveyUV
import Foundation
import Logging
import Testing

@testable import CoveyCommand

@Suite("Configuration")
final class ConfigurationTests {
    let program: CoveyProgram

    init() throws { program = try CoveyProgram() }
    deinit { program.remove() }

    private func load(
        _ toml: String? = nil, environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) throws -> Configuration {
        if let toml { try program.write(toml, to: "covey.toml") }
        return try Configuration.load(
            flags: flags, environment: ["COVEY_HOME": program.directory.path].merging(environment) { $1 })
    }

    private func complaint(
        _ toml: String? = nil, environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) -> Complaint? {
        do {
            _ = try load(toml, environment: environment, flags: flags)
            return nil
        } catch {
            return error as? Complaint
        }
    }

    @Test("without a word it listens on both families at 26117, speaks multicast and keeps 1 GiB")
    func defaults() throws {
        let configuration = try load()
        #expect(configuration.listen.map(\.host) == ["::", "0.0.0.0"])
        #expect(configuration.listen.allSatisfy { $0.port == 26117 })
        #expect(configuration.multicast == .on)
        #expect(configuration.quota == 1 << 30)
        #expect(configuration.commit == 200)
        #expect(configuration.controlPath == program.directory.path + "/control.sock")
    }

    @Test("a file says everything, in tables")
    func file() throws {
        let configuration = try load(
            """
            listen = ["127.0.0.1:0", "[::1]:7"]
            answer_static = false
            control = "/run/covey.sock"
            peers = ["192.0.2.9:26117", "host:1#00112233445566778899aabbccddeeff"]

            [discovery]
            multicast = "listen"
            interfaces = ["lo"]
            port = 1234

            [store]
            quota = "64MiB"
            commit = "50ms"

            [log]
            level = "debug"
            format = "json"
            """)
        #expect(configuration.listen == [.init("127.0.0.1", 0), .init("::1", 7)])
        #expect(!configuration.answersStatic)
        #expect(configuration.controlPath == "/run/covey.sock")
        #expect(configuration.peers.map(\.at) == [.init("192.0.2.9", 26117), .init("host", 1)])
        #expect(configuration.peers.map { $0.device?.hex } == [nil, "00112233445566778899aabbccddeeff"])
        #expect(configuration.multicast == .listen)
        #expect(configuration.interfaces == ["lo"])
        #expect(configuration.discoveryPort == 1234)
        #expect(configuration.quota == 64 << 20)
        #expect(configuration.commit == 50)
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .json)
    }

    @Test("a flag outweighs the environment, the environment the file, the file the default")
    func precedence() throws {
        let file = "[log]\nlevel = \"debug\"\nformat = \"json\"\n[discovery]\nport = 1\n[store]\ncommit = \"1ms\"\n"
        let configuration = try load(
            file,
            environment: [
                "COVEY_LOG_LEVEL": "warning", "COVEY_DISCOVERY_PORT": "2", "COVEY_LISTEN": "0.0.0.0:1,[::]:2",
            ],
            flags: ["log.level": ["error"], "discovery.port": ["3"]])
        #expect(configuration.logLevel == .error)
        #expect(configuration.discoveryPort == 3)
        #expect(configuration.logFormat == .json)
        #expect(configuration.commit == 1)
        #expect(configuration.listen == [.init("0.0.0.0", 1), .init("::", 2)])
        let environment = try load(file, environment: ["COVEY_LOG_LEVEL": "warning"])
        #expect(environment.logLevel == .warning)
    }

    @Test("an unknown key is an error with its line and the keys there are")
    func unknownKey() throws {
        let unknown = try #require(complaint("answer_static = true\n\n[discovery]\nprot = 1\n"))
        #expect(unknown.status == .usage)
        #expect(unknown.description.contains("covey.toml, line 4: there is no setting \"discovery.prot\""))
        #expect(unknown.description.contains("discovery.port"))
    }

    @Test("the first wrong line is told, and a comment that looks like the key is not its line")
    func order() throws {
        let first = try #require(complaint("# port = 9\n[store]\nquota = \"1 GiB\"\n[discovery]\nport = 0\n"))
        #expect(first.description.contains("line 3: \"store.quota\" takes a size of at least 16MiB"))
    }

    @Test(
        "a value that does not fit is an error with its line and what would fit",
        arguments: [
            ("listen = \"0.0.0.0:1\"", "line 1: \"listen\" takes a list"),
            ("listen = [\"0.0.0.0\"]", "line 1: \"listen\" takes addresses"),
            ("listen = [\"::1:26117\"]", "line 1: \"listen\" takes addresses"),
            ("peers = [\"h:1#12\"]", "line 1: \"peers\" takes peers such as"),
            ("peers = [1]", "line 1: \"peers\" takes a list of texts"),
            ("\nanswer_static = \"maybe\"", "line 2: \"answer_static\" takes true or false"),
            ("discovery = { port = 70000 }", "line 1: \"discovery.port\" takes a port"),
            ("[store]\ncommit = \"1s\"", "line 2: \"store.commit\" takes at most 200ms"),
            ("[log]\nlevel = 2.5", "line 2: \"log.level\" takes one text"),
            ("[log]\nformat = [\"json\"]", "line 2: \"log.format\" takes one text"),
        ])
    func wrongValue(_ file: String, _ sentence: String) throws {
        let wrong = try #require(complaint(file))
        #expect(wrong.status == .usage)
        #expect(wrong.description.contains(sentence), "\(wrong.description)")
    }

    @Test("text that is no TOML is an error with its line")
    func notTOML() throws {
        let wrong = try #require(complaint("listen = []\n\nport 7\n"))
        #expect(wrong.description.contains("covey.toml, line 3"), "\(wrong.description)")
    }

    @Test("a wrong variable and a wrong flag are named")
    func named() throws {
        let variable = try #require(complaint(environment: ["COVEY_STORE_QUOTA": "little"]))
        #expect(variable.description.hasPrefix("COVEY_STORE_QUOTA is \"little\"; it takes a size"))
        let flag = try #require(complaint(flags: ["discovery.multicast": ["maybe"]]))
        #expect(flag.description == "--multicast is \"maybe\"; it takes on, listen or off")
    }

    @Test("a variable that is named like a setting and is none is told of, those of desks and of the build are not")
    func unknownVariables() throws {
        let environment = ["COVEY_LISTN": "[::]:1", "COVEY_AUTHORITY": "desk", "COVEY_SHARED": "x", "HOME": "h"]
        #expect(try load(environment: environment).unknownVariables == ["COVEY_LISTN"])
    }

    @Test("without a home directory it asks for one")
    func homeless() {
        #expect(throws: Complaint.self) { try Configuration.load(environment: [:]) }
        let xdg = try? Configuration.load(environment: ["HOME": "/nowhere/h", "XDG_DATA_HOME": "/nowhere/x"])
        #expect(xdg?.home == "/nowhere/x/covey")
        let home = try? Configuration.load(environment: ["HOME": "/nowhere/h", "XDG_DATA_HOME": ""])
        #expect(home?.home == "/nowhere/h/.local/share/covey")
    }
}
