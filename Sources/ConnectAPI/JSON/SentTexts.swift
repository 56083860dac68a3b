package import CheckModel

/// The texts that a configured dialog sends. Protocols send passwords in plain lines, and peers repeat what they get:
/// no output that others can read shows these texts.
package struct SentTexts {
    package static let placeholder = "<secret>"

    /// Shorter ones are words of protocols, such as `QUIT`.
    private static let shortestBytes = 5

    /// Lines without their ends, the longest first: one may be a part of another.
    private let lines: [[UInt8]]

    package init(of steps: [DialogStep]) {
        let lines = steps.flatMap(Self.literals).flatMap { $0.split { $0 == 0x0A || $0 == 0x0D }.map(Array.init) }
        self.lines = lines.filter { $0.count >= Self.shortestBytes }.sorted { $0.count > $1.count }
    }

    /// What a step sends, without what it takes from a match.
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

    /// The same bytes from a peer, each of the texts replaced.
    package func hidden(in received: [UInt8]) -> [UInt8] {
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

    /// The same report, each of the texts replaced in what the peer said.
    package func hidden(in report: DialogReport) -> DialogReport {
        guard !lines.isEmpty else { return report }
        var report = report
        for index in report.steps.indices {
            report.steps[index].received = report.steps[index].received.map(hidden)
        }
        report.groups = report.groups.map { group in
            Label(name: group.name, value: String(decoding: hidden(in: Array(group.value.utf8)), as: UTF8.self))
        }
        return report
    }
}
