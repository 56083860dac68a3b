internal import NetworkTypes

/// An entry of `ports`: `5432`, `https`, `8000-8009`, `u:53`, `u:5000-5010`. As in `--ports`, `t:` means TCP.
package struct PortRange: Hashable, Sendable {
    package let isUDP: Bool
    /// 1 … 65535.
    package let first: UInt16
    /// At least `first`.
    package let last: UInt16

    package init(isUDP: Bool = false, _ first: UInt16, _ last: UInt16) {
        self.isUDP = isUDP
        self.first = first
        self.last = last
    }

    package var ports: ClosedRange<UInt16> { first...last }

    /// As it is written in a file.
    package var text: String {
        (isUDP ? "u:" : "") + (first == last ? "\(first)" : "\(first)-\(last)")
    }

    /// Reads the text of an entry.
    /// - Throws: why it is invalid, as a predicate.
    package init(parsing text: String) throws(PolicyError) {
        let isUDP = text.hasPrefix("u:")
        let body = isUDP || text.hasPrefix("t:") ? text.dropFirst(2) : text[...]
        if let colon = body.firstIndex(of: ":") {
            let scheme = body[..<colon].lowercased()
            let rest = body[body.index(after: colon)...]
            let instead = scheme.hasPrefix("u") ? "u:\(rest)" : "\(rest)"
            throw PolicyError("is not a port: write \(instead)")
        }
        let parts = body.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.first?.isASCIIDigit == true }) else {
            let port = try Self.port(body)
            self.init(isUDP: isUDP, port, port)
            return
        }
        let (first, last) = (try Self.port(parts[0]), try Self.port(parts[1]))
        guard first <= last else {
            throw PolicyError("is a range that runs backward: write \(isUDP ? "u:" : "")\(last)-\(first)")
        }
        self.init(isUDP: isUDP, first, last)
    }

    /// Reads a number.
    package init(number: Int) throws(PolicyError) {
        guard let port = UInt16(exactly: number), port > 0 else {
            throw PolicyError("is not a port: write a number from 1 to 65535")
        }
        self.init(port, port)
    }

    private static func port(_ text: Substring) throws(PolicyError) -> UInt16 {
        if let port = PortNames.port(named: text) { return port }
        guard !text.isEmpty, text.allSatisfy(\.isASCIIDigit) else {
            let suggestion = Spelling.nearest(to: text.lowercased(), among: PortNames.table.keys.sorted())
            let guess = suggestion.map { " (did you mean \($0)?)" } ?? ""
            throw PolicyError(
                "is not a port\(guess): write 5432, \"8000-8009\", \"u:53\" for UDP, or a name such as https")
        }
        guard text.first != "0" || text == "0" else { throw PolicyError("has a leading zero: remove it") }
        guard let port = UInt16(text), port > 0 else {
            throw PolicyError("is not a port: write a number from 1 to 65535")
        }
        return port
    }
}

/// Why a part of a policy is invalid: a predicate to write after the value, without a period.
package struct PolicyError: Error, Hashable, Sendable {
    package let detail: String

    package init(_ detail: String) {
        self.detail = detail
    }
}

extension Character {
    var isASCIIDigit: Bool { isASCII && isNumber }
}
