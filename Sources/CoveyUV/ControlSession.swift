import CoveyControl
import CoveyCore
import CoveyCrypto
import CoveyNode

/// One client of the control socket.
final class ControlSession: StreamOwner {
    /// Where a subscription to the inbox stands. All carry the last sequence that was sent.
    private enum Inbox {
        case none
        /// Pages of what came before are being asked for; new messages are in one of them.
        case catchingUp(UInt64)
        case live(UInt64)
    }

    private unowned let socket: ControlSocket
    private let stream: ByteStream
    private var input: [UInt8] = []
    /// Requests the node has not answered, by the order in which they came.
    private var awaited: [UInt64: RequestID?] = [:]
    private var lastRequest: UInt64 = 0
    private var inbox = Inbox.none
    private var isPageLeaving = false
    private(set) var wantsEvents = false
    private var isReading = false
    private var isEnded = false

    init(_ stream: ByteStream, of socket: ControlSocket) {
        self.stream = stream
        self.socket = socket
        stream.owner = self
        stream.resumeReading()
    }

    // MARK: Lines in

    func received(_ bytes: [UInt8], from stream: ByteStream) {
        input += bytes
        readLines()
    }

    /// Reads what may be read now; the rest stays until answers have left.
    private func readLines() {
        // A line is answered in the midst of this when it needs no node, and would begin it again.
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        var start = 0
        while !isEnded, !isBusy, let newline = input[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(input[start..<newline])
            start = newline + 1
            if line.count > Bounds.controlLine { return refuseLength() }
            if !line.isEmpty { handle(line) }
        }
        guard !isEnded else { return }
        input.removeSubrange(..<start)
        if isBusy { return stream.pauseReading() }
        if input.count > Bounds.controlLine { return refuseLength() }
        stream.resumeReading()
    }

    private var isBusy: Bool {
        awaited.count >= Bounds.controlCommands || stream.queuedBytes > Bounds.controlLine
    }

    private func refuseLength() {
        let error = ControlError(
            .bounds, "a line is longer than \(Bounds.controlLine) bytes", hint: "send less in one request")
        if let line = try? ControlLine.failure(error, id: .null) { stream.send(line) }
        leave()
    }

    private func handle(_ line: [UInt8]) {
        let (id, call) = ControlCall.read(line)
        lastRequest += 1
        let number = lastRequest
        awaited[number] = .some(id)
        switch call {
        case .failure(let error): fail(number, error)
        case .success(let call):
            do throws(ControlError) { try begin(call, number) } catch { fail(number, error) }
        }
    }

