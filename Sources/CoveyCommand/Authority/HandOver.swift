import ArgumentParser
import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

/// Brings what an authority signed into the mesh: through a running node, or as a file for any node.
struct HandOver: ParsableArguments {
    @Option(help: "The control socket of a running node that takes what is signed into the mesh.")
    var node: String?

    struct Outcome: Encodable {
        /// What the node said; absent without one.
        var accepted: Int?
        /// What it keeps until what comes before it is there.
        var waiting: Int?
        var refused: [String]?
        /// The log file that was written instead.
        var file: String?
        /// Why the node that was named did not take it.
        var problem: String?
        var hint: String?
        var complaint: Complaint?

        private enum CodingKeys: String, CodingKey { case accepted, waiting, refused, file, problem, hint }

        var text: String {
            if let file { return "wrote \(file), \(hint ?? "")" }
            if let accepted {
                let rest = waiting.map { $0 > 0 ? ", \($0) waiting: \(LogSubmitResult.waitingAdvice)" : "" } ?? ""
                return "handed to the node: \(accepted) new\(rest)"
            }
            return "nothing new for the log"
        }

        /// Where an authority was added: the file has all that one without a log needs.
        var forNewcomer: String? {
            file.map { "next, at that authority: covey authority import \($0.word) --authority DIR" }
        }
    }

    /// Where a log file goes when no node takes it, beside the file that is written anyhow.
    static func file(beside path: String, _ wanted: CoveyFile.Kind = .log) -> String {
        for kind in CoveyFile.Kind.allCases where path.hasSuffix(kind.fileExtension) {
            return path.dropLast(kind.fileExtension.count) + wanted.fileExtension
        }
        return path + wanted.fileExtension
    }

    /// Before anything is signed: whether the file could be written.
    func check(_ file: String) throws {
        guard node == nil else { return }
        guard !Disk.exists(file) else {
            throw Complaint(
                .cannotCreate,
                "\(file), where the new entries would go, exists already; move it away or name a node with --node")
        }
        try Disk.checkNew(file)
    }

    /// Before anything is signed: takes into the directory what the node knows of all logs. Where it knows the authority's
    /// own log better nothing may be signed: it would be a second history. A node that does not answer costs nothing but a
    /// file.
    func update(_ directory: AuthorityDirectory) throws {
        var book = directory.book
        try update(&book, of: directory.path)
        try directory.keep(book)
    }

    func update(_ book: inout AuthorityBook, of path: String) throws {
        guard let node, let client = try? ControlClient(path: node) else { return }
        let copy: NodeCopy
        do { copy = try NodeCopy(at: client, beside: book) } catch {
            return Output.note(
                "the node did not say what it knows (\(error)): what is signed now covers what \(path) holds, and no more"
            )
        }
        guard !copy.isAhead(of: book) else {
            throw Complaint(
                .failed,
                "\(path) \(Self.lag(of: book)): the node has entries of this authority's own log that are not in it, and what is signed without them would be a second history; bring it up to date: \(Self.catchUp(path))"
            )
        }
        try copy.lead(over: book).take(into: &book, of: path)
    }

    /// Why a directory does not hold all of its own log: where others sign with it, that is nothing strange.
    static func lag(of book: AuthorityBook) -> String {
        book.authority.signsAlone() ? "is an old copy, or somebody else has its keys" : "is behind the other officers"
    }

    /// How an old copy becomes the desk again; keys of epochs that were announced elsewhere are in no log.
    static func catchUp(_ path: String) -> String {
        "\(importing(path)), and where devices are enrolled with it, "
            + "\(AdvisedCommand.announceEpoch) --authority \(path.word)"
    }

    /// How what a node has gets into a directory.
    static func importing(_ path: String) -> String {
        "covey log export -o FILE.log, then covey authority import FILE.log --authority \(path.word)"
    }

    /// Where a draft goes, beside the log file it will become.
    static func freeDraft(beside file: String) throws -> String {
        let draft = Self.file(beside: file, .draft)
        guard !Disk.exists(draft) else {
            throw Complaint(.cannotCreate, "\(draft), where the draft would go, exists already; move it away")
        }
        try Disk.checkNew(draft)
        return draft
    }

    /// What enrolled a device, again when it was enrolled before: that may never have left the house.
    func over(_ enrolment: Enrolment, of directory: AuthorityDirectory, file: String) throws -> Outcome {
        let signed = enrolment.entries.map(\.signed) + enrolment.notes.map(\.signed)
        guard enrolment.isNew || node != nil || !Self.holds(file, signed, of: directory.book.mesh) else {
            return Outcome()
        }
        return try over(signed, epochs: enrolment.epochs, of: directory, file: Self.free(file))
    }

    /// Whether a log file is there already and holds all of these.
    private static func holds(_ file: String, _ objects: [Signed], of mesh: MeshID) -> Bool {
        guard Disk.exists(file), let held = try? CoveyFile(at: file).log(of: mesh) else { return false }
        return objects.allSatisfy(held.contains)
    }

