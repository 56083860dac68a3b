import CheckModel
@testable import ConnectAPI
import StrictJSON
import Synchronization

/// A fleet whose places answer as a test says.
final class FakeFleet: FleetAsking {
    private let known: [Vantage]
    private let answers: @Sendable (FleetQuestion) -> FleetAnswer
    let questions = Mutex<[FleetQuestion]>([])

    init(
        _ known: [Vantage] = [],
        answers: @escaping @Sendable (FleetQuestion) -> FleetAnswer = { _ in .unavailable(reason: "no one is there") }
    ) {
        self.known = known
        self.answers = answers
    }

    /// Places that are up, without labels.
    convenience init(
        named names: [String],
        answers: @escaping @Sendable (FleetQuestion) -> FleetAnswer = { _ in .unavailable(reason: "no") }
    ) {
        self.init(names.compactMap { PlaceName($0).map { Vantage(place: $0) } }, answers: answers)
    }

    func vantages() -> [Vantage] { known }

    func ask(_ question: FleetQuestion) async -> FleetAnswer {
        questions.withLock { $0.append(question) }
        return answers(question)
    }
}

/// The answer of a place whose check ended with this outcome.
func remoteAnswer(_ place: String, _ outcome: String, fault: String? = nil, more: [JSONObject.Member] = [])
    -> FleetAnswer
{
    guard let name = PlaceName(place) else { return .unavailable(reason: "not a name") }
    let document = JSONObject(
        members: [
            .init(key: "schema", value: .integer(1)), .init(key: "target", value: .string("tcp://t:1")),
            .init(key: "ok", value: .bool(fault == nil)), .init(key: "outcome", value: .string(outcome)),
        ] + more)
    return .finished(
        RemoteResult(place: name, document: document, isOK: fault == nil, outcome: outcome, fault: fault))
}