    private func begin(_ call: ControlCall, _ number: UInt64) throws(ControlError) {
        switch call {
        case .nodeStatus:
            ask(.status, number) { if case .status(let status) = $1 { $0.answer(number, StatusResult(status)) } }
        case .nodeVersion:
            answer(number, socket.version)
        case .nodeExamine:
            ask(.examine, number) {
                if case .examined(let findings) = $1 {
                    $0.answer(number, FindingsResult(findings: findings.map(FindingEntry.init)))
                }
            }
        case .nodeRevoke(let revoke):
            ask(try revoke.command(), number) {
                if case .revokedSelf(let told) = $1 { $0.answer(number, RevokeSelfResult(told: told)) }
            }
        case .nodeStop:
            ask(.stop, number) { if case .stopping = $1 { $0.answer(number, StopResult(stopping: true)) } }
        case .peersList:
            ask(.peers, number) { session, reply in
                guard case .peers(let peers) = reply else { return }
                let now = session.socket.driver.clock.now
                session.answer(number, PeersResult(peers: peers.map { PeerEntry($0, at: now) }))
            }
        case .contactsList(let after):
            let last = try after.map { after throws(ControlError) in
                if let device = DeviceID(after.bytes) { return device }
                throw ControlError(
                    .invalidParameters, "contacts.list does not take this \"after\"", hint: "the id of a device")
            }
            ask(.contacts, number) {
                guard case .contacts(let list) = $1 else { return }
                let rest = last.map { last in list.filter { $0.device > last } } ?? list
                let (contacts, isCut) = Self.fitting(rest.map(ContactEntry.init))
                $0.answer(number, ContactsResult(contacts: contacts, more: isCut))
            }
        case .contactsShow(let device):
            ask(.contact(device: device), number) {
                guard case .contact(let detail) = $1 else { return }
                let (notes, isCut) = Self.fitting(
                    detail.notes.map(LogNoteLine.init), in: Bounds.controlList - Bounds.controlContact)
                $0.answer(number, ContactDetailResult(detail, notes, more: isCut))
            }
        case .contactsSuspend(let suspend):
            ask(try suspend.command(), number) {
                if case .suspended(let answer) = $1 { $0.answer(number, SuspendResult(answer)) }
            }
        case .messageSend(let send):
            ask(.send(to: send.to, text: send.text), number) {
                if case .sent(let id, let state) = $1 { $0.answer(number, SendResult(id, state)) }
            }
        case .inboxList(let after, let limit):
            askMessages(.inbox(after: after, limit: limit), limit, number)
        case .inboxSubscribe(let after):
            inbox = after.map { .catchingUp($0) } ?? .live(0)
            answer(number, SubscribeResult(subscribed: true))
            if let after { catchUp(after) }
        case .quarantineList(let after, let limit, let hidden):
            askMessages(.quarantine(after: after, limit: limit, hidden: hidden), limit, number)
        case .announcementSend(let send):
            ask(.announce(try send.draft()), number) {
                if case .announced(let line) = $1 {
                    $0.answer(number, AnnouncementResult(announcement: AnnouncementEntry(line)))
                }
            }
        case .announcementList:
            ask(.announcements, number) {
                guard case .announcements(let lines, let gaps) = $1 else { return }
                let (missing, areGapsCut) = Self.fitting(
                    gaps.map { MissingAnnouncements(author: $0.author.asHex, label: $0.label, sequences: $0.missing) },
                    in: Bounds.controlMissing)
                let (entries, isCut) = Self.fitting(
                    lines.map(AnnouncementEntry.init), in: Bounds.controlList - Bounds.controlMissing)
                $0.answer(
                    number,
                    AnnouncementsResult(announcements: entries, missing: missing, more: isCut || areGapsCut))
            }
        case .logHeads:
            ask(.logHeads, number) {
                guard case .logHeads(let heads, let forked) = $1 else { return }
                $0.answer(
                    number,
                    LogHeadsResult(
                        heads: heads.map { LogHeadEntry($0, isForked: forked.contains($0.log)) },
                        sealTo: Base64($0.socket.receiver.publicKey.array)))
            }
        case .logList(let after, let limit):
            ask(.logList(after: after, limit: limit), number) {
                guard case .logList(let lines) = $1 else { return }
                let (entries, isCut) = Self.fitting(lines.map(LogEntryLine.init))
                $0.answer(number, LogListResult(entries: entries, more: isCut || lines.count >= limit))
            }
        case .logNotes(let after, let limit):
            guard let id = NoteID(after?.bytes ?? NoteID().array) else {
                throw ControlError(
                    .invalidParameters, "log.notes does not take this \"after\"", hint: "the id of a revocation")
            }
            ask(.logNotes(after: id, limit: limit), number) {
                guard case .logNotes(let lines) = $1 else { return }
                let (notes, isCut) = Self.fitting(lines.map(LogNoteLine.init))
                $0.answer(number, LogNotesResult(notes: notes, more: isCut || lines.count >= limit))
            }
        case .logExport(let after, let limit):
            ask(.logExport(after: try Self.mark(after), limit: limit), number) {
                guard case .logExport(let objects) = $1 else { return }
                let (fitting, isCut) = Self.fitting(objects.map { Base64($0.bytes) })
                let isEnd = !isCut && objects.count < limit
                $0.answer(
                    number,
                    LogExportResult(objects: fitting, next: isEnd ? nil : objects[fitting.count - 1].mark.text))
            }
        case .logSubmit(let submit):
            ask(try submit.command(for: socket.receiver), number) {
                guard case .logSubmitted(let outcome) = $1 else { return }
                $0.answer(
                    number,
                    LogSubmitResult(
                        accepted: outcome.accepted, known: outcome.known, waiting: outcome.waiting,
                        refused: outcome.refused))
            }
        case .renewalsList:
            ask(.renewals, number) {
                guard case .renewals(let list) = $1 else { return }
                let (entries, _) = Self.fitting(list.map(RenewalEntry.init))
                $0.answer(number, RenewalsResult(renewals: entries))
            }
        case .releaseList:
            ask(.releases, number) {
                guard case .releases(let list) = $1 else { return }
                // What a file is compared with are the newest, which come last.
                let (entries, isCut) = Self.fitting(list.reversed().map(ReleaseEntry.init))
                $0.answer(number, ReleasesResult(releases: entries.reversed(), more: isCut))
            }
        case .wipeDraft(let draft):
            ask(.draftWipe(try draft.draft()), number) {
                if case .wipeSigned(let order) = $1 { $0.answer(number, WipeSignedResult(order)) }
            }
        case .wipeSign(let sign):
            ask(.signWipe(sign.note.bytes), number) {
                if case .wipeSigned(let order) = $1 { $0.answer(number, WipeSignedResult(order)) }
            }
        case .wipeList:
            ask(.wipes, number) {
                guard case .wipes(let lines) = $1 else { return }
                let (entries, isCut) = Self.fitting(lines.map(WipeEntry.init))
                $0.answer(number, WipesResult(orders: entries, more: isCut))
            }
        case .eventsSubscribe:
            wantsEvents = true
            answer(number, SubscribeResult(subscribed: true))
        }
    }

