internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
internal import HTTPServer
internal import Metrics

/// `/metrics`.
enum MetricsResource {
    static func text(_ head: RequestHead, _ parts: ServiceParts, under settings: ServiceSettings) throws(Problem)
        -> Response
    {
        try QueryRule.acceptNone(head)
        guard parts.metricsPace.admits(head.purpose) else {
            throw Problem(.overloaded, "too many requests for the metrics", headers: [Problem.retryAfter])
        }
        let document = MetricsDocument(
            metrics: parts.metrics, pool: parts.pool, batchCount: parts.draining.batchCount, memory: parts.memory,
            connections: parts.connections, clientRefusals: parts.clientJournal.refusalCounts,
            monitors: parts.monitors.monitors,
            version: parts.version, certificateExpiry: settings.certificateExpiry, extensions: settings.extensions)
        let format = ExpositionFormat(accept: head.header("accept"))
        let text = try parts.documents.lend { () throws(Problem) in document.text(in: format) }
        return ResponseFactory.text(sharing: text, as: format.contentType)
    }
}

/// The text of `/metrics`. Every label has a bounded set of values. Client input is never a label, except names in
/// certificates that a configured CA signed.
struct MetricsDocument {
    let metrics: ServiceMetrics
    let pool: WorkerPool
    /// Batches that run.
    let batchCount: Int
    let memory: MemoryBudget
    let connections: ConnectionCount
    let clientRefusals: [ClientLimit: UInt64]
    let monitors: [CheckEngine.Monitor]
    let version: String
    /// Seconds since 1970; nil without HTTPS.
    let certificateExpiry: Int64?
    let extensions: [any ServiceExtension]

    func text(in format: ExpositionFormat) -> [UInt8] {
        var writer = ExpositionWriter(format: format)
        writer.family("connectd_build_info", .gauge, help: "Always 1; the label is the version of connectd.")
        writer.sample("connectd_build_info", [("version", version)], UInt64(1))
        writeChecks(metrics.checks, to: &writer)
        writeLoad(to: &writer)
        writeMemory(to: &writer)
        writeRefusals(to: &writer)
        writeClients(to: &writer)
        writeMonitors(to: &writer)
        writeCertificate(to: &writer)
        for added in extensions { added.writeMetrics(to: &writer) }
        ProcessMetrics.write(to: &writer)
        return writer.finish()
    }

    private func writeChecks(_ checks: CheckCounts, to writer: inout ExpositionWriter) {
        writer.family("connectd_checks_total", .counter, help: "Checks, by outcome and fault.")
        // Outcomes that have not happened are 0, so that the first failure is an increase.
        let usual = Outcome.all.map { CheckCounts.OutcomeLabels(outcome: $0, fault: Self.usualFault(of: $0)) }
        let counted = checks.outcomes
        let outcomes = Set(usual).union(counted.keys).map { ($0, counted[$0] ?? 0) }
        for (labels, count) in outcomes.sorted(by: { Self.order($0.0) < Self.order($1.0) }) {
            writer.sample("connectd_checks_total", Self.pairs(of: labels), count)
        }
        writer.family(
            "connectd_check_duration_seconds", .histogram, help: "Duration of each check phase, in seconds.")
        for phase in TimedPhase.inOrder {
            writer.histogram(
                "connectd_check_duration_seconds", [("phase", phase.name)], checks.durations(of: phase))
        }
        writer.family("connectd_dns_lookups_total", .counter, help: "DNS lookups, by result.")
        let answers = checks.lookups.merging(["ok": 0]) { count, _ in count }
        for (result, count) in answers.sorted(by: { $0.key < $1.key }) {
            writer.sample("connectd_dns_lookups_total", [("result", result)], count)
        }
    }

    private static func pairs(of labels: CheckCounts.OutcomeLabels) -> ExpositionWriter.Labels {
        [("outcome", labels.outcome.word), ("fault", labels.fault?.rawValue ?? "none")]
    }

    private static func order(_ labels: CheckCounts.OutcomeLabels) -> String {
        "\(labels.outcome.isSuccess ? 0 : 1) \(labels.outcome.word) \(labels.fault?.rawValue ?? "")"
    }

    private static func usualFault(of outcome: Outcome) -> Fault? {
        guard case .failed(let errorClass) = outcome else { return nil }
        return ErrnoCatalogue.entries.first { $0.errorClass == errorClass }?.fault ?? .prober
    }

