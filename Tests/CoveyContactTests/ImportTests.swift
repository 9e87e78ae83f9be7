import CoveyContact
import Testing

private func text(_ lines: String...) -> TraceFile {
    TraceFile(path: "made.txt", bytes: Array(lines.joined(separator: "\n").utf8))
}

private func change(_ time: UInt64, _ a: UInt32, _ b: UInt32, _ isUp: Bool, link: UInt16 = 0) -> ContactChange {
    ContactChange(time: time * 1_000_000, a: a, b: b, link: link, isUp: isUp)
}

/// The line and the mistake that reading this ends with.
private func mistake(_ body: () throws -> some Any) -> (line: Int, mistake: TraceError.Mistake)? {
    do {
        _ = try body()
        return nil
    } catch let error as TraceError {
        return (error.line, error.mistake)
    } catch { return nil }
}

@Suite("Movement, plans and tables from files")
struct ImportTests {
    @Test("The ONE's movement counts from the frame, hosts go straight, and who is in range is in contact")
    func oneMovement() throws {
        let movement = try RecordedMovement(
            oneMovement: text(
                "100 200 -50 150 10 60 0 0", "100 0 -50 10", "100 1 150 10", "200.0 0 1.5e2 10", "200 1 150 10"))
        #expect(movement.hosts == 2)
        let tracks = Tracks(
            ground: movement.ground, groups: [.init(.recorded(movement), hosts: [0, 1], range: 50)],
            dice: Dice(seed: 1))
        var walker = tracks
        #expect(walker.position(of: 0, at: 50_000_000)! == (100, 0))
        #expect(walker.position(of: 0, at: 500_000_000)! == (200, 0))
        let contacts = ContactTrace(Proximity(tracks, .init(until: 300_000_000)))
        #expect(contacts.changes == [change(75, 0, 1, true)])
    }

