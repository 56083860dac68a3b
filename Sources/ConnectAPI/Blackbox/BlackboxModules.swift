internal import CheckModel
package import Configuration
package import TLSClient

/// The modules that `/probe` knows, by their names.
package struct BlackboxModules: Sendable {
    let modules: [String: ProbeModule]
    /// The probers of those that were left out.
    let skipped: [String: String]

    package init(_ file: ModulesFile = ModulesFile()) {
        modules = file.modules
        skipped = file.skipped
    }

    /// What handshakes of the modules use, to be lent beside the entries of the configuration itself.
    package var authorities: [String: TrustAnchors] { material(\.authorities) }
    package var certificates: [String: ClientCertificate] { material(\.certificate) }

    private func material<Value>(_ part: KeyPath<ModuleTLS, Value?>) -> [String: Value] {
        var entries: [String: Value] = [:]
        for module in modules.values { entries[Self.entryName(of: module)] = module.tls[keyPath: part] }
        return entries
    }

    /// The name under which a module's own authorities and certificate are lent. No entry of the configuration has a colon
    /// in its name, and no request may name one that has.
    static func entryName(of module: ProbeModule) -> String { privatePrefix + module.name }

    static let privatePrefix = "module:"

    /// The name of authorities that do not exist, for modules whose `tls_config` has a defect.
    static let unusable = "unusable tls_config"
}
