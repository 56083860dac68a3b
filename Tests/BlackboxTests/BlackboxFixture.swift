@testable import Blackbox
import CheckEngine
import CheckModel
import Configuration
import ErrorCatalogue
import Metrics
import NetworkTypes

/// A probe with its module.
func probe(
    _ target: String, prober: ProbeModule.Prober = .tcp, milliseconds: Double = 2000,
    _ change: (inout ProbeModule, inout BlackboxQuery) -> Void = { _, _ in }
) throws -> BlackboxProbe {
    var module = ProbeModule(name: "m", prober: prober)
    var query = BlackboxQuery(module: "m", target: target)
    change(&module, &query)
    let timeout = try ScrapeTimeout(header: nil, moduleSeconds: milliseconds / 1000, limitSeconds: 60)
    return BlackboxProbe(module: module, query: query, timeout: timeout)
}

extension BlackboxProbe {
    func preparing(now: Int64) -> Preparation {
        var probe = self
        return probe.prepare(now: now)
    }
}

extension BlackboxProbe.Preparation {
    /// The request of a check; nil if there is none.
    var request: CheckRequest? {
        switch self {
        case .check(let check): check.request
        case .failed: nil
        }
    }

    /// The error name of a target that cannot be checked.
    var failure: ErrorReport? {
        switch self {
        case .check: nil
        case .failed(let result): result.error
        }
    }
}

/// The samples of a text in Prometheus format, without durations.
func samples(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
}

func samples(of result: CheckResult, _ probe: BlackboxProbe) -> [String] {
    samples(BlackboxMetrics(report: BlackboxReport(probe: probe, result: result), format: .prometheus).text())
}

/// A result of one attempt.
func result(
    _ attempt: AttemptResult, resolution: Resolution? = nil, tls: TLSReport? = nil, dialog: DialogReport? = nil
) -> CheckResult {
    var timings = Timings()
    timings[.queue] = 1_000_000
    timings[.resolve] = 2_000_000
    timings[.connect] = 3_000_000
    timings[.total] = 7_000_000
    return CheckResult(
        ok: attempt.outcome.isSuccess, outcome: attempt.outcome, phase: attempt.phase, error: attempt.error,
        attempts: [attempt], resolution: resolution,
        reports: [tls.map(PhaseReport.tls), dialog.map(PhaseReport.dialog)].compactMap { $0 }, timings: timings,
        startedAtNanoseconds: 1_767_225_600_123_456_789)
}

func attempt(_ address: String, error: ErrorReport? = nil, in phase: Phase = .done) -> AttemptResult {
    var attempt = AttemptResult(
        endpoint: .ip(IPEndpoint(address: address.address, port: 80)),
        outcome: error.map { .failed($0.errorClass) } ?? .connected, phase: phase, startNanoseconds: 2_000_000)
    attempt.error = error
    attempt.durationNanoseconds = 3_000_000
    return attempt
}

extension String {
    /// An IPv4 or IPv6 address.
    var address: IPAddress {
        guard let address = IPAddress(parsing: self) else { preconditionFailure("\(self) is not an address") }
        return address
    }
}
