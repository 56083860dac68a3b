/// The keys that are mappings from names of the user's choice; requests use the names.
enum EntryKind: Sendable {
    case md5Keys, authorities, clientCertificates

    /// The keys of one entry.
    var keys: [String] {
        switch self {
        case .md5Keys, .authorities: ["file"]
        case .clientCertificates: ["certificate", "key", "targets"]
        }
    }

    /// What one entry is, for the documentation.
    var words: String {
        switch self {
        case .md5Keys, .authorities: "`{file: …}`"
        case .clientCertificates: "`{certificate: …, key: …, targets: […]}`"
        }
    }
}
