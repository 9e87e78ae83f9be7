import CoveyCore
import CoveyCrypto
import CoveyUV

/// A device calls the desk that waits for it, and gets its welcome over the same connection.
struct NearbyCall {
    enum Bounds {
        static let dial: UInt64 = 10_000
        /// Milliseconds until the officer has compared the digits: longer than the desk takes for that.
        static let verdict: UInt64 = 330_000
        static let welcome: UInt64 = 60_000
        /// Probes, one a second, before a search is given up.
        static let probes = 30
    }

    /// Where the desk is.
    enum Place {
        case at(Configuration.HostPort)
        /// On the network of these interfaces; of all when none is named.
        case somewhere(interfaces: [String])
    }

    private let name: String
    private let exchange: Exchange
    private let device: NearbyEnrolment.Device

    init(_ pending: PendingEnrolment, to place: Place, random: any RandomSource) throws {
        do {
            device = try NearbyEnrolment.Device(pending, random: random)
        } catch {
            throw Complaint(.failed, "the invitation holds a key that must not be used; ask for a new one")
        }
        let loop = try Loop()
        switch place {
        case .at(let at):
            name = "\(at.host):\(at.port)"
            exchange = try Exchange.dial(
                HostName(host: at.host, port: at.port), on: loop, milliseconds: Bounds.dial)
        case .somewhere(let interfaces):
            let address = try Self.find(pending.invitation, on: loop, interfaces: interfaces, random: random)
            name = address.description
            exchange = try Exchange.dial(address, on: loop, milliseconds: Bounds.dial)
        }
        exchange.send(device.call)
    }

    private static func find(
        _ invitation: Invitation, on loop: Loop, interfaces: [String], random: any RandomSource
    ) throws -> SocketAddress {
        let talk = GroupTalk(port: NearbyOptions.port, interfaces: interfaces, on: loop)
        defer { talk.close() }
        guard talk.isSomewhere else {
            throw Complaint(
                .failed, "this machine has no network with multicast; name the desk with --nearby HOST:PORT")
        }
        let search = NearbySearch(invitation)
        var probes: [[UInt8]] = []
        var found: SocketAddress?
        talk.heard = { bytes, from in
            for probe in probes {
                guard let port = search.port(in: bytes, to: probe) else { continue }
                var address = from
                address.port = port
                found = address
            }
        }
        while probes.count < Bounds.probes {
            probes.append(search.probe(random: random))
            talk.send(probes[probes.count - 1])
            try talk.listen(milliseconds: 1_000) { found != nil }
            if let found { return found }
        }
        throw Complaint(
            .tryAgain,
            "no desk that waits for this invitation was found on this network; name it with --nearby HOST:PORT")
    }

    /// The content of a welcome, not judged yet.
    func welcome() throws -> [UInt8] {
        do {
            guard let head = exchange.read(NearbyEnrolment.verdictSize, within: Bounds.verdict) else {
                throw Complaint(
                    .tryAgain,
                    "\(name) gave no answer: it does not wait for this invitation, or is busy with another caller; try again"
                )
            }
            switch try device.verdict(head) {
            case .refused:
                throw Complaint(.failed, "the authority refused the request; ask there why, and for a new invitation")
            case .welcome(let size):
                guard let sealed = exchange.read(size, within: Bounds.welcome) else {
                    throw Complaint(.tryAgain, "the connection to \(name) broke; call again")
                }
                return try device.welcome(sealed)
            }
        } catch let complaint as Complaint {
            throw complaint
        } catch {
            throw Complaint(.failed, "what \(name) answered is not from the authority of the invitation (\(error))")
        }
    }

    /// Tells the desk that the welcome is installed.
    func finish() {
        exchange.send(device.done)
        exchange.finish()
    }
}
