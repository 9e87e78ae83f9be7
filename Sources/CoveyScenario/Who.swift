/// Hosts as a scenario names them.
package enum Term: Hashable, Sendable, CustomStringConvertible {
    case everyone
    case group(String)
    /// `bike.1`: the second host of its group.
    case host(group: String, index: Int)

    package var description: String {
        switch self {
        case .everyone: "all"
        case .group(let name): name
        case .host(let group, let index): "\(group).\(index)"
        }
    }
}

/// Hosts that a fault falls on: named ones, or some of them drawn.
package enum Who: Hashable, Sendable {
    case these([Term])
    case fraction(Double, of: [Term])
    case number(Int, of: [Term])

    /// As the value of a verb: `node: bike.1`, or `pick: {fraction: 0.01}`, or names alone.
    static func read(_ fields: inout Fields, whenAbsent: [Term]? = nil) -> Who? {
        if let terms = fields.optional("node", { $0.terms() }) { return .these(terms) }
        let pick: Who? = fields.optional("pick") { item in item.map { Self.readPick(&$0) } }
        if let pick { return pick }
        if fields.has("fraction") || fields.has("count") { return readPick(&fields) }
        if let of = fields.optional("of", { $0.terms() }) { return .these(of) }
        if let whenAbsent { return .these(whenAbsent) }
        fields.item.problem("names no hosts: node, of, fraction, count or pick")
        return nil
    }

    private static func readPick(_ fields: inout Fields) -> Who? {
        let of = fields.optional("of") { $0.terms() } ?? [.everyone]
        let fraction = fields.optional("fraction") { $0.probability() }
        let count = fields.optional("count") { $0.integer(0...ScenarioBounds.hosts) }
        switch (fraction, count) {
        case (.some(let fraction), nil): return .fraction(fraction, of: of)
        case (nil, .some(let count)): return .number(count, of: of)
        case (nil, nil):
            fields.item.problem("needs fraction or count")
            return nil
        case (.some, .some):
            fields.item.problem("has fraction and count; one of them is meant")
            return nil
        }
    }

    var entries: [(String, YAMLValue?)] {
        switch self {
        case .these(let terms): [("node", terms.yaml)]
        case .fraction(let fraction, let of):
            [("fraction", .text(fraction)), ("of", of == [.everyone] ? nil : of.yaml)]
        case .number(let count, let of): [("count", .text(count)), ("of", of == [.everyone] ? nil : of.yaml)]
        }
    }
}

extension [Term] {
    var yaml: YAMLValue { count == 1 ? .text(self[0]) : .list(map { .text($0) }) }
}

extension Item {
    func term() -> Term? {
        guard let text = word() else { return nil }
        if text == "all" || text == "*" { return .everyone }
        if let dot = text.lastIndex(of: "."), let index = Int(text[text.index(after: dot)...]) {
            let group = String(text[..<dot])
            guard let count = hosts(of: group) else { return nil }
            guard (0..<count).contains(index) else {
                problem("“\(group)” has hosts 0 … \(count - 1), not \(index)")
                return nil
            }
            return .host(group: group, index: index)
        }
        return hosts(of: text) == nil ? nil : .group(text)
    }

    func terms() -> [Term]? {
        let items = items()
        let terms = items.compactMap { $0.term() }
        guard !terms.isEmpty else {
            if items.isEmpty { problem("names no hosts") }
            return nil
        }
        return terms.count == items.count ? terms : nil
    }

    func host() -> Term? {
        guard let term = term() else { return nil }
        guard case .host = term else {
            problem("“\(term)” is not one host; hosts are named group.number")
            return nil
        }
        return term
    }

    func group() -> String? {
        guard let name = name(), hosts(of: name) != nil else { return nil }
        return name
    }

    func groups() -> [String]? {
        let items = items()
        guard items.count <= ScenarioBounds.groups else {
            problem("has \(items.count) entries; \(ScenarioBounds.groups) are the most")
            return nil
        }
        let names = items.compactMap { $0.group() }
        if items.isEmpty { problem("names no group") }
        return names.count == items.count && !names.isEmpty ? names : nil
    }

    private func hosts(of group: String) -> Int? {
        if let count = findings.hosts[group] { return count }
        problem("no group is named “\(group)”" + nearest(group, findings.hosts.keys.sorted()))
        return nil
    }
}
