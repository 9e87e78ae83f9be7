import CoveyReport

/// Reads scenario files. JSON is YAML too, so the drafts are read as they are; `notes` says what was taken for what.
package struct ScenarioReader: Sendable {
    package struct Reading: Sendable {
        package var scenario: Scenario
        package var notes: [ScenarioProblem]
    }

    private let file: String

    package init(file: String) { self.file = file }

    package func read(_ source: String) throws(ScenarioProblems) -> Reading {
        try read(YAMLValue.parse(source, file: file))
    }

    func read(_ document: YAMLValue) throws(ScenarioProblems) -> Reading {
        let findings = Findings(file: file)
        let expanded = Braces.expand(document, findings: findings, path: "")
        let scenario = Item(value: expanded, path: "", findings: findings).map { Self.readScenario(&$0) }
        guard findings.problems.isEmpty, let scenario else {
            throw ScenarioProblems(findings.problems.sorted { ($0.line, $0.key) < ($1.line, $1.key) })
        }
        // A range that leads nowhere, or to a value that may not be, is found now and not in the thousandth seed.
        if !scenario.swarm.isEmpty { try check(scenario, document) }
        return Reading(scenario: scenario, notes: findings.notes)
    }

    private func check(_ scenario: Scenario, _ document: YAMLValue) throws(ScenarioProblems) {
        do {
            _ = try scenario.drawn(seed: 0)
        } catch {
            let line = document["swarm"]?.line ?? 1
            throw ScenarioProblems(
                error.all.map { ScenarioProblem(file: file, line: line, key: $0.key, reason: $0.reason) })
        }
    }

    private static func readScenario(_ fields: inout Fields) -> Scenario? {
        let findings = fields.findings
        if let version = fields.required("v", { $0.integer(1...1000) }), version != 1 {
            fields.item.problem("is of version \(version) of the language; 1 is known")
            return nil
        }
        let name = fields.required("name") { $0.name() }
        let about = fields.optional("about") { $0.word() } ?? ""
        let seed = fields.optional("seed") { $0.parsed({ UInt64($0) }, "a whole number from 0 on") } ?? 1
        let duration = fields.required("duration") { $0.span() }
        let level = fields.optional("level") { $0.parsed({ DetailLevel(rawValue: $0) }, "full or contact") }

        let officers = fields.optional("officers") {
            $0.parsed({ Scenario.Officers($0) }, "how many of at most 7 sign: 2of3")
        }

        let groups = fields.required("groups") { list($0, ScenarioBounds.groups, HostGroup.read) } ?? []
        let hosts = groups.reduce(0) { $0 + $1.count }
        if hosts > ScenarioBounds.hosts {
            fields.item.problem("has \(hosts) hosts; \(ScenarioBounds.hosts) are the most")
        }

        let links =
            fields.required("links") { item -> [LinkKind]? in
                guard let links = item.fields() else { return nil }
                guard links.entries.count <= ScenarioBounds.links else {
                    item.problem("has \(links.entries.count) links; \(ScenarioBounds.links) are the most")
                    return nil
                }
                return links.entries.enumerated().compactMap { index, entry in
                    let path = item.path.key(entry.key)
                    let key = Item(value: YAMLValue(line: entry.line, .text(entry.key)), path: path, findings: findings)
                    guard let name = key.name() else { return nil }
                    findings.links[name] = index
                    return LinkKind.read(name, Item(value: entry.value, path: path, findings: findings))
                }
            } ?? []

        let topology = fields.required("topology") { list($0, ScenarioBounds.layers, Layer.read) } ?? []
        findings.layers = Set(topology.map(\.handle))
        let kinds = Set(topology.map(\.kind))
        if kinds.contains(.static), !kinds.contains(.rwp) {
            fields.item.problem("has hosts that are static on the ground of others, but nobody walks there (rwp)")
        }
        let privileged = groups.first { !Set($0.roles).isDisjoint(with: [.timekeeper, .announcer, .wipeOfficer]) }
        if let privileged, officers.map({ $0.threshold < 2 }) ?? true {
            fields.item.problem("gives \(privileged.name) a role that takes two signatures; say officers: 2of3")
        }
        let timeline = fields.optional("timeline") { list($0, ScenarioBounds.timeline, TimelineEntry.read) } ?? []
        let hasOffice = timeline.contains { if case .openOffice = $0.verb { true } else { false } }
        if let officers, officers.threshold > 1, hasOffice {
            fields.item.problem("opens an office, which signs alone, where \(officers.threshold) officers sign")
        }
        let traffic = fields.optional("traffic") { list($0, ScenarioBounds.flows, TrafficFlow.read) } ?? []
        let claims = fields.optional("assert") { list($0, ScenarioBounds.claims, Claim.read) } ?? []
        let report = fields.optional("report") { $0.map { readReport(&$0) } } ?? Scenario.ReportOptions()
        let swarm = fields.optional("swarm") { readSwarm($0) } ?? []
        guard let name, let duration else { return nil }
        guard duration > .zero else {
            fields.item.problem("lasts no time")
            return nil
        }
        guard findings.problems.isEmpty else { return nil }
        let scenario = Scenario(
            name: name, about: about, seed: seed, duration: duration, level: level, officers: officers,
            groups: groups, links: links, topology: topology, timeline: timeline, traffic: traffic, claims: claims,
            report: report, swarm: swarm)
        func items(_ key: String) -> [Item] { fields.item(key)?.items() ?? [] }
        Amounts(scenario, hosts: findings.hosts).check(
            topology: items("topology"), timeline: items("timeline"), traffic: items("traffic"))
        return scenario
    }

    private static func list<T>(_ item: Item, _ limit: Int, _ read: (Item) -> T?) -> [T]? {
        item.list(atMost: limit)?.compactMap(read)
    }

    private static func readReport(_ fields: inout Fields) -> Scenario.ReportOptions? {
        var report = Scenario.ReportOptions()
        if let every = fields.optional("sampleEvery", { $0.span() }) { report.sampleEvery = every }
        if let animate = fields.optional("animate", { $0.boolean() }) { report.animate = animate }
        if report.sampleEvery < .seconds(1) { fields.item.problem("samples more often than once a second") }
        return report
    }

    private static func readSwarm(_ item: Item) -> [SwarmRange]? {
        guard let fields = item.fields(), fields.entries.count <= ScenarioBounds.swarm else {
            if item.fields() != nil { item.problem("has more than \(ScenarioBounds.swarm) ranges") }
            return nil
        }
        return fields.entries.compactMap { entry in
            let path = item.path.key(entry.key)
            var key = entry.key
            // Two words of the drafts, from before ranges had paths.
            if let known = ["loss": "links.*.loss", "churn": "timeline.*.churn.fraction"][key] {
                item.findings.note(entry.line, path, "the range “\(key)” is “\(known)”")
                key = known
            }
            return SwarmRange.read(key, Item(value: entry.value, path: path, findings: item.findings))
        }
    }
}
