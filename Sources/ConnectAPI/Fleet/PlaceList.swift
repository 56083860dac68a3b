package import CheckModel
package import StrictJSON

/// A list of places: the value of `from`.
package enum PlaceList {
    /// Reads a list of selectors.
    package static func decode(_ cursor: inout JSONCursor) -> [VantageSelector]? {
        cursor.array(count: 1...VantageSelector.maximumPlaces) { VantageSelector.decode(&$0) }
    }

    /// The selectors of a monitor's `confirm.from`, and what is wrong with them.
    /// - Parameter agree: how many places must agree.
    package static func confirming(
        _ value: JSONValue, agree: Int
    ) -> (selectors: [VantageSelector], problems: [JSONProblem]) {
        var cursor = JSONCursor(value)
        let selectors = decode(&cursor) ?? []
        if selectors.contains(.here) {
            cursor.report("must not contain here: other places confirm that a check fails here")
        }
        let names = Set(selectors.compactMap(\.place))
        if !selectors.isEmpty, selectors.allSatisfy({ $0.place != nil }), names.count < agree {
            cursor.report("must name at least as many places as must agree (\(agree)), got \(names.count)")
        }
        return (selectors, cursor.problems.problems)
    }
}

extension VantageSelector {
    /// The place that it names; nil for labels and `here`.
    package var place: PlaceName? {
        if case .place(let place) = self { place } else { nil }
    }
}
