import CoveyCrypto
import CoveyVectors
import Testing

@testable import CoveyCore

/// protocol.md §7.2, items 35 (link), 36 and 37.
@Suite("A note revokes from its signatures and the chain of its device alone")
struct RevokeNoteTests {
    private let mesh: TestMesh
    private let field: LogWriter
    private let fieldKeys: [SigningPrivateKey]
    private let device: TestDevice
    private let certificate: DeviceCertificate
    private let first: [LogEntry]
    private let membership: Membership

    /// The root adds a field authority of 2-of-3 keys, which issues a certificate.
    init() throws {
        var mesh = try TestMesh()
        let random = mesh.random
        fieldKeys = (0..<3).map { _ in SigningPrivateKey(from: random) }
        var (add, field) = try mesh.add(keys: fieldKeys, threshold: 2, below: &mesh.root)
        device = mesh.device()
        certificate = try mesh.certificate(device, by: field)
        var membership = try mesh.membership()
        first = [add, try field.append(.certIssue([certificate]))]
        for entry in first { try membership.take(entry) }
        self.mesh = mesh
        self.field = field
        self.membership = membership
    }

    private let order = WipeOrder(mode: .erase, order: Octets16(), serial: 1, expires: TestMesh.start.adding(1440))

    private func isRevoked(by note: RevokeNote) throws -> Bool {
        var membership = membership
        _ = try membership.accept(note: note.signed)
        return membership.isRevoked(certificate.device)
    }

    @Test("35: one key, m keys, the device itself: each revokes, and the device gets no link any more")
    func forms() throws {
        let single = mesh.note(of: device, authority: field.log, number: 1, keys: [fieldKeys[2]])
        let authority = mesh.note(of: device, authority: field.log, keys: [fieldKeys[0], fieldKeys[2]])
        let root = mesh.note(of: device, authority: mesh.root.log, keys: Array(mesh.roots[..<2]))
        let own = mesh.note(of: device, reason: .retired, keys: [device.signing])
        let wiping = mesh.note(of: device, authority: field.log, wipe: order, keys: fieldKeys)
        for note in [single, authority, root, own, wiping] { #expect(try isRevoked(by: note)) }
        var membership = membership
        #expect(membership.isMember(certificate.device, at: TestMesh.trusted))
        guard case .accepted(_, let changes, _) = try membership.accept(note: single.signed) else {
            Issue.record("the note is accepted")
            return
        }
        #expect(changes == [.revoked(certificate.device)])
        #expect(membership.revocation(of: certificate.device)?.notes == [single.hash])
        #expect(!membership.isMember(certificate.device, at: TestMesh.trusted))
        let hash = try #require(membership.chainHash(of: certificate.device))
        #expect(mesh.admit(certificate, chain: .hash(hash), to: membership).refusal == .revoked)
        guard case .known = try membership.accept(note: single.signed) else {
            Issue.record("a note in the set is known")
            return
        }
        // For every serial, future ones too.
        var field = field
        let renewed = try mesh.certificate(device, serial: 2, by: field)
        try membership.take(field.append(.certIssue([renewed])))
        #expect(mesh.admit(renewed, chain: .hash(hash), to: membership).member == nil)
        #expect(membership.isRevoked(renewed.device))
    }

    @Test("36: signers and numbers must fit the form")
    func refusals() throws {
        var wide = mesh
        let keys = (0..<4).map { _ in SigningPrivateKey(from: mesh.random) }
        let (add, three) = try wide.add(keys: keys, threshold: 3, below: &wide.root)
        var membership = membership
        try membership.take(add)
        func refusal(
            authority: AuthorityID = AuthorityID(), number: UInt32 = 0, wipe: WipeOrder? = nil,
            keys: [SigningPrivateKey]
        ) -> NoteRefusal? {
            membership.refusal(of: mesh.note(of: device, authority: authority, number: number, wipe: wipe, keys: keys))
        }
        let stranger = SigningPrivateKey(from: mesh.random)
        #expect(refusal(authority: three.log, number: 1, keys: [keys[0]]) == .outsideChain)
        #expect(refusal(authority: three.log, keys: Array(keys[..<2])) == .signerCount)
        #expect(refusal(authority: field.log, number: 1, keys: [stranger]) == .signatures)
        #expect(refusal(authority: field.log, keys: fieldKeys + [stranger]) == .signatures)
        #expect(refusal(authority: field.log, number: 0, keys: [fieldKeys[0]]) == .number)
        #expect(refusal(authority: field.log, number: 1, keys: fieldKeys) == .number)
        #expect(refusal(authority: field.log, number: 1, wipe: order, keys: [fieldKeys[0]]) == .wipeOrder)
        #expect(refusal(wipe: order, keys: [device.signing]) == .wipeOrder)
        #expect(refusal(keys: [stranger]) == .signatures)
        #expect(refusal(number: 1, keys: [device.signing]) == .number)
        let body = mesh.note(of: device, authority: field.log, keys: fieldKeys).signed.body
        let other = Signed(body, type: .object(.suspend), mesh: mesh.mesh, keys: fieldKeys)
        #expect(throws: NoteRefusal.signatures) {
            var membership = membership
            _ = try membership.accept(note: other)
        }
    }

