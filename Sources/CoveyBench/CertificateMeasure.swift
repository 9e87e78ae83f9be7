import CoveyCore
import CoveyCrypto

/// How many certificates an admission judges in a second, on one core.
///
/// A device of the log costs a lookup: its entry vouches for it. One that is in no log yet costs the signature of its
/// issuer, whose own certificate the log holds; that is the measure `cert_verify`.
func measureCertificates() throws {
    let random = SystemRandom()
    let now = Minute(wall: 1_767_225_600_000_000)
    let founding = try Founding.found(name: "Bench", profile: .standard, random: random, now: now)
    let membership = founding.membership()
    let device = DeviceIdentity(mesh: founding.mesh, random: random)
    let content = DeviceCertificate.Content(
        serial: 1, issuer: founding.field.authority, signing: device.signing.publicKey, link: device.link.publicKey,
        message: device.message.publicKey, subject: SubjectID.random(from: random), notBefore: now,
        notAfter: now.adding(60 * 24 * 300), capabilities: [.link, .send], label: "bench")
    let certificate = try DeviceCertificate.make(content, mesh: founding.mesh, keys: founding.field.current.keys)
    let time = TimeView(now: now, isTrusted: true, floor: now)

    var report = Report("cert_verify")
    let microseconds = Stopwatch.microseconds {
        let admission = membership.admit(
            certificate: certificate.signed, chain: .certificates([]), linkKey: device.link.publicKey,
            own: DeviceID(), time: time)
        guard case .catchUp = admission else { preconditionFailure("the certificate is sound, and in no log") }
    }
    report.set("per_s", 1_000_000 / microseconds, digits: 0)
    report.set("us", microseconds, digits: 2)
    report.print()
}
