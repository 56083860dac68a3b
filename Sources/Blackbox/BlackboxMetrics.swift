internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import ErrorCatalogue
internal import Metrics
internal import NetworkTypes

/// The metrics of a probe, families sorted by name, with the names and help texts of blackbox_exporter.
struct BlackboxMetrics {
    let report: BlackboxReport
    private var writer: ExpositionWriter

    init(report: BlackboxReport, format: ExpositionFormat) {
        self.report = report
        writer = ExpositionWriter(format: format)
    }

    private var result: CheckResult { report.result }
    private var isInternet: Bool { report.probe.module.prober == .tcp && report.hasHost }

    consuming func text() -> [UInt8] {
        writeAddresses()
        if isInternet {
            gauge(
                "probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds",
                Self.seconds(result.timings[.resolve]))
        }
        gauge(
            "probe_duration_seconds", "Returns how long the probe took to complete in seconds",
            Self.seconds(report.durationNanoseconds))
        writeExpectations()
        writeFailure()
        if isInternet { writeAddress() }
        writePhases()
        writeCertificates()
        gauge("probe_success", "Displays whether or not the probe was a success", report.isSuccess ? 1 : 0)
        if let microseconds = report.decisiveAttempt?.tcpInformation?.rttMicroseconds, microseconds > 0 {
            gauge(
                "probe_tcp_rtt_seconds", "The kernel's estimate of the round-trip time of the connection",
                Double(microseconds) / 1e6)
        }
        if let attempt = report.decisiveAttempt, let retransmits = attempt.tcpInformation?.synRetransmits {
            gauge(
                "probe_tcp_syn_retransmits", "How often the SYN of the connection was sent again",
                Double(retransmits))
        }
        gauge(
            "probe_timeout_seconds", "Returns how long the probe timeout is in seconds", report.probe.timeout.seconds)
        writeHandshake()
        if let trace = result.trace { writeTrace(trace) }
        return writer.finish()
    }

    // MARK: Addresses

    /// Writes one sample for each address, if the probe may try several.
    private mutating func writeAddresses() {
        guard report.probe.query.addresses != nil, !result.attempts.isEmpty else { return }
        family("probe_address_success", "Whether each address that was tried connected")
        for attempt in result.attempts {
            guard let address = attempt.endpoint.internetAddress else { continue }
            writer.sample(
                "probe_address_success", [("address", address.text)], UInt64(attempt.outcome.isSuccess ? 1 : 0))
        }
    }

    private mutating func writeAddress() {
        gauge(
            "probe_ip_addr_hash",
            "Specifies the hash of IP address. It's useful to detect if the IP address changes.",
            Double(report.address.map(AddressHash.of) ?? 0))
        let version: Double =
            switch report.address?.familyInGo {
            case .ipv4: 4
            case .ipv6: 6
            case nil: 0
            }
        gauge("probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", version)
    }

    // MARK: What failed, and how long it took

    private mutating func writeExpectations() {
        var written: [[Label]] = []
        for labels in result.dialog?.steps.map(\.labels) ?? [] where !labels.isEmpty && !written.contains(labels) {
            if written.isEmpty { family("probe_expect_info", "Explicit content matched") }
            written.append(labels)
            writer.sample("probe_expect_info", labels.map { ($0.name, $0.value) }, UInt64(1))
        }
        gauge("probe_failed_due_to_bytes", "Indicates if probe failed due to bytes", report.failedDueToBytes ? 1 : 0)
        gauge("probe_failed_due_to_regex", "Indicates if probe failed due to regex", report.failedDueToRegex ? 1 : 0)
    }

    private mutating func writeFailure() {
        guard !report.isSuccess else { return }
        family("probe_failure_info", "Why the probe failed: in which phase, by which error, and on whose side")
        var labels = [("phase", result.phase.rawValue), ("outcome", result.outcome.word)]
        if let error = result.error {
            labels += [
                ("errno", error.name), ("class", error.errorClass.rawValue), ("fault", error.fault.rawValue),
            ]
        }
        if let reason = report.reason { labels.append(("reason", reason)) }
        writer.sample("probe_failure_info", labels, UInt64(1))
    }

    /// In the order of their names, as blackbox_exporter writes label values. A probe never holds its connection.
    private static let phases = TimedPhase.inOrder.filter { $0 != .total && $0 != .hold }.sorted { $0.name < $1.name }

    private mutating func writePhases() {
        family("probe_phase_duration_seconds", "How long each phase of the probe took in seconds")
        for phase in Self.phases {
            writer.sample(
                "probe_phase_duration_seconds", [("phase", phase.name)], Self.seconds(result.timings[phase]))
        }
    }

    // MARK: TLS

