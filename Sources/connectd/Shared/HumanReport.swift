import CheckModel
import ErrorCatalogue
import NetworkTypes

/// The column widths of results, so that the lines of several targets are aligned.
struct ReportLayout {
    private static let widestTarget = 48
    /// The width of `resolve_failed`. The few longer words shift the columns after them.
    private static let widestUsualOutcome = 14

    let target: Int
    let outcome: Int
    let time: Int

    /// - Parameter targets: All targets of the output.
    init(_ targets: some Collection<Target>) {
        self.init(widest: targets.map(\.text.count).max() ?? 0, count: targets.count)
    }

    /// - Parameters:
    ///   - widest: The length of the longest target.
    ///   - count: The number of all targets.
    init(widest: Int, count: Int) {
        target = min(widest, Self.widestTarget)
        // A single line needs no alignment.
        outcome = count > 1 ? Self.widestUsualOutcome : 0
        time = count > 1 ? 10 : 0
    }
}

/// Formats a result as text: a line with verdict, target, outcome, time and error, then indented lines with details.
/// `HintCollection` formats the hints.
enum HumanReport {
    static let indent = "      "

    /// - Parameter hint: Printed after the result; nil if the hints of several results are printed together.
    static func text(
        _ result: CheckResult, of request: CheckRequest, layout: ReportLayout, hint: String? = nil,
        isVerbose: Bool = false, in palette: Palette = .plain
    ) -> String {
        let word = CheckVerdict(result, of: request).word(in: palette)
        return text(result, of: request, word: word, layout: layout, hint: hint, isVerbose: isVerbose)
    }

    /// - Parameter word: The verdict, with its color.
    static func text(
        _ result: CheckResult, of request: CheckRequest, word: String, layout: ReportLayout, hint: String? = nil,
        isVerbose: Bool = false
    ) -> String {
        var lines = [line(result, of: request, word: word, layout: layout)]
        var details: [String] = []
        if let tls = result.tls.flatMap(HumanTLS.line(for:)) { details.append(tls) }
        if let evidence = result.error.flatMap(HumanTLS.evidence(of:)) { details.append(evidence) }
        details += HumanRounds.lines(for: result)
        if let answer = result.answer { details.append(HumanAnswer.line(for: answer)) }
        details += dialog(of: result, showsReceived: hint == nil)
        if result.resolution?.isTruncated == true {
            details.append(
                "only the first \(result.resolution?.addresses.count ?? 0) addresses of the name are used")
        }
        if let hint { details.append(hint) }
        if result.attempts.count > 1 || isVerbose {
            details += result.attempts.map { line(for: $0, isVerbose: isVerbose) }
        }
        details += result.trace.map(traceLines) ?? []
        lines += details.map { indent + TerminalText.clean($0) }
        return lines.joined(separator: "\n")
    }

    /// The hops of a trace, and what they say.
    private static func traceLines(_ trace: TraceReport) -> [String] {
        let layout = TraceLayout(trace.target.family)
        return trace.hops.flatMap { layout.lines(for: $0) } + [TraceText.sentence(trace)]
    }

    /// Only the first line.
    /// - Parameter word: The verdict, with its color.
    static func line(
        _ result: CheckResult, of request: CheckRequest, word: String, layout: ReportLayout
    ) -> String {
        let target = TerminalText.clean(request.target.text).padded(to: layout.target)
        let time = milliseconds(result.timings[.total]).paddedLeft(to: layout.time)
        if result.isUnverified(request) {
            return "\(word)  \(target)  \(Unverified.reason(request.target))  \(time.trimmed)"
        }
        let outcome = result.outcome.word.padded(to: layout.outcome)
        let parts = [outcome] + explanation(of: result, time: time, isSingle: layout.outcome == 0)
        let expected = result.ok ? nil : expectation(request.expectation, missedBy: result)
        return "\(word)  \(target)  \((parts + [expected].compactMap { $0 }).joined(separator: "  "))"
    }

    private static func explanation(of result: CheckResult, time: String, isSingle: Bool) -> [String] {
        guard let error = result.error else {
            let address = result.attempts.last(where: \.outcome.isSuccess).flatMap(address(of:))
            return [time] + [address].compactMap { $0 }
        }
        let place = result.attempts.count == 1 ? address(of: result.attempts[0]) : nil
        let name = "\(error.name) (\(error.message))"
        let rest = [name] + [place].compactMap { $0 } + ["phase \(result.phase.rawValue)"]
        return isSingle ? rest + [time] : [time] + rest
    }

    /// What was expected instead of the result; nil if the request does not say it.
    static func expectation(_ expectation: Expectation, missedBy result: CheckResult) -> String? {
        switch expectation {
        case .transportSuccess: nil
        case .oneOf(let outcomes): "expected \(outcomes.map(\.word).joined(separator: " or "))"
        case .not(let outcome) where result.outcome == outcome: "expected anything but \(outcome.word)"
        case .not(let outcome): "cannot tell whether !\(outcome.word) holds: the check did not run"
        }
    }

