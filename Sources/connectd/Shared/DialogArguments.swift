public import ArgumentParser
public import CheckModel
import Dialog
import NetworkTypes
import Synchronization

/// One dialog step from the command line.
struct DialogArgument {
    let step: DialogStep
    /// The position among all steps. The parser keeps only the order within one option.
    let position: Int

    private static let nextPosition = Mutex(0)

    init(_ step: DialogStep) {
        self.step = step
        position = Self.nextPosition.withLock { position in
            position += 1
            return position
        }
    }

    static func send(_ text: String) throws -> DialogArgument {
        let bytes = try EscapedText.bytes(text)
        if let text = String(validating: bytes, as: UTF8.self) { return DialogArgument(.send(text: text)) }
        guard !text.contains("${") else {
            throw ValidationError("text with bytes that are not UTF-8 cannot contain ${…}: \(text)")
        }
        return DialogArgument(.sendBytes(bytes))
    }
}

/// The dialog options of `check` and `wait`.
struct DialogArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Send this text after connecting. It can contain \\r, \\n, \\t, \\0, \\\\ and \\xHH, and ${name} or ${1} of \
            an earlier --match. No line end is added.
            """, valueName: "text"),
        transform: DialogArgument.send)
    var send: [DialogArgument] = []

    @Option(
        help: ArgumentHelp(
            "Then wait until the peer sends something that this pattern (PCRE2) matches.", valueName: "pattern"),
        transform: { DialogArgument(.expect(pattern: $0)) })
    var match: [DialogArgument] = []

    @Option(
        help: ArgumentHelp(
            "Fail if the peer sends something that this pattern matches before the next --match matches.",
            valueName: "pattern"),
        transform: { DialogArgument(.reject(pattern: $0)) })
    var reject: [DialogArgument] = []

    @Option(
        help: ArgumentHelp(
            """
            UDP only: ask a question that every server of this protocol answers, instead of a dialog: dns, ntp, stun, \
            snmp, ike or quic.
            """, valueName: "protocol"))
    var preset: UDPPreset?

    func validate() throws {
        if preset != nil, !(send.isEmpty && match.isEmpty && reject.isEmpty) {
            throw ValidationError("use either --preset or --send, --match and --reject")
        }
    }

    /// All steps, in the order of the command line.
    var steps: [DialogStep] {
        (send + match + reject).sorted { $0.position < $1.position }.map(\.step)
    }

    /// The dialog with these steps; nil if there are none.
    static func dialog(_ steps: [DialogStep]) throws -> Dialog? {
        guard !steps.isEmpty else { return nil }
        let lastMatch = steps.lastIndex(where: \.isMatch) ?? -1
        if steps[(lastMatch + 1)...].contains(where: \.isReject) {
            throw ValidationError("--reject needs a --match after it: only --match waits for data from the peer")
        }
        do throws(DialogProblem) {
            return try Dialog(steps: steps)
        } catch {
            throw ValidationError("--\(error.member == "expect" ? "match" : error.member): the text \(error.detail)")
        }
    }
}

/// Decodes escapes in an argument.
enum EscapedText {
    /// The bytes of a text after its escapes are decoded.
    static func bytes(_ text: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "\\" else {
                bytes += Array(String(character).utf8)
                continue
            }
            switch rest.popFirst() {
            case "r": bytes.append(0x0D)
            case "n": bytes.append(0x0A)
            case "t": bytes.append(0x09)
            case "0": bytes.append(0x00)
            case "\\": bytes.append(UInt8(ascii: "\\"))
            case "x":
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16) else {
                    throw ValidationError("\\x needs two hexadecimal digits, as in \\x0d: \(text)")
                }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            case let other:
                let found = other.map { "\\\($0)" } ?? "\\ at the end"
                throw ValidationError(
                    "\(found) is not an escape: write \\r, \\n, \\t, \\0, \\xHH, or \\\\ for a backslash: \(text)")
            }
        }
        return bytes
    }
}

extension DialogStep {
    fileprivate var isMatch: Bool {
        if case .expect = self { true } else { false }
    }

    fileprivate var isReject: Bool {
        if case .reject = self { true } else { false }
    }
}

extension UDPPreset: ExpressibleByArgument {}

/// How `--preset` and `quic://` go together with other arguments.
enum PresetUsage {
    /// What is wrong with the request; nil if nothing is.
    static func flaw(of request: CheckRequest) -> String? {
        guard let preset = request.preset else { return nil }
        let target = TerminalText.clean(request.target.text)
        guard case .udp = request.target.peer else {
            return "--preset needs UDP: write udp://host:port instead of \(target)"
        }
        if request.target.impliesQUIC, preset != .quic {
            return "--preset \(preset.rawValue) does not fit \(target): write udp://host:port for this preset"
        }
        if !request.dialog.isEmpty {
            return "--send, --match and --reject do not fit \(target), which has the preset quic: write udp://host:port"
        }
        return nil
    }
}