    @Test("The golden notes: a stranger's device is revoked by the root, the others when they are known")
    func golden() throws {
        let golden = try GoldenMesh()
        let notes = try golden.json["notes"].items.map { try Signed(parsing: $0["signed"].bytes) }
        var membership = Membership(genesis: golden.genesis)
        _ = try membership.accept(note: notes[0])
        #expect(membership.notes == [golden.json["notes"][0]["hash"].octets()])
        guard case .held = try membership.accept(note: notes[1]), case .accepted = try membership.accept(note: notes[2])
        else {
            Issue.record("a note that a device signed waits for its certificate, one of the root does not")
            return
        }
        try membership.take(golden.entry(golden.json["log_first"]))
        guard
            case .accepted(let intake) = try membership.accept(
                golden.entry(golden.json["log_entry"]).signed)
        else { return }
        #expect(intake.notes.map(\.signed) == [notes[1]])
        #expect(membership.notes.count == 3)
        for index in 0..<2 { #expect(membership.isRevoked(golden.device(index)["device_id"].octets())) }
    }

    @Test("37: of a key's undecided single notes the first five revoke, a sixth suspends for seven days")
    func quota() throws {
        var mesh = mesh
        var membership = membership
        let devices = (0..<6).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: mesh.root) }
        try membership.take(mesh.root.append(.certIssue(certificates)))
        let notes = devices.enumerated().map { index, device in
            mesh.note(of: device, authority: mesh.root.log, number: UInt32(index + 1), keys: [mesh.roots[2]])
        }
        // The last one comes first, and only the others take its place.
        _ = try membership.accept(note: notes[5].signed)
        #expect(membership.isRevoked(certificates[5].device))
        for note in notes[..<5] { _ = try membership.accept(note: note.signed) }
        for certificate in certificates[..<5] { #expect(membership.isRevoked(certificate.device)) }
        let sixth = certificates[5]
        #expect(!membership.isRevoked(sixth.device))
        #expect(mesh.admit(sixth, to: membership).catchUp == .suspended)
        let later = TimeView(now: notes[5].issued.adding(7 * 1440), isTrusted: true, floor: TestMesh.start)
        #expect(!membership.isSuspended(sixth.device, at: later))
        #expect(mesh.admit(sixth, to: membership, time: later).member != nil)
        // A verdict on one of the five makes room.
        let verdict = NoteVerdict(note: notes[0].hash, decision: .confirmed)
        try membership.take(mesh.root.append(.certRevoke([verdict])))
        #expect(membership.isRevoked(sixth.device))
        #expect(membership.isRevoked(certificates[0].device))
        #expect(!membership.undecidedNotes.contains(notes[0].hash))
    }

