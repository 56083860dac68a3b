package import CheckModel

/// Removes the texts that a configured dialog sends from output that others can read. They may be passwords, and peers may
/// echo them.
package struct SentTextRedactor {
    package static let placeholder = "<secret>"

    /// Shorter texts are protocol commands, such as `QUIT`.
    private static let shortestBytes = 5

    /// Lines without line ends, longest first, because one may contain another.
    private let lines: [[UInt8]]

    package init(of steps: [DialogStep]) {
        let lines = steps.flatMap(Self.literals).flatMap { $0.split { $0 == 0x0A || $0 == 0x0D }.map(Array.init) }
        self.lines = lines.filter { $0.count >= Self.shortestBytes }.sorted { $0.count > $1.count }
    }

    /// The literal parts of a step, without references to a match.
    private static func literals(of step: DialogStep) -> [[UInt8]] {
        switch step {
        case .sendBytes(let bytes): [bytes]
        case .send(let text): pieces(of: Array(text.utf8))
        case .sendExpanded(let template): pieces(of: template)
        case .expect, .expectBytes, .expectLine, .expectExactly, .reject, .startTLS, .startTLSAgain: []
        }
    }

    /// The parts of a template between its references to groups.
    private static func pieces(of template: [UInt8]) -> [[UInt8]] {
        template.split(separator: UInt8(ascii: "$")).enumerated().map { index, piece in
            if index == 0, template.first != UInt8(ascii: "$") { return Array(piece) }
            let isBraced = piece.first == UInt8(ascii: "{")
            let rest =
                isBraced
                ? piece.drop { $0 != UInt8(ascii: "}") }.dropFirst()
                : piece.drop { byte in
                    (byte | 0x20) &- UInt8(ascii: "a") <= 25 || byte &- UInt8(ascii: "0") <= 9
                        || byte == UInt8(ascii: "_")
                }
            return Array(rest)
        }
    }

    /// Replaces the texts in bytes that the peer sent.
    package func redacted(_ received: [UInt8]) -> [UInt8] {
        if lines.isEmpty { return received }
        var result: [UInt8] = []
        var rest = received[...]
        while let byte = rest.first {
            if let line = lines.first(where: rest.starts) {
                result += Array(Self.placeholder.utf8)
                rest = rest.dropFirst(line.count)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// Replaces the texts in what a report shows of the peer.
    package func redacted(_ report: DialogReport) -> DialogReport {
        guard !lines.isEmpty else { return report }
        var report = report
        for index in report.steps.indices {
            report.steps[index].received = report.steps[index].received.map { redacted($0) }
        }
        report.groups = report.groups.map { group in
            Label(name: group.name, value: String(decoding: redacted(Array(group.value.utf8)), as: UTF8.self))
        }
        return report
    }
}
