import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyUV

struct NearbyOptions: ParsableArguments {
    @Flag(help: "Wait on this network for the device, and enrol it over one connection.")
    var nearby = false

    @Option(help: "With --nearby: the address to wait at; port 0 lets the system choose.")
    var listen: String?

    @Option(
        name: .customLong("interface"), help: "With --nearby: a network interface to be found on; may be given again.")
    var interfaces: [String] = []

    @Option(help: "With --nearby: minutes to wait for the device, at most 60.")
    var wait: Int?

    @Flag(help: "With --nearby: enrol without asking whether both sides show the same digits.")
    var yes = false

    static let port: UInt16 = 26118

    /// Where to wait, and for how many minutes; nil without --nearby.
    func place() throws -> (address: SocketAddress, minutes: Int)? {
        guard nearby else {
            guard listen == nil, wait == nil, !yes, interfaces.isEmpty else {
                throw Complaint(
                    .usage, "--listen, --interface, --wait and --yes say how --nearby waits; give --nearby, too")
            }
            return nil
        }
        let minutes = wait ?? 10
        guard (1...60).contains(minutes) else { throw Complaint(.usage, "--wait is \(minutes); it takes 1 to 60") }
        let text = listen ?? "0.0.0.0:\(Self.port)"
        guard let at = Configuration.HostPort(text), let address = SocketAddress(numericHost: at.host, port: at.port)
        else {
            throw Complaint(.usage, "--listen is \"\(text)\"; it takes an address with a port, such as 192.0.2.9:26118")
        }
        return (address, minutes)
    }
}

/// The desk of an authority that waits for one device on the network (protocol.md §1.6 step 4).
///
/// Whoever does not hold the invitation gets not one byte. The directory is open, and its keys are in memory, only
/// while the request is judged and signed.
struct NearbyDesk {
    enum Bounds {
        /// Milliseconds that a caller has for its call.
        static let call: UInt64 = 3_000
        /// Milliseconds that a device has to take its welcome and install it.
        static let install: UInt64 = 60_000
        /// Milliseconds that the officer has to compare the digits.
        static let answer: Int32 = 300_000
        /// Searches that are answered; more than a device makes.
        static let searches = 256
        /// Callers without the invitation; after them the desk closes.
        static let strangers = 100
    }

    private let loop: Loop
    private let listener: ExchangeListener
    private let minutes: Int
    private let interfaces: [String]

    init(at place: (address: SocketAddress, minutes: Int), interfaces: [String]) throws {
        self.interfaces = interfaces
        loop = try Loop()
        listener = try ExchangeListener(at: place.address, on: loop)
        minutes = place.minutes
    }

    /// Where the device is to call.
    var addresses: [String] { listener.reachable.map(\.description) }

    private struct Called: Answer {
        let label: String
        let digits: String
        let program: String
        let release: String?
        let programText: String

        private enum CodingKeys: String, CodingKey { case label, digits, program, release }

        var text: String { "\(label) calls; compare with the device: \(digits)\n\(programText)" }
    }

    struct Enrolled: Answer {
        let label: String
        let device: String
        let digits: String
        let expires: String
        let installed: Bool
        let handed: HandOver.Outcome

        var text: String {
            """
            enrolled \(label) (\(LogText.short(device))) until \(expires)
            \(installed ? "the device has its welcome, and is a member" : "the device did not say that it has its welcome")
            \(handed.text)
            """
        }
    }