    /// A name that nobody gave gets a number where it is taken, and so does one for what may be the only copy outside of
    /// the directory.
    ///
    /// - Parameter other: what is to be free beside it, too.
    static func free(_ file: String, _ kind: CoveyFile.Kind = .log, with other: CoveyFile.Kind? = nil) -> String {
        let end = kind.fileExtension
        let stem = file.hasSuffix(end) ? String(file.dropLast(end.count)) : file
        return ([file] + (2...999).map { "\(stem)-\($0)\(end)" }).first { name in
            !Disk.exists(name) && !(other.map { Disk.exists(Self.file(beside: name, $0)) } ?? false)
        } ?? file
    }

    /// What is signed is in the authority's log already: a node that does not answer costs nothing but a file.
    ///
    /// - Parameter leading: what goes into a file before it, for whoever may hold no log.
    func over(
        _ objects: [Signed], epochs: [Welcome.Epoch], leading: [Signed] = [], of directory: AuthorityDirectory,
        file: String
    ) throws -> Outcome {
        guard !objects.isEmpty else { return Outcome() }
        var complaint: Complaint?
        if let node {
            do {
                let client = try ControlClient(path: node)
                let missing = try NodeCopy(at: client, beside: directory.book).missing(of: directory.book)
                let before = (missing.entries.map(\.signed) + missing.notes.map(\.signed))
                    .filter { !objects.contains($0) }
                let result = try Self.submit(before + objects, epochs: epochs, to: client)
                guard result.refused.isEmpty else {
                    throw Complaint(.failed, "the node refused: \(result.refused.joined(separator: "; "))")
                }
                return Outcome(accepted: result.accepted, waiting: result.waiting, refused: result.refused)
            } catch {
                complaint = Complaint(error)
            }
        }
        let file = node == nil ? file : Self.free(file)
        do {
            try Disk.create(file, CoveyFile.log(leading + objects, mesh: directory.book.mesh).bytes)
        } catch let cause as Complaint {
            throw Complaint(
                cause.status,
                "\(cause); it is signed and kept in \(directory.path): get it out with covey authority log -o FILE --authority \(directory.path.word)"
            )
        }
        let hint =
            epochs.isEmpty
            ? "hand it to any node: covey log import \(file.word)"
            : "hand it to your own node, with the new network key: covey log import \(file.word) --authority \(directory.path.word)"
        return Outcome(file: file, problem: complaint?.description, hint: hint, complaint: complaint)
    }

    /// The end of an act: hands over what was signed, says what was done, and last why a node did not take it.
    func over(
        _ objects: [Signed], epochs: [Welcome.Epoch] = [], leading: [Signed] = [], of directory: AuthorityDirectory,
        file: String, _ answer: OutputOptions, _ said: (Outcome) -> some Answer
    ) throws {
        let outcome = try over(objects, epochs: epochs, leading: leading, of: directory, file: file)
        try said(outcome).show(asJSON: answer.json)
        if let complaint = outcome.complaint { throw complaint }
    }

    /// In pieces that fit a line of the control socket.
    static func submit(
        _ objects: [Signed], epochs: [Welcome.Epoch], to client: ControlClient
    ) throws -> LogSubmitResult {
        let keys = epochs.isEmpty ? [] : try sealed(epochs, to: client)
        var total = LogSubmitResult(accepted: 0, known: 0, waiting: 0, refused: [])
        var rest = objects[...]
        repeat {
            var size = 0
            let piece = rest.prefix { object in
                size += object.bytes.count
                return size <= Self.pieceSize
            }
            rest = rest.dropFirst(piece.count)
            // Keys go last: an entry they belong to must be known.
            let result = try client.call(
                LogSubmit(
                    objects: piece.map { Base64($0.bytes) }, epochKeys: rest.isEmpty && !keys.isEmpty ? keys : nil))
            total.accepted += result.accepted
            total.known += result.known
            total.waiting += result.waiting
            total.refused += result.refused
        } while !rest.isEmpty
        return total
    }

    /// Bytes of objects in one line, before they become base64. An object is at most 17 KiB.
    private static let pieceSize = 512 << 10

    private static func sealed(_ epochs: [Welcome.Epoch], to client: ControlClient) throws -> [EpochKeyEntry] {
        guard let receiver = AgreementPublicKey(try client.call(LogHeads()).sealTo.bytes) else {
            throw ControlClientError.garbled
        }
        return try epochs.map { epoch in
            guard let key = HandedEpochKey.seal(epoch.key, of: epoch.entry, to: receiver, random: SystemRandom()) else {
                throw ControlClientError.garbled
            }
            return EpochKeyEntry(entry: Hex(epoch.entry.array), key: Base64(key))
        }
    }
}

extension LogSubmitResult {
    /// For a person who handed over what the node could not take in yet.
    static let waitingAdvice = "entries before these are missing; import the whole log"
}
