internal import CheckModel
internal import Diagnosis
internal import NetworkTypes
internal import SocketIO

/// Makes the check of each experiment.
struct ExperimentChecks: Sendable {
    let record: DiagnosisRecord
    let control: PreparedCheck?
    /// The time that is left for an experiment.
    let milliseconds: Int

    /// A connect to an address that no machine has is waited for only a little longer than for the target.
    private static let absentMilliseconds = 300...1000

    private static let holdMilliseconds = 500

    /// nil if the experiment does not fit the target.
    func check(for experiment: Experiment) -> PreparedCheck? {
        if experiment == .control { return control?.limited(toMilliseconds: milliseconds) }
        guard var request = adapted(for: experiment) else { return nil }
        request.id = nil
        request.labels = nil
        request.dialog = []
        request.expectation = .transportSuccess
        return PreparedCheck(request: request)
    }

    private func adapted(for experiment: Experiment) -> CheckRequest? {
        var request = record.request
        request.timeoutMilliseconds = milliseconds
        switch experiment {
        case .control: return nil
        case .hold: request.holdMilliseconds = UInt16(min(milliseconds / 2, Self.holdMilliseconds))
        case .trace: return tracing(request)
        case .question(let preset): request.preset = preset
        case .everyAddress: request.resolve.addresses = .all
        case .otherPort(let port): return withoutTLS(request, address: decisiveAddress, port: port)
        case .nameServer(let server): request.resolve.server = server
        case .absentAddress(let address):
            request.bind = BindOptions()
            request.timeoutMilliseconds = min(milliseconds, absentLimit)
            return withoutTLS(request, address: address, port: record.subject.port)
        case .withoutBind: request.bind = BindOptions()
        case .withoutSignature: request.socket.tcpMD5 = nil
        case .smallSegments:
            request.socket.maximumSegment = 536
            request.tls?.verify = false
        case .smallHello:
            request.tls?.minimumVersion = .tls12
            request.tls?.maximumVersion = .tls12
            request.tls?.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
            request.tls?.verify = false
        case .withoutServerName:
            // An address is not sent as a server name.
            request.tls?.serverName = "192.0.2.1"
            request.tls?.verify = false
        case .oldVersions:
            request.tls?.minimumVersion = .tls10
            request.tls?.maximumVersion = .tls11
            request.tls?.ciphers = "ALL:@SECLEVEL=0"
            request.tls?.verify = false
        }
        return request
    }

    /// The check itself has failed already, so it has little time; the trace has the rest.
    private func tracing(_ original: CheckRequest) -> CheckRequest? {
        let limit = min(milliseconds / 4, Self.holdMilliseconds)
        guard limit > 0, var request = withoutTLS(original, address: decisiveAddress, port: record.subject.port) else {
            return nil
        }
        request.timeoutMilliseconds = limit
        request.trace = TraceOptions(when: .always, timeoutMilliseconds: milliseconds - limit)
        return request
    }

    private var decisiveAddress: IPAddress? { record.check.decisiveAttempt?.endpoint.internetAddress }

    private var absentLimit: Int {
        let connect = Int((record.check.decisiveAttempt?.durationNanoseconds ?? 0) / 1_000_000)
        return min(max(Self.absentMilliseconds.lowerBound, 5 * connect), Self.absentMilliseconds.upperBound)
    }

    private func withoutTLS(_ original: CheckRequest, address: IPAddress?, port: UInt16?) -> CheckRequest? {
        guard let address, let port else { return nil }
        var request = original
        let endpoint = IPEndpoint(address: address, port: port)
        request.target = Target(peer: .tcp(.address(address), port: port), text: "tcp://\(endpoint.text)")
        request.tls = nil
        request.resolve = ResolveOptions()
        request.socket.tcpMD5 = nil
        request.socket.tcpFastOpen = false
        return request
    }
}