    func serve(
        _ invitation: OpenInvitation, replacing replaced: String?, knowing known: Membership,
        authority: AuthorityOptions, hand: HandOver, log: String, asks: Bool, json: Bool
    ) throws {
        defer { listener.close() }
        let talk = answerSearches(for: invitation.invitation)
        defer { talk.close() }
        let again = Self.again(invitation.invitation.label, replacing: replaced, hand, authority)
        let (exchange, desk) = try caller(with: invitation, again: again)
        defer { exchange.close() }
        let (label, digits) = (invitation.invitation.label, desk.request.shortString)
        let program = AskingProgram(desk.request, in: known)
        try Called(
            label: label, digits: digits, program: program.hash.hex, release: program.release,
            programText: program.text
        ).show(asJSON: json)
        guard !asks || Confirmation.isGiven("does \(label)'s device show the same digits?", within: Bounds.answer)
        else {
            try authority.open().discard(invitation.id)
            exchange.send(desk.refusal)
            exchange.finish()
            throw Complaint(
                .failed, "refused, and the invitation of \(label) is withdrawn; invite again when you know who called")
        }
        let directory = try authority.open()
        let enrolment: Enrolment
        let isSpent: Bool
        do {
            try hand.update(directory)
            // Kept before anything is signed: if the connection breaks, this device may come again, and no other one.
            guard var open = try directory.invitation(invitation.id),
                open.claim(try open.verify(desk.request, now: CalendarText.now).deviceHash.deviceID) != nil
            else {
                throw Complaint(
                    .failed, "the invitation of \(label) was used for another device, or was withdrawn; make a new one")
            }
            try directory.keep(open)
            isSpent = open.isSpent
            let device = desk.request.deviceHash(in: directory.book.mesh).deviceID
            // Once it is enrolled, the label may be its own.
            let isEnrolled = directory.book.membership.currentCertificate(device) != nil
            let old = try isEnrolled ? nil : replaced.map { try directory.book.device(named: $0).id }
            let grant = Grant(capabilities: Grant.member, supersedes: old)
            enrolment = try Enrolment.sign(
                desk.request, grant, in: directory, random: SystemRandom(), now: CalendarText.now)
        } catch {
            exchange.send(desk.refusal)
            exchange.finish()
            throw error
        }
        exchange.send(desk.answer(welcome: enrolment.welcome))
        let done = exchange.read(NearbyEnrolment.doneSize, within: Bounds.install)
        let isInstalled = done.map(desk.isDone) ?? false
        if isInstalled, isSpent { try directory.discard(invitation.id) }
        let handed = try hand.over(enrolment, of: directory, file: log)
        try Enrolled(
            label: label, device: enrolment.certificate.device.hex, digits: digits,
            expires: CalendarText.utc(enrolment.certificate.notAfter), installed: isInstalled, handed: handed
        ).show(asJSON: json)
        if let complaint = handed.complaint { throw complaint }
        guard isInstalled else {
            throw Complaint(
                .tryAgain,
                "the device went away before it said that it has its welcome; its invitation stays open for it: wait once more with: \(again)"
            )
        }
    }

    /// Tells where this desk waits to whoever asks with the invitation's secret, each question once.
    private func answerSearches(for invitation: Invitation) -> GroupTalk {
        let talk = GroupTalk(port: NearbyOptions.port, interfaces: interfaces, on: loop)
        let search = NearbySearch(invitation)
        let at = listener.address
        let random = SystemRandom()
        var seen: Set<[UInt8]> = []
        talk.heard = { [unowned talk] bytes, from in
            guard let at, from.isV4 == at.isV4, seen.count < Bounds.searches, search.isProbe(bytes),
                seen.insert(bytes).inserted
            else { return }
            talk.send(search.answer(to: bytes, port: at.port, random: random))
        }
        return talk
    }

    /// The command that waits for the same device once more.
    private static func again(
        _ label: String, replacing replaced: String?, _ hand: HandOver, _ authority: AuthorityOptions
    ) -> String {
        let options = [("--replaces", replaced), ("--node", hand.node), ("--authority", authority.directory)]
        return "covey authority invite \(label.word) --nearby"
            + options.map { name, value in value.map { " \(name) \($0.word)" } ?? "" }.joined()
    }

    /// The first caller that holds the invitation.
    private func caller(with invitation: OpenInvitation, again: String) throws -> (Exchange, NearbyEnrolment.Desk) {
        let end = ContinuousClock.now + .seconds(minutes * 60)
        var strangers = 0
        while true {
            let left = (end - ContinuousClock.now).components.seconds
            guard left > 0, let exchange = try listener.next(within: UInt64(left) * 1000) else {
                throw Complaint(
                    .tryAgain,
                    "nobody with the invitation called within \(minutes) minutes; it stays open: wait once more with: \(again)"
                )
            }
            if let call = exchange.read(NearbyEnrolment.callSize, within: Bounds.call),
                let desk = NearbyEnrolment.Desk(taking: call, of: invitation)
            {
                return (exchange, desk)
            }
            exchange.close()
            strangers += 1
            guard strangers < Bounds.strangers else {
                throw Complaint(
                    .failed,
                    "\(strangers) callers did not hold the invitation; something on this network tries: enrol by files or codes"
                )
            }
        }
    }
}
