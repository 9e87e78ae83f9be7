import CoveyCore
import CoveyCrypto

/// This program beside the release that an invitation names (protocol.md §1.6). The invitation came in person, and names the
/// log entry of the release by its hash: a log file that came any other way can be believed in that one entry.
struct ProgramCheck: Encodable {
    /// SHA-256 of this program.
    let hash: String
    /// The version that the invitation names, where a file says which that is.
    let release: String?
    /// Nil where nobody can say.
    let isListed: Bool?
    private let isNamed: Bool

    private enum CodingKeys: String, CodingKey { case hash, release, isListed }

    init(_ invitation: Invitation, release path: String?) throws {
        let own = Build.hash
        hash = own.hex
        isNamed = invitation.manifest != nil
        guard let path else {
            (release, isListed) = (nil, nil)
            return
        }
        guard let named = invitation.manifest else {
            throw Complaint(.usage, "the invitation names no release; leave out --release")
        }
        let objects = try Complaint.about(path) { try CoveyFile(at: path).log(of: invitation.mesh) }
        guard let object = objects.first(where: { LogEntry.id(of: $0).array == named.array }),
            case .releaseManifest(let manifest) = try LogEntry(parsing: object, mesh: invitation.mesh).payload
        else {
            throw Complaint(
                .failed,
                "\(path) does not hold the release that the invitation names; ask for a newer log file: covey authority log -o FILE.log"
            )
        }
        release = manifest.version
        isListed = manifest.artefacts.contains { $0.sha256 == own }
    }

    var text: String {
        let program = "this program has SHA-256 \(hash)"
        guard let release, let isListed else {
            return isNamed ? program + ": the authority sees whether the newest release lists it" : program
        }
        return "\(program): \(isListed ? "" : "not ")of release \(Output.harmless(release)), which the invitation names"
    }

    /// Of an honest program that is not the one that was meant; one that lies would not say it.
    var warning: String? {
        guard isListed == false, let release else { return nil }
        return
            "this program is not of release \(Output.harmless(release)), which the invitation names; unless you built it yourself, enrol with one that is"
    }
}
