package import CheckModel
package import NetworkTypes
package import StrictJSON

/// Asks other places to run checks. The module Fleet implements it over NATS.
package protocol FleetAsking: Sendable {
    /// The places that are known now, in the order of their names: those that are up, and those that were until recently.
    func vantages() -> [Vantage]

    /// Asks one instance to run a check, and asks the next one if it is overloaded or does not answer. Returns by the
    /// question's deadline. Canceling the task ends it early, as `unavailable`.
    func ask(_ question: FleetQuestion) async -> FleetAnswer
}

/// One place of the fleet, as this instance knows it.
package struct Vantage: Sendable, Equatable {
    package enum State: String, CaseIterable, Sendable {
        case up, gone
    }

    package var place: PlaceName
    package var labels: [String: String]
    /// How many instances are up.
    package var instances: Int
    package var state: State
    /// When the state began: wall-clock time, nanoseconds since 1970.
    package var sinceNanoseconds: Int64
    /// The round trip through the broker, in milliseconds; nil before it was measured.
    package var roundTripMilliseconds: Double?
    /// The version of connectd there.
    package var version: String

    package init(
        place: PlaceName, labels: [String: String] = [:], instances: Int = 1, state: State = .up,
        sinceNanoseconds: Int64 = 0, roundTripMilliseconds: Double? = nil, version: String = ""
    ) {
        self.place = place
        self.labels = labels
        self.instances = instances
        self.state = state
        self.sinceNanoseconds = sinceNanoseconds
        self.roundTripMilliseconds = roundTripMilliseconds
        self.version = version
    }
}

/// A check for another place.
package struct FleetQuestion: Sendable {
    /// Any instance of this place; nil for any instance of the fleet.
    package var place: PlaceName?
    /// The body of `POST /v1/checks`, at most 64 KiB.
    package var body: [UInt8]
    /// The decoded body. The answer must be about its target, and have its id.
    package var request: CheckRequest
    package var deadline: MonotonicTime
    /// Who asks, for the log of the answering place: the name of a client of this service; nil for the service itself.
    package var client: String?

    package init(
        place: PlaceName?, body: [UInt8], request: CheckRequest, deadline: MonotonicTime, client: String? = nil
    ) {
        self.place = place
        self.body = body
        self.request = request
        self.deadline = deadline
        self.client = client
    }
}

/// What became of a question.
package enum FleetAnswer: Sendable {
    case finished(RemoteResult)
    /// No answer in time, or none that can be trusted. It says nothing about the target.
    /// - reason: a sentence for people.
    case unavailable(reason: String)
    /// The answering place's policy denies the check.
    case forbidden(place: String?, detail: String)
    /// The answering place does not know a member of the check, or does not accept it.
    case unsupported(place: String?, detail: String)
}

/// The result of a check that another place ran.
package struct RemoteResult: Sendable {
    package var place: PlaceName
    /// The result as the place sent it, which may have members that this version does not know.
    package var document: JSONObject
    /// `ok`.
    package var isOK: Bool
    /// `outcome`.
    package var outcome: String
    /// `error.fault`; nil if the check succeeded.
    package var fault: String?
    /// `error.name`; nil if the check succeeded.
    package var errorName: String?

    package init(
        place: PlaceName, document: JSONObject, isOK: Bool, outcome: String, fault: String? = nil,
        errorName: String? = nil
    ) {
        self.place = place
        self.document = document
        self.isOK = isOK
        self.outcome = outcome
        self.fault = fault
        self.errorName = errorName
    }
}
