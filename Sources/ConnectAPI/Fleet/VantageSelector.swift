package import CheckModel
package import StrictJSON

/// An element of `from`: where a check runs.
package enum VantageSelector: Sendable, Equatable {
    /// This instance.
    case here
    case place(PlaceName)
    /// The places with all of these labels.
    /// - limit: the most places of it, at least 1; nil for all.
    case labels([String: String], limit: Int?)

    /// The most places of one request.
    package static let maximumPlaces = 1000

    /// Reads one element: `here`, the name of a place, or an object with `labels` and `limit`.
    package static func decode(_ cursor: inout JSONCursor) -> VantageSelector? {
        switch cursor.value {
        case .string("here"): return .here
        case .string(let text):
            if let place = PlaceName(text) { return .place(place) }
            cursor.report("\(PlaceName.rule): the name of a place, such as fra1")
            return nil
        case .object: return cursor.object(labels)
        case .null, .bool, .integer, .number, .array:
            cursor.reportMismatch(expected: "the name of a place, here, or an object with labels")
            return nil
        }
    }

    private static func labels(_ reader: inout JSONObjectReader) -> VantageSelector? {
        reader.require("labels")
        let labels = reader.stringMap("labels", maximumMembers: 64, maximumLength: 1024)
        let limit = reader.integer("limit", in: 1...maximumPlaces)
        guard let labels else { return nil }
        return .labels(Dictionary(labels, uniquingKeysWith: { first, _ in first }), limit: limit)
    }

    /// The places of this selector, those that are up first, then by name; with `here`, none.
    ///
    /// A place that is named is asked even if it is not known: it may have started a moment ago.
    package func places(of vantages: [Vantage]) -> [PlaceName] {
        switch self {
        case .here: return []
        case .place(let place): return [place]
        case .labels(let labels, let limit):
            let matching = vantages.filter { vantage in
                labels.allSatisfy { vantage.labels[$0.key] == $0.value }
            }
            let ordered = matching.filter { $0.state == .up } + matching.filter { $0.state != .up }
            return ordered.prefix(limit ?? .max).map(\.place)
        }
    }
}
