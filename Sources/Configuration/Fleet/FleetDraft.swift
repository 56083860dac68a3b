internal import CheckModel

/// The keys of `fleet` while the sources are read; nil for keys that are not set.
struct FleetDraft {
    static let section = "fleet"

    /// The first key of `fleet` that a source sets, for problems of the whole section.
    private(set) var firstText: LocatedText?
    var servers: [String] = []
    var credentials: FileReference?
    var tokenFile: FileReference?
    var user: LocatedText?
    var passwordFile: FileReference?
    var certificate: FileReference?
    var key: FileReference?
    /// A name of the top-level `authorities`.
    var authorities: LocatedText?
    var place: PlaceName?
    var labels: [String: String] = [:]
    var answers = true
    var prefix = "connectd"

    /// Whether any key of `fleet` is set.
    var isStated: Bool { firstText != nil }

    mutating func note(_ text: LocatedText) {
        if firstText == nil { firstText = text }
    }
}

/// Combines the keys of `fleet`, and reads the files that they name.
struct FleetReader {
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []

    /// - Parameters:
    ///   - authorities: The files of the top-level `authorities` by their names.
    ///   - hostName: The name of this machine, for the default of `place`.
    /// - Returns: nil without the key `fleet`, or after a problem.
    mutating func read(
        _ draft: FleetDraft, authorities: [String: FileReference], hostName: String
    ) -> FleetSettings? {
        guard let first = draft.firstText else { return nil }
        if draft.servers.isEmpty {
            report("is missing the key \"servers\": list the NATS servers, as in tls://nats.internal:4222", at: first)
        }
        reportConflicts(draft, at: first)
        var settings = FleetSettings(
            servers: draft.servers, place: draft.place ?? PlaceName(hostName: hostName))
        settings.labels = draft.labels
        settings.answers = draft.answers
        settings.prefix = draft.prefix
        settings.credentials = credentials(draft)
        settings.certificate = certificate(draft, at: first)
        settings.authorities = draft.authorities.flatMap { pem(of: $0, in: authorities) }
        return problems.isEmpty ? settings : nil
    }

    private mutating func report(_ reason: String, at text: LocatedText) {
        problems.append(ConfigurationProblem(text.source, path: "fleet", reason: reason))
    }

    private mutating func reportConflicts(_ draft: FleetDraft, at first: LocatedText) {
        if (draft.user == nil) != (draft.passwordFile == nil) {
            report("requires both user and password_file", at: first)
        }
        let stated = [
            draft.credentials == nil ? nil : "credentials", draft.tokenFile == nil ? nil : "token_file",
            draft.user == nil && draft.passwordFile == nil ? nil : "user with password_file",
        ].compactMap(\.self)
        if stated.count > 1 {
            report(
                "must have only one of credentials, token_file and user, got \(stated.joined(separator: " and "))",
                at: first)
        }
    }

    private mutating func credentials(_ draft: FleetDraft) -> FleetSettings.Credentials? {
        if let reference = draft.credentials {
            guard let bytes = contents(of: reference, isSecret: true) else { return nil }
            if !Self.isCredentials(bytes) {
                warnings.append(
                    "\(reference.key): \(Quote.file(reference.path)) has no NATS USER JWT and USER NKEY SEED: the server will reject it"
                )
            }
            return .file(reference.path)
        }
        if let reference = draft.tokenFile { return secret(in: reference).map { .token($0) } }
        guard let user = draft.user, let reference = draft.passwordFile else { return nil }
        return secret(in: reference).map { .user(user.text, password: $0) }
    }

    /// Whether it has the two blocks of a file that `nsc` writes.
    private static func isCredentials(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.contains("NATS USER JWT") && text.contains("USER NKEY SEED")
    }

    private mutating func certificate(_ draft: FleetDraft, at first: LocatedText) -> (path: String, keyPath: String)? {
        guard draft.certificate != nil || draft.key != nil else { return nil }
        guard let certificate = draft.certificate, let key = draft.key else {
            report("requires both certificate and key", at: first)
            return nil
        }
        var reader = MaterialReader()
        reader.readCertificate(ClientCertificateFiles(name: "fleet", certificate: certificate, key: key, targets: nil))
        problems += reader.problems
        warnings += reader.warnings
        return (certificate.path, key.path)
    }

    /// Its problems are already reported with the top-level `authorities`, except for an unknown name.
    private mutating func pem(of name: LocatedText, in authorities: [String: FileReference]) -> String? {
        guard let reference = authorities[name.text] else {
            let suggestion = Suggestion.phrase(for: name.text, among: authorities.keys.sorted())
            problems.append(
                name.problem(
                    "\(Quote.value(name.text)) is not a name of the top-level authorities\(suggestion): add it there with its file"
                ))
            return nil
        }
        guard let file = try? BoundedFile(path: reference.path) else { return nil }
        return String(decoding: file.bytes, as: UTF8.self)
    }

    private mutating func secret(in reference: FileReference) -> Secret? {
        guard let bytes = contents(of: reference, isSecret: true) else { return nil }
        do throws(ValueRefusal) {
            return try SecretLine.read(bytes)
        } catch {
            problems.append(reference.problem(error))
            return nil
        }
    }

    private mutating func contents(of reference: FileReference, isSecret: Bool) -> [UInt8]? {
        do throws(ValueRefusal) {
            let file = try BoundedFile(path: reference.path)
            guard !file.bytes.isEmpty else { throw ValueRefusal("is empty") }
            if isSecret, file.isWorldReadable { warnings.append(FileWarning.worldReadable(reference)) }
            return file.bytes
        } catch {
            problems.append(reference.problem(error))
            return nil
        }
    }
}

/// A file with one secret. One line end after it is ignored.
private enum SecretLine {
    static let maximumBytes = 4096

    static func read(_ bytes: [UInt8]) throws(ValueRefusal) -> Secret {
        var line = bytes[...]
        if line.last == 0x0A { line = line.dropLast() }
        if line.last == 0x0D { line = line.dropLast() }
        guard !line.isEmpty else { throw ValueRefusal("is empty") }
        guard line.count <= maximumBytes else {
            throw ValueRefusal("has \(line.count) bytes: a secret of NATS may have at most \(maximumBytes)")
        }
        guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ValueRefusal("has a control character or a second line: write only the secret, on one line")
        }
        return Secret(line)
    }
}
