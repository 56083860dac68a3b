package import CheckModel
internal import StrictJSON

/// The member `from` of a batch: where its checks run. Each runs in exactly one place.
package struct BatchPlaces: Sendable {
    /// Where one check runs.
    package enum Destination: Sendable, Equatable {
        /// This instance.
        case here
        case place(PlaceName)
        /// Any instance of the fleet.
        case any
        /// No place that is known has the labels.
        case nowhere

        /// The member `place` of an item that has no result of a place; nil if the place is not known.
        package var text: String? {
            switch self {
            case .here: "here"
            case .place(let place): place.text
            case .any, .nowhere: nil
            }
        }
    }

    let fleet: any FleetAsking
    /// Never empty: the checks take turns.
    let destinations: [Destination]

    package init(fleet: any FleetAsking, destinations: [Destination]) {
        self.fleet = fleet
        self.destinations = destinations.isEmpty ? [.nowhere] : destinations
    }

    /// The destination of a check, by its number in the batch.
    package func destination(of index: Int) -> Destination { destinations[index % destinations.count] }

    /// Reads `"any"`, one selector, or a list of places and selectors. The places that are known now count.
    static func decode(_ cursor: inout JSONCursor, fleet: (any FleetAsking)?) -> BatchPlaces? {
        guard let fleet else {
            cursor.report("needs a fleet: set the key fleet in the configuration, or leave it out to check from here")
            return nil
        }
        switch cursor.value {
        case .string("any"): return BatchPlaces(fleet: fleet, destinations: [.any])
        case .object:
            return VantageSelector.decode(&cursor).map { BatchPlaces(fleet: fleet, selectors: [$0]) }
        case .array:
            return PlaceList.decode(&cursor).map { BatchPlaces(fleet: fleet, selectors: $0) }
        case .null, .bool, .integer, .number, .string:
            cursor.reportMismatch(expected: "\"any\", a list of places, or an object with labels")
            return nil
        }
    }

    /// - Parameter selectors: the places that are known now count.
    package init(fleet: any FleetAsking, selectors: [VantageSelector]) {
        let vantages = fleet.vantages()
        var destinations: [Destination] = []
        var places: Set<PlaceName> = []
        for selector in selectors {
            if selector == .here, !destinations.contains(.here) { destinations.append(.here) }
            for place in selector.places(of: vantages) where places.insert(place).inserted {
                destinations.append(.place(place))
            }
        }
        self.init(fleet: fleet, destinations: destinations)
    }
}
