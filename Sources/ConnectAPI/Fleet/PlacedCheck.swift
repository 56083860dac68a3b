package import CheckModel
internal import ErrorCatalogue
internal import StrictJSON

/// A check of a command that asks the fleet: it runs in one place. Its result is that of a batch with `from`.
package struct PlacedCheck: Sendable {
    private let request: CheckRequest
    /// The body of `POST /v1/checks`.
    private let body: [UInt8]
    private let destination: BatchPlaces.Destination

    package init(_ request: CheckRequest, body: [UInt8], at destination: BatchPlaces.Destination) {
        self.request = request
        self.body = body
        self.destination = destination
    }

    /// Asks the place to run the check. The destination must not be `here`.
    /// - Returns: the result as JSON: what the place found, or why it has no result.
    package func ask(_ fleet: any FleetAsking) async -> [UInt8] {
        let encoder = BatchEncoder(form: .document, results: ResultEncoder(prober: nil), origin: nil)
        let answer = await answer(of: fleet)
        if case .finished(let result) = answer { return encoder.bytes(of: 0, result) }
        let (report, isOK) = RemoteItems.refusal(answer, of: request, isCancelled: Task.isCancelled)
        var item = RefusedItem(echo: BatchEcho(request), problems: [], report: report, isOK: isOK)
        item.destination = destination
        return encoder.bytes(of: 0, item)
    }

    /// The result of a check that ran here.
    package func bytes(of result: CheckResult, prober: String) -> [UInt8] {
        BatchEncoder(form: .document, results: ResultEncoder(prober: prober), origin: nil)
            .bytes(of: 0, result, of: request, at: destination.text)
    }

    private func answer(of fleet: any FleetAsking) async -> FleetAnswer {
        guard body.count <= ServiceResources.checkBodyBytes else {
            let most = ServiceResources.checkBodyBytes
            return .unsupported(place: nil, detail: "a check has at most \(most) bytes, got \(body.count)")
        }
        let place: PlaceName?
        switch destination {
        case .here, .nowhere: return .unavailable(reason: "no place that is known matches --from")
        case .any: place = nil
        case .place(let name): place = name
        }
        return await fleet.ask(
            FleetQuestion(
                place: place, body: body, request: request,
                deadline: FleetDeadline.deadline(of: request, trials: 2)))
    }
}
