internal import NetworkTypes

/// The cases as a table: destinations by ports, one character for each.
///
/// Adjacent ports with the same column share it.
package struct VerdictMatrix {
    package static let legend = ". open   x blocked   ! violation   ? unknown (error or inconclusive)"

    private enum Column: Hashable, Comparable {
        case port(CasePort)
        /// A UNIX-domain socket.
        case path

        static func < (left: Column, right: Column) -> Bool {
            switch (left, right) {
            case (.port(let left), .port(let right)): left < right
            case (.port, .path): true
            case (.path, _): false
            }
        }
    }

    private var rows: [String] = []
    private var rowNumbers: [String: Int] = [:]
    /// The cells of each column, by row.
    private var cells: [Column: [Int: Character]] = [:]

    /// - Parameter unfinished: cases without a result, which are unknown.
    package init(_ cases: [VerifiedCase], unfinished: [ReachabilityCase] = []) {
        for verified in cases { add(Self.symbol(verified.judgment), for: verified.reachabilityCase) }
        for tested in unfinished { add("?", for: tested) }
    }

    private mutating func add(_ cell: Character, for tested: ReachabilityCase) {
        let (row, column) = Self.place(of: tested.target)
        let number = rowNumbers[row] ?? rows.count
        if number == rows.count {
            rowNumbers[row] = number
            rows.append(row)
        }
        let earlier = cells[column]?[number]
        // Of several cases in one cell, the worst is shown.
        cells[column, default: [:]][number] = earlier.map { Self.worse($0, cell) } ?? cell
    }

    private static func place(of target: Target) -> (String, Column) {
        switch target.peer {
        case .tcp(let host, let port): (host.destinationText, .port(CasePort(isUDP: false, number: port)))
        case .udp(let host, let port): (host.destinationText, .port(CasePort(isUDP: true, number: port)))
        case .unix: (target.text, .path)
        }
    }

    static func symbol(_ judgment: Judgment) -> Character {
        switch judgment.verdict {
        case .violation: "!"
        case .error, .inconclusive: "?"
        case .pass: judgment.finding == .blocked ? "x" : "."
        }
    }

    static func worse(_ left: Character, _ right: Character) -> Character {
        ["!", "?", "x", "."].first { $0 == left || $0 == right } ?? left
    }

    /// The lines of the table, without the legend.
    package var lines: [String] {
        let columns = sharedColumns
        let width = rows.map(\.count).max() ?? 0
        let heads = columns.map(\.head)
        func line(_ first: String, _ cells: [String]) -> String {
            let padded = zip(heads, cells).map { head, cell in
                String(repeating: " ", count: max(head.count - cell.count, 0)) + cell
            }
            let text = ([first + String(repeating: " ", count: width - first.count)] + padded).joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        let body = rows.indices.map { row in line(rows[row], columns.map { $0.cells[row].map(String.init) ?? " " }) }
        return [line("", heads)] + body
    }

    /// The columns in order, with the head of each; adjacent ports with equal cells are merged.
    private var sharedColumns: [(head: String, cells: [Int: Character])] {
        var shared: [(first: Column, last: Column, cells: [Int: Character])] = []
        for column in cells.keys.sorted() {
            guard let cells = cells[column] else { continue }
            if let last = shared.last, last.cells == cells, Self.areAdjacent(last.last, column) {
                shared[shared.count - 1].last = column
            } else {
                shared.append((column, column, cells))
            }
        }
        return shared.map { (Self.head($0.first, $0.last), $0.cells) }
    }

    private static func areAdjacent(_ left: Column, _ right: Column) -> Bool {
        guard case .port(let left) = left, case .port(let right) = right else { return false }
        return left.isUDP == right.isUDP && Int(left.number) + 1 == Int(right.number)
    }

    private static func head(_ first: Column, _ last: Column) -> String {
        guard case .port(let first) = first, case .port(let last) = last else { return "path" }
        return PortRange(isUDP: first.isUDP, first.number, last.number).text
    }
}