    @Test("A lifted note has no effect; an authority beside or below cannot lift it, and the root has the last word")
    func verdicts() throws {
        var (mesh, field, membership) = (mesh, field, membership)
        let byRoot = mesh.note(of: device, authority: mesh.root.log, number: 1, keys: [mesh.roots[0]])
        let byField = mesh.note(of: device, authority: field.log, number: 1, keys: [fieldKeys[0]])
        let hashes = [byRoot.hash, byField.hash]
        func verdicts(_ decision: NoteVerdict.Decision) -> LogPayload {
            .certRevoke(hashes.map { NoteVerdict(note: $0, decision: decision) })
        }
        // Before the notes themselves are here.
        try membership.take(field.append(verdicts(.lifted)))
        _ = try membership.accept(note: byField.signed)
        #expect(!membership.isRevoked(certificate.device))
        _ = try membership.accept(note: byRoot.signed)
        #expect(membership.revocation(of: certificate.device)?.notes == [byRoot.hash])
        try membership.take(mesh.root.append(verdicts(.lifted)))
        #expect(!membership.isRevoked(certificate.device))
        try membership.take(mesh.root.append(verdicts(.confirmed)))
        #expect(membership.isRevoked(certificate.device))
        try membership.take(field.append(verdicts(.lifted)))
        #expect(membership.isRevoked(certificate.device))
    }

    @Test("What one entry says of a note over and over is kept once")
    func repeatedVerdicts() throws {
        var (field, membership) = (field, membership)
        let note = mesh.note(of: device, authority: field.log, keys: fieldKeys)
        let rows = (0..<300).map { NoteVerdict(note: note.hash, decision: $0 % 3 == 0 ? .lifted : .confirmed) }
        try membership.take(field.append(.certRevoke(rows)), field.append(.certRevoke([rows[0], rows[0]])))
        #expect(membership.noteBook.verdicts[note.hash]?.map(\.decision) == [.lifted, .confirmed, .lifted])
    }

    @Test("Two wipe officers revoke with a wipe order, while both have the right to be officers")
    func officers() throws {
        var (mesh, membership) = (mesh, membership)
        let officers = (0..<3).map { _ in mesh.device() }
        let note = mesh.note(of: device, wipe: order, keys: officers[..<2].map(\.signing))
        guard case .held = try membership.accept(note: note.signed) else {
            Issue.record("officers that are not known yet may become known")
            return
        }
        let certificates = try officers.map { officer in
            try mesh.certificate(officer, by: mesh.root) { $0.capabilities.insert(.wipeOfficer) }
        }
        guard case .accepted(let intake) = try membership.accept(mesh.root.append(.certIssue(certificates)).signed)
        else { return }
        #expect(intake.notes.map(\.hash) == [note.hash])
        #expect(membership.isRevoked(certificate.device))
        let one = mesh.note(of: mesh.device(), wipe: order, keys: [officers[0].signing])
        #expect(membership.refusal(of: one) == .wipeOrder)

        // Two devices of one person are one officer.
        let pair = [mesh.device(), mesh.device()]
        let subject = pair[0].subject
        let doubles = try pair.map { officer in
            try mesh.certificate(officer, by: mesh.root) {
                $0.capabilities.insert(.wipeOfficer); $0.subject = subject
            }
        }
        try membership.take(mesh.root.append(.certIssue(doubles)))
        _ = try membership.accept(note: mesh.note(of: officers[1], wipe: order, keys: pair.map(\.signing)).signed)
        #expect(!membership.isRevoked(certificates[1].device))

        // Officers that a field authority made up, beyond what it may grant.
        var field = field
        let impostors = (0..<2).map { _ in mesh.device() }
        let made = try impostors.map { impostor in
            try mesh.certificate(impostor, by: field) { $0.capabilities.insert(.wipeOfficer) }
        }
        try membership.take(field.append(.certIssue(made)))
        let foul = mesh.note(of: officers[2], wipe: order, keys: impostors.map(\.signing))
        _ = try membership.accept(note: foul.signed)
        #expect(!membership.isRevoked(certificates[2].device))
    }

