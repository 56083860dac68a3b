package import CheckModel
package import Configuration
package import ConnectAPI
internal import StrictJSON

/// Which places a survey asks, each once.
package struct SurveyPlan: Sendable {
    /// This instance as a place of the fleet.
    package struct Instance: Sendable {
        /// nil without a fleet.
        package var place: PlaceName?
        package var labels: [String: String]

        package init(place: PlaceName? = nil, labels: [String: String] = [:]) {
            self.place = place
            self.labels = labels
        }

        /// - Parameter settings: nil without a fleet.
        package init(_ settings: FleetSettings?) {
            self.init(place: settings?.place, labels: settings?.labels ?? [:])
        }

        /// Its name in responses.
        package var name: String { place?.text ?? "here" }
    }

    package struct Stop: Sendable, Equatable {
        /// The name in the response.
        package var name: String
        package var labels: [String: String]
        /// Whom to ask; nil for this instance itself.
        package var place: PlaceName?
    }

    /// In the order of the request.
    package private(set) var stops: [Stop] = []
    /// The labels of selectors that no place matches, as texts.
    package private(set) var unmatched: [String] = []

    /// This instance checks by itself for its own place, so `here` and its name are the same place.
    package init(_ selectors: [VantageSelector], among vantages: [Vantage], own: Instance) {
        let known = Dictionary(vantages.map { ($0.place, $0.labels) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        for selector in selectors {
            let places: [PlaceName?] = selector == .here ? [nil] : selector.places(of: vantages)
            if places.isEmpty { unmatched.append(selector.labelText) }
            for place in places {
                let stop =
                    place == nil || place == own.place
                    ? Stop(name: own.name, labels: own.labels, place: nil)
                    : Stop(name: place?.text ?? "", labels: place.flatMap { known[$0] } ?? [:], place: place)
                if seen.insert(stop.name).inserted { stops.append(stop) }
            }
        }
    }
}

extension VantageSelector {
    /// The labels as `name=value`, in the order of the names; empty for another selector.
    var labelText: String {
        guard case .labels(let labels, _) = self else { return "" }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
}
