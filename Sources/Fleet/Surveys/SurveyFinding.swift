internal import ErrorCatalogue
package import StrictJSON

/// What a survey reads from the result of one place.
///
/// The place is another machine with its own version of connectd. So members may be missing or unknown, and nothing that it
/// sends makes a finding large.
package struct SurveyFinding: Sendable, Equatable {
    /// `ok`.
    package var isOK = false
    package var outcome = ""
    /// `error.fault`; nil if there is no error.
    package var fault: String?
    /// `error.name` and `error.message`.
    package var errorName: String?
    package var errorMessage: String?
    /// Whether a router or the target sent an ICMP message.
    package var hasICMP = false
    /// The sender of the last ICMP message, or else the last hop of the trace that answered.
    package var lastResponder: String?
    /// `resolution.addresses`, sorted; nil if nothing was resolved.
    package var resolvedAddresses: [String]?
    /// The address of each attempt; nil for a path.
    package var attempts: [String?] = []
    /// The SHA-256 of each certificate in `tls.chain`.
    package var certificates: [String?] = []
    /// `timings_ms.total`.
    package var totalMilliseconds: Double?

    /// More than a check of this version has.
    private static let mostElements = 64
    private static let longestText = 256

    package init() {}

    /// - Parameter result: as `POST /v1/checks` returns it.
    package init(_ result: JSONObject) {
        if case .bool(let flag)? = result["ok"] { isOK = flag }
        outcome = Self.text(result["outcome"]) ?? ""
        if let error = result["error"]?.object {
            fault = Self.text(error["fault"])
            errorName = Self.text(error["name"])
            errorMessage = Self.text(error["message"])
        }
        let attempts = (result["attempts"]?.elements ?? []).prefix(Self.mostElements).compactMap(\.object)
        self.attempts = attempts.map { Self.text($0["address"]) }
        let messages = attempts.compactMap { $0["icmp"]?.object }
        hasICMP = !messages.isEmpty
        lastResponder =
            messages.compactMap { Self.text($0["from"]) }.last
            ?? Self.text(result["trace"]?.object?["last_answer_from"])
        resolvedAddresses = (result["resolution"]?.object?["addresses"]?.elements)
            .map { $0.prefix(Self.mostElements).compactMap { Self.text($0) }.sorted() }
        certificates = (result["tls"]?.object?["chain"]?.elements ?? []).prefix(Self.mostElements)
            .map { Self.text($0.object?["sha256"]) }
        totalMilliseconds = result["timings_ms"]?.object?["total"]?.decimal
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard case .string(let text)? = value else { return nil }
        return text.utf8.count <= longestText ? text : String(text.unicodeScalars.prefix(longestText / 4))
    }

    /// Whether the target did not answer at all.
    package var isSilent: Bool { outcome == ErrorClass.timeout.rawValue && !hasICMP }

    /// The vote for the verdict. A fault that this version does not know does not count.
    func vote(of place: String, labels: [String: String]) -> SurveyVote {
        SurveyVote(
            place: place, labels: labels, isOK: isOK, isSilent: isSilent,
            fault: fault.map { Fault(rawValue: $0) ?? .request }, lastResponder: lastResponder)
    }
}

extension JSONValue {
    var object: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    fileprivate var decimal: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }
}
