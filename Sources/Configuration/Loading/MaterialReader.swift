internal import SocketIO
internal import TLS

/// Reads the files under `authorities` and `client_certificates`.
struct MaterialReader {
    private(set) var authorities: [String: TrustAnchors] = [:]
    private(set) var certificates: [String: LentCertificate] = [:]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []

    mutating func readAuthorities(_ name: String, _ reference: FileReference) {
        if let file = file(reference) { authorities[name] = anchors(in: file, reference) }
    }

    mutating func readCertificate(_ files: ClientCertificateFiles) {
        let certificate = file(files.certificate)
        let key = file(files.key)
        if key?.isWorldReadable == true { warnings.append(FileWarning.worldReadable(files.key)) }
        guard let certificate, let key else { return }
        // A file without a certificate is told from a key that does not fit: the message names the right file.
        guard anchors(in: certificate, files.certificate) != nil else { return }
        do throws(TLSMaterialError) {
            let read = try ClientCertificate(certificatePEM: certificate.bytes, keyPEM: key.bytes)
            certificates[files.name] = LentCertificate(certificate: read, targets: files.targets)
        } catch {
            problems.append(files.key.problem(ValueRefusal(error.reason)))
        }
    }

    /// `https`: the certificate with its key, and whose certificates clients have to show.
    mutating func readHTTPS(_ draft: SettingsDraft) -> ServerContext? {
        let stated = [draft.httpsCertificate, draft.httpsKey, draft.httpsClientAuthorities].compactMap(\.self)
        guard let first = stated.first else { return nil }
        guard let certificate = draft.httpsCertificate, let key = draft.httpsKey else {
            problems.append(
                ConfigurationProblem(first.source, path: "https", reason: "requires both certificate and key"))
            return nil
        }
        let before = problems.count
        let authorities = draft.httpsClientAuthorities.flatMap { reference in
            file(reference).flatMap { anchors(in: $0, reference) }
        }
        readCertificate(ClientCertificateFiles(name: "https", certificate: certificate, key: key, targets: nil))
        guard problems.count == before, let pair = certificates["https"] else { return nil }
        warnings += Self.datesToMind(of: pair.certificate, certificate)
        do throws(TLSMaterialError) {
            return try ServerContext(certificate: pair.certificate, clientAuthorities: authorities)
        } catch {
            problems.append(certificate.problem(ValueRefusal(error.reason)))
            return nil
        }
    }

    private static let warningDays: Int64 = 14

    /// A certificate that is out of date keeps nothing from starting: what else the service does goes on.
    private static func datesToMind(of certificate: ClientCertificate, _ reference: FileReference) -> [String] {
        guard let (begin, end) = certificate.validity else { return [] }
        let now = Clock.wallNanoseconds() / 1_000_000_000
        let file = "\(reference.key): \(Quote.file(reference.path)) has a certificate that"
        let days = (end - now) / 86_400
        if end <= now { return ["\(file) expired \(-days) days ago: clients reject it"] }
        if begin > now { return ["\(file) is not valid yet: clients reject it"] }
        return days < warningDays ? ["\(file) expires in \(days) days"] : []
    }

    private mutating func anchors(in file: BoundedFile, _ reference: FileReference) -> TrustAnchors? {
        do throws(TLSMaterialError) {
            return try TrustAnchors(pem: file.bytes)
        } catch {
            problems.append(reference.problem(ValueRefusal(error.reason)))
            return nil
        }
    }

    private mutating func file(_ reference: FileReference) -> BoundedFile? {
        do throws(ValueRefusal) {
            return try BoundedFile(path: reference.path)
        } catch {
            problems.append(reference.problem(error))
            return nil
        }
    }
}
