package import CheckModel
package import TLS

// `tls_config`.
extension ModulesReader {
    private static let tlsKeys = [
        "insecure_skip_verify", "server_name", "min_version", "max_version", "ca_file", "cert_file", "key_file", "ca",
        "cert", "key",
    ]

    mutating func tls(_ node: YAMLNode, path: String) -> ModuleTLS {
        var result = ModuleTLS()
        var contents: [String: Contents] = [:]
        for (entry, path) in keys(of: node, below: path, known: Self.tlsKeys) where !entry.value.isEmpty {
            switch entry.key.text {
            case "insecure_skip_verify": result.skipsVerification = boolean(entry.value, path: path) ?? false
            case "server_name": result.serverName = text(entry.value, path: path).flatMap { $0.isEmpty ? nil : $0 }
            case "min_version": result.minimumVersion = parsed(entry.value, path: path, Self.version)
            case "max_version": result.maximumVersion = parsed(entry.value, path: path, Self.version)
            case "ca_file", "cert_file", "key_file":
                readFile(entry, path: path, into: &result, &contents)
            case let key:
                readText(of: key, entry, path: path, into: &result, &contents)
            }
        }
        if let low = result.minimumVersion, let high = result.maximumVersion, low > high {
            add("min_version is above max_version", at: node.position, path: path, to: &result)
        }
        use(contents, at: node.position, path: path, in: &result)
        return result
    }

    private mutating func add(
        _ defect: String, at position: TextPosition, path: String, to tls: inout ModuleTLS
    ) {
        let key = path.split(separator: ".").last.map(String.init) ?? path
        tls.defects.append("\(key): \(defect)")
        warn("\(defect); a probe with this module fails when TLS begins", at: position, path: path)
    }

    /// What a key holds: the bytes, and where it stands.
    private struct Contents {
        let bytes: [UInt8]
        let position: TextPosition
        let path: String
        /// A file, as it was found; empty for what stands in the modules file itself.
        let file: String
    }

    private mutating func readFile(
        _ entry: YAMLEntry, path: String, into tls: inout ModuleTLS, _ contents: inout [String: Contents]
    ) {
        guard let name = text(entry.value, path: path), !name.isEmpty else { return }
        tls.files.append((entry.key.text, name))
        let source = ConfigurationProblem.Source.file(document.file, entry.value.position)
        let text = LocatedText(text: name, source: source, path: path)
        guard let reference = document.writer.fileReference(text, key: path, folder: document.folder) else { return }
        do throws(ValueRefusal) {
            let file = try BoundedFile(path: reference.path)
            if entry.key.text == "key_file", file.isWorldReadable {
                warnings.append(FileWarning.worldReadable(reference))
            }
            add(entry.key.text, file.bytes, entry, path, file: reference.path, to: &contents)
        } catch {
            add(
                "the file \(Quote.file(reference.path)) \(error.reason)", at: entry.value.position, path: path, to: &tls
            )
        }
    }

    private mutating func readText(
        of key: String, _ entry: YAMLEntry, path: String, into tls: inout ModuleTLS,
        _ contents: inout [String: Contents]
    ) {
        // A key that is not a text is not shown: it may hold a part of a secret.
        guard case .scalar(let scalar) = entry.value.content, let bytes = try? scalar.goBytes() else {
            document.report("must be a string", at: entry.value.position, path: path)
            return
        }
        if key == "key" {
            tls.hasInlineKey = true
        } else {
            tls.texts.append((key, String(decoding: bytes, as: UTF8.self)))
        }
        add(key, bytes, entry, path, file: "", to: &contents)
    }

    private mutating func add(
        _ key: String, _ bytes: [UInt8], _ entry: YAMLEntry, _ path: String, file: String,
        to contents: inout [String: Contents]
    ) {
        let kind = String(key.prefix { $0 != "_" })
        guard contents[kind] == nil else {
            document.report("\(kind) and \(kind)_file exclude each other", at: entry.position, path: path)
            return
        }
        contents[kind] = Contents(bytes: bytes, position: entry.value.position, path: path, file: file)
    }

    private mutating func use(
        _ contents: [String: Contents], at position: TextPosition, path: String, in tls: inout ModuleTLS
    ) {
        // A file that could not be read is reported already.
        guard tls.defects.isEmpty else { return }
        if let authorities = contents["ca"] { tls.authorities = anchors(authorities, of: &tls) }
        switch (contents["cert"], contents["key"]) {
        case (nil, nil): return
        case (_?, nil):
            add("has a certificate without a key: set key_file", at: position, path: path, to: &tls)
        case (nil, _?):
            add("has a key without a certificate: set cert_file", at: position, path: path, to: &tls)
        case (let certificate?, let key?):
            guard anchors(certificate, of: &tls) != nil else { return }
            do throws(TLSMaterialError) {
                tls.certificate = try ClientCertificate(certificatePEM: certificate.bytes, keyPEM: key.bytes)
            } catch {
                add(error, about: key, to: &tls)
            }
        }
    }

    private mutating func anchors(_ contents: Contents, of tls: inout ModuleTLS) -> TrustAnchors? {
        do throws(TLSMaterialError) {
            return try TrustAnchors(pem: contents.bytes)
        } catch {
            add(error, about: contents, to: &tls)
            return nil
        }
    }

    private mutating func add(_ error: TLSMaterialError, about contents: Contents, to tls: inout ModuleTLS) {
        let subject = contents.file.isEmpty ? "the text" : "the file \(Quote.file(contents.file))"
        add("\(subject) \(error.reason)", at: contents.position, path: contents.path, to: &tls)
    }

    private static func version(_ text: String) throws(ValueRefusal) -> TLSVersion {
        switch text {
        case "TLS10": .tls10
        case "TLS11": .tls11
        case "TLS12": .tls12
        case "TLS13": .tls13
        case _: throw .noneOf(["TLS10", "TLS11", "TLS12", "TLS13"])
        }
    }
}

/// `tls_config` of a module, its files read.
package struct ModuleTLS: Sendable {
    package var skipsVerification = false
    package var serverName: String?
    package var minimumVersion: TLSVersion?
    package var maximumVersion: TLSVersion?
    /// As they were written: `ca_file`, `cert_file`, `key_file`. A key that stood in the file itself is not among them.
    package var files: [(key: String, name: String)] = []
    /// The certificates that stood in the file itself: `ca` and `cert`.
    package var texts: [(key: String, text: String)] = []
    /// Whether a key stood in the file itself.
    package var hasInlineKey = false
    /// nil: the system's authorities.
    package var authorities: TrustAnchors?
    package var certificate: ClientCertificate?
    /// Why no handshake can begin: a file that cannot be read, a certificate without its key. As in blackbox_exporter, the
    /// module loads all the same, and a probe fails when it comes to TLS.
    package var defects: [String] = []

    package init() {}

    /// Whether anything is said at all.
    package var isDefault: Bool {
        !skipsVerification && serverName == nil && minimumVersion == nil && maximumVersion == nil && files.isEmpty
            && texts.isEmpty && !hasInlineKey
    }
}
