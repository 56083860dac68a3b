internal import CheckModel

/// The content of hosts(5), looked up by name.
struct HostsTable: Sendable {
    /// One line of the file.
    struct Line: Hashable, Sendable {
        let address: IPAddress
        /// The canonical name first; normalized.
        let names: [String]
    }

    private var linesByName: [String: [Line]] = [:]

    init() {}

    /// Lines that start with no address are passed over, as the C library does.
    init(parsing file: [UInt8]) {
        for text in file.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) {
            let words = Words.of(text, comments: [UInt8(ascii: "#")])
            guard let first = words.first, let address = IPAddress(parsing: first), words.count > 1 else { continue }
            let line = Line(address: address, names: words.dropFirst().map(DomainName.normalized))
            for name in Set(line.names) { linesByName[name, default: []].append(line) }
        }
    }

    /// The lines that have a name, in the order of the file.
    func lines(for normalized: String) -> [Line] { linesByName[normalized] ?? [] }
}
