internal import CheckEngine
internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import HTTPServer
internal import Metrics
internal import SocketIO
internal import Synchronization

/// The state of blackbox_exporter's resources: recent probes, counts and reloads. One for the life of the service.
package final class BlackboxService: Sendable {
    let history = BlackboxHistory()
    let counts = BlackboxCounts()
    private let reloads = SharedReloads()

    package init() {}

    enum Preparation {
        case check(PreparedCheck, BlackboxProbe)
        /// There is nothing to check.
        case answer(Response)
        /// The policy does not allow the module's dialog for requests.
        case denied(CheckRequest, BlackboxProbe)
    }

    /// Sets what `/-/reload` calls.
    /// - Parameter reload: reloads the configuration; returns why it failed, nil if it succeeded. Nil: the service stops.
    package func offerReload(_ reload: (@Sendable () -> String?)?) {
        reloads.offer(reload)
    }

    /// Records the result of a reload for `/metrics`.
    package func noteReload(isSuccessful: Bool) {
        counts.noteReload(isSuccessful: isSuccessful)
    }

    /// Reads a request.
    func prepare(_ head: RequestHead, of modules: BlackboxModules, under settings: ServiceSettings) -> Preparation {
        do throws(BlackboxRefusal) {
            var probe = try BlackboxResource.probe(
                head, of: modules, limitMilliseconds: settings.maximumTimeoutMilliseconds)
            probe.hidesPath = settings.prober == nil
            let origin = OriginReader.origin(of: head, tokens: settings.tokens)
            switch probe.prepare(now: Clock.wallNanoseconds(), asked: origin) {
            case .failed(let result): return .answer(answer(result, to: probe, head))
            case .check(let check) where check.asksPeer && settings.permissions.dialogs == .none:
                return .denied(check.request, probe)
            case .check(let check): return .check(check, probe)
            }
        } catch {
            if error.isUnknownModule { counts.noteUnknownModule() }
            return .answer(BlackboxResource.response(error))
        }
    }

    /// Records a probe, and answers with its result.
    func answer(_ result: CheckResult, to probe: BlackboxProbe, _ head: RequestHead) -> Response {
        let report = BlackboxReport(probe: probe, result: result)
        history.add(report)
        return BlackboxResource.answer(report, head)
    }

    /// The same for a probe that the policy denies: a constant result.
    func deny(_ request: CheckRequest, to probe: BlackboxProbe, _ head: RequestHead) -> Response {
        answer(.denied(request, startedAtNanoseconds: Clock.wallNanoseconds()), to: probe, head)
    }

    func logs(_ head: RequestHead) -> Response {
        do throws(BlackboxRefusal) {
            return try BlackboxResource.logs(head, of: history)
        } catch {
            return BlackboxResource.response(error)
        }
    }

    /// Reloads the configuration.
    func reload() async -> Response {
        guard let reason = await reloads.reload() else { return ResponseFactory.text([], as: BlackboxResource.plain) }
        return BlackboxResource.response(BlackboxRefusal(500, "failed to reload config: \(reason)"))
    }
}

/// Combines concurrent reloads. Requests during a reload share the next one, so that many requests cost two reloads and
/// do not delay SIGHUP.
final class SharedReloads: Sendable {
    private struct State {
        var reload: (@Sendable () -> String?)?
        /// The running reload.
        var current: Task<String?, Never>?
        /// The reload that starts after it.
        var next: Task<String?, Never>?
    }

    private let state = Mutex(State())

    /// - Parameter reload: returns why nothing changed, nil after success. Nil: reloads are not available.
    func offer(_ reload: (@Sendable () -> String?)?) {
        state.withLock { $0.reload = reload }
    }

    /// Starts a reload after this call, on another thread, because it reads files.
    /// - Returns: why nothing changed; nil after success.
    func reload() async -> String? {
        let task = state.withLock { state -> Task<String?, Never> in
            if let next = state.next { return next }
            let former = state.current
            let task = Task.detached { [self] () -> String? in
                _ = await former?.value
                begin()
                defer { end() }
                guard let reload = self.state.withLock({ $0.reload }) else { return "the service is stopping" }
                return reload()
            }
            state.next = task
            return task
        }
        return await task.value
    }

    /// Later requests need another reload, because this one may have read the files already.
    private func begin() {
        state.withLock { state in
            state.current = state.next
            state.next = nil
        }
    }

    private func end() {
        state.withLock { $0.current = nil }
    }
}

/// blackbox_exporter's metrics about itself.
final class BlackboxCounts: Sendable {
    private struct Reload {
        var isSuccessful = true
        var succeededAtNanoseconds = Clock.wallNanoseconds()
    }

    private let unknownModules = Atomic<UInt64>(0)
    /// The start counts as the first reload.
    private let reload = Mutex(Reload())

    func noteUnknownModule() {
        unknownModules.add(1, ordering: .relaxed)
    }

    func noteReload(isSuccessful: Bool) {
        reload.withLock { reload in
            reload.isSuccessful = isSuccessful
            if isSuccessful { reload.succeededAtNanoseconds = Clock.wallNanoseconds() }
        }
    }

    func write(to writer: inout ExpositionWriter) {
        let last = reload.withLock { $0 }
        writer.family(
            "blackbox_exporter_config_last_reload_success_timestamp_seconds", .gauge,
            help: "Timestamp of the last successful configuration reload.")
        writer.sample(
            "blackbox_exporter_config_last_reload_success_timestamp_seconds", [],
            Double(last.succeededAtNanoseconds) / 1e9)
        writer.family(
            "blackbox_exporter_config_last_reload_successful", .gauge,
            help: "Blackbox exporter config loaded successfully.")
        writer.sample("blackbox_exporter_config_last_reload_successful", [], UInt64(last.isSuccessful ? 1 : 0))
        writer.family(
            "blackbox_module_unknown_total", .counter, help: "Count of unknown modules requested by probes")
        writer.sample("blackbox_module_unknown_total", [], unknownModules.load(ordering: .relaxed))
    }
}
