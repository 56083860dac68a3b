package import CheckEngine
package import CheckModel
internal import Configuration
internal import NetworkTypes
internal import SocketIO
package import StrictJSON

/// Asks places of the fleet about a monitor that fails here: `monitors[].confirm`.
package struct FleetConfirmation: Sendable {
    /// The monitor's name, which decides which of the places are asked.
    private let monitor: String
    /// nil if this instance runs without a fleet.
    private let fleet: (any FleetAsking)?
    private let ownPlace: PlaceName?
    private let selectors: [VantageSelector]
    private let ask: Int
    private let agree: Int
    private let body: [UInt8]
    private let request: CheckRequest

    /// - Parameters:
    ///   - ownPlace: is not asked: it has already failed.
    ///   - selectors: the places to choose from; empty for all that are known.
    ///   - ask: how many places are asked, at least `agree`.
    ///   - agree: how many of them must fail too.
    ///   - check: the monitor's check as JSON, and `request` the same decoded.
    package init(
        monitor: String, fleet: (any FleetAsking)?, ownPlace: PlaceName?, selectors: [VantageSelector], ask: Int,
        agree: Int, check: JSONValue, request: CheckRequest
    ) {
        self.monitor = monitor
        self.fleet = fleet
        self.ownPlace = ownPlace
        self.selectors = selectors.isEmpty ? [.labels([:], limit: nil)] : selectors
        self.ask = ask
        self.agree = agree
        body = Self.body(of: check)
        self.request = request
    }

    /// A trace would only delay the answer.
    private static func body(of check: JSONValue) -> [UInt8] {
        guard case .object(let object) = check else { return [] }
        var writer = JSONWriter()
        writer.value(.object(JSONObject(members: object.members.filter { $0.key != "trace" })))
        return writer.finish()
    }

    /// The places to ask, stable for the monitor's name as long as the same places are up. Those that are not up come
    /// last.
    func places(of vantages: [Vantage]) -> [PlaceName] {
        let candidates = Set(selectors.flatMap { $0.places(of: vantages) }).subtracting([ownPlace].compactMap(\.self))
        let up = Set(vantages.filter { $0.state == .up }.map(\.place))
        let ranked = RendezvousHash.order(Array(candidates), for: monitor)
        return Array((ranked.filter(up.contains) + ranked.filter { !up.contains($0) }).prefix(ask))
    }

    /// The places to ask. Soon after the start, others may not have said yet that they are there.
    private func knownPlaces(of fleet: any FleetAsking) async -> [PlaceName] {
        for _ in 0..<Self.looks {
            let places = places(of: fleet.vantages())
            if !places.isEmpty { return places }
            guard (try? await Task.sleep(for: .milliseconds(Self.lookMilliseconds))) != nil else { return [] }
        }
        return []
    }

    private static let looks = 10
    private static let lookMilliseconds = 100

    private func opinion(of place: PlaceName, by fleet: any FleetAsking) async -> ConfirmationReport.Opinion {
        let deadline = FleetDeadline.deadline(of: request)
        let question = FleetQuestion(place: place, body: body, request: request, deadline: deadline)
        switch await fleet.ask(question) {
        case .finished(let result):
            let kind: ConfirmationReport.Opinion.Kind =
                result.isOK ? .ok : result.countsAgainstTarget ? .failed : .notCounted
            return .init(place: place.text, kind: kind, outcome: result.outcome)
        case .unavailable(let reason): return .init(place: place.text, kind: .unavailable, detail: reason)
        case .forbidden(_, let detail), .unsupported(_, let detail):
            return .init(place: place.text, kind: .notCounted, detail: detail)
        }
    }
}

extension FleetConfirmation: MonitorConfirmation {
    package func confirm() async -> ConfirmationReport {
        let now = Clock.wallNanoseconds()
        guard let fleet else {
            let reason = "this instance runs without a fleet; a changed fleet takes effect after a restart."
            return ConfirmationReport(atNanoseconds: now, opinions: [], needed: agree, reason: reason)
        }
        let places = await knownPlaces(of: fleet)
        guard !places.isEmpty else {
            return ConfirmationReport(
                atNanoseconds: now, opinions: [], needed: agree, reason: "no other place is known.")
        }
        let opinions = await withTaskGroup(of: (Int, ConfirmationReport.Opinion).self) { group in
            for (index, place) in places.enumerated() {
                group.addTask { (index, await opinion(of: place, by: fleet)) }
            }
            var opinions: [(Int, ConfirmationReport.Opinion)] = []
            for await opinion in group { opinions.append(opinion) }
            return opinions.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return ConfirmationReport(atNanoseconds: now, opinions: opinions, needed: agree)
    }
}

extension RemoteResult {
    /// Whether it is a failure that is about the target or the path to it.
    var countsAgainstTarget: Bool {
        guard !isOK else { return false }
        // Without an error, the outcome is a success that the check did not expect.
        return !["prober", "request", "resolver"].contains(fault)
    }
}

/// Until when a place may answer.
enum FleetDeadline {
    /// For the way there and back, and for asking another instance.
    private static let graceMilliseconds = 2000

    /// - Parameter trials: how many instances there is time to ask, one after another.
    static func deadline(of request: CheckRequest, trials: Int = 1) -> MonotonicTime {
        Clock.now().advanced(byMilliseconds: trials * (request.longestMillisecondsWithTrace + graceMilliseconds))
    }
}

/// Orders places for a key, so that each place has an equal part of all keys, and few keys change if a place is added.
enum RendezvousHash {
    static func order(_ places: [PlaceName], for key: String) -> [PlaceName] {
        places.map { (TokenDigest.digest(of: Array("\($0.text)|\(key)".utf8)), $0) }
            .sorted { left, right in
                left.0 == right.0 ? left.1 < right.1 : right.0.lexicographicallyPrecedes(left.0)
            }
            .map(\.1)
    }
}
