internal import CheckModel
internal import ConnectAPI
internal import NATSClient
internal import NetworkTypes
internal import StrictJSON

/// Reads an answer of another place, and believes only what fits the question.
struct AnswerReader {
    let question: FleetQuestion

    /// More values than a result has.
    private static let limits = JSONLimits(values: 65_536)

    func read(_ message: NATSMessage) -> QuestionTrial {
        let place = message.header(FleetHeader.place)
        if let code = message.header(FleetHeader.errorCode) {
            return refusal(code, message.header(FleetHeader.error) ?? "", from: place)
        }
        guard let name = place.flatMap(PlaceName.init) else {
            return distrust("an answer came without the name of its place")
        }
        if let asked = question.place, asked != name {
            return distrust("the place \(asked.text) was asked, and an answer came from \(name.text)")
        }
        guard message.omittedBytes == 0 else {
            return distrust("the answer of \(name.text) has \(message.omittedBytes) bytes, which is too long")
        }
        return result(message.payload, from: name)
    }

    private func refusal(_ code: String, _ text: String, from place: String?) -> QuestionTrial {
        let name = place.flatMap(PlaceName.init)?.text
        let detail = FleetHeader.value(text)
        switch Int(code) {
        case 503, 429:
            return .again(reason: "\(name ?? "an instance") is overloaded or stops: \(detail)", isAbsent: false)
        case 403: return .answer(.forbidden(place: name, detail: detail))
        case 400, 404, 413, 415, 422: return .answer(.unsupported(place: name, detail: detail))
        default:
            return .answer(
                .unavailable(reason: "\(name ?? "an instance") answered \(FleetHeader.value(code)): \(detail)"))
        }
    }

    private func result(_ payload: [UInt8], from place: PlaceName) -> QuestionTrial {
        guard case .object(let document)? = try? JSONValue.parse(payload.span, limits: Self.limits) else {
            return distrust("the answer of \(place.text) is not a JSON object")
        }
        guard document["target"]?.text == question.request.target.text, document["id"]?.text == question.request.id
        else {
            return distrust("the answer of \(place.text) is about another target")
        }
        guard case .bool(let isOK)? = document["ok"], let outcome = document["outcome"]?.text else {
            return distrust("the answer of \(place.text) is not a result")
        }
        var result = RemoteResult(place: place, document: document, isOK: isOK, outcome: outcome)
        if case .object(let error)? = document["error"] {
            result.fault = error["fault"]?.text
            result.errorName = error["name"]?.text
        }
        return .answer(.finished(result))
    }

    private func distrust(_ reason: String) -> QuestionTrial {
        .answer(.unavailable(reason: "\(reason): it is not believed"))
    }
}

extension JSONValue {
    /// The text of a string; nil for any other value.
    fileprivate var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