    private func askMessages(_ command: Command, _ limit: Int, _ number: UInt64) {
        ask(command, number) {
            guard case .inbox(let messages) = $1 else { return }
            let (entries, isCut) = Self.fitting(messages.map(InboxEntry.init))
            $0.answer(number, InboxResult(messages: entries, more: isCut || messages.count >= limit))
        }
    }

    private static func mark(_ text: String?) throws(ControlError) -> ExportMark {
        guard let text else { return .entry(0) }
        guard let mark = ExportMark(parsing: text) else {
            throw ControlError(
                .invalidParameters, "log.export does not take this \"after\"", hint: "`next` of the page before")
        }
        return mark
    }

    /// Asks the node. `take` answers the request when the reply is of the kind it wants.
    private func ask(
        _ command: Command, _ number: UInt64, _ take: @escaping (ControlSession, Reply) -> Void
    ) {
        socket.driver.submit(command) { [weak self] reply in
            guard let self, !isEnded else { return }
            if case .refused(let refusal) = reply { return fail(number, ControlError(refusal)) }
            take(self, reply)
            guard !isEnded, awaited.keys.contains(number) else { return }
            fail(
                number,
                ControlError(.internal, "the node answered something else", hint: "report this with the node's log"))
        }
    }

    /// As many of the entries as there are bytes for in a line.
    private static func fitting<Entry: Encodable>(
        _ entries: [Entry], in bytes: Int = Bounds.controlList
    ) -> (entries: [Entry], isCut: Bool) {
        var room = bytes
        for (at, entry) in entries.enumerated() {
            room -= ((try? ControlLine.byteCount(of: entry)) ?? room) + 1
            if room < 0 { return (Array(entries[..<at]), true) }
        }
        return (entries, false)
    }

    // MARK: Lines out

    private func answer(_ number: UInt64, _ result: some Encodable) {
        guard let id = awaited.removeValue(forKey: number), !isEnded else { return }
        if let id {
            guard let line = try? ControlLine.result(result, id: id) else {
                return fail(id, ControlError(.internal, "the answer cannot be written", hint: "report this"))
            }
            send(line)
        }
        readLines()
    }

    private func fail(_ number: UInt64, _ error: ControlError) {
        guard let id = awaited.removeValue(forKey: number), !isEnded else { return }
        if let id { fail(id, error) }
        readLines()
    }

    private func fail(_ id: RequestID, _ error: ControlError) {
        if let line = try? ControlLine.failure(error, id: id) { send(line) }
    }

    func notify(_ notification: ControlNotification) {
        guard !isEnded, let line = try? ControlLine.notification(notification) else { return }
        send(line)
    }

    private func send(_ line: [UInt8]) {
        guard !isEnded else { return }
        guard stream.queuedBytes + line.count <= Bounds.controlQueue else {
            let notice = DroppedNotice(
                reason: "\(Bounds.controlQueue) bytes wait to be read; connect again, and read faster")
            if let last = try? ControlLine.notification(.dropped(notice)) { stream.send(last) }
            return leave()
        }
        stream.send(line)
    }

    func drained(_ stream: ByteStream) {
        if isPageLeaving, case .catchingUp(let last) = inbox {
            isPageLeaving = false
            catchUp(last)
        }
        readLines()
    }

    // MARK: The inbox as it fills

    func deliver(_ message: InboxMessage) {
        switch inbox {
        case .none, .catchingUp: break
        case .live(let last):
            guard message.sequence > last else { return }
            inbox = .live(message.sequence)
            notify(.message(InboxEntry(message)))
        }
    }

    private func catchUp(_ after: UInt64) {
        let limit = ControlMethod.defaultPage
        socket.driver.submit(.inbox(after: after, limit: limit)) { [weak self] reply in
            guard let self, !isEnded, case .inbox(let messages) = reply else { return }
            var last = after
            for message in messages {
                last = message.sequence
                notify(.message(InboxEntry(message)))
                if isEnded { return }
            }
            // Observations of later turns come after this reply: nothing falls between the last page and them.
            if messages.count < limit {
                inbox = .live(last)
            } else {
                inbox = .catchingUp(last)
                // The next page waits until this one has left.
                if stream.queuedBytes == 0 { catchUp(last) } else { isPageLeaving = true }
            }
        }
    }

    // MARK: Ending

    func ended(_ stream: ByteStream, because cause: UVError) {
        isEnded = true
        socket.forget(self)
    }

    /// The node ends: what was asked and not answered will not be.
    func end() {
        let stopping = ControlError(.unavailable, "the node is stopping", hint: "start it, and ask again")
        for (_, id) in awaited.sorted(by: { $0.key < $1.key }) {
            if let id { fail(id, stopping) }
        }
        isEnded = true
        stream.close(awaitsEnd: false)
    }

    private func leave() {
        isEnded = true
        stream.close(awaitsEnd: false, within: Bounds.dropTimeout)
        socket.forget(self)
    }
}
