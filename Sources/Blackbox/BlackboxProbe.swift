internal import CheckEngine
internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import ErrorCatalogue
internal import HTTPServer
internal import NetworkTypes

/// A probe: module, target and timeout.
struct BlackboxProbe: Sendable {
    let module: ProbeModule
    private(set) var query: BlackboxQuery
    let timeout: ScrapeTimeout
    /// Why the target cannot be connected to, in one sentence; nil if it can.
    private(set) var flaw: String?
    /// Whether the addresses of a trace stay out of the metrics (profile `public`).
    var hidesPath = false

    init(module: ProbeModule, query: BlackboxQuery, timeout: ScrapeTimeout) {
        self.module = module
        self.query = query
        self.timeout = timeout
        // Some clients encode a target twice. A valid target is not decoded, such as a path with a percent sign.
        if (try? target()) == nil, let decoded = Self.decodedAgain(query.target) { self.query.target = decoded }
    }

    /// - Returns: nil if nothing is encoded, or the result is not text on one line.
    private static func decodedAgain(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")),
            let decoded = PercentCoding.decode(Array(text.utf8)[...], plusIsSpace: false),
            !decoded.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { return nil }
        return decoded
    }

    /// The module for this probe: `hostname` replaces a missing server_name.
    var effectiveModule: ProbeModule {
        guard module.tls.serverName == nil, !query.hostname.isEmpty else { return module }
        var module = module
        module.tls.serverName = query.hostname
        return module
    }

    /// What to do.
    enum Preparation {
        /// A check; if there is a flaw, it only resolves the host, as blackbox_exporter does.
        case check(PreparedCheck)
        /// Nothing can be checked; the result says why.
        case failed(CheckResult)
    }

    /// Decides what to do, and records the flaw of an invalid target.
    /// - Parameters:
    ///   - now: wall-clock time, nanoseconds since 1970.
    ///   - origin: where the request comes from, for logs and counts.
    mutating func prepare(now: Int64, asked origin: RequestOrigin? = nil) -> Preparation {
        let request: CheckRequest
        do throws(TargetError) {
            request = try self.request()
        } catch {
            flaw = error.detail
            guard let resolution = resolutionRequest() else {
                return .failed(Self.failure(.invalid, in: .policy, error.detail, now))
            }
            request = resolution
        }
        if flaw == nil, let flaw = ConsistencyRules.flaws(of: request, isTLSOff: false).first {
            return .failed(
                Self.failure(.invalid, in: .policy, "\(flaw.path.joined(separator: ".")) \(flaw.detail)", now))
        }
        if let defect = module.sourceDefect { return .failed(Self.failure(.invalid, in: .policy, defect, now)) }
        if hasUnwantedFamily(request) {
            return .failed(Self.failure(.noData, in: .resolve, "the address is of the other family", now))
        }
        let dialog = flaw == nil ? module.dialog?.compiled : nil
        return .check(PreparedCheck(request: request, dialog: dialog).asked(by: origin))
    }

