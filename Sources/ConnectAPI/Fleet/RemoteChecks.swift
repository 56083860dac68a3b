internal import CheckEngine
internal import CheckModel
internal import HTTPServer
package import NetworkTypes

/// Runs checks for other places of the fleet: the body of `POST /v1/checks` in, its result or problem out.
///
/// The policy, the permissions and the admission are those of a client without a token. It has no way to ask the fleet, so
/// a check cannot be passed on.
package struct RemoteChecks: Sendable {
    private let pipeline: CheckPipeline

    init(parts: ServiceParts, settings: ServiceSettings) {
        pipeline = CheckPipeline(parts: parts, settings: settings)
    }

    /// - Parameters:
    ///   - asker: who asks, for logs and metrics: visible ASCII.
    ///   - deadline: when the asker no longer waits; nil if it does not say.
    ///   - worker: the index of the worker on whose thread the caller is.
    package func run(
        _ body: [UInt8], askedBy asker: String, until deadline: MonotonicTime?, on worker: Int
    ) async -> RemoteReply {
        do throws(Problem) {
            let charge = try charge(body)
            defer { pipeline.parts.memory.release(charge, of: .bodies) }
            return try await reply(to: body, asker, until: deadline, on: worker)
        } catch {
            pipeline.parts.metrics.noteRejection(error.kind)
            return RemoteReply(status: error.kind.status, detail: error.detail, body: error.body)
        }
    }

    /// The longest body, in bytes.
    package static let longestBody = ServiceResources.checkBodyBytes

    private func charge(_ body: [UInt8]) throws(Problem) -> Int {
        guard body.count <= Self.longestBody else {
            throw Problem(.contentTooLarge, "a check has at most \(Self.longestBody) bytes, got \(body.count)")
        }
        if let problem = pipeline.parts.draining.problem { throw problem }
        let charge = MemoryBudget.bodyCharge(body.count)
        guard pipeline.parts.memory.charge(charge, for: .bodies) else {
            pipeline.parts.memory.noteRefusal(of: .bodies)
            throw Problem(.overloaded, "too much memory is used for other requests", headers: [Problem.retryAfter])
        }
        return charge
    }

    private func reply(
        to body: [UInt8], _ asker: String, until deadline: MonotonicTime?, on worker: Int
    ) async throws(Problem) -> RemoteReply {
        let settings = pipeline.settings
        let client = settings.limitedFleet(in: pipeline.parts)
        try client?.beginRequest()
        let origin = RequestOrigin(requestID: nil, traceparent: nil, client: RequestOrigin.fleetPrefix + asker)
        let check = try pipeline.admit(try BodyDecoder.check(body, under: settings), from: .unix, origin: origin)
        let limits = try client?.begin(check)
        let answer = await pipeline.parts.service(on: worker).run(check, in: settings.checkContext, until: deadline)
        limits?.end(with: answer)
        let result = try pipeline.parts.journal.concludeProbe(answer, of: check.request, from: .unix, on: worker)
        let encoder = ResultEncoder(prober: settings.prober)
        return RemoteReply(status: 200, detail: "", body: encoder.line(result, of: check.request))
    }
}

/// The answer to a check of another place.
package struct RemoteReply: Sendable {
    /// The HTTP status of the same answer to `POST /v1/checks`.
    package var status: Int
    /// A sentence for people; empty with status 200.
    package var detail: String
    /// A result or a problem, JSON.
    package var body: [UInt8]

    package init(status: Int, detail: String, body: [UInt8]) {
        self.status = status
        self.detail = detail
        self.body = body
    }

    /// A request that is refused before it is read.
    package init(_ kind: Problem.Kind, _ detail: String) {
        let problem = Problem(kind, detail)
        self.init(status: kind.status, detail: detail, body: problem.body)
    }
}
