import ArgumentParser
import NetworkTypes

/// The value of `--ports`: `80,443,8000-8100,u:53`.
struct PortList: Sendable {
    struct Entry: Hashable, Sendable {
        let port: UInt16
        let isUDP: Bool

        /// The target of a host.
        /// - Parameter host: As in a URL: IPv6 in brackets.
        func target(of host: String) -> String { isUDP ? "udp://\(host):\(port)" : "\(host):\(port)" }
    }

    /// In the order of the text, each once.
    let entries: [Entry]

    /// - Throws: `ValidationError` with the invalid item.
    init(parsing text: String) throws {
        var entries: [Entry] = []
        var known: Set<Entry> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            for entry in try Self.entries(of: item) where known.insert(entry).inserted { entries.append(entry) }
        }
        self.entries = entries
    }

    private static func entries(of item: Substring) throws -> [Entry] {
        let isUDP = item.hasPrefix("u:")
        let ports = isUDP || item.hasPrefix("t:") ? item.dropFirst(2) : item
        if let port = port(ports) { return [Entry(port: port, isUDP: isUDP)] }
        let ends = ports.split(separator: "-", omittingEmptySubsequences: false).map(number)
        guard ends.count == 2, let first = ends[0], let last = ends[1] else { throw problem(item) }
        guard first <= last else {
            throw ValidationError("--ports: the range \"\(item)\" is reversed: write \(last)-\(first)")
        }
        return (first...last).map { Entry(port: $0, isUDP: isUDP) }
    }

    private static func port(_ text: Substring) -> UInt16? {
        number(text) ?? PortNames.port(named: text.lowercased())
    }

    private static func number(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0 else {
            return nil
        }
        return port
    }

    private static func problem(_ item: Substring) -> ValidationError {
        let shown = TerminalText.clean(String(item))
        if item.hasPrefix("U:") || item.hasPrefix("T:") {
            return ValidationError(
                "--ports: \"\(shown)\": write u:53 for a UDP port, with u: before each of them; the others are TCP")
        }
        return ValidationError(
            """
            --ports: "\(shown)" is not a port from 1 to 65535, a name such as https, or a range: write them as in \
            80,443,8000-8100,u:53
            """)
    }
}
