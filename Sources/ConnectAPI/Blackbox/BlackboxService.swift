internal import CheckEngine
internal import CheckModel
internal import Configuration
internal import HTTPServer
internal import SocketIO

/// The resources of blackbox_exporter, with what they remember.
final class BlackboxService: Sendable {
    private let history = BlackboxHistory()
    private let reloads = SharedReloads()

    enum Preparation {
        case check(PreparedCheck, BlackboxProbe)
        /// There is nothing to be checked.
        case answer(Response)
        /// The policy keeps the module's dialog from requests.
        case denied(CheckRequest, BlackboxProbe)
    }

    func offerReload(_ reload: (@Sendable () -> String?)?) {
        reloads.offer(reload)
    }

    /// Finds out what a request asks for.
    func prepare(_ head: RequestHead, under settings: ServiceSettings) -> Preparation {
        do throws(BlackboxRefusal) {
            var probe = try BlackboxResource.probe(
                head, of: settings.modules, limitMilliseconds: settings.maximumTimeoutMilliseconds)
            let origin = OriginReader.origin(of: head, tokens: settings.tokens)
            switch probe.prepare(now: Clock.wallNanoseconds(), asked: origin) {
            case .failed(let result): return .answer(answer(result, to: probe, head))
            case .check(let check) where check.dialog != nil && settings.permissions.dialogs == .none:
                return .denied(check.request, probe)
            case .check(let check): return .check(check, probe)
            }
        } catch {
            return .answer(BlackboxResource.response(error))
        }
    }

    /// Remembers a probe, and tells how it went.
    func answer(_ result: CheckResult, to probe: BlackboxProbe, _ head: RequestHead) -> Response {
        let report = BlackboxReport(probe: probe, result: result)
        history.add(report)
        return BlackboxResource.answer(report, head)
    }

    /// The same of a probe that the policy denies: one constant result.
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

    /// Reads the configuration again.
    func reload() async -> Response {
        guard let reason = await reloads.reload() else { return ResponseFactory.text([], as: BlackboxResource.plain) }
        return BlackboxResource.response(BlackboxRefusal(500, "failed to reload config: \(reason)"))
    }
}