    @Test("A mistake in a movement file names its line")
    func oneMovementMistakes() {
        func read(_ lines: String...) -> (line: Int, mistake: TraceError.Mistake)? {
            mistake { try RecordedMovement(oneMovement: text(lines.joined(separator: "\n"))) }
        }
        let frame = "0 10 0 100 0 100"
        #expect(read("")! == (0, .expected("minTime maxTime minX maxX minY maxY", found: "")))
        #expect(read("0 10 0 100 0")! == (1, .expected("maxY", found: "")))
        #expect(read("0 10 5 1 0 9")! == (1, .expected("maxX from 5.0 on", found: "1.0")))
        #expect(read("0 10 0 1e9 0 9")! == (1, .outOfRange("the span of X in metres", highest: 40_000_000)))
        #expect(read(frame, "3 0 1 1", "2 0 1 1")! == (3, .notSorted))
        #expect(read(frame, "11 0 1 1")! == (2, .outOfRange("a time of this file, in seconds,", highest: 10)))
        #expect(read(frame, "1 0 101 1")! == (2, .expected("x from 0.0 to 100.0", found: "101.0")))
        #expect(read(frame, "1 0 nan 1")! == (2, .expected("x", found: "nan")))
        #expect(
            read(frame, "1 0 1 1", "1 0 2 1")! == (
                3, .expected("a later sighting of host 0", found: "a second one at this time")
            ))
        #expect(read(frame, "1 1 1 1")! == (2, .expected("a line about host 0", found: "")))
        #expect(read(frame, "1 9999999 1 1")! == (2, .outOfRange("a host", highest: TraceLimits.nodes - 1)))
    }

    @Test("A node of setdest goes where it was sent, and turns on the way when it is sent elsewhere")
    func setdest() throws {
        let movement = try RecordedMovement(
            setdest: text(
                "# nodes: 2", "$node_(0) set X_ 0.0", "$node_(0) set Y_ 0.0", "$node_(0) set Z_ 0.0",
                "$node_(1) set X_ 300", "$node_(1) set Y_ 0", "$god_ set-dist 0 1 2",
                "$ns_ at 10.0 \"$node_(0) setdest 100.0 0.0 10.0\"", "$ns_ at 12 \"$god_ set-dist 0 1 1\"",
                "$ns_ at 40.0 \"$node_(0) setdest 100.0 200.0 5.0\"", "$ns_ at 50.0 \"$node_(0) setdest 0 0 0.0\""))
        var tracks = Tracks(
            ground: movement.ground, groups: [.init(.recorded(movement), hosts: [0, 1], range: 50)],
            dice: Dice(seed: 1))
        for (time, x, y) in [(5, 0, 0), (15, 50, 0), (20, 100, 0), (39, 100, 0), (44, 100, 20), (60, 100, 50)]
            as [(UInt64, Double, Double)]
        {
            let place = tracks.position(of: 0, at: time * 1_000_000)!
            #expect((place.x - x).magnitude < 0.001 && (place.y - y).magnitude < 0.001)
        }
        #expect(tracks.position(of: 1, at: 60_000_000)! == (300, 0))
    }

    @Test("A mistake in a setdest file names its line")
    func setdestMistakes() {
        func read(_ lines: String...) -> (line: Int, mistake: TraceError.Mistake)? {
            mistake { try RecordedMovement(setdest: text(lines.joined(separator: "\n"))) }
        }
        #expect(read("$node_(0) set X_ 1")! == (0, .expected("X_ and Y_ of node 0", found: "")))
        #expect(read("$node_(x) set X_ 1")! == (1, .expected("$node_(N)", found: "$node_(x)")))
        #expect(read("$node_(0) set W_ 1")! == (1, .expected("X_, Y_ or Z_", found: "W_")))
        #expect(read("$node_(0) set X_ -1")! == (1, .expected("X_ from 0 on", found: "-1.0")))
        #expect(read("$ns_ at 1 \"$node_(0) goto 1 1 1\"")! == (1, .expected("setdest", found: "goto")))
        #expect(
            read("$ns_ at 1 \"$node_(0) setdest 1 1 fast\"")! == (
                1, .expected("a speed in metres a second", found: "fast\"")
            ))
    }

    @Test("An ION plan has contacts one way each, with rates, and delays by range; hosts keep their order")
    func ion() throws {
        let plan = try ContactPlan(
            ion: text(
                "# plan", "m production 1000", "a contact +10 +20 12 3 1000", "a contact +15 +30 3 12 500 0.9",
                "a contact +40 +50 3 12 500", "a range +0 +35 3 12 2", "a contact +5 +6 1 3 9"))
        #expect(plan.hosts == ["1", "3", "12"])
        #expect(plan.contacts[0] == .init(a: 2, b: 1, start: 10_000_000, end: 20_000_000, rate: 1000, delay: 2_000_000))
        #expect(plan.contacts[2].delay == 0)
        let trace = plan.trace()
        #expect(trace.nodes == 3)
        #expect(
            trace.changes == [
                change(5, 0, 1, true), change(6, 0, 1, false), change(10, 1, 2, true), change(30, 1, 2, false),
                change(40, 1, 2, true), change(50, 1, 2, false),
            ])
    }

    @Test("A plan of CORE's contact manager has names, units, loss, delay and jitter, and may loop")
    func ccm() throws {
        let plan = try ContactPlan(
            ccm: text(
                "// made", "s loop 1", "a contact +0 +10 n2 n1 100kbit 20 1500 30", "a contact +10 +20 n2 n3 8000",
                "a contact 20 30 n3 n2 1mbit 0"))
        #expect(plan.hosts == ["n1", "n2", "n3"])
        #expect(
            plan.contacts[0]
                == .init(a: 1, b: 0, start: 0, end: 10_000_000, rate: 12_500, loss: 0.2, delay: 1_500, jitter: 30))
        #expect(plan.contacts[1].rate == 1000)
        #expect(
            plan.trace(until: 45_000_000).changes == [
                change(0, 0, 1, true), change(10, 0, 1, false), change(10, 1, 2, true), change(30, 1, 2, false),
                change(30, 0, 1, true), change(40, 0, 1, false), change(40, 1, 2, true), change(50, 1, 2, false),
            ])
    }

    @Test("A mistake in a plan names its line")
    func planMistakes() {
        func ion(_ line: String) -> TraceError.Mistake? { mistake { try ContactPlan(ion: text(line)) }?.mistake }
        func ccm(_ line: String) -> TraceError.Mistake? { mistake { try ContactPlan(ccm: text(line)) }?.mistake }
        #expect(ion("a contact 10 +20 1 2 3") == .expected("seconds after a plus sign", found: "10"))
        #expect(
            ion("a contact 2026/01/01-00:00:00 +20 1 2 3") == .unsupported("the calendar date '2026/01/01-00:00:00'"))
        #expect(ion("a contact +20 +20 1 2 3") == .expected("an end after the start", found: "20 s"))
        #expect(ion("a contact +10 +20 2 2 3") == .itself)
        #expect(ion("a contact +10 +20 1") == .expected("a host", found: ""))
        #expect(ion("a contact +10 +20 1 2 -3") == .outOfRange("a rate", highest: 1_000_000_000_000))
        #expect(ion("a contact +10 +20 1 2 3 1 x") == .unexpected("x"))
        #expect(ccm("x contact +0 +1 1 2 3") == .expected("a contact or s loop", found: "x contact"))
        #expect(ccm("a contact +0 +1 1 2 fast") == .expected("a rate in bits a second", found: "fast"))
        #expect(ccm("a contact +0 +1 1 2 3 101") == .outOfRange("a loss in percent", highest: 100))
        #expect(ccm("s loop maybe") == .expected("0 or 1", found: "maybe"))
    }

    @Test("A table names its columns in any order: changes by time, or contacts with both ends")
    func tables() throws {
        let changes = try ContactTable(text("b,state,time,a", "1,up,0.5,0", "1, down ,7,0", "0,1,8,4"))
        #expect(changes.trace.nodes == 5 && changes.links.isEmpty)
        #expect(
            changes.trace.changes == [
                ContactChange(time: 500_000, a: 0, b: 1, isUp: true), change(7, 0, 1, false), change(8, 4, 0, true),
            ])
        let spans = try ContactTable(
            text("start,end,a,b,link", "20,30,0,1,wifi", "5,12,2,0,radio", "25,40,1,0,wifi", "1,2,0,1,radio"))
        #expect(spans.links == ["wifi", "radio"])
        #expect(
            spans.trace.changes == [
                change(1, 0, 1, true, link: 1), change(2, 0, 1, false, link: 1), change(5, 0, 2, true, link: 1),
                change(12, 0, 2, false, link: 1), change(20, 0, 1, true), change(40, 0, 1, false),
            ])
    }

    @Test("A mistake in a table names its line and column")
    func tableMistakes() {
        func read(_ lines: String...) -> (line: Int, mistake: TraceError.Mistake)? {
            mistake { try ContactTable(text(lines.joined(separator: "\n"))) }
        }
        #expect(read("time,a,b")! == (1, .expected("a column named state", found: "")))
        #expect(read("start,a,b,state")! == (1, .expected("a column named end", found: "")))
        #expect(read("time,a,b,state,colour")! == (1, .unsupported("a column named 'colour'")))
        #expect(read("time,a,b,state,end")! == (1, .unexpected("end")))
        #expect(read("time,a,b,a,state")! == (1, .unexpected("a")))
        #expect(read("time,a,b,state", "1,0,1,maybe")! == (2, .expected("up or down", found: "maybe")))
        #expect(read("time,a,b,state", "2,0,1,up", "1,0,1,down")! == (3, .notSorted))
        #expect(read("start,end,a,b", "2,2,0,1")! == (2, .expected("an end after the start", found: "2 s")))
        #expect(read("start,end,a,b", "2,3,0,0")! == (2, .itself))
        #expect(read("start,end,a,b", "2,3,0,1,9")! == (2, .unexpected("9")))
    }

    @Test("Contacts written for The ONE read back as they were, to the microsecond")
    func writtenAndRead() throws {
        let ground = Ground(width: 300, height: 300)
        let motion = RandomWaypoint(ground: ground, speed: 1...5, pause: 0...5_000_000)
        let tracks = Tracks(
            ground: ground, groups: [.init(.waypoint(motion), hosts: Array(0..<30), range: 30)], dice: Dice(seed: 3))
        let contacts = ContactTrace(Proximity(tracks, .init(tick: 123_456, until: 1_500_000_000)), nodes: 30)
        var bytes: [UInt8] = []
        var pieces = 0
        var writer = OneEventsWriter {
            bytes += $0
            pieces += 1
        }
        #expect(try writer.write(TraceContacts(contacts)) == contacts.changes.count)
        let read = try ContactTrace(oneEvents: TraceFile(path: "made.txt", bytes: bytes), nodes: 30)
        #expect(read.changes == contacts.changes)
        #expect(pieces > 1)
    }
}
