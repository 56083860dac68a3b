internal import CheckModel
internal import TLSClient

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