    /// The failed dialog step, and the received data unless a hint contains it.
    private static func dialog(of result: CheckResult, showsReceived: Bool) -> [String] {
        guard let dialog = result.dialog, let index = dialog.failedStep, dialog.steps.indices.contains(index) else {
            return []
        }
        let step = dialog.steps[index]
        let received = (showsReceived ? step.received : nil).map {
            $0.isEmpty ? "received nothing" : "received \"\(HumanTLS.printable($0))\""
        }
        let parts = ["step \(index + 1) of the dialog (\(step.kind.flag))", received, step.detail].compactMap { $0 }
        return [parts.joined(separator: ", ")]
    }

    private static func line(for attempt: AttemptResult, isVerbose: Bool) -> String {
        let name = attempt.error.map { "\($0.name) (\($0.message))" }
        var parts = [address(of: attempt), attempt.outcome.word, name, milliseconds(attempt.durationNanoseconds)]
        if isVerbose {
            parts.append(attempt.local.map { "from \(text($0))" })
            parts.append(attempt.icmp.map { "ICMP \($0.meaning) from \($0.from.text)" })
            parts.append(attempt.tcpInformation.map { "RTT \(milliseconds(Int64($0.rttMicroseconds) * 1000))" })
            parts.append(attempt.peerCredentials.map { "peer pid \($0.pid) uid \($0.uid)" })
        }
        return parts.compactMap { $0 }.joined(separator: "  ")
    }

    /// nil for UNIX-domain sockets: the target already contains the path.
    static func address(of attempt: AttemptResult) -> String? {
        guard case .ip(let endpoint) = attempt.endpoint else { return nil }
        return text(endpoint)
    }

    static func text(_ endpoint: IPEndpoint) -> String {
        switch endpoint.address {
        case .v4: "\(endpoint.address.text):\(endpoint.port)"
        case .v6: "[\(endpoint.address.text)]:\(endpoint.port)"
        }
    }

    static func milliseconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
    }
}

extension CheckVerdict {
    fileprivate func word(in palette: Palette) -> String {
        switch self {
        case .ok: palette.good("ok  ")
        case .failed: palette.bad("FAIL")
        case .unverified: palette.pending("????")
        }
    }
}

extension DialogStepReport.Kind {
    /// The command-line flag for this kind of step.
    fileprivate var flag: String {
        switch self {
        case .expect: "--match"
        case .send: "--send"
        case .reject: "--reject"
        case .expectHex, .sendHex, .startTLS: rawValue
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}

/// Formats a TLS report as text.
enum HumanTLS {
    /// Version, cipher, certificate, expiry and verification result; nil if nothing is known.
    static func line(for report: TLSReport) -> String? {
        guard report.version != nil || !report.chain.isEmpty else { return nil }
        var parts = [report.version, report.cipher, report.alpn.map { "ALPN \($0)" }].compactMap { $0 }
        if let certificate = report.chain.first {
            parts.append("\(certificate.subject.isEmpty ? "no subject" : certificate.subject)")
            parts.append("issued by \(certificate.issuer)")
            parts.append(remaining(certificate.expiresInSeconds))
        }
        if let verdict = verdict(report) { parts.append(verdict) }
        return parts.joined(separator: ", ")
    }

    /// The alert and the bytes from the peer that caused an error, if any. Our own alert follows from the error.
    static func evidence(of error: ErrorReport) -> String? {
        let alert = error.alert.flatMap { $0.sender == .peer ? "alert \($0.alert.name) from the peer" : nil }
        let received = error.received.map { "received \"\(printable($0))\"" }
        let parts = [alert, received].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func verdict(_ report: TLSReport) -> String? {
        if report.isVerified { return "verified" }
        return report.verifyError.map { "not verified: \($0.message) (\($0.name), depth \($0.depth))" }
    }

    private static func remaining(_ seconds: Int64?) -> String {
        guard let seconds else { return "unreadable expiry date" }
        let text = ValidityText.span(seconds)
        return seconds < 0 ? "expired \(text) ago" : "\(text) left"
    }

    /// The first 80 bytes, escaped so that they are safe for a terminal.
    static func printable(_ bytes: [UInt8]) -> String {
        let shown = bytes.prefix(80).map { byte -> String in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "\r"): "\\r"
            case UInt8(ascii: "\n"): "\\n"
            case 0x20...0x7E: String(UnicodeScalar(byte))
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return shown.joined() + (bytes.count > 80 ? "…" : "")
    }
}

/// Formats the time until or since the expiry of a certificate.
enum ValidityText {
    /// Whole days; hours below a day, minutes below an hour. Rounded down, without a sign.
    static func span(_ seconds: Int64) -> String {
        let units: [(name: String, seconds: UInt64)] = [("day", 86_400), ("hour", 3_600), ("minute", 60)]
        guard let (name, size) = units.first(where: { seconds.magnitude >= $0.seconds }) else {
            return "less than a minute"
        }
        let count = seconds.magnitude / size
        return count == 1 ? "1 \(name)" : "\(count) \(name)s"
    }
}
