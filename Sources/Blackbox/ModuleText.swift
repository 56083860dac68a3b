internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import NetworkTypes

/// Modules as YAML, for `/config` and the end of `debug=true`. What modules send, and their keys, are `<secret>`.
struct ModuleText {
    private(set) var text = ""

    /// All modules of a file, sorted by name.
    static func document(_ modules: some Collection<ProbeModule>) -> String {
        guard !modules.isEmpty else { return "modules: {}\n" }
        var writer = ModuleText()
        writer.line(0, "modules:")
        for module in modules.sorted(by: { $0.name < $1.name }) {
            writer.line(1, "\(quoted(module.name)):")
            writer.write(module, level: 2)
        }
        return writer.text
    }

    /// One module.
    static func module(_ module: ProbeModule) -> String {
        var writer = ModuleText()
        writer.write(module, level: 0)
        return writer.text
    }

    private mutating func write(_ module: ProbeModule, level: Int) {
        line(level, "prober: \(module.prober.rawValue)")
        if let timeout = module.timeoutText { line(level, "timeout: \(Self.quoted(timeout))") }
        line(level, "\(module.prober.rawValue):")
        let inner = level + 1
        if module.prober == .tcp {
            line(inner, "preferred_ip_protocol: \(module.preferredFamily == .ipv4 ? "ip4" : "ip6")")
            line(inner, "ip_protocol_fallback: \(module.mayFallBack)")
            if let address = module.sourceAddress { line(inner, "source_ip_address: \(Self.quoted(address.text))") }
        }
        if !module.queryResponse.isEmpty {
            line(inner, "query_response:")
            for entry in module.queryResponse { write(entry, level: inner + 1) }
        }
        line(inner, "tls: \(module.usesTLS)")
        if !module.tls.isDefault {
            line(inner, "tls_config:")
            write(module.tls, level: inner + 1)
        }
    }

    private mutating func write(_ entry: QueryResponse, level: Int) {
        var keys: [String] = []
        if let expect = entry.expect { keys.append("expect: \(Self.quoted(expect))") }
        if !entry.expectBytes.isEmpty { keys.append("expect_bytes: \(Self.quoted(entry.expectBytes))") }
        if !entry.labels.isEmpty {
            let labels = entry.labels.map { "{name: \(Self.quoted($0.name)), value: \(Self.quoted($0.value))}" }
            keys.append("labels: [\(labels.joined(separator: ", "))]")
        }
        // Protocols send passwords in plain text.
        if !entry.send.isEmpty { keys.append("send: \(SentTextRedactor.placeholder)") }
        if entry.startsTLS { keys.append("starttls: true") }
        guard !keys.isEmpty else { return line(level, "- {}") }
        for (index, key) in keys.enumerated() { line(level, (index == 0 ? "- " : "  ") + key) }
    }

    private mutating func write(_ tls: ModuleTLS, level: Int) {
        if tls.skipsVerification { line(level, "insecure_skip_verify: true") }
        if let name = tls.serverName { line(level, "server_name: \(Self.quoted(name))") }
        if let version = tls.minimumVersion { line(level, "min_version: \(Self.version(version))") }
        if let version = tls.maximumVersion { line(level, "max_version: \(Self.version(version))") }
        for (key, value) in tls.files + tls.texts.map({ ($0.key, $0.text) }) {
            line(level, "\(key): \(Self.quoted(value))")
        }
        if tls.hasInlineKey { line(level, "key: \(SentTextRedactor.placeholder)") }
    }

    private static func version(_ version: TLSVersion) -> String { "TLS" + version.rawValue.filter { $0 != "." } }

    private mutating func line(_ level: Int, _ content: String) {
        text += String(repeating: "  ", count: level) + content + "\n"
    }

    /// Words that YAML does not read as strings.
    private static let yamlWords: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    /// Returns a plain word unchanged, and anything else as a double-quoted YAML scalar.
    private static func quoted(_ value: String) -> String {
        let isWord = value.utf8.allSatisfy { byte in
            (byte | 0x20) &- UInt8(ascii: "a") <= 25 || byte &- UInt8(ascii: "0") <= 9 || "_./-".utf8.contains(byte)
        }
        let isPlain =
            isWord && !yamlWords.contains(value.lowercased())
            && value.utf8.first.map { ($0 | 0x20) &- UInt8(ascii: "a") <= 25 || $0 == UInt8(ascii: "/") } ?? false
        return isPlain ? value : QuotedText.text(value, escape: yamlEscape)
    }

    /// Bytes that are not UTF-8 text as `!!binary`.
    private static func quoted(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self).map { quoted($0) } ?? "!!binary \(base64(bytes))"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let symbols = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                text.append(
                    index <= group.count ? symbols[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func yamlEscape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\u{20}"..."\u{7E}", "\u{A0}"..."\u{D7FF}": return nil
        case _:
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
}
