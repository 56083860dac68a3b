import CheckModel
import ErrorCatalogue
import NetworkTypes

/// Results like those of the engine, for tests of their reports.
enum Results {
    static let target = "tcp://192.0.2.1:80"

    static func request(_ text: String = target) throws -> CheckRequest {
        CheckRequest(target: try Target(parsing: text))
    }

    static func associated() -> CheckResult {
        CheckResult(
            ok: true, outcome: .associated, phase: .done, error: nil, attempts: [], resolution: nil,
            timings: timings(100), startedAtNanoseconds: 0)
    }

    /// - Parameter expiring: one certificate of the chain for each, in seconds from now; nil for an unreadable expiry
    /// date. An empty list means no handshake.
    /// - Parameter verified: the same for the verified chain; nil if it was not verified.
    /// - Parameter beginning: the start of each certificate's validity, in seconds from now.
    static func connected(
        microseconds: Int64 = 341, expiring: [Int64?] = [], verified: [Int64?]? = nil, beginning: Int64 = 0
    ) -> CheckResult {
        CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: [], resolution: nil,
            reports: expiring.isEmpty ? [] : [.tls(handshake(expiring, verified, beginning))],
            timings: timings(microseconds),
            startedAtNanoseconds: 0)
    }

    static func failed(_ name: String, phase: Phase = .connect, fault: Fault? = nil) throws -> CheckResult {
        guard let entry = ErrnoCatalogue.entry(named: name) else { throw UnknownName() }
        let usual = entry.report
        let error = ErrorReport(
            errno: usual.errno, name: usual.name, errorClass: usual.errorClass, fault: fault ?? usual.fault,
            source: usual.source, message: usual.message, hint: usual.hint, retryable: usual.retryable)
        return CheckResult(
            ok: false, outcome: .failed(error.errorClass), phase: phase, error: error, attempts: [], resolution: nil,
            timings: timings(100), startedAtNanoseconds: 0)
    }

    struct UnknownName: Error {}

    private static func timings(_ microseconds: Int64) -> Timings {
        var timings = Timings()
        timings[.total] = microseconds * 1000
        return timings
    }

    private static func handshake(_ expiring: [Int64?], _ verified: [Int64?]?, _ beginning: Int64) -> TLSReport {
        var report = TLSReport()
        report.chain = certificates(expiring, beginning)
        report.verifiedChain = verified.map { certificates($0, beginning) }
        return report
    }

    private static func certificates(_ expiring: [Int64?], _ beginning: Int64) -> [CertificateReport] {
        expiring.map { seconds in
            CertificateReport(
                subject: "CN=a", issuer: "CN=b", subjectAlternativeNames: [], furtherNamesCount: 0, serial: "01",
                notBefore: beginning, notAfter: seconds, expiresInSeconds: seconds, sha256: "", publicKeySHA256: "",
                keyType: "EC", keyBits: 256, signatureAlgorithm: "")
        }
    }
}
