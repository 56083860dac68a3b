package import StrictJSON

/// A member that places do not agree about.
package struct SurveyDifference: Sendable, Equatable {
    /// A value, and the places whose results have it.
    package struct Value: Sendable, Equatable {
        /// null for places whose list ends before the element.
        package var value: JSONValue
        package var places: [String]
    }

    /// An RFC 6901 pointer into the results.
    package var pointer: String
    /// At least two: the most frequent value first, then in the order of the places.
    package var values: [Value]

    /// The result of one place.
    package struct Source: Sendable {
        package var place: String
        package var finding: SurveyFinding

        package init(place: String, finding: SurveyFinding) {
            self.place = place
            self.finding = finding
        }
    }

    /// Compares what should be the same everywhere: addresses and certificates.
    ///
    /// Places that resolved nothing, tried nothing or did not begin TLS have no part in the comparison.
    package static func all(among sources: [Source]) -> [SurveyDifference] {
        let resolved: [(String, JSONValue)] = sources.compactMap { source in
            source.finding.resolvedAddresses.map { (source.place, .array($0.map(JSONValue.string))) }
        }
        return [difference(at: "/resolution/addresses", resolved)].compactMap { $0 }
            + differences(of: sources.map { ($0.place, $0.finding.attempts) }, in: "/attempts", "/address")
            + differences(of: sources.map { ($0.place, $0.finding.certificates) }, in: "/tls/chain", "/sha256")
    }

    /// Compares lists, element by element.
    private static func differences(
        of lists: [(place: String, elements: [String?])], in list: String, _ member: String
    ) -> [SurveyDifference] {
        let compared = lists.filter { !$0.elements.isEmpty }
        return (0..<(compared.map(\.elements.count).max() ?? 0)).compactMap { index in
            difference(
                at: "\(list)/\(index)\(member)",
                compared.map { place, elements in
                    let element = index < elements.count ? elements[index] : nil
                    return (place, element.map(JSONValue.string) ?? .null)
                })
        }
    }

    private static func difference(at pointer: String, _ found: [(String, JSONValue)]) -> SurveyDifference? {
        var values: [Value] = []
        for (place, value) in found {
            if let index = values.firstIndex(where: { $0.value == value }) {
                values[index].places.append(place)
            } else {
                values.append(Value(value: value, places: [place]))
            }
        }
        guard values.count > 1 else { return nil }
        let ordered = values.enumerated().sorted { left, right in
            let (more, fewer) = (left.element.places.count, right.element.places.count)
            return more == fewer ? left.offset < right.offset : more > fewer
        }
        return SurveyDifference(pointer: pointer, values: ordered.map(\.element))
    }
}
