internal import CheckEngine
internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import HTTPServer
internal import Metrics

/// Plain-text answers in the format of blackbox_exporter.
enum BlackboxResource {
    static let plain = "text/plain; charset=utf-8"

    /// Reads a probe in the order of blackbox_exporter: module, timeout, target.
    static func probe(
        _ head: RequestHead, of modules: BlackboxModules, limitMilliseconds: Int
    ) throws(BlackboxRefusal) -> BlackboxProbe {
        let query = try BlackboxQuery(head)
        guard let module = modules.modules[query.module] else {
            throw BlackboxRefusal(
                400, modules.refusal(of: query.module, isDefault: query.isModuleDefault), isUnknownModule: true)
        }
        let timeout = try timeout(head, module, query, limitMilliseconds: limitMilliseconds)
        guard !query.target.isEmpty else { throw BlackboxRefusal(400, "Target parameter is missing") }
        return BlackboxProbe(module: module, query: query, timeout: timeout)
    }

    private static func timeout(
        _ head: RequestHead, _ module: ProbeModule, _ query: BlackboxQuery, limitMilliseconds: Int
    ) throws(BlackboxRefusal) -> ScrapeTimeout {
        let header = head.header("x-prometheus-scrape-timeout-seconds")
        let moduleSeconds =
            query.timeoutMilliseconds.map { Double($0) / 1000 } ?? Double(module.timeoutNanoseconds) / 1e9
        do throws(ScrapeTimeout.Malformed) {
            return try ScrapeTimeout(
                header: header, moduleSeconds: moduleSeconds, limitSeconds: Double(limitMilliseconds) / 1000)
        } catch {
            throw BlackboxRefusal(
                500, "Failed to parse timeout from Prometheus header: \(shown(header ?? "")) is not a number")
        }
    }

    static func answer(_ report: BlackboxReport, _ head: RequestHead) -> Response {
        if report.probe.query.isDebug { return ResponseFactory.text(BlackboxDebug.text(report), as: plain) }
        let format = ExpositionFormat(accept: head.header("accept"))
        return ResponseFactory.text(
            BlackboxMetrics(report: report, format: format).text(), as: format.contentType)
    }

    static func config(_ modules: BlackboxModules) -> Response {
        ResponseFactory.text(Array(ModuleText.document(modules.modules.values).utf8), as: plain)
    }

    static let healthy = ResponseFactory.text(Array("Healthy".utf8), as: plain)

    /// `/logs?id=…` or `/logs?target=…&module=…`; without both, the list of probes.
    static func logs(_ head: RequestHead, of history: BlackboxHistory) throws(BlackboxRefusal) -> Response {
        let values = try BlackboxQuery.values(in: head)
        let id = values["id"].flatMap(Int.init)
        let target = values["target"].flatMap { $0.isEmpty ? nil : $0 }
        let module = values["module"].flatMap { $0.isEmpty ? nil : $0 }
        if id != nil, target != nil {
            throw BlackboxRefusal(400, "Probe id and target can't be defined at the same time")
        }
        if target == nil, module != nil {
            throw BlackboxRefusal(400, "Probe module filter only works in conjunction with target parameter")
        }
        if let target {
            guard let text = history.text(target: target, module: module) else {
                throw BlackboxRefusal(404, "Probe target not found")
            }
            return ResponseFactory.text(text, as: plain)
        }
        guard let id else {
            if values["id"] != nil { throw BlackboxRefusal(400, "Invalid probe id") }
            return ResponseFactory.text(list(history), as: plain)
        }
        guard let text = history.text(id: id) else { throw BlackboxRefusal(404, "Probe id not found") }
        return ResponseFactory.text(text, as: plain)
    }

    private static func list(_ history: BlackboxHistory) -> [UInt8] {
        var text = ""
        for probe in history.all {
            var line = LogfmtLine(
                at: probe.startedAtNanoseconds, level: probe.isSuccess ? "info" : "error",
                probe.isSuccess ? "Probe succeeded" : "Probe failed")
            line.append("id", "\(probe.id)")
            line.append("module", probe.module)
            line.append("target", probe.target)
            line.append("outcome", probe.outcome)
            text += line.text + "\n"
        }
        return Array(text.utf8)
    }

    /// Client input in one of our lines: at most 120 characters.
    /// - Parameter isPlain: whether a plain word is not quoted.
    static func shown(_ text: String, isPlain: Bool = false) -> String {
        if isPlain, text.utf8.count <= 120, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2C }) {
            return text
        }
        return QuotedText.text(text.prefix(120) + (text.count > 120 ? "…" : ""))
    }

    static func response(_ refusal: BlackboxRefusal) -> Response {
        ResponseFactory.text(status: refusal.status, Array((refusal.text + "\n").utf8), as: plain)
    }
}

/// `GET /probe`, as blackbox_exporter has it.
final class BlackboxProbeResource: RequestResponder {
    private let blackbox: BlackboxService
    private let modules: BlackboxModules
    private let parts: ServiceParts
    private let settings: ServiceSettings

    init(blackbox: BlackboxService, modules: BlackboxModules, parts: ServiceParts, settings: ServiceSettings) {
        self.blackbox = blackbox
        self.modules = modules
        self.parts = parts
        self.settings = settings
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        switch prepare(request) {
        case .answer(let response): return response
        case .denied(let check, let probe): return deny(check, to: probe, request.head, on: worker)
        case .check(let check, let probe):
            let limits: ClientCheck?
            switch begin(check, request.head) {
            case .failure(let problem): return parts.refusal(problem)
            case .success(let begun): limits = begun
            }
            let answer = await parts.service(on: worker).run(check, in: settings.checkContext, until: nil)
            limits?.end(with: answer)
            return response(answer, to: check, of: probe, request.head, on: worker)
        }
    }

    // Not inlined, as in `CheckResource`.

    @inline(never)
    private func prepare(_ request: Request) -> BlackboxService.Preparation {
        let preparation = blackbox.prepare(request.head, of: modules, under: settings)
        switch preparation {
        case .check, .denied: parts.journal.noteAsked()
        case .answer(let response): if response.status == 400 { parts.metrics.noteRejection(.badRequest) }
        }
        return preparation
    }

    /// - Returns: the check for the limits of its client; nil if clients have no limits.
    @inline(never)
    private func begin(_ check: PreparedCheck, _ head: RequestHead) -> Result<ClientCheck?, Problem> {
        Result { () throws(Problem) in try settings.limitedClient(of: head, in: parts)?.begin(check) }
    }

    @inline(never)
    private func deny(_ check: CheckRequest, to probe: BlackboxProbe, _ head: RequestHead, on worker: Int) -> Response {
        parts.journal.noteDenied(
            check, because: Denial(rule: "policy.dialogs", text: "its module has a dialog"), from: head.peer, on: worker
        )
        return blackbox.deny(check, to: probe, head)
    }

    @inline(never)
    private func response(
        _ answer: CheckAnswer, to check: PreparedCheck, of probe: BlackboxProbe, _ head: RequestHead,
        on worker: Int
    ) -> Response {
        do throws(Problem) {
            let result = try parts.journal.concludeProbe(answer, of: check.request, from: head.peer, on: worker)
            return blackbox.answer(result, to: probe, head)
        } catch {
            // A denial is a failed probe; an overload is a problem of this service.
            guard error.kind == .denied else { return parts.refusal(error) }
            return blackbox.deny(check.request, to: probe, head)
        }
    }
}
