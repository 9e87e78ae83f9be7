/// The method table as Markdown: the middle of docs/control-api.md, which a test holds to this.
package enum ControlReference {
    package static let begin = "<!-- methods: written from ControlMethod.swift -->"
    package static let end = "<!-- end of methods -->"

    package static var markdown: String {
        var lines = [begin, ""]
        for method in ControlMethod.allCases {
            let description = method.description
            lines += ["### `\(method.rawValue)`", "", description.summary, ""]
            if !description.parameters.isEmpty {
                lines += ["| parameter | type | |", "|---|---|---|"]
                for parameter in description.parameters {
                    let name = "`\(parameter.name)`" + (parameter.isRequired ? "" : " (optional)")
                    lines.append("| \(name) | \(parameter.type) | \(parameter.meaning) |")
                }
                lines.append("")
            }
            lines += ["Result: \(description.result).", ""]
            if !description.errors.isEmpty {
                lines += ["Errors: " + description.errors.map { "`\($0.rawValue)`" }.joined(separator: ", ") + ".", ""]
            }
        }
        lines += ["### Errors", "", "| code | kind |", "|---|---|"]
        for kind in ControlError.Kind.allCases { lines.append("| \(kind.code) | `\(kind.rawValue)` |") }
        lines += ["", end]
        return lines.joined(separator: "\n")
    }
}
