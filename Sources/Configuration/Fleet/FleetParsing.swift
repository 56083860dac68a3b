internal import CheckModel
internal import NetworkTypes

/// Parses the strings of the key `fleet`.
enum FleetParsing {
    static let defaultPort = 4222
    static let maximumPrefixBytes = 64

    /// A URL of a NATS server in its normal form: `nats://host:port`. A problem never quotes it, because it could contain
    /// a secret.
    static func server(_ text: String) throws(ValueRefusal) -> String {
        guard !text.contains("@") else {
            throw ValueRefusal(
                sentence: "must not contain a user, password or token: set fleet.user and fleet.password_file, "
                    + "fleet.token_file or fleet.credentials instead")
        }
        guard let scheme = ["nats", "tls"].first(where: { text.lowercased().hasPrefix("\($0)://") }) else {
            throw ValueRefusal(sentence: "must begin with nats:// or tls://, as in tls://nats.internal:4222")
        }
        let authority = text.dropFirst(scheme.utf8.count + 3)
        guard !authority.contains(where: { "/?#".contains($0) }) else {
            throw ValueRefusal(sentence: "must not have a path, a query or a fragment: write \(scheme)://host:port")
        }
        return "\(scheme)://\(try endpoint(String(authority)))"
    }

    /// The host and the port, which may be missing.
    private static func endpoint(_ authority: String) throws(ValueRefusal) -> String {
        let hasPort = authority.hasPrefix("[") ? authority.contains("]:") : authority.contains(":")
        let written = hasPort ? authority : "\(authority):\(defaultPort)"
        do throws(TargetError) {
            let target = try Target(parsing: "tcp://\(written)")
            guard case .tcp(let host, let port) = target.peer else { throw TargetError("the target is not TCP") }
            switch host {
            case .address(.v4(let address)): return "\(address.text):\(port)"
            case .address(.v6(let address)): return "[\(address.text)]:\(port)"
            case .name(let name): return "\(name):\(port)"
            }
        } catch {
            throw ValueRefusal(sentence: "must be scheme://host:port: \(error.detail)")
        }
    }

    static func checkUser(_ text: String) throws(ValueRefusal) {
        guard (1...256).contains(text.utf8.count), Quote.plain(text) == text else {
            throw ValueRefusal(sentence: "must have 1 to 256 bytes without control characters")
        }
    }

    static func place(_ text: String) throws(ValueRefusal) -> PlaceName {
        guard let place = PlaceName(text) else { throw ValueRefusal(PlaceName.rule) }
        return place
    }

    /// The first tokens of subjects, without wildcards, blanks and empty tokens.
    static func prefix(_ text: String) throws(ValueRefusal) -> String {
        let tokens = text.split(separator: ".", omittingEmptySubsequences: false)
        let isValid = tokens.allSatisfy { token in
            !token.isEmpty && token.utf8.allSatisfy(isSubjectByte)
        }
        guard isValid, text.utf8.count <= maximumPrefixBytes else {
            throw ValueRefusal(
                "must have letters, digits, - and _ in tokens separated by dots, at most \(maximumPrefixBytes) bytes")
        }
        return text
    }

    private static func isSubjectByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension DocumentReader {
    /// The most labels of a place, as in `from`.
    static let maximumLabels = 64

    /// Reads `fleet.labels`, a mapping of strings.
    mutating func readLabels(_ node: YAMLNode, path: String) {
        readMapping(node, path: path) { reader, entries in
            if entries.count > Self.maximumLabels {
                reader.report("must have at most \(Self.maximumLabels) labels", at: node.position, path: path)
            }
            for (entry, entryPath) in reader.unique(entries, below: path) {
                guard (1...256).contains(entry.key.text.utf8.count), Quote.plain(entry.key.text) == entry.key.text
                else {
                    reader.report(
                        "the name must have 1 to 256 bytes without control characters", at: entry.position,
                        path: entryPath)
                    continue
                }
                guard let value = reader.text(entry.value, path: entryPath)?.text else { continue }
                guard value.utf8.count <= 256, Quote.plain(value) == value else {
                    reader.report(
                        "must have at most 256 bytes without control characters", at: entry.value.position,
                        path: entryPath)
                    continue
                }
                reader.writer.draft.fleet.labels[entry.key.text] = value
            }
        }
    }
}