    @Test("Of one key's notes the first 256 are kept, of a device's own four, whatever order they come in")
    func bounds() throws {
        let own = (0..<6).map { index in
            mesh.note(
                of: device, reason: RevocationReason.allCases[index % 5],
                wipe: nil, keys: [device.signing])
        }
        let different = Array(Set(own.map(\.hash)))
        #expect(different.count == 5)
        var sets: [[NoteHash]] = []
        for order in [own, own.reversed()] {
            var membership = membership
            for note in order where membership.refusal(of: note) == nil {
                _ = try membership.accept(note: note.signed)
            }
            sets.append(membership.notes)
        }
        let mild = mesh.note(of: device, reason: .policy, keys: [device.signing]).hash
        #expect(sets[0] == different.filter { $0 != mild }.sorted())
        #expect(sets[0] == sets[1])

        var membership = membership
        let notes = (1...258).reversed().map { number in
            mesh.note(of: device, authority: mesh.root.log, number: UInt32(number), keys: [mesh.roots[0]])
        }
        for note in notes { _ = try membership.accept(note: note.signed) }
        #expect(membership.notes.count == 256)
        #expect(membership.refusal(of: notes[0]) == .tooMany)
    }

    @Test("Whoever has a key cannot bring back with it what an authority has put out for good")
    func confirmedNotesStay() throws {
        var (mesh, membership) = (mesh, membership)
        let devices = (0..<10).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: mesh.root) }
        try membership.take(mesh.root.append(.certIssue(certificates)))
        let honest = devices.enumerated().map { index, device in
            mesh.note(of: device, authority: mesh.root.log, number: UInt32(index + 1), keys: [mesh.roots[2]])
        }
        let forged = (0..<256).map { suspect in
            RevokeNote.make(
                RevokeNote.Content(
                    device: device.id(in: mesh.mesh), reason: .lost, suspectSince: Minute(UInt32(suspect)),
                    issued: TestMesh.start, authority: mesh.root.log, number: 1),
                mesh: mesh.mesh, keys: [mesh.roots[2]])
        }
        let confirmed = try mesh.root.append(
            .certRevoke(honest.map { NoteVerdict(note: $0.hash, decision: .confirmed) }))
        var late = membership
        for note in honest { _ = try membership.accept(note: note.signed) }
        try membership.take(confirmed)
        for note in forged { _ = try membership.accept(note: note.signed) }
        for certificate in certificates { #expect(membership.isRevoked(certificate.device)) }
        #expect(membership.notes.count == 266)

        // Where the forged ones came first, the others find their place when the verdict is there.
        for note in forged { _ = try late.accept(note: note.signed) }
        #expect(late.refusal(of: honest[9]) == .tooMany)
        try late.take(confirmed)
        for note in honest { _ = try late.accept(note: note.signed) }
        #expect(late.notes == membership.notes)
    }

    @Test("A note that an announcement names stays before others of its key, so its epoch's key can be handed on")
    func listedNotesStay() throws {
        var (mesh, membership) = (mesh, membership)
        let last = mesh.note(of: device, authority: mesh.root.log, number: 9, keys: [mesh.roots[2]])
        _ = try membership.accept(note: last.signed)
        let announcement = EpochAnnouncement(
            number: 1, commit: EpochCommit(), rows: membership.heads, notes: [last.hash], validFrom: TestMesh.start,
            graceDays: 30)
        let announced = try mesh.root.append(.epochAnnounce(announcement))
        let forged = (1...256).map { suspect in
            RevokeNote.make(
                RevokeNote.Content(
                    device: device.id(in: mesh.mesh), reason: .lost, suspectSince: Minute(UInt32(suspect)),
                    issued: TestMesh.start, authority: mesh.root.log, number: 1),
                mesh: mesh.mesh, keys: [mesh.roots[2]])
        }
        var late = membership
        try membership.take(announced)
        for note in forged where membership.refusal(of: note) == nil { _ = try membership.accept(note: note.signed) }
        #expect(membership.hasNote(last.hash) && membership.notes.count == 256)

        for note in forged { _ = try late.accept(note: note.signed) }
        #expect(!late.hasNote(last.hash))
        try late.take(announced)
        _ = try late.accept(note: last.signed)
        #expect(late.notes == membership.notes)
    }

    @Test("Whoever took a device's key cannot talk down what the device said of itself")
    func gravestOwnNotesStay() throws {
        let lost = mesh.note(of: device, reason: .compromised, keys: [device.signing])
        let milder = (0..<64).map { suspect in
            RevokeNote.make(
                RevokeNote.Content(
                    device: device.id(in: mesh.mesh), reason: .retired, suspectSince: Minute(UInt32(suspect)),
                    issued: TestMesh.start),
                mesh: mesh.mesh, keys: [device.signing])
        }
        #expect(milder.count { $0.hash < lost.hash } >= 4)
        var sets: [[NoteHash]] = []
        for order in [[lost] + milder, milder.reversed() + [lost]] {
            var membership = membership
            for note in order where membership.refusal(of: note) == nil {
                _ = try membership.accept(note: note.signed)
            }
            #expect(membership.revocation(of: certificate.device)?.reason == .compromised)
            #expect(membership.hasNote(lost.hash))
            sets.append(membership.notes)
        }
        #expect(sets[0] == sets[1] && sets[0].count == 4)
    }

    @Test("Of an officer's orders the first 64 are kept, and those that are among the first of another who signed them")
    func officersBound() throws {
        var (mesh, membership) = (mesh, membership)
        let officers = (0..<3).map { _ in mesh.device() }
        let certificates = try officers.map { officer in
            try mesh.certificate(officer, by: mesh.root) { $0.capabilities.insert(.wipeOfficer) }
        }
        try membership.take(mesh.root.append(.certIssue(certificates)))
        func order(_ minute: Int, by signers: Int...) -> RevokeNote {
            RevokeNote.make(
                RevokeNote.Content(
                    device: device.id(in: mesh.mesh), reason: .lost, suspectSince: TestMesh.start,
                    issued: Minute(UInt32(minute)), wipe: self.order),
                mesh: mesh.mesh, keys: signers.map { officers[$0].signing })
        }
        let foul = (1...70).map { order($0, by: 0, 1) }
        let honest = order(100, by: 1, 2)
        var sets: [[NoteHash]] = []
        for order in [[honest] + foul, foul.reversed() + [honest]] {
            var membership = membership
            for note in order where membership.refusal(of: note) == nil {
                _ = try membership.accept(note: note.signed)
            }
            sets.append(membership.notes)
        }
        #expect(sets[0] == (foul[..<64].map(\.hash) + [honest.hash]).sorted())
        #expect(sets[0] == sets[1])
    }

    @Test("A note that is one too many takes no other along that nobody would be told of")
    func oneTooMany() throws {
        let officers = (0..<4).map { _ in DeviceID.random(from: mesh.random) }
        func note(_ issued: Int64) -> RevokeNote {
            RevokeNote.make(
                RevokeNote.Content(
                    device: .random(from: mesh.random), reason: .lost, suspectSince: TestMesh.start,
                    issued: TestMesh.start.adding(issued), authority: AuthorityID(), wipe: order),
                mesh: mesh.mesh, keys: [fieldKeys[0]])
        }
        var book = NoteBook()
        var listed: Set<NoteHash> = []
        func insert(_ note: RevokeNote, by signers: [Int]) -> [NoteID]? {
            book.insert(note, form: .officers(signers.map { officers[$0] }), listed: listed)?.map(\.id)
        }
        for number in 0..<Int64(Membership.Bounds.officerNotes) {
            #expect(insert(note(number), by: [0, 1]) == [])
            if number > 0 { #expect(insert(note(number), by: [2, 3]) == []) }
        }
        // Each is one too many of one officer, and among the first of another.
        let (kept, named) = (note(100), note(150))
        #expect(insert(kept, by: [0, 2]) == [])
        #expect(insert(named, by: [2, 3]) == [])
        // An announcement sets the second before others, and so the first is too many of both.
        listed = [named.hash]
        #expect(insert(note(300), by: [0, 2]) == nil)
        #expect(book.records[kept.hash] != nil)
        #expect(insert(note(50), by: [0, 2])?.contains(kept.id) ?? false)
        #expect(book.records[kept.hash] == nil)
    }

    @Test("Notes that waited for their device and are too many are in no intake; what they push out is named")
    func boundsOfHeld() throws {
        var (mesh, membership, field) = (mesh, membership, field)
        let late = mesh.device()
        let own = RevocationReason.allCases.map { mesh.note(of: late, reason: $0, wipe: nil, keys: [late.signing]) }
        for note in own { _ = try membership.accept(note: note.signed) }
        #expect(membership.notes.isEmpty)
        let entry = try field.append(.certIssue([mesh.certificate(late, serial: 2, by: field)]))
        guard case .accepted(let intake) = try membership.accept(entry.signed) else {
            Issue.record("the certificate is accepted")
            return
        }
        #expect(membership.notes.count == 4)
        #expect(membership.notes == intake.notes.map(\.hash).sorted() && intake.notesGone.isEmpty)

        // The set is full of one officer's notes, and an earlier one of his waited.
        let other = mesh.device()
        let first = mesh.note(of: other, authority: field.log, number: 1, keys: [fieldKeys[0]])
        _ = try membership.accept(note: first.signed)
        let numbered = (2...257).map { number in
            mesh.note(of: device, authority: field.log, number: UInt32(number), keys: [fieldKeys[0]])
        }
        for note in numbered { _ = try membership.accept(note: note.signed) }
        let next = try field.append(.certIssue([mesh.certificate(other, serial: 3, by: field)]))
        guard case .accepted(let release) = try membership.accept(next.signed) else {
            Issue.record("the certificate is accepted")
            return
        }
        #expect(release.notes.map(\.hash) == [first.hash] && release.notesGone == [numbered[255].id])
    }

    @Test("Who signs the words of another key's note takes nothing from it, whose copy ever comes first")
    func copiesOfSingles() throws {
        var (mesh, membership) = (mesh, membership)
        let devices = (0..<2).map { _ in mesh.device() }
        let certificates = try devices.map { try mesh.certificate($0, by: mesh.root) }
        try membership.take(mesh.root.append(.certIssue(certificates)))
        func note(_ suspect: Int, of device: TestDevice, by key: Int) -> RevokeNote {
            RevokeNote.make(
                RevokeNote.Content(
                    device: device.id(in: mesh.mesh), reason: .lost, suspectSince: Minute(UInt32(suspect)),
                    issued: TestMesh.start, authority: mesh.root.log,
                    number: device.subject == devices[0].subject ? 2 : 1),
                mesh: mesh.mesh, keys: [mesh.roots[key]])
        }
        let honest = note(0, of: devices[0], by: 1)
        let copy = note(0, of: devices[0], by: 2)
        #expect(honest.hash == copy.hash && honest.id != copy.id)
        let forged = (1...256).map { note($0, of: devices[1], by: 2) }
        for order in [forged + [copy, honest], [copy, honest] + forged, [copy] + forged + [honest]] {
            var membership = membership
            for note in order where membership.refusal(of: note) == nil {
                _ = try membership.accept(note: note.signed)
            }
            #expect(membership.isRevoked(certificates[0].device))
            #expect(membership.refusal(of: copy) == .tooMany)
            #expect(membership.notes == (forged + [honest]).map(\.hash).sorted())
        }
        // Where both are kept, a verdict decides of both.
        for note in [copy, honest] { _ = try membership.accept(note: note.signed) }
        guard case .known = try membership.accept(note: copy.signed) else {
            Issue.record("each copy is known once it is here")
            return
        }
        let lifted = NoteVerdict(note: honest.hash, decision: .lifted)
        try membership.take(mesh.root.append(.certRevoke([lifted])))
        #expect(!membership.isRevoked(certificates[0].device))
    }

    /// What two nodes must agree on about single-key notes.
    private struct Standing: Hashable {
        let revocations: [Revocation?]
        let suspended: [Bool]
        let copies: [NoteID]

        init(_ membership: Membership, of devices: [DeviceID], _ notes: [RevokeNote]) {
            revocations = devices.map(membership.revocation)
            suspended = devices.map { membership.isSuspended($0, at: TestMesh.trusted) }
            copies = notes.filter { !membership.noteBook.lacks($0) }.map(\.id).sorted()
        }
    }

    @Test("Copies of one note by two keys, what exhausts both, and verdicts: in any order they end in one standing")
    func copiesInAnyOrder() throws {
        enum Item {
            case note(RevokeNote)
            case entry(LogEntry)
        }
        var (mesh, field, membership) = (mesh, field, membership)
        let others = (0..<10).map { _ in mesh.device() }
        let issue = try field.append(.certIssue(others.map { try mesh.certificate($0, by: field) }))
        try membership.take(issue)
        // Five of each key, the last of which make the contested one the sixth.
        let spent = others.enumerated().map { index, other in
            mesh.note(
                of: other, authority: field.log, number: UInt32(index % 5 + 1), keys: [fieldKeys[index / 5]])
        }
        let copies = (0..<2).map { mesh.note(of: device, authority: field.log, number: 6, keys: [fieldKeys[$0]]) }
        let verdicts = [
            try field.append(.certRevoke([NoteVerdict(note: spent[5].hash, decision: .lifted)])),
            try mesh.root.append(.certRevoke([NoteVerdict(note: copies[0].hash, decision: .confirmed)])),
        ]
        let early = [0, 1, 2, 3, 5, 6, 7, 8].map { spent[$0] }
        for note in early { _ = try membership.accept(note: note.signed) }
        let items = [copies[0], copies[1], spent[4], spent[9]].map(Item.note) + verdicts.map(Item.entry)
        let devices = [certificate.device] + others.map { $0.id(in: mesh.mesh) }
        var standings: [Set<Int>: Standing] = [:]
        func go(on membership: Membership, with taken: Set<Int>) throws {
            let standing = Standing(membership, of: devices, spent + copies)
            #expect(standings[taken, default: standing] == standing, "\(taken.sorted())")
            standings[taken] = standing
            for (index, item) in items.enumerated() where !taken.contains(index) {
                var membership = membership
                switch item {
                case .note(let note): _ = try membership.accept(note: note.signed)
                case .entry(let entry): try membership.take(entry)
                }
                try go(on: membership, with: taken.union([index]))
            }
        }
        try go(on: membership, with: [])
        #expect(standings.count == 64)
        func isRevoked(_ taken: Set<Int>) -> Bool { standings[taken]?.revocations[0] != nil }
        // While either key has one left.
        #expect(!isRevoked([]) && isRevoked([0]) && isRevoked([1]))
        #expect(!isRevoked([0, 2]) && isRevoked([0, 1, 2]) && isRevoked([0, 1, 3]) && !isRevoked([1, 3]))
        #expect(!isRevoked([0, 1, 2, 3]) && standings[[0, 1, 2, 3]]?.suspended[0] == true)
        // A verdict makes room among the second key's.
        #expect(isRevoked([0, 1, 2, 3, 4]) && !isRevoked([0, 2, 3, 4]))
        #expect(isRevoked([0, 2, 3, 5]) && isRevoked([0, 1, 2, 3, 4, 5]))

        // As a node starts again: the entries as they were accepted, then the notes by their ids.
        for (taken, standing) in standings {
            var restored = try mesh.membership()
            for entry in first + [issue] { _ = try restored.restore(entry.signed) }
            var notes = early
            for index in taken.sorted() {
                switch items[index] {
                case .note(let note): notes.append(note)
                case .entry(let entry): _ = try restored.restore(entry.signed)
                }
            }
            for note in notes.sorted(by: { $0.id < $1.id }) { _ = try restored.accept(note: note.signed) }
            #expect(Standing(restored, of: devices, spent + copies) == standing, "\(taken.sorted())")
        }

        // An audit counts what each key signed.
        let entries = ([mesh.first] + first + [issue]).map(\.signed)
        let audits = [copies[..<1], copies[...]].map { given in
            LogAudit(of: mesh.genesis, entries + given.map(\.signed), now: TestMesh.start.adding(60))
        }
        #expect(audits.map(\.notes) == [1, 1] && audits[1].signatures == audits[0].signatures + 1)
    }
}
