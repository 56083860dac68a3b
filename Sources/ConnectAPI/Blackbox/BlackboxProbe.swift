internal import CheckEngine
internal import CheckModel
internal import Configuration

/// One probe: a module, a target, and how long.
struct BlackboxProbe: Sendable {
    let module: ProbeModule
    let query: BlackboxQuery
    let timeout: ScrapeTimeout

    /// What there is to do.
    enum Preparation {
        case check(PreparedCheck)
        /// Nothing can be checked: the result says why.
        case failed(CheckResult)
    }

    /// - Parameters:
    ///   - now: wall-clock time, nanoseconds since 1970.
    ///   - origin: where the request comes from, for logs and counts.
    func prepared(now: Int64, asked origin: RequestOrigin? = nil) -> Preparation {
        let request: CheckRequest
        do throws(TargetError) {
            request = try self.request()
        } catch {
            return .failed(Self.failure(.invalid, in: .policy, error.detail, now))
        }
        if let flaw = ConsistencyRules.flaws(of: request, isTLSOff: false).first {
            return .failed(
                Self.failure(.invalid, in: .policy, "\(flaw.path.joined(separator: ".")) \(flaw.detail)", now))
        }
        if let defect = module.sourceDefect { return .failed(Self.failure(.invalid, in: .policy, defect, now)) }
        if hasUnwantedFamily(request) {
            return .failed(Self.failure(.noData, in: .resolve, "the address is of the other family", now))
        }
        return .check(PreparedCheck(request: request, dialog: module.dialog?.compiled).asked(by: origin))
    }

    private func request() throws(TargetError) -> CheckRequest {
        let target = try self.target()
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout.milliseconds)
        request.resolve = resolve
        request.bind.address = module.sourceAddress
        request.dialog = module.dialog?.steps ?? []
        if module.usesTLS || target.impliesTLS || request.dialog.contains(.startTLS) { request.tls = tls }
        return request
    }

    /// `host:port` or a path as blackbox_exporter takes them, and the URL forms of this service.
    private func target() throws(TargetError) -> Target {
        let text = query.target
        switch module.prober {
        case .tcp:
            let target = try Target(parsing: text)
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

    /// One address, as blackbox_exporter; or what the query says.
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
            return family != .any && family.rawValue != address.family.rawValue
        case .tcp(.name, _), .udp(.name, _), .unix: return false
        }
    }

    private var tls: TLSOptions {
        var options = TLSOptions()
        options.verify = !module.tls.skipsVerification
        options.serverName = module.tls.serverName ?? (query.hostname.isEmpty ? nil : query.hostname)
        options.minimumVersion = module.tls.minimumVersion
        options.maximumVersion = module.tls.maximumVersion
        guard module.tls.defects.isEmpty else {
            // Nothing is ever lent by this name: the handshake fails before its first byte.
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
            dialog: nil, timings: Timings(), startedAtNanoseconds: now)
    }
}
