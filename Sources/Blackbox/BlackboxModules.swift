package import Configuration
internal import ConnectAPI
package import TLS

/// The modules of `/probe` by name.
package struct BlackboxModules: Sendable {
    let modules: [String: ProbeModule]
    /// The probers of the skipped modules, by module name.
    let skipped: [String: String]

    /// Whether there is no modules file, so that the built-in modules apply.
    let isBuiltIn: Bool

    package init(_ file: ModulesFile = ModulesFile()) {
        isBuiltIn = file.isBuiltIn
        modules = file.modules
        skipped = file.skipped
    }

    /// The TLS material of the modules, in addition to the entries of the configuration.
    package var authorities: [String: TrustAnchors] { material(\.authorities) }
    package var certificates: [String: ClientCertificate] { material(\.certificate) }

    private func material<Value>(_ part: KeyPath<ModuleTLS, Value?>) -> [String: Value] {
        var entries: [String: Value] = [:]
        for module in modules.values { entries[Self.entryName(of: module)] = module.tls[keyPath: part] }
        return entries
    }

    /// The name of a module's own CA and certificate. Configured names have no colon, and requests cannot use this one.
    static func entryName(of module: ProbeModule) -> String { RequestPermissions.reservedPrefix + module.name }

    // MARK: Unknown modules

    private static let mostNames = 20

    /// Why a module is unknown, and what to write instead.
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

    /// The sorted names, shortened if there are many.
    private var names: String {
        let shown = modules.keys.sorted().prefix(Self.mostNames).map { BlackboxResource.shown($0, isPlain: true) }
        let rest = modules.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    /// A CA name that never exists, for modules with a defect in `tls_config`.
    static let unusable = "unusable tls_config"
}
