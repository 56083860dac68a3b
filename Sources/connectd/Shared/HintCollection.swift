import CheckModel
import ConnectAPI
import DNS
import ErrorCatalogue
import NetworkTypes

/// The hints of many results: one per cause, with the number of targets.
///
/// A cause is an error name, a fault and a hint. If the targets of a cause have different values, such as ICMP senders, the
/// hint contains the first few of them.
struct HintCollection {
    private struct Cause: Hashable {
        let name: String
        let fault: Fault?
        let hint: String
    }

    private struct Entry {
        let cause: Cause
        var count = 0
        var values: [CommandLineHint.Value: Values] = [:]
    }

    /// The different values of a placeholder.
    private struct Values {
        /// The first few.
        var shown: [String] = []
        var all: Set<String> = []
    }

    private static let shownCauses = 20
    private static let shownValues = 3
    /// The maximum number of different values to count.
    private static let countedValues = 1000

    private let acceptance: String
    private var indices: [Cause: Int] = [:]
    private var entries: [Entry] = []

    /// - Parameter acceptance: The flag that accepts a datagram socket that received nothing.
    init(acceptance: String = "--expect associated") {
        self.acceptance = acceptance
    }

    /// The fault and hint of one result; nil for a success.
    static func text(
        for result: CheckResult, of request: CheckRequest, acceptance: String = "--expect associated"
    ) -> String? {
        if result.isUnverified(request) { return Unverified.hint(acceptance: acceptance) }
        guard !result.ok, let error = result.error else { return nil }
        return "fault: \(error.fault.rawValue). \(HintValues.hint(for: result, of: request) ?? error.hint)"
    }

    mutating func add(_ result: CheckResult, of request: CheckRequest) {
        if result.isUnverified(request) {
            let hint = Unverified.hint(acceptance: acceptance)
            count(Cause(name: "not verified", fault: nil, hint: hint), [:])
        } else if !result.ok, let error = result.error {
            let cause = Cause(name: error.name, fault: error.fault, hint: error.hint)
            count(cause, HintValues.values(for: error, result, request))
        }
    }

    private mutating func count(_ cause: Cause, _ values: [CommandLineHint.Value: String]) {
        let index = indices[cause] ?? entries.count
        if index == entries.count {
            indices[cause] = index
            entries.append(Entry(cause: cause))
        }
        entries[index].count += 1
        for (value, text) in values {
            let known = entries[index].values[value]?.all
            guard (known?.count ?? 0) < Self.countedValues, known?.contains(text) != true else { continue }
            entries[index].values[value, default: Values()].all.insert(text)
            if (known?.count ?? 0) < Self.shownValues { entries[index].values[value]?.shown.append(text) }
        }
    }

    /// A line for each cause, the most frequent first.
    var lines: [String] {
        let sorted = entries.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
        let shown = sorted.prefix(Self.shownCauses).map { Self.line($0.element) }
        let hidden = sorted.count - shown.count
        return shown + (hidden > 0 ? ["and \(hidden) more causes; --json shows them all"] : [])
    }

    private static func line(_ entry: Entry) -> String {
        let targets = "\(entry.count) \(entry.count == 1 ? "target" : "targets")"
        let fault = entry.cause.fault.map { "fault: \($0.rawValue). " } ?? ""
        let hint = CommandLineHint(entry.cause.hint).text(entry.values.mapValues(joined))
        return TerminalText.clean("\(targets), \(entry.cause.name): \(fault)\(hint)")
    }

    private static func joined(_ values: Values) -> String {
        let shown = values.shown
        guard values.all.count > shown.count else {
            return shown.count == 1
                ? shown[0] : "\(shown.dropLast().joined(separator: ", ")) or \(shown[shown.count - 1])"
        }
        return "\(shown.joined(separator: ", ")) and \(values.all.count - shown.count) more"
    }
}

/// The values of one result for the placeholders of hints.
enum HintValues {
    private static let shownNames = 5

    /// The hint of a failed result, with its values; nil if there is none.
    static func hint(for result: CheckResult, of request: CheckRequest) -> String? {
        result.error.map { CommandLineHint($0.hint).text(values(for: $0, result, request)) }
    }

