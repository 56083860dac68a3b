import CheckModel
import ErrorCatalogue
import NetworkTypes

@testable import Diagnosis

/// Results of checks for the tests.
enum Sample {
    static let address = IPAddress(parsing: "10.0.0.7") ?? .v4(IPv4Address(bits: 0))
    static let endpoint = IPEndpoint(address: address, port: 5432)

    static func target(_ text: String = "10.0.0.7:5432") throws -> Target { try Target(parsing: text) }

    static func subject(_ text: String = "10.0.0.7:5432") throws -> DiagnosisSubject {
        DiagnosisSubject(try target(text))
    }

    static var connected: CheckResult { result(.connected, .done, nil) }

    static var silent: CheckResult {
        result(
            .failed(.timeout), .connect,
            Classifier.deadlineReport(in: Circumstances(phase: .connect, transport: .tcp)))
    }

    static func unsent(_ reason: UnsentSYN) -> CheckResult {
        let report = Classifier.deadlineReport(in: Circumstances(phase: .connect, transport: .tcp))
        return result(.failed(.timeout), .connect, report, unsent: reason)
    }

    static func failed(_ errno: Int32, _ phase: Phase = .connect) -> CheckResult {
        let report = Classifier.report(for: Errno(errno), in: Circumstances(phase: phase, transport: .tcp))
        return result(.failed(report.errorClass), phase, report)
    }

    static func result(
        _ outcome: Outcome, _ phase: Phase, _ error: ErrorReport?, resolution: Resolution? = nil,
        icmp: (message: ICMPMessage, sender: ICMPSender)? = nil, unsent: UnsentSYN? = nil
    ) -> CheckResult {
        var attempt = AttemptResult(endpoint: .ip(endpoint), outcome: outcome, phase: phase, startNanoseconds: 0)
        attempt.error = error
        attempt.durationNanoseconds = 2_000_000_000
        attempt.icmp = icmp?.message
        attempt.icmpSender = icmp?.sender ?? .intermediate
        var information = TCPInformation(
            synRetransmits: 2, rttMicroseconds: 0, rttVarianceMicroseconds: 0, retransmits: 0, sendMSS: 536,
            pathMTU: 1500)
        if let unsent { information.noteUnsent(unsent) }
        attempt.tcpInformation = information
        return CheckResult(
            ok: error == nil, outcome: outcome, phase: phase, error: error,
            attempts: phase == .resolve ? [] : [attempt], resolution: resolution, timings: Timings(),
            startedAtNanoseconds: 0)
    }

    static func record(_ check: CheckResult, _ text: String = "10.0.0.7:5432") throws -> DiagnosisRecord {
        DiagnosisRecord(request: CheckRequest(target: try target(text)), check: check)
    }
}
