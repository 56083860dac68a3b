internal import CheckModel
internal import HTTPServer

/// The query of `/probe`. What it does not know it passes over, as blackbox_exporter does.
struct BlackboxQuery: Sendable {
    /// The module that holds where none is named.
    static let defaultModule = "http_2xx"

    var module = defaultModule
    /// Whether the request named no module.
    private(set) var isModuleDefault = false
    var target = ""
    /// The name to send and to verify, where the module has none.
    var hostname = ""
    /// Whether the answer is the log of the probe instead of its metrics alone.
    var isDebug = false
    // Settings of this one request, which blackbox_exporter does not have.
    var timeoutMilliseconds: Int?
    var family: ResolveOptions.Family?
    var addresses: ResolveOptions.Addresses?

    init(module: String = defaultModule, target: String = "") {
        self.module = module
        self.target = target
    }

    /// Of several values the first counts, and a plus sign is a space: forms are encoded so.
    /// - Throws: where a value of a setting is none.
    init(_ head: RequestHead) throws(BlackboxRefusal) {
        let values = try Self.values(in: head)
        if let module = values["module"], !module.isEmpty {
            self.module = module
        } else {
            isModuleDefault = true
        }
        target = values["target"] ?? ""
        hostname = values["hostname"] ?? ""
        isDebug = values["debug"] == "true"
        if let text = values["timeout_ms"] {
            guard let number = Int(text), String(number) == text, number > 0 else {
                throw BlackboxRefusal(400, "timeout_ms must be a whole number above 0")
            }
            timeoutMilliseconds = number
        }
        family = try Self.word("family", in: values)
        addresses = try Self.word("addresses", in: values)
        if !hostname.isEmpty, let flaw = ServerName.flaw(in: hostname) {
            throw BlackboxRefusal(400, "hostname \(flaw)")
        }
    }

    private static let names: Set<String> = [
        "module", "target", "hostname", "debug", "timeout_ms", "family", "addresses", "id",
    ]

    /// The parameters by their names.
    /// - Throws: where one that matters cannot be decoded.
    static func values(in head: RequestHead) throws(BlackboxRefusal) -> [String: String] {
        var values: [String: String] = [:]
        for parameter in head.query() where names.contains(parameter.name) && values[parameter.name] == nil {
            guard let value = parameter.value else {
                throw BlackboxRefusal(400, "\(parameter.name) is not percent-encoded UTF-8 without NUL")
            }
            values[parameter.name] = value
        }
        return values
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, in values: [String: String]
    ) throws(BlackboxRefusal) -> Word? {
        guard let text = values[name] else { return nil }
        guard let word = Word(rawValue: text) else {
            throw BlackboxRefusal(
                400, "\(name) must be one of: \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }
}

/// Why a request in blackbox_exporter's form is not done: a status, and a line of plain text.
struct BlackboxRefusal: Error {
    let status: Int
    let text: String

    init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }
}
