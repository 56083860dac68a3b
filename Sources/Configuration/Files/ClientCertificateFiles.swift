internal import CheckModel

/// One entry of `client_certificates` before its files are read.
struct ClientCertificateFiles {
    let name: String
    let certificate: FileReference
    let key: FileReference
    /// nil: every target.
    let targets: [TargetPattern]?
}