    /// The known values for the hint of an error.
    static func values(
        for error: ErrorReport, _ result: CheckResult, _ request: CheckRequest
    ) -> [CommandLineHint.Value: String] {
        let hint = CommandLineHint(error.hint)
        var values: [CommandLineHint.Value: String] = [:]
        for value in CommandLineHint.Value.allCases where hint.prints(value) {
            values[value] = text(value, result, request).map(TerminalText.clean)
        }
        return values
    }

    private static func text(
        _ value: CommandLineHint.Value, _ result: CheckResult, _ request: CheckRequest
    ) -> String? {
        let attempt = result.attempts.last { $0.outcome == result.outcome }
        switch value {
        case .sender: return attempt?.icmp?.from.text
        case .meaning: return attempt?.icmp?.meaning
        case .source: return attempt?.local?.address.text ?? request.bind.address?.text
        case .target: return request.target.text
        case .timeout: return "\(Duration(milliseconds: request.timeoutMilliseconds))"
        case .interface: return request.bind.interface ?? attempt.flatMap(zone(of:))
        case .servers: return servers(request)
        case .received: return result.receivedText
        case .alert: return result.error?.alert.map { "the alert \($0.alert.name)" }
        case .message: return result.tls?.verifyError?.message ?? result.error?.message
        case .name: return request.tls?.serverName ?? result.tls?.serverName ?? host(request.target)
        case .names: return names(result)
        case .authority:
            return result.tls?.chain.last.map { $0.issuer.isEmpty ? "an issuer without a name" : $0.issuer }
        case .protocols: return (request.tls?.alpn).flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") }
        case .days: return request.tls?.minimumDaysLeft.map { "--min-days-left \($0)" }
        case .depth: return (result.tls?.verifyError?.depth).map(String.init)
        case .until: return until(result)
        }
    }

    private static func zone(of attempt: AttemptResult) -> String? {
        guard case .ip(let endpoint) = attempt.endpoint, case .v6(let address) = endpoint.address else { return nil }
        return address.zone
    }

    private static func host(_ target: Target) -> String? {
        switch target.peer {
        case .tcp(.name(let name), _), .udp(.name(let name), _): name
        case .tcp(.address(let address), _), .udp(.address(let address), _): address.text
        case .unix: nil
        }
    }

    private static func servers(_ request: CheckRequest) -> String? {
        if let server = request.resolve.server { return HumanReport.text(server) }
        let servers = SystemNameServers.addresses().map(\.text)
        return servers.isEmpty ? nil : servers.joined(separator: " and ")
    }

    /// The names of a certificate. Clients ignore its common name.
    private static func names(_ result: CheckResult) -> String? {
        guard let certificate = result.tls?.chain.first else { return nil }
        let all = certificate.subjectAlternativeNames
        guard !all.isEmpty else {
            return "no name (it has no subject alternative name, and the common name is not used)"
        }
        let hidden = all.count - min(all.count, shownNames) + certificate.furtherNamesCount
        let shown = all.prefix(shownNames).map { $0.hasPrefix("DNS:") ? String($0.dropFirst(4)) : $0 }
        return shown.joined(separator: ", ") + (hidden > 0 ? " and \(hidden) more" : "")
    }

    private static func until(_ result: CheckResult) -> String? {
        guard let error = result.error, let report = result.tls else { return nil }
        // A depth is an index in the verified chain. The sent chain may have another order.
        let chain = report.verifiedChain ?? Array(report.chain.prefix(1))
        let depth = report.verifyError?.depth ?? 0
        guard chain.indices.contains(depth) else { return nil }
        let certificate: CertificateReport? = chain[depth]
        switch error.name {
        case "CERT_NOT_YET_VALID": return certificate?.notBefore.map(Timestamp.day(secondsSince1970:))
        case "CERT_EXPIRES_SOON": return chain.compactMap(\.notAfter).min().map(Timestamp.day(secondsSince1970:))
        default: return certificate?.notAfter.map(Timestamp.day(secondsSince1970:))
        }
    }
}

extension CheckResult {
    /// The data from the peer that ended the check, in quotation marks; nil if unknown.
    var receivedText: String? {
        let failed = dialog.flatMap { report in report.failedStep.map { report.steps[$0] } }
        let received = error?.received ?? failed?.received
        return received.map { $0.isEmpty ? "nothing" : "\"\(HumanTLS.printable($0))\"" }
    }
}
