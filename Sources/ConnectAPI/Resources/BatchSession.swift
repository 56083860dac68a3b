internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
internal import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// One batch: decodes its checks, runs them, and sends the results.
final class BatchSession: BatchWork {
    private let items: BatchItems
    private let options: BatchOptions
    private let pipeline: CheckPipeline
    private let peer: Peer
    private let origin: RequestOrigin?
    private let client: LimitedClient?
    /// The checks in flight that the client may have; nil if that is not limited.
    private let permit: ClientPermit?
    private let encoder: BatchEncoder
    private let output: BatchOutput
    /// What asks other places; nil for a batch without `from`.
    private let remote: RemoteItems?

    private var journal: CheckJournal { pipeline.parts.journal }

    /// - Throws: 429 if the client has as many checks in flight as it may have.
    init(
        _ batch: BatchRequest, as form: BatchForm, by pipeline: CheckPipeline, from head: RequestHead
    ) throws(Problem) {
        let client = pipeline.client(of: head)
        origin = pipeline.origin(of: head)
        peer = head.peer
        items = batch.items
        self.client = client
        permit = try client?.permit(upTo: batch.options.concurrency)
        var options = batch.options
        options.concurrency = permit?.count ?? options.concurrency
        self.options = options
        self.pipeline = pipeline
        encoder = BatchEncoder(
            form: form, results: ResultEncoder(prober: pipeline.settings.prober), origin: origin)
        remote = batch.from.map { [origin] in RemoteItems($0, items: batch.items, client: origin?.client) }
        output = BatchOutput(form: form, count: batch.items.count, memory: pipeline.parts.memory)
    }

    /// Runs the batch on all workers and writes its response. Runs in the task of the response, which is canceled when the
    /// client leaves: then the checks are, too.
    func run(on worker: Int, _ writer: ResponseWriter) async throws {
        let pool = pipeline.parts.pool
        let thread = pool.workers[worker].reactor.thread
        let run = BatchRun(
            count: items.count, hosts: await hosts(on: pool.workers[worker].reactor), options: options, pool: pool,
            context: pipeline.settings.checkContext, work: self)
        let number = pipeline.parts.draining.add(run)
        output.begin(of: run)
        let checks = Task(executorPreference: thread) { [output] in
            await run.run(from: worker)
            output.end()
        }
        do {
            try await withTaskCancellationHandler {
                while let bytes = await output.next() {
                    try await writer.write(bytes)
                    await collect(on: pool.workers[worker].reactor)
                }
                if output.isAbandoned { throw ResponseStreamError.cancelled }
            } onCancel: {
                // This may run with the task's own lock held, where its continuation must not be resumed.
                Task(executorPreference: thread) { [output] in
                    output.abandon()
                    run.abandon()
                }
            }
        } catch {
            output.abandon()
            run.abandon()
            await end(checks, number, on: worker)
            throw error
        }
        await end(checks, number, on: worker)
    }

    /// Passes a few turns of the worker, so that the next write has the results of all of them.
    private func collect(on reactor: Reactor) async {
        var turns = 0
        while turns < Self.turnsOfWrite, output.isFilling {
            _ = await reactor.sleep(until: Clock.now())
            turns += 1
        }
    }

    private static let turnsOfWrite = 3

    /// Waits for the checks, and counts those that never had a result.
    private func end(_ checks: Task<Void, Never>, _ number: Int, on worker: Int) async {
        await checks.value
        pipeline.parts.draining.remove(number)
        journal.noteCancelled(items.count - output.finishedCount, by: origin?.client, on: worker)
    }

    /// The hosts of all checks, if they matter. Between some of them, the worker has its turns.
    private func hosts(on reactor: Reactor) async -> [String] {
        guard options.perHost > 0 else { return [] }
        var hosts: [String] = []
        hosts.reserveCapacity(items.count)
        for index in 0..<items.count {
            hosts.append(items.hostKey(index))
            if index % 32 == 31 { _ = await reactor.sleep(until: Clock.now()) }
        }
        return hosts
    }

    // MARK: BatchWork

    var lastStart: Int { output.lastStart }

    func prepare(_ index: Int, on worker: Int) -> PreparedCheck? {
        do throws(BatchItems.Refusal) {
            let check = try items.check(
                index, maximumTimeoutMilliseconds: pipeline.settings.maximumTimeoutMilliseconds)
            return admit(check, index, on: worker)
        } catch {
            journal.noteAsked()
            refuse(index, BatchEcho(error.object), error.problems, because: .invalid, isOK: false, on: worker)
            return nil
        }
    }

