internal import CheckModel

/// Reads the tree of a modules file.
///
/// As blackbox_exporter it takes a plain word for the text that it is, also where YAML sees a number in it.
struct ModulesReader {
    var document: DocumentReader
    private(set) var modules: [String: ProbeModule] = [:]
    private(set) var skipped: [String: String] = [:]
    var warnings: [String] = []

    /// Probers of blackbox_exporter, and their sections, which any of its modules may have.
    private static let otherProbers = ["http", "icmp", "dns", "grpc", "websocket"]
    private static let moduleKeys = ["prober", "timeout", "tcp", "unix"] + otherProbers

    init(file: String) {
        document = DocumentReader(SettingWriter(), file: file)
    }

    mutating func read(_ root: YAMLNode) {
        if case .scalar(let scalar) = root.content, scalar.kind == .null { return }
        for (entry, path) in keys(of: root, below: "", known: ["modules"]) {
            if entry.value.isEmpty { continue }
            for (module, modulePath) in entries(of: entry.value, path: path) {
                readModule(module, path: modulePath)
            }
        }
    }

    private mutating func readModule(_ entry: YAMLEntry, path: String) {
        guard case .mapping(let entries) = entry.value.content else {
            _ = keys(of: entry.value, below: path, known: [])
            return
        }
        guard let word = entries.first(where: { $0.key.text == "prober" }) else {
            document.report("lacks the key \"prober\"", at: entry.position, path: path)
            return
        }
        guard let prober = text(word.value, path: "\(path).prober") else { return }
        if Self.otherProbers.contains(prober) {
            skipped[entry.key.text] = prober
        } else if let known = ProbeModule.Prober(rawValue: prober) {
            let module = readModule(entry, as: known, path: path)
            modules[entry.key.text] = module
        } else {
            let words = ProbeModule.Prober.allCases.map(\.rawValue) + Self.otherProbers
            document.report(
                ValueRefusal.noneOf(words).about(prober), at: word.value.position, path: "\(path).prober")
        }
    }

    private mutating func readModule(_ entry: YAMLEntry, as prober: ProbeModule.Prober, path: String) -> ProbeModule {
        var module = ProbeModule(name: entry.key.text, prober: prober)
        for (entry, path) in keys(of: entry.value, below: path, known: Self.moduleKeys) {
            switch entry.key.text {
            case "timeout":
                module.timeoutText = text(entry.value, path: path)
                module.timeoutNanoseconds = parsed(entry.value, path: path, GoDuration.nanoseconds) ?? 0
            case prober.rawValue where !entry.value.isEmpty:
                readProbe(entry.value, path: path, into: &module)
            case _: continue
            }
        }
        return module
    }

    private static let unixKeys = ["query_response", "tls", "tls_config"]
    private static let tcpKeys = ["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address"] + unixKeys

    private mutating func readProbe(_ node: YAMLNode, path: String, into module: inout ProbeModule) {
        let known = module.prober == .tcp ? Self.tcpKeys : Self.unixKeys
        for (entry, path) in keys(of: node, below: path, known: known) where !entry.value.isEmpty {
            switch entry.key.text {
            case "preferred_ip_protocol":
                module.preferredFamily = parsed(entry.value, path: path, Self.family) ?? module.preferredFamily
            case "ip_protocol_fallback":
                module.mayFallBack = boolean(entry.value, path: path) ?? module.mayFallBack
            case "source_ip_address":
                module.sourceAddress = parsed(entry.value, path: path, Self.address)
            case "query_response":
                module.queryResponse = queryResponse(entry.value, path: path)
            case "tls":
                module.usesTLS = boolean(entry.value, path: path) ?? false
            case _:
                module.tls = tls(entry.value, path: path)
            }
        }
        compile(&module, at: node, path: path)
    }

    private static func family(_ text: String) throws(ValueRefusal) -> AddressFamily {
        switch text {
        case "ip4": .ipv4
        case "ip6": .ipv6
        case _: throw .noneOf(["ip4", "ip6"])
        }
    }

    private static func address(_ text: String) throws(ValueRefusal) -> IPAddress {
        guard let address = IPAddress(parsing: text) else { throw ValueRefusal("is no IP address") }
        return address
    }
}
