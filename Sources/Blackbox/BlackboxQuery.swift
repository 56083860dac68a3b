import CheckModel
import ConnectAPI
import HTTPServer

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
                throw BlackboxRefusal(400, "\(parameter.name) must be percent-encoded UTF-8 without NUL")
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
    /// Whether it is a module that is wrong.
    let isUnknownModule: Bool

    init(_ status: Int, _ text: String, isUnknownModule: Bool = false) {
        self.status = status
        self.text = text
        self.isUnknownModule = isUnknownModule
    }
}

/// A target's host and port as Go's `net.SplitHostPort` tells them apart.
///
/// blackbox_exporter resolves any host that it gets from it, whatever the port; its metrics show that.
struct GoHostPort: Equatable {
    /// Without brackets.
    let host: String
    let port: String

    /// - Returns: nil if there is no port, more than one colon outside of brackets, or a bracket too many or too few.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]", text.firstIndex(of: "]").map(text.index(after:)) == colon else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(where: { ":]".contains($0) }) {
            return nil
        }
        let port = text[text.index(after: colon)...]
        guard !host.contains("["), !port.contains(where: { "[]".contains($0) }) else { return nil }
        self.host = String(host)
        self.port = String(port)
    }
}

/// How long a probe may take: what Prometheus leaves it, or its module, whichever is less.
struct ScrapeTimeout {
    /// So much of Prometheus' own timeout is left for the answer.
    static let offsetSeconds = 0.5
    /// Where nobody says anything.
    static let defaultSeconds = 120.0

    let seconds: Double
    /// 1 …: what the engine is given.
    var milliseconds: Int { max(1, Int((seconds * 1000).rounded(.down))) }

    struct Malformed: Error {}

    /// - Parameters:
    ///   - header: `X-Prometheus-Scrape-Timeout-Seconds`.
    ///   - moduleSeconds: 0: the module sets no limit.
    ///   - limitSeconds: what this service allows at all.
    /// - Throws: where the header is no number.
    init(header: String?, moduleSeconds: Double, limitSeconds: Double) throws(Malformed) {
        var scrape = 0.0
        if let header, !header.isEmpty { scrape = try Self.number(header) }
        if scrape == 0 { scrape = Self.defaultSeconds }
        let left = scrape - Self.offsetSeconds
        let takesModule = (moduleSeconds > 0 && moduleSeconds < left) || left < 0
        seconds = min(max(takesModule ? moduleSeconds : left, 0), limitSeconds)
    }

    /// As Go's `strconv.ParseFloat` reads it, but for NaN, which is no time.
    private static func number(_ text: String) throws(Malformed) -> Double {
        let lowered = text.lowercased()
        // Hexadecimal only with an exponent.
        guard !lowered.contains("x") || lowered.contains("p"), !lowered.contains("nan"), let value = Double(text),
            // Too large for a number is an error there, unless infinity is meant.
            value.isFinite || lowered.contains("inf")
        else { throw Malformed() }
        return value
    }
}