    /// Also after a failed verification: that is when they are needed.
    private mutating func writeCertificates() {
        guard let tls = result.tls, let leaf = tls.chain.first else { return }
        // An invalid end is Go's zero time, so that alerts on expiring certificates fire.
        let earliest = tls.chain.map { $0.notAfter ?? Self.goZeroTime }.min() ?? Self.goZeroTime
        gauge("probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime", Double(earliest))
        // Without a verified chain, blackbox_exporter writes Go's zero time.
        let isVerified = tls.isVerified && !report.probe.module.tls.skipsVerification
        let last = isVerified ? tls.longestChainEnd ?? tls.verifiedChain?.compactMap(\.notAfter).min() : nil
        gauge(
            "probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp",
            Double(last ?? Self.goZeroTime))
        family("probe_ssl_last_chain_info", "Contains SSL leaf certificate information")
        let names = leaf.subjectAlternativeNames.filter { $0.hasPrefix("DNS:") }.map { $0.dropFirst(4) }
        writer.sample(
            "probe_ssl_last_chain_info",
            [
                ("fingerprint_sha256", leaf.sha256), ("issuer", leaf.issuer), ("serialnumber", leaf.serial),
                ("subject", leaf.subject), ("subjectalternative", names.joined(separator: ",")),
            ], UInt64(1))
    }

    /// What the handshake negotiated: suite, group and version, each only if it is known.
    private mutating func writeHandshake() {
        guard let tls = result.tls else { return }
        if let cipher = tls.cipherStandardName ?? tls.cipher {
            family("probe_tls_cipher_info", "Returns the TLS cipher negotiated during handshake")
            writer.sample("probe_tls_cipher_info", [("cipher", cipher)], UInt64(1))
        }
        if let group = tls.group.flatMap(GoTLSGroup.init(ofReport:)) {
            family("probe_tls_group_info", "Returns the TLS group negotiated during handshake")
            writer.sample("probe_tls_group_info", [("group", group.name), ("id", "\(group.id)")], UInt64(1))
        }
        if let version = tls.version.flatMap(Self.versionText) {
            family("probe_tls_version_info", "Returns the TLS version used or NaN when unknown")
            writer.sample("probe_tls_version_info", [("version", version)], UInt64(1))
        }
    }

    // MARK: Trace

    private mutating func writeTrace(_ trace: TraceReport) {
        let last = trace.lastAnswer
        gauge(
            "probe_trace_hops", "The number of hops up to the last one that answered", Double(last?.ttl ?? 0))
        if let from = last?.from, !report.probe.hidesPath {
            family("probe_trace_last_answer_info", "The last hop that answered the trace")
            writer.sample("probe_trace_last_answer_info", [("address", from.text)], UInt64(1))
        }
        if let mtu = trace.mtu {
            gauge("probe_trace_mtu_bytes", "The smallest path MTU that a router reported", Double(mtu.value))
        }
        gauge("probe_trace_reached", "Whether the target itself answered the trace", trace.reached ? 1 : 0)
        family("probe_trace_stop_info", "Why the trace ended")
        writer.sample("probe_trace_stop_info", [("stop", trace.stop.rawValue)], UInt64(1))
    }

    /// 0001-01-01T00:00:00Z.
    private static let goZeroTime: Int64 = -62_135_596_800

    private static func versionText(_ version: String) -> String? {
        switch version {
        case "TLSv1": "TLS 1.0"
        case "TLSv1.1": "TLS 1.1"
        case "TLSv1.2": "TLS 1.2"
        case "TLSv1.3": "TLS 1.3"
        case _: nil
        }
    }

    // MARK: Writing

    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }

    private mutating func family(_ name: String, _ help: String) { writer.family(name, .gauge, help: help) }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, help)
        if value == value.rounded(), abs(value) < 1e15, value >= 0 {
            writer.sample(name, [], UInt64(value))
        } else {
            writer.sample(name, [], value)
        }
    }
}

/// A probe with its result: the source of metrics and logs.
struct BlackboxReport: Sendable {
    let probe: BlackboxProbe
    let result: CheckResult

    /// A UDP association alone is not a success, because the peer did not answer.
    var isSuccess: Bool { result.ok && !isUnverified }

    private var isUnverified: Bool { result.outcome == .associated }

    /// Why the probe failed, as a text to act on; nil if the error's name is enough.
    var reason: String? {
        if isSuccess { return nil }
        if isUnverified { return "not verified: no answer was waited for; give the module a query_response" }
        guard let error = result.error else { return nil }
        switch error.errorClass {
        // A denial does not depend on the target.
        case .denied: return error.message
        case .invalid: return probe.flaw ?? error.message
        case _: return probe.flaw
        }
    }

