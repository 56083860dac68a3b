package import Configuration
import ConnectAPI
package import TLS

/// The modules that `/probe` knows, by their names.
package struct BlackboxModules: Sendable {
    let modules: [String: ProbeModule]
    /// The probers of those that were left out.
    let skipped: [String: String]

    /// Whether there is no modules file, and the modules are those that are built in.
    let isBuiltIn: Bool

    package init(_ file: ModulesFile = ModulesFile()) {
        isBuiltIn = file.isBuiltIn
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
    static func entryName(of module: ProbeModule) -> String { RequestPermissions.reservedPrefix + module.name }

    // MARK: Unknown modules

    private static let mostNames = 20

    /// What a request for a module that is not here has done wrong, and what to write instead.
    /// - Parameter isDefault: whether the request named no module.
    func refusal(of name: String, isDefault: Bool) -> String {
        var sentences = ["Unknown module \(BlackboxResource.shown(name))"]
        if let prober = skipped[name] {
            sentences[0] += ": its prober is \(prober), and connectd has tcp and unix only"
        } else if isDefault {
            sentences[0] += ", the default of requests without one"
        }
        if isBuiltIn {
            sentences += [
                "No modules_file is configured; built in are \(names)",
                "Name one of these (module=tcp_connect), or write your own modules to a file in the format of"
                    + " blackbox_exporter and name it in the configuration: modules_file: /etc/connectd/blackbox.yml"
                    + " (or CONNECTD_MODULES_FILE)",
            ]
        } else if modules.isEmpty {
            sentences.append("The file that modules_file names has no modules of the probers tcp and unix")
        } else {
            sentences += [
                "The file that modules_file names has: \(names)",
                "Name one of these (module=…), or add the module to the file and reload",
            ]
        }
        return sentences.joined(separator: ". ")
    }

    /// The names in order, the first ones of many.
    private var names: String {
        let shown = modules.keys.sorted().prefix(Self.mostNames).map { BlackboxResource.shown($0, isPlain: true) }
        let rest = modules.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    /// The name of authorities that do not exist, for modules whose `tls_config` has a defect.
    static let unusable = "unusable tls_config"
}
