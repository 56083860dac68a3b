internal import NetworkTypes

/// Reads the tree of a modules file.
///
/// Like blackbox_exporter, it accepts a plain word as a string, even if YAML reads it as a number.
struct ModulesReader {
    var document: DocumentReader
    private(set) var modules: [String: ProbeModule] = [:]
    private(set) var skipped: [String: String] = [:]
    var warnings: [String] = []

    /// The other probers of blackbox_exporter; any module may have their sections.
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
        // blackbox_exporter loads a module with any prober, but its probes fail.
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

    /// Reports duplicate keys below a node, although connectd does not use their values.
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

    /// Adds a warning with its position, in the format of a problem.
    mutating func warn(_ reason: String, at position: TextPosition, path: String) {
        warnings.append(ConfigurationProblem(.file(document.file, position), path: path, reason: reason).description)
    }

    private mutating func readModule(_ entry: YAMLEntry, as prober: ProbeModule.Prober, path: String) -> ProbeModule {
        var module = ProbeModule(name: entry.key.text, prober: prober)
        for (entry, path) in keys(of: entry.value, below: path, known: Self.moduleKeys) {
            switch entry.key.text {
            case "timeout" where !entry.value.isEmpty:
                // blackbox_exporter treats a negative timeout as none.
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
                "must be a duration with a unit, such as 5s, got \(node.words)", at: node.position, path: path)
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

    /// Like blackbox_exporter, it reads any word but `ip6` as `ip4`, and an empty value as `ip6`.
    private mutating func family(_ node: YAMLNode, path: String) -> AddressFamily {
        switch text(node, path: path) {
        case nil, "", "ip6": return .ipv6
        case "ip4": return .ipv4
        case let word?:
            warn(
                "\(Quote.value(word)) is neither ip4 nor ip6, so ip4 is used, as in blackbox_exporter",
                at: node.position,
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

extension YAMLNode {
    /// Whether the value is null, as in `key:`, which counts as a missing key.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.isNull
    }
}

// The values of single nodes. Problems are reported.
extension ModulesReader {
    /// The entries of a mapping with their paths, those with a known key, each once.
    mutating func keys(of node: YAMLNode, below path: String, known: [String]) -> [(YAMLEntry, String)] {
        var found: [(YAMLEntry, String)] = []
        document.readMapping(node, path: path) { reader, entries in
            reader.forEachKey(entries, below: path, known: known) { _, entry, path in found.append((entry, path)) }
        }
        return found
    }

    /// The entries of a mapping whose keys are names.
    mutating func entries(of node: YAMLNode, path: String) -> [(YAMLEntry, String)] {
        var found: [(YAMLEntry, String)] = []
        document.readMapping(node, path: path) { reader, entries in found = reader.unique(entries, below: path) }
        return found
    }

    mutating func items(of node: YAMLNode, path: String) -> [(YAMLNode, String)] {
        // Go skips null items.
        (document.items(node, path: path) ?? []).filter { !$0.0.isEmpty }
    }

    mutating func bytes(_ node: YAMLNode, path: String) -> [UInt8]? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content, !node.isEmpty else {
                throw ValueRefusal(sentence: "must be a string, got \(node.words)")
            }
            return try scalar.goBytes()
        }
    }

    mutating func text(_ node: YAMLNode, path: String) -> String? {
        guard let bytes = bytes(node, path: path) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            document.report("must be valid UTF-8", at: node.position, path: path)
            return nil
        }
        return text
    }

    mutating func boolean(_ node: YAMLNode, path: String) -> Bool? {
        document.take(node, path: path) { node throws(ValueRefusal) in
            guard case .scalar(let scalar) = node.content else {
                throw ValueRefusal(sentence: "must be true or false, got \(node.words)")
            }
            return try scalar.goBoolean()
        }
    }

    mutating func parsed<Value>(
        _ node: YAMLNode, path: String, _ parse: (String) throws(ValueRefusal) -> Value
    ) -> Value? {
        guard let text = text(node, path: path) else { return nil }
        do throws(ValueRefusal) {
            return try parse(text)
        } catch {
            document.report(error.about(text), at: node.position, path: path)
            return nil
        }
    }
}

/// The file of `modules_file`: modules in the format of blackbox_exporter.
package struct ModulesFile: Sendable {
    /// By their names.
    package private(set) var modules: [String: ProbeModule] = [:]
    /// The skipped modules: their unsupported prober by the module's name.
    package private(set) var skipped: [String: String] = [:]
    /// One line each.
    private(set) var warnings: [String] = []
    private(set) var problems: [ConfigurationProblem] = []

    /// Whether there is no file, and the modules are the built-in ones.
    package private(set) var isBuiltIn = false

    /// Without a file: the built-in modules.
    package init() {
        isBuiltIn = true
        for module in ProbeModule.builtIn { modules[module.name] = module }
    }

    init(_ reference: FileReference) {
        do throws(ValueRefusal) {
            read(try BoundedFile(path: reference.path).bytes, of: reference.path)
        } catch {
            problems.append(reference.problem(error))
        }
    }

    private mutating func read(_ bytes: [UInt8], of name: String) {
        var composer = YAMLComposer(file: name, dialect: .go)
        let root = composer.compose(bytes)
        problems += composer.problems
        warnings += composer.warnings
        guard let root else {
            // An empty file, which may be half written, must not replace running modules.
            if problems.isEmpty {
                problems.append(
                    ConfigurationProblem(.file(name, nil), reason: "is empty; for no modules write \"modules: {}\""))
            }
            return
        }
        var reader = ModulesReader(file: name)
        reader.read(root)
        modules = reader.modules
        skipped = reader.skipped
        problems += reader.document.writer.problems
        warnings += reader.warnings
        guard !skipped.isEmpty else { return }
        let list = skipped.sorted { $0.key < $1.key }.map { "\(Quote.plain($0.key)) (\($0.value))" }
        warnings.append(
            "\(Quote.plain(name)): skipped modules whose prober connectd does not support: "
                + list.joined(separator: ", "))
    }
}
