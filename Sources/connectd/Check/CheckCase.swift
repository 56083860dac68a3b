import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes

/// Makes the case of a report from the result of a check.
enum CheckCase {
    /// The names of `ReportCase.details`.
    static let detailNames = ["id", "ok", "phase", "error", "errno", "class", "fault", "address", "started_at"]

    static func make(
        _ result: CheckResult, of request: CheckRequest, at index: Int, source: ReportLocation?
    ) -> ReportCase {
        let verdict = verdict(on: result, of: request)
        let target = request.target.text
        return ReportCase(
            index: index, suite: "", name: request.id.map { "\($0): \(target)" } ?? target, target: target,
            verdict: verdict, outcome: result.outcome.word, message: message(result, of: request),
            hint: verdict == .pass ? nil : hint(result, of: request),
            durationNanoseconds: result.timings[.total], source: source, details: details(result, of: request))
    }

    /// A fault of prober, resolver or request says nothing about the target, so it is an error.
    static func verdict(on result: CheckResult, of request: CheckRequest) -> ReportVerdict {
        switch CheckVerdict(result, of: request) {
        case .ok: .pass
        case .unverified: .inconclusive
        case .failed: result.error.map(\.fault.isAboutTarget) ?? true ? .failure : .error
        }
    }

    private static func message(_ result: CheckResult, of request: CheckRequest) -> String {
        if result.isUnverified(request) { return Unverified.reason(request.target) }
        let attempt = result.attempts.last { $0.outcome == result.outcome }
        let address = attempt.flatMap(HumanReport.address(of:)).map { " at \($0)" } ?? ""
        let expected = result.ok ? nil : HumanReport.expectation(request.expectation, missedBy: result)
        let reason = result.error.map { error in
            let end = result.ok ? "as expected" : "fault: \(error.fault.rawValue)"
            return ": \(error.name) (\(error.message))\(address) in phase \(result.phase.rawValue), \(end)"
        }
        return "\(result.outcome.word)\(reason ?? address)\(expected.map { "; \($0)" } ?? "")"
    }

    private static func hint(_ result: CheckResult, of request: CheckRequest) -> String? {
        result.isUnverified(request)
            ? Unverified.hint(acceptance: "--expect associated") : HintValues.hint(for: result, of: request)
    }

    private static func details(_ result: CheckResult, of request: CheckRequest) -> [String] {
        let error = result.error
        let attempt = result.attempts.last { $0.outcome == result.outcome }
        return [
            request.id ?? "", result.ok ? "true" : "false", result.phase.rawValue, error?.name ?? "",
            (error?.errno).map { "\($0.rawValue)" } ?? "", error?.errorClass.rawValue ?? "",
            error?.fault.rawValue ?? "",
            attempt.flatMap(HumanReport.address(of:)) ?? "",
            Timestamp.text(nanosecondsSince1970: result.startedAtNanoseconds),
        ]
    }
}
