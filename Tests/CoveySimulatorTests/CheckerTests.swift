import CoveySimulator
import Testing

private final class Watch: Checker {
    let name = "nobody hears from bo"
    var turns = 0
    var samples = 0
    var states: [Host.State] = []
    var isEnded = false

    func noticed(_ sighting: Sighting, at host: Host, in world: World) {
        if case .delivered(let message) = sighting, message.from?.name == "bo" {
            world.violate(name, "\(host) has \(message.text)", at: host)
        }
    }

    func turned(_ host: Host, in world: World) { turns += 1 }
    func sampled(in world: World) { samples += 1 }
    func changed(_ host: Host, to state: Host.State, in world: World) { states.append(state) }
    func ended(in world: World) { isEnded = true }
}

@Suite("Checkers, expectations and what a failure says")
struct CheckerTests {
    @Test("A checker sees turns, sightings, samples and states, and what it finds stands in the report")
    func watch() throws {
        let world = World(seed: 4)
        let (ana, bo) = (world.addHost("ana"), world.addHost("bo"))
        let watch = Watch()
        world.add(watch)
        world.run(for: .minutes(10))
        #expect(watch.turns == world.currentReport.turns && watch.turns > 10)
        #expect(watch.samples == 10)
        #expect(watch.states == [.up, .up])
        #expect(world.finish().isSound)
        #expect(watch.isEnded)
        world.send("ha", from: bo, to: ana)
        world.send("ha again", from: bo, to: ana)
        world.run(for: .minutes(1))
        let verdict = try #require(world.finish().verdicts.first)
        #expect(verdict.violations == 2)
        #expect(verdict.violation?.host == ana && verdict.violation?.text == "ana has ha")
    }

    @Test("What failed says the seed, what was chosen, and the command that runs it again")
    func note() {
        var options = World.Options()
        options.streamTimeout = .seconds(30)
        let world = World(seed: 99, options: options)
        #expect(!world.expect(1 + 1 == 3, "one and one are three"))
        #expect(world.expect(true, "this one holds"))
        let note = "\(world)"
        #expect(note.contains("one and one are three") && !note.contains("this one holds"))
        #expect(note.contains("seed 99") && note.contains("streamTimeout = 30.0 seconds"))
        #expect(note.contains("COVEY_SEED=99 swift test --filter 'CoveySimulatorTests\\..*note'"))
    }

    @Test("Scripts run at their time, once or again and again")
    func scripts() {
        let world = World(seed: 1)
        world.addHost("ana")
        var log: [Duration] = []
        world.every(.minutes(7)) { log.append($0.time) }
        world.at(.minutes(10)) { log.append($0.time) }
        world.run(for: .minutes(21))
        #expect(log.map { $0.components.seconds } == [420, 600, 840, 1260])
    }
}

@Suite("Worlds of a seed's own choice")
struct ChosenWorldTests {
    @Test("Whatever a seed chooses, mail arrives, and the note says what it chose", arguments: World.seeds(1...6))
    func chosen(seed: UInt64) {
        let options = World.Options.chosen(by: seed)
        #expect(options == .chosen(by: seed) && options != .chosen(by: seed + 1_000))
        let world = World(seed: seed, options: options)
        let hosts = (0..<3).map { world.addHost("host \($0)") }
        world.run(for: .minutes(2))
        world.send("through thick and thin", from: hosts[0], to: hosts[2])
        let isThere = world.run(until: { !world.inbox(of: hosts[2]).isEmpty }, within: .minutes(10))
        #expect(isThere, "\(world)")
        #expect(world.failureNote.contains("lan = LinkQuality"))
    }
}