    /// Judges what a check uses. If that is refused, the refusal is its result.
    private func admit(_ check: PreparedCheck, _ index: Int, on worker: Int) -> PreparedCheck? {
        do throws(Problem) {
            let admitted =
                isRemote(index)
                ? pipeline.admitRemote(check, origin: origin)
                : try pipeline.admit(check, from: peer, origin: origin)
            try client?.count(check)
            return admitted
        } catch {
            if error.kind == .tooManyRequests { return refuse(index, check, on: worker) }
            let problems = BatchItems.located(error.errors, in: index)
            let reason = error.kind == .denied ? OwnError.denied : .invalid
            let outcome = Outcome.failed(error.kind == .denied ? .denied : .invalid)
            let isOK = check.request.expectation.isMet(by: outcome, fault: .request)
            refuse(index, BatchEcho(check.request), problems, because: reason, isOK: isOK, on: worker)
            return nil
        }
    }

    /// Refuses a check whose client has reached its limit of targets.
    private func refuse(_ index: Int, _ check: PreparedCheck, on worker: Int) -> PreparedCheck? {
        let report = Classifier.report(for: OwnError.clientLimit)
        let isOK = check.request.expectation.isMet(by: .failed(report.errorClass), fault: report.fault)
        refuse(index, BatchEcho(check.request), [], as: report, isOK: isOK, on: worker)
        return nil
    }

    private func refuse(
        _ index: Int, _ echo: BatchEcho, _ problems: [JSONProblem], because reason: OwnError, isOK: Bool, on worker: Int
    ) {
        refuse(index, echo, problems, as: RefusedItem.report(reason, problems), isOK: isOK, on: worker)
    }

    private func refuse(
        _ index: Int, _ echo: BatchEcho, _ problems: [JSONProblem], as report: ErrorReport, isOK: Bool, on worker: Int
    ) {
        journal.noteRefused(report, target: echo.target, by: origin, on: worker)
        var item = RefusedItem(echo: echo, problems: problems, report: report, isOK: isOK)
        item.destination = remote?.destination(of: index)
        output.add(index, outcome: .failed(report.errorClass), isOK: isOK) { encoder.bytes(of: index, item) }
    }

    func finish(_ index: Int, _ check: PreparedCheck, with answer: CheckAnswer, on worker: Int) {
        client?.note(answer, to: check.request.target)
        let result = journal.concludeItem(answer, of: check.request, from: peer, on: worker)
        add(index, check.request, result)
    }

    func takeStart() -> MonotonicTime? { client?.takeStart() }

    func cancel(_ index: Int, on worker: Int) {
        guard let check = prepare(index, on: worker) else { return }
        let result = CheckResult.notStarted(
            check.request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
        add(index, check.request, journal.concludeItem(.result(result), of: check.request, from: peer, on: worker))
    }

    private func add(_ index: Int, _ request: CheckRequest, _ result: CheckResult) {
        output.add(index, outcome: result.outcome, isOK: result.ok) {
            encoder.bytes(of: index, result, of: request, at: remote?.destination(of: index).text)
        }
    }
}

// Checks that other places run.
extension BatchSession {
    var hasRemoteChecks: Bool { remote != nil }

    func isRemote(_ index: Int) -> Bool { remote?.isRemote(index) == true }

    func runRemote(_ index: Int, _ check: PreparedCheck, on worker: Int) async -> RemoteItemResult {
        let request = check.request
        let answer = await remote?.ask(index, request) ?? .unavailable(reason: "the batch has no places")
        guard case .finished(let result) = answer else {
            let end = RemoteItems.refusal(answer, of: request, isCancelled: Task.isCancelled)
            return RemoteItemResult(isTimeout: false, byteCount: 0) { [self] worker in
                refuse(index, BatchEcho(request), [], as: end.report, isOK: end.isOK, on: worker)
            }
        }
        client?.note(RemoteResultReader.endpoints(result.document), of: request.target)
        let bytes = encoder.bytes(of: index, result)
        let outcome = result.knownOutcome
        return RemoteItemResult(isTimeout: outcome == .failed(.timeout), byteCount: bytes.count) { [output] _ in
            output.add(index, outcome: outcome, isOK: result.isOK) { bytes }
        }
    }
}
