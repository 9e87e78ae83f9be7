import CoveyControl
import CoveyCrypto
import Glibc
import Testing

@testable import CoveyCore
@testable import CoveyNode
@testable import CoveyUV

@Suite("Control socket")
struct ControlSocketTests {
    private let directory: Directory

    init() throws { directory = try Directory() }

    private static func message(_ sequence: UInt64, _ text: String = "hello") -> InboxMessage {
        InboxMessage(
            sequence: sequence, id: MessageID(), from: DeviceID(), label: "alice", sent: Minute(29_900_000),
            received: Minute(29_900_001), text: text, senderSinceRevoked: false)
    }

    @Test("the node is asked and answers, and stop ends it and takes the socket away")
    func asks() throws {
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            switch event {
            case .command(let id, .status):
                var status = Status(
                    mesh: MeshID(), meshName: "home", device: DeviceID(), label: "ana",
                    certificateExpires: Minute(29_900_000))
                status.links = 3
                effects.append(.reply(id, .status(status)))
            case .command(let id, .send("bob", let text)):
                effects.append(.reply(id, .sent(MessageID(), text.isEmpty ? .waitingForKeys : .sealed)))
            case .command(let id, .send(let name, _)):
                effects.append(
                    .reply(
                        id,
                        .refused(
                            .ambiguous("\"\(name)\" fits several devices", candidates: ["carl/phone", "carl/laptop"]))))
            case .command(let id, .peers): effects.append(.reply(id, .logHeads([], forked: [])))
            default: break
            }
        }
        let client = try ControlClient(path: directory.socket)
        let status = try client.call(NodeStatus())
        #expect(status.meshName == "home")
        #expect(status.links == 3)
        #expect(status.epoch == nil)
        #expect(status.certificateExpires.description == "2026-11-06T21:20:00Z")
        #expect(status.certificateValidity == "unknown" && status.clockSpread == nil)
        let version = try client.call(NodeVersion())
        #expect(version.version == "0.0-test" && version.build == Hex(Array(repeating: 7, count: 32)))
        #expect(try client.call(MessageSend(to: "bob", text: "hi")).state == "sealed")
        let refusal = try #require(throws: ControlError.self) { try client.call(MessageSend(to: "carl", text: "hi")) }
        #expect(refusal.code == -32004)
        #expect(refusal.hint == "candidates: carl/phone, carl/laptop")
        let fault = try #require(throws: ControlError.self) { try client.call(PeersList()) }
        #expect(fault.kind == .internal)
        #expect(try client.call(NodeStop()).stopping)
        node.wait()
        #expect(access(directory.socket, F_OK) != 0)
        #expect(throws: ControlClientError.noNode(directory.socket)) { try ControlClient(path: directory.socket) }
    }

    @Test("only its owner may open the socket, and only its user or root may ask")
    func permissions() throws {
        let node = try NodeThread(at: directory.socket)
        var status = stat()
        #expect(lstat(directory.socket, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(ControlSocket.mayAsk(1_000, of: 1_000))
        #expect(ControlSocket.mayAsk(0, of: 1_000))
        #expect(!ControlSocket.mayAsk(1_001, of: 1_000))
        try node.stop()
    }

    private static let canBecomeNobody =
        geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0 && access("/usr/bin/perl", X_OK) == 0

    @Test("another user who reaches the socket is told no, and nothing else", .enabled(if: canBecomeNobody))
    func stranger() throws {
        let node = try NodeThread(at: directory.socket)
        // As if the modes were wrong: the check of the user stands on its own.
        chmod(directory.path, 0o755)
        chmod(directory.socket, 0o777)
        let program = """
            use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un($ARGV[0])) or exit 3;
            syswrite(S, qq({"jsonrpc":"2.0","id":1,"method":"node.version"}\n)); @l = <S>;
            exit(@l == 1 && $l[0] =~ /-32002/ ? 0 : 4)
            """
        let words = [
            "setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/perl", "-e", program, directory.socket,
        ]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        #expect(posix_spawn(&child, "/usr/bin/setpriv", nil, nil, &arguments, environ) == 0)
        var status: Int32 = -1
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0)
        #expect(try ControlClient(path: directory.socket).call(NodeVersion()).controlVersion == 1)
        try node.stop()
    }

    @Test("a wrong line is answered with its code, and the next one is heard")
    func wrongLines() throws {
        let node = try NodeThread(at: directory.socket)
        let client = try RawClient(directory.socket)
        client.send("hello\n\n{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"node.explode\"}\n")
        #expect(try client.line().contains("\"code\":-32700"))
        let unknown = try client.line()
        #expect(unknown.contains("\"code\":-32601"))
        #expect(unknown.contains("\"id\":9"))
        client.send(#"{"jsonrpc":"2.0","id":10,"#)
        client.send("\"method\":\"node.version\"}\n")
        let build = String(repeating: "07", count: 32)
        #expect(
            try client.line()
                == #"{"id":10,"jsonrpc":"2.0","result":{"build":"\#(build)","controlVersion":1,"protocolVersion":1,"#
                + #""version":"0.0-test"}}"#)
        try node.stop()
    }

    @Test("a line without an end is refused and the client closed")
    func tooLong() throws {
        let node = try NodeThread(at: directory.socket)
        let client = try RawClient(directory.socket)
        client.send(String(repeating: "x", count: Bounds.controlLine + 1))
        #expect(try client.line().contains("\"code\":-32003"))
        #expect(throws: RawClient.Closed.self) { try client.line() }
        try node.stop()
    }

    @Test("many requests in one piece are all answered, though few may wait at once")
    func pipelined() throws {
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            if case .command(let id, .contacts) = event { effects.append(.reply(id, .contacts([]))) }
        }
        let client = try RawClient(directory.socket)
        client.send(
            (1...500).map { "{\"jsonrpc\":\"2.0\",\"id\":\($0),\"method\":\"contacts.list\"}\n" }.joined())
        for id in 1...500 {
            #expect(
                try client.line()
                    == "{\"id\":\(id),\"jsonrpc\":\"2.0\",\"result\":{\"contacts\":[],\"more\":false}}")
        }
        try node.stop()
    }

    @Test("32 clients are served side by side; one more is told so and closed")
    func clients() throws {
        let node = try NodeThread(at: directory.socket)
        var clients: [ControlClient] = []
        for _ in 0..<32 {
            clients.append(try ControlClient(path: directory.socket))
            #expect(try clients.last?.call(NodeVersion()).controlVersion == 1)
        }
        let extra = try RawClient(directory.socket)
        #expect(try extra.line().contains("32 clients are connected"))
        #expect(throws: RawClient.Closed.self) { try extra.line() }
        // Closed before it asks: why stands in what it was sent.
        let late = try ControlClient(path: directory.socket)
        let next = try RawClient(directory.socket)
        #expect(try next.line().contains("32 clients are connected"))
        let refusal = try #require(throws: ControlError.self) { try late.call(NodeVersion()) }
        #expect(refusal.message == "32 clients are connected" && refusal.kind == .unavailable)
        #expect(throws: ControlClientError.closed) { try late.call(NodeVersion()) }
        for client in clients { #expect(try client.call(NodeVersion()).protocolVersion == 1) }
        _ = try clients[0].call(NodeStop())
        node.wait()
    }

    @Test("a subscriber gets what came before page by page, then what comes, each once and in order")
    func subscription() throws {
        var mail = (1...250).map { Self.message(UInt64($0)) }
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            switch event {
            case .command(let id, .inbox(let after, let limit)):
                effects.append(.reply(id, .inbox(Array(mail.filter { $0.sequence > after }.prefix(limit)))))
            case .command(let id, .send(_, let text)):
                mail.append(Self.message(UInt64(mail.count + 1), text))
                if let last = mail.last { effects.append(.observe(.delivered(last))) }
                effects.append(.reply(id, .sent(MessageID(), .sealed)))
            default: break
            }
        }
        let (reader, writer) = (
            try ControlClient(path: directory.socket), try ControlClient(path: directory.socket)
        )
        #expect(try reader.call(InboxSubscribe(after: 10)).subscribed)
        for number in 251...300 { _ = try writer.call(MessageSend(to: "me", text: "live \(number)")) }
        var sequences: [UInt64] = []
        var last = ""
        while sequences.last != 300, case .message(let entry)? = try reader.nextNotification(within: 20_000) {
            sequences.append(entry.sequence)
            last = entry.text
        }
        #expect(sequences == Array(11...300))
        #expect(last == "live 300")
        try node.stop()
    }

    @Test("everybody of a large mesh comes in pages that fit a line, each once")
    func manyContacts() throws {
        let random = SeededRandom(seed: 1)
        let devices = (0..<10_000).map { _ in DeviceID.random(from: random) }.sorted()
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            guard case .command(let id, .contacts) = event else { return }
            let contacts = devices.map {
                Contact(
                    device: $0, label: String(repeating: "n", count: 32), subject: SubjectID(), revoked: nil,
                    isSelf: false, hasBundle: true)
            }
            effects.append(.reply(id, .contacts(contacts)))
        }
        let client = try ControlClient(path: directory.socket)
        var (found, pages): ([Hex], Int) = ([], 0)
        var more = true
        while more {
            let page = try client.call(ContactsList(after: found.last))
            found += page.contacts.map(\.device)
            more = page.more
            pages += 1
        }
        #expect(found == devices.map { Hex($0.array) })
        #expect(pages > 1)
        #expect(throws: ControlError.self) { try client.call(ContactsList(after: Hex([1]))) }
        try node.stop()
    }

    @Test("the feed of events tells what the node notices, to those who asked for it alone")
    func events() throws {
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            guard case .command(let id, .contacts) = event else { return }
            effects.append(.observe(.linkDown(DeviceID(), .duplicate)))
            effects.append(.observe(.delivered(Self.message(1, "secret words"))))
            effects.append(.reply(id, .contacts([])))
        }
        let (watcher, other) = (
            try ControlClient(path: directory.socket), try ControlClient(path: directory.socket)
        )
        _ = try watcher.call(EventsSubscribe())
        _ = try other.call(ContactsList())
        guard case .event(let down)? = try watcher.nextNotification(within: 20_000),
            case .event(let delivered)? = try watcher.nextNotification(within: 20_000)
        else {
            Issue.record("two events come")
            return
        }
        #expect(down.kind == "linkDown")
        #expect(down.fields == ["device": String(repeating: "0", count: 32), "reason": "duplicate"])
        #expect(delivered.kind == "delivered")
        #expect(!delivered.text.contains("secret"))
        #expect(try other.nextNotification(within: 0) == nil)
        try node.stop()
    }

    @Test("a subscriber that does not read is dropped with a notice, and nobody else waits for it")
    func slowReader() throws {
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            guard case .command(let id, .contacts) = event else { return }
            effects.append(.observe(.warning(String(repeating: "w", count: 500_000))))
            effects.append(.reply(id, .contacts([])))
        }
        let (sleeper, other) = (try RawClient(directory.socket), try ControlClient(path: directory.socket))
        sleeper.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\"}\n")
        #expect(try sleeper.line().contains("\"subscribed\":true"))
        for _ in 0..<12 { _ = try other.call(ContactsList()) }
        var lines: [String] = []
        while let line = try? sleeper.line() { lines.append(line) }
        #expect(lines.last?.contains("\"method\":\"control.dropped\"") == true)
        #expect(lines.count < 12)
        try node.stop()
    }

    @Test("a page that does not fit a line is cut, and says that there is more")
    func largePage() throws {
        let mail = (1...200).map { Self.message(UInt64($0), String(repeating: "\u{1}", count: 3_000)) }
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            if case .command(let id, .inbox(let after, let limit)) = event {
                effects.append(.reply(id, .inbox(Array(mail.filter { $0.sequence > after }.prefix(limit)))))
            }
        }
        let client = try ControlClient(path: directory.socket)
        var got: [InboxEntry] = []
        var pages = 0
        while true {
            let page = try client.call(InboxList(after: got.last?.sequence, limit: 300))
            got += page.messages
            pages += 1
            if !page.more { break }
        }
        #expect(got.map(\.sequence) == Array(1...200))
        #expect(pages > 1)
        try node.stop()
    }

    @Test("of more revocations of one device than fit a line the first are told, and that there are more")
    func manyNotes() throws {
        let random = SeededRandom(seed: 5)
        let (start, key) = (Minute(29_900_000), AgreementPrivateKey(from: random).publicKey)
        let founding = try Founding.found(name: "Harbour", profile: .standard, random: random, now: start)
        let note = RevokeNote.make(
            RevokeNote.Content(device: DeviceID(), reason: .lost, suspectSince: start, issued: start),
            mesh: founding.mesh, keys: founding.field.current.keys)
        let line = NoteLine(note, in: Membership(genesis: founding.genesis))
        let detail = ContactDetail(
            contact: Contact(
                device: DeviceID(), label: "ana", subject: SubjectID(), revoked: .lost, isSelf: false,
                hasBundle: false),
            certificate: DeviceCertificate.Content(
                serial: 1, issuer: founding.field.authority, signing: founding.field.current.keys[0].publicKey,
                link: key, message: key, subject: SubjectID(), notBefore: start, notAfter: start.adding(1440),
                capabilities: Grant.member, zones: [], label: "ana"),
            authorityLabel: "field", validity: .unknown, notes: Array(repeating: line, count: 5_000))
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            if case .command(let id, .contact) = event { effects.append(.reply(id, .contact(detail))) }
        }
        let answer = try ControlClient(path: directory.socket).call(ContactsShow(device: "ana"))
        #expect(answer.more)
        #expect((1_000..<5_000).contains(answer.notes.count))
        #expect(answer.contact.label == "ana")
        try node.stop()
    }

    @Test("of more releases than fit a line the newest are told, in the order of their log")
    func manyReleases() throws {
        let releases = (2...101).map { number in
            Release(
                entry: EntryID(), sequence: number, time: Minute(29_900_000),
                manifest: ReleaseManifest(
                    version: "1.\(number)",
                    artefacts: (1...128).map {
                        ReleaseManifest.Artefact(sha256: Octets32(), name: "covey-\($0)-of-this-release")
                    },
                    sourceCommit: [0xab], recipe: Octets32(), leastWire: 1, notBefore: Minute(29_900_000)))
        }
        let node = try NodeThread(at: directory.socket) { event, _, effects in
            if case .command(let id, .releases) = event { effects.append(.reply(id, .releases(releases))) }
        }
        let list = try ControlClient(path: directory.socket).call(ReleaseList())
        #expect(list.more)
        #expect(list.releases.last?.version == "1.101")
        #expect(list.releases.map(\.version) == releases.suffix(list.releases.count).map(\.manifest.version))
        try node.stop()
    }

    @Test("announcements and the numbers that did not come fit one line together, and what does not fit is told")
    func manyAnnouncements() throws {
        let lines = (1...600).map { number in
            AnnouncementLine(
                author: DeviceID(), label: "desk", sequence: .max - UInt64(number), scope: .all,
                issued: Minute(29_900_000), expires: Hour(500_000), received: Minute(29_900_000), priority: .normal,
                severity: .alarm, text: String(repeating: "x", count: 2_048), isDrill: false, supersedes: nil,
                state: .current, isReadByFormerMembers: false)
        }
        let gap = AnnouncementGap(
            author: DeviceID(), label: "desk", missing: (0..<500).map { .max - 10_000 + $0 })
        for authors in [1, 200] {
            let gaps = [AnnouncementGap](repeating: gap, count: authors)
            let node = try NodeThread(at: directory.socket) { event, _, effects in
                if case .command(let id, .announcements) = event {
                    effects.append(.reply(id, .announcements(authors == 1 ? lines : [], gaps: gaps)))
                }
            }
            let list = try ControlClient(path: directory.socket).call(AnnouncementList())
            #expect(list.more)
            #expect(list.missing.first?.sequences == gap.missing)
            #expect(list.announcements.map(\.sequence) == lines.prefix(list.announcements.count).map(\.sequence))
            #expect(list.announcements.isEmpty == (authors > 1))
            try node.stop()
        }
    }

    @Test("a socket left by a node that was killed is replaced; one that answers is not, nor is a file")
    func stale() throws {
        let address = try #require(UnixAddress(directory.socket))
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(address.withSockaddr { bind(left, $0, $1) } == 0)
        close(left)
        let node = try NodeThread(at: directory.socket)
        let second = try #require(throws: DriverFailure.self) { try NodeThread(at: directory.socket) }
        #expect(second.kind == .alreadyRunning)
        #expect(try ControlClient(path: directory.socket).call(NodeVersion()).controlVersion == 1)
        try node.stop()
        close(open(directory.socket, O_CREAT | O_WRONLY, 0o600))
        let third = try #require(throws: DriverFailure.self) { try NodeThread(at: directory.socket) }
        #expect(
            third.description
                == "\(directory.socket) is there and is no socket; move it away, or choose another with --control")
        #expect(access(directory.socket, F_OK) == 0)
    }

    @Test("a path that is too long, or leads nowhere, is a sentence that says what to do")
    func paths() throws {
        let long = directory.path + "/" + String(repeating: "l", count: 107)
        let tooLong = try #require(throws: DriverFailure.self) { try NodeThread(at: long) }
        #expect(tooLong.description.contains("and the system takes 107"))
        #expect(tooLong.description.hasSuffix("choose a shorter one with --control"))
        #expect(throws: ControlClientError.pathTooLong(long)) { try ControlClient(path: long) }
        let nowhere = try #require(throws: DriverFailure.self) { try NodeThread(at: directory.path + "/no/c.sock") }
        #expect(nowhere.description.contains("there is no such directory"))
    }

    @Test("a request the node did not answer before it ends is answered with that")
    func unanswered() throws {
        let node = try NodeThread(at: directory.socket)
        let client = try RawClient(directory.socket)
        client.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"log.heads\"}\n")
        client.send("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"node.stop\"}\n")
        #expect(try client.line() == #"{"id":2,"jsonrpc":"2.0","result":{"stopping":true}}"#)
        let last = try client.line()
        #expect(last.contains("\"id\":1"))
        #expect(last.contains("the node is stopping"))
        #expect(throws: RawClient.Closed.self) { try client.line() }
        node.wait()
    }
}