    /// Excludes the wait for a permit.
    var durationNanoseconds: Int64 { max(result.timings[.total] - result.timings[.queue], 0) }

    /// Whether blackbox_exporter would have resolved the target's host, which it does before it checks the port.
    var hasHost: Bool {
        result.error?.name != OwnError.invalid.rawValue || GoHostPort(probe.query.target) != nil
    }

    /// The decisive attempt: the successful one, else the one with the check's error, else the first.
    var decisiveAttempt: AttemptResult? {
        result.attempts.first { $0.outcome.isSuccess }
            ?? result.attempts.first { $0.error == result.error && $0.phase == result.phase }
            ?? result.attempts.first
    }

    /// The address that was probed, or would have been probed.
    var address: IPAddress? {
        decisiveAttempt?.endpoint.internetAddress ?? result.resolution?.addresses.first
    }

    /// Whether the failed step expected lines, and the peer closed without a match. As in blackbox_exporter, a timeout
    /// is not a failed pattern.
    var failedDueToRegex: Bool {
        guard failedStep?.kind == .expect else { return false }
        return result.error?.name == OwnError.dialogClosed.rawValue
    }

    /// Whether the failed step expected bytes and got others.
    var failedDueToBytes: Bool { failedStep?.kind == .expectHex && failedStep?.detail != nil }

    private var failedStep: DialogStepReport? {
        guard let dialog = result.dialog, let index = dialog.failedStep, dialog.steps.indices.contains(index) else {
            return nil
        }
        return dialog.steps[index]
    }
}

/// A key exchange group with the name and number of Go's `tls.CurveID`.
struct GoTLSGroup: Equatable {
    let name: String
    /// The code point in IANA's registry "TLS Supported Groups".
    let id: Int

    init(name: String, id: Int) {
        self.name = name
        self.id = id
    }

    /// - Parameter name: the group's name in a TLS report.
    /// - Returns: nil for a group without a code point, such as custom parameters of a TLS 1.2 server.
    init?(ofReport name: String) {
        guard let group = Self.groups[name.lowercased()] else { return nil }
        self = group
    }

    /// The groups by IANA's names in lower case. Go does not have the numbered ones; they keep IANA's names.
    private static let groups: [String: GoTLSGroup] = {
        var groups: [String: GoTLSGroup] = [
            "secp256r1": GoTLSGroup(name: "CurveP256", id: 23), "prime256v1": GoTLSGroup(name: "CurveP256", id: 23),
            "secp384r1": GoTLSGroup(name: "CurveP384", id: 24), "secp521r1": GoTLSGroup(name: "CurveP521", id: 25),
            "x25519": GoTLSGroup(name: "X25519", id: 29),
            "secp256r1mlkem768": GoTLSGroup(name: "SecP256r1MLKEM768", id: 4587),
            "x25519mlkem768": GoTLSGroup(name: "X25519MLKEM768", id: 4588),
            "secp384r1mlkem1024": GoTLSGroup(name: "SecP384r1MLKEM1024", id: 4589),
        ]
        let numbered: [(name: String, id: Int)] = [
            ("secp224r1", 21), ("secp256k1", 22), ("brainpoolp256r1", 26), ("brainpoolp384r1", 27),
            ("brainpoolp512r1", 28), ("x448", 30), ("brainpoolp256r1tls13", 31), ("brainpoolp384r1tls13", 32),
            ("brainpoolp512r1tls13", 33), ("ffdhe2048", 256), ("ffdhe3072", 257), ("ffdhe4096", 258),
            ("ffdhe6144", 259), ("ffdhe8192", 260), ("mlkem512", 512), ("mlkem768", 513), ("mlkem1024", 514),
        ]
        for (name, id) in numbered { groups[name] = GoTLSGroup(name: name, id: id) }
        return groups
    }()
}

/// FNV-1a of 32 bits (RFC 9923, formerly draft-eastlake-fnv): the hash of an address in `probe_ip_addr_hash`.
enum AddressHash {
    /// Hashes the 4 or 16 bytes of the address; an address in ::ffff:0:0/96 is hashed as IPv4.
    static func of(_ address: IPAddress) -> UInt32 {
        switch address {
        case .v4(let address): hash(address.bits, bytes: 4)
        case .v6(let address) where address.bits >> 32 == 0xFFFF:
            hash(UInt32(truncatingIfNeeded: address.bits), bytes: 4)
        case .v6(let address): hash(address.bits, bytes: 16)
        }
    }

    private static func hash(_ bits: some FixedWidthInteger, bytes count: Int) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in (0..<count).reversed() {
            hash = (hash ^ UInt32(UInt8(truncatingIfNeeded: bits >> (8 * index)))) &* 0x0100_0193
        }
        return hash
    }
}
