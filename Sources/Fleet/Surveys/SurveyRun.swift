internal import CheckEngine
internal import CheckModel
package import ConnectAPI
package import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// Runs one survey: asks all places at once, and waits for each until its own deadline.
package struct SurveyRun: Sendable {
    /// What this instance found.
    package enum LocalAnswer: Sendable {
        /// The result as JSON.
        case finished([UInt8])
        case unavailable(String)
        case forbidden(String)
        case unsupported(String)
    }

    private let request: SurveyRequest
    private let plan: SurveyPlan
    private let fleet: (any FleetAsking)?
    /// Runs the check here, in a child task of `run`.
    private let local: @Sendable () async -> LocalAnswer
    /// Takes the answer of another place, in a child task of `run`.
    private let note: @Sendable (SurveyEntry) -> Void

    /// How many places are asked at once, at least 1.
    package var concurrency = VantageSelector.maximumPlaces
    /// Who asks, for the logs of the other places.
    package var client: String?
    /// The budget for results that wait for others; nil for none.
    package var memory: MemoryBudget?

    /// - Parameter fleet: nil if the plan has no other place.
    package init(
        _ request: SurveyRequest, _ plan: SurveyPlan, fleet: (any FleetAsking)?,
        local: @escaping @Sendable () async -> LocalAnswer, note: @escaping @Sendable (SurveyEntry) -> Void = { _ in }
    ) {
        self.request = request
        self.plan = plan
        self.fleet = fleet
        self.local = local
        self.note = note
    }

    /// Asks all places.
    /// - Parameter onEntry: gets the number of each place in the plan and its entry, as soon as it is known.
    /// - Throws: what `onEntry` throws; then the other places are no longer asked.
    package func run(_ onEntry: (Int, SurveyEntry) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: (Int, SurveyEntry).self) { group in
            var next = 0
            while next < min(max(concurrency, 1), plan.stops.count) {
                start(next, in: &group)
                next += 1
            }
            while let (index, entry) = try await group.next() {
                if next < plan.stops.count {
                    start(next, in: &group)
                    next += 1
                }
                try await onEntry(index, entry)
            }
        }
    }

    private func start(_ index: Int, in group: inout ThrowingTaskGroup<(Int, SurveyEntry), any Error>) {
        group.addTask {
            let entry = await entry(of: plan.stops[index])
            return (index, entry.charged(to: memory))
        }
    }

    // The results of many places would take much memory as values, so each is reduced to its bytes at once.

    private func entry(of stop: SurveyPlan.Stop) async -> SurveyEntry {
        guard let place = stop.place else { return Self.entry(of: stop, await local()) }
        guard let fleet else {
            return SurveyEntry(place: stop.name, labels: stop.labels, .unavailable, because: "there is no fleet")
        }
        let question = FleetQuestion(
            place: place, body: request.body, request: request.check.request,
            deadline: Clock.now().advanced(byMilliseconds: request.limitMilliseconds), client: client)
        let entry = Self.entry(of: stop, await fleet.ask(question))
        note(entry)
        return entry
    }

    private static func entry(of stop: SurveyPlan.Stop, _ answer: FleetAnswer) -> SurveyEntry {
        switch answer {
        case .finished(let result):
            var writer = JSONWriter()
            writer.value(.object(result.document))
            return SurveyEntry(
                place: stop.name, labels: stop.labels, finished: result.document, bytes: writer.finish())
        case .unavailable(let reason):
            return SurveyEntry(place: stop.name, labels: stop.labels, .unavailable, because: reason)
        case .forbidden(_, let detail):
            return SurveyEntry(place: stop.name, labels: stop.labels, .forbidden, because: detail)
        case .unsupported(_, let detail):
            return SurveyEntry(place: stop.name, labels: stop.labels, .unsupported, because: detail)
        }
    }

    private static func entry(of stop: SurveyPlan.Stop, _ answer: LocalAnswer) -> SurveyEntry {
        switch answer {
        case .finished(let bytes):
            guard let document = (try? JSONValue.parse(bytes))?.object else {
                // Encoders write valid JSON, so this is a defect of connectd.
                return SurveyEntry(
                    place: stop.name, labels: stop.labels, .unavailable, because: "the result cannot be read")
            }
            return SurveyEntry(place: stop.name, labels: stop.labels, finished: document, bytes: bytes)
        case .unavailable(let reason):
            return SurveyEntry(place: stop.name, labels: stop.labels, .unavailable, because: reason)
        case .forbidden(let detail):
            return SurveyEntry(place: stop.name, labels: stop.labels, .forbidden, because: detail)
        case .unsupported(let detail):
            return SurveyEntry(place: stop.name, labels: stop.labels, .unsupported, because: detail)
        }
    }
}
