internal import CheckModel
internal import NetworkTypes

/// The cases of rules with `from` as a table: targets by places, one character for each.
package struct PlaceMatrix {
    private var targets: [String] = []
    private var places: [String] = []
    private var cells: [String: [String: Character]] = [:]

    /// - Parameter unfinished: cases without a result, which are unknown.
    package init(_ cases: [VerifiedCase], unfinished: [ReachabilityCase] = []) {
        for verified in cases { add(VerdictMatrix.symbol(verified.judgment), for: verified.reachabilityCase) }
        for tested in unfinished { add("?", for: tested) }
    }

    private mutating func add(_ cell: Character, for tested: ReachabilityCase) {
        let (target, place) = (tested.target.text, tested.place?.text ?? "here")
        if cells[target] == nil { targets.append(target) }
        if !places.contains(place) { places.append(place) }
        let earlier = cells[target]?[place]
        // Of several cases in one cell, the worst is shown.
        cells[target, default: [:]][place] = earlier.map { VerdictMatrix.worse($0, cell) } ?? cell
    }

    /// The lines of the table, without the legend.
    package var lines: [String] {
        let width = targets.map(\.count).max() ?? 0
        func line(_ first: String, _ cells: [String]) -> String {
            let padded = zip(places, cells).map { place, cell in
                String(repeating: " ", count: max(place.count - cell.count, 0)) + cell
            }
            let text = ([first + String(repeating: " ", count: width - first.count)] + padded).joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        let body = targets.map { target in
            line(target, places.map { cells[target]?[$0].map(String.init) ?? " " })
        }
        return [line("", places)] + body
    }
}