    private func request() throws(TargetError) -> CheckRequest {
        let target = try self.target()
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout.milliseconds)
        addTrace(to: &request)
        request.resolve = resolve
        request.bind.address = module.sourceAddress
        request.dialog = module.dialog?.steps ?? []
        if module.usesTLS || target.impliesTLS || request.dialog.contains(.startTLS) { request.tls = tls }
        return request
    }

    /// Both must end before the scrape times out, so the trace gets a part of the time.
    private func addTrace(to request: inout CheckRequest) {
        guard let when = query.trace, when != .never, timeout.milliseconds > 1 else { return }
        let limit = min(TraceOptions.defaultTimeoutMilliseconds, timeout.milliseconds / 2)
        request.timeoutMilliseconds = timeout.milliseconds - limit
        request.trace = TraceOptions(when: when, timeoutMilliseconds: limit)
    }

    /// Schemes of paths that look like a host.
    private static let pathSchemes: Set<String> = ["unix", "unix+dgram", "unix+seqpacket"]

    /// A check that only resolves the host, because the port is unusable: port 0, which the engine never connects to.
    private func resolutionRequest() -> CheckRequest? {
        guard module.prober == .tcp, !query.target.contains("://"), let parts = GoHostPort(query.target),
            !Self.pathSchemes.contains(parts.host.lowercased()), let target = try? Self.target(parts, port: 1),
            case .tcp(let host, _) = target.peer
        else { return nil }
        var request = CheckRequest(
            target: Target(peer: .tcp(host, port: 0), text: query.target), timeoutMilliseconds: timeout.milliseconds)
        request.resolve = resolve
        return request
    }

    /// Parses `host:port` or a path as blackbox_exporter does, and the URL forms of this service.
    private func target() throws(TargetError) -> Target {
        let text = query.target
        switch module.prober {
        case .tcp:
            let target = try internetTarget()
            if case .unix = target.peer {
                throw TargetError("The module's prober is tcp, and the target a UNIX socket.")
            }
            return target
        case .unix:
            let isName = text.hasPrefix("/") || text.hasPrefix("@")
            let target = try Target(parsing: isName ? "unix:" + text : text)
            guard case .unix = target.peer else {
                throw TargetError("The module's prober is unix, and the target no path: it begins with \"/\" or \"@\".")
            }
            return target
        }
    }

    private func internetTarget() throws(TargetError) -> Target {
        do throws(TargetError) {
            return try Target(parsing: query.target)
        } catch {
            // blackbox_exporter accepts brackets around any host.
            guard query.target.hasPrefix("["), let parts = GoHostPort(query.target), let port = Int(parts.port),
                let target = try? Self.target(parts, port: port)
            else { throw error }
            return Target(peer: target.peer, text: query.target)
        }
    }

    private static func target(_ parts: GoHostPort, port: Int) throws(TargetError) -> Target {
        try Target(transport: Transport.tcp.rawValue, host: parts.host, port: .number(port))
    }

    /// One address, as in blackbox_exporter, or what the query says.
    private var resolve: ResolveOptions {
        var options = ResolveOptions()
        options.triesOneAddress = query.addresses == nil
        options.addresses = query.addresses ?? .first
        if let family = query.family {
            options.family = family
        } else if !module.mayFallBack {
            options.family = module.preferredFamily == .ipv4 ? .ipv4 : .ipv6
        } else if query.addresses == nil {
            options.preferredFamily = module.preferredFamily
        }
        return options
    }

    private func hasUnwantedFamily(_ request: CheckRequest) -> Bool {
        switch request.target.peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _):
            let family = request.resolve.family
            return family != .any && family.rawValue != address.familyInGo.rawValue
        case .tcp(.name, _), .udp(.name, _), .unix: return false
        }
    }

    private var tls: TLSOptions {
        var options = TLSOptions()
        options.verify = !module.tls.skipsVerification
        options.findsLongestChain = options.verify
        let serverName = module.tls.serverName ?? (query.hostname.isEmpty ? nil : query.hostname)
        options.serverName = serverName.map(ServerName.readOrKept)
        options.minimumVersion = module.tls.minimumVersion
        options.maximumVersion = module.tls.maximumVersion
        guard module.tls.defects.isEmpty else {
            // No material has this name, so the handshake fails before its first byte.
            options.minimumVersion = nil
            options.maximumVersion = nil
            options.authority = BlackboxModules.unusable
            return options
        }
        let entry = BlackboxModules.entryName(of: module)
        if module.tls.authorities != nil { options.authority = entry }
        if module.tls.certificate != nil { options.clientCertificate = entry }
        return options
    }

    private static func failure(_ error: OwnError, in phase: Phase, _ message: String, _ now: Int64) -> CheckResult {
        let known = Classifier.report(for: error)
        let report = ErrorReport(
            errno: nil, name: known.name, errorClass: known.errorClass, fault: known.fault, source: known.source,
            message: message, hint: known.hint, retryable: known.retryable)
        return CheckResult(
            ok: false, outcome: .failed(known.errorClass), phase: phase, error: report, attempts: [], resolution: nil,
            timings: Timings(), startedAtNanoseconds: now)
    }
}

extension IPAddress {
    /// The family by the rule of Go's `net.IP.To4`: an address in ::ffff:0:0/96 is an IPv4 address.
    var familyInGo: AddressFamily {
        switch self {
        case .v6(let address) where address.bits >> 32 != 0xFFFF: .ipv6
        case .v4, .v6: .ipv4
        }
    }
}
