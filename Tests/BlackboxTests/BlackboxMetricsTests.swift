@testable import Blackbox
import CheckEngine
import CheckModel
import Configuration
import ErrorCatalogue
import Glibc
import Metrics
import NetworkTypes
import Testing

@Suite struct BlackboxMetricsTests {
    private static let refused = Classifier.report(
        for: Errno(ECONNREFUSED), in: Circumstances(phase: .connect, transport: .tcp))

    @Test func `a success has the metrics of blackbox_exporter, and more`() throws {
        let probe = try probe("127.0.0.1:80")
        #expect(
            samples(of: result(attempt("127.0.0.1")), probe) == [
                "probe_dns_lookup_time_seconds 0.002", "probe_duration_seconds 0.006", "probe_failed_due_to_bytes 0",
                "probe_failed_due_to_regex 0", "probe_ip_addr_hash 3668918509", "probe_ip_protocol 4",
                #"probe_phase_duration_seconds{phase="connect"} 0.003"#,
                #"probe_phase_duration_seconds{phase="dialog"} 0.0"#,
                #"probe_phase_duration_seconds{phase="queue"} 0.001"#,
                #"probe_phase_duration_seconds{phase="resolve"} 0.002"#,
                #"probe_phase_duration_seconds{phase="tls"} 0.0"#, "probe_success 1", "probe_timeout_seconds 2",
            ])
    }

    @Test func `a failure has its outcome and reason`() throws {
        let failed = result(attempt("::1", error: Self.refused, in: .connect))
        let found = samples(of: failed, try probe("[::1]:80"))
        #expect(found.contains("probe_success 0") && found.contains("probe_ip_protocol 6"))
        #expect(
            found.contains(
                #"probe_failure_info{phase="connect",outcome="refused",errno="ECONNREFUSED",class="refused",fault="target"} 1"#
            ))
    }

    @Test func `a denial reveals nothing about the target`() throws {
        let probe = try probe("db.example:80")
        let request = try #require(probe.preparing(now: 0).request)
        let found = samples(of: .denied(request, startedAtNanoseconds: 0), probe)
        #expect(
            found == [
                "probe_dns_lookup_time_seconds 0", "probe_duration_seconds 0", "probe_failed_due_to_bytes 0",
                "probe_failed_due_to_regex 0",
                #"probe_failure_info{phase="policy",outcome="denied",errno="DENIED",class="denied",fault="request",reason="Denied by policy"} 1"#,
                "probe_ip_addr_hash 0", "probe_ip_protocol 0",
                #"probe_phase_duration_seconds{phase="connect"} 0.0"#,
                #"probe_phase_duration_seconds{phase="dialog"} 0.0"#,
                #"probe_phase_duration_seconds{phase="queue"} 0.0"#,
                #"probe_phase_duration_seconds{phase="resolve"} 0.0"#,
                #"probe_phase_duration_seconds{phase="tls"} 0.0"#, "probe_success 0", "probe_timeout_seconds 2",
            ])
    }

    @Test func `an invalid target has no address, as in blackbox_exporter`() throws {
        let probe = try probe("noport")
        guard case .failed(let result) = probe.preparing(now: 0) else {
            Issue.record("was prepared")
            return
        }
        let found = samples(of: result, probe)
        #expect(found.contains("probe_success 0") && found.contains("probe_failed_due_to_regex 0"))
        #expect(!found.contains { $0.hasPrefix("probe_ip") || $0.hasPrefix("probe_dns") })
        #expect(found.contains { $0.contains(#"outcome="invalid""#) })
    }

    @Test(
        arguments: [
            // The samples of blackbox_exporter 0.23.
            ("127.0.0.1:0", true), ("db.example:", true), ("db.example:70000", true), ("db.example:nosuch", true),
            ("http://a.example", true), ("u@a.example:1", true), (":1", true), ("unix:/run/x.sock", true),
            ("http://a.example:80", false), ("u:p@a.example:1", false), ("a.example", false), ("[::1]", false),
            ("[::1", false), ("[::1]x:80", false), ("::1:80", false), ("/run/x.sock", false),
        ])
    func `an invalid target has metrics of its host if Go finds one`(target: String, hasHost: Bool) throws {
        var probe = try probe(target)
        var failed: CheckResult
        switch probe.prepare(now: 0) {
        case .failed(let result): failed = result
        case .check(let check):
            guard case .tcp(_, port: 0) = check.request.target.peer else {
                Issue.record("\(check.request.target.peer) would be connected to")
                return
            }
            let error = Classifier.report(for: OwnError.invalid)
            failed = CheckResult(
                ok: false, outcome: .failed(.invalid), phase: .policy, error: error, attempts: [], resolution: nil,
                timings: Timings(), startedAtNanoseconds: 0)
        }
        let found = samples(of: failed, probe)
        for name in ["probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash"] {
            #expect(found.contains { $0.hasPrefix(name) } == hasHost, "\(name)")
        }
        let info = try #require(found.first { $0.hasPrefix("probe_failure_info") })
        #expect(info.contains(#"class="invalid""#) && info.contains(#"reason=""#) && !info.contains(#"reason="""#))
        let flaw = try #require(probe.flaw)
        let log = BlackboxLog(report: BlackboxReport(probe: probe, result: failed)).text()
        #expect(info.contains(flaw.prefix(12)) && log.contains(flaw.prefix(12)))
    }

    @Test func `an association without an answer is not a success`() throws {
        var attempt = attempt("127.0.0.1")
        attempt.outcome = .associated
        let found = samples(of: result(attempt), try probe("udp://127.0.0.1:9"))
        #expect(found.contains("probe_success 0"))
        #expect(
            found.contains {
                $0.hasPrefix(#"probe_failure_info{phase="done",outcome="associated",reason="not verified"#)
            })
    }

    @Test func `a mapped address counts as IPv4, as in Go`() throws {
        let found = samples(of: result(attempt("::ffff:127.0.0.1")), try probe("[::ffff:127.0.0.1]:80"))
        #expect(found.contains("probe_ip_protocol 4") && found.contains("probe_ip_addr_hash 3668918509"))
    }

    @Test func `the prober unix has no address metrics`() throws {
        var attempt = AttemptResult(
            endpoint: .unix(.path(Array("/x".utf8))), outcome: .connected, phase: .done, startNanoseconds: 0)
        attempt.durationNanoseconds = 1
        let found = samples(of: result(attempt), try probe("/x", prober: .unix))
        #expect(found.contains("probe_success 1"))
        #expect(!found.contains { $0.hasPrefix("probe_ip") || $0.hasPrefix("probe_dns") })
    }

    // MARK: Expectations

    private func failing(_ error: OwnError, _ step: DialogStepReport) -> CheckResult {
        let report = Classifier.report(for: error)
        return result(
            attempt("127.0.0.1", error: report, in: .dialog), dialog: DialogReport(steps: [step], failedStep: 0))
    }

    private func step(_ kind: DialogStepReport.Kind, detail: String? = nil) -> DialogStepReport {
        DialogStepReport(
            kind: kind, ok: false, durationNanoseconds: 0, bytes: 2, received: Array("x\n".utf8), detail: detail)
    }

    @Test func `a pattern fails at EOF, but not at the deadline`() throws {
        let probe = try probe("127.0.0.1:80")
        let ended = samples(of: failing(.dialogClosed, step(.expect)), probe)
        #expect(ended.contains("probe_failed_due_to_regex 1") && ended.contains("probe_failed_due_to_bytes 0"))
        #expect(samples(of: failing(.dialogMismatch, step(.expect)), probe).contains("probe_failed_due_to_regex 0"))
    }

    @Test func `expected bytes fail if other bytes arrive`() throws {
        let probe = try probe("127.0.0.1:80")
        let others = samples(of: failing(.dialogMismatch, step(.expectHex, detail: "others")), probe)
        #expect(others.contains("probe_failed_due_to_bytes 1") && others.contains("probe_failed_due_to_regex 0"))
        #expect(samples(of: failing(.dialogClosed, step(.expectHex)), probe).contains("probe_failed_due_to_bytes 0"))
    }

    @Test func `each label of expectations occurs once`() throws {
        var met = step(.expect)
        met.ok = true
        met.labels = [Label(name: "version", value: "2.0"), Label(name: "host", value: "a\"b\\\n")]
        let found = samples(
            of: result(attempt("127.0.0.1"), dialog: DialogReport(steps: [met, met])), try probe("127.0.0.1:80"))
        #expect(
            found.filter { $0.hasPrefix("probe_expect_info") } == [
                #"probe_expect_info{version="2.0",host="a\"b\\\n"} 1"#
            ])
    }

    // MARK: Addresses

    @Test func `every address has a sample if several were requested`() throws {
        let attempts = [attempt("10.0.0.1", error: Self.refused, in: .connect), attempt("10.0.0.2")]
        let result = CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: attempts, resolution: nil,
            timings: Timings(), startedAtNanoseconds: 0)
        let all = samples(of: result, try probe("a.example:80") { _, query in query.addresses = .first })
        #expect(
            all.prefix(2) == [
                #"probe_address_success{address="10.0.0.1"} 0"#, #"probe_address_success{address="10.0.0.2"} 1"#,
            ])
        #expect(all.contains("probe_ip_addr_hash \(AddressHash.of("10.0.0.2".address))"))
        #expect(!samples(of: result, try probe("a.example:80")).contains { $0.hasPrefix("probe_address") })
    }

    @Test(
        arguments: [
            ("127.0.0.1", 3_668_918_509), ("::1", 1_751_717_746), ("::ffff:127.0.0.1", 3_668_918_509),
            ("0.0.0.0", 1_268_118_805),
        ] as [(String, UInt32)])
    func `an address is hashed by its bytes`(address: String, hash: UInt32) {
        #expect(AddressHash.of(address.address) == hash)
    }

    // MARK: TLS

    private func certificate(_ notAfter: Int64?) -> CertificateReport {
        CertificateReport(
            subject: "CN=a.example,O=Org\\, Inc.,C=DE", issuer: "CN=ca",
            subjectAlternativeNames: [
                "DNS:a.example", "IP:10.0.0.1", "DNS:b.example",
            ], furtherNamesCount: 0, serial: "a1", notBefore: 0, notAfter: notAfter, expiresInSeconds: 1,
            sha256: "ab", publicKeySHA256: "cd", keyType: "EC", keyBits: 256, signatureAlgorithm: "x")
    }

    private func tls(isVerified: Bool) -> TLSReport {
        var report = TLSReport()
        report.version = "TLSv1.2"
        report.chain = [certificate(2_000_000_000), certificate(1_900_000_000)]
        report.isVerified = isVerified
        report.verifiedChain = [certificate(2_000_000_000), certificate(2_100_000_000)]
        return report
    }

    @Test func `an invalid expiry date sorts first`() throws {
        var report = tls(isVerified: false)
        report.chain.append(certificate(nil))
        let result = CheckResult(
            ok: true, outcome: .connected, phase: .done, error: nil, attempts: [], resolution: nil,
            reports: [.tls(report)],
            timings: Timings(), startedAtNanoseconds: 0)
        let samples = samples(of: result, try probe("a.example:80"))
        #expect(samples.contains("probe_ssl_earliest_cert_expiry -62135596800.0"))
    }

    @Test func `certificates have their metrics`() throws {
        let found = samples(of: result(attempt("127.0.0.1"), tls: tls(isVerified: true)), try probe("127.0.0.1:80"))
        #expect(found.contains("probe_ssl_earliest_cert_expiry 1900000000"))
        #expect(found.contains("probe_ssl_last_chain_expiry_timestamp_seconds 2000000000"))
        #expect(
            found.contains(
                #"probe_ssl_last_chain_info{fingerprint_sha256="ab",issuer="CN=ca",serialnumber="a1","#
                    + #"subject="CN=a.example,O=Org\\, Inc.,C=DE",subjectalternative="a.example,b.example"} 1"#))
        #expect(found.contains(#"probe_tls_version_info{version="TLS 1.2"} 1"#))
    }

    @Test func `certificates have metrics even if verification failed`() throws {
        let error = Classifier.report(for: TLSHandshakeFailure(.certificateExpired))
        let failed = result(attempt("127.0.0.1", error: error, in: .tls), tls: tls(isVerified: false))
        let found = samples(of: failed, try probe("127.0.0.1:80"))
        #expect(found.contains("probe_ssl_earliest_cert_expiry 1900000000"))
        #expect(found.contains("probe_ssl_last_chain_expiry_timestamp_seconds -62135596800.0"))
        #expect(found.contains { $0.contains(#"errno="CERT_EXPIRED""#) })
    }

    @Test(
        arguments: [
            ("x25519", "X25519", "29"), ("secp256r1", "CurveP256", "23"), ("secp384r1", "CurveP384", "24"),
            ("secp521r1", "CurveP521", "25"), ("X25519MLKEM768", "X25519MLKEM768", "4588"),
            ("x448", "x448", "30"), ("ffdhe2048", "ffdhe2048", "256"),
        ])
    func `a group has Go's name and its number`(group: String, name: String, id: String) throws {
        var report = tls(isVerified: true)
        report.group = group
        report.cipher = "ECDHE-RSA-AES128-GCM-SHA256"
        report.cipherStandardName = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        let found = samples(of: result(attempt("127.0.0.1"), tls: report), try probe("127.0.0.1:80"))
        #expect(found.contains(#"probe_tls_cipher_info{cipher="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"} 1"#))
        #expect(found.contains(#"probe_tls_group_info{group="\#(name)",id="\#(id)"} 1"#))
    }

    @Test(arguments: [nil, "dh2048"]) func `without a group there is no group metric`(group: String?) throws {
        var report = tls(isVerified: true)
        report.group = group
        let found = samples(of: result(attempt("127.0.0.1"), tls: report), try probe("127.0.0.1:80"))
        #expect(!found.contains { $0.hasPrefix("probe_tls_group_info") || $0.hasPrefix("probe_tls_cipher_info") })
    }

    @Test func `OpenMetrics has the same samples`() throws {
        let report = BlackboxReport(probe: try probe("127.0.0.1:80"), result: result(attempt("127.0.0.1")))
        let text = BlackboxMetrics(report: report, format: .openMetrics).text()
        #expect(samples(text) == samples(of: report.result, report.probe))
        #expect(String(decoding: text, as: UTF8.self).hasSuffix("\n# EOF\n"))
    }
}
