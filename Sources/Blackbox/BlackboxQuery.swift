internal import CheckModel
internal import ConnectAPI
internal import HTTPServer

/// The query of `/probe`. Unknown parameters are ignored, as in blackbox_exporter.
struct BlackboxQuery: Sendable {
    /// The module for requests that name none.
    static let defaultModule = "http_2xx"

    var module = defaultModule
    /// Whether the request named no module.
    private(set) var isModuleDefault = false
    var target = ""
    /// The name to send and verify if the module has none.
    var hostname = ""
    /// Whether the answer is the log of the probe, not only its metrics.
    var isDebug = false
    // Parameters that blackbox_exporter does not have.
    var timeoutMilliseconds: Int?
    var family: ResolveOptions.Family?
    var addresses: ResolveOptions.Addresses?
    var trace: TraceOptions.When?

    init(module: String = defaultModule, target: String = "") {
        self.module = module
        self.target = target
    }

    /// The first of several values counts, and a plus sign is a space, as in forms.
    /// - Throws: if a value is invalid.
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
        trace = try Self.word("trace", in: values)
        if !hostname.isEmpty, let flaw = ServerName.flaw(in: hostname) {
            throw BlackboxRefusal(400, "hostname \(flaw)")
        }
    }

    private static let names: Set<String> = [
        "module", "target", "hostname", "debug", "timeout_ms", "family", "addresses", "trace", "id",
    ]

    /// The parameters by their names.
    /// - Throws: if a known parameter cannot be decoded.
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

/// Why a request is refused in blackbox_exporter's form: a status and a line of plain text.
struct BlackboxRefusal: Error {
    let status: Int
    let text: String
    /// Whether the module is unknown.
    let isUnknownModule: Bool

    init(_ status: Int, _ text: String, isUnknownModule: Bool = false) {
        self.status = status
        self.text = text
        self.isUnknownModule = isUnknownModule
    }
}

/// A target's host and port, split like Go's `net.SplitHostPort` does.
///
/// blackbox_exporter resolves any host that it gets, whatever the port, and its metrics show that.
struct GoHostPort: Equatable {
    /// Without brackets.
    let host: String
    let port: String

    /// - Returns: nil without a port, with more than one colon outside brackets, or with unbalanced brackets.
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

/// The timeout of a probe: what Prometheus or the module allows, whichever is less.
struct ScrapeTimeout {
    /// The part of Prometheus' timeout that is kept for the answer, in seconds.
    static let offsetSeconds = 0.5
    /// The timeout without any setting, in seconds.
    static let defaultSeconds = 120.0

    let seconds: Double
    /// The timeout for the engine, at least 1.
    var milliseconds: Int { max(1, Int((seconds * 1000).rounded(.down))) }

    struct Malformed: Error {}

    /// - Parameters:
    ///   - header: `X-Prometheus-Scrape-Timeout-Seconds`.
    ///   - moduleSeconds: 0 means no limit.
    ///   - limitSeconds: the limit of this service.
    ///   - Throws: if the header is not a number.
    init(header: String?, moduleSeconds: Double, limitSeconds: Double) throws(Malformed) {
        var scrape = 0.0
        if let header, !header.isEmpty { scrape = try Self.number(header) }
        if scrape == 0 { scrape = Self.defaultSeconds }
        let left = scrape - Self.offsetSeconds
        let takesModule = (moduleSeconds > 0 && moduleSeconds < left) || left < 0
        seconds = min(max(takesModule ? moduleSeconds : left, 0), limitSeconds)
    }

    /// Reads a number like Go's `strconv.ParseFloat`, except NaN.
    private static func number(_ text: String) throws(Malformed) -> Double {
        let lowered = text.lowercased()
        // Hexadecimal only with an exponent.
        guard !lowered.contains("x") || lowered.contains("p"), !lowered.contains("nan"), let value = Double(text),
            // In Go, a number that is too large is an error, unless it is infinity.
            value.isFinite || lowered.contains("inf")
        else { throw Malformed() }
        return value
    }
}
