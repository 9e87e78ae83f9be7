import ArgumentParser
import CoveyCore
import CoveyCrypto
import CoveyNode
import CoveyStore

struct InstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Become a member, with the welcome that the authority made.")

    @Argument(help: "The welcome: its file, or images of its codes.")
    var welcome: [String]

    @OptionGroup var node: NodeOptions
    @OptionGroup var answer: OutputOptions

    struct Installed: Answer {
        let device: String
        let label: String
        let mesh: String
        let meshName: String
        let expires: String
        /// Whether the organisation may order it to lock or erase itself.
        let orgOwned: Bool
        let home: String

        var text: String {
            """
            this device is \(label) (\(LogText.short(device))) of the mesh \(meshName) (\(LogText.short(mesh))) until \(expires)\(orgOwned ? "\n" + Consent.reminder : "")
            the welcome is of no more use; next: covey run --home \(home.word)
            """
        }
    }

    func run() throws {
        let path = try node.load().home
        try ProfileCheck.canRun(path)
        guard Disk.exists(path) else { throw Self.nothingWaits(path) }
        // Images are read before keys are.
        let file = try CoveyFile(at: welcome)
        let home = try HomeDirectory(path)
        guard let pending = try PendingFile(in: home).read() else { throw Self.nothingWaits(path) }
        let content = try Complaint.about(welcome[0]) { try file.content(.welcome, of: pending.invitation.mesh) }
        try Self.install(content: content, pending, in: home).show(asJSON: answer.json)
    }

    /// Judges a welcome, and makes this device a member with it.
    static func install(content: [UInt8], _ pending: PendingEnrolment, in home: HomeDirectory) throws -> Installed {
        let opened = try Welcome(opening: content, of: pending)
        let membership = try opened.membership(of: pending)
        guard let certificate = membership.currentCertificate(pending.identity.id) else {
            throw WelcomeRefusal.notEnrolled
        }
        let isOrgOwned = certificate.capabilities.contains(.orgOwned)
        guard !isOrgOwned || pending.request.agreesToOrders else {
            throw Complaint(
                .failed,
                "the certificate lets the organisation lock and erase this device, which nobody here agreed to; ask the authority for one without org-owned"
            )
        }
        try install(opened, pending, in: home)
        return Installed(
            device: certificate.device.hex, label: certificate.label, mesh: membership.mesh.hex,
            meshName: opened.genesis.name, expires: CalendarText.utc(certificate.notAfter), orgOwned: isOrgOwned,
            home: home.path)
    }

    private static func nothingWaits(_ home: String) -> Complaint {
        Complaint(
            .failed,
            "no request waits in \(home); make one first: covey device request INVITE -o FILE --home \(home.word)")
    }

    /// What was cut off by a crash is done again from the start: the request and its keys are removed last.
    private static func install(_ welcome: Welcome, _ pending: PendingEnrolment, in home: HomeDirectory) throws {
        let random = SystemRandom()
        let file = DeviceKeyFile(home.deviceKey)
        let keys: DeviceKeys
        if Disk.exists(home.deviceKey) {
            keys = try file.read()
            guard keys.device == pending.identity.id else { throw DeviceKeyFile.Failure.exists(home.deviceKey) }
        } else {
            let identity = pending.identity
            keys = DeviceKeys(
                mesh: identity.mesh, master: SymmetricKey(from: random), signing: identity.signing,
                link: identity.link, message: identity.message)
            try file.write(keys, from: random)
        }
        try Disk.replace(home.mesh, welcome.genesis.signed.bytes)
        let store = try DiskStore(in: home, key: keys.master)
        try Installation.write(welcome, to: store)
        if let batch = store.takeBatch() {
            try batch.write()
            store.finished(batch)
        }
        try PendingFile(in: home).remove()
    }
}
