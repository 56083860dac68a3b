internal import CheckEngine
internal import CheckModel
internal import ConnectAPI
internal import HTTPServer
internal import NetworkTypes
internal import StrictJSON

/// `POST /v1/surveys`: one check from many places, and what their results say together.
final class SurveyResource: RequestResponder {
    private let pipeline: CheckPipeline
    private let own: SurveyPlan.Instance

    init(_ pipeline: CheckPipeline, own: SurveyPlan.Instance) {
        self.pipeline = pipeline
        self.own = own
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        do throws(Problem) {
            let session = try session(for: request, on: worker)
            let form = BatchForm(accept: request.head.headers("accept"))
            switch form {
            case .lines:
                return ResponseFactory.stream(form.headers) { writer in
                    try await session.run { line in try await writer.write(line) }
                }
            case .document: return try await document(of: session, form)
            }
        } catch {
            return pipeline.parts.refusal(error)
        }
    }

    private func session(for request: Request, on worker: Int) throws(Problem) -> SurveySession {
        try QueryRule.acceptNone(request.head)
        let fleet = pipeline.settings.fleet
        let survey = try SurveyDecoder.decode(
            request.body, maximumTimeoutMilliseconds: pipeline.settings.maximumTimeoutMilliseconds,
            hasFleet: fleet != nil)
        let plan = SurveyPlan(survey.from, among: fleet?.vantages() ?? [], own: own)
        guard plan.stops.count <= VantageSelector.maximumPlaces else {
            let most = VantageSelector.maximumPlaces
            throw Problem(wrongInput: [
                JSONProblem(
                    pointer: "/from",
                    detail: "must select at most \(most) places, got \(plan.stops.count): set a limit for its labels")
            ])
        }
        return try SurveySession(survey, plan, by: pipeline, from: request.head, on: worker)
    }

    /// A short document needs no account of its own: the limits of a check cover it.
    private static let longDocument = 65_536

    private func document(of session: SurveySession, _ form: BatchForm) async throws(Problem) -> Response {
        var entries = [SurveyEntry?](repeating: nil, count: session.plan.stops.count)
        // The closure throws nothing, and so the run does not.
        try? await session.start { index, entry in entries[index] = entry }
        guard !Task.isCancelled else {
            // No client reads this: it has left, or the service stops.
            throw Problem(.draining, "the survey was cancelled", headers: [Problem.retryAfter])
        }
        let known = entries.compactMap { $0 }
        let conclusion = session.conclusion(of: known)
        guard known.reduce(0, { $0 + $1.result.count }) > Self.longDocument else {
            return ResponseFactory.json(
                SurveyEncoder.document(conclusion, known), headers: form.headers.filter { $0.name == "Vary" })
        }
        let body = try pipeline.parts.documents.lend { SurveyEncoder.document(conclusion, known) }
        return ResponseFactory.json(sharing: body, headers: form.headers.filter { $0.name == "Vary" })
    }
}

/// One survey of a client, with its limits and permissions.
struct SurveySession: Sendable {
    let plan: SurveyPlan
    private let survey: SurveyRequest
    private let pipeline: CheckPipeline
    private let peer: Peer
    private let origin: RequestOrigin?
    private let worker: Int
    /// The checks of the client; nil if clients have no limits.
    private let limits: ClientCheck?

    /// - Throws: 429 if the client must wait.
    init(
        _ survey: SurveyRequest, _ plan: SurveyPlan, by pipeline: CheckPipeline, from head: RequestHead, on worker: Int
    ) throws(Problem) {
        self.survey = survey
        self.plan = plan
        self.pipeline = pipeline
        self.worker = worker
        peer = head.peer
        origin = pipeline.origin(of: head)
        // Labels that no place has cost nothing.
        limits = plan.stops.isEmpty ? nil : try pipeline.client(of: head)?.begin(survey.check, at: plan.stops.count)
    }

    /// Asks all places.
    func start(_ onEntry: (Int, SurveyEntry) async throws -> Void) async throws {
        var run = SurveyRun(
            survey, plan, fleet: pipeline.settings.fleet, local: { await answerHere() }, note: { note($0) })
        run.concurrency = limits?.permitCount ?? run.concurrency
        run.client = origin?.client
        run.memory = pipeline.parts.memory
        try await run.run(onEntry)
    }

    /// Asks all places, and sends a line for each of them, then one with the verdict.
    func run(_ send: ([UInt8]) async throws -> Void) async throws {
        var entries = [SurveyEntry?](repeating: nil, count: plan.stops.count)
        try await start { index, entry in
            try await send(SurveyEncoder.line(entry))
            // It has been sent, and only what it says matters from now on.
            entries[index] = entry.withoutResult
        }
        try await send(SurveyEncoder.line(conclusion(of: entries.compactMap { $0 })))
    }

    func conclusion(of entries: [SurveyEntry]) -> SurveyConclusion {
        SurveyConclusion(of: entries, quorum: survey.quorum, unmatched: plan.unmatched)
    }

    /// Runs the check here, as `POST /v1/checks` does.
    private func answerHere() async -> SurveyRun.LocalAnswer {
        do throws(Problem) {
            let check = try pipeline.admit(survey.check, from: peer, origin: origin)
            // Its own timeout limits it. A deadline of the survey could cut it short, which would look like a timeout.
            let answer = await pipeline.run(check, on: worker)
            limits?.end(with: answer)
            let result = try pipeline.parts.journal.conclude(answer, of: check.request, from: peer, on: worker)
            return .finished(
                ResultEncoder(prober: pipeline.settings.prober).line(result, of: check.request).dropLast())
        } catch {
            let detail = Self.detail(of: error)
            return switch error.kind {
            case .denied: .forbidden(detail)
            case .badRequest: .unsupported(detail)
            default: .unavailable(detail)
            }
        }
    }

    private static func detail(of problem: Problem) -> String {
        // A bad request names its inputs itself.
        let pointers = problem.kind == .badRequest ? [] : problem.errors.map(\.pointer)
        return problem.detail + (pointers.isEmpty ? "" : ": " + pointers.joined(separator: ", "))
    }

    /// Counts what another place connected to.
    private func note(_ entry: SurveyEntry) {
        guard let limits, let finding = entry.finding else { return }
        let port: UInt16
        switch survey.check.request.target.peer {
        case .tcp(_, let number), .udp(_, let number): port = number
        case .unix: return
        }
        limits.end(
            connectedTo: finding.attempts.compactMap { text in
                text.flatMap { IPAddress(parsing: $0) }.map { IPEndpoint(address: $0, port: port) }
            })
    }
}
