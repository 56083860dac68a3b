import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import Fleet
import Reachability
import SocketIO
import StrictJSON

/// The places of the rules of a reachability policy, and the connection to them.
struct VerifyPlaces {
    /// nil if no rule has `from`.
    let fleet: FleetMember?
    /// The places of each rule; one nil for a rule that is checked from here.
    let places: [[PlaceName?]]

    /// Connects to the fleet if a rule has `from`.
    /// - Parameters:
    ///   - settings: the key `fleet` of `--config`; nil without it.
    ///   - worker: runs as long as the connection is used.
    /// - Throws: the problems of `from` with their positions, or why there is no connection.
    init(
        _ policy: ReachabilityPolicy, settings: FleetSettings?, worker: Worker
    ) throws {
        var problems: [ConfigurationProblem] = []
        var selectors: [[VantageSelector]] = []
        for rule in policy.rules {
            guard let from = rule.from else {
                selectors.append([.here])
                continue
            }
            var cursor = JSONCursor(from.value)
            let decoded = PlaceList.decode(&cursor) ?? []
            problems += cursor.problems.problems.map { from.problem($0, file: policy.file) }
            if settings == nil, problems.isEmpty {
                let reason =
                    "needs a fleet: add --config FILE with the key fleet, or remove it to check from here"
                problems.append(from.problem(JSONProblem(pointer: "", detail: reason), file: policy.file))
            }
            selectors.append(decoded)
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        guard let settings, policy.rules.contains(where: { $0.from != nil }) else {
            fleet = nil
            places = selectors.map { _ in [nil] }
            return
        }
        let member = try Self.connect(settings, worker)
        let vantages = member.vantages()
        places = selectors.map { Self.places($0, among: vantages) }
        fleet = member
        for (rule, found) in zip(policy.rules, places) where found.isEmpty {
            guard let from = rule.from else { continue }
            let reason = "no place that is known has these labels: see GET /v1/vantages"
            problems.append(from.problem(JSONProblem(pointer: "", detail: reason), file: policy.file))
        }
        guard problems.isEmpty else {
            member.close()
            throw ConfigurationProblems(problems)
        }
    }

    private static func places(_ selectors: [VantageSelector], among vantages: [Vantage]) -> [PlaceName?] {
        var places: [PlaceName?] = []
        for selector in selectors {
            let found: [PlaceName?] = selector == .here ? [nil] : selector.places(of: vantages)
            for place in found where !places.contains(place) { places.append(place) }
        }
        return places
    }

    private static func connect(_ settings: FleetSettings, _ worker: Worker) throws -> FleetMember {
        let handover = Handover<Result<FleetMember, FleetFailure>>()
        Task(executorPreference: worker.reactor.thread) {
            do throws(FleetFailure) {
                let member = try await FleetClient.connect(
                    settings: settings, version: Version.number, reactors: [worker.reactor])
                handover.put(.success(member))
            } catch {
                handover.put(.failure(error))
            }
        }
        return try handover.take().get()
    }
}
