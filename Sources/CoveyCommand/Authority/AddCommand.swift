import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode

struct AskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask", abstract: "Make the keys of a new authority, and ask with them to be added.")

    @Argument(help: "What the authority will be called; every member sees it.")
    var label: String

    @Option(name: .shortAndLong, help: "Where to write the request for the authority above.")
    var output: String

    @Option(
        help: "A folder with the mesh, and with the log if there is one: the parent's directory, or a device's home.")
    var from: String

    @Option(help: "Keys, as 2of3: two of three must sign.")
    var keys = "1of1"

    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var answer: OutputOptions

    private struct Asked: Answer {
        let file: String
        let authority: String
        let digits: String
        let directory: String
        let shared: Bool

        var text: String {
            """
            wrote \(file): take it to the authority above, who compares these digits: \(digits)
            next, there: covey authority add \(file.word) -o FILE.log, and here: covey authority import FILE.log --authority \(directory.word)
            """ + (shared ? "\n" + HandOut.text(directory) : "")
        }
    }

    func run() throws {
        let path = try authority.path()
        let label = try CanonicalName.of(label, "a label", most: Invitation.longestLabel)
        let shape = try FoundingKeys.shape(keys, "--keys", mayBeKeptTogether: true)
        try Disk.checkNew(output)
        // The file may not have been written when the keys were made.
        let request: AuthorityRequest
        if let asked = try AuthorityDirectory.asked(in: path), asked.label == label,
            try Genesis(at: path + "/mesh").meshID == Genesis(at: from + "/mesh").meshID,
            (asked.keyset.threshold, asked.keyset.keys.count) == (shape.threshold, shape.count)
        {
            request = asked
        } else {
            request = try AuthorityDirectory.ask(path, label: label, shape: shape, from: from, random: SystemRandom())
        }
        let mesh = try AuthorityDirectory(path).book.mesh
        try Disk.create(output, CoveyFile(kind: .authorityRequest, mesh: mesh, content: request.signed.bytes).bytes)
        try Asked(
            file: output, authority: request.authority.hex, digits: request.shortString, directory: path,
            shared: shape.isShared
        ).show(asJSON: answer.json)
    }
}

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an authority below this one, or renew one with --renew.")

    @Argument(help: "The request that the new authority wrote; with --renew the label of the authority.")
    var request: String

    @Flag(help: "Give an authority that is there another certificate; its keys and rights stay.")
    var renew = false

    @Option(help: "Days that the authority is good for; 730 without it.")
    var days: Int?

    @Option(help: "Most devices with a live certificate at one time; 500 without it.")
    var devices: Int?

    @Option(help: "Longest life of a device's certificate, in days; 400 without it.")
    var mostDays: Int?

    @Option(help: "Levels of authorities that may stand below it; none without it.")
    var depth: Int?

    @Option(help: "What it may grant besides what every member has; everything this authority may, without it.")
    var grant: [String] = []

    @Option(help: "Zones it may give; all of this authority's, without it.")
    var zone: [Int] = []

    @Flag(help: "Add it without asking whether both sides have the same digits.")
    var yes = false

    @OptionGroup var act: LoggedAct

    private struct Added: Answer {
        let act: [String]
        let digits: String?
        let handed: HandOver.Outcome

        var text: String {
            (act + [handed.text] + [handed.forNewcomer].compactMap(\.self)).joined(separator: "\n")
        }
    }

    func validate() throws {
        let isNew = devices != nil || mostDays != nil || depth != nil || !grant.isEmpty || !zone.isEmpty
        guard !renew || !isNew else {
            throw ValidationError(
                "--renew leaves rights and limits as they are: --devices, --most-days, --depth, --grant and --zone are for a new authority."
            )
        }
    }

    func run() throws {
        let (days, devices, mostDays, depth) = (days ?? 730, devices ?? 500, mostDays ?? 400, depth ?? 0)
        let u16 = 1...Int(UInt16.max)
        guard u16.contains(days), u16.contains(devices),
            (1...Int(Founding.longestCertificateDays)).contains(mostDays), (0...1).contains(depth)
        else {
            throw Complaint(.usage, "--days and --devices take 1 to 65535, --most-days 1 to 400, --depth 0 or 1")
        }
        let directory = try act.open()
        let log = try act.file(otherwise: HandOver.file(beside: request))
        let book = directory.book
        let now = CalendarText.now
        let content: AuthorityCertificate.Content
        var id: AuthorityID?
        var digits: String?
        if renew {
            let found = try book.authorityBelow(named: request) {
                book.membership.authority($0)?.content.parent == book.id
            }
            id = found
            content = try book.authority.certificate(
                renewing: found, days: UInt16(days), book.membership, now: now)
        } else {
            let file = try CoveyFile(at: request)
            let asked = try Complaint.about(request) {
                try AuthorityRequest(parsing: file.content(.authorityRequest, of: book.mesh))
            }
            guard asked.verify(in: book.mesh) else {
                throw Complaint(.failed, "\(request) is not signed by all the keys it names; ask for a new one")
            }
            digits = asked.shortString
            let membership = book.membership
            let namesakes = ([book.genesis.rootID] + membership.authoritiesUnder(book.genesis.rootID))
                .filter { $0 != asked.authority && membership.label(of: $0) == asked.label }
            if let other = namesakes.first {
                Output.note(
                    "another authority is called \(Output.harmless(membership.words(for: other))) already: commands will "
                        + "tell the two apart by digits of their ids only")
            }
            let grantable = grant.isEmpty ? Capabilities.all : try Rights.adding(grant, to: Grant.member)
            content = try book.authority.certificate(
                for: asked,
                Mandate(
                    grantable: grantable, zones: try Rights.zones(zone), mostDevices: UInt16(devices),
                    mostDays: UInt16(mostDays), depth: UInt8(depth), days: UInt16(days)),
                book.membership, now: now)
            try Confirmation.ask(
                DraftText.lines(content, of: asked.authority, book.membership),
                "Does the other side have the same digits?", yes: yes)
        }
        try act.perform(
            at: directory, file: log, isForNewcomer: true,
            draft: { book, now in try book.draftAuthority(content, id, now: now) },
            sign: { book, now in [try book.add(content, id, now: now)] },
            said: {
                Added(
                    act: DraftText.lines(content, of: id ?? content.keyset.authorityID, $0.book.membership),
                    digits: digits, handed: $0.handed)
            })
    }
}
