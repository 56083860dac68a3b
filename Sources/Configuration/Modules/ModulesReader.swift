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
        if entry.value.isEmpty {
            skipped[entry.key.text] = "\"\""
            return
        }
        guard case .mapping(let entries) = entry.value.content else {
            _ = keys(of: entry.value, below: path, known: [])
            return
        }
        let word = entries.first { $0.key.text == "prober" && !$0.value.isEmpty }
        var prober = ""
        if let word {
            guard let text = text(word.value, path: "\(path).prober") else { return }
            prober = text
        }
        if let known = ProbeModule.Prober(rawValue: prober) {
            let module = readModule(entry, as: known, path: path)
            modules[entry.key.text] = module
            return
        }
        // blackbox_exporter loads a module of any prober, and a probe with it fails.
        requireUniqueKeys(entry.value, path: path)
        _ = keys(of: entry.value, below: path, known: Self.moduleKeys + [prober])
        skipped[entry.key.text] = prober.isEmpty ? "\"\"" : prober
        if !Self.otherProbers.contains(prober) {
            let words = ProbeModule.Prober.allCases.map(\.rawValue) + Self.otherProbers
            let suggestion = Suggestion.phrase(for: prober, among: words)
            warn(
                prober.isEmpty
                    ? "has no prober; write prober: tcp or prober: unix"
                    : "\(Quote.value(prober)) is not a prober of blackbox_exporter\(suggestion)",
                at: word?.value.position ?? entry.position, path: word == nil ? path : "\(path).prober")
        }
    }

    /// Reports keys that are there twice below a node, although connectd does not read what they hold.
    private mutating func requireUniqueKeys(_ node: YAMLNode, path: String, isNested: Bool = false) {
        switch node.content {
        case .mapping(let all):
            let unique = isNested ? entries(of: node, path: path) : all.map { ($0, "\(path).\($0.key.text)") }
            for (entry, path) in unique { requireUniqueKeys(entry.value, path: path, isNested: true) }
        case .sequence(let items):
            for (index, item) in items.enumerated() {
                requireUniqueKeys(item, path: "\(path)[\(index)]", isNested: true)
            }
        case .scalar, .refused: return
        }
    }

    /// A warning with its place, in the form of a problem.
    mutating func warn(_ reason: String, at position: TextPosition, path: String) {
        warnings.append(ConfigurationProblem(.file(document.file, position), path: path, reason: reason).description)
    }

    private mutating func readModule(_ entry: YAMLEntry, as prober: ProbeModule.Prober, path: String) -> ProbeModule {
        var module = ProbeModule(name: entry.key.text, prober: prober)
        for (entry, path) in keys(of: entry.value, below: path, known: Self.moduleKeys) {
            switch entry.key.text {
            case "timeout" where !entry.value.isEmpty:
                // A negative timeout is none to blackbox_exporter.
                module.timeoutNanoseconds = max(duration(entry.value, path: path) ?? 0, 0)
                if case .scalar(let scalar) = entry.value.content { module.timeoutText = scalar.text }
            case prober.rawValue where !entry.value.isEmpty:
                readProbe(entry.value, path: path, into: &module)
            case _: requireUniqueKeys(entry.value, path: path, isNested: true)
            }
        }
        return module
    }

    private mutating func duration(_ node: YAMLNode, path: String) -> Int64? {
        if case .scalar(let scalar) = node.content, scalar.isPlain, scalar.tag == nil, scalar.kind != .string {
            document.report(
                "must be a duration with its unit, such as 5s, got \(node.words)", at: node.position, path: path)
            return nil
        }
        return parsed(node, path: path, GoDuration.nanoseconds)
    }

    private static let unixKeys = ["query_response", "tls", "tls_config"]
    private static let tcpKeys = ["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address"] + unixKeys

    private mutating func readProbe(_ node: YAMLNode, path: String, into module: inout ProbeModule) {
        let known = module.prober == .tcp ? Self.tcpKeys : Self.unixKeys
        for (entry, path) in keys(of: node, below: path, known: known) where !entry.value.isEmpty {
            switch entry.key.text {
            case "preferred_ip_protocol":
                module.preferredFamily = family(entry.value, path: path)
            case "ip_protocol_fallback":
                module.mayFallBack = boolean(entry.value, path: path) ?? module.mayFallBack
            case "source_ip_address":
                readSourceAddress(entry.value, path: path, into: &module)
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

    /// blackbox_exporter takes any word but `ip6` for `ip4`, and nothing at all for `ip6`.
    private mutating func family(_ node: YAMLNode, path: String) -> AddressFamily {
        switch text(node, path: path) {
        case nil, "", "ip6": return .ipv6
        case "ip4": return .ipv4
        case let word?:
            warn(
                "\(Quote.value(word)) is neither ip4 nor ip6, and means ip4 as in blackbox_exporter", at: node.position,
                path: path)
            return .ipv4
        }
    }

    private mutating func readSourceAddress(_ node: YAMLNode, path: String, into module: inout ProbeModule) {
        guard let text = text(node, path: path), !text.isEmpty else { return }
        module.sourceAddress = IPAddress(parsing: text)
        guard module.sourceAddress == nil else { return }
        let defect = "\(Quote.value(text)) is not an IP address"
        module.sourceDefect = "source_ip_address \(defect)"
        warn("\(defect); every probe with this module fails", at: node.position, path: path)
    }
}
