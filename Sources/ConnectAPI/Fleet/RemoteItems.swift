internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// The checks of a batch that other places run.
struct RemoteItems: Sendable {
    private let places: BatchPlaces
    private let items: BatchItems
    /// Who asks, for the log of the places.
    private let client: String?

    init(_ places: BatchPlaces, items: BatchItems, client: String?) {
        self.places = places
        self.items = items
        self.client = client
    }

    func destination(of index: Int) -> BatchPlaces.Destination { places.destination(of: index) }

    func isRemote(_ index: Int) -> Bool { destination(of: index) != .here }

    /// Asks a place to run a check.
    func ask(_ index: Int, _ request: CheckRequest) async -> FleetAnswer {
        guard let body = items.body(of: index) else {
            return .unsupported(
                place: nil,
                detail:
                    "a check for another place has at most \(ServiceResources.checkBodyBytes) bytes with the defaults")
        }
        let place: PlaceName?
        switch destination(of: index) {
        case .here, .nowhere: return .unavailable(reason: "no place that is known matches from")
        case .any: place = nil
        case .place(let name): place = name
        }
        return await places.fleet.ask(
            FleetQuestion(
                place: place, body: body, request: request, deadline: FleetDeadline.deadline(of: request, trials: 2),
                client: client))
    }

    /// The error of a check that has no result of a place, and whether the check expects it.
    static func refusal(
        _ answer: FleetAnswer, of request: CheckRequest, isCancelled: Bool
    ) -> (report: ErrorReport, isOK: Bool) {
        if isCancelled { return (Classifier.report(for: OwnError.cancelled), false) }
        switch answer {
        case .finished: return (Classifier.report(for: OwnError.cancelled), false)
        case .unavailable(let reason):
            let hint = "Check the place in GET /v1/vantages and the connection to the broker: \(reason)."
            return (report(.placeUnavailable, hint: hint), false)
        case .forbidden(let place, let detail):
            let report = report(.denied, hint: "Ask the operator of \(name(place)) to allow this check: \(detail)")
            return (report, request.expectation.isMet(by: .failed(.denied), fault: .request))
        case .unsupported(let place, let detail):
            return (report(.invalid, hint: "Correct this check for \(name(place)): \(detail)"), false)
        }
    }

    private static func name(_ place: String?) -> String { place.map { "the place \($0)" } ?? "the place" }

    private static func report(_ error: OwnError, hint: String) -> ErrorReport {
        let report = Classifier.report(for: error)
        return ErrorReport(
            errno: report.errno, name: report.name, errorClass: report.errorClass, fault: report.fault,
            source: report.source, message: report.message, hint: hint, retryable: report.retryable)
    }
}

extension RemoteResult {
    /// The outcome for the summary; a word that this version does not know counts as `unclassified`.
    var knownOutcome: Outcome {
        Outcome.all.first { $0.word == outcome } ?? .failed(.unclassified)
    }
}