    private func writeLoad(to writer: inout ExpositionWriter) {
        writer.family("connectd_in_flight", .gauge, help: "Checks in flight.")
        writer.sample("connectd_in_flight", [], UInt64(pool.admission.inFlight))
        writer.family("connectd_in_flight_limit", .gauge, help: "Limit of checks in flight.")
        writer.sample("connectd_in_flight_limit", [], UInt64(pool.admission.limit))
        writer.family("connectd_queue_length", .gauge, help: "Checks waiting in the queue.")
        writer.sample("connectd_queue_length", [], UInt64(pool.admission.queued))
        writer.family("connectd_queue_limit", .gauge, help: "Limit of checks in the queue.")
        writer.sample("connectd_queue_limit", [], UInt64(pool.admission.queueLimit))
        writer.family("connectd_batches_running", .gauge, help: "Batches that are running.")
        writer.sample("connectd_batches_running", [], UInt64(batchCount))
        writer.family("connectd_connections", .gauge, help: "Open connections of clients.")
        writer.sample("connectd_connections", [], UInt64(clamping: connections.value))
        writer.family("connectd_connections_limit", .gauge, help: "Limit of open connections of clients.")
        writer.sample("connectd_connections_limit", [], UInt64(clamping: connections.limit))
        writer.family("connectd_workers", .gauge, help: "Worker threads.")
        writer.sample("connectd_workers", [], UInt64(pool.workers.count))
    }

    private func writeMemory(to writer: inout ExpositionWriter) {
        writer.family(
            "connectd_client_memory_bytes", .gauge, help: "Memory held for clients, by use, in bytes.")
        for use in MemoryBudget.Use.allCases {
            writer.sample(
                "connectd_client_memory_bytes", [("use", use.rawValue)], UInt64(clamping: memory.heldBytes(by: use)))
        }
        let checks = pool.admission.memory
        writer.sample("connectd_client_memory_bytes", Self.useOfChecks, UInt64(clamping: checks.heldBytes))
        writer.family(
            "connectd_client_memory_limit_bytes", .gauge, help: "Limit of the memory held for all clients, in bytes.")
        let (limit, isLarge) = memory.limitBytes.addingReportingOverflow(checks.limitBytes)
        writer.sample("connectd_client_memory_limit_bytes", [], UInt64(isLarge ? .max : limit))
        writer.family(
            "connectd_client_memory_refusals_total", .counter,
            help: "Clients and checks that were refused or dismissed for lack of memory for clients, by use.")
        for use in MemoryBudget.Use.allCases {
            writer.sample(
                "connectd_client_memory_refusals_total", [("use", use.rawValue)], memory.refusalCount(of: use))
        }
        writer.sample("connectd_client_memory_refusals_total", Self.useOfChecks, checks.refusalCount)
    }

    private static let useOfChecks: ExpositionWriter.Labels = [("use", "checks")]

    private func writeRefusals(to writer: inout ExpositionWriter) {
        writer.family("connectd_rejections_total", .counter, help: "Requests answered with a problem, by problem type.")
        let counts = metrics.rejectionCounts
        for kind in Problem.Kind.allCases {
            writer.sample("connectd_rejections_total", [("reason", kind.rawValue)], counts[kind] ?? 0)
        }
        writer.family(
            "connectd_client_limit_refusals_total", .counter,
            help: "Requests, connections and checks of batches refused because of a limit per client.")
        for limit in ClientLimit.allCases {
            writer.sample(
                "connectd_client_limit_refusals_total", [("limit", limit.rawValue)], clientRefusals[limit] ?? 0)
        }
        writer.family("connectd_policy_denials_total", .counter, help: "Checks denied by the policy.")
        writer.sample("connectd_policy_denials_total", [], metrics.denialCount)
    }

    private func writeClients(to writer: inout ExpositionWriter) {
        let counts = metrics.clientCounts
        guard !counts.isEmpty else { return }
        writer.family(
            "connectd_client_checks_total", .counter,
            help: "Checks by the name of the client's token or certificate, including denied and canceled ones.")
        for (client, count) in counts.sorted(by: { $0.key < $1.key }) {
            writer.sample("connectd_client_checks_total", [("client", client)], count)
        }
    }

    private func writeCertificate(to writer: inout ExpositionWriter) {
        guard let certificateExpiry else { return }
        let name = "connectd_https_certificate_expiry_timestamp_seconds"
        writer.family(
            name, .gauge,
            help: "Expiry of the HTTPS certificate chain (its earliest certificate), in seconds since 1970.")
        writer.sample(name, [], UInt64(clamping: certificateExpiry))
    }

    private func writeMonitors(to writer: inout ExpositionWriter) {
        writer.family(
            "connectd_monitor_rounds_skipped_total", .counter,
            help: "Monitor rounds skipped because the service was overloaded.")
        writer.sample("connectd_monitor_rounds_skipped_total", [], metrics.skippedRoundCount)
        guard !monitors.isEmpty else { return }
        writer.family(
            "connectd_monitor_up", .gauge, help: "1 if the monitor is up, 0 if it is degraded, down or pending.")
        for monitor in monitors {
            writer.sample(
                "connectd_monitor_up", [("monitor", monitor.definition.name)], UInt64(monitor.state == .up ? 1 : 0))
        }
        let confirmed = monitors.filter { $0.definition.confirmation != nil }
        guard !confirmed.isEmpty else { return }
        writer.family(
            "connectd_monitor_degraded", .gauge,
            help: "1 if the monitor fails here, but not enough other places agree that its target is down.")
        for monitor in confirmed {
            writer.sample(
                "connectd_monitor_degraded", [("monitor", monitor.definition.name)],
                UInt64(monitor.state == .degraded ? 1 : 0))
        }
    }
}
